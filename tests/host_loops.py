"""The main loops that a game with host modules may have, and waiting for what really takes time."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from engine.app import App
from helpers import PATIENCE, printed, threads, until

if TYPE_CHECKING:
    from engine import World

LOOPS = ("plain", "pygame", "asyncio")
PAUSE = 0.001  # lets servers and other threads run between two frames

# For tests that wait for servers and disks, or do very much: each value meets some of the others.
each_loop_and_each_lua = pytest.mark.parametrize(
    ("lua", "play", "isolation"),
    [
        ("lua55", "plain", "entity"),
        ("lua55", "pygame", "script"),
        ("lua55", "asyncio", "entity"),
        ("lua54", "plain", "script"),
        ("luajit21", "plain", "entity"),
    ],
    indirect=["lua", "play"],
)


class Player:
    """Plays frames of a world in a loop of its own: `while playing: world.tick(dt)`."""

    def __init__(self, world: "World") -> None:
        self.world = world

    def until(self, done: Callable[[], object]) -> None:
        """Play until `done()`, which must come true in `PATIENCE` seconds."""
        self._go(done, self._frame)

    def frames(self, count: int) -> None:
        left = iter(range(count))
        self.until(lambda: next(left, None) is None)

    def said(self, count: int = 1) -> list[str]:
        """What scripts printed, once there are so many lines or a problem."""
        self.until(lambda: len(printed(self.world)) >= count or self.world.problems)
        return printed(self.world)

    def rest_until(self, done: Callable[[], object]) -> None:
        """Let time pass without frames, also after the end of the world, until `done()`."""
        self._go(done, lambda: None)

    def do(self, act: Callable[[], object]) -> None:
        """Call `act` between two frames, where the loop runs."""
        act()

    def close(self) -> None:
        """End the loop."""

    def _frame(self) -> None:
        self.world.tick(1 / 60)

    def _go(self, done: Callable[[], object], step: Callable[[], None]) -> None:
        until(done, lambda: _report(self.world), step)


class Pygame(Player):
    """The frames of the window's own loop.

    The window is left open for the next test, see `play` in conftest.py: to give the sound device back takes
    longer than most tests.
    """

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._app = App(world, size=(64, 36), headless=True)

    def _frame(self) -> None:
        self._app.step(1 / 60)


class Asyncio(Player):
    """A host that ticks the world from a coroutine of its own loop."""

    def __init__(self, world: "World") -> None:
        super().__init__(world)
        self._runner = asyncio.Runner()
        self._threads = threads()

    def do(self, act: Callable[[], object]) -> None:
        async def inside() -> None:
            act()

        self._runner.run(inside())

    def close(self) -> None:
        self._runner.close()
        names = {thread.name for thread in threads() - self._threads}
        assert "tidelock-host" not in names, "a second loop appeared beside the host's own"

    def _go(self, done: Callable[[], object], step: Callable[[], None]) -> None:
        async def play() -> None:
            deadline = time.monotonic() + PATIENCE
            while not done():
                assert time.monotonic() < deadline, f"not within {PATIENCE:g} s\n{_report(self.world)}"
                step()
                await asyncio.sleep(PAUSE)

        self._runner.run(play())


Play = Callable[["World"], Player]


@contextmanager
def play_in(loop: str) -> Iterator[Play]:
    """Makes players of this loop, one for each world, and closes them at the end."""
    players: dict[World, Player] = {}
    with ExitStack() as stack:

        def play(world: "World") -> Player:
            if world not in players:
                players[world] = {"plain": Player, "pygame": Pygame, "asyncio": Asyncio}[loop](world)
                stack.callback(players[world].close)
            return players[world]

        yield play


def _report(world: "World") -> str:
    return f"printed: {printed(world)}\nproblems: {world.problems}"
