"""Routes events between states, and to and from Python.

A subscription is an entity id and a callback id; neither a Lua value nor a state is held by it. Events from outside
(`emit`, `send`, `request`) only queue, from any thread; they enter the inboxes at the start of the next frame.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from engine.errors import EngineError
from engine.lua.actor import Actor, Mail
from engine.payload import Encoded, decode
from engine.requests import Requests

ENGINE = False
"""The sender of what comes from outside, as it crosses into Lua."""


class Event:
    """What a listener gets. `sender` is an entity id, or None for the engine; the payload is decoded when asked for."""

    __slots__ = ("_encoded", "_payload", "name", "sender")

    def __init__(self, name: str, encoded: Encoded, sender: int | None) -> None:
        self.name = name
        self.sender = sender
        self._encoded: Encoded | None = encoded
        self._payload: Any = None

    @property
    def payload(self) -> Any:
        if self._encoded is not None:
            self._payload = decode(*self._encoded)
            self._encoded = None
        return self._payload

    def __repr__(self) -> str:
        return f"Event({self.name!r}, {self.payload!r}, sender={self.sender})"


class Subscription(NamedTuple):
    """Who listens: an entity and the number of its callback."""

    entity: int
    callback: int
    coalesce: bool


class Listener:
    """A Python callable that listens; `cancel()` ends it, also while its event is being delivered."""

    __slots__ = ("_forget", "active", "callback", "name", "once")

    def __init__(
        self, forget: Callable[[Listener], None], name: str, callback: Callable[[Event], object], once: bool
    ) -> None:
        self._forget = forget
        self.name = name
        self.callback = callback
        self.once = once
        self.active = True

    def cancel(self) -> None:
        """Stop listening; cancelling twice does nothing."""
        if self.active:
            self.active = False
            self._forget(self)


class Bus:
    """Events between entities and the game. A name ending in ".*" listens to the whole family."""

    def __init__(
        self,
        encode: Callable[[object, str], Encoded],
        mailbox: int | None,
        failed: Callable[[Exception], None],
        outside: deque[Callable[[], object]],
    ) -> None:
        self._encode = encode
        self._mailbox = mailbox
        self._failed = failed
        self._actors: dict[int, Actor] = {}
        self._subscriptions: dict[str, dict[tuple[int, int], Subscription]] = {}
        self._names: dict[int, dict[int, str]] = {}  # entity -> callback -> event name
        self._listeners: dict[str, list[Listener]] = {}
        self._routes: dict[bytes, tuple[Sequence[Subscription], Sequence[Listener]]] = {}
        self._expected: dict[int, list[tuple[bytes, int, bytes, tuple[Any, ...]]]] = {}
        self._outside = outside
        self.requests = Requests(partial(Bus._put_reply, weakref.proxy(self)))
        self.mailed: dict[Actor, None] = {}
        self.pruned = 0

    # What the game calls.

    def on(self, name: str, listener: Callable[[Event], object]) -> Listener:
        """Call `listener(event)` on the ticking thread for every event of this name or family."""
        return self._listen(name, listener, once=False)

    def once(self, name: str, listener: Callable[[Event], object]) -> Listener:
        """The same for the next such event only."""
        return self._listen(name, listener, once=True)

    def emit(self, name: str, payload: object = None) -> None:
        """Tell everybody who listens, at the start of the next frame."""
        word, (shape, leaves) = _checked(name), self._encode(payload, "payload")
        self._outside.append(lambda: self._report(self.publish(word, ENGINE, shape, leaves), word))

    def send(self, entity: Any, name: str, payload: object = None) -> None:
        """Tell one entity (an `Entity` or its id), at the start of the next frame."""
        target, word, (shape, leaves) = id_of(entity), _checked(name), self._encode(payload, "payload")
        self._outside.append(
            lambda: self._report([] if self.post(target, word, ENGINE, shape, leaves) else [target], word)
        )

    def request(self, entity: Any, name: str, payload: object = None, timeout: float | None = None) -> Future[Any]:
        """Ask one entity. The future fails with `EntityGone`, `NoHandler`, `ScriptError` or `RequestTimeout`.

        `timeout` is in seconds of the world's clock. Do not wait for the future on the ticking thread: tick.
        """
        target, word, (shape, leaves) = id_of(entity), _checked(name), self._encode(payload, "payload")
        future: Future[Any] = Future()
        self._outside.append(lambda: self._ask(self.requests.open(target, word, future, timeout), shape, leaves))
        return future

    # What the world calls.

    def expect(self, entity: int) -> None:
        """Keep mail for an entity that is about to be made."""
        self._expected[entity] = []

    def join(self, entity: int, actor: Actor) -> None:
        """The entity lives in `actor`; mail that waited for it is delivered."""
        self._actors[entity] = actor
        for name, sender, shape, leaves in self._expected.pop(entity, ()):
            self._outside.append(partial(self.post, entity, name, sender, shape, leaves))

    def leave(self, entity: int) -> None:
        """Forget an entity: what it listens to, what it was asked and what it asked."""
        self._actors.pop(entity, None)
        self._expected.pop(entity, None)
        self.unsubscribe_all(entity)
        self.requests.leave(entity)

    def take_outside(self) -> None:
        """Put what was queued from outside into the inboxes, in arrival order."""
        for _ in range(len(self._outside)):
            self._outside.popleft()()

    def from_outside(self, action: Callable[[], None]) -> None:
        """Run `action` at the start of the next frame, in order with the events from outside; from any thread."""
        self._outside.append(action)

    def subscribe(self, entity: int, callback: int, name: str, coalesce: bool = False) -> None:
        self._subscriptions.setdefault(name, {})[entity, callback] = Subscription(entity, callback, coalesce)
        self._names.setdefault(entity, {})[callback] = name
        self._reroute(name)

    def unsubscribe(self, entity: int, callback: int) -> None:
        name = self._names.get(entity, {}).pop(callback, None)
        if name is not None:
            members = self._subscriptions[name]
            del members[entity, callback]
            if not members:
                del self._subscriptions[name]
            self._reroute(name)

    def unsubscribe_all(self, entity: int) -> None:
        for callback in list(self._names.get(entity, ())):
            self.unsubscribe(entity, callback)
        self._names.pop(entity, None)

    def names_of(self, entity: int) -> dict[int, str]:
        """Callback -> event name, of all that an entity listens to."""
        return dict(self._names.get(entity, {}))

    def count(self) -> int:
        """How many subscriptions there are."""
        return sum(len(callbacks) for callbacks in self._names.values())

    def living(self) -> set[int]:
        """The entities for which the bus keeps anything."""
        return {*self._actors, *self._expected, *self._names}

    def close(self) -> None:
        """Forget who listens; whoever waits for an answer gets `WorldClosed`."""
        self._actors.clear()
        self._subscriptions.clear()
        self._names.clear()
        self._listeners.clear()
        self._routes.clear()
        self.mailed.clear()
        # What is still queued finds nobody; only so do its futures end.
        while self._outside:
            with suppress(Exception):
                self._outside.popleft()()
        self._expected.clear()
        self.requests.close()

    def publish(self, name: bytes, sender: int, shape: bytes, leaves: tuple[Any, ...]) -> list[int]:
        """Deliver to all who listen to `name`. Returns the entities whose mailbox was full."""
        subscriptions, listeners = self._routes.get(name) or self._route(name)
        tail = (name, sender, shape, *leaves)
        full = []
        for subscription in subscriptions:
            entity, callback, coalesce = subscription
            actor = self._actors.get(entity)
            if actor is None:
                self.pruned += 1
                self.unsubscribe(entity, callback)
            elif not self.put(actor, (b"event", callback, *tail), callback if coalesce else 0):
                full.append(entity)
        for listener in listeners:
            self._call(listener, Event(text(name), (shape, leaves), sender or None))
        return full

    def post(self, target: int, name: bytes, sender: int, shape: bytes, leaves: tuple[Any, ...]) -> bool:
        """Deliver to one entity: to its subscriptions of that name, else to its `on_event`. False where it is full."""
        actor = self._actors.get(target)
        if actor is None:
            self._post_nowhere(target, (name, sender, shape, leaves))
            return True
        subscriptions = [s for s in (self._routes.get(name) or self._route(name))[0] if s.entity == target]
        if not subscriptions:
            return self.put(actor, (b"direct", target, name, sender, shape, *leaves))
        tail = (name, sender, shape, *leaves)
        fits = True
        for _, callback, coalesce in subscriptions:
            fits = self.put(actor, (b"event", callback, *tail), callback if coalesce else 0) and fits
        return fits

    def deliver(self, entity: int, callback: int, tail: tuple[Any, ...]) -> None:
        """Deliver (name, sender, shape, leaves...) to one callback."""
        actor = self._actors.get(entity)
        if actor is not None:
            self.put(actor, (b"event", callback, *tail))

    def take_mailed(self) -> dict[Actor, None]:
        """The actors that have mail, to be ticked now."""
        mailed, self.mailed = self.mailed, {}
        return mailed

    def put(self, actor: Actor, mail: Mail, coalesce: int = 0) -> bool:
        """Put mail into an inbox; False where it is full. With `coalesce`, a callback's newest replaces its last."""
        if coalesce:
            place = actor.latest.get(coalesce)
            if place is not None:
                actor.inbox[place] = mail
                return True
            actor.latest[coalesce] = len(actor.inbox)
        if self._mailbox is not None and len(actor.inbox) >= self._mailbox:
            return False
        actor.inbox.append(mail)
        self.mailed[actor] = None
        return True

    def answer(self, entity: int, mail: Mail) -> None:
        """Give an entity what a task of it waits for: there is always room for that."""
        actor = self._actors.get(entity)
        if actor is not None:
            actor.inbox.append(mail)
            self.mailed[actor] = None

    def ask(self, sender: int, name: bytes, target: int, token: int, shape: bytes, leaves: tuple[Any, ...]) -> None:
        """A request from an entity's task; the answer, or why there is none, goes to its `token`."""
        self._ask(self.requests.open(target, name, asker=sender, token=token), shape, leaves)

    def _post_nowhere(self, target: int, event: tuple[bytes, int, bytes, tuple[Any, ...]]) -> None:
        waiting = self._expected.get(target)
        if waiting is None:
            self.pruned += 1
        else:
            waiting.append(event)

    def _ask(self, number: int, shape: bytes, leaves: tuple[Any, ...]) -> None:
        request = self.requests.get(number)
        if request is None:
            return
        actor = self._actors.get(request.target)
        if actor is None:
            self.requests.gone(number, f"there is no entity {request.target}")
            return
        sender = request.asker or ENGINE
        self.put(actor, (b"request", request.target, request.name, sender, number, shape, *leaves))

    def _put_reply(self, asker: int, mail: Mail) -> None:
        actor = self._actors.get(asker)
        if actor is not None:
            self.put(actor, mail)

    def _listen(self, name: str, callback: Callable[[Event], object], once: bool) -> Listener:
        _checked(name)
        if not callable(callback):
            raise EngineError(f"bus.on: a listener must be callable, got {callback!r}")
        listener = Listener(self._forget, name, callback, once)
        self._listeners[name] = [*self._listeners.get(name, []), listener]
        self._reroute(name)
        return listener

    def _forget(self, listener: Listener) -> None:
        self._listeners[listener.name] = [other for other in self._listeners[listener.name] if other is not listener]
        self._reroute(listener.name)

    def _call(self, listener: Listener, event: Event) -> None:
        if not listener.active:
            return
        if listener.once:
            listener.cancel()
        try:
            listener.callback(event)
        except Exception as error:
            self._failed(error)

    def _reroute(self, name: str) -> None:
        if name.endswith("*"):
            self._routes.clear()
        else:
            self._routes.pop(name.encode(), None)

    def _route(self, name: bytes) -> tuple[Sequence[Subscription], Sequence[Listener]]:
        names = [text(name), *_families(text(name))]
        subscriptions = [s for each in names for s in self._subscriptions.get(each, {}).values()]
        subscriptions.sort(key=lambda s: s[:2])
        listeners = [listener for each in names for listener in self._listeners.get(each, ())]
        route = self._routes[name] = (subscriptions, listeners)
        return route

    def _report(self, full: list[int], name: bytes) -> None:
        for entity in full:
            self._failed(EngineError(f'the mailbox of entity {entity} is full; "{text(name)}" was not delivered'))


def id_of(entity: Any) -> int:
    """The id of an `Entity`, or an id as it is."""
    return entity if isinstance(entity, int) else int(entity.id)


def text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def _checked(name: str) -> bytes:
    if not isinstance(name, str) or not name:
        raise EngineError(f"the name of an event must be a string that is not empty, got {name!r}")
    return name.encode()


def _families(name: str) -> list[str]:
    """ "door.left.opened" belongs to "door.left.*" and "door.*"."""
    parts = name.split(".")
    return [".".join(parts[:length]) + ".*" for length in range(len(parts) - 1, 0, -1)]
