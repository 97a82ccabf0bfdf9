"""States that are made ahead of time, and what a new state begins with."""

import gc
import threading

import pytest

from engine import EngineError, Limits, World, WorldClosed
from engine.lua import bare, bytecode, chunks, runtime

PARENT = """
local parent = {}

function parent:start()
  self.order = ""
  for key in pairs({ a = 1, b = 2, c = 3, d = 4 }) do
    self.order = self.order .. key
  end
  self.x, self.y = math.random(1000), math.random(1000)
  self.child = entity.spawn("child", { parent = entity.id })
  wait(0.1)
  bus.send(self.child, "hello", { from = entity.id })
end

return parent
"""

CHILD = """
local child = {}

function child:on_event(event)
  self.x, self.y = event.payload.from, math.random(1000)
end

return child
"""


NOTHING = "return { start = function(self) self.x, self.y = 1, 2 while true do wait() end end }"


@pytest.fixture
def fetched(monkeypatch):
    """Names of the prelude's files that states loaded since `clear()`, in order."""
    names = []

    def missing(name, used):
        together = chunks.missing(name, used)
        names.extend(file.decode() for file in together or (name,))
        return together

    monkeypatch.setattr(runtime, "missing", missing)
    return names


@pytest.fixture
def made(monkeypatch):
    """The states that were made, one entry each."""
    runtimes = []

    class Counted(runtime.Runtime):
        def __init__(self, *args, **kwargs):
            runtimes.append(self.__class__)
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(bare, "Runtime", Counted)
    return runtimes


def family(scripts, lua, isolation, warm, **options):
    """The digest and the places of a world in which entities are born from outside and from scripts."""
    scripts.write("parent", PARENT)
    scripts.write("child", CHILD)
    with World(scripts.path, lua=lua, isolation=isolation, seed=5, **options) as world:
        world.warm(warm)
        for _ in range(3):
            world.spawn("parent")
        for _ in range(20):
            world.tick(1 / 60)
        assert not world.problems
        return world.stats().digest, [(one.id, one.position) for one in world.entities]


@pytest.mark.parametrize("warm", [1, 4, 50])
def test_entities_of_warm_states_have_the_ids_seeds_and_order_that_they_have_without(scripts, lua, isolation, warm):
    cold = family(scripts, lua, isolation, 0)

    assert family(scripts, lua, isolation, warm) == cold


def test_workers_tick_warm_states_with_the_same_result(scripts, lua, isolation):
    cold = family(scripts, lua, isolation, 0)

    assert family(scripts, lua, isolation, 4, workers=2) == cold


def test_a_spawn_takes_a_warm_state_and_makes_none(scripts, lua, made):
    scripts.write("child", CHILD)
    with World(scripts.path, lua=lua) as world:
        world.warm(2)
        assert len(made) == 2

        world.spawn("child")
        world.spawn("child")
        assert len(made) == 2

        world.spawn("child")
        assert len(made) == 3


def test_warm_counts_what_is_there_and_lets_go_of_what_is_too_much(scripts, lua, made):
    scripts.write("child", CHILD)
    with World(scripts.path, lua=lua) as world:
        world.warm(2)
        world.warm(3)
        assert len(made) == 3

        world.warm(1)
        world.spawn("child")
        world.spawn("child")
        assert len(made) == 4


def test_entities_that_share_a_state_take_one_for_all(scripts, lua, made):
    scripts.write("child", CHILD)
    with World(scripts.path, lua=lua, isolation="script") as world:
        world.warm(2)

        for _ in range(5):
            world.spawn("child")

        assert len(made) == 2
        assert len(world.states.warm) == 1


def test_a_warm_state_holds_the_limits_of_its_world(scripts):
    scripts.write("endless", "local m = {}\nfunction m:start() while true do end end\nreturn m")
    scripts.write("big", 'local m = {}\nfunction m:start() self.s = ("x"):rep(9e6) end\nreturn m')
    with World(scripts.path, limits=Limits(instructions=50_000, memory=4 * 2**20)) as world:
        world.warm(2)
        world.spawn("endless")
        world.spawn("big")
        said = [problem.message for problem in world.problems]

    assert "Limits.instructions" in said[0]
    assert "Limits.memory" in said[1]


