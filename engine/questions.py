"""Answers what a script cannot wait for: a new entity's id, who is there, shared data, held keys, a library's text.

Plain scalars in, plain scalars out, through the one function that a state's prelude holds.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.bus.events import text
from engine.errors import EngineError, ScriptError, WorldClosed
from engine.lua.actor import Actor
from engine.payload import encode
from engine.permits import Permit

if TYPE_CHECKING:
    from engine.world import World

Values = tuple[Any, ...]

_TEXTS = frozenset((b"shape", b"kind", b"require"))
"""Questions whose answer is the same whenever they are asked, and that change nothing."""

_CALLS = (b"call", b"part", b"rest")


class Questions:
    """Answers the states of one world, which it holds weakly."""

    def __init__(self, world: World) -> None:
        self._world = weakref.ref(world)
        self._asked: list[bytes] | None = None  # while questions are held back
        # Plain functions: bound methods in here would be a cycle.
        self._by_name: dict[bytes, Callable[..., Values]] = {
            b"new_id": Questions._new_id,
            b"find": Questions._find,
            b"exists": Questions._exists,
            b"down": Questions._down,
            b"mouse": Questions._mouse,
            b"shared": Questions._shared,
            b"room": Questions._room,
            b"shape": Questions._shape,
            b"kind": Questions._kind,
        }

    def answer(self, actor: Actor, word: bytes, entity: int, *args: Any) -> Values:
        """What Lua gets after `true`; an `EngineError` becomes `false` and its message."""
        world = self._world()
        if world is None:
            raise WorldClosed("the world is closed")
        if self._asked is not None and word not in _TEXTS:
            self._asked.append(word)
            raise EngineError("it is too early to ask the world")
        if word in _CALLS:
            return self._call(world, actor, word, entity, args)
        if word == b"require":
            return self._require(world, actor, *args)
        if word in _OF_MODS:
            return _OF_MODS[word](world, actor.permit, *args)
        return self._by_name[word](self, world, entity, *args)

    @contextmanager
    def held_back(self) -> Iterator[list[bytes]]:
        """Refuse questions that belong into a frame; gives a list of those that were asked all the same."""
        asked = self._asked = []
        try:
            yield asked
        finally:
            self._asked = None

    def _new_id(self, world: World, _: int, script: bytes) -> Values:
        world.population.sources.check(text(script))
        world.population.check_room(text(script))
        return (world.population.new_id(text(script)),)

    def _find(self, world: World, _: int, name: bytes) -> Values:
        shape, leaves = encode([found.id for found in world.find(text(name))])
        return (shape, *leaves)

    def _exists(self, world: World, _: int, id: int) -> Values:
        return (world.entity(id) is not None or world.population.is_coming(id),)

    def _down(self, world: World, _: int, action: bytes) -> Values:
        return (world.input.down(text(action)),)

    def _mouse(self, world: World, _: int, on_screen: bool) -> Values:
        return world.input.on_screen if on_screen else world.input.pointer

    def _shared(self, world: World, _: int, key: bytes) -> Values:
        shape, leaves = world.shared.read(key)
        return (shape, *leaves)

    def _room(self, world: World, _: int, key: bytes, size: int) -> Values:
        world.shared.reserve(key, size)
        return ()

    def _shape(self, world: World, _: int, number: int) -> Values:
        return (world.delivery.shapes.text(int(number)),)

    def _kind(self, world: World, _: int, number: int) -> Values:
        name, shape, texts = world.delivery.kinds.meaning(int(number))
        return (name, world.delivery.shapes.text(shape), *texts)

    def _require(self, world: World, actor: Actor, name: bytes) -> Values:
        try:
            source = world.population.sources.library(actor.version, text(name))
        except ScriptError:
            found = None if world.host is None else world.host.describe(text(name))
            if found is None:
                raise
            if actor.permit is not None and not actor.permit.granted.cover("modules", text(name)):
                raise EngineError(f"require: {actor.permit.refusal('modules', text(name))}") from None
            return (b"host", *found)
        return (b"library", source.chunk.encode(), source.text)

    def _call(self, world: World, actor: Actor, word: bytes, entity: int, values: Values) -> Values:
        if world.host is None:
            raise EngineError("no host module is installed")
        return world.host.question(word, actor, entity, values)


def _refusal(_: World, permit: Permit, right: bytes, value: bytes) -> Values:
    raise EngineError(permit.refusal(text(right), text(value)))


def _may_destroy(world: World, permit: Permit, id: int) -> Values:
    script = world.population.script_at(id)
    if script is not None:
        permit.check_destroy(id, script, world.permits.of(script))
    return ()


_OF_MODS: dict[bytes, Callable[..., Values]] = {b"refusal": _refusal, b"may_destroy": _may_destroy}
