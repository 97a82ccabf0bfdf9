"""The game's end of the bus: the words that scripts have, for Python."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

from engine.bus.delivery import Delivery
from engine.bus.events import ENGINE, Event, Listener, checked, id_of
from engine.payload import Encoded


class Bus:
    """Events between entities and the game, from any thread: they only queue, until the next frame begins.

    A name ending in ".*" listens to the whole family, "*" to everything.
    """

    def __init__(self, delivery: Delivery, encode: Callable[[object, str], Encoded]) -> None:
        self._delivery = delivery
        self.encode = encode

    def on(self, name: str, listener: Callable[[Event], object]) -> Listener:
        """Call `listener(event)` on the ticking thread for every event of this name or family."""
        checked(name)
        return self._delivery.routes.listen(name, listener, once=False)

    def once(self, name: str, listener: Callable[[Event], object]) -> Listener:
        """The same for the next such event only."""
        checked(name)
        return self._delivery.routes.listen(name, listener, once=True)

    def emit(self, name: str, payload: object = None) -> None:
        """Tell everybody who listens, at the start of the next frame."""
        word, (shape, leaves) = checked(name), self.encode(payload, "payload")
        self._delivery.from_outside(partial(self._delivery.publish, word, ENGINE, shape, leaves))

    def send(self, entity: Any, name: str, payload: object = None) -> None:
        """Tell one entity (an `Entity` or its id), at the start of the next frame."""
        target, word, (shape, leaves) = id_of(entity), checked(name), self.encode(payload, "payload")
        self._delivery.from_outside(partial(self._delivery.post, target, word, ENGINE, shape, leaves))

    def request(self, entity: Any, name: str, payload: object = None, timeout: float | None = None) -> Future[Any]:
        """Ask one entity. The future fails with `EntityGone`, `NoHandler`, `ScriptError` or `RequestTimeout`.

        `timeout` is in seconds of the world's clock. Do not wait for the future on the ticking thread: tick.
        """
        target, word, (shape, leaves) = id_of(entity), checked(name), self.encode(payload, "payload")
        future: Future[Any] = Future()
        number = self._delivery.requests.open(target, word, future, timeout)
        self._delivery.from_outside(partial(self._delivery.put_question, number, shape, leaves))
        return future
