"""Runs the host modules of one world.

Calls begin at the end of a frame; results and callbacks come in at the start of one, in the order of their
completion.
"""

from __future__ import annotations

import inspect
import logging
import time
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.bus.events import text
from engine.errors import EngineError, ScriptError
from engine.host.arguments import arguments
from engine.host.callback import Callback, Callbacks
from engine.host.calls import Call, Calls
from engine.host.faults import Failure, Faults, failure_of
from engine.host.kinds import Mismatch
from engine.host.module import HostFunction, HostModule
from engine.host.plain import Plain
from engine.host.pools import Pools
from engine.host.runtimes import Runtimes
from engine.host.work import Outcome, failed, too_late
from engine.lua.actor import Actor
from engine.lua.parts import PART
from engine.payload import Encoded

if TYPE_CHECKING:
    from engine.world import World

_log = logging.getLogger("tidelock")

Values = tuple[Any, ...]


class Host:
    """The modules that are installed in a world, the calls that run, and where they run."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)
        self._modules: dict[str, HostModule] = {}
        self._functions: dict[tuple[bytes, bytes], HostFunction] = {}
        self._calls = Calls(world.limits.world_calls)
        self._timed: dict[Call, None] = {}  # blocking calls whose time may be over before they end
        self._faults = Faults()
        self._plain = Plain(world.limits, world.lua)
        self._callbacks = Callbacks(world, self._plain)
        ended = _weakly(self._ended)  # what works on other threads holds this host, and so the world, weakly
        self._pools = Pools(world.limits.threads, self._plain.result, ended)
        self._runtimes = Runtimes(self._plain.result, ended)
        self._parts: dict[int, Values] = {}
        self._rest: dict[int, Values] = {}

    @property
    def pending(self) -> int:
        return len(self._calls)

    # Modules.

    def install(self, module: HostModule, loop: AbstractEventLoop | None) -> None:
        if module.name in self._modules:
            raise EngineError(f'a host module "{module.name}" is installed already; uninstall it first')
        if not isinstance(loop, AbstractEventLoop | None):
            raise EngineError(f"install: loop must be an asyncio loop, got {loop!r}")
        self._modules[module.name] = module
        for function in module.functions.values():
            self._functions[module.name.encode(), function.name.encode()] = function
        if loop is not None:
            self._runtimes.give(module.name, loop)

    def uninstall(self, name: str) -> None:
        module = self._modules.get(name)
        if module is None:
            raise EngineError(f'no host module "{name}" is installed')
        for call in self._calls:
            if module.functions.get(call.function.name) is call.function:
                self._answer(call, failed(f'{call.function.word}: the host module "{name}" was uninstalled'))
                call.drop()
        self._end(module)
        del self._modules[name]
        self._functions = {key: found for key, found in self._functions.items() if key[0] != name.encode()}
        self._runtimes.forget(name)

    def installed(self) -> list[HostModule]:
        return list(self._modules.values())

    def describe(self, name: str) -> Values | None:
        module = self._modules.get(name)
        if module is None:
            return None
        words = [word.encode() for f in module.functions.values() for word in (f.name, f.kind)]
        return (self._plain.bytes(module.payload), *words)

    # Calls within a tick.

    def question(self, word: bytes, actor: Actor, entity: int, values: Values) -> Values:
        if word == b"part":
            self._parts[entity] = self._parts.get(entity, ()) + values
            return ()
        if word == b"rest":
            return self._part(entity, self._rest.pop(entity))
        values = self._parts.pop(entity, ()) + values
        function, args, options = self._bind(actor, entity, values, direct=True)
        shape, leaves = self._call_now(function, args, options)
        self._world.loop.operations.digest.note(b"answer", entity, (shape, *leaves))
        return (shape, len(leaves), *self._part(entity, leaves))

    def _part(self, entity: int, leaves: Values) -> Values:
        if len(leaves) > PART:
            self._rest[entity] = leaves[PART:]
        return leaves[:PART]

    def _call_now(self, function: HostFunction, args: list[Any], options: dict[str, Any]) -> Encoded:
        try:
            value = function.function(*args, **options)
        except BaseException as error:
            failure = failure_of(function.word, error)
            told = failure.text
            if isinstance(error, Exception):
                self._faults.remember(failure, frames=False)
            else:
                self._world.failures.fail(error)  # Ctrl-C must not cross Lua: it leaves the tick when that is over
            del failure  # what leaves the tick keeps this frame, which would keep it, and the states of the tick
            raise EngineError(told) from error
        try:
            return self._plain.result(function, value)
        except EngineError as error:
            raise EngineError(f"{function.word}: {error}") from error

    def _bind(
        self, actor: Actor, entity: int, values: Values, *, direct: bool
    ) -> tuple[HostFunction, list[Any], dict[str, Any]]:
        module, name = values[0], values[1]

        def callback(key: int) -> Callback:
            return self._callbacks.make(actor, key, entity, text(module + b"." + name))

        args = arguments(values[2:], callback)
        function = self._functions.get((module, name))
        if function is None:
            word = text(module)
            raise EngineError(f'{word}.{text(name)}: the host module "{word}" is not installed any more')
        if direct is not (function.kind == "function"):
            raise EngineError(f"{function.word}: it is another kind of function since its module was installed anew")
        try:
            return (function, *function.signature.bind(args))
        except Mismatch as error:
            raise EngineError(f"{function.word}: {error}") from None

    # Calls that a task waits for.

    def start(self, actor: Actor, entity: int, values: Values) -> None:
        try:
            function, args, options = self._bind(actor, entity, values[1:], direct=False)
        except EngineError as error:
            self._put(entity, values[0], failed(str(error)))
            return
        self._calls.add(Call(entity, values[0], function, args, options, actor.permit, actor.limits.calls))

    def cancel(self, entity: int, token: int) -> None:
        self._calls.cancel(entity, token)

    def leave(self, entity: int) -> None:
        self._calls.leave(entity)
        self._parts.pop(entity, None)
        self._rest.pop(entity, None)

    def begin_frame(self) -> None:
        """Give up calls whose time is over, and those whose loop is gone."""
        now = time.monotonic()
        for call in list(self._timed):
            if call.began is not None and now - call.began > (call.function.timeout or 0.0):
                self._answer(call, too_late(call.function))
                call.drop()
                del self._timed[call]
        for runtime in self._runtimes.take_closed():
            for call in [call for call in self._calls.running if call.runtime is runtime]:
                self._finish(call, failed(f"{call.function.word}: CancelledError: its asyncio loop was closed"))

    def end_frame(self) -> None:
        """Begin the calls that may run."""
        call = self._calls.take_ready()
        while call is not None:
            try:
                self._begin(call)
            except EngineError as error:
                self._finish(call, failed(f"{call.function.word}: {error}"))
            call = self._calls.take_ready()

    def _begin(self, call: Call) -> None:
        if call.function.kind == "blocking":
            if call.function.timeout is not None:
                self._timed[call] = None
            self._pools.start(call)
        else:
            self._runtimes.runtime(call.function.word.rpartition(".")[0]).start(call)

    def _ended(self, call: Call, outcome: Outcome) -> None:
        """The work of `call` is over; called on the thread where it ran."""
        self._world.delivery.from_outside(partial(self._finish, call, outcome))

    def _finish(self, call: Call, outcome: Outcome) -> None:
        if call in self._calls.running:
            self._calls.ended(call)
            self._timed.pop(call, None)
            self._answer(call, outcome)

    def _answer(self, call: Call, outcome: Outcome) -> None:
        if self._calls.close(call):
            self._put(call.entity, call.token, outcome)

    def _put(self, entity: int, token: int, outcome: Outcome) -> None:
        shape, leaves = outcome.value or (b".", (_failure(outcome).text.encode(),))
        if outcome.failure is not None:
            self._faults.remember(outcome.failure)
        self._world.loop.operations.digest.note(b"result", entity, (token, shape, *leaves))
        self._world.delivery.answer(entity, (b"result", token, outcome.value is not None, shape, *leaves))

    # Errors and the end.

    def explain(self, error: ScriptError) -> None:
        self._faults.explain(error)

    def close(self) -> None:
        for call in self._calls:
            call.drop()
        for module in self._modules.values():
            self._end(module)
        self._runtimes.close()
        self._pools.close()
        self._faults.clear()

    def _end(self, module: HostModule) -> None:
        """Run the module's endings: coroutines in the loop of its others, functions here."""
        for ending in module.endings:
            try:
                if inspect.iscoroutinefunction(ending):
                    self._runtimes.runtime(module.name).end(ending)
                else:
                    ending()
            except Exception:  # the others must end, too
                _log.exception("the ending of host module %s failed", module.name)


def _weakly(method: Callable[[Call, Outcome], None]) -> Callable[[Call, Outcome], None]:
    """A method that does not keep its object, and does nothing when that is gone."""
    reference = weakref.WeakMethod(method)

    def call(call: Call, outcome: Outcome) -> None:
        found = reference()
        if found is not None:
            found(call, outcome)

    return call


def _failure(outcome: Outcome) -> Failure:
    return outcome.failure or Failure("the call gave nothing")
