"""Host modules: Python functions that scripts get with `require`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from engine.checks import check_count
from engine.errors import EngineError
from engine.host.annotations import lua_annotations
from engine.host.signature import Signature

if TYPE_CHECKING:
    from engine.host.host import Host
    from engine.world import World

Kind = Literal["function", "coroutine", "blocking"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, eq=False, slots=True)
class HostFunction:
    """One Python function of a host module. `word` is what errors call it: "scores.save"."""

    word: str
    name: str
    kind: Kind
    function: Callable[..., Any]
    signature: Signature
    timeout: float | None = None
    process: bool = False
    payload: int | None = None


class HostModule:
    """Python functions under one name. A script gets them with `require` and calls them with plain data.

    `@module.function` answers at once, in the frame of the script; `@module.coroutine`, for an `async def`,
    and `@module.blocking`, for what takes long, let the calling task wait. `payload` is the bytes that an
    argument or result of this module may have, the world's `Limits.payload` where it is not given.
    """

    def __init__(self, name: str, *, doc: str = "", payload: int | None = None) -> None:
        if not isinstance(name, str) or not all(part.isidentifier() for part in name.split(".")):
            raise EngineError(f'the name of a host module is one for `require`, such as "weather", got {name!r}')
        if not isinstance(doc, str):
            raise EngineError(f"HostModule: doc must be text, got {doc!r}")
        if payload is not None:
            check_count("HostModule: payload", payload)
        self.name = name
        self.doc = doc
        self.payload = payload
        self.functions: dict[str, HostFunction] = {}
        self.endings: list[Callable[[], Awaitable[object] | object]] = []
        self._make_stand_in: Callable[[], HostModule] | None = None

    def function(self, function: F) -> F:
        """Let scripts call `function`; the frame waits for it, so it must be quick."""
        self._refuse_async(function, "function")
        return self._add(function, "function")

    @overload
    def coroutine(self, function: F, /) -> F: ...

    @overload
    def coroutine(self, /, *, timeout: float | None = None) -> Callable[[F], F]: ...

    def coroutine(self, function: Any = None, /, *, timeout: float | None = None) -> Any:
        """Let scripts call an `async def`; the task waits, the game does not. `timeout` is real seconds."""

        def add(function: F) -> F:
            if not inspect.iscoroutinefunction(_inner(function)):
                raise EngineError(
                    f"@{self.name}.coroutine is for an async def, and {self._name_of(function)} is none; "
                    f"use @{self.name}.function, or @{self.name}.blocking for what takes long"
                )
            return self._add(function, "coroutine", timeout)

        return add if function is None else add(function)

    @overload
    def blocking(self, function: F, /) -> F: ...

    @overload
    def blocking(self, /, *, timeout: float | None = None, process: bool = False) -> Callable[[F], F]: ...

    def blocking(self, function: Any = None, /, *, timeout: float | None = None, process: bool = False) -> Any:
        """Let scripts call what takes long; it runs on a thread, or with `process` in another process.

        `timeout` ends the wait, not the function: a thread cannot be stopped.
        """

        def add(function: F) -> F:
            self._refuse_async(function, "blocking")
            return self._add(function, "blocking", timeout, process)

        return add if function is None else add(function)

    def closed(self, function: F) -> F:
        """Call `function`, also an `async def`, when the module is uninstalled or its world closes."""
        if not callable(function):
            raise EngineError(f"@{self.name}.closed: expected a function, got {function!r}")
        self.endings.append(function)
        return function

    def in_tests(self, make: Callable[[], HostModule]) -> Callable[[], HostModule]:
        """In each test of the game, the module that `make()` gives stands in for this one: it has the same name."""
        if not callable(make):
            raise EngineError(f"@{self.name}.in_tests: expected a function that gives a HostModule, got {make!r}")
        self._make_stand_in = make
        return make

    def stand_in(self) -> HostModule:
        """What a test gets: this module, where nothing stands in for it."""
        made = self if self._make_stand_in is None else self._make_stand_in()
        if not isinstance(made, HostModule) or made.name != self.name:
            raise EngineError(f'what stands in for the host module "{self.name}" must have its name, got {made!r}')
        return made

    def annotations(self) -> str:
        """A Lua file of annotations for an editor's language server, from signatures and docstrings."""
        return lua_annotations(self)

    def host(self, world: World) -> Host:
        """What runs the host modules of `world`; the world asks for it."""
        from engine.host.host import Host  # here, so that a game without host modules loads no asyncio

        return Host(world)

    def _refuse_async(self, function: Callable[..., Any], word: str) -> None:
        if inspect.iscoroutinefunction(_inner(function)):
            raise EngineError(
                f"@{self.name}.{word} is for a plain def, and {self._name_of(function)} is an async def; "
                f"use @{self.name}.coroutine"
            )

    def _add(self, function: F, kind: Kind, timeout: float | None = None, process: bool = False) -> F:
        name = self._name_of(function)
        if name in self.functions:
            raise EngineError(f'host module "{self.name}" has two functions called {name}')
        if timeout is not None and not (isinstance(timeout, int | float) and timeout > 0):
            raise EngineError(f"{self.name}.{name}: timeout must be seconds > 0, got {timeout!r}")
        word = f"{self.name}.{name}"
        try:
            signature = Signature(function)
        except ValueError:
            raise EngineError(f"{word}: Python does not tell its parameters; call it in a def of your own") from None
        self.functions[name] = HostFunction(word, name, kind, function, signature, timeout, process, self.payload)
        return function

    def _name_of(self, function: object) -> str:
        """What scripts call it."""
        name = getattr(_inner(function), "__name__", None) if callable(function) else None
        if name is None or not name.isidentifier():
            raise EngineError(f'host module "{self.name}": expected a function that has a name, got {function!r}')
        return str(name)

    def __repr__(self) -> str:
        return f"<HostModule {self.name}: {', '.join(self.functions) or 'empty'}>"


def _inner(function: Any) -> Any:
    """The function behind `functools.partial`."""
    while isinstance(function, functools.partial):
        function = function.func
    return function
