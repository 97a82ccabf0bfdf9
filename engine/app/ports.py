"""The world as the window sees it.

`engine.World` fits; so does anything else with these names, which is how the window is tested by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from engine.report import Problem


class Entity(Protocol):
    """Something that may be drawn."""

    @property
    def id(self) -> int: ...

    @property
    def script(self) -> str: ...

    @property
    def position(self) -> tuple[float, float] | None:
        """Its centre in world units, which are logical pixels; `None` for what has no place."""

    @property
    def view(self) -> Mapping[str, Any]:
        """The drawing fields of its `self` that are set, unchecked."""


class Command(Protocol):
    """One call of `sprite`, `sound`, `camera` or `draw` by a script."""

    @property
    def module(self) -> str: ...

    @property
    def function(self) -> str: ...

    @property
    def args(self) -> Sequence[Any]: ...

    @property
    def sender(self) -> int: ...


class Reload(Protocol):
    """A script that was just replaced."""

    @property
    def script(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def seconds(self) -> float: ...


class Input(Protocol):
    """Where the window puts what the player does."""

    def press(self, action: str, /) -> None: ...

    def release(self, action: str, /) -> None: ...

    def point(self, x: float, y: float, left: float, top: float, /) -> None: ...


class World(Protocol):
    """What a frame needs, and what ends with the window."""

    @property
    def entities(self) -> Sequence[Entity]: ...

    @property
    def commands(self) -> Sequence[Command]: ...

    @property
    def problems(self) -> Sequence[Problem]: ...

    @property
    def input(self) -> Input: ...

    @property
    def now(self) -> float: ...

    @property
    def scripts(self) -> Path: ...

    def tick(self, dt: float, /) -> object: ...

    def places(self, script: str, pattern: str, /) -> Sequence[str]: ...

    def idle(self, seconds: float, /) -> bool: ...

    def on_reload(self, f: Callable[[Any], None], /) -> object: ...

    def watch(self, *, poll: bool = False) -> object: ...

    def close(self) -> None: ...
