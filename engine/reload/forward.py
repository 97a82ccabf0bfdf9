"""Gives mail for the old version of some entities to the new one: each event once, to all that listens to it now.

What is held for a callback that coalesces is for what listens under the same name now: others of its entity have heard
that event, or find it in their own mail.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.bus.events import families, text
from engine.lua.actor import Actor, Mail

if TYPE_CHECKING:
    from engine.world import World

# Answers to what a task of the old version asked: that task is gone.
_FOR_OLD_TASKS = (b"reply", b"result", b"callback")


class Forwarding:
    """The mail of one state, taken while its entities still have their old subscriptions."""

    def __init__(self, world: World, old: Actor) -> None:
        self._world = world
        self._mail, self._held = world.delivery.boxes.take(old)
        self._names: dict[int, dict[int, str]] = {}  # entity -> callback -> what it listens to
        self._listened: dict[int, int] = {}  # callback -> entity
        self._each: set[tuple[int, str]] = set()  # entities that heard every event of a name, not only the newest
        self._watched: dict[int, tuple[int, bytes]] = {}
        self._told: set[tuple[int, bytes]] = set()
        for id in old.entities:
            names = self._names[id] = world.delivery.routes.names_of(id)
            self._listened |= dict.fromkeys(names, id)
            known = world.delivery.routes.of
            self._each |= {(id, name) for name in names.values() if not all(one.coalesce for one in known(id, name))}
            self._watched |= {callback: (id, key) for callback, key in world.shared.watched(id).items()}

    def requests(self) -> frozenset[int]:
        """The numbers of the requests that nobody has looked at yet: the new version answers them."""
        return frozenset(piece[4] for piece in self._mail if piece[0] == b"request")

    def deliver(self) -> None:
        """Put the mail into the inboxes of the new version, in its order."""
        last: tuple[int, Mail] = (0, ())
        for piece in self._mail:
            kind = piece[0]
            if type(kind) is int:
                last = self._event(kind, piece[1:], last)
            elif kind == b"direct":
                self._post(piece[1], piece[2:])
            elif kind not in _FOR_OLD_TASKS:
                entity = self._world.entity(piece[1])
                if entity is not None and entity.actor is not None:
                    self._world.delivery.boxes.put(entity.actor, piece)
        for (id, callback), piece in self._held.items():
            self._hold(id, self._names.get(id, {}).get(callback), piece[1:])

    def _event(self, callback: int, tail: Mail, last: tuple[int, Mail]) -> tuple[int, Mail]:
        """An event is in the mail once for each callback that heard it, in ascending order: deliver it once."""
        if callback in self._watched:
            self._tell(*self._watched[callback], tail)
            return last
        target = self._listened.get(callback)
        before, same = last
        again = callback > before and tail == same and target == self._listened.get(before)
        if target is not None and not again and self._world.delivery.hears(target, tail[0]):
            self._post(target, tail)
        return callback, tail

    def _post(self, target: int, tail: Mail) -> None:
        name, sender, shape, *leaves = tail
        self._world.delivery.post(target, name, sender, self._world.delivery.shapes.text(shape), tuple(leaves))

    def _hold(self, target: int, listened: str | None, tail: Mail) -> None:
        """What was held for a callback that listened to `listened`; the newest event of that name."""
        if listened is None:
            return
        delivery = self._world.delivery
        heirs = delivery.routes.of(target, listened)
        for heir in heirs:
            if heir.coalesce:
                delivery.hold(target, heir.callback, tail)
            elif (target, listened) not in self._each:
                delivery.deliver(target, heir.callback, tail)
        if not heirs and delivery.hears(target, tail[0]) and not self._heard_otherwise(target, listened, tail[0]):
            self._post(target, tail)

    def _heard_otherwise(self, target: int, listened: str, event: bytes) -> bool:
        """True where the old version had another subscription that heard the event."""
        name = text(event)
        others = {name, *families(name)} - {listened}
        return not others.isdisjoint(self._names[target].values())

    def _tell(self, target: int, key: bytes, tail: Mail) -> None:
        """A word about shared data is in the mail once for each callback that watched: tell each that watches now."""
        if (target, key) not in self._told:
            self._told.add((target, key))
            for callback, watched in self._world.shared.watched(target).items():
                if watched == key:
                    self._world.delivery.deliver(target, callback, tail)


def forwardings(world: World, actors: Iterable[Actor]) -> list[Forwarding]:
    """One for each actor that has mail, in order."""
    waiting = world.delivery.boxes.waiting()
    return [Forwarding(world, actor) for actor in actors if actor in waiting]
