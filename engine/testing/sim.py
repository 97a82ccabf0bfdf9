"""A world on a simulated clock: seconds pass as fast as the machine can tick."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from engine.bus.events import Event
from engine.checks import check_count, check_measure
from engine.entity import Entity
from engine.errors import EngineError
from engine.testing.game_world import GameWorld
from engine.world import World

_ALMOST = 1e-9  # of a frame: sums of steps are not exact
SLOWEST = 0.001  # frames a second
_BREATH = 0.001  # real seconds that host calls under way get for each frame


class Sim:
    """Plays `world` in frames of `1 / fps` seconds. Frames in which nobody would tick are passed over in one.

    Seconds are those that are given to `world.tick`, which pass in a paused game, too.
    """

    def __init__(self, world: World, *, fps: float = 60) -> None:
        self.world = world
        check_measure("Sim: fps", fps, "number of frames a second", least=SLOWEST)
        self.dt = 1 / fps
        self.events: list[Event] = []
        self._listener = world.bus.on("*", self.events.append)

    def setup(self) -> None:
        """Run the `setup` of main.py, so that the game begins; host modules have their stand-ins."""
        if not isinstance(self.world, GameWorld):
            raise EngineError("sim.setup: only the fixture `sim` knows which main.py; call its setup(world) yourself")
        self.world.set_up()

    def spawn(self, script: str, /, **properties: Any) -> Entity:
        """Make an entity; keywords become fields of its `self`."""
        return self.world.spawn(script, **properties)

    def emit(self, name: str, payload: object = None) -> None:
        self.world.bus.emit(name, payload)

    def press(self, action: str) -> None:
        """The player presses an action, and holds it."""
        self.world.input.press(action)

    def release(self, action: str) -> None:
        """The player releases an action."""
        self.world.input.release(action)

    def point(self, x: float, y: float) -> None:
        """The player points somewhere."""
        self.world.input.point(x, y)

    def run(self, seconds: float) -> None:
        """Let `seconds` pass."""
        _check_seconds("sim.run: seconds", seconds)
        self._run(seconds, lambda: False)

    def run_until(self, condition: Callable[[], object], timeout: float = 60) -> None:
        """Let time pass until `condition()` is true; an error when `timeout` seconds pass first."""
        if not callable(condition):
            raise EngineError(f"sim.run_until: expected a function that tells whether it is so, got {condition!r}")
        _check_seconds("sim.run_until: timeout", timeout)
        if not self._run(timeout, condition):
            paused = "; the game is paused (world.time_scale is 0)" if self.world.time_scale == 0 else ""
            raise EngineError(
                f"sim.run_until: {timeout:g} seconds of game time have passed, and it is still not so{paused}"
            )

    def frames(self, n: int = 1) -> None:
        """Run `n` frames."""
        check_count("sim.frames: n", n)
        for _ in range(n):
            self.world.tick(self.dt)

    def fields(self, entity: Entity | int) -> dict[str, Any]:
        """The fields of the `self` of an entity, or of that with this id, that are plain data, as a copy."""
        found = entity if isinstance(entity, Entity) else self.world.entity(entity)
        if found is None:
            raise EngineError(f"sim.fields: expected an entity that lives, or its id, got {entity!r}")
        return fields_of(found)

    def named(self, name: str) -> list[Event]:
        """The events of that name so far, oldest first."""
        return [event for event in self.events if event.name == name]

    def _run(self, seconds: float, condition: Callable[[], object]) -> bool:
        loop = self.world.loop
        end = loop.real.now + seconds
        while not condition():
            left = round((end - loop.real.now) / self.dt)
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
        if len(world.delivery.requests) or world.time_scale != 1:
            return
        wake = world.loop.earliest()
        idle = most if wake == math.inf else math.ceil((wake - world.now) / self.dt - _ALMOST) - 1
        if min(idle, most) > 0:
            world.tick(min(idle, most) * self.dt)


def _check_seconds(what: str, seconds: object) -> None:
    if not isinstance(seconds, int | float) or not 0 <= seconds < math.inf:
        raise EngineError(f"{what} must be a finite number >= 0, got {seconds!r}")


def fields_of(entity: Entity) -> dict[str, Any]:
    """The plain fields of `self`; what is no plain data (functions, threads, other objects) is left out."""
    found = {}
    with entity.self.upgrade() as self_:
        for key in self_:
            try:
                value = self_[key]
                found[key] = value.copy() if hasattr(value, "copy") else value
            except EngineError:
                continue
    return {key: value for key, value in found.items() if not callable(value)}
