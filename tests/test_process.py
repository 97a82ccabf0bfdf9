"""States in child processes: the same game, and an end of one that the game survives."""

import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine import EngineError, HostModule, LimitError, Limits, StateBusy, StateClosed, World
from engine.process import launch
from helpers import messages, run_child, ticks, until

pytestmark = pytest.mark.usefixtures("unhurried")
POSIX = pytest.mark.skipif(os.name != "posix", reason="signals are a matter of POSIX")
PROC = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc")

TALKER = """
local talker = { properties = { step = 1 } }
function talker:init() self.heard, self.x, self.y = 0, 0, 0 end
function talker:start()
  bus.on("ping", function(event)
    self.heard = self.heard + event.payload.by
    shared.set("last", { id = entity.id, heard = self.heard })
  end)
  bus.handle("heard", function() return { self.heard, tostring(math.random(1000)) } end)
  while true do
    wait(0.1)
    self.x = self.x + self.step
    bus.emit("ping", { by = self.step })
    local others = entity.find("mods/b/talker")
    if #others > 0 then
      local answer = bus.request(others[1], "heard")
      self.y = answer[1] + (shared.get("last") or { id = 0 }).id
    end
    if self.x == 3 then entity.spawn("mods/b/talker", { step = 2 }) end
    if self.x == 6 then entity.destroy() end
  end
end
function talker:update(dt) self.dt = dt end
function talker:final(reason) bus.emit("gone", { id = entity.id, reason = reason }) end
return talker
"""

WITNESS = """
local witness = {}
function witness:init() self.frames, self.events = 0, 0 end
function witness:start() bus.on("tick", function() self.events = self.events + 1 end) end
function witness:update() self.frames = self.frames + 1 end
return witness
"""

COUNTER = """
local counter = { properties = { n = 0 } }
function counter:start() bus.on("add", function() self.n = self.n + 1 end) end
return counter
"""


# What a child is asked for that only a trace asks for reads address 0, in the middle of its work.
CRASHING = """
import ctypes
import engine.process.child
engine.process.child._WORDS[b"trace"] = lambda host, number: ctypes.string_at(0)
"""


def talk(world, frames=40):
    """A game of talkers; the digest after every frame."""
    for name in ("talker", "mods/a/talker", "mods/b/talker", "mods/b/talker"):
        world.spawn(name)
    digests = []
    for _ in range(frames):
        world.tick(1 / 30)
        digests.append(world.stats().digest)
    assert world.problems == []
    return digests


@pytest.fixture
def talkers(scripts):
    for name in ("talker", "mods/a/talker", "mods/b/talker"):
        scripts.write(name, TALKER)


@pytest.fixture
def isolation():
    """The tests say themselves what lives where."""
    return "entity"


@pytest.fixture
def one_world(scripts):
    """Makes worlds of one version of Lua, where the version does not matter."""
    with ExitStack() as stack:
        yield lambda lua="lua55", **kwargs: stack.enter_context(World(scripts.path, lua=lua, **kwargs))


@pytest.fixture
def every_guarded(make_world, scripts):
    return guard(make_world(), scripts)


@pytest.fixture
def guarded(one_world, scripts):
    return guard(one_world(), scripts)


def guard(world, scripts):
    """A world whose mods live in child processes, with a witness that does not."""
    scripts.write("witness", WITNESS)
    world.isolate("mods/*", "process")
    witness = world.spawn("witness")

    def seen():
        with witness.self.upgrade() as self_:
            return self_["frames"], self_["events"]

    world.seen = seen
    return world


def kill(world, name="mods/counter"):
    """SIGKILL for a child, as the system does it."""
    pid = world.children.pids[name]
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # until it is over, and still to be noticed


def hurry(world, script, unhurried):
    """From here on the process of `script` is held to its time."""
    unhurried.undo()
    world.children.process(script, world.lua, world.limits_of(script))


def field(entity, name):
    with entity.self.upgrade() as self_:
        return self_.get(name)


# The same game.


@pytest.mark.row("G4")
@pytest.mark.parametrize("workers", [0, 3])
def test_a_game_is_the_same_in_processes(make_world, talkers, workers):
    plain = talk(make_world(seed=5))

    assert talk(make_world(seed=5, isolation="process", workers=workers)) == plain
    mixed = make_world(seed=5, workers=workers)
    mixed.isolate("mods/b/*", "process")
    assert talk(mixed) == plain


