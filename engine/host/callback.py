"""Functions of scripts, as host functions get them."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from engine.lua.handles import FunctionHandle

if TYPE_CHECKING:
    from engine.host.host import Host


class Callback:
    """A function that a script passed. Calling it, on any thread and at any time, only queues.

    It runs on the ticking thread at the start of the next frame, as a task of its entity, with a copy of the
    arguments. When the entity has ended or its script was reloaded, the call is dropped.
    """

    __slots__ = ("__weakref__", "_host", "entity", "handle", "name")

    def __init__(self, host: Host, handle: FunctionHandle, entity: int, name: str) -> None:
        self._host = weakref.ref(host)
        self.handle = handle
        self.entity = entity
        self.name = name

    @property
    def alive(self) -> bool:
        """False when the state of the function has ended."""
        return self.handle.alive

    def __call__(self, *args: Any) -> None:
        host = self._host()
        if host is not None:
            host.call_back(self, args)

    def __repr__(self) -> str:
        return f"<Callback {self.name} of entity {self.entity}{'' if self.alive else ', dead'}>"
