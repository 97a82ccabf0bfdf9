"""Who plays in a frame of the demo, and how long before anything is measured."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

SCRIPTS = Path(__file__).parent.parent / "scripts"

MIX = {"lamp": 0.11, "wisp": 0.05, "firefly": 0.2, "slime": 0.18, "owl": 0.22, "ripple": 0.24}
"""Which share of the entities is of which script. Lamps and wisps are awake in every frame."""

SECONDS = 10
"""Of play before anything is measured: not all do the same then, and each has done all that it does, as in its first
seconds a state loads what its script uses first."""


def cast(count: int) -> list[tuple[str, float, float]]:
    """Script and place of each entity; the same in every run."""
    chance = random.Random(5)
    names = [name for name, share in MIX.items() for _ in range(max(round(count * share), 1))]
    chance.shuffle(names)
    return [(name, chance.uniform(60, 400), chance.uniform(60, 210)) for name in names]


def play(run: Callable[[float], object]) -> None:
    """Let the game be in full swing: all but the last second in big steps, as few frames take less time."""
    for _ in range((SECONDS - 1) * 10):
        run(1 / 10)
    for _ in range(60):
        run(1 / 60)
