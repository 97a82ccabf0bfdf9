"""Births with the least prelude (`benchmarks.least_prelude`).

What a birth and the memory of a state come to with it is the floor of a design in which each entity has a VM that holds
the engine's half in Lua. "Warm" are states that were made before, with the environment, the thread and the script's
compiled text; what is left is a birth alone: the entity, its fields, its start, and what Python must know of it to tick
it.
"""

from __future__ import annotations

from typing import Any

from benchmarks.harness import Case
from benchmarks.least_prelude import PRELUDE, State, loader, made
from benchmarks.swarm import MOVER

FIELDS = {"x": 1.0, "y": 0.0, "vx": 1.0, "vy": 0.5}


class Entity:
    """What Python knows of one: where it is, and how it is ticked."""

    __slots__ = ("id", "place", "script", "send", "state")

    def __init__(self, id: int, script: str, state: State) -> None:
        self.id = id
        self.script = script
        self.state = state
        self.send = state.send
        self.place: Any = None


class World:
    """As little of a world as births and ticks need."""

    def __init__(self, lua: str) -> None:
        self._loader = loader(lua, PRELUDE)
        self._ready: list[State] = []
        self.entities: dict[int, Entity] = {}
        self._awake: list[Entity] = []
        self._text = MOVER.encode()

    def warm(self, count: int) -> None:
        while len(self._ready) < count:
            state = made(*self._loader)
            state.prepare(b"@mover", self._text)
            self._ready.append(state)

    def spawn(self, script: str, **fields: float) -> Entity:
        state = self._ready.pop() if self._ready else made(*self._loader)
        entity = Entity(len(self.entities) + 1, script, state)
        self.entities[entity.id] = entity
        flat = [part for name, value in fields.items() for part in (name.encode(), value)]
        self._note(entity, state.born(0.0, 0.0, 0, entity.id, b"@mover", self._text, *flat))
        return entity

    def tick(self, dt: float) -> None:
        awake, self._awake = self._awake, []
        for entity in awake:
            self._note(entity, entity.send((dt, dt, 1)))

    def _note(self, entity: Entity, result: Any) -> None:
        wake, x, y, *_ = result
        if x is not None:
            entity.place = x, y
        if wake is True:
            self._awake.append(entity)

    def clear(self) -> None:
        self.entities.clear()
        self._awake.clear()


def newborn(lua: str, count: int, *, warm: int = 0) -> Case:
    """Entities with this prelude and the swarm's script, and the frame in which they start; so many states are warm."""
    world = World(lua)

    def run() -> None:
        for _ in range(count):
            world.spawn("mover", **FIELDS)
        world.tick(1 / 60)

    def after() -> None:
        world.clear()
        world.warm(warm)

    after()
    return Case(f"floor: the least prelude{', warm' if warm else ''}", run, count, after=after)


def memory(lua: str) -> int:
    """Bytes that Lua counts in one such state after a collection."""
    world = World(lua)
    entity = world.spawn("mover", **FIELDS)
    world.tick(1 / 60)
    return int(entity.state.vm.execute(b"collectgarbage() return collectgarbage('count')") * 1024)


if __name__ == "__main__":
    for version in ("lua55", "lua54", "luajit21"):
        print(f"{version}: a state with the least prelude has {memory(version) / 1024:.0f} KiB")
