"""What scripts may use at most."""

from dataclasses import dataclass, fields, replace
from typing import Self

from engine.errors import EngineError, LimitError

SMALLEST_MEMORY = 1024 * 1024
"""A state without a script already takes a tenth of this."""

_NEEDED = ("payload", "depth", "threads")  # that cannot be switched off
_SOME = (*_NEEDED, "instructions", "mailbox", "errors", "calls", "world_calls")  # of which 0 would leave nothing to do
_MOST = 2**53  # what every Lua can count to


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for every state of a world; `None` switches a bound off. No honest script meets the defaults.

    In one tick of a state: `instructions` of Lua, counted in steps of 1,000, and `seconds` of processor time, the net
    under `instructions` for single steps that take long. `memory`: bytes of one state. `payload`: bytes of one
    payload. `depth`: levels of tables in a payload. `mailbox`: events waiting for one state. `tasks`: live tasks of
    one entity. `errors`: failures in a row after which a callback is paused until its script reloads. `calls` and
    `world_calls`: calls of host modules under way at once, for one entity and for all; more wait their turn.
    `threads`: threads, and at most as many processes, for blocking host functions. `outbox`: bytes that one state
    tells the world in one tick, where each operation counts 256 beside its values. `subscriptions`: of one entity.
    `spawns` and lines of `log`: of one entity in one frame. `entities`: of the world, as far as scripts make them; for
    `world.limit`, of each script that it names.
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
    seconds: float | None = 2.0
    outbox: int | None = 16 * 1024 * 1024
    subscriptions: int | None = 10_000
    spawns: int | None = 5_000
    entities: int | None = 50_000
    log: int | None = 1_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.name in _NEEDED:
                _check(field.name, value)

    @classmethod
    def off(cls) -> Self:
        """For a released game that trusts its scripts; the payload rules and the bounds of host calls stay."""
        names = "instructions memory mailbox tasks errors seconds outbox subscriptions spawns entities log"
        return cls(**dict.fromkeys(names.split()))  # type: ignore[arg-type]

    @property
    def watched(self) -> bool:
        """True where scripts must be looked at while they run, which takes a count hook."""
        return not (self.instructions is None and self.seconds is None and self.memory is None)

    def but(self, **changes: float | None) -> Self:
        """The same limits with some changed: `Limits().but(memory=8 * 2**20)`."""
        return replace(self, **changes)  # type: ignore[arg-type]


def _check(name: str, value: object) -> None:
    """`LimitError` for what no state can be held to."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if name == "seconds":
        fits, kind = number and 0 < value <= _MOST, "number greater than 0"  # type: ignore[operator]
    elif name == "memory" and number and value < SMALLEST_MEMORY:  # type: ignore[operator]
        raise LimitError(f"Limits.memory must be at least {SMALLEST_MEMORY:,} bytes, got {value:,}")
    else:
        least = int(name in _SOME)
        fits, kind = isinstance(value, int) and number and least <= value <= _MOST, f"whole number >= {least}"
    if not fits:
        none = "" if name in _NEEDED else ", or None for no limit"
        raise LimitError(f"Limits.{name} must be a {kind}, 2**53 at most{none}; got {value!r}")


def limits_for(lua: str, limits: Limits | None, *, process: bool = False) -> Limits:
    """The limits that hold: the defaults on PUC Lua, none on LuaJIT, where asking for them is an error.

    In a `process` of its own LuaJIT holds them, too: what cannot be stopped there can be killed, when its seconds are
    over. That is what ends a loop there, so asking for `instructions` without `seconds` is an error.
    """
    if not isinstance(limits, Limits | None):
        raise EngineError(f"limits must be Limits(...) or None, got {limits!r}")
    if process or lua != "luajit21":
        held = limits or Limits()
        if lua == "luajit21" and held.seconds is None and held.instructions is not None:
            raise LimitError(
                "luajit21 counts no instructions, in a process of its own neither: there Limits.seconds ends a loop, "
                "and that is None. Set seconds, or use lua55"
            )
        return held
    if limits is None:
        return Limits(instructions=None, seconds=None, memory=None)
    asked = [name for name in ("instructions", "seconds", "memory") if getattr(limits, name) is not None]
    if asked:
        raise LimitError(
            f"luajit21 cannot hold limits on {' and '.join(asked)}: its compiled loops cannot be stopped. "
            'Use lua55 for scripts you do not trust, or isolation "process", or Limits.off(), '
            f"or set {' and '.join(asked)} to None"
        )
    return limits
