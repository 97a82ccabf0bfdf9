"""Scripts that a warm state has read before there is an entity: nobody can tell."""

import pytest

from engine import Limits, World
from helpers import fields

READ = {
    "makes its table": "",
    "computes": 'local list = {} for i = 1, 3 do table.insert(list, ("%d"):format(i)) end m.got = table.concat(list)',
    "sets globals and asks for unknown ones": "counter = (counter or 0) + 1 m.got = counter",
    "looks through its globals": "local n = 0 for _ in pairs(_G) do n = n + 1 end m.got = n",
    "catches an error": 'm.got = select(2, pcall(error, "no", 0))',
    "makes classes": "local class = setmetatable({}, { __call = function() return 4 end }) m.got = class()",
}
NOT_READ = {
    "prints": 'print("loaded")',
    "logs": 'log.info("loaded")',
    "asks who it is": "m.got = entity.id",
    "asks for the time": "m.got = time.now",
    "asks for the time in secret": "local now = time.now time = nil m.got = now",
    "rolls dice": "m.got = math.random(1000)",
    "seeds the dice": "math.randomseed(4)",
    "requires": 'm.got = require("lib")',
    "requires what is not there": 'm.got = pcall(require, "nothing")',
    "requires by another name": 'local get = _G["requ" .. "ire"] m.got = get("lib")',
    "listens": 'bus.on("hello", function() end)',
    "emits": 'bus.emit("hello")',
    "starts a task": "task.spawn(function() wait() m.got = 5 end)",
    "waits": "wait(1)",
    "catches that it cannot wait": "m.got = pcall(wait, 1)",
    "shares": 'm.got = shared.get("word")',
    "spawns": 'entity.spawn("other")',
    "fails": 'error("no")',
    "is no table": "m = 4",
    "has a wrong hook": "m.update = 4",
}
TEXT = """
local m = { properties = { hp = 3, list = { 1, 2 } } }
%s
if type(m) == "table" then
  function m:init()
    self.dice, self.all = math.random(1000), counter
  end
  function m:start()
    self.x, self.y = 1, 2
    wait()
    self.saw = m.got
    self.dice = self.dice + math.random(1000)
  end
  function m:on_evnt() end
end
return m
"""


@pytest.fixture
def play(scripts, lua):
    """What everybody can see of a world in which two entities of such a script are born, from warm states or not."""

    def played(chunk, warm, **options):
        scripts.write("one", TEXT % chunk)
        scripts.write("other", "return {}")
        scripts.write("lib", "return 7")
        with World(scripts.path, lua=lua, seed=3, **options) as world:
            for _ in range(3):
                world.tick(1 / 60)
            if warm:
                world.warm(3, "one")
                assert not world.log and not world.problems
            world.shared.set("word", 5)
            made = [world.spawn("one", hp=4), world.spawn("one")]
            for _ in range(3):
                world.tick(1 / 60)
            return (
                world.stats().digest,
                [line.text for line in world.log],
                [(problem.message, problem.script, problem.line, problem.traceback) for problem in world.problems],
                [fields(one) for one in made],
            )

    return played


@pytest.mark.parametrize("chunk", [*READ.values(), *NOT_READ.values()], ids=[*READ, *NOT_READ])
def test_an_entity_of_a_warm_state_is_as_any_other_whatever_its_script_does_while_it_loads(play, chunk):
    assert play(chunk, warm=True) == play(chunk, warm=False)


@pytest.mark.parametrize("chunk", ["while true do end", 'local s = "x" while true do s = s .. s end'])
def test_a_script_that_a_limit_stops_while_it_loads_is_stopped_at_its_birth(play, lua, chunk):
    if lua == "luajit21":
        pytest.skip("luajit21 has no limits")
    limits = Limits(instructions=20_000, memory=4 * 2**20)

    _, _, problems, _ = play(chunk, warm=True, limits=limits)

    assert problems == play(chunk, warm=False, limits=limits)[2] != []


@pytest.mark.parametrize(
    ("chunk", "read"),
    [(chunk, True) for chunk in READ.values()] + [(chunk, False) for chunk in NOT_READ.values()],
    ids=[*READ, *NOT_READ],
)
def test_a_warm_state_has_read_a_script_that_only_makes_its_table(scripts, lua, chunk, read):
    scripts.write("one", TEXT % chunk)
    with World(scripts.path, lua=lua) as world:
        world.warm(2, "one")

        states = [world.states.warm.take(world.limits, 1)._runtime for _ in range(2)]

    assert [state.read is not None for state in states] == [read, read]


def test_a_state_that_has_read_a_script_serves_for_another_and_for_a_new_text(scripts, lua):
    for name, x in (("ahead", 1), ("other", 2)):
        scripts.write(name, f"word = {x} return {{ init = function(self) self.x, self.y = word, 0 end }}")
    with World(scripts.path, lua=lua, isolation="script") as world:
        world.warm(3, "ahead")
        other, ahead, second = world.spawn("other"), world.spawn("ahead"), world.spawn("ahead")
        scripts.write("ahead", "return { on_reload = function(self) self.x = self.x + (word or 9) end }")
        world.reload("ahead")
        world.tick(1 / 60)

        assert [one.position for one in (other, ahead, second)] == [(2, 0), (10, 0), (10, 0)]
