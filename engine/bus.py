"""Carries events between states, and to and from Python.

Events from outside (`emit`, `send`, `request`) only queue, from any thread; they enter the inboxes at the start of the
next frame.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from engine.audiences import Audiences
from engine.chains import Chains
from engine.errors import LimitError, WorldClosed
from engine.events import ENGINE, Event, Listener, checked, id_of, text
from engine.kinds import Kinds
from engine.lua.actor import Actor, Mail
from engine.lua.commons import Outside
from engine.lua.rounds import HEARD
from engine.mailboxes import Mailboxes
from engine.payload import Encoded
from engine.requests import Requests
from engine.routes import Routes, Subscription
from engine.shapes import Shapes

Leaves = tuple[Any, ...]


class Bus:
    """Events between entities and the game. A name ending in ".*" listens to the whole family, "*" to everything."""

    def __init__(
        self,
        encode: Callable[[object, str], Encoded],
        mailbox: int | None,
        failed: Callable[[Exception], None],
        overflowed: Callable[[int, bytes, str], None],
        outside: Outside,
    ) -> None:
        self.encode = encode
        self.boxes = Mailboxes(mailbox)
        self.routes = Routes()
        self.shapes = Shapes()
        self.kinds = Kinds()
        self.chains = Chains(partial(Bus.hears, weakref.proxy(self)))
        self.requests = Requests(partial(Bus.answer, weakref.proxy(self)))
        self.pruned = 0
        self._failed = failed
        self._overflowed = overflowed
        self._actors: dict[int, Actor] = {}
        self.audiences = Audiences(self._actors)
        self._expected: dict[int, list[Callable[[], object]]] = {}
        self._outside = outside
        self._closed = False

    # What the game calls, from any thread.

    def on(self, name: str, listener: Callable[[Event], object]) -> Listener:
        """Call `listener(event)` on the ticking thread for every event of this name or family."""
        return self._listen(name, listener, once=False)

    def once(self, name: str, listener: Callable[[Event], object]) -> Listener:
        """The same for the next such event only."""
        return self._listen(name, listener, once=True)

    def emit(self, name: str, payload: object = None) -> None:
        """Tell everybody who listens, at the start of the next frame."""
        word, (shape, leaves) = checked(name), self.encode(payload, "payload")
        self.from_outside(partial(self.publish, word, ENGINE, shape, leaves))

    def send(self, entity: Any, name: str, payload: object = None) -> None:
        """Tell one entity (an `Entity` or its id), at the start of the next frame."""
        target, word, (shape, leaves) = id_of(entity), checked(name), self.encode(payload, "payload")
        self.from_outside(partial(self.post, target, word, ENGINE, shape, leaves))

    def request(self, entity: Any, name: str, payload: object = None, timeout: float | None = None) -> Future[Any]:
        """Ask one entity. The future fails with `EntityGone`, `NoHandler`, `ScriptError` or `RequestTimeout`.

        `timeout` is in seconds of the world's clock. Do not wait for the future on the ticking thread: tick.
        """
        target, word, (shape, leaves) = id_of(entity), checked(name), self.encode(payload, "payload")
        future: Future[Any] = Future()
        number = self.requests.open(target, word, future, timeout)
        self.from_outside(partial(self._ask, number, shape, leaves))
        return future

    # What the world calls.

    def from_outside(self, action: Callable[[], object]) -> None:
        """Run `action` at the start of the next frame, in order with the events from outside; from any thread."""
        if self._closed:
            raise WorldClosed("the world is closed")
        self._outside.add(action)

    def take_outside(self) -> None:
        """Put what was queued from outside into the inboxes, in arrival order."""
        self._outside.run()

    def expect(self, entity: int) -> None:
        """Keep mail for an entity that is about to be made."""
        self._expected[entity] = []

    def join(self, entity: int, actor: Actor) -> None:
        """The entity lives in `actor`; mail that waited for it comes with what is next from outside."""
        self._actors[entity] = actor
        self.audiences.forget()
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

    def names_of(self, entity: int) -> dict[int, str]:
        """Callback -> event name, of all that an entity listens to."""
        return self.routes.names_of(entity)

    def hears(self, entity: int, name: bytes) -> bool:
        """True where the entity listens to events of this name."""
        route = self.routes.known.get(name) or self.routes.find(name)
        return entity in route.by_entity

    def put(self, actor: Actor, mail: Mail) -> None:
        """Put mail into the inbox of `actor`, which is ticked for it."""
        self.boxes.put(actor, mail)

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
        self._overflow(sender, name, full)
        for entity, subscriptions in route.by_entity.items():
            if entity > full and not self._offer(entity, subscriptions, tail):
                self._overflow(sender, name, entity)

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
            self._overflow(sender, name, target)

    def deliver(self, entity: int, callback: int, tail: tuple[Any, ...]) -> None:
        """Deliver (name, sender, shape, leaves...) to one callback."""
        actor = self._actors.get(entity)
        if actor is not None:
            self.put(actor, (callback, *tail))

    def hold(self, entity: int, callback: int, tail: tuple[Any, ...]) -> None:
        """The same for a callback that coalesces: unless something newer comes in this frame."""
        actor = self._actors.get(entity)
        if actor is not None:
            self.boxes.hold(actor, entity, callback, (callback, *tail))

    def answer(self, entity: int, mail: Mail) -> None:
        """Give an entity what a task of it waits for: there is always room for that."""
        actor = self._actors.get(entity)
        if actor is not None:
            self.put(actor, mail)

    def ask(self, sender: int, name: bytes, target: int, token: int, shape: bytes, leaves: Leaves) -> None:
        """A request from an entity's task; the answer, or why there is none, goes to its `token`."""
        self._ask(self.requests.open(target, name, asker=sender, token=token), shape, leaves)

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

    def _ask(self, number: int, shape: bytes, leaves: Leaves) -> None:
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
            self._wait_for(target, partial(self._ask, number, shape, leaves), sender, name)
        else:
            self.requests.fail_gone(number)

    def _wait_for(self, target: int, action: Callable[[], object], sender: int, name: bytes) -> None:
        waiting = self._expected.get(target)
        if waiting is None:
            self.pruned += 1
        elif len(waiting) < self.boxes.limit:
            waiting.append(action)
        else:
            self._overflow(sender, name, target)

    def _prune(self, entity: int, callback: int) -> None:
        self.pruned += 1
        self.unsubscribe(entity, callback)

    def full(self, target: int) -> str:
        """What is said of an entity whose mailbox is full."""
        actor = self._actors.get(target)
        held = self.boxes.limit if actor is None else actor.limits.mailbox
        return f"the mailbox of entity {target} is full ({held} events, Limits.mailbox)"

    def _overflow(self, sender: int, name: bytes, target: int) -> None:
        what = (
            f'{self.full(target)}: "{text(name)}" from {f"entity {sender}" if sender else "the game"} was not '
            "delivered; send less, or raise the limit"
        )
        if sender:
            self._overflowed(sender, name, what)
        elif self.boxes.crowded(self._actors.get(target)):
            self._overflowed(target, b"", what)
        else:
            self._failed(LimitError(what))

    def _listen(self, name: str, callback: Callable[[Event], object], once: bool) -> Listener:
        checked(name)
        routes = weakref.ref(self.routes)  # a listener must not keep the world

        def forget(listener: Listener) -> None:
            known = routes()
            if known is not None:
                known.forget(listener)

        listener = Listener(forget, name, callback, once)
        self.routes.listen(listener)
        return listener
