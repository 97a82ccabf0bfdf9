"""Calls of host modules beside the task that makes them."""

import pytest

from helpers import printed
from host_modules import broken, caller

pytestmark = pytest.mark.row("E4")


@pytest.mark.row("E11")
def test_a_host_call_beside_the_task_is_a_future_for_any_number_of_tasks(play, world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local door = async.start(doors.wait_for, "red")
      for i = 1, 3 do
        task.spawn(function() print(i, door:await()) end)
      end
      print(door:status())
      print("last", door:await(), door:status(), door:await())""",
        ),
    )
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    doors.open("red")
    playing.until(lambda: len(printed(world)) == 5)

    assert doors.opened == ["red"]
    assert printed(world) == ["pending", "1\tred", "2\tred", "3\tred", "last\tred\tdone\tred"]


@pytest.mark.row("E11")
def test_cancelling_a_future_cancels_the_coroutine_and_tells_who_waits(play, world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local door = async.start(doors.wait_for, "red")
      task.spawn(function() print(pcall(door.await, door)) end)
      bus.on("enough", function() door:cancel() end)""",
        ),
    )
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    world.bus.emit("enough")
    playing.until(lambda: doors.given_up)

    assert len(printed(world)) == 1
    assert "it was cancelled" in printed(world)[0]


@pytest.mark.row("E11")
def test_all_waits_for_every_call_and_race_cancels_the_losers(play, world, scripts, doors):
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      local function go(name) return function() return doors.wait_for(name) end end
      local both = async.all({ go("red"), go("blue") })
      print(both[1], both[2])
      print(async.race({ go("left"), go("right") }))""",
        ),
    )
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: len(doors.opened) == 2)
    doors.open("blue", "red")
    playing.until(lambda: len(doors.opened) == 4)

    doors.open("right")
    playing.until(lambda: len(printed(world)) == 2 and doors.given_up)

    assert printed(world)[0] == "red\tblue"
    assert printed(world)[1].startswith("right")
    assert doors.given_up == ["left"]


@pytest.mark.row("E7", "E11")
def test_a_failed_call_fails_its_future_in_everybody_who_waits(play, world, scripts):
    world.install(broken())
    scripts.write(
        "caller",
        caller(
            "broken",
            """
      local day = async.start(broken.later)
      task.spawn(function() print(pcall(day.await, day)) end)
      print(pcall(day.await, day))""",
        ),
    )
    world.spawn("caller")

    play(world).until(lambda: len(printed(world)) == 2)

    assert all("broken.later: ValueError: no such day (host_modules.py:" in line for line in printed(world))
    assert world.problems == []
