"""What the game passes wrongly is refused at that call, and leaves the world as it was."""

from math import inf, nan

import pytest

from engine import EngineError, Limits, World

WRONG = {
    "limit a pattern": lambda world: world.limit(5, Limits()),
    "limit": lambda world: world.limit("door", None),
    "isolate": lambda world: world.isolate(None, "entity"),
    "mods": lambda world: world.mods(5),
    "warm: count": lambda world: world.warm("many"),
    "warm": lambda world: world.warm(1, None),
    "install": lambda world: world.install(5),
    "uninstall": lambda world: world.uninstall(5),
    "idle": lambda world: world.idle(None),
    "on_problem": lambda world: world.on_problem(None),
    "on_reload": lambda world: world.on_reload("door"),
    "press": lambda world: world.input.press(None),
    "press nothing": lambda world: world.input.press(""),
    "release": lambda world: world.input.release(5),
    "point x": lambda world: world.input.point("left", 0),
    "point y": lambda world: world.input.point(0, nan),
}


@pytest.mark.parametrize("use", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_at_once_with_what_it_is(scripts, use):
    scripts.write("door", "return {}")
    with World(scripts.path) as world:
        with pytest.raises(EngineError, match=r"got |no host module \"5\""):
            use(world)

        world.spawn("door")
        world.tick(0.1)

        assert not world.problems


@pytest.mark.parametrize("step", [0, -1, nan, inf, 1e-12, None, "1/60"])
def test_a_fixed_step_that_no_clock_can_count_is_refused(scripts, step):
    with World(scripts.path) as world:
        world.fixed_step = step
        with pytest.raises(EngineError, match="fixed_step must be a finite number of seconds >= 1e-06"):
            world.tick(0.1)

        world.fixed_step = 1 / 50
        world.tick(0.1)

        assert world.frame == 1
