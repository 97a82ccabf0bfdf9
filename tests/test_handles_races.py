"""Handles used and dropped where nobody expects it; each in a process that must end normally and say nothing."""

import os

import pytest

from helpers import run_child

SETUP = '''
import gc, os, pathlib, random, sys, threading
from engine import EngineError, World

folder = pathlib.Path("scripts")
folder.mkdir()
(folder / "a.lua").write_text("""
local a = {}
function a:init() self.n = 0; self.t = { 1, { x = 1 } }; self.f = function(x) self.n = self.n + 1; return x end end
function a:start() while true do wait(); bus.emit("frame"); self.n = self.n + 1 end end
return a
""")

def function_of(entity):
    with entity.self.upgrade() as self_:
        return entity.actor.own(self_["f"])
'''


def run_quietly(code, lua, cwd):
    done = run_child(f"LUA = {lua!r}\n{SETUP}\n{code}", cwd=cwd)

    assert done.stderr == ""
    assert done.stdout.split() == ["done"]


@pytest.mark.row("D7")
def test_finalisers_that_use_handles_run_in_the_middle_of_a_tick(lua, tmp_path):
    run_quietly(
        """
called = []

class Last:
    def __init__(self, entity):
        self.handle, self.function, self.me = entity.self, function_of(entity), self
    def __del__(self):
        try:
            called.append(self.function(1))
            with self.handle.upgrade() as table:
                table["seen"] = len(table)
                called.append(table["t"].copy())
        except EngineError:
            called.append(None)  # its entity ended, or its handle is garbage of the same cycle and went first

with World(folder, lua=LUA) as world:
    entities = [world.spawn("a") for _ in range(4)]
    world.bus.on("frame", lambda event: gc.collect())
    for frame in range(24):
        for entity in entities:
            Last(entity)
        if frame % 8 == 4:
            entities[frame % 4].destroy()
            entities[frame % 4] = world.spawn("a")
        world.tick(0.01)
    gc.collect()
    world.tick(0.01)
    assert len(called) > 150, len(called)
    assert not world.problems, world.problems
    assert not world.leaks() and world.stats().handles == 0
print("done")
""",
        lua,
        tmp_path,
    )


@pytest.mark.row("D7")
def test_a_finaliser_in_the_middle_of_a_call_finds_no_way_in_and_changes_no_answer(lua, tmp_path):
    """The gc runs at the first allocation of a call, at the second, and so on: some are lupa's, between two values."""
    run_quietly(
        """
from engine import LuaState, StateBusy

refused = []

class Last:
    def __init__(self, uses):
        self.uses, self.me = uses, self
    def __del__(self):
        for use in self.uses:
            try:
                use()
            except StateBusy as error:
                refused.append(str(error))
            except EngineError:
                pass  # at the exit

def at_every_allocation(call, expected, uses, most=80):
    for count in range(1, most):
        gc.disable()
        gc.collect()
        Last(uses)
        gc.set_threshold(count)
        gc.enable()
        given = call()
        gc.disable()
        assert given == expected, (count, given)

gc.freeze()  # the collections below look at little
state = LuaState(LUA)
state.run('''
  t = {}
  for i = 1, 50 do t["k" .. i] = { i } end
  function many() return 0, %s end
  function make() return function() end, function() end, 7 end
''' % ", ".join(map(str, range(1, 60))))
many, make = state.run("return many, make")
uses = [many, make, lambda: state.own({"a": [1, 2]}), lambda: state.run("return 1, 2, 3")]
at_every_allocation(many, tuple(range(60)), uses)
at_every_allocation(lambda: make()[2], 7, uses)
with state.globals.upgrade() as names:
    table = names["t"]
    at_every_allocation(lambda: len(table.keys()), 50, uses)
    at_every_allocation(table.copy, {f"k{i}": [i] for i in range(1, 51)}, uses)

with World(folder, lua=LUA) as world:
    entities = [world.spawn("a") for _ in range(3)]
    functions = [function_of(entity) for entity in entities]
    made = []

    def come_and_go():
        made.append(world.spawn("a"))
        if len(made) > 2:
            made.pop(0).destroy()

    def frame():
        world.bus.emit("nobody", {"n": 1})
        world.tick(0.01)
        return [entity.alive for entity in entities]

    at_every_allocation(frame, [True] * 3, [*functions, come_and_go, lambda: entities[0].self], most=120)
    world.tick(0.01)
    world.tick(0.01)
    assert len(world.entities) == 3 + len(made), world.entities
    assert not world.problems, world.problems
    assert not world.leaks(), world.leaks()
assert refused and all("a finaliser" in why for why in refused), refused[:3]
print("done")
""",
        lua,
        tmp_path,
    )


