"""Writes what a world does as a trace for Perfetto (ui.perfetto.dev) or chrome://tracing.

Every entity is a row, the engine another. Spans are frames, ticks, tasks and reloads; arrows lead from each event,
request and shared value to the handlers that it caused. While no trace is on, nothing of this runs.
"""

from __future__ import annotations

import json
import logging
import os
import weakref
from collections import deque
from contextlib import suppress
from itertools import count
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any

from engine.bus.events import text
from engine.lua.actor import Actor, Result
from engine.payload import Encoded
from engine.probes import Probes, Shape, flow_of

if TYPE_CHECKING:
    from engine.world import World

_log = logging.getLogger("tidelock")

ENGINE_ROW = 0
_SPAN = 7
_TINY = 1e-6


class Trace:
    """A trace that is being written. `close()`, or the end of its `with`, completes the file."""

    def __init__(self, world: World, path: str | os.PathLike[str]) -> None:
        self._world: World | None = weakref.proxy(world)
        self._file = open(path, "w", encoding="utf-8")  # noqa: SIM115 - closed by `close`
        self._file.write('{"displayTimeUnit": "ms", "traceEvents": [\n')
        self._lock = Lock()
        self._started = perf_counter()
        self._flows = count(1)
        self._rows: set[int] = set()
        self._puts: weakref.WeakKeyDictionary[Actor, deque[tuple[bytes, float]]] = weakref.WeakKeyDictionary()
        self._write(ph="M", name="process_name", tid=ENGINE_ROW, args={"name": "tidelock"})
        self._row(ENGINE_ROW, "engine")
        self._probes = Probes(world, self)
        world.on_reload(self._reloaded)
        for actor in world.states.actors.values():
            self.follow(actor)

    def close(self) -> None:
        """Complete the file; closing twice does nothing."""
        if self._world is None:
            return
        self._world = None
        self._probes.remove()
        for actor in list(self._puts):
            if actor.alive:
                actor.function("trace", "stop")()
        self._put("{}]}\n", last=True)

    def __enter__(self) -> Trace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # What the probes call.

    def follow(self, actor: Actor) -> None:
        """Let a state note what its tasks do."""
        if actor not in self._puts:
            self._puts[actor] = deque()
            actor.note_spans(perf_counter)

    def frame(self, number: int, started: float) -> None:
        self._span(ENGINE_ROW, f"frame {number}", started, perf_counter(), frame=number)

    def tick(self, actors: list[Actor]) -> list[Result]:
        """What `actor.tick` does, one state after the other, with a span for each."""
        return [self._tick(actor) for actor in actors]

    def cause(self, actor: Actor, name: bytes, entity: int, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """An operation that handlers somewhere will hear of: the start of an arrow, and values that remember it."""
        at = self._time_of(actor, name)
        what = f"{text(name)} {text(values[0])}" if isinstance(values[0], bytes) else text(name)
        self._instant(entity, what, at)
        return (*values[:3], self._arrow(values[3], entity, at), *values[4:])

    def from_game(self, encoded: Encoded) -> Encoded:
        """A payload of the game, from any thread: an arrow from the engine's row."""
        at = perf_counter()
        self._span(ENGINE_ROW, "from the game", at, at + _TINY, frame=self._frame)
        shape, leaves = encoded
        return self._arrow(shape, ENGINE_ROW, at), leaves

    def listened(self, name: str, shape: bytes, started: float) -> None:
        """A listener of the game was called."""
        self._span(ENGINE_ROW, f"listener {name}", started, perf_counter(), frame=self._frame)
        self._arrive(getattr(shape, "flow", None), ENGINE_ROW, started)

    def noted(self, name: bytes, entity: int, values: tuple[Any, ...]) -> None:
        """Calls of host functions: as long as they are under way, or just that there was one."""
        if name == b"call":
            what = f"{text(values[1])}.{text(values[2])}"
            self._call("b", entity, values[0], what)
        elif name == b"result":
            self._call("e", entity, values[0], "")
        elif name == b"answer":
            self._instant(entity, "host function", perf_counter())

    # Writing.

    @property
    def _frame(self) -> int:
        return 0 if self._world is None else self._world.frame

    def _tick(self, actor: Actor) -> Result:
        self.follow(actor)
        flows = [flow_of(mail) for mail in actor.inbox]
        started = perf_counter()
        try:
            result = actor.commons.enter(actor.deliver, actor.clock.args)
        except Exception as error:
            result = error
        self._span(actor.key, "tick", started, perf_counter(), frame=self._frame)
        if actor.alive:
            self._take(actor, flows)
        return result

    def _take(self, actor: Actor, flows: list[int | None]) -> None:
        """Write the spans that a state noted, and end the arrows at the tasks that its mail woke."""
        spans = _all(actor.function("trace", "spans"))
        puts = _all(actor.function("trace", "puts"))
        actor.function("trace", "clear")()
        self._puts[actor].extend(zip(puts[::2], puts[1::2], strict=True))
        for at in range(0, len(spans), _SPAN):
            entity, frame, what, started, ended, outcome, mail = spans[at : at + _SPAN]
            self._span(entity, text(what), started, ended, frame=frame, outcome=text(outcome))
            if 0 < mail <= len(flows):
                self._arrive(flows[mail - 1], entity, started)

    def _time_of(self, actor: Actor, name: bytes) -> float:
        """When the next operation of that name was put; now where nobody noted it."""
        puts = self._puts.get(actor)
        if puts is not None and not puts and actor.alive:
            self._take(actor, [])
        while puts:
            operation, at = puts.popleft()
            if operation == name:
                return at
        return perf_counter()

    def _arrow(self, shape: bytes, entity: int, at: float) -> bytes:
        flow = next(self._flows)
        self._write(ph="s", cat="event", name="cause", id=flow, tid=entity, at=at)
        return Shape(shape, flow)

    def _arrive(self, flow: int | None, entity: int, at: float) -> None:
        if flow is not None:
            self._write(ph="f", bp="e", cat="event", name="cause", id=flow, tid=entity, at=at)

    def _span(self, entity: int, name: str, started: float, ended: float, **args: Any) -> None:
        duration = max(ended - started, _TINY) * 1e6
        self._write(ph="X", name=name, tid=entity, at=started, dur=round(duration, 3), args={"entity": entity, **args})

    def _instant(self, entity: int, name: str, at: float) -> None:
        args = {"entity": entity, "frame": self._frame}
        self._write(ph="i", s="t", name=name, tid=entity, at=at, args=args)

    def _call(self, phase: str, entity: int, token: int, what: str) -> None:
        args = {"entity": entity, "frame": self._frame}
        name = what or "host call"
        self._write(ph=phase, cat="host", name=name, id=f"{entity}:{token}", tid=entity, at=perf_counter(), args=args)

    def _reloaded(self, reload: Any) -> None:
        now = perf_counter()
        name = f"reload {reload.script}"
        self._span(ENGINE_ROW, name, now - reload.seconds, now, frame=self._frame, version=reload.version)

    def _row(self, entity: int, name: str) -> None:
        self._rows.add(entity)
        self._write(ph="M", name="thread_name", tid=entity, args={"name": name})

    def _write(self, *, tid: int, at: float | None = None, **event: Any) -> None:
        if self._world is None:
            return
        if tid not in self._rows:
            found = self._world.entity(tid)
            self._row(tid, f"{found.script} {tid}" if found is not None else f"entity {tid}")
        if at is not None:
            event["ts"] = round((at - self._started) * 1e6, 3)
        line = json.dumps({"pid": 1, "tid": tid, **event})
        self._put(line + ",\n")

    def _put(self, line: str, *, last: bool = False) -> None:
        """A full disk ends the trace, not the game."""
        with self._lock:
            if self._file.closed:
                return
            try:
                self._file.write(line)
                if last:
                    self._file.close()
            except OSError as error:
                _log.warning("the trace ends here, as it cannot be written: %s", error.strerror)
                with suppress(OSError):
                    self._file.close()


def _all(part: Any) -> list[Any]:
    """All values of a list that comes in parts: how many are left after this one, and the values."""
    values: list[Any] = []
    left = 1
    while left:
        answer = part(len(values) + 1)
        left, *some = answer if isinstance(answer, tuple) else (answer,)
        values += some
    return values
