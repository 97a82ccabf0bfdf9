"""A world on a simulated clock: seconds pass as fast as the machine can tick."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from engine.entity import Entity
from engine.errors import EngineError
from engine.events import Event
from engine.world import World

_ALMOST = 1e-9  # of a frame: sums of steps are not exact
_BREATH = 0.001  # real seconds that host calls under way get for each frame


class Sim:
    """Plays `world` in frames of `1 / fps` seconds. Frames in which nobody would tick are passed over in one."""

    def __init__(self, world: World, *, fps: float = 60) -> None:
        self.world = world
        self.dt = 1 / fps
        self.events: list[Event] = []
        self._listener = world.bus.on("*", self.events.append)

    def spawn(self, script: str, /, **properties: Any) -> Entity:
        """Make an entity; keywords become fields of its `self`."""
        return self.world.spawn(script, **properties)

    def emit(self, name: str, payload: object = None) -> None:
        self.world.bus.emit(name, payload)

    def run(self, seconds: float) -> None:
        """Let `seconds` of the world's time pass."""
        if not 0 <= seconds < math.inf:
            raise EngineError(f"sim.run: seconds must be a finite number >= 0, got {seconds!r}")
        self._run(self.world.now + seconds, lambda: False)

    def run_until(self, condition: Callable[[], object], timeout: float = 60) -> None:
        """Let time pass until `condition()` is true; an error when `timeout` seconds of the world pass first."""
        if not self._run(self.world.now + timeout, condition):
            raise EngineError(f"sim.run_until: {timeout:g} seconds of game time have passed, and it is still not so")

    def frames(self, n: int = 1) -> None:
        """Run `n` frames."""
        for _ in range(n):
            self.world.tick(self.dt)

    def fields(self, entity: Entity) -> dict[str, Any]:
        """The fields of the entity's `self` that are plain data, as a copy."""
        return fields_of(entity)

    def named(self, name: str) -> list[Event]:
        """The events of that name so far, oldest first."""
        return [event for event in self.events if event.name == name]

    def _run(self, end: float, condition: Callable[[], object]) -> bool:
        loop = self.world.loop
        while not condition():
            left = round((end - self.world.now) / self.dt)
            if left <= 0:
                return False
            before = loop.order
            self.world.tick(self.dt)
            if loop.order == before and not condition():
                self._pass_over(left - 1)
        return True

    def _pass_over(self, most: int) -> None:
        """Make one frame of all that come before somebody wakes."""
        world = self.world
        if world.host is not None and world.host.pending:
            time.sleep(_BREATH)
            return
        if len(world.bus.requests) or world.time_scale != 1:
            return
        wake = world.loop.earliest()
        idle = most if wake == math.inf else math.ceil((wake - world.now) / self.dt - _ALMOST) - 1
        if min(idle, most) > 0:
            world.tick(min(idle, most) * self.dt)


def fields_of(entity: Entity) -> dict[str, Any]:
    """The plain fields of `self`; what is no plain data (functions, threads, other objects) is left out."""
    found = {}
    with entity.self.upgrade() as self_:
        for key in self_:
            try:
                value = self_[key]
                found[key] = value.to_dict() if hasattr(value, "to_dict") else value
            except EngineError:
                continue
    return {key: value for key, value in found.items() if not callable(value)}
