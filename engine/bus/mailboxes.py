"""The inboxes of the states.

Mail keeps its order. A callback that coalesces has at most one piece of mail, which is held back until the other mail
of the frame is delivered, so that it is called once per frame with the newest event.
"""

from __future__ import annotations

import sys

from engine.bus.audiences import Audience
from engine.lua.actor import Actor, Mail

_POSTED = (b"direct", b"request")  # mail whose sender stands fourth; that of an event stands third


class Mailboxes:
    """Puts mail into inboxes. `mailed` are the actors to be ticked for it.

    Where one event is all the mail there is, it waits as `told`: its audience, and its name, sender, shape and leaves.
    Whoever looks at an inbox, or puts something into one, has it spread first.

    `limit` is what an inbox of the world holds at most, `least` what every inbox holds, whatever its script's own
    limit is.
    """

    def __init__(self, limit: int | None) -> None:
        self.limit = self.least = most(limit)
        self.told: tuple[Audience, Mail] | None = None
        self.held: dict[tuple[int, int], tuple[Actor, Mail]] = {}  # (entity, callback) -> newest mail
        self._mailed: dict[Actor, None] = {}
        self._crowded: dict[Actor, bool] = {}  # of those that are full, until they are read

    @property
    def mailed(self) -> dict[Actor, None]:
        if self.told is not None:
            self._spread()
        return self._mailed

    @property
    def any(self) -> bool:
        """True where somebody has mail."""
        return self.told is not None or bool(self._mailed)

    def tell(self, audience: Audience, tail: Mail) -> bool:
        """Have all of them hear an event; False where there is other mail already."""
        if self.told is not None or self._mailed or self.least < 1:
            return False
        self.told = audience, tail
        return True

    def take_told(self) -> tuple[Audience, Mail] | None:
        """The event that is all the mail there is, to be heard now."""
        told, self.told = self.told, None
        return told

    def put(self, actor: Actor, mail: Mail) -> None:
        """Put mail that must arrive: an answer, a hook, a word about shared data."""
        mailed = self.mailed
        actor.inbox.append(mail)
        mailed[actor] = None

    def offer(self, actor: Actor, mail: Mail) -> bool:
        """Put an event; False where the inbox is full."""
        if self.told is not None:
            self._spread()
        held = len(actor.inbox)
        if held >= self.least and held >= most(actor.limits.mailbox):
            return False
        self.put(actor, mail)
        return True

    def crowded(self, actor: Actor | None) -> bool:
        """True where events of scripts lie in a full inbox: it is not the game alone that has filled it."""
        if actor is None:
            return False
        if actor not in self._crowded:  # looked through once, however many events find no room
            inbox = actor.inbox
            self._crowded[actor] = any(
                mail[2] if type(mail[0]) is int else mail[0] in _POSTED and mail[3] for mail in inbox
            )
        return self._crowded[actor]

    def hold(self, actor: Actor, entity: int, callback: int, mail: Mail) -> None:
        """Keep the newest mail of a callback for `release`."""
        self.held[entity, callback] = actor, mail

    def release(self) -> None:
        """Deliver what is held, in the order of first triggers."""
        held, self.held = self.held, {}
        for actor, mail in held.values():
            self.put(actor, mail)

    def take_mailed(self) -> dict[Actor, None]:
        """The actors that have mail, to be ticked now."""
        mailed, self._mailed = self.mailed, {}
        if self._crowded:
            self._crowded.clear()
        return mailed

    def waiting(self) -> set[Actor]:
        """All who have mail, or for whom some is held."""
        return {*self.mailed, *(actor for actor, _ in self.held.values())}

    def take(self, actor: Actor) -> tuple[list[Mail], dict[tuple[int, int], Mail]]:
        """All mail of an actor, to be given to another: its inbox, and what is held by (entity, callback)."""
        if self.told is not None:
            self._spread()
        mail, actor.inbox = actor.inbox, []
        held = {key: piece for key, (owner, piece) in self.held.items() if owner is actor}
        self.forget(actor)
        return mail, held

    def drop(self, entity: int, callback: int) -> None:
        """A subscription ended: what is held for it is void."""
        self.held.pop((entity, callback), None)

    def close(self) -> None:
        self.told = None
        self._mailed.clear()
        self._crowded.clear()
        self.held.clear()

    def forget(self, actor: Actor) -> None:
        """The actor is not ticked any more."""
        self.mailed.pop(actor, None)
        self._crowded.pop(actor, None)
        if self.held:
            self.held = {key: (owner, mail) for key, (owner, mail) in self.held.items() if owner is not actor}

    def _spread(self) -> None:
        """Put the event that waits for its audience into their inboxes."""
        told, self.told = self.told, None
        if told is None:
            return
        audience, tail = told
        known, mail = 0, ()
        for actor, callback in zip(audience.actors, audience.callbacks, strict=True):
            # Scripts that are alike have the same callback ids, so one piece of mail serves many.
            if callback != known:
                known, mail = callback, (callback, *tail)
            actor.inbox.append(mail)
            self._mailed[actor] = None


def most(limit: int | None) -> int:
    """How many events a limit allows."""
    return sys.maxsize if limit is None else limit
