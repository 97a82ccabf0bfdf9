"""Nothing leaks: what ends is freed at once, by reference count, whatever was in play."""

import ctypes
import gc
import sys
import weakref
from contextlib import suppress
from pathlib import Path

import pytest

from engine import EngineError, HostModule, LuaState, StateBusy, World, WorldClosed
from helpers import ticks

BUSY = """
    local store = require("store")
    local busy = {}

    function busy:init()
      self.n = 0
      self.deep = { { {} } }
      self.f = function(x) return x end
    end

    function busy:start()
      bus.on("news", function(event) self.n = self.n + 1 end)
      bus.on("news.*", function() wait(100) end)
      bus.handle("ask", function() wait(50) end)
      shared.watch("score", function() end)
      entity.tag("busy")
      task.spawn(function() wait(1e6) end)
      task.every(0.01, function() end)
      task.delay(1e6, function() end)
      task.spawn(function() task.wait_event("never", 1e6) end)
      store.keep(function(x) self.n = x end)
      coroutine.wrap(function() coroutine.yield(self) end)()
      bus.emit("born", { from = entity.id })
      bus.send(entity.id, "news", {})
      wait()
      store.later(1)
    end

    function busy:update() end
    function busy:on_input() end

    return busy
"""

LIGHT = """
    local store = require("store")
    local light = { isolation = "script" }

    function light:start()
      self.n = 1
      self.f = function(x) return x + 1 end
      bus.on("news", self.f)
      store.keep(self.f)
      wait(1e6)
    end

    return light
"""


@pytest.fixture
def kept():
    """What `store.keep` got."""
    return []


@pytest.fixture
def store(kept):
    module = HostModule("store")

    @module.function
    def keep(f):
        kept.append(f)

    @module.blocking
    def later(x: int):
        return x

    return module


@pytest.fixture
def make(make_world, scripts, store):
    """Makes worlds in which everything is in play."""

    def make(**words):
        scripts.write("busy", BUSY)
        world = make_world(**words)
        world.install(store)
        return world

    return make


def runtime_of(entity):
    return weakref.ref(entity.actor._runtime)


def parts_of(world):
    parts = (world, world.loop, world.loop.operations, world.population, world.states)
    parts += (world.fallen, world.bus, world.delivery, world.delivery.requests, world.reloads)
    return [weakref.ref(part) for part in (*parts, world.commons)]


# Entities.


@pytest.mark.row("D2")
@pytest.mark.parametrize("frames", [0, 1, 3])
@pytest.mark.parametrize("isolation", ["entity"])
def test_destroying_an_entity_frees_its_runtime_at_once(make, kept, no_gc, frames):
    world = make()
    first, second = world.spawn("busy"), world.spawn("busy")
    ticks(world, frames)
    handle, request = first.self, world.bus.request(first, "ask")
    actor, runtime = weakref.ref(first.actor), runtime_of(first)

    first.destroy()

    assert actor() is None and runtime() is None
    assert not handle.alive and kept
    assert second.alive and runtime_of(second)() is not None
    ticks(world, 2)
    assert request.done()


@pytest.mark.row("D2", "E7")
@pytest.mark.parametrize("isolation", ["entity"])
def test_a_failed_host_function_holds_nothing_of_the_state_that_called_it(make, scripts, store, no_gc):
    @store.function
    def fail():
        raise ValueError("no room")

    scripts.write("careless", "return { start = function() pcall(require('store').fail) require('store').fail() end }")
    world = make()
    entity = world.spawn("careless")
    actor = weakref.ref(entity.actor)

    entity.destroy()

    assert actor() is None and world.leaks() == []
    assert "raise ValueError" in world.problems[0].traceback


@pytest.mark.row("D2", "E7")
@pytest.mark.parametrize("isolation", ["entity"])
@pytest.mark.parametrize("ended", [SystemExit, KeyboardInterrupt])
def test_a_host_function_that_ends_the_game_holds_nothing_of_the_state_that_called_it(
    make, scripts, store, no_gc, ended
):
    @store.function
    def leave():
        raise ended

    scripts.write("tired", "return { start = function() wait() require('store').leave() end }")
    world = make()
    entity = world.spawn("tired")
    actor = weakref.ref(entity.actor)
    with suppress(ended):
        world.tick(0.1)

    entity.destroy()

    assert actor() is None and world.leaks() == []


