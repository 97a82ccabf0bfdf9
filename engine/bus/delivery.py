"""Brings events to the states that listen, through their inboxes, and to the listeners of the game.

What comes from outside (`from_outside`) only queues, from any thread; it enters the inboxes at the start of the next
frame. All else happens on the ticking thread.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from engine.bus.audiences import Audiences
from engine.bus.chains import Chains
from engine.bus.events import ENGINE, Event, Listener, text
from engine.bus.kinds import Kinds
from engine.bus.mailboxes import Mailboxes
from engine.bus.overflows import Overflows
from engine.bus.requests import Requests
from engine.bus.routes import Routes, Subscription
from engine.bus.shapes import Shapes
from engine.errors import LimitError, WorldClosed
from engine.lua.actor import Actor, Mail
from engine.lua.commons import Outside
from engine.lua.rounds import HEARD

Leaves = tuple[Any, ...]


class Delivery:
    """The events of one world. What a listener of the game raises goes to `failed`."""

    def __init__(
        self,
        mailbox: int | None,
        failed: Callable[[Exception], None],
        overflows: Overflows,
        outside: Outside,
    ) -> None:
        self.boxes = Mailboxes(mailbox)
        self.routes = Routes()
        self.shapes = Shapes()
        self.kinds = Kinds()
        self.chains = Chains(partial(Delivery.hears, weakref.proxy(self)))
        self.requests = Requests(partial(Delivery.answer, weakref.proxy(self)))
        self.pruned = 0
        self._failed = failed
        self.overflows = overflows
        self._actors: dict[int, Actor] = {}
        self.audiences = Audiences(self._actors)
        self._expected: dict[int, list[Callable[[], object]]] = {}
        self._outside = outside
        self._closed = False

    def from_outside(self, action: Callable[[], object]) -> None:
        """Run `action` at the start of the next frame, in order with the events from outside; from any thread."""
        if self._closed:
            raise WorldClosed("the world is closed")
        self._outside.add(action)

    def expect(self, entity: int) -> None:
        """Keep mail for an entity that is about to be made, from the first time on that this is said."""
        self._expected.setdefault(entity, [])

    def join(self, entity: int, actor: Actor) -> None:
        """The entity lives in `actor`; mail that waited for it comes with what is next from outside."""
        self._actors[entity] = actor
        self.audiences.forget()
        if self._expected:
            for action in self._expected.pop(entity, ()):
                self._outside.add(action)

    def leave(self, entity: int, unread: frozenset[int] | None = None) -> None:
        """Forget an entity: what it listens to, what it was asked and what it asked.

        At a reload `unread` are the requests that the next version will answer.
        """
        self._actors.pop(entity, None)
        self.audiences.forget()
        self._expected.pop(entity, None)
        self.pruned += self.routes.unsubscribe_all(entity)
        self.requests.leave(entity, unread)

    def close(self) -> None:
        """Forget who listens and what is queued; whoever waits for an answer gets `WorldClosed`."""
        self._closed = True
        self._actors.clear()
        self._expected.clear()
        self.audiences.forget()
        self.routes.close()
        self._outside.end()
        self.boxes.close()
        self.requests.close()

    def subscribe(self, entity: int, callback: int, name: str, coalesce: bool = False) -> None:
        self.routes.subscribe(entity, callback, name, coalesce)
        self.audiences.forget()

    def unsubscribe(self, entity: int, callback: int) -> None:
        self.routes.unsubscribe(entity, callback)
        self.audiences.forget()
        self.boxes.drop(entity, callback)

    def hears(self, entity: int, name: bytes) -> bool:
        """True where the entity listens to events of this name."""
        route = self.routes.known.get(name) or self.routes.find(name)
        return entity in route.by_entity

    def living(self) -> set[int]:
        """The entities for which the bus keeps anything."""
        return {*self._actors, *self._expected, *self.routes.entities()}

    def publish(self, name: bytes, sender: int, shape: bytes, leaves: Leaves) -> None:
        """Deliver to all who listen to `name`."""
        self.chains.note(sender, name)
        subscriptions, listeners, _ = self.routes.known.get(name) or self.routes.find(name)
        tail = (name, sender, self.shapes.number(shape), *leaves)
        audience = self.audiences.find(name, subscriptions) if len(tail) < HEARD else None
        if audience is None or not self.boxes.tell(audience, tail):
            self._mail(subscriptions, tail)
        for listener in listeners:
            self.call(listener, Event(text(name), (shape, leaves), sender or None))

    def _mail(self, subscriptions: list[Subscription], tail: Mail) -> None:
        actors, boxes = self._actors, self.boxes
        mailed, least = boxes.mailed, boxes.least
        known, mail = 0, ()
        for entity, callback, coalesce in subscriptions:
            # Scripts that are alike have the same callback ids, so one piece of mail serves many.
            if callback != known:
                known, mail = callback, (callback, *tail)
            if entity not in actors:
                self._prune(entity, callback)
                continue
            actor = actors[entity]
            if coalesce:
                boxes.hold(actor, entity, callback, mail)
            elif len(inbox := actor.inbox) < least:
                inbox.append(mail)
                mailed[actor] = None
            elif not boxes.offer(actor, mail):
                self._mail_past(entity, tail)
                break

    def _mail_past(self, full: int, tail: Mail) -> None:
        """Go on where an entity had no room: once for each entity, however often those that are full listen."""
        name, sender = tail[:2]
        route = self.routes.known.get(name) or self.routes.find(name)
        self.overflows.lost(sender, name, full)
        for entity, subscriptions in route.by_entity.items():
            if entity > full and not self._offer(entity, subscriptions, tail):
                self.overflows.lost(sender, name, entity)

    def _offer(self, entity: int, subscriptions: list[Subscription], tail: tuple[Any, ...]) -> bool:
        """Deliver to one entity; False where there was no room for all of it."""
        actor = self._actors.get(entity)
        for _, callback, coalesce in subscriptions:
            if actor is None:
                self._prune(entity, callback)
            elif coalesce:
                self.boxes.hold(actor, entity, callback, (callback, *tail))
            elif not self.boxes.offer(actor, (callback, *tail)):
                return False
        return True

    def post(self, target: int, name: bytes, sender: int, shape: bytes, leaves: Leaves) -> None:
        """Deliver to one entity: to its subscriptions of that name, else to its `on_event`."""
        self.chains.note(sender, name, target)
        actor = self._actors.get(target)
        if actor is None:
            self._wait_for(target, partial(self.post, target, name, sender, shape, leaves), sender, name)
            return
        route = self.routes.known.get(name) or self.routes.find(name)
        subscriptions = route.by_entity.get(target)
        tail = (name, sender, self.shapes.number(shape), *leaves)
        if subscriptions:
            taken = self._offer(target, subscriptions, tail)
        else:
            taken = self.boxes.offer(actor, (b"direct", target, *tail))
        if not taken:
            self.overflows.lost(sender, name, target)

    def deliver(self, entity: int, callback: int, tail: tuple[Any, ...]) -> None:
        """Deliver (name, sender, shape, leaves...) to one callback."""
        actor = self._actors.get(entity)
        if actor is not None:
            self.boxes.put(actor, (callback, *tail))

    def hold(self, entity: int, callback: int, tail: tuple[Any, ...]) -> None:
        """The same for a callback that coalesces: unless something newer comes in this frame."""
        actor = self._actors.get(entity)
        if actor is not None:
            self.boxes.hold(actor, entity, callback, (callback, *tail))

    def answer(self, entity: int, mail: Mail) -> None:
        """Give an entity what a task of it waits for: there is always room for that."""
        actor = self._actors.get(entity)
        if actor is not None:
            self.boxes.put(actor, mail)

    def ask(self, sender: int, name: bytes, target: int, token: int, shape: bytes, leaves: Leaves) -> None:
        """A request from an entity's task; the answer, or why there is none, goes to its `token`."""
        self.put_question(self.requests.open(target, name, asker=sender, token=token), shape, leaves)

    def answered(self, entity: int, number: int, asker: int) -> None:
        """A request of `asker` has been answered."""
        request = self.requests.get(number)
        if request is not None and asker:
            self.chains.note(entity, request.name, asker)

    def call(self, listener: Listener, event: Event) -> None:
        """Call a listener of the game; what it raises comes out of this tick when the frame is over."""
        if not listener.active:
            return
        if listener.once:
            listener.cancel()
        try:
            listener.callback(event)
        except Exception as error:
            self._failed(error)

    def put_question(self, number: int, shape: bytes, leaves: Leaves) -> None:
        """Deliver a request that is open to who is asked."""
        request = self.requests.get(number)
        if request is None:
            return
        target, name, sender = request.target, request.name, request.asker or ENGINE
        self.chains.note(sender, name, target)
        actor = self._actors.get(target)
        if actor is not None:
            mail = (b"request", target, name, sender, number, self.shapes.number(shape), *leaves)
            if not self.boxes.offer(actor, mail):
                self.requests.fail(number, LimitError(f"{self.full(target)}; ask less, or raise the limit"))
        elif target in self._expected:
            self._wait_for(target, partial(self.put_question, number, shape, leaves), sender, name)
        else:
            self.requests.fail_gone(number)

    def _wait_for(self, target: int, action: Callable[[], object], sender: int, name: bytes) -> None:
        waiting = self._expected.get(target)
        if waiting is None:
            self.pruned += 1
        elif len(waiting) < self.boxes.limit:
            waiting.append(action)
        else:
            self.overflows.lost(sender, name, target)

    def _prune(self, entity: int, callback: int) -> None:
        self.pruned += 1
        self.unsubscribe(entity, callback)

    def full(self, target: int) -> str:
        """What is said of an entity whose mailbox is full."""
        actor = self._actors.get(target)
        held = self.boxes.limit if actor is None else actor.limits.mailbox
        return f"the mailbox of entity {target} is full ({held} events, Limits.mailbox)"

    def crowded(self, target: int) -> bool:
        """True where events of scripts lie in the full mailbox of an entity."""
        return self.boxes.crowded(self._actors.get(target))
