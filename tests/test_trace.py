"""A trace shows frames, tasks, events, host calls and reloads, and arrows from each cause to what it caused."""

import json
from pathlib import Path

import pytest

from engine import EngineError, HostModule
from helpers import ticks


@pytest.fixture
def path(tmp_path):
    return tmp_path / "trace.json"


def read(path):
    """The events of a closed trace."""
    return [event for event in json.loads(path.read_text(encoding="utf-8"))["traceEvents"] if event]


def spans(events, name):
    return [event for event in events if event["ph"] == "X" and event["name"] == name]


def arrows(events):
    """(row where it begins, row where it ends) of each arrow that ends somewhere."""
    begins = {event["id"]: event["tid"] for event in events if event["ph"] == "s"}
    return [(begins[event["id"]], event["tid"]) for event in events if event["ph"] == "f"]


PING = """
local ping = {}
function ping:start()
  bus.on("go", function(event) bus.emit("ping", { 1 }) end)
end
return ping
"""

PONG = """
local pong = {}
function pong:start()
  bus.on("ping", function(event)
    wait()
    shared.set("score", 1)
  end)
end
return pong
"""


def test_arrows_lead_from_an_emit_to_the_handlers_that_it_caused(world, scripts, path):
    scripts.write("ping", PING)
    scripts.write("pong", PONG)
    ping = world.spawn("ping")
    pongs = [world.spawn("pong") for _ in range(2)]
    world.bus.on("ping", lambda event: None)

    with world.trace(path):
        world.bus.emit("go")
        ticks(world, 3)

    events = read(path)
    assert sorted(arrows(events)) == sorted([(0, ping.id), *((ping.id, row) for row in (0, *(p.id for p in pongs)))])
    for event in events:
        if event["ph"] == "f":
            (handler,) = [
                span
                for span in events
                if span["ph"] == "X" and span["tid"] == event["tid"] and span["ts"] == event["ts"]
            ]
            assert handler["name"] in ("go", "ping", "listener ping")


def test_an_arrow_begins_within_the_task_that_emitted(world, scripts, path):
    scripts.write("ping", PING)
    scripts.write("pong", PONG)
    ping = world.spawn("ping")
    world.spawn("pong")

    with world.trace(path):
        world.bus.emit("go")
        world.tick(0.1)

    events = read(path)
    (handler,) = spans(events, "go")
    (begin,) = [event for event in events if event["ph"] == "s" and event["tid"] == ping.id]
    assert handler["ts"] <= begin["ts"] <= handler["ts"] + handler["dur"]


def test_spans_say_frame_entity_and_how_a_task_left(world, scripts, path):
    scripts.write("pong", PONG)
    pong = world.spawn("pong")

    with world.trace(path):
        world.bus.emit("ping")
        ticks(world, 2)

    handler, rest = spans(read(path), "ping")
    assert handler["args"] == {"entity": pong.id, "frame": 1, "outcome": "waits"}
    assert rest["args"] == {"entity": pong.id, "frame": 2, "outcome": "done"}
    assert [span["args"]["frame"] for span in spans(read(path), "tick")] == [1, 2]
    assert [event["name"] for event in read(path) if event["name"].startswith("frame")] == ["frame 1", "frame 2"]


def test_requests_replies_and_shared_values_have_arrows_too(world, scripts, path):
    scripts.write(
        "keeper",
        """
        local keeper = {}
        function keeper:start()
          bus.handle("ask", function() shared.set("asked", true) return 1 end)
          shared.watch("asked", function() end)
        end
        return keeper
        """,
    )
    scripts.write("asker", 'return { start = function(self) wait() bus.request(self.of, "ask") end }')
    keeper = world.spawn("keeper")
    asker = world.spawn("asker", of=keeper.id)

    with world.trace(path):
        ticks(world, 3)

    assert arrows(read(path)) == [(asker.id, keeper.id), (keeper.id, asker.id), (keeper.id, keeper.id)]


def test_rows_have_the_names_of_their_scripts_also_of_those_born_later(world, scripts, path):
    scripts.write("ping", PING)
    scripts.write("mother", 'return { start = function() wait() entity.spawn("ping") end }')
    world.spawn("mother")

    with world.trace(path):
        ticks(world, 2)
        world.bus.emit("go")
        world.tick(0.1)

    names = {event["tid"]: event["args"]["name"] for event in read(path) if event["name"] == "thread_name"}
    assert names == {0: "engine", 1: "mother 1", 2: "ping 2"}


