"""Entities, and the register of those that live."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from engine.checks import refuse_copies
from engine.display import COMMANDS, FIELDS
from engine.errors import StateClosed
from engine.lua.actor import Actor
from engine.lua.handles import TableHandle
from engine.payload import Encoded, plain

_NOTHING: Any = MappingProxyType({})  # to be shown of one that has told nothing; its copy is a dict
_NAMES = (*("" for _ in COMMANDS), *FIELDS)  # of the field that an operation tells, by its number


class _Shown:
    """What changes in most frames, and what a window reads in every one: it lies in front of all others."""

    __slots__ = ("_lent", "_view", "place")


class Entity(_Shown):
    """One running instance of a script."""

    __slots__ = (
        "_actor",
        "_destroy",
        "_seat",
        "_sheet",
        "fallen",
        "id",
        "properties",
        "ready",
        "script",
        "tags",
        "version",
    )

    def __init__(self, id: int, script: str, properties: Encoded, destroy: Callable[[int], None]) -> None:
        self.id = id
        self.script = script
        self.properties = properties
        self._actor: weakref.ref[Any] | None = None
        self.ready = False  # init has ended: a reload carries `self` over instead of starting anew
        self.tags: Any = ()  # a dict as soon as there is one
        self.version = 0
        self.place: tuple[float, float] | None = None  # x and y
        self._sheet: Any = None  # of one that is seated: the list where x and y stand instead, from number `_seat` on
        self._view: dict[str, Any] = _NOTHING
        self._lent = True  # somebody else has `_view`, which must not change under their hands
        self._destroy: Callable[[int], None] | None = destroy
        self.fallen = False  # its state was closed at a limit: it comes back with the next version of its script

    @property
    def alive(self) -> bool:
        return self._destroy is not None and not self.fallen

    @property
    def actor(self) -> Actor | None:
        """The state it lives in, held weakly: whoever keeps an entity keeps no state."""
        return None if self._actor is None else self._actor()

    def move_in(self, actor: Actor) -> None:
        """Live in `actor` from here on, which tells anew what there is to be shown."""
        if self._sheet:
            self._stand_up()
        self._actor = actor.weak
        self._view, self._lent = _NOTHING, True

    @property
    def self(self) -> TableHandle:
        """A handle to the script's `self`; `StateClosed` where there is none (yet, or any more)."""
        actor = self.actor
        key = None if actor is None else actor.trusted("self", self.id)
        if actor is None or key is None:
            raise StateClosed(f"entity {self.id} ({self.script}) has no state; is it destroyed, or not made yet?")
        return TableHandle(actor, key, self.id)

    # A window reads it of every entity in every frame: no Python runs for that.
    if TYPE_CHECKING:

        @property
        def position(self) -> tuple[float, float] | None: ...
    else:
        position = property(
            attrgetter("place"),
            doc="`(self.x, self.y)` as of the last tick that left numbers in both; None before there was one.",
        )

    def where(self) -> tuple[Any, Any]:
        """x and y, or twice None."""
        return self.position or (None, None)

    def move(self, place: tuple[Any, ...]) -> None:
        """It is at (..., x, y)."""
        self.place = None if place[1] is None else place[1:]

    def sit(self, sheet: list[Any], seat: int) -> None:
        """From here on, x and y stand in `sheet`, from number `seat` on; False where there is no place."""
        self._sheet, self._seat = sheet, seat
        self.__class__ = _Seated

    def _stand_up(self) -> None:
        """Be where it is, whatever becomes of the sheet."""

    @property
    def view(self) -> dict[str, Any]:
        """The other fields of `self` that a window shows: sprite, frame, layer, angle, scale, flip, alpha, ..."""
        self._lent = True
        return self._view or self._blank()

    def _blank(self) -> dict[str, Any]:
        if self._view is _NOTHING:
            self._view = {}
        return self._view

    def show(self, field: str, value: Any) -> None:
        """A field has another value; None where it is gone."""
        if self._lent:
            self._view, self._lent = self._view.copy(), False
        if value is None:
            self._view.pop(field, None)
        else:
            self._view[field] = plain(value) if type(value) is bytes else value

    def show_all(self, told: tuple[Any, ...]) -> None:
        """The same for what a tick told that only shows something: the place where that is another one, then commands,
        and fields, each by its operation and a value that is there."""
        x = told[1]
        if x is not None:
            self.place = x, told[2]
        at, end = 2 - told[0], len(told)
        if at == end:
            return
        if self._lent:
            self._view, self._lent = self._view.copy(), False
        view = self._view
        while at < end:
            value = told[at + 1]
            view[_NAMES[told[at] & 31]] = plain(value) if type(value) is bytes else value
            at += 2

    def destroy(self) -> None:
        """End the entity: at once, or at the end of the frame while the world ticks. Twice does nothing."""
        if self._destroy is not None:
            self._destroy(self.id)

    def fall(self) -> None:
        """Take the entity out of the world until `rise`."""
        self._move_out()
        self.fallen = True

    def rise(self) -> None:
        """Be as at birth again, without a state: what the old one knew is lost."""
        self.fallen = self.ready = False
        self.place, self.tags = None, ()
        self._view, self._lent = _NOTHING, True

    def end(self) -> None:
        """Take the entity out of the world; its handles are dead from here on."""
        self._move_out()
        self._destroy = None

    def _move_out(self) -> None:
        self._stand_up()
        self._actor = None

    def __reduce_ex__(self, _: object) -> NoReturn:
        refuse_copies(self, "keep its `id`, and what `self` gives with `to_dict()`")

    def __repr__(self) -> str:
        return f"<Entity {self.id} {self.script}{'' if self.alive else ', dead'}>"


