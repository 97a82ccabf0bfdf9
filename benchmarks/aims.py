"""What the benchmarks should give, and whether they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.tables import Tables

Value = Callable[[Tables], float | None]
"""A figure out of the tables; `None` where it was not measured."""


def ratio(table: str, one: str, other: str) -> Value:
    """How many times `other` the row `one` is."""
    return lambda tables: tables[table].ratio(one, other) if table in tables else None


def milliseconds(table: str, name: str) -> Value:
    def value(tables: Tables) -> float | None:
        row = tables[table].row(name) if table in tables else None
        return None if row is None else tables[table].time(row) * 1000

    return value


def fact(table: str, name: str) -> Value:
    return lambda tables: tables[table].facts.get(name) if table in tables else None


@dataclass(frozen=True)
class Aim:
    """`value` should be `bound` at most, or at least.

    `floor` is the same figure for the least that does the work, and `promised` for the least that keeps what a script
    is promised besides.
    """

    work: str
    beside: str
    value: Value
    bound: float
    least: bool = False
    floor: Value | None = None
    promised: Value | None = None

    def met(self, tables: Tables) -> bool | None:
        """`None` where it was not measured."""
        value = self.value(tables)
        if value is None:
            return None
        return value >= self.bound if self.least else value <= self.bound


SWARM, ONE, ONE_JIT, BUS, SPAWN = "swarm/lua55", "one_state/lua55", "one_state/luajit21", "bus/lua55", "spawn/lua55"
FOOTPRINT, HOOKED = "footprint/lua55", "floor: one send each, with a hook"
SEND, LOOP, CALL = "floor: one send each", "floor: a bare Lua loop", "floor: one call each"
BARE, BYTECODE = "LuaRuntime() and the script", "floor: LuaRuntime() and bytecode"
WARM = "floor: the least prelude, warm"
PROMISED, TASK, HOOKED_TASK = "floor: what is promised", "floor: the least task", "floor: the least task, with a hook"
PRELUDE, WARM_PROMISED = "floor: the least prelude", "floor: what is promised, warm"
THREADS, ALONE, SPLIT = "threads/lua55", "floor: bare runtimes", "floor: bare runtimes on two threads"

AIMS = (
    Aim(
        "1,000 entities, a state each, all moving, no limits",
        "lupa used plainly",
        ratio(SWARM, "Tidelock, no limits", "plain lupa"),
        1.0,
        floor=ratio(SWARM, SEND, "plain lupa"),
        promised=ratio(SWARM, TASK, "plain lupa"),
    ),
    Aim(
        "the same",
        "mlua with a state each",
        ratio(SWARM, "Tidelock, no limits", "mlua, Lua 5.4"),
        1.5,
        floor=ratio(SWARM, SEND, "mlua, Lua 5.4"),
        promised=ratio(SWARM, TASK, "mlua, Lua 5.4"),
    ),
    Aim(
        "the same, with limits",
        "without",
        ratio(SWARM, "Tidelock", "Tidelock, no limits"),
        1.4,
        floor=ratio(SWARM, HOOKED, SEND),
        promised=ratio(SWARM, HOOKED_TASK, TASK),
    ),
    Aim(
        "10,000 in one state",
        "a bare Lua loop",
        ratio(ONE, "Tidelock", LOOP),
        1.5,
        floor=ratio(ONE, LOOP, LOOP),
        promised=ratio(ONE, PROMISED, LOOP),
    ),
    Aim(
        "10,000 in one state, luajit21",
        "LÖVE",
        ratio(ONE_JIT, "Tidelock", "LÖVE"),
        1.3,
        floor=ratio(ONE_JIT, LOOP, "LÖVE"),
        promised=ratio(ONE_JIT, PROMISED, "LÖVE"),
    ),
    Aim(
        "10,000 in one state, luajit21",
        "Python generators",
        ratio(ONE_JIT, "Tidelock", "Python generators"),
        1.0,
        floor=ratio(ONE_JIT, LOOP, "Python generators"),
        promised=ratio(ONE_JIT, PROMISED, "Python generators"),
    ),
    Aim(
        "one of 10,000, a state each",
        "one of 100",
        ratio("growth/Tidelock, a state each", "10,000", "100"),
        3.0,
        floor=ratio(f"growth/{SEND}", "10,000", "100"),
    ),
    Aim(
        "10,000 asleep",
        "10,000 awake",
        ratio("sleepers/beside awake", "asleep", "awake"),
        0.01,
        floor=ratio("sleepers/beside awake", "floor: asleep", "floor: awake"),
    ),
    Aim(
        "one event to 100 states",
        "lupa used plainly",
        ratio(BUS, "Tidelock", "plain lupa"),
        0.25,
        floor=ratio(BUS, CALL, "plain lupa"),
    ),
    Aim(
        "one event to 100 states",
        "blinker with deepcopy",
        ratio(BUS, "Tidelock", "blinker with deepcopy"),
        1.0,
        floor=ratio(BUS, CALL, "blinker with deepcopy"),
    ),
    Aim(
        "a spawn, a state of its own",
        "bare `LuaRuntime()` and the script",
        ratio(SPAWN, "Tidelock", BARE),
        2.0,
        floor=ratio(SPAWN, BYTECODE, BARE),
        promised=ratio(SPAWN, PRELUDE, BARE),
    ),
    Aim(
        "a spawn from warm states",
        "bare `LuaRuntime()` and the script",
        ratio(SPAWN, "Tidelock, warm", BARE),
        0.5,
        floor=ratio(SPAWN, WARM, BARE),
        promised=ratio(SPAWN, WARM_PROMISED, BARE),
    ),
    Aim(
        "memory of the process for a state",
        "a bare runtime",
        ratio(FOOTPRINT, "Tidelock", "bare LuaRuntime()"),
        2.0,
        floor=ratio(FOOTPRINT, "floor: the least runtime", "bare LuaRuntime()"),
        promised=ratio(FOOTPRINT, PRELUDE, "bare LuaRuntime()"),
    ),
    Aim(
        "the same, as Lua counts after a collection",
        "a bare runtime",
        ratio(f"{FOOTPRINT}/counted", "Tidelock", "bare LuaRuntime()"),
        2.0,
        floor=ratio(f"{FOOTPRINT}/counted", "floor: the least runtime", "bare LuaRuntime()"),
        promised=ratio(f"{FOOTPRINT}/counted", PRELUDE, "bare LuaRuntime()"),
    ),
    Aim(
        "1,000 entities with 50 µs of Lua each, one thread",
        "`workers=2`",
        ratio(THREADS, "Tidelock", "Tidelock, workers=2"),
        1.6,
        least=True,
        floor=ratio(THREADS, ALONE, SPLIT),
    ),
    Aim("the same run with `workers=2`", "equal digests: 1", fact(THREADS, "same digest"), 1.0, least=True),
    Aim(
        "a frame of 1,000 entities of the demo, 70% asleep",
        "milliseconds",
        milliseconds("frame/lua55", "Tidelock"),
        2.0,
        floor=milliseconds("frame/lua55", "floor: a runtime each and a heap"),
        promised=milliseconds("frame/lua55", "floor: and what scripts are promised"),
    ),
)


def markdown(tables: Tables) -> str:
    """The aims as a table; what the least possible gives stands beside what was measured."""
    lines = ["| work | beside | aim | measured | with promises | floor | |", "|---|---|---:|---:|---:|---:|---|"]
    words = {True: "met", False: "**not met**", None: "not measured"}
    for aim in AIMS:
        bound = f"{'≥' if aim.least else '≤'} {aim.bound:g}"
        found = [shown(figure(tables)) if figure else "" for figure in (aim.value, aim.promised, aim.floor)]
        lines.append(f"| {aim.work} | {aim.beside} | {bound} | {' | '.join(found)} | {words[aim.met(tables)]} |")
    return "\n".join(lines)


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