def test_reloads_and_host_calls_are_in_it(world, scripts, path):
    module = HostModule("host")

    @module.function
    def add(a, b):
        return a + b

    @module.coroutine
    async def later(a):
        return a

    world.install(module)
    scripts.write(
        "user", 'local host = require "host"\nreturn { on_reload = function() host.add(1, 2) host.later(3) end }'
    )
    user = world.spawn("user")

    with world.trace(path):
        world.reload("user")
        world.tick(0.1)
        while world.host.pending:
            world.tick(0.1)

    events = read(path)
    (reload,) = spans(events, "reload user")
    assert reload["args"] == {"entity": 0, "frame": 1, "version": 2}
    assert [event["tid"] for event in events if event["name"] == "host function"] == [user.id]
    calls = [(event["ph"], event["id"]) for event in events if event.get("cat") == "host"]
    assert [phase for phase, _ in calls] == ["b", "e"]
    assert calls[0][1] == calls[1][1]


def test_a_trace_changes_nothing_of_what_happens(make_world, scripts, path):
    scripts.write("ping", PING)
    scripts.write("pong", PONG)
    scripts.write("clumsy", 'return { start = function() wait(0.05) error("it fails") end }')

    def play(traced):
        world = make_world()
        for script in ("ping", "pong", "pong", "clumsy"):
            world.spawn(script)
        trace = world.trace(path) if traced else None
        for _ in range(3):
            world.bus.emit("go")
            world.tick(0.1)
        if trace is not None:
            trace.close()
        world.bus.emit("go")
        ticks(world, 2)
        return world.stats().digest

    assert play(True) == play(False)


def test_a_place_that_becomes_a_float_is_the_same_one_with_a_trace(make_world, scripts, path):
    scripts.write(
        "walker",
        """
        return { start = function(self)
          self.x, self.y = 1, 2
          wait()
          wait()
          self.x = 1.0
          wait()
        end }
        """,
    )

    def play(traced):
        world = make_world()
        world.spawn("walker")
        if traced:
            world.trace(path)
        digests = []
        for _ in range(4):
            world.tick(0.1)
            digests.append(world.stats().digest)
        return digests

    assert play(True) == play(False)


def test_after_a_trace_everything_is_as_before(world, scripts, path):
    scripts.write("ping", PING)
    world.spawn("ping")
    before = {key: vars(part).keys() for key, part in parts(world).items()}
    table = world.loop.operations.by_name

    trace = world.trace(path)
    world.bus.emit("go")
    world.tick(0.1)
    trace.close()
    trace.close()
    size = path.stat().st_size
    world.bus.emit("go")
    world.tick(0.1)

    assert {key: vars(part).keys() for key, part in parts(world).items()} == before
    assert world.loop.operations.by_name is table
    assert path.stat().st_size == size
    assert not world.problems


def parts(world):
    return {
        "bus": world.bus,
        "delivery": world.delivery,
        "shapes": world.delivery.shapes,
        "loop": world.loop,
        "operations": world.loop.operations,
        "population": world.population,
    }


def test_the_end_of_the_world_or_another_trace_completes_the_file(make_world, scripts, path, tmp_path):
    scripts.write("ping", PING)
    world = make_world()
    world.spawn("ping")
    world.trace(path)
    world.tick(0.1)

    world.trace(tmp_path / "second.json")
    world.tick(0.1)
    world.close()

    assert len(spans(read(path), "tick")) == 0
    assert [event["name"] for event in read(tmp_path / "second.json") if event["ph"] == "X"] == ["frame 2"]


def test_a_task_that_fails_says_so(world, scripts, path):
    scripts.write("broken", 'return { start = function() wait() error("no") end }')
    world.spawn("broken")

    with world.trace(path):
        world.tick(0.1)

    assert [span["args"]["outcome"] for span in spans(read(path), "start")] == ["failed"]


def test_a_trace_begins_between_two_frames(world, scripts, path):
    world.bus.on("now", lambda event: world.trace(path))
    world.bus.emit("now")

    with pytest.raises(EngineError, match="trace was called while the world ticks"):
        world.tick(0.1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk is always full here")
@pytest.mark.parametrize("frames", [1, 200])
def test_a_full_disk_ends_the_trace_and_not_the_game(world, scripts, caplog, frames):
    scripts.write("ping", PING)
    world.spawn("ping")

    with world.trace("/dev/full"):
        for _ in range(frames):
            world.bus.emit("go")
            world.tick(0.1)

    assert world.frame == frames
    assert caplog.messages == ["the trace ends here, as it cannot be written: No space left on device"]


def test_a_trace_does_not_begin_while_an_entity_does(world, scripts, path):
    module = HostModule("game")

    @module.function
    def trace() -> None:
        world.trace(path)

    world.install(module)
    scripts.write("early", "return { init = function() print(pcall(require('game').trace)) end }")
    world.spawn("early")

    assert "trace was called while the world ticks" in world.log[0].text
    assert not path.exists()


def test_a_birth_is_seen_with_the_loading_of_its_script(world, scripts, path):
    scripts.write("door", "return { start = function(self) self.x, self.y = 1, 2 wait() end }")

    with world.trace(path):
        door = world.spawn("door")
        ticks(world, 1)

    assert [span["tid"] for span in spans(read(path), "loading a script")] == [door.id]
