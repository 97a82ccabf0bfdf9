"""What could kill the process, each in a process of its own that must end normally and say nothing on stderr."""

import pytest

from helpers import run_child


def run_quietly(code, lua, **words):
    done = run_child(f"LUA = {lua!r}\n" + code.lstrip("\n"), **words)

    assert done.stderr == ""
    assert done.stdout.split() == ["done"]


@pytest.mark.row("D8")
def test_a_function_is_called_back_after_the_coroutine_that_made_it_died(lua):
    run_quietly(
        """
import gc
from engine import LuaState, ScriptError

state = LuaState(LUA)
state.run('''
  kept = {}
  function make(n)
    local co = coroutine.wrap(function()
      local t = { n = n }
      local inner = coroutine.create(function() coroutine.yield(function(x) t.n = t.n + x; return t.n end) end)
      local _, f = coroutine.resume(inner)
      coroutine.yield(f)
    end)
    return co()
  end
  function take(f, x) kept[#kept + 1] = f; return f(x) end
  function churn() for i = 1, 200 do coroutine.wrap(function() local t = { {}, {} } end)() end end
''')
functions = []
for n in range(300):
    functions.append(state.call("make", n))
    state.call("churn")
    gc.collect() if n % 50 == 0 else None
for n, function in enumerate(functions):
    assert function(1) == n + 1
    assert state.call("take", function, 1) == n + 2
    state.call("churn")
functions.reverse()
del function
while functions:
    functions.pop()
    state.call("churn")
assert state.function("handles", "count")() == 1  # the globals, which the state keeps for `call`
assert state.run("return kept[300](10)") == 311
print("done")
""",
        lua,
    )


@pytest.mark.row("D8")
def test_a_function_given_to_a_host_function_is_called_after_its_task_died(lua, tmp_path):
    run_quietly(
        """
import gc, pathlib, sys
from engine import HostModule, World

folder = pathlib.Path("scripts")
folder.mkdir()
(folder / "giver.lua").write_text('''
local store = require("store")
local giver = {}
function giver:start()
  for i = 1, 50 do
    task.spawn(function()
      local secret = { i = i }
      coroutine.wrap(function() store.keep(function(x) self.sum = (self.sum or 0) + secret.i * x end) end)()
      wait(0.01)
    end)
  end
end
return giver
''')
store = HostModule("store")
kept = []

@store.function
def keep(f):
    kept.append(f)

with World(folder, lua=LUA) as world:
    world.install(store)
    giver = world.spawn("giver")
    for _ in range(20):
        world.tick(0.01)
        gc.collect()
    for f in kept:
        f(2)
    world.tick(0.01)
    with giver.self.upgrade() as self_:
        assert self_["sum"] == 2 * sum(range(1, 51)), self_["sum"]
    del self_, f
    giver.destroy()
    for f in kept:
        f(1)
    del f
    world.tick(0.01)
    kept.clear()
    assert not world.problems, world.problems
    assert not world.leaks(), world.leaks()
print("done")
""",
        lua,
        cwd=tmp_path,
    )


@pytest.mark.row("D7")
def test_handles_are_made_and_dropped_on_four_threads_while_the_world_ticks(lua, tmp_path):
    run_quietly(
        """
import pathlib, random, sys, threading
from engine import EngineError, World

sys.setswitchinterval(1e-5)  # lupa gives up the GIL in every call: the ticking thread must get it back soon

folder = pathlib.Path("scripts")
folder.mkdir()
(folder / "a.lua").write_text('''
local a = {}
function a:init() self.t = { 1, 2 }; self.n = 0; self.f = function(x) return x end end
function a:start() while true do wait(); self.n = self.n + 1; self.t = { self.n } end end
return a
''')
world = World(folder, lua=LUA)
entities = [world.spawn("a") for _ in range(8)]
stop = threading.Event()
made = [0] * 4

def work(number):
    chance = random.Random(number)
    mine, future = [], None
    while not stop.is_set():
        entity = chance.choice(entities)
        try:
            handle = entity.self
            mine.append(handle)
            with handle.upgrade() as self_:
                mine.append(entity.actor.own(self_["t"]))
                mine.append(entity.actor.own(self_["f"]))
                self_["seen"] = number
            if future is None or future.done():
                future = mine[-1].submit(number)
            mine[-1](number)
        except (EngineError, AttributeError):
            pass  # the entity ended meanwhile, or its world ticks on the other thread
        made[number] += 1
        if len(mine) > 50:
            chance.shuffle(mine)
            del mine[:30]

threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
frame = 0
while frame < 100 or min(made) <= 10:  # where many want the processor, a thread may come late
    world.tick(0.01)
    if frame % 10 == 0:
        entities[frame // 10 % 8].destroy()
        entities[frame // 10 % 8] = world.spawn("a")
    frame += 1
stop.set()
for thread in threads:
    thread.join()
assert not [p for p in world.problems], world.problems
world.tick(0.01)
assert world.stats().handles == 0 and not world.leaks(), world.leaks()
assert all(e.actor.function("handles", "count")() == 0 for e in entities)
world.close()
print("done")
""",
        lua,
        cwd=tmp_path,
    )