def test_a_script_with_limits_of_its_own_takes_only_states_that_were_made_for_it(scripts, made):
    scripts.write("child", CHILD)
    scripts.write("mods/guest", CHILD)
    with World(scripts.path) as world:
        world.limit("mods/*", Limits(instructions=50_000))
        world.warm(1)
        world.spawn("mods/guest")
        assert len(made) == 2

        world.warm(1, "mods/guest")
        guest = world.spawn("mods/guest")
        assert len(made) == 3
        assert guest.actor.limits.instructions == 50_000
        assert len(world.states.warm) == 1


def test_a_world_that_is_closed_keeps_no_warm_states_and_makes_none(scripts, lua):
    world = World(scripts.path, lua=lua)
    world.warm(3)
    world.close()

    assert len(world.states.warm) == 0
    with pytest.raises(WorldClosed):
        world.warm(1)


def test_warm_states_are_no_leaks_and_a_dropped_entity_frees_its_own(scripts, lua):
    scripts.write("child", CHILD)
    with World(scripts.path, lua=lua) as world:
        world.warm(2)
        child = world.spawn("child")
        actor = child.actor.weak
        child.destroy()

        assert actor() is None
        assert not world.leaks()


def test_scripts_in_processes_of_their_own_are_refused_with_a_way_out(scripts):
    with World(scripts.path) as world:
        world.isolate("mods/*", "process")
        with pytest.raises(EngineError, match="warm: these scripts live in child processes"):
            world.warm(1, "mods/guest")
        world.warm(1)


def test_warm_may_be_called_on_a_thread_beside_the_game(scripts, lua):
    scripts.write("child", CHILD)
    with World(scripts.path, lua=lua) as world:
        beside = threading.Thread(target=world.warm, args=(20,))
        beside.start()
        entities = [world.spawn("child") for _ in range(20)]
        beside.join()
        world.tick(1 / 60)

        assert [one.id for one in entities] == list(range(1, 21))
        assert not world.problems


def test_an_entity_of_a_warm_state_reloads_like_any_other(scripts, lua):
    scripts.write("child", CHILD)
    with World(scripts.path, lua=lua) as world:
        world.warm(1)
        child = world.spawn("child", hp=3)
        scripts.write("child", "local m = {}\nfunction m:start() self.x, self.y = self.hp, 2 end\nreturn m")
        world.reload("child")
        world.tick(1 / 60)

        assert child.position == (3, 2)


# What a state begins with.


def test_who_comes_after_a_reload_into_a_warm_state_that_is_shared_starts_like_any_other(scripts, lua):
    scripts.write("spark", NOTHING)

    with World(scripts.path, lua=lua, isolation="script") as world:
        world.warm(2, "spark")
        world.spawn("spark")
        world.reload("spark")
        world.tick(0.1)
        late = world.spawn("spark")

        assert (late.position, world.problems) == ((1, 2), [])


def test_a_state_loads_no_more_than_its_script_uses(scripts, lua, isolation, fetched):
    scripts.write("plain", NOTHING)
    with World(scripts.path, lua=lua, isolation=isolation) as world:
        world.spawn("plain")
        for _ in range(3):
            world.tick(1 / 60)

        assert not world.problems
    assert {*fetched} <= {"table", "files", "script", "births", *(file.decode() for file in chunks.PUMP)}


