"""What scripts may use at most."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for every state of a world; `None` switches a bound off.

    `instructions`: Lua instructions in one tick. `memory`: bytes of one state. `payload`: bytes of one payload.
    `depth`: levels of tables in a payload. `mailbox`: events waiting for one state. `tasks`: live tasks of one
    entity. `errors`: failures in a row after which a callback is paused until its script reloads. `calls` and
    `world_calls`: calls of host modules under way at once, for one entity and for all; more wait their turn.
    `threads`: threads, and at most as many processes, for blocking host functions.
    """

    instructions: int | None = 10_000_000
    memory: int | None = 64 * 1024 * 1024
    payload: int = 64 * 1024
    depth: int = 32
    mailbox: int | None = 20_000
    tasks: int | None = 200_000
    errors: int | None = 10
    calls: int | None = 64
    world_calls: int | None = 256
    threads: int = 8

    @classmethod
    def off(cls) -> Self:
        """For a released game that trusts its scripts; the payload rules and the bounds of host calls stay."""
        return cls(instructions=None, memory=None, mailbox=None, tasks=None, errors=None)