class _Seated(Entity):
    """One whose x and y stand in a sheet, as of many in one state: the state tells all of them at once."""

    __slots__ = ()

    @property
    def position(self) -> tuple[float, float] | None:
        sheet, seat = self._sheet, self._seat
        x = sheet[seat]
        return None if x is False else (x, sheet[seat + 1])

    def move(self, place: tuple[Any, ...]) -> None:
        self._sheet[self._seat : self._seat + 2] = place[1:]

    def _stand_up(self) -> None:
        self.place, self._sheet = self.position, None
        self.__class__ = Entity  # type: ignore[assignment]


class Entities:
    """The living entities of a world, in id order."""

    def __init__(self) -> None:
        self._by_id: dict[int, Entity] = {}
        self._by_script: dict[str, dict[int, Entity]] = {}
        self._by_tag: dict[str, dict[int, Entity]] = {}

    def __iter__(self) -> Iterator[Entity]:
        return iter(list(self._by_id.values()))

    def all(self) -> list[Entity]:
        return list(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def get(self, id: int) -> Entity | None:
        return self._by_id.get(id)

    def add(self, entity: Entity) -> None:
        id = entity.id
        self._by_id[id] = entity
        try:
            self._by_script[entity.script][id] = entity
        except KeyError:
            self._by_script[entity.script] = {id: entity}

    def add_again(self, entities: list[Entity]) -> None:
        """Add some that were removed before, so that their ids are not the newest."""
        for entity in entities:
            self.add(entity)
        self._by_id = dict(sorted(self._by_id.items()))

    def remove(self, entity: Entity) -> None:
        del self._by_id[entity.id]
        _drop(self._by_script, entity.script, entity.id)
        for tag in entity.tags:
            _drop(self._by_tag, tag, entity.id)

    def tag(self, entity: Entity, tag: str) -> None:
        if tag not in entity.tags:
            entity.tags = entity.tags or {}
            entity.tags[tag] = None
            self._by_tag.setdefault(tag, {})[entity.id] = entity

    def number_of(self, script: str) -> int:
        return len(self._by_script.get(script, ()))

    def find(self, name: str) -> list[Entity]:
        """The entities of a script or with a tag, in id order."""
        found = {**self._by_script.get(name, {}), **self._by_tag.get(name, {})}
        return [found[id] for id in sorted(found)]


def _drop(groups: dict[str, dict[int, Entity]], name: str, id: int) -> None:
    group = groups[name]
    del group[id]
    if not group:
        del groups[name]