@pytest.mark.row("D2")
def test_what_a_listener_raises_holds_no_state_of_the_frame_it_leaves(make, scripts, no_gc):
    scripts.write("hurry", "return { start = function() while true do wait() bus.emit('news') end end }")
    world = make()
    hurry, other = world.spawn("hurry"), world.spawn("hurry")

    def listener(_: object) -> None:
        hurry.destroy()
        other.destroy()
        raise KeyError("news")

    world.bus.on("news", listener)
    states = [weakref.ref(hurry.actor), weakref.ref(other.actor)]
    with suppress(KeyError):
        world.tick(0.1)

    assert [state() for state in states] == [None, None]


@pytest.mark.row("D2")
def test_an_entity_destroyed_while_the_world_ticks_is_freed_when_the_frame_ends(make, no_gc):
    world = make()
    entity = world.spawn("busy")
    runtime = runtime_of(entity)
    world.bus.on("now", lambda event: entity.destroy())

    world.bus.emit("now")
    world.tick(0.01)

    assert not entity.alive
    assert runtime() is None


@pytest.mark.row("D2")
def test_a_reload_frees_the_old_state_at_once(make, scripts, no_gc):
    world = make()
    scripts.write("door", "return { init = function(self) self.open = true end, start = function() wait(1e6) end }")
    door = world.spawn("door")
    world.tick(0.01)
    actor, runtime = weakref.ref(door.actor), runtime_of(door)

    world.reload("door")
    world.tick(0.01)

    assert actor() is None and runtime() is None
    assert world.stats().states == 1


@pytest.mark.row("D2")
def test_a_reload_that_fails_keeps_the_old_state_and_frees_the_new_one(make, scripts, no_gc):
    world = make()
    scripts.write("door", "return {}")
    door = world.spawn("door")
    runtime = runtime_of(door)

    scripts.write("door", "return { start = function() error('no') end }")
    world.reload("door")
    world.tick(0.01)

    assert runtime() is not None
    assert world.stats().states == 1


@pytest.mark.row("D2")
def test_an_entity_whose_script_fails_leaves_nothing_when_destroyed(world, scripts, no_gc):
    scripts.write("bad", "error('at once')")
    scripts.write("worse", "return { init = function() error('later') end }")
    for name in ("bad", "worse", "missing"):
        world.spawn(name).destroy()

    assert world.stats().states == 0
    assert not world.leaks()


@pytest.mark.row("D2")
def test_destroying_entities_gives_their_memory_back(lua, make, kept, no_gc):
    world = make()
    grown = []
    for _ in range(4):
        entities = [world.spawn("busy") for _ in range(60)]
        ticks(world, 2)
        for entity in entities:
            entity.destroy()
        kept.clear()
        ticks(world, 2)
        grown.append(resident())

    assert grown[-1] - grown[1] < 3_000_000


@pytest.mark.row("D3")
def test_entities_with_everything_in_play_come_and_go_in_flat_memory(make, kept, isolation):
    world = make()
    samples = []
    for _ in range(12):
        come_and_go(world, kept, "busy", 30 if isolation == "entity" else 20)
        gc.collect()
        samples.append(resident())

    stats = world.stats()
    assert (stats.states, stats.entities, stats.handles, stats.subscriptions) == (0, 0, 0, 0)
    assert not world.leaks()
    assert samples[-1] - samples[4] < 2_000_000


@pytest.mark.row("D3")
@pytest.mark.parametrize("isolation", ["entity"])
def test_ten_thousand_entities_come_and_go_in_flat_memory(make, kept, scripts):
    scripts.write("light", LIGHT)
    world = make()
    survivor = world.spawn("light")
    samples = []
    for round in range(100):
        come_and_go(world, kept, "light", 100)
        if round % 20 == 19:
            gc.collect()
            survivor.actor.function("memory", "collect")()  # how much garbage waits, is chance
            samples.append((resident(), survivor.actor.memory))

    stats = world.stats()
    assert (stats.states, stats.entities, stats.handles, stats.subscriptions) == (1, 1, 0, 1)
    assert survivor.actor.function("handles", "count")() == 0
    assert not world.leaks()
    assert samples[-1][0] - samples[1][0] < 6_000 * 500, "bytes for each entity"
    assert samples[-1][1] < 2 * samples[1][1]


def come_and_go(world, kept, script, number):
    """Make entities, use everything, and end them in the next frame."""
    entities = [world.spawn(script) for _ in range(number)]
    world.tick(0.01)
    handles = [entity.self for entity in entities]
    for handle in handles:
        with handle.upgrade() as self_:
            self_["n"] = self_["f"](self_["n"])
    for entity in entities:
        entity.destroy()
    world.tick(0.01)
    kept.clear()
    assert not any(handle.alive for handle in handles)


# Worlds.


