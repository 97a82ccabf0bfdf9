"""Shared data: a copy in, a copy out, and one word per frame to those who watch."""

import threading

import pytest

from engine import EngineError, HostModule, PayloadError
from helpers import ticks

pytestmark = pytest.mark.row("A10")


def test_one_sets_another_gets_a_copy_and_changing_it_changes_nothing(world, scripts, heard):
    scripts.write("setter", 'return { start = function() shared.set("score", { points = { 1, 2 } }) end }')
    scripts.write(
        "getter",
        """
        local getter = {}
        function getter:start()
          wait()
          local score = shared.get("score")
          score.points[1] = 99
          bus.emit("heard", shared.get("score"))
        end
        return getter
        """,
    )
    world.spawn("setter")
    getter = world.spawn("getter")

    world.tick(0.1)

    assert heard == [(getter.id, {"points": [1, 2]})]
    copy = world.shared.get("score")
    copy["points"].append(3)
    assert world.shared.get("score") == {"points": [1, 2]}


def test_a_script_sees_what_it_set_at_once_and_the_others_from_the_next_round_on(world, scripts, heard):
    scripts.write(
        "setter",
        """
        local setter = {}
        function setter:start()
          wait()
          local value = { 1 }
          shared.set("list", value)
          value[1] = 2
          bus.emit("heard", shared.get("list"))
          bus.emit("look")
        end
        return setter
        """,
    )
    scripts.write(
        "other",
        """
        local other = {}
        function other:start()
          bus.on("look", function() bus.emit("heard", { round = shared.get("list") }) end)
          wait()
          bus.emit("heard", shared.get("list") == nil)
        end
        return other
        """,
    )
    setter, other = world.spawn("setter"), world.spawn("other")

    world.tick(0.1)

    assert heard == [(setter.id, [1]), (other.id, True), (other.id, {"round": [1]})]


def test_a_watcher_is_told_once_per_frame_with_the_last_value(world, scripts, heard):
    scripts.write(
        "watcher",
        """
        local watcher = {}
        function watcher:start()
          shared.watch("score", function(event)
            bus.emit("heard", { time.frame, event.name, event.payload, tostring(event.sender) })
          end)
        end
        return watcher
        """,
    )
    scripts.write(
        "setter",
        """
        local setter = {}
        function setter:start()
          bus.on("go", function() for i = 1, 100 do shared.set("score", i) end end)
        end
        return setter
        """,
    )
    world.spawn("watcher")
    world.spawn("setter")
    game = []
    world.shared.watch("score", lambda event: game.append((world.frame, event.name, event.payload)))

    world.bus.emit("go")
    ticks(world, 3)
    world.shared.set("score", 1000)
    world.shared.set("score", 1001)
    ticks(world, 2)

    assert [payload for _, payload in heard] == [[2, "score", 100, "nil"], [4, "score", 1001, "nil"]]
    assert game == [(2, "score", 100), (4, "score", 1001)]


def test_a_watch_ends_when_it_is_cancelled_and_when_its_entity_dies(world, scripts, heard):
    scripts.write(
        "watcher",
        """
        local watcher = {}
        function watcher:start()
          local watch
          watch = shared.watch("key", function(event)
            bus.emit("heard", event.payload)
            if event.payload == "stop" then watch:cancel() end
          end)
        end
        return watcher
        """,
    )
    first, second = world.spawn("watcher"), world.spawn("watcher")
    game = world.shared.watch("key", lambda event: heard.append(event.payload))

    second.destroy()
    world.shared.set("key", "stop")
    world.tick(0.1)
    game.cancel()
    game.cancel()
    world.shared.set("key", "more")
    ticks(world, 2)

    assert heard == ["stop", (first.id, "stop")]
    assert world.shared.watchers() == frozenset()


def test_a_key_with_dots_is_just_a_key_and_nil_removes(world, scripts):
    scripts.write(
        "setter",
        """
        local setter = {}
        function setter:start()
          shared.set("a.b", 1)
          shared.set("a", { b = 2 })
          shared.set("gone", true)
          shared.set("gone", nil)
        end
        return setter
        """,
    )

    world.spawn("setter")

    assert world.shared.get("a.b") == 1
    assert world.shared.get("a") == {"b": 2}
    assert world.shared.get("gone", "default") == "default"
    assert world.shared.keys() == ["a.b", "a"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ('shared.set("x", { f = print })', "shared.set: shared.x.f: a function cannot leave its state"),
        ("shared.set(1, 2)", "shared.set: the key must be a string, got a number"),
        ("shared.get()", "shared.get: the key must be a string, got nil"),
        ('shared.watch("x")', "shared.watch: expected a function, got nil"),
    ],
)
def test_wrong_calls_are_errors_at_the_callers_line(world, scripts, call, message):
    scripts.write("wrong", f"local wrong = {{}}\nfunction wrong:start()\n  {call}\nend\nreturn wrong")

    world.spawn("wrong")

    (problem,) = world.problems
    assert (problem.line, problem.message) == (3, message)