@pytest.mark.row("D7")
@pytest.mark.parametrize("how", ["closed", "dropped", "left to the exit", "while ticking", "by the gc"])
def test_handles_may_outlive_everything_and_die_at_interpreter_exit(lua, tmp_path, how):
    run_quietly(
        f"HOW = {how!r}"
        """
import gc, pathlib, threading
from engine import LuaState, World

folder = pathlib.Path("scripts")
folder.mkdir()
(folder / "a.lua").write_text('''
return { init = function(self) self.f = function() end; self.t = {} end, start = function() wait(5) end,
  update = function() bus.emit("frame") end }
''')
world = World(folder, lua=LUA)
entity = world.spawn("a")
proxy = entity.self.upgrade()
handles = [entity.self, entity.actor.own(proxy["f"]), entity.actor.own(proxy["t"])]
alone = LuaState(LUA)
handles += [alone.own({}), alone.globals, alone.run("return function() end")]
future = handles[1].submit()
pending = world.bus.request(entity, "nothing")
in_a_cycle = [entity.self, world]
in_a_cycle.append(in_a_cycle)

class Late:
    def __init__(self, handle):
        self.handle = handle
    def __del__(self):
        self.handle.alive, self.handle.release(), repr(self.handle)

late = Late(entity.self)
print("done", flush=True)
if HOW == "closed":
    world.close()
    alone.close()
elif HOW == "dropped":
    in_a_cycle.clear()
    del world, entity, alone
elif HOW == "while ticking":
    def leave(event):
        handles.clear()
        raise SystemExit
    world.bus.on("frame", leave)
    world.tick(0.1)
elif HOW == "by the gc":
    del world, entity, alone, in_a_cycle
    gc.collect()
    thread = threading.Thread(target=handles.clear)
    thread.start()
    thread.join()
""",
        lua,
        cwd=tmp_path,
    )


@pytest.mark.row("D7")
def test_handles_are_dropped_inside_a_host_function_and_after_the_state_died(lua, tmp_path):
    run_quietly(
        """
import gc, pathlib
from engine import HostModule, StateBusy, World

folder = pathlib.Path("scripts")
folder.mkdir()
(folder / "a.lua").write_text('''
local host = require("host")
return {
  init = function(self) self.t = {}; self.f = function() end end,
  update = function(self) host.drop(); host.give(self.f, function() end) end,
}
''')
host = HostModule("host")
held = []
busy = []

@host.function
def drop():
    try:
        held[0].upgrade()
    except (StateBusy, IndexError) as error:
        busy.append(type(error))
    held.clear()
    gc.collect()

@host.function
def give(f, g):
    held.append(f)

with World(folder, lua=LUA) as world:
    world.install(host)
    entity = world.spawn("a")
    for _ in range(60):
        for _ in range(5):
            held.insert(0, entity.self)
        world.tick(0.01)
    assert busy == [StateBusy] * 60, busy[:3]
    assert not world.problems, world.problems
    held.clear()
    world.tick(0.01)
    held.clear()
    world.tick(0.01)
    assert entity.actor.function("handles", "count")() <= 2
    late = [entity.self for _ in range(10)]
    entity.destroy()
    late.clear()
    held.clear()
    assert not world.leaks(), world.leaks()
print("done")
""",
        lua,
        cwd=tmp_path,
    )


