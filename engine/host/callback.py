"""Functions of scripts, as host functions get them."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from engine.host.plain import Plain
from engine.lua.actor import Actor
from engine.lua.handles import FunctionHandle
from engine.payload import Encoded

if TYPE_CHECKING:
    from engine.world import World


class Callback(FunctionHandle):
    """A handle to a function that a script passed. Calling it, on any thread and at any time, only queues.

    It runs on the ticking thread at the start of the next frame, as a task of its entity, with a copy of the
    arguments. When the entity has ended or its script was reloaded, the call is dropped. `submit` gives a future of
    what the function gives; called so it may not wait, and its errors go there.
    """

    __slots__ = ("_callbacks", "name")

    def __init__(self, callbacks: Callbacks, actor: Actor, key: int, entity: int, name: str) -> None:
        super().__init__(actor, key, entity, f"an argument of {name}")
        self._callbacks = weakref.ref(callbacks)
        self.name = name

    @property
    def entity(self) -> int:
        """The id of the entity whose script passed it."""
        return self._entity

    def __call__(self, *args: Any) -> None:
        callbacks = self._callbacks()
        if callbacks is not None:
            callbacks.queue(self, args)

    def __repr__(self) -> str:
        return f"<Callback {self.name} of entity {self.entity}{'' if self.alive else ', dead'}>"


class Callbacks:
    """Makes the callbacks of one world, and delivers their calls."""

    def __init__(self, world: World, plain: Plain) -> None:
        self._world: World = weakref.proxy(world)
        self._plain = plain

    def make(self, actor: Actor, key: int, entity: int, word: str) -> Callback:
        """A callback for the function behind `key`, an argument of the host function `word`."""
        return Callback(self, actor, key, entity, word)

    def queue(self, callback: Callback, args: tuple[Any, ...]) -> None:
        """Call it at the start of the next frame with a copy of `args`; from any thread."""
        encoded = self._plain.arguments(args)
        self._world.delivery.from_outside(partial(self._deliver, callback, encoded))

    def _deliver(self, callback: Callback, encoded: Encoded) -> None:
        world, id = self._world, callback.entity
        entity = world.entity(id)
        actor = None if entity is None else entity.actor
        if actor is None or not callback.alive:
            return
        # A key of its own: the callback may be dropped before the mail is read.
        key = actor.again(callback.key_for(actor))
        shape, leaves = encoded
        world.loop.operations.digest.note(b"callback", id, (shape, *leaves))
        if not world.delivery.boxes.offer(actor, (b"callback", id, key, callback.name.encode(), shape, *leaves)):
            actor.drop(key)
            why = f"{world.delivery.full(id)}: a callback of {callback.name} was not delivered"
            world.failures.problem(f"{why}; call it less often, or raise the limit", entity=id)