def test_a_game_of_shared_states_is_the_same_in_processes(make_world, scripts):
    for name in ("talker", "mods/a/talker", "mods/b/talker"):
        scripts.write(name, TALKER.replace("return talker\n", "talker.isolation = 'script'\nreturn talker\n"))

    assert talk(make_world(isolation="process")) == talk(make_world())


def test_who_shares_a_process_is_what_the_star_stands_for(one_world, scripts):
    for name in ("door", "mods/key", "mods/a/one", "mods/a/two", "mods/b/one"):
        scripts.write(name, COUNTER)
    world = one_world(lua="lua55")
    world.isolate("mods/*", "process")
    for name in ("door", "mods/key", "mods/a/one", "mods/a/two", "mods/b/one"):
        world.spawn(name)

    assert sorted(world.children.pids) == ["mods/a", "mods/b", "mods/key"]
    world.isolate("mods/b/one", "entity")
    assert world.children.isolation("mods/b/one") == "entity"


def test_a_script_does_not_choose_a_process(guarded, scripts):
    scripts.write("door", "return { isolation = 'process' }")

    guarded.spawn("door")

    assert messages(guarded) == [
        'isolation must be "entity" or "script", got \'process\'; '
        'a process is for the game to choose: world.isolate("door", "process")'
    ]


def test_who_asks_a_process_that_another_thread_closes_meanwhile_is_told_so(guarded, scripts, monkeypatch):
    scripts.write("mods/counter", "return {}")
    counter = guarded.spawn("mods/counter")
    process = guarded.children.process("mods/counter", guarded.lua, Limits())

    def closed_meanwhile():
        process.close()
        raise OSError("bad file descriptor")

    monkeypatch.setattr(process._link, "read", closed_meanwhile)

    with pytest.raises(StateClosed, match='the process of "mods/counter" was closed'):
        counter.self.upgrade()


def test_handles_read_and_write_in_a_process(every_guarded, scripts):
    scripts.write(
        "mods/counter",
        COUNTER.replace("return counter\n", "function counter.double(x) return 2 * x end\nreturn counter\n"),
    )
    counter = every_guarded.spawn("mods/counter", n=4)

    with counter.self.upgrade() as self_:
        self_["list"] = {"a": [1, 2.5, "x"]}
        assert self_.to_dict() == {"n": 4, "list": {"a": [1, 2.5, "x"]}}
        assert self_["double"](21) == 42
        counter.destroy()
        assert self_["n"] == 4, "a proxy keeps its state"

    assert every_guarded.leaks() == []
    with pytest.raises(StateClosed):
        _ = counter.self


def test_a_reload_tries_a_version_before_it_runs(every_guarded, scripts):
    scripts.write("mods/counter", COUNTER)
    counter = every_guarded.spawn("mods/counter", n=4)
    scripts.write("mods/counter", "return { on_reload = function() error('no') end }")
    every_guarded.reload("mods/counter")
    every_guarded.tick(0.1)
    assert messages(every_guarded) == ["no"]
    assert field(counter, "n") == 4

    scripts.write("mods/counter", "return { on_reload = function(self, before) self.n = before.self.n + 1 end }")
    every_guarded.reload("mods/counter")
    every_guarded.tick(0.1)

    assert every_guarded.problems == []
    assert field(counter, "n") == 5
    assert every_guarded.stats(per_entity=True).per_entity[counter.id].memory > 10_000


def test_what_python_writes_is_held_to_the_memory_of_the_state(every_guarded, scripts):
    scripts.write("mods/counter", COUNTER)
    every_guarded.limit("mods/*", Limits(memory=2**21))
    counter = every_guarded.spawn("mods/counter", n=2)

    with pytest.raises(LimitError, match="too much"):
        counter.actor.trusted("stage", 0, b"x" * 2**25)

    assert field(counter, "n") == 2


def test_a_host_function_is_called_in_the_game(guarded, scripts):
    scripts.write("mods/counter", "return { start = function(self) self.n = require('game').add(40, 2) end }")
    game = HostModule("game")

    @game.function
    def add(a: int, b: int) -> int:
        return a + b

    guarded.install(game)

    assert field(guarded.spawn("mods/counter"), "n") == 42


