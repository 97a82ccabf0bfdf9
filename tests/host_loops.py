"""The main loops that a game with host modules may have, and waiting for what really takes time."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from engine.app import App

if TYPE_CHECKING:
    from engine import World

LOOPS = ("plain", "pygame", "asyncio")
PATIENCE = 20.0
PAUSE = 0.001  # lets servers and other threads run between two frames


class Player:
    """Plays frames of a world in one kind of main loop."""

    def until(self, done: Callable[[], object]) -> None:
        """Play until `done()`, which must come true in `PATIENCE` seconds."""
        raise NotImplementedError

    def frames(self, count: int) -> None:
        left = iter(range(count))
        self.until(lambda: next(left, None) is None)

    def close(self) -> None:
        """End the loop."""


class Plain(Player):
    """`while playing: world.tick(dt)`"""

    def __init__(self, world: "World") -> None:
        self._world = world

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, _report(self._world)
            self._world.tick(1 / 60)
            time.sleep(PAUSE)


class Pygame(Plain):
    """The frames of the window's own loop."""

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._app = App(world, headless=True)

    def until(self, done: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not done():
            assert time.monotonic() < deadline, _report(self._world)
            self._app.step(1 / 60)
            time.sleep(PAUSE)

    def close(self) -> None:
        self._app.close()


class Asyncio(Player):
    """A host that ticks the world from a coroutine of its own loop."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._runner = asyncio.Runner()

    def until(self, done: Callable[[], object]) -> None:
        self._runner.run(self._play(done))

    def close(self) -> None:
        self._runner.close()
        assert "tidelock-host" not in threads(), "a second loop appeared beside the host's own"

    async def _play(self, done: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not done():
                self._world.tick(1 / 60)
                await asyncio.sleep(PAUSE)


Play = Callable[["World"], Player]


@contextmanager
def play_in(loop: str) -> Iterator[Play]:
    """Makes players of this loop, and closes them at the end."""
    with ExitStack() as stack:

        def make(world: "World") -> Player:
            made = player(loop, world)
            stack.callback(made.close)
            return made

        yield make


def player(loop: str, world: "World") -> Player:
    return {"plain": Plain, "pygame": Pygame, "asyncio": Asyncio}[loop](world)


def threads() -> list[str]:
    """The names of the threads there are."""
    return [thread.name for thread in threading.enumerate()]


def printed(world: "World") -> list[str]:
    """What scripts printed so far."""
    return [line.text for line in world.log]


def _report(world: "World") -> str:
    return f"not done after {PATIENCE} s\nprinted: {printed(world)}\nproblems: {world.problems}"