@pytest.mark.row("D2")
@pytest.mark.parametrize("end", ["close", "drop"])
def test_a_world_is_freed_by_reference_count(lua, scripts, store, kept, no_gc, end):
    scripts.write("busy", BUSY)
    world = World(scripts.path, lua=lua)
    world.install(store)
    entities = [world.spawn("busy") for _ in range(3)]
    listener = world.bus.on("news", print)
    if end == "close":
        keeper = [world, entities]
        world.on_problem(keeper.append)
        world.on_reload(keeper.append)
        world.bus.on("news", keeper.append)
        del keeper
    ticks(world, 2)
    world.bus.emit("none")
    refs = [*parts_of(world), *(runtime_of(entity) for entity in entities), weakref.ref(entities[0].actor)]
    if end == "close":
        world.close()

    del world, entities

    assert [reference() for reference in refs] == [None] * len(refs)
    listener.cancel()


@pytest.mark.row("D2")
def test_entities_and_handles_that_outlive_their_world_keep_nothing(lua, scripts, no_gc):
    scripts.write("door", "return { init = function(self) self.f = function() end end }")
    world = World(scripts.path, lua=lua)
    door = world.spawn("door")
    handle, delivery, actor = door.self, world.delivery, weakref.ref(door.actor)
    with handle.upgrade() as self_:
        function = door.actor.own(self_["f"])
    del self_, world

    assert actor() is None
    assert not door.alive and not handle.alive and not function.alive
    assert delivery.routes.count() == 0
    door.destroy()


def test_closing_a_world_ends_the_requests_that_wait(make):
    world = make()
    entity = world.spawn("busy")
    asked = world.bus.request(entity, "ask")
    world.tick(0.01)
    queued = world.bus.request(entity, "ask")

    world.close()

    assert isinstance(asked.exception(timeout=0), WorldClosed)
    assert isinstance(queued.exception(timeout=0), EngineError)


def test_a_world_cannot_be_ticked_or_closed_from_inside_a_script(world, scripts):
    refused = []
    host = HostModule("host")

    @host.function
    def meddle():
        for use in (world.close, lambda: world.tick(0.1), lambda: world.stats(per_entity=True)):
            with pytest.raises(EngineError) as caught:
                use()
            refused.append(caught.value)

    world.install(host)
    scripts.write("meddler", "local host = require('host') return { init = function() host.meddle() end }")

    world.spawn("meddler")

    assert len(refused) == 3 and isinstance(refused[2], StateBusy)
    assert world.problems == []


def test_an_entity_that_a_host_function_destroys_in_its_own_init_ends_when_it_has_begun(world, scripts):
    host = HostModule("host")

    @host.function
    def end_all():
        for entity in world.entities:
            entity.destroy()
        return all(entity.alive for entity in world.entities)

    world.install(host)
    scripts.write(
        "brief",
        """
        local host = require("host")
        local brief = {}
        function brief:init() print(host.end_all()) end
        function brief:start() print("started") end
        return brief
        """,
    )

    brief = world.spawn("brief")

    assert [line.text for line in world.log] == ["true", "started"]
    assert not brief.alive
    assert world.problems == [] and world.stats().states == 0


# Sharing a state.


@pytest.mark.parametrize("isolation", ["script"])
def test_in_a_shared_state_handles_die_with_their_entity(world, scripts):
    scripts.write("sheep", "return { init = function(self) self.bleat = function() return 1 end end }")
    one, two = world.spawn("sheep"), world.spawn("sheep")
    handle = one.self
    with handle.upgrade() as self_:
        bleat = one.actor.own(self_["bleat"])
    assert one.actor is two.actor and bleat() == 1

    one.destroy()

    assert not handle.alive and not bleat.alive and handle.try_upgrade() is None
    assert two.actor.function("handles", "count")() == 0
    assert two.self.alive
    assert [leak.kind for leak in world.leaks()] == ["handle", "handle"]


# Figures.


@pytest.mark.parametrize("isolation", ["entity"])
def test_stats_show_what_lives(make, kept):
    world = make()
    entities = [world.spawn("busy") for _ in range(3)]
    world.tick(0.001)
    handle = entities[1].self

    stats = world.stats(per_entity=True)

    assert (stats.states, stats.entities, stats.handles) == (3, 3, 1 + len(kept))
    assert world.stats().per_entity == {}
    usage = stats.per_entity[entities[1].id]
    assert usage.handles == 2 and handle.alive
    assert usage.subscriptions == stats.subscriptions // 3 >= 3
    assert usage.tasks >= 5
    assert usage.memory > 50_000


