"""Ways to listen: to a family, once, to the newest, in a task that waits; and to listen no more."""

import pytest

from helpers import ticks


@pytest.mark.row("A15")
def test_a_family_hears_all_its_members_and_nothing_else(world, scripts, heard):
    scripts.write(
        "family",
        """
        local family = {}
        function family:start()
          bus.on("door.*", function(event) bus.emit("heard", event.name) end)
          bus.on("door.left.*", function(event) bus.emit("heard", "left: " .. event.name) end)
        end
        return family
        """,
    )
    world.spawn("family")
    everything = []
    world.bus.on("door.*", lambda event: everything.append(event.name))

    for name in ("door.opened", "door", "doors.opened", "door.left.opened"):
        world.bus.emit(name)
    world.tick(0.1)

    assert [payload for _, payload in heard] == ["door.opened", "door.left.opened", "left: door.left.opened"]
    assert everything == ["door.opened", "door.left.opened"]


@pytest.mark.row("A15")
def test_once_hears_one_event_only_even_of_many_in_a_frame(world, scripts, heard):
    scripts.write(
        "once",
        'return { start = function() bus.once("news", function(event) bus.emit("heard", event.payload) end) end }',
    )
    once = world.spawn("once")
    python = []
    world.bus.once("news", lambda event: python.append(event.payload))

    for i in range(3):
        world.bus.emit("news", i)
    ticks(world, 2)

    assert heard == [(once.id, 0)]
    assert python == [0]
    assert world.stats().subscriptions == 0


@pytest.mark.row("A15")
def test_cancel_works_also_while_the_event_is_being_delivered(world, scripts, heard):
    scripts.write(
        "canceller",
        """
        local canceller = {}
        function canceller:start()
          local first, second
          first = bus.on("news", function(event)
            bus.emit("heard", { "first", event.payload, first.active, second.active })
            second:cancel()
            first:cancel()
            first:cancel()
            bus.emit("heard", { "after", first.active, second.active })
          end)
          second = bus.on("news", function(event) bus.emit("heard", "second") end)
        end
        return canceller
        """,
    )
    world.spawn("canceller")

    world.bus.emit("news", 1)
    world.bus.emit("news", 2)
    ticks(world, 2)

    assert [payload for _, payload in heard] == [["first", 1, True, True], ["after", False, False]]
    assert world.stats().subscriptions == 0


@pytest.mark.row("A15")
def test_listeners_of_the_game_can_be_cancelled_at_any_moment(world):
    got = []

    def first(event):
        got.append("first")
        second.cancel()
        one.cancel()
        one.cancel()

    one = world.bus.on("news", first)
    second = world.bus.on("news", lambda event: got.append("second"))
    world.bus.on("news", lambda event: got.append("third"))

    world.bus.emit("news")
    world.bus.emit("news")
    world.tick(0.1)

    assert got == ["first", "third", "third"]
    assert (one.active, second.active) == (False, False)


@pytest.mark.row("B7")
def test_a_coalescing_listener_is_called_once_per_frame_with_the_newest(world, scripts, heard):
    scripts.write(
        "calm",
        """
        local calm = {}
        function calm:start()
          bus.on("shake", function(event) bus.emit("heard", event.payload) end, { coalesce = "last" })
        end
        return calm
        """,
    )
    calm = world.spawn("calm")

    for i in range(1000):
        world.bus.emit("shake", i)
    world.tick(0.1)
    world.tick(0.1)
    world.bus.emit("shake", "again")
    world.tick(0.1)

    assert heard == [(calm.id, 999), (calm.id, "again")]


@pytest.mark.row("B7")
def test_who_listens_once_and_coalesces_hears_the_newest_of_the_first_frame(world, scripts, heard):
    scripts.write(
        "calm",
        """
        local calm = {}
        function calm:start()
          bus.once("shake", function(event) bus.emit("heard", event.payload) end, { coalesce = "last" })
        end
        return calm
        """,
    )
    calm = world.spawn("calm")

    for i in range(3):
        world.bus.emit("shake", i)
    world.tick(0.1)
    world.bus.emit("shake", "again")
    world.tick(0.1)

    assert heard == [(calm.id, 2)]


@pytest.mark.row("B7")
def test_triggers_in_several_rounds_of_a_frame_are_one_call_too(world, scripts, heard):
    scripts.write(
        "calm",
        """
        local calm = {}
        function calm:start()
          bus.on("shake", function(event)
            bus.emit("heard", { time.frame, event.payload })
            bus.emit("shake", "from the handler itself")
          end, { coalesce = "last" })
          bus.on("go", function(event)
            bus.emit("shake", event.payload)
            if event.payload < 4 then bus.emit("go", event.payload + 1) end
          end)
        end
        return calm
        """,
    )
    world.spawn("calm")

    world.bus.emit("go", 1)
    ticks(world, 3)

    assert [payload for _, payload in heard] == [
        [1, 4],
        [2, "from the handler itself"],
        [3, "from the handler itself"],
    ]


@pytest.mark.row("A15")
def test_a_task_that_waits_for_events_in_a_loop_misses_none_that_come_together(world, scripts, heard):
    scripts.write(
        "counter",
        """
        local counter = {}
        function counter:start()
          while true do
            bus.emit("heard", task.wait_event("news").payload)
          end
        end
        return counter
        """,
    )
    entity = world.spawn("counter")
    world.tick(0.1)

    for n in (1, 2, 3):
        world.bus.emit("news", n)
    world.tick(0.1)
    world.bus.emit("news", 4)
    ticks(world, 2)

    assert heard == [(entity.id, n) for n in (1, 2, 3, 4)]
    assert world.stats().subscriptions == 1


@pytest.mark.row("A15")
def test_a_task_that_waits_for_an_event_once_listens_no_longer_than_that_tick(world, scripts, heard):
    scripts.write(
        "once",
        """
        local once = {}
        function once:start()
          bus.emit("heard", task.wait_event("news").payload)
          wait()
          bus.emit("heard", task.wait_event("news").payload)
        end
        return once
        """,
    )
    entity = world.spawn("once")
    world.tick(0.1)

    for n in (1, 2):
        world.bus.emit("news", n)
    world.tick(0.1)
    assert world.stats().subscriptions == 0
    world.tick(0.1)
    world.bus.emit("news", 3)
    world.tick(0.1)

    assert heard == [(entity.id, 1), (entity.id, 3)]
    assert world.stats().subscriptions == 0


@pytest.mark.row("A12", "A15")
@pytest.mark.parametrize("refused", ['task.wait_event("news")', 'bus.request(entity.id, "what")'])
def test_what_could_not_be_waited_for_does_not_end_another_wait(world, scripts, heard, refused):
    scripts.write(
        "sorter",
        f"""
        local sorter = {{}}
        function sorter:start()
          bus.handle("what", function() return true end)
          table.sort({{ 2, 1 }}, function(a, b)
            bus.emit("heard", (pcall(function() return {refused} end)))
            return a < b
          end)
          wait(0.5)
          bus.emit("heard", time.frame)
        end
        return sorter
        """,
    )
    world.spawn("sorter")
    for _ in range(6):
        world.bus.emit("news")
        world.tick(0.1)

    assert [payload for _, payload in heard] == [False, 5]
    assert not world.problems
