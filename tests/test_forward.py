"""Mail that waits when an entity reloads: each event reaches the new version once, as it listens now."""

import pytest

from helpers import ticks

pytestmark = pytest.mark.row("F5")

LAST = ', { coalesce = "last" }'


def ear(*subscriptions):
    """A script that tells what it hears: (its word, the name or family, options)."""
    lines = [
        f'bus.on("{name}", function(event) bus.emit("heard", "{word} " .. event.payload) end{options})'
        for word, name, options in subscriptions
    ]
    return "return { start = function()\n" + "\n".join(lines) + "\nend }"


@pytest.fixture
def heard(world):
    """What was told, per frame."""
    told = {}
    world.bus.on("heard", lambda event: told.setdefault(world.frame, []).append(event.payload))
    return told


def reload_with_mail(world, scripts, before, after, names):
    """One entity of `before` reloads to `after` in a frame that begins with events of these names, numbered."""
    scripts.write("ear", before)
    world.spawn("ear")
    world.tick(0.1)
    scripts.write("ear", after)
    world.reload("ear")
    for number, name in enumerate(names, start=1):
        world.bus.emit(name, number)
    ticks(world, 3, 0.1)
    assert world.problems == []


def test_what_coalesces_is_one_call_with_the_last_event_also_over_a_reload(world, scripts, heard):
    script = ear(("last", "x", LAST))

    reload_with_mail(world, scripts, script, script, ["x"] * 5)

    assert heard == {2: ["last 5"]}


def test_beside_one_that_coalesces_the_others_hear_each_event_once(world, scripts, heard):
    script = ear(("each", "x", ""), ("last", "x", LAST), ("also", "x", ""))

    reload_with_mail(world, scripts, script, script, ["x"] * 3)

    assert heard == {2: [f"{word} {n}" for n in (1, 2, 3) for word in ("each", "also")] + ["last 3"]}


def test_a_family_that_coalesces_keeps_its_newest_event_and_a_name_its_own(world, scripts, heard):
    script = ear(("family", "door.*", LAST), ("name", "door.open", LAST))

    reload_with_mail(world, scripts, script, script, ["door.open", "door.shut"])

    assert heard == {2: ["family 2", "name 1"]}


def test_a_family_that_coalesces_keeps_its_newest_event_beside_one_that_does_not(world, scripts, heard):
    script = ear(("family", "door.*", LAST), ("name", "door.open", ""))

    reload_with_mail(world, scripts, script, script, ["door.open", "door.shut"])

    assert heard == {2: ["name 1", "family 2"]}


def test_who_coalesced_and_does_not_any_more_hears_the_last_event_once(world, scripts, heard):
    reload_with_mail(world, scripts, ear(("last", "x", LAST)), ear(("each", "x", "")), ["x"] * 3)

    assert heard == {2: ["each 3"]}


def test_who_begins_to_coalesce_hears_the_last_event_once(world, scripts, heard):
    reload_with_mail(world, scripts, ear(("each", "x", "")), ear(("last", "x", LAST)), ["x"] * 3)

    assert heard == {2: ["last 3"]}


def test_who_listens_under_another_name_now_still_hears_what_waited(world, scripts, heard):
    reload_with_mail(world, scripts, ear(("last", "x.*", LAST)), ear(("name", "x.y", LAST)), ["x.y"] * 3)

    assert heard == {2: ["name 3"]}


def test_who_does_not_listen_any_more_hears_nothing(world, scripts, heard):
    deaf = "return { on_event = function(self, event) bus.emit('heard', 'direct ' .. event.name) end }"

    reload_with_mail(world, scripts, ear(("last", "x", LAST)), deaf, ["x"] * 3)

    assert heard == {}


def test_an_event_held_to_the_next_frame_is_not_told_twice_to_who_has_heard_it(world, scripts, heard):
    # "x" comes after what coalesces was released, so it is held to the next frame, in which the entity reloads.
    scripts.write(
        "chain",
        """
        local chain = {}
        function chain:start()
          bus.on("first", function() bus.emit("other") end)
          bus.on("other.done", function() bus.emit("x", 1) end)
        end
        return chain
        """,
    )
    scripts.write(
        "ear",
        """
        local ear = {}
        function ear:start()
          bus.on("other", function() bus.emit("other.done") end, { coalesce = "last" })
          bus.on("x", function() bus.emit("heard", "each") end)
          bus.on("x", function() bus.emit("heard", "last") end, { coalesce = "last" })
        end
        return ear
        """,
    )
    world.spawn("ear")
    world.spawn("chain")
    world.bus.emit("first")
    world.bus.on("heard", lambda event: world.reload("ear"))

    ticks(world, 3)

    assert heard == {1: ["each"], 2: ["last"]}


def test_a_watched_value_is_told_once_to_each_of_two_watches_of_one_entity(world, scripts, heard):
    scripts.write(
        "watcher",
        """
        local watcher = {}
        function watcher:start()
          shared.watch("x", function(event) bus.emit("heard", "one " .. event.payload) end)
          shared.watch("x", function(event) bus.emit("heard", "two " .. event.payload) end)
        end
        return watcher
        """,
    )
    world.spawn("watcher")
    world.shared.set("x", 7)
    world.reload("watcher")

    ticks(world, 3)

    assert heard == {1: ["one 7", "two 7"]}


@pytest.mark.parametrize("length", [100, 1000])
def test_an_event_of_an_unusual_shape_waits_as_well(world, scripts, heard, length):
    scripts.write(
        "ear",
        """
        local ear = {}
        function ear:start()
          bus.on("x", function(event)
            local key, value = next(event.payload)
            bus.emit("heard", #key + value)
          end)
        end
        return ear
        """,
    )
    world.spawn("ear")
    world.bus.emit("x", {"k" * length: 5})
    world.reload("ear")

    ticks(world, 3)

    assert heard == {1: [length + 5]}