def test_a_process_that_ticks_is_busy(one_world, scripts):
    for name in ("asker", "other"):
        scripts.write(name, "return { update = function(self) self.n = require('game').look() end }")
    world = one_world(lua="lua55", isolation="process")
    game, said = HostModule("game"), []

    @game.function
    def look() -> int:
        try:
            said.append(field(other, "n"))
        except StateBusy as error:
            said.append(str(error))
        return 1

    world.install(game)
    world.spawn("asker")
    other = world.spawn("other")

    world.tick(0.1)

    assert 'the process of "other" ticks' in said[0]
    assert "running" in said[1]


# Its end.


@POSIX
@PROC
@pytest.mark.row("G4")
def test_a_killed_process_is_a_problem_and_its_entities_start_anew(every_guarded, scripts):
    scripts.write("mods/counter", COUNTER)
    counters = [every_guarded.spawn("mods/counter", n=n) for n in (5, 7)]
    every_guarded.bus.emit("add")
    every_guarded.tick(0.1)
    assert [field(one, "n") for one in counters] == [6, 8]

    kill(every_guarded)
    for _ in range(3):
        every_guarded.bus.emit("tick")
        every_guarded.tick(0.1)

    [problem] = every_guarded.problems
    assert problem.message == (
        'the process of "mods/counter" was killed by SIGKILL; its entities: mods/counter 2, mods/counter 3'
    )
    assert (problem.script, problem.outcome) == ("scripts/mods/counter.lua", "each of its entities starts anew")
    assert [field(one, "n") for one in counters] == [5, 7]
    every_guarded.bus.emit("add")
    every_guarded.tick(0.1)
    assert [field(one, "n") for one in counters] == [6, 8]
    assert every_guarded.seen() == (5, 3)
    assert every_guarded.leaks() == []


@POSIX
@pytest.mark.row("G4")
def test_a_process_killed_in_its_tick_is_a_problem_that_names_who_ran(every_guarded, scripts):
    scripts.write("mods/counter", "return { start = function(self) self.n = 1 wait(0.1) require('game').kill() end }")
    game = HostModule("game")

    @game.function
    def kill() -> None:
        os.kill(every_guarded.children.pids["mods/counter"], signal.SIGKILL)

    every_guarded.install(game)
    counter = every_guarded.spawn("mods/counter")

    ticks(every_guarded, 3, 0.06)

    assert messages(every_guarded) == [
        'the process of "mods/counter" was killed by SIGKILL while mods/counter 2 ran; its entities: mods/counter 2'
    ]
    assert field(counter, "n") == 1
    assert every_guarded.seen() == (3, 0)


@POSIX
@pytest.mark.row("G4")
def test_a_crash_of_the_interpreter_is_a_problem_with_its_report(every_guarded, scripts, monkeypatch):
    scripts.write("mods/counter", COUNTER)
    with monkeypatch.context() as patch:
        patch.setattr("engine.process.launch._BOOT", launch._BOOT.replace("main(int", CRASHING + "main(int"))
        counter = every_guarded.spawn("mods/counter")
    with pytest.raises(StateClosed, match=r"crashed \(SIGSEGV\)"):
        counter.actor.note_spans(time.perf_counter)

    ticks(every_guarded, 2)

    [problem] = every_guarded.problems
    assert 'the process of "mods/counter" crashed (SIGSEGV)' in problem.message
    assert "Segmentation fault" in problem.traceback
    assert field(counter, "n") == 0
    assert every_guarded.seen() == (2, 0)


@POSIX
@PROC
def test_a_process_that_ends_too_often_gets_no_other_one_for_a_while(guarded, scripts):
    scripts.write("mods/counter", COUNTER)
    counter = guarded.spawn("mods/counter")
    for _ in range(4):
        assert counter.alive
        kill(guarded)
        guarded.tick(1.0)

    assert not counter.alive
    assert "was killed by SIGKILL, more than 3 times within 60 s" in messages(guarded)[-2]
    guarded.spawn("mods/counter")
    assert "it gets no other one until that time is over" in messages(guarded)[-1]
    ticks(guarded, 61, 1.0)
    assert field(guarded.spawn("mods/counter", n=3), "n") == 3
    assert guarded.leaks() == []