@pytest.mark.row("D9")
def test_hostile_tables_and_a_hostile_environment_end_in_errors(lua):
    run_quietly(
        """
from engine import EngineError, LuaState

state = LuaState(LUA)
state.run('''
  local function no() error(setmetatable({}, { __tostring = function() error("never") end })) end
  local all = { __index = no, __newindex = no, __len = no, __pairs = no, __call = no, __eq = no, __tostring = no,
    __mode = "kv", __metatable = no, __name = {} }
  evil = setmetatable({ 1, x = 1 }, all)
  setmetatable(_G, nil)
''') if False else state.run('''
  local function no() error(setmetatable({}, { __tostring = function() error("never") end })) end
  local all = { __index = no, __newindex = no, __len = no, __pairs = no, __call = no, __eq = no, __tostring = no,
    __mode = "kv", __metatable = no, __name = {} }
  evil = setmetatable({ 1, x = 1 }, all)
  fail = no
  nested = function() return pcall(no) end
  error = nil; pcall = nil; type = nil; next = nil; rawget = nil; tostring = no
''')
for _ in range(200):
    with state.globals.upgrade() as names:
        evil = names["evil"]
        for key in (1, "x", "y", float("inf"), float("nan"), -0.0, 2**53, b"\\x00" * 1000, 2**80, None):
            for use in (lambda: evil[key], lambda: evil.__setitem__(key, 1), lambda: key in evil,
                        lambda: evil.__delitem__(key), lambda: evil.get(key)):
                try:
                    use()
                except (EngineError, KeyError):
                    pass
        list(evil), len(evil), evil == evil, evil.keys(), evil.items(), repr(evil)
        for use in (evil.to_dict, names["fail"], names["nested"], names.to_dict):
            try:
                use()
            except EngineError:
                pass
        for key in evil:
            evil[key] = None
            evil["k" + str(key)] = evil
assert state.run("return 1 + 1") == 2
deep = value = {}
for _ in range(100_000):
    value["x"] = {}
    value = value["x"]
for use in (lambda: state.own(deep), lambda: state.call("fail", deep)):
    try:
        use()
        raise SystemExit("a table 100,000 levels deep went in")
    except EngineError:
        pass
while deep:
    deep = deep.pop("x")
print("done")
""",
        lua,
    )


@pytest.mark.row("D9")
@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_writing_into_a_full_state_is_an_error_and_it_can_still_be_read_and_emptied(lua):
    """LuaJIT has no limit on memory."""
    run_quietly(
        """
from engine import LimitError, Limits, LuaState

def new():
    return LuaState(LUA, limits=Limits(memory=1_200_000))

def refused(use, at_most=1):
    for i in range(at_most):
        try:
            use(i)
        except LimitError as error:
            assert "(Limits.memory)" in str(error), error
            return i
    raise SystemExit("the limit never came")

state = new()
with state.own({"name": "full"}).upgrade() as table:
    fields = refused(lambda i: table.__setitem__(f"key{i}", f"{i}" + "x" * 60_000), 1_000)
    for use in (lambda: state.own([1]), lambda: state.run("return 1"), lambda: table.__setitem__("more", True)):
        refused(lambda i: use())
    assert len(table) == len(table.keys()) == fields + 1
    assert table["name"] == "full" and table["key0"].endswith("xx")
    for i in range(fields):
        del table[f"key{i}"]
    table["name"] = "x" * 60_000
assert state.run("return 1") == 1

state, owned = new(), []
refused(lambda i: owned.append(state.own({"x": f"{i}" + "x" * 60_000})), 1_000)
owned.clear()
assert state.own([1]).alive

state = new()
with state.own({"inner": {}}).upgrade() as table:
    refused(lambda i: table.__setitem__(i, i), 3_000_000)
    proxies = []
    refused(lambda i: proxies.append(table["inner"]), 3_000_000)
print("done")
""",
        lua,
    )
