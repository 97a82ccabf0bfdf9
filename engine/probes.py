"""Puts a trace where events, ticks and calls pass, and takes it away again.

While no trace is on, every part of the world does what it does without one: probes replace what its objects have.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from engine.lua.actor import Actor

if TYPE_CHECKING:
    from engine.bus.bus import Bus
    from engine.bus.delivery import Delivery
    from engine.entity import Entity
    from engine.operations import Operations
    from engine.states import States
    from engine.trace import Trace
    from engine.world import World

_CAUSES = (b"emit", b"send", b"request", b"reply", b"set")


class Probes:
    """The probes of one trace, put on by making this."""

    def __init__(self, world: World, trace: Trace) -> None:
        self._undo: list[tuple[Any, ...]] = []
        self._on_events(world.bus, world.delivery, trace)
        self._on_frames(world, trace)
        self._on_births(world.states, trace)
        self._on_operations(world.loop.operations, trace)

    def remove(self) -> None:
        for target, name, *original in self._undo:
            if original:
                setattr(target, name, original[0])
            else:
                delattr(target, name)

    def _set(self, target: Any, name: str, value: Any) -> None:
        """Replace what an object has; a method of its class comes back by itself."""
        kept = (target, name, vars(target)[name]) if name in vars(target) else (target, name)
        self._undo.append(kept)
        setattr(target, name, value)

    def _on_events(self, bus: Bus, delivery: Delivery, trace: Trace) -> None:
        number, call, encode = delivery.shapes.number, delivery.call, bus.encode

        def numbered(shape: bytes) -> int | bytes:
            if not isinstance(shape, Shape):
                return number(shape)
            found = number(bytes(shape))
            return _Number(found, shape.flow) if isinstance(found, int) else shape

        def called(listener: Any, event: Any) -> None:
            started = perf_counter()
            shape = event.shape
            call(listener, event)
            trace.listened(event.name, shape, started)

        self._set(delivery.shapes, "number", numbered)
        self._set(delivery, "call", called)
        self._set(bus, "encode", lambda value, what: trace.from_game(encode(value, what)))

    def _on_frames(self, world: World, trace: Trace) -> None:
        run = world.loop.run

        def ran(dt: float, scale: float) -> None:
            started = perf_counter()
            run(dt, scale)
            trace.frame(world.frame, started)

        self._set(world.loop, "run", ran)
        self._set(world.loop, "tick", trace.tick)

    def _on_births(self, states: States, trace: Trace) -> None:
        make = states.make

        def made(entity: Entity, *_: Any, **where: Any) -> Actor:
            actor = make(entity, **where)  # which reads its script at the birth: that is to be seen, too
            trace.follow(actor)
            return actor

        self._set(states, "make", made)

    def _on_operations(self, operations: Operations, trace: Trace) -> None:
        note = operations.digest.note

        def noted(name: bytes, entity: int, values: tuple[Any, ...]) -> None:
            note(name, entity, values)
            trace.noted(name, entity, values)

        table = dict(operations.by_name)
        for name in _CAUSES:
            table[name] = _caused(trace, name, table[name])
        table[b"call"] = _began(trace, table[b"call"])
        self._set(operations.digest, "note", noted)
        self._set(operations, "by_name", table)


def _caused(trace: Trace, name: bytes, carry_out: Any) -> Any:
    def caused(operations: Any, actor: Actor, entity: int, values: tuple[Any, ...]) -> None:
        carry_out(operations, actor, entity, trace.cause(actor, name, entity, values))

    return caused


def _began(trace: Trace, carry_out: Any) -> Any:
    def began(operations: Any, actor: Actor, entity: int, values: tuple[Any, ...]) -> None:
        trace.noted(b"call", entity, values)
        carry_out(operations, actor, entity, values)

    return began


class Shape(bytes):
    """A shape that knows where its arrow began; it crosses like any other."""

    flow: int

    def __new__(cls, shape: bytes, flow: int) -> Shape:
        made = super().__new__(cls, shape)
        made.flow = flow
        return made


class _Number(int):
    """The same for the number of a shape."""

    flow: int

    def __new__(cls, number: int, flow: int) -> _Number:
        made = super().__new__(cls, number)
        made.flow = flow
        return made


def flow_of(mail: tuple[Any, ...]) -> int | None:
    """The arrow that ends at a piece of mail."""
    for value in mail[:6]:
        if isinstance(value, Shape | _Number):
            return value.flow
    return None
