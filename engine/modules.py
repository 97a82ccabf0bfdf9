"""The seam to host modules: what the world asks of whatever runs them, and how one is found by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from engine.errors import EngineError, ScriptError
from engine.lua.actor import Actor

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from engine.world import World

GROUP = "tidelock.modules"
"""The entry points that offer host modules: a module, or a function without arguments that makes one."""

Values = tuple[Any, ...]


class Module(Protocol):
    """A host module, as the world sees it."""

    @property
    def name(self) -> str:
        """What scripts `require`."""

    def host(self, world: World) -> ModuleHost:
        """What runs modules of this kind in `world`; asked once, of the first module."""


class ModuleHost(Protocol):
    """Runs the host modules of one world. Everything is called on the ticking thread."""

    @property
    def pending(self) -> int:
        """Calls that have no answer yet."""

    def install(self, module: Any, loop: AbstractEventLoop | None) -> None: ...

    def uninstall(self, name: str) -> None: ...

    def installed(self) -> list[Any]:
        """The modules that scripts may `require` now, in the order in which they came."""

    def describe(self, name: str) -> Values | None:
        """What `require` of a module gives: the bytes of a payload, then name and kind of each function."""

    def question(self, word: bytes, actor: Actor, entity: int, values: Values) -> Values:
        """A script asks in its tick: "call", and "part" and "rest" of what is too long for one crossing."""

    def start(self, actor: Actor, entity: int, values: Values) -> None:
        """A task waits for a call: token, module, function, arguments."""

    def cancel(self, entity: int, token: int) -> None:
        """Nobody waits for that call any more."""

    def leave(self, entity: int) -> None:
        """Nobody waits for any call of that entity: it ended, or its script was reloaded."""

    def begin_frame(self) -> None:
        """Results that had come are in: give up what will never come."""

    def end_frame(self) -> None:
        """Begin the calls that this frame asked for."""

    def explain(self, error: ScriptError) -> None:
        """Give an error that a Python function caused its `__cause__`, and that one's traceback."""

    def close(self) -> None:
        """Cancel what runs, end every thread and process."""


def module_of(given: Any) -> Any:
    """The host module that a game installs, which it gives as it is or by the name under which a package offers it."""
    module = offered(given) if isinstance(given, str) else given
    if not hasattr(module, "host"):
        raise EngineError(f"install: expected a HostModule, or the name of one that a package offers, got {module!r}")
    return module


def offered(name: str) -> Any:
    """The module that an installed package offers under this name."""
    from importlib.metadata import entry_points  # slow to import, and most games install modules of their own

    found = entry_points(group=GROUP)
    for entry in found:
        if entry.name == name:
            made = entry.load()
            return made if hasattr(made, "host") else made()
    known = ", ".join(sorted({entry.name for entry in found})) or "none"
    raise EngineError(f'no installed package offers a host module "{name}" ({GROUP}); there is {known}')
