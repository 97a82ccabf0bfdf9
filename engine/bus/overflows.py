"""Makes problems of events that found a mailbox full: who sent them, on which line, and what led to it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

from engine.bus.events import text
from engine.errors import LimitError
from engine.outbox import Values, only

if TYPE_CHECKING:
    from engine.world import World

MOST_LOST = 100
"""Events of one tick that found no room and become problems."""

MOST_PLACES = 4
"""Lines named of those where an event may have been sent."""


class Overflows:
    """The lost events of one world. `flat` is the result of a tick that is being carried out."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)
        self.flat: Values = ()
        self._lost: tuple[Values, int] = ((), 0)  # a result, and how many events of it found no room
        self._crowd: tuple[int, Values, Values] = (0, (), ())  # who sends many events, in which result, from where

    def sends_many(self, sender: int, place: Values) -> None:
        """From here on the events of this tick come from `place`: script and line."""
        self._crowd = sender, self.flat, place

    def lost(self, sender: int, name: bytes, target: int) -> None:
        """The mailbox of `target` was full: a problem of who sent the event, or had filled it before the game did."""
        delivery = self._world.delivery
        who = f"entity {sender}" if sender else "the game"
        what = f'{delivery.full(target)}: "{text(name)}" from {who} was not delivered; send less, or raise the limit'
        if sender:
            self._report(sender, name, what)
        elif delivery.crowded(target):
            self._report(target, b"", what)
        else:
            self._world.failures.fail(LimitError(what))

    def _report(self, sender: int, name: bytes, message: str) -> None:
        """A problem of the line that sent the event; an empty name stands for an event of the game."""
        world = self._world
        lost = self._lost[1] + 1 if self._lost[0] is self.flat else 1
        self._lost = self.flat, lost
        if lost > MOST_LOST:
            if lost == MOST_LOST + 1:
                world.failures.problem(f"more than {MOST_LOST} events of one tick found a mailbox full", entity=sender)
            return
        place = self._place(sender)
        if place is None and name:
            place, several = self._guess(sender, name)
            message += several
        ring, led_to = world.delivery.chains.ring(), world.delivery.chains.led_to(sender, name)
        if ring:
            message = f"{message}. Events answer each other: {ring}"
        elif led_to:
            message = f"{message}. What led to it: {led_to}"
        world.failures.problem(message, script=place and place[0], line=place and place[1], entity=sender)

    def _place(self, sender: int) -> tuple[str, int] | None:
        """Script and line of what an entity sends, if it sends so much in this tick that its state tells them."""
        entity, flat, place = self._crowd
        if entity != sender or flat is not self.flat:
            told = (values for _, entity, values in only(self.flat, b"at") if entity == sender)
            place = next(told, ())
        return (text(place[0]), place[1]) if place and place[1] > 0 else None

    def _guess(self, sender: int, name: bytes) -> tuple[tuple[str, int] | None, str]:
        """The first line of its script that sends such an event, and what to say where there are several."""
        entity = self._world.entity(sender)
        places = self._world.population.sources.sends(entity.script, name) if entity is not None else []
        if len(places) < 2:
            return (places[0] if places else None), ""
        several = " or ".join(f"{chunk}:{line}" for chunk, line in places[:MOST_PLACES])
        return places[0], f". It was sent at {several}{', or later' if len(places) > MOST_PLACES else ''}"
