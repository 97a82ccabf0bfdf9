"""Makes what a state is before it belongs to anybody: a VM with the prelude in it, its limits, a pump that waits.

Nothing in here knows a world or changes anything that is shared, so it may run on any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from engine.limits import Limits
from engine.lua.runtime import Runtime, Text

ROOM = 16 * 1024 * 1024
"""Bytes between the memory limit and the wall where Lua's allocations fail: for what comes from Python."""

_FEW = 32  # as `mail.few` in Lua

USUAL = ("standard", "watch", "several")
"""Files of the prelude that most scripts use: a warm state has them."""

_WAYS = ("pump", "deliver", "pump", "keep", "pump", "fetch", "body", "run", "library", "adopt")

Entry = Callable[..., Any]


class Bare(NamedTuple):
    """A state for any entity: what gives it to a world, and the ways into its pump."""

    runtime: Runtime
    adopt: Entry
    send: Entry
    deliver: Entry
    keep: Entry
    fetch: Entry
    lead: Entry | None = None
    """Of a state whose first entity has read its script, and lies in wait for its birth: what its task is sent then."""


def made_ahead(lua: str, limits: Limits, seed: int, script: Text | None = None) -> Iterator[Bare]:
    """States, one after the other, that have what an entity will need.

    With a `script` they have read it, as far as nobody can tell, or compiled it; they serve for any other as well.
    """
    readable = script
    while True:
        made = make_bare(lua, limits, seed)
        made.runtime.load(USUAL)
        made.runtime.get("memory", "collect")()  # else the births would do it
        made.runtime.get("ahead", "make")()
        if readable is not None and not _reads(made, readable, limits):
            readable = None
            continue
        if readable is None and script is not None:
            made.runtime.get("ahead", "compile")(script[2], script[1].encode())
        yield made if readable is None else _lying_in_wait(made, readable[0])


def _reads(bare: Bare, script: Text, limits: Limits) -> bool:
    """False where a script asks for more than its table when it is read, or fails: the state is lost then."""
    try:
        if not bare.runtime.get("ahead", "read")(script[2], script[1].encode()):
            return False
    except Exception:  # as of memory: its entity will meet it
        return False
    if limits.memory is not None and bare.runtime.used() > limits.memory:
        return False
    bare.runtime.read = script
    return True


def _lying_in_wait(bare: Bare, name: str) -> Bare:
    """The same, calm before its first entity is born, where that can be."""
    if not bare.runtime.get("birth", "prepare")(name.encode()):
        return bare
    bare.send((0.0, 0.0, 0, 0))
    return bare._replace(lead=bare.fetch(0, 0).send)


def adopted_ahead(bare: Bare, fixed_step: float) -> Bare:
    """The same, wired to a world already: who answers is told to Python only, which a birth need not cross for."""
    answers: list[Entry] = []
    bare.adopt(lambda *question: answers[0](*question), fixed_step)
    return bare._replace(adopt=lambda answer, _: answers.append(answer))


def make_bare(lua: str, limits: Limits, seed: int, *, wall: int | None = None) -> Bare:
    """A state under these limits. Of a world it depends on nothing but the seed; `wall` is another for its memory."""
    runtime = limited_runtime(lua, limits, seed, wall=wall)
    deliver, keep, fetch, run, adopt = runtime.get_all(*_WAYS)
    send = run.coroutine().send
    send(None)
    return Bare(runtime, adopt, send, deliver, keep, fetch)


def limited_runtime(lua: str, limits: Limits, seed: int, *, wall: int | None = None) -> Runtime:
    """The same without a pump."""
    if wall is None and limits.memory is not None:
        wall = limits.memory + ROOM
    few = None if limits.mailbox is None else min(limits.mailbox // 4, _FEW)
    spent = (limits.instructions, limits.seconds, limits.memory)
    told = (limits.payload, limits.depth, limits.outbox)
    heard = (limits.mailbox, few, limits.subscriptions)
    made = (limits.spawns, limits.tasks, limits.errors, limits.log)
    return Runtime(lua, seed, *spent, *told, *heard, *made, guards=limits.watched, memory=wall)