@pytest.mark.row("D7")
def test_a_world_is_closed_or_dropped_while_four_threads_use_its_handles(lua, tmp_path):
    run_quietly(
        """
sys.setswitchinterval(1e-5)

def use(entity, function, stop, futures):
    while not stop.is_set():
        try:
            with entity.self.upgrade() as table:
                table["q"] = table["n"] + len(table["t"].copy())
                table["f"](1)
            entity.actor.own({}).release()
            futures.append(function.submit(1))
        except (EngineError, AttributeError):
            pass  # it ended, or its world ticks on the other thread

for round in range(4):
    world = World(folder, lua=LUA)
    entities = [world.spawn("a") for _ in range(4)]
    stop, futures = threading.Event(), []
    threads = [
        threading.Thread(target=use, args=(entity, function_of(entity), stop, futures)) for entity in entities
    ]
    for thread in threads:
        thread.start()
    for _ in range(4):
        world.tick(0.01)
    while not futures:  # where many want the processor, a thread may come late
        world.tick(0.01)
    entities[1].destroy()
    if round % 2:
        world.close()
    del world
    stop.set()
    for thread in threads:
        thread.join()
    assert all(future.done() for future in futures), futures
print("done")
""",
        lua,
        tmp_path,
    )


@pytest.mark.row("D7")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_handles_and_proxies_are_used_and_dropped_after_a_fork(lua, tmp_path):
    run_quietly(
        """
world = World(folder, lua=LUA)
entities = [world.spawn("a") for _ in range(4)]
functions = [function_of(entity) for entity in entities]
proxy = entities[0].self.upgrade()
world.tick(0.01)
child = os.fork()
if child == 0:
    assert proxy["n"] == 1 and functions[0](2) == 2
    functions.pop()
    world.tick(0.01)
    proxy.close()
    functions.clear()
    gc.collect()
    world.close()
    raise SystemExit
_, status = os.waitpid(child, 0)
assert status == 0, status
world.tick(0.01)
assert proxy["n"] == 2
print("done")
""",
        lua,
        tmp_path,
    )


@pytest.mark.row("D7")
def test_the_interpreter_ends_without_the_gc_while_threads_tick_and_use_handles(lua, tmp_path):
    run_quietly(
        """
gc.disable()
world = World(folder, lua=LUA)
entities = [world.spawn("a") for _ in range(4)]
begun = threading.Semaphore(0)

def use(work):
    first = True
    while True:
        try:
            work()
        except EngineError:
            pass
        if first:
            begun.release()
        first = False

def hold():
    function_of(entities[0]).submit(1)
    entities[1].self.upgrade().close()

class Late:
    def __del__(self):
        try:
            self.function(1)
            world.tick(0.01)
        except EngineError:
            pass

late = Late()
late.function, late.me, late.world = function_of(entities[2]), late, world
sys.modules["late"] = Late()
sys.modules["late"].function = function_of(entities[3])
kept = [entities[2].self, entities[3].self.upgrade()]
for work in (hold, hold, lambda: world.tick(0.01)):
    threading.Thread(target=use, args=(work,), daemon=True).start()
for _ in range(3):
    begun.acquire()
print("done", flush=True)
""",
        lua,
        tmp_path,
    )


@pytest.mark.row("D7")
def test_a_world_that_a_host_function_drops_ends_with_the_call(lua, tmp_path):
    run_quietly(
        """
import weakref
from engine import HostModule, ScriptError

last = HostModule("last")
held = []

@last.function
def drop():
    held.clear()
    gc.collect()

(folder / "b.lua").write_text('''
local last = require("last")
return { init = function(self) self.f = function() last.drop(); bus.emit("x"); return entity.spawn("b") end end }
''')
world = World(folder, lua=LUA)
world.install(last)
function = function_of(world.spawn("b"))
gone = weakref.ref(world)
held.append(world)
del world
try:
    function()
    raise SystemExit("a world that is gone made an entity")
except ScriptError as error:
    assert "the world is closed" in str(error), error
assert gone() is None and not function.alive
print("done")
""",
        lua,
        tmp_path,
    )