def test_the_game_gets_an_error_for_what_is_no_plain_data_or_no_key(world):
    with pytest.raises(PayloadError, match=r"shared\.x\.y: "):
        world.shared.set("x", {"y": object()})
    with pytest.raises(EngineError, match="the key of a shared value must be a string, got 3"):
        world.shared.get(3)


# The game sets.

LOOKER = """
local looker = {}
function looker:start()
  bus.on("look", function() bus.emit("heard", shared.get("x") or "nothing") end)
end
return looker
"""


def test_what_the_game_sets_between_frames_is_seen_at_once_also_by_an_entity_that_starts(world, scripts, heard):
    scripts.write("early", 'return { start = function() bus.emit("heard", shared.get("level")) end }')

    world.shared.set("level", 3)
    entity = world.spawn("early")

    assert heard == [(entity.id, 3)]


def test_what_a_listener_sets_is_seen_by_scripts_from_the_next_frame_on(world, scripts, heard):
    scripts.write("looker", LOOKER)
    looker = world.spawn("looker")
    got = []

    def listen(event):
        world.shared.set("x", event.payload)
        got.append((world.shared.get("x"), world.shared.version("x")))

    world.bus.on("look", listen)
    world.bus.emit("look", 1)
    world.tick(0.1)
    world.bus.emit("look", 2)
    world.tick(0.1)

    assert got == [(1, 0), (2, 1)]
    assert heard == [(looker.id, "nothing"), (looker.id, 1)]


def test_what_a_host_function_sets_while_a_state_ticks_changes_nothing_before_the_next_frame(world, scripts, heard):
    host = HostModule("host")

    @host.function
    def put(value: int) -> None:
        world.shared.set("x", value)

    world.install(host)
    scripts.write(
        "putter",
        """
        local host = require("host")
        local putter = {}
        function putter:start()
          wait()
          host.put(5)
          bus.emit("heard", shared.get("x") == nil)
          wait()
          bus.emit("heard", shared.get("x"))
        end
        return putter
        """,
    )
    putter = world.spawn("putter")

    ticks(world, 2)

    assert heard == [(putter.id, True), (putter.id, 5)]


@pytest.mark.row("A8")
def test_another_thread_sets_in_the_middle_of_a_frame_and_the_frame_sees_nothing_of_it(world, scripts, heard):
    scripts.write("looker", LOOKER)
    first, second = world.spawn("looker"), world.spawn("looker")
    told = []
    world.shared.watch("x", lambda event: told.append((world.frame, event.payload)))

    def set_elsewhere(event):
        thread = threading.Thread(target=lambda: [world.shared.set("x", n) for n in range(1, 4)])
        thread.start()
        thread.join()
        world.bus.emit("look")

    world.bus.once("go", set_elsewhere)
    world.bus.emit("go")
    world.bus.emit("look")
    ticks(world, 3)

    assert heard == [(first.id, "nothing"), (second.id, "nothing"), (first.id, 3), (second.id, 3)]
    assert told == [(2, 3)]


@pytest.mark.row("A8", "A14")
def test_ten_threads_set_while_frames_run_and_each_keeps_its_last_value(world, scripts):
    scripts.write(
        "watcher",
        """
        local watcher = { properties = { last = 0, order = true } }
        function watcher:start()
          for i = 1, 10 do
            local before = 0
            shared.watch("k" .. i, function(event)
              self.order, before = self.order and event.payload > before, event.payload
            end)
          end
        end
        return watcher
        """,
    )
    watcher = world.spawn("watcher")

    def work(i):
        for n in range(1, 301):
            world.shared.set(f"k{i}", n)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 11)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        world.tick(0.01)
    ticks(world, 2)

    assert [world.shared.get(f"k{i}") for i in range(1, 11)] == [300] * 10
    with watcher.self.upgrade() as self_:
        assert self_["order"] is True


def test_a_version_grows_with_every_set_and_is_zero_where_there_is_no_value(world, scripts):
    scripts.write("setter", 'return { start = function() wait() shared.set("x", 1) end }')
    world.spawn("setter")
    seen = [world.shared.version("x")]

    world.tick(0.1)
    seen.append(world.shared.version("x"))
    world.tick(0.1)
    seen.append(world.shared.version("x"))
    world.shared.set("x", 1)
    seen.append(world.shared.version("x"))
    world.shared.set("x", None)
    seen.append(world.shared.version("x"))
    world.shared.set("x", 1)
    seen.append(world.shared.version("x"))

    none, first, same, second, gone, again = seen
    assert none == gone == 0
    assert 0 < first == same < second < again
