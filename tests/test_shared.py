"""Shared data: a copy in, a copy out, and one word per frame to those who watch."""

import pytest

from engine import EngineError, PayloadError
from helpers import ticks

pytestmark = pytest.mark.row("A10")


@pytest.fixture
def heard(world):
    events = []
    world.bus.on("heard", lambda event: events.append((event.sender, event.payload)))
    return events


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