@pytest.mark.parametrize(
    ("word", "file"),
    [
        ("tween(self, 0.1, { x = 10 })", "tween"),
        ("bus.emit('told')", "bus"),
        ("bus.handle('asked', print)", "requests"),
        ("bus.emit('told', { to = 1 })", "payload"),
        ("task.spawn(print)", "task"),
        ("local x = math.floor(1.5)", "standard"),
        ("local r = math.random()", "random"),
        ("local s = ('x'):rep(3)", "strings"),
        ("local a, b = ('x=1'):match('(%w+)=(%w+)')", "patterns"),
        ("table.insert({}, 1)", "tables"),
        ("print('hello')", "log"),
        ("local t = os.time()", "time"),
        ("shared.set('k', 1)", "shared"),
        ("sound.play('horn')", "window"),
        ("local id = entity.find('plain')", "entities"),
        ("local c = coroutine.create(print)", "coroutines"),
        ("error('oh no')", "fault"),
    ],
)
def test_a_file_of_the_prelude_is_loaded_with_its_first_use(scripts, lua, fetched, word, file):
    if lua == "luajit21" and file in bytecode.GUARDS:
        pytest.skip("luajit21 has no limits")
    scripts.write("plain", NOTHING)
    scripts.write("user", f"local m = {{}}\nfunction m:update() {word} end\nfunction m:start() end\nreturn m")
    if file == "tween":
        scripts.write("user", f"local m = {{}}\nfunction m:start() wait() {word} end\nreturn m")
    with World(scripts.path, lua=lua) as world:
        world.spawn("plain")
        world.spawn("user")
        assert file not in fetched

        for _ in range(3):
            world.tick(1 / 60)

    assert fetched.count(file) == 1


def test_who_reckons_loads_nothing_for_strings_and_tables(scripts, fetched):
    scripts.write("user", "return { update = function(self) self.x = math.floor(math.pi) end }")
    with World(scripts.path) as world:
        world.spawn("user")
        world.tick(1 / 60)

    assert not {*fetched} & {"strings", "tables", "patterns", "steps", "random"}


def test_a_state_keeps_its_code_when_nobody_else_does(scripts, lua):
    scripts.write("child", CHILD)
    scripts.write("parent", PARENT)
    with World(scripts.path, lua=lua) as world:
        world.spawn("parent")
        bytecode.prelude_code.cache_clear()
        gc.collect()
        world.spawn("parent")
        for _ in range(20):
            world.tick(1 / 60)

        assert not world.problems
        assert [one.position is not None for one in world.entities] == [True] * 4


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_a_birth_in_a_shared_state_takes_as_much_work_whoever_else_lives_there(scripts, lua):
    scripts.write("plain", NOTHING)
    with World(scripts.path, lua=lua, isolation="script", limits=Limits.off()) as world:
        first = world.spawn("plain")
        world.tick(1 / 60)
        vm = first.actor._runtime._vm
        vm.execute(b"steps = 0 package.loaded.debug.sethook(function() steps = steps + 1 end, '', 10)")

        def work():
            vm.execute(b"steps = 0")
            world.spawn("plain")
            return vm.execute(b"return steps")

        among_few = [work() for _ in range(5)]
        among_many = [work() for _ in range(300)][-5:]

    assert min(among_few) > 0
    assert max(among_many) <= max(among_few) * 1.2


def test_a_state_that_has_a_script_compiled_serves_for_any(scripts, lua):
    for name, x in (("ahead", 1), ("other", 2), ("changed", 3)):
        scripts.write(name, f"return {{ init = function(self) self.x, self.y = {x}, 0 end }}")
    with World(scripts.path, lua=lua) as world:
        world.warm(3, "ahead")
        ahead, other = world.spawn("ahead"), world.spawn("other")
        world.warm(1, "changed")
        scripts.write("changed", "return { init = function(self) self.x, self.y = 4, 0 end }")

        assert [one.position for one in (ahead, other, world.spawn("changed"))] == [(1, 0), (2, 0), (4, 0)]


def test_what_is_wrong_with_a_script_is_told_to_its_entity_and_not_to_who_warms(scripts, lua):
    scripts.write("broken", "return {\n  init = function(\n}")
    with World(scripts.path, lua=lua) as world:
        world.warm(1, "broken")
        world.warm(1, "missing")
        assert world.problems == []

        world.spawn("broken")
        assert [(problem.script, problem.line) for problem in world.problems] == [("scripts/broken.lua", 3)]
