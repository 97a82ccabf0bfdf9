"""An entity does the same in whatever state it lives and whoever looks on: chance finds what nobody thought of."""

import random
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine import World

BUSY = (Path(__file__).parent / "lua" / "busy.lua").read_text(encoding="utf-8")


def lives_of(scripts, lua, seed, *, isolation, trace=None):
    """What each entity printed and where it was, by id, with the frame."""
    chance, lives = random.Random(seed), {}
    with ExitStack() as stack:
        world = stack.enter_context(World(scripts.path, lua=lua, isolation=isolation, seed=seed))
        if trace is not None:
            stack.enter_context(world.trace(trace))
        for _ in range(3):
            world.spawn("busy")
        for frame in range(30):
            for id in (1, 2, 3):
                if chance.random() < 0.4:
                    world.bus.emit(f"a{id}.b", frame)
                if chance.random() < 0.2:
                    world.shared.set(f"c{id}", frame)
            world.time_scale = chance.choice([0, 1, 1, 1, 2])
            world.tick(chance.choice([1 / 60, 0.05, 0.1, 0]))
            for line in world.log:
                lives.setdefault(line.entity, []).append((frame, line.text))
            world.log.clear()
            for entity in world.entities:
                lives.setdefault(entity.id, []).append((frame, entity.position))
        assert not any("state broke" in problem.message for problem in world.problems)
    return lives


@pytest.mark.row("A6")
@pytest.mark.parametrize("seed", range(6))
def test_a_life_is_the_same_in_a_state_of_its_own_in_a_shared_one_and_under_a_trace(scripts, lua, tmp_path, seed):
    scripts.write("busy", BUSY)

    own = lives_of(scripts, lua, seed, isolation="entity")

    assert lives_of(scripts, lua, seed, isolation="script") == own
    assert lives_of(scripts, lua, seed, isolation="entity", trace=tmp_path / "trace.json") == own