@POSIX
@PROC
def test_a_reload_is_another_chance(guarded, scripts):
    scripts.write("mods/counter", COUNTER)
    counter = guarded.spawn("mods/counter", n=3)
    for _ in range(4):
        kill(guarded)
        guarded.tick(0.1)
    assert not counter.alive

    guarded.reload("mods/counter")
    guarded.tick(0.1)

    assert (counter.alive, field(counter, "n")) == (True, 3)


@POSIX
@PROC
def test_what_is_sent_while_an_entity_waits_for_its_process_arrives(guarded, scripts):
    scripts.write("mods/counter", COUNTER)
    counter = guarded.spawn("mods/counter")
    kill(guarded)

    guarded.bus.send(counter, "add")
    ticks(guarded, 2)

    assert field(counter, "n") == 1


@POSIX
@PROC
def test_requests_to_a_killed_process_fail(guarded, scripts):
    scripts.write("mods/counter", "return { start = function() bus.handle('slow', function() wait(9) end) end }")
    counter = guarded.spawn("mods/counter")
    answer = guarded.bus.request(counter, "slow")
    guarded.tick(0.1)

    kill(guarded)
    guarded.tick(0.1)

    assert "ended before it answered" in str(answer.exception(0))


@pytest.mark.parametrize("body", ["while true do end", "while true do pcall(error) end"])
def test_a_process_that_does_not_answer_is_killed(one_world, scripts, unhurried, body):
    scripts.write("witness", WITNESS)
    scripts.write("mods/loop", f"return {{ start = function() wait(0.1) {body} end }}")
    world = one_world(lua="luajit21")
    world.isolate("mods/*", "process")
    world.limit("mods/*", Limits(seconds=0.1))
    witness = world.spawn("witness")
    world.spawn("mods/loop")
    hurry(world, "mods/loop", unhurried)

    ticks(world, 2, 0.1)

    assert (
        'the process of "mods/loop" did not answer in 1.1 s and was killed while mods/loop 2 ran' in messages(world)[0]
    )
    assert field(witness, "frames") == 2


def test_a_flood_of_questions_does_not_put_off_the_end(one_world, scripts, unhurried):
    scripts.write("loop", "return { start = function() wait(0.1) while true do entity.exists(1) end end }")
    world = one_world(lua="luajit21", isolation="process", limits=Limits(seconds=0.1))
    world.spawn("loop")
    hurry(world, "loop", unhurried)

    ticks(world, 2, 0.1)

    assert "did not answer in 1.1 s" in messages(world)[0]


@pytest.mark.parametrize("body", ["t[#t + 1] = ('x'):rep(100000) .. #t", "pcall(function() t[#t + 1] = { #t } end)"])
def test_luajit_holds_a_memory_limit_in_a_process(one_world, scripts, body):
    scripts.write(
        "bomb", f"return {{ start = function() wait(0.1) local t = {{}} keep = t for i = 1, 3e6 do {body} end end }}"
    )
    world = one_world(lua="luajit21", isolation="process", limits=Limits(memory=2**23))
    bomb = world.spawn("bomb")

    ticks(world, 3, 0.1)

    said = " ".join(messages(world))
    assert "more than 8 MiB, the limit (Limits.memory)" in said
    assert not bomb.alive


def test_luajit_takes_no_count_of_instructions_alone_in_a_process(one_world, scripts):
    scripts.write("mods/door", "return {}")
    counted = Limits(seconds=None)
    with pytest.raises(LimitError, match=r"counts no instructions, .* Limits.seconds ends a loop"):
        one_world(lua="luajit21", isolation="process", limits=counted)
    world = one_world(lua="luajit21")
    world.isolate("mods/*", "process")
    with pytest.raises(LimitError, match="Set seconds, or use lua55"):
        world.limit("mods/*", counted)

    world.limit("mods/*", counted.but(instructions=None))
    world.spawn("mods/door")

    assert world.problems == []


def test_luajit_takes_limits_in_a_process_only(one_world, scripts):
    scripts.write("door", "return {}")
    scripts.write("mods/door", "return {}")
    with pytest.raises(LimitError, match='isolation "process"'):
        one_world(lua="luajit21", limits=Limits())
    world = one_world(lua="luajit21")
    with pytest.raises(LimitError, match="luajit21 cannot hold limits"):
        world.limit("mods/*", Limits())

    world.isolate("mods/*", "process")
    world.limit("mods/*", Limits(memory=2**22))

    assert world.limits_of("mods/door").memory == 2**22
    assert world.limits_of("door").memory is None
    assert one_world(lua="luajit21", isolation="process").limits_of("door") == Limits()