def test_a_wake_time_that_changes_often_costs_no_memory(world, scripts):
    scripts.write("restless", "return { start = function() while true do task.wait_event('go', 1e6) end end }")
    entity = world.spawn("restless")
    for _ in range(1000):
        world.bus.send(entity, "go")
        world.tick(0.01)

    assert len(world.loop.wakes[world.loop.game]._heap) < 200


# Leaks.


def test_a_world_that_dropped_everything_has_no_leaks(make, kept):
    world = make()
    for _ in range(5):
        world.spawn("busy").destroy()
    kept.clear()

    assert not world.leaks()


def test_leaks_names_the_line_that_made_a_handle_of_a_dead_entity(make, kept):
    world = make()
    entities = [world.spawn("busy") for _ in range(3)]
    handles = [entity.self for entity in entities]
    line = leaks_line()
    kept.clear()
    for entity in entities[:2]:
        entity.destroy()

    (leak,) = world.leaks()

    assert (leak.kind, leak.count, leak.entities) == ("handle", 2, (1, 2))
    assert leak.place == f"{__file__}:{line - 1}"
    assert str(leak) == f"2 x handle made at {leak.place}, of dead entities 1, 2"
    handles.clear()
    assert not world.leaks()


def test_leaks_names_the_script_that_made_a_function(world, scripts):
    scripts.write(
        "maker",
        """
        return {
          init = function(self)
            self.make = function()
              return function() end
            end
          end,
        }
        """,
    )
    maker = world.spawn("maker")
    with maker.self.upgrade() as self_:
        made = self_["make"]()
    maker.destroy()

    (leak,) = world.leaks()

    assert leak.place == "scripts/maker.lua:4"
    assert not made.alive


def test_leaks_names_a_with_that_never_ended(world, scripts):
    scripts.write("door", "return {}")
    door = world.spawn("door")
    proxy = door.self.upgrade()
    line = leaks_line()
    door.destroy()

    found = {leak.kind: leak.place for leak in world.leaks()}

    assert found == {"proxy": f"{__file__}:{line - 1}", "state": "scripts/door.lua"}
    proxy.close()
    del proxy
    assert not world.leaks()


def test_leaks_groups_states_by_their_script(world, scripts):
    scripts.write("door", "return { isolation = 'entity' }")
    scripts.write("wall", "return { isolation = 'entity' }")
    entities = [world.spawn(name) for name in ("wall", "door", "door")]
    held = [entity.actor for entity in entities]
    for entity in entities:
        entity.destroy()

    found = [(leak.kind, leak.place, leak.entities) for leak in world.leaks()]

    assert found == [("state", "scripts/door.lua", (2, 3)), ("state", "scripts/wall.lua", (1,))]
    held.clear()
    assert not world.leaks()


def test_leaks_tells_what_the_world_itself_forgot_to_drop(world):
    world.delivery.subscribe(7, 1, "bell")
    world.shared.subscribe(8, 1, b"hour")
    world.delivery.requests.open(9, b"name", asker=7)

    found = {leak.kind: leak.entities for leak in world.leaks()}

    assert found == {"subscription": (7,), "watch": (8,), "request": (7, 9)}


def test_leaks_of_a_script_without_a_world_are_the_callers_own(lua):
    with LuaState(lua) as state:
        handle = state.own({})

    assert not handle.alive


_PR_SET_THP_DISABLE = 41


def leaks_line():
    """The line of the call."""
    return sys._getframe(1).f_lineno


def resident():
    """Bytes of memory that this process really fills; what the C library keeps for later is given back first.

    Files that are mapped do not count, which a system short of memory takes away and brings back, nor huge pages.
    """
    with suppress(OSError, AttributeError):  # only glibc can be asked to
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        ctypes.CDLL("libc.so.6").prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0)
    try:
        told = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        return sum(int(told[name].split()[0]) * 1024 for name in ("RssAnon", "VmSwap"))
    except (OSError, KeyError):
        pytest.skip("this system does not tell how much memory a process has now")


@pytest.mark.parametrize("workers", [0, 2])
def test_a_state_whose_leading_task_failed_goes_with_its_entity(scripts, lua, workers):
    scripts.write("one", 'return { start = function() wait() wait() wait() wait() error("no") end }')
    gc.disable()
    try:
        with World(scripts.path, lua=lua, workers=workers) as world:
            ones = [world.spawn("one") for _ in range(3)]
            ticks(world, 6)
            states = [one.actor.weak for one in ones]
            for one in ones:
                one.destroy()
            world.tick(0.1)

            assert [state() for state in states] == [None, None, None]
    finally:
        gc.enable()
