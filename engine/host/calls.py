"""The calls that have no answer yet, and which of them may run.

Calls of one entity begin in their order; entities take turns in the order in which their calls could begin.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from engine.host.module import HostFunction
from engine.permits import Permit

CALLER: ContextVar[Permit | None] = ContextVar("caller", default=None)
"""What the mod that called the running coroutine is held to."""


class Call:
    """One call of a coroutine or a blocking function, by a task that waits."""

    __slots__ = (
        *("args", "began", "dropped", "entity", "function", "most", "options", "permit", "runtime", "stop", "token"),
    )

    def __init__(
        self,
        entity: int,
        token: int,
        function: HostFunction,
        args: list[Any],
        options: dict[str, Any],
        permit: Permit | None = None,
        most: int | None = None,
    ) -> None:
        self.entity = entity
        self.token = token
        self.function = function
        self.args = args
        self.options = options
        self.permit = permit  # of the mod that calls
        self.most = most  # calls of that entity at once
        self.dropped = False  # nobody waits for it any more
        self.runtime: object = None  # where it runs
        self.began: float | None = None
        self.stop: Callable[[], object] | None = None

    def drop(self) -> None:
        """Nobody waits for the answer: cancel a coroutine, and what has not begun."""
        self.dropped = True
        stop = self.stop  # the thread where it runs may take it away
        if stop is not None:
            stop()


class Calls:
    """The open calls of a world. `world_limit` bounds how many run at once, and each call those of its entity."""

    def __init__(self, world_limit: int | None) -> None:
        self._world_limit = world_limit
        self._open: dict[int, dict[int, Call]] = {}  # entity -> token -> call
        self._queues: dict[int, deque[Call]] = {}  # over the entity's limit
        self._admitted: dict[int, int] = {}  # how many of an entity are ready or run
        self._ready: deque[Call] = deque()
        self.running: dict[Call, None] = {}

    def __len__(self) -> int:
        return sum(len(calls) for calls in self._open.values())

    def __iter__(self) -> Iterator[Call]:
        return iter([call for calls in self._open.values() for call in calls.values()])

    def add(self, call: Call) -> None:
        self._open.setdefault(call.entity, {})[call.token] = call
        self._queues.setdefault(call.entity, deque()).append(call)
        self._admit(call.entity)

    def take_ready(self) -> Call | None:
        """The next call to begin, or None while as many run as may."""
        while self._ready and (self._world_limit is None or len(self.running) < self._world_limit):
            call = self._ready.popleft()
            if call.dropped:
                self._leave_room(call.entity)
            else:
                self.running[call] = None
                return call
        return None

    def ended(self, call: Call) -> None:
        """The work of a call is over: another one may begin."""
        del self.running[call]
        self._leave_room(call.entity)

    def close(self, call: Call) -> bool:
        """Take a call that gets its answer now; False where nobody waits for it."""
        if call.dropped:
            return False
        self._forget(call)
        return True

    def cancel(self, entity: int, token: int) -> None:
        call = self._open.get(entity, {}).get(token)
        if call is not None:
            self._forget(call)
            call.drop()

    def leave(self, entity: int) -> None:
        for call in self._open.pop(entity, {}).values():
            call.drop()

    def _forget(self, call: Call) -> None:
        calls = self._open[call.entity]
        del calls[call.token]
        if not calls:
            del self._open[call.entity]

    def _admit(self, entity: int) -> None:
        queue = self._queues[entity]
        while queue and (queue[0].most is None or self._admitted.get(entity, 0) < queue[0].most):
            call = queue.popleft()
            if not call.dropped:
                self._admitted[entity] = self._admitted.get(entity, 0) + 1
                self._ready.append(call)
        if not queue:
            del self._queues[entity]

    def _leave_room(self, entity: int) -> None:
        self._admitted[entity] -= 1
        if not self._admitted[entity]:
            del self._admitted[entity]
        if entity in self._queues:
            self._admit(entity)
