"""Scripts that cannot be used, and hooks that fail: each is one clear problem, and the game goes on."""

import pytest

from engine import EngineError, Limits, ScriptError
from helpers import fields, messages, ticks

BROKEN = {
    "empty": ("", "empty"),
    "not utf-8": (b"return '\xff'", "UTF-8"),
    "no table": ("return 5", "must return its table of hooks, got a number"),
    "nothing returned": ("local broken = {}", 'did you forget "return broken"?'),
    "syntax": ("local x = = 1\nreturn {}", "unexpected symbol"),
    "error while loading": ("error('no way') return {}", "no way"),
    "error in init": ("return { init = function() error('no init') end }", "no init"),
    "error in start": ("return { start = function() local x = nil + 1 end }", "arithmetic on a nil value"),
    "misspelt hook": ("return { on_imput = function() end }", 'there is no hook "on_imput"; did you mean "on_input"?'),
    "misspelt update": ("return { udpate = function() end }", 'did you mean "update"?'),
    "a dot in a definition": (
        "local d = {} function d.start() self.x = 1 end return d",
        "a function that uses self is written with a colon",
    ),
    "a dot in a call": (
        "local d = {} function d:open(n) self.n = n end function d:start() self.open(3) end return d",
        "called with a dot",
    ),
    "properties": ("return { properties = 3 }", "properties must be a table such as { speed = 60 }, got a number"),
    "error object": ("return { start = function() error({ code = 7 }) end }", "{code = 7}"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_script_is_one_clear_problem_and_the_game_goes_on(world, scripts, kind):
    text, expected = BROKEN[kind]
    (scripts.path / "broken.lua").write_bytes(text if isinstance(text, bytes) else text.encode())
    scripts.write("good", "return { update = function(self) self.n = (self.n or 0) + 1 end }")

    world.spawn("broken")
    good = world.spawn("good")
    ticks(world, 3)

    (problem,) = world.problems
    assert expected in problem.message
    assert problem.script == "scripts/broken.lua"
    assert problem.count == 1
    assert fields(good) == {"n": 3}


def test_an_unknown_script_suggests_the_nearest(world, scripts):
    scripts.write("door", "return {}")

    world.spawn("dor")

    assert messages(world) == ['no script "dor" in scripts/; did you mean "door"?']


def test_an_unknown_script_is_an_error_at_the_line_that_spawns_it(world, scripts):
    scripts.write("door", "return {}")
    scripts.write("level", "local level = {}\nfunction level:start()\n  entity.spawn('dor')\nend\nreturn level")

    world.spawn("level")

    (problem,) = world.problems
    assert (problem.script, problem.line) == ("scripts/level.lua", 3)
    assert problem.message == 'no script "dor" in scripts/; did you mean "door"?'


@pytest.mark.parametrize("hook", ["update", "fixed_update", "late_update"])
def test_a_failing_hook_is_one_problem_with_count_script_line_and_traceback(world, scripts, hook):
    scripts.write("bad", f"local bad = {{}}\nfunction bad:{hook}()\n  local n = self.missing.field\nend\nreturn bad")
    bad = world.spawn("bad")

    ticks(world, 5)

    (problem,) = world.problems
    assert (problem.script, problem.line, problem.entity) == ("scripts/bad.lua", 3, bad.id)
    assert (problem.count, problem.first_frame, problem.last_frame) == (5, 1, 5)
    assert "attempt to index a nil value" in problem.message or "attempt to index field" in problem.message
    assert hook in problem.traceback


def test_a_callback_that_fails_too_often_in_a_row_is_paused(world, scripts):
    scripts.write("bad", "return { update = function(self) self.n = (self.n or 0) + 1 error('again') end }")
    bad = world.spawn("bad")

    ticks(world, 30)

    assert fields(bad)["n"] == 10
    assert messages(world)[1] == '"update" failed 10 times in a row and is paused until its script reloads'


@pytest.mark.parametrize(
    ("fails", "mail", "called"),
    [("n > 1", [0, 4, 5], [1, 2, 3, 4]), ("n == 2 or n == 3 or n == 5", [0, 3], [1, 2, 3, 4, 5, 6, 7, 8])],
    ids=["paused", "not in a row"],
)
def test_an_update_that_failed_beside_no_event_is_counted_beside_one(make_world, scripts, fails, mail, called):
    """Frames with mail call it another way, which must know what happened in the others."""
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, errors=3))
    scripts.write(
        "door",
        f"""
        local door = {{}}
        function door:start()
          self.called, self.n = {{}}, 0
          bus.on("knock", function() end)
        end
        function door:update()
          local n = self.n + 1
          self.n, self.called[n] = n, n
          if {fails} then error("stuck") end
        end
        return door
        """,
    )
    entity = world.spawn("door")

    for frame in range(8):
        if frame in mail:
            world.bus.send(entity, "knock")
        world.tick(0.1)

    assert fields(entity)["called"] == called


def test_a_listener_to_problems_that_fails_stops_no_frame(world, scripts):
    scripts.write("wrong", "return { update = function(self) self.n = (self.n or 0) + 1 assert(self.n ~= 2) end }")
    scripts.write("right", "return { update = function(self) self.n = (self.n or 0) + 1 end }")
    wrong, right = world.spawn("wrong"), world.spawn("right")

    def fails(problem):
        raise ValueError(f"heard of {problem}")

    world.on_problem(fails)
    world.tick(0.1)

    with pytest.raises(ValueError, match=r"heard of scripts/wrong\.lua:1: assertion failed"):
        world.tick(0.1)
    world.tick(0.1)

    assert (fields(wrong), fields(right)) == ({"n": 3}, {"n": 3})


def test_on_problem_hears_of_new_problems_only(world, scripts):
    scripts.write("bad", "return { update = function() error('again') end }")
    new = []
    world.on_problem(new.append)
    world.spawn("bad")

    ticks(world, 3)

    assert [problem.message for problem in new] == ["again"]
    assert new == world.problems


def test_strict_raises_the_first_problem_with_its_place(make_world, scripts):
    scripts.write("bad", "local bad = {}\nfunction bad:update()\n  error('stop')\nend\nreturn bad")
    world = make_world(strict=True)
    world.spawn("bad")

    with pytest.raises(ScriptError, match=r"scripts/bad\.lua:3: stop") as caught:
        world.tick(1 / 60)

    assert (caught.value.script, caught.value.line) == ("scripts/bad.lua", 3)
    assert "stack traceback" in caught.value.traceback


def test_an_unpayable_property_is_refused_with_its_path(world, scripts):
    scripts.write("door", "return {}")

    with pytest.raises(EngineError, match=r"properties\.owner"):
        world.spawn("door", owner=object())
