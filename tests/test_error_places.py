"""An error that nobody catches is a problem of the script's line, also where Lua's own message names none."""

import pytest

from engine import ScriptError
from helpers import ticks

LINE_2_OF = {
    "math.random: nothing to choose from": "math.random(0)",
    "math.random: no number": "math.random('x')",
    "math.random: too wide": "math.random(1, 2 ^ 60)",
    "math.random: wider than an integer": "math.random(math.mininteger or -2 ^ 63, math.maxinteger or 2 ^ 62)",
    "load: no source": "load()",
    "a comparison inside table.sort": "table.sort({ 1, 'x' })",
    "a key that next does not know": "next({}, 'key')",
    "an error without a place": "error('broken', 0)",
    "an error that blames who called the hook": "error('broken', 2)",
}


@pytest.mark.row("C10")
@pytest.mark.parametrize("what", LINE_2_OF)
def test_an_error_without_a_place_is_a_problem_of_the_line_that_ran(world, scripts, what):
    scripts.write("door", f"return {{ start = function()\n{LINE_2_OF[what]}\nend }}")

    door = world.spawn("door")

    [problem] = world.problems
    assert (problem.script, problem.line, problem.entity) == ("scripts/door.lua", 2, door.id)
    assert "tidelock" not in problem.message and ": " not in problem.message[:3]


@pytest.mark.row("C10")
@pytest.mark.parametrize("value", ["nil", "{ code = 7 }", "'broken', 0"])
@pytest.mark.parametrize("starts", ["task.every(0.1, function()", "async.start(function()"])
def test_an_error_without_a_place_that_others_hand_on_is_one_of_the_line_that_ran(world, scripts, starts, value):
    scripts.write("door", f"return {{ start = function() {starts}\nerror({value})\nend) end }}")
    world.spawn("door")

    ticks(world, 8)

    assert [(problem.script, problem.line) for problem in world.problems] == [("scripts/door.lua", 2)]


@pytest.mark.parametrize("word", ["task.spawn(", "task.defer(", "task.delay(0, ", "task.every(0.1, ", "async.start("])
@pytest.mark.parametrize("function", ["bus.emit", "error", "string.rep"])
def test_an_error_of_a_function_that_is_none_of_the_scripts_is_one_of_the_line_that_made_its_task(
    world, scripts, word, function
):
    scripts.write("door", f"return {{ start = function()\n{word}{function})\nend }}")
    world.spawn("door")

    ticks(world, 3, 0.1)

    assert [(problem.script, problem.line) for problem in world.problems] == [("scripts/door.lua", 2)]


@pytest.mark.parametrize(
    "call",
    [
        "math.random(0)",
        "math.random('x')",
        "load()",
        "load('return 1', {})",
        "rawset(1, 2, 3)",
        "coroutine.status(1)",
        "coroutine.close(1)",
        "os.difftime('x', 1)",
        "xpcall(print)",
    ],
)
def test_a_refused_argument_blames_the_line_that_passed_it_and_not_its_caller(world, scripts, call):
    heard = []
    world.bus.on("said", lambda event: heard.append(event.payload))
    scripts.write(
        "door",
        f"""local function roll()
  local n = {call}
  return n
end
return {{ start = function()
  local _, problem = pcall(function() roll() end)
  bus.emit("said", problem)
end }}""",
    )

    world.spawn("door")

    [problem] = heard
    assert problem.startswith("scripts/door.lua:2: bad argument #")


@pytest.mark.row("C10")
def test_a_task_that_was_started_inside_pcall_says_where(world, scripts):
    scripts.write(
        "door",
        """return { start = function()
  pcall(task.delay, 0.1, function() error("late") end)
end }""",
    )
    world.spawn("door")

    world.tick(0.1)

    [problem] = world.problems
    assert "in a task started at scripts/door.lua:2" in problem.traceback


def test_a_path_that_lua_cuts_short_is_told_whole_and_its_problems_end_with_their_reload(world, scripts):
    far = "mods/the_far_north_and_what_lies_behind_it/creatures/legendary/ice_dragon"
    library = "lib/what_all_that_breathe_fire_or_ice_or_both_of_them_have_in_common"
    text = f"""
    local dragon = {{}}
    local breath = require("{library.replace("/", ".")}")
    function dragon:start()
      print("roar")
      task.spawn(breath.fail)
      error("too cold")
    end
    return dragon
    """
    scripts.write(library, "return { fail = function() error('no breath') end }")
    scripts.write(far, text)

    world.spawn(far)

    assert {(problem.script, problem.line, problem.source.strip()) for problem in world.problems} == {
        (f"scripts/{far}.lua", 6, 'error("too cold")'),
        (f"scripts/{library}.lua", 1, "return { fail = function() error('no breath') end }"),
    }
    assert [line.script for line in world.log] == [f"scripts/{far}.lua"]

    scripts.write(library, "return { fail = function() end }")
    scripts.write(far, text.replace('error("too cold")', ""))
    world.reload(far)
    world.tick(0.1)

    assert not world.problems


@pytest.mark.row("A12")
def test_what_a_handler_says_last_thing_reaches_the_asker_without_a_place_in_the_engine(world, scripts):
    heard = []
    world.bus.on("said", lambda event: heard.append(event.payload))
    scripts.write(
        "door",
        """return { start = function()
  bus.handle("open", function() return wait(-1) end)
  local _, problem = pcall(bus.request, entity.id, "open")
  bus.emit("said", problem)
end }""",
    )
    door = world.spawn("door")

    asked = world.bus.request(door, "open")
    ticks(world, 2)

    said = "wait: seconds must be a number >= 0, got -1"
    assert heard == [f'bus.request: the handler of "open" in entity {door.id} failed: {said}']
    assert (str(asked.exception()), asked.exception().script) == (said, None)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("return wait(-1)", (None, None)),
        ("error('shut', 0)", ("scripts/door.lua", 2)),
        ("error({ code = 1 })", ("scripts/door.lua", 2)),
    ],
)
def test_an_error_of_a_function_that_python_calls_has_a_place_in_the_script_or_none(world, scripts, body, place):
    scripts.write("door", f"return {{ init = function(self) self.open = function()\n{body}\nend end }}")
    door = world.spawn("door")

    with door.self.upgrade() as self_, pytest.raises(ScriptError) as caught:
        self_["open"]()

    assert (caught.value.script, caught.value.line) == place