@PROC
def test_a_process_that_is_full_says_so_and_goes_on(guarded, scripts, monkeypatch):
    scripts.write("mods/counter", COUNTER)
    few = "import engine.process.child\nengine.process.child.ROOMS = 1\n"
    monkeypatch.setattr("engine.process.launch._BOOT", launch._BOOT.replace("main(int", few + "main(int"))
    guarded.limit("mods/*", Limits(memory=2**20))
    for _ in range(100):
        guarded.spawn("mods/counter")
        if guarded.problems:
            break

    ticks(guarded, 2)

    assert 'the process of "mods/counter" cannot hold another state' in messages(guarded)[0]
    assert [field(one, "n") for one in guarded.entities[1:4]] == [0, 0, 0]
    assert guarded.seen() == (2, 0)


@POSIX
@PROC
def test_a_process_that_was_left_in_the_middle_of_a_tick_is_not_believed(guarded, scripts, monkeypatch):
    scripts.write("mods/counter", COUNTER)
    counter = guarded.spawn("mods/counter")

    def interrupted(*_):
        raise KeyboardInterrupt

    guarded.bus.emit("add")
    with monkeypatch.context() as patch:
        patch.setattr("engine.process.wire.Link.read", interrupted)
        with pytest.raises(KeyboardInterrupt):
            guarded.tick(0.1)
    ticks(guarded, 2)

    assert "the game left it in the middle of a tick" in messages(guarded)[0]
    assert field(counter, "n") == 0


# The child itself.


@POSIX
def test_a_closed_world_leaves_no_process(one_world, scripts):
    scripts.write("counter", COUNTER)
    world = one_world(lua="lua55", isolation="process")
    world.spawn("counter")
    [pid] = world.children.pids.values()

    world.close()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@POSIX
@PROC
def test_a_process_ends_with_the_game_even_while_it_loops(scripts, lua):
    scripts.write("loop", "return { start = function() wait(0.1) while true do end end }")
    game = f"""
        from engine import Limits, World
        world = World({str(scripts.path)!r}, lua={lua!r}, isolation="process", limits=Limits.off())
        world.spawn("loop")
        print(*world.children.pids.values(), flush=True)
        world.tick(0.2)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", "\n".join(map(str.strip, game.splitlines()))], stdout=-1, text=True
    )
    child = int(parent.stdout.readline())
    try:
        assert running(child)
    finally:
        parent.kill()
        parent.communicate()

    until(lambda: not running(child), "the end of the child")


@PROC
def test_a_process_has_nothing_of_the_game(one_world, scripts, monkeypatch, tmp_path):
    monkeypatch.setenv("TIDELOCK_SECRET", "42")
    scripts.write("counter", COUNTER)
    world = one_world(lua="lua55", isolation="process")
    with open(tmp_path / "saves", "w") as saves:
        os.set_inheritable(saves.fileno(), True)
        world.spawn("counter")

    [pid] = world.children.pids.values()
    proc = Path(f"/proc/{pid}")

    assert b"SECRET" not in (proc / "environ").read_bytes()
    open_files = {os.readlink(file) for file in (proc / "fd").iterdir()}
    assert not any("saves" in name for name in open_files)
    assert len(open_files) == 4, open_files
    limits = {line[:24].strip(): line[26:].split()[0] for line in (proc / "limits").read_text().splitlines()[1:]}
    assert [limits[name] for name in ("Max open files", "Max core file size", "Max file size")] == ["0", "0", "0"]
    assert limits["Max address space"] != "unlimited"


def test_what_is_missing_is_said_when_a_process_is_asked_for(tmp_path):
    run_child(
        """
        import sys
        sys.modules["msgpack"] = None
        from engine import EngineError, World
        world = World(".")
        try:
            world.isolate("mods/*", "process")
        except EngineError as error:
            assert 'pip install "tidelock[process]"' in str(error), error
        else:
            raise SystemExit(1)
        """,
        cwd=tmp_path,
    )


def test_a_frozen_game_cannot_have_processes(scripts, monkeypatch):
    monkeypatch.setattr(sys, "frozen", True, raising=False)

    with pytest.raises(EngineError, match="a frozen game has none"):
        World(scripts.path, isolation="process")


def running(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().split()[2] != "Z"
