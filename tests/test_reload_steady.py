"""A new version of who did the same in every frame."""

from engine import World


def test_a_state_that_was_steady_has_a_next_version(scripts, lua):
    """Whatever files of the prelude it has loaded by then."""
    scripts.write("one", 'local m = {} function m:update() self.x, self.sprite = time.frame, "a.png" end return m')
    with World(scripts.path, lua=lua) as world:
        one = world.spawn("one")
        for _ in range(5):
            world.tick(0.1)
        scripts.write("one", "local m = {} function m:update() self.x, self.y = 4, 5 end return m")
        world.reload("one")
        for _ in range(5):
            world.tick(0.1)

        assert (one.position, world.problems) == ((4, 5), [])
