"""Ctrl-C while a world ticks: it comes when the frame is over, so nothing of it is half done."""

import pytest

from engine import HostModule
from engine.interrupts import ctrl_c_later
from helpers import fields, printed
from host_modules import caller

COUNTER = "return { update = function(self) self.n = (self.n or 0) + 1 bus.emit('counted') end }"


@pytest.mark.parametrize("workers", [0, 2])
def test_ctrl_c_in_a_tick_comes_when_the_frame_is_over_and_the_world_goes_on(
    make_world, scripts, press_ctrl_c, workers
):
    scripts.write("counter", COUNTER)
    world = make_world(workers=workers)
    counters = [world.spawn("counter") for _ in range(5)]
    world.bus.once("counted", lambda event: press_ctrl_c())

    with pytest.raises(KeyboardInterrupt):
        world.tick(0.1)
    world.tick(0.1)

    assert [fields(counter) for counter in counters] == [{"n": 2}] * 5


def test_ctrl_c_in_a_host_function_is_no_error_that_a_script_can_catch(world, scripts, press_ctrl_c):
    module = HostModule("keys")

    @module.function
    def press() -> int:
        press_ctrl_c()
        return 7

    scripts.write("caller", caller("keys", "wait() print(pcall(keys.press))"))
    world.install(module)
    world.spawn("caller")

    with pytest.raises(KeyboardInterrupt):
        world.tick(0.1)

    assert printed(world) == ["true\t7"]


def test_a_second_ctrl_c_comes_at_once(world, scripts, press_ctrl_c):
    scripts.write("counter", COUNTER)
    world.spawn("counter")
    came_by = []

    def stuck(event):
        press_ctrl_c()
        came_by.append("the first")
        press_ctrl_c()
        came_by.append("the second")

    world.bus.on("counted", stuck)

    with pytest.raises(KeyboardInterrupt):
        world.tick(0.1)

    assert came_by == ["the first"]


def test_ctrl_c_is_not_lost_where_something_fails_meanwhile(press_ctrl_c):
    with pytest.raises(KeyboardInterrupt) as caught, ctrl_c_later(), ctrl_c_later():
        press_ctrl_c()
        raise ValueError

    assert isinstance(caught.value.__context__, ValueError)
