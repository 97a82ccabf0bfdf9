"""Who listens to what.

A subscription is an entity id and a callback id; neither a Lua value nor a state is held by it. Listeners of the game
may come and go on any thread, subscriptions only on the ticking one.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from threading import Lock
from typing import NamedTuple

from engine.bus.events import Event, Listener, families, text

_MOST_ROUTES = 4096  # names that are made up as the game runs must not fill the memory


class Subscription(NamedTuple):
    """Who listens: an entity and the number of its callback."""

    entity: int
    callback: int
    coalesce: bool


class Route(NamedTuple):
    """All who hear an event: subscriptions in the order of entities, then the game's listeners."""

    subscriptions: list[Subscription]
    listeners: list[Listener]
    by_entity: dict[int, list[Subscription]]


class Routes:
    """Subscriptions and listeners by name, and for each event that came the way it goes."""

    def __init__(self) -> None:
        self.known: dict[bytes, Route] = {}
        self._subscriptions: dict[str, dict[tuple[int, int], Subscription]] = {}
        self._names: dict[int, dict[int, str]] = {}  # entity -> callback -> event name
        self._listeners: dict[str, dict[Listener, None]] = {}
        self._alike: dict[tuple[str, ...], Route] = {}  # by those who are subscribed to: names made up go one way
        self._lock = Lock()

    def find(self, name: bytes) -> Route:
        """The route of an event. A caller in a hurry looks into `known` first."""
        with self._lock:
            route = self._route(text(name))
            if len(self.known) >= _MOST_ROUTES:
                self.known.clear()
            self.known[name] = route
            return route

    def subscribe(self, entity: int, callback: int, name: str, coalesce: bool) -> None:
        with self._lock:
            self._subscriptions.setdefault(name, {})[entity, callback] = Subscription(entity, callback, coalesce)
            self._names.setdefault(entity, {})[callback] = name
            self._reroute(name)

    def unsubscribe(self, entity: int, callback: int) -> None:
        with self._lock:
            name = self._names.get(entity, {}).pop(callback, None)
            if name is not None:
                self._remove(name, entity, callback)

    def unsubscribe_all(self, entity: int) -> int:
        """How many subscriptions the entity had."""
        with self._lock:
            names = self._names.pop(entity, {})
            for callback, name in names.items():
                self._remove(name, entity, callback)
        return len(names)

    def names_of(self, entity: int) -> dict[int, str]:
        """Callback -> event name, of all that an entity listens to."""
        return dict(self._names.get(entity, {}))

    def of(self, entity: int, name: str) -> list[Subscription]:
        """The subscriptions of an entity under exactly this name or family."""
        members = self._subscriptions.get(name, {})
        return sorted(members[entity, number] for number, known in self._names.get(entity, {}).items() if known == name)

    def entities(self) -> list[int]:
        """The entities that listen to anything."""
        return list(self._names)

    def count(self) -> int:
        """How many subscriptions there are."""
        return sum(len(callbacks) for callbacks in self._names.values())

    def listen(self, name: str, callback: Callable[[Event], object], *, once: bool) -> Listener:
        # A listener must not keep the world.
        listener = Listener(partial(_forget, weakref.ref(self)), name, callback, once)
        with self._lock:
            self._listeners.setdefault(name, {})[listener] = None
            self._reroute(name)
        return listener

    def forget(self, listener: Listener) -> None:
        with self._lock:
            members = self._listeners.get(listener.name, {})
            members.pop(listener, None)
            if not members:
                self._listeners.pop(listener.name, None)
            self._reroute(listener.name)

    def close(self) -> None:
        """Forget who listens."""
        with self._lock:
            for held in (self.known, self._subscriptions, self._names, self._listeners):
                held.clear()

    def _remove(self, name: str, entity: int, callback: int) -> None:
        members = self._subscriptions[name]
        del members[entity, callback]
        if not members:
            del self._subscriptions[name]
        self._reroute(name)

    def _reroute(self, name: str) -> None:
        if not self.known:  # nor then is anybody alike: most come and go many at once
            return
        self._alike.clear()
        if name.endswith("*"):
            self.known.clear()
        else:
            self.known.pop(name.encode(), None)

    def _route(self, name: str) -> Route:
        with_listeners = (self._subscriptions, self._listeners)
        names = tuple(each for each in (name, *families(name)) if any(each in held for held in with_listeners))
        route = self._alike.get(names)
        if route is None:
            route = self._alike[names] = self._route_to(names)
        return route

    def _route_to(self, names: tuple[str, ...]) -> Route:
        subscriptions = [s for each in names for s in self._subscriptions.get(each, {}).values()]
        subscriptions.sort()
        by_entity: dict[int, list[Subscription]] = {}
        for subscription in subscriptions:
            by_entity.setdefault(subscription.entity, []).append(subscription)
        return Route(subscriptions, [each for known in names for each in self._listeners.get(known, ())], by_entity)


def _forget(routes: weakref.ref[Routes], listener: Listener) -> None:
    known = routes()
    if known is not None:
        known.forget(listener)
