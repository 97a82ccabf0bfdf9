"""Makes what a state is before it belongs to anybody: a VM with the prelude in it, its limits, a pump that waits.

Nothing in here knows a world or changes anything that is shared, so it may run on any thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from engine.limits import Limits
from engine.lua.runtime import Names, Runtime, Text

USUAL = ("pump", "standard", "several")
"""Files of the prelude that most scripts use: a warm state has them."""

_WAYS = ("pump", "deliver", "pump", "keep", "pump", "fetch", "body", "run")

Entry = Callable[..., Any]


class Ways(NamedTuple):
    """Into a state's pump: `send` of its coroutine, and functions for what a coroutine cannot take or give."""

    send: Entry
    deliver: Entry
    keep: Entry
    fetch: Entry


class Bare(NamedTuple):
    """A state for any entity, and what gives it to a world."""

    runtime: Runtime
    adopt: Entry
    ways: Ways | None = None
    """None where the pump is still to be loaded."""
    lead: Entry | None = None
    """Of a state whose first entity has read its script, and lies in wait for its birth: what its task is sent then."""
    quiet: bool = False
    """Nothing is to be done at the end of that entity, as long as there is no pump."""
    names: Names | None = None
    """Of the fields that it expects."""


def make_bare(lua: str, limits: Limits, seed: int, *, wall: int | None = None) -> Bare:
    """A state with a pump. Of a world it depends on nothing but the seed; `wall` is another for its memory."""
    runtime = Runtime(lua, seed, limits, wall=wall)
    return Bare(runtime, runtime.adopt, ways_into(runtime))


def ways_into(runtime: Runtime) -> Ways:
    """The ways into the pump, which is loaded if it was not."""
    deliver, keep, fetch, run = runtime.get_all(*_WAYS)
    send = run.coroutine().send
    send(None)
    return Ways(send, deliver, keep, fetch)


def reads(lua: str, limits: Limits, seed: int, script: Text, names: Names | None = None) -> Bare | None:
    """A state whose first entity has read its script: it lies in wait for its birth where it can.

    `names` are those of the fields that it will probably get: then a birth need not make them.

    None where the script fails when it is read, or asks for more than its table, or may have no task: so it is to be
    read at the birth.
    """
    memory = limits.memory
    if limits.tasks == 0 or _too_long(script, memory):
        return None
    try:
        runtime = Runtime(lua, seed, limits, script=script, names=names or ())
    except Exception:  # as of memory: its entity will meet it
        return None
    if runtime.begun is None or (memory is not None and runtime.used() > memory):
        return None
    if runtime.used_files and not runtime.gives_the_same():
        return None
    begun, runtime.begun = runtime.begun, None
    if begun is True:
        return Bare(runtime, runtime.adopt)
    thread, ends = begun
    return Bare(runtime, runtime.adopt, lead=thread.send, quiet=not ends, names=names)


def _too_long(script: Text, memory: int | None) -> bool:
    """True for a text that no state has room for: an entity will be told, and pushed ahead it could meet the wall."""
    return memory is not None and len(script[2]) > memory


def made_ahead(
    lua: str, limits: Limits, seed: int, script: Text | None = None, names: Names | None = None
) -> Iterator[Bare]:
    """States, one after the other, that have what an entity will need.

    With a `script` they have read it, as far as nobody can tell, or compiled it; they serve for any other as well.
    """
    if script is not None and _too_long(script, limits.memory):
        script = None
    readable = script
    while True:
        made = reads(lua, limits, seed, readable, names) if readable is not None else None
        if made is None:
            readable = None
            made = Bare(runtime := Runtime(lua, seed, limits), runtime.adopt)
        made.runtime.load(USUAL)
        if readable is not None:
            if not made.runtime.get("ahead", "provide")(readable[2]):
                made = made._replace(lead=None)
        else:
            made.runtime.get("ahead", "make")()
            if script is not None:
                made.runtime.get("ahead", "compile")(script[2], script[1].encode())
        made.runtime.get("memory", "collect")()  # else the births would do it
        yield made._replace(ways=ways_into(made.runtime))


def adopted_ahead(bare: Bare, fixed_step: float) -> Bare:
    """The same, wired to a world already: who answers is told to Python only, which a birth need not cross for."""
    answers: list[Entry] = []
    bare.adopt(lambda *question: answers[0](*question), fixed_step)
    return bare._replace(adopt=lambda answer, _: answers.append(answer))
