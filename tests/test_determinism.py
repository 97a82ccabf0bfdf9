"""The same seed, inputs and frame times give the same digest, in any process and with any number of workers."""

import threading

import pytest

from helpers import run_child, ticks

BUSY = """
local busy = {}
function busy:start()
  bus.on("ping", function(event)
    self.heard = (self.heard or 0) + event.payload.n
    wait(math.random() * 0.1)
    if math.random() < 0.2 and #entity.find("busy") < 12 then entity.spawn("busy") end
  end)
  while true do
    wait(math.random() * 0.2)
    self.x, self.y = math.random(1, 100), math.random()
    bus.emit("ping", { n = math.random(1, 6) })
  end
end
return busy
"""


def digest_of(make_world, seed, dts):
    world = make_world(seed=seed)
    for _ in range(3):
        world.spawn("busy")
    for dt in dts:
        world.tick(dt)
    return world.stats().digest, len(world.entities)


def test_the_same_seed_and_frame_times_give_the_same_digest(make_world, scripts):
    scripts.write("busy", BUSY)
    dts = [0.016, 0.02, 0.05, 0.001] * 40

    first, again, other = (digest_of(make_world, seed, dts) for seed in (7, 7, 8))

    assert first == again
    assert first[1] > 3
    assert other[0] != first[0]


def test_looking_at_the_digest_does_not_change_what_it_will_be(make_world, scripts):
    scripts.write(
        "light", "local l = {} function l:update() draw.light(1, 2, 3) self.text = tostring(time.frame) end return l"
    )
    seen, unseen = (make_world() for _ in range(2))

    for world in (seen, unseen):
        world.spawn("light")
        for _ in range(5):
            world.tick(0.1)
            if world is seen:
                world.stats()

    assert seen.stats().digest == unseen.stats().digest


def test_another_process_has_the_same_digest(make_world, scripts, lua, isolation):
    scripts.write("busy", BUSY)
    code = f"""
    from engine import World
    with World({str(scripts.path)!r}, lua={lua!r}, isolation={isolation!r}, seed=7) as world:
        for _ in range(3):
            world.spawn("busy")
        for dt in [0.016, 0.02, 0.05, 0.001] * 40:
            world.tick(dt)
        print(world.stats().digest)
    """

    printed = run_child(code).stdout.split()[-1]

    assert printed == digest_of(make_world, 7, [0.016, 0.02, 0.05, 0.001] * 40)[0]


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same_digest(make_world, scripts, workers):
    scripts.write("busy", BUSY.replace("< 12", "< 24"))

    def run(count):
        world = make_world(seed=3, workers=count)
        for _ in range(12):
            world.spawn("busy")
        ticks(world, 20, 1 / 30)
        return world.stats()

    alone, together = run(0), run(workers)

    assert alone.entities > 12
    assert together == alone


@pytest.mark.parametrize("isolation", ["entity"])
def test_workers_end_with_their_world(make_world, scripts):
    scripts.write("busy", BUSY)
    world = make_world(workers=2)
    for _ in range(8):
        world.spawn("busy")
    ticks(world, 3)
    during = {thread.name for thread in threading.enumerate()}

    world.close()

    assert any(name.startswith("tidelock-worker") for name in during)
    assert not any(thread.name.startswith("tidelock-worker") for thread in threading.enumerate())
