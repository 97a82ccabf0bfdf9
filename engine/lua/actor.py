"""A state under a world: an inbox, and a pump that is sent (now, dt, frame, phase) once per tick."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import get_ident
from types import MethodType
from typing import Any

from engine.errors import EngineError
from engine.limits import Limits
from engine.lua.bare import Bare, Entry, make_bare, ways_into
from engine.lua.clock import MAIL_ONLY, Clock
from engine.lua.commons import Commons
from engine.lua.parts import PART, size_of
from engine.lua.runtime import ROOM, WAYS, Names, Runtime
from engine.lua.state import Ask, LuaState

Mail = tuple[Any, ...]
"""An event for a subscription, (its number, name, sender, shape, leaves...), or (what else it is, fields...)."""

Result = Any
"""What a tick gives: the wake time, or (wake, x, y, operations...), or (x, y) of one that wakes in the next frame; None
where all is as the last tick said; an exception where the pump itself died."""

# A pump yields few values and tells how many more there are to fetch: lupa does not make room on the main state's
# stack for what a coroutine yields, and a long yield overruns it.

IN_PARTS = 4
"""How long a result is whose operations are still to be fetched."""

_SHORT = 200  # bytes for which there is always room


@dataclass(frozen=True, slots=True)
class Terms:
    """What a state is made under: a Lua that there is, and limits that hold there."""

    lua: str
    limits: Limits
    seed: int
    fixed_step: float
    commons: Commons
    held: tuple[bytes, ...] | None = None
    """What a mod is held to."""
    permit: Any = None
    """Of that mod."""


class Actor(LuaState):
    """One state of a world. `key` is the id of its first entity and decides when it ticks.

    `answer` is of `answers`. `bare` is a state that is ready, made with the same `lua`, `seed` and `limits`; without it
    one is made now.
    """

    # What every tick and every birth looks at stands together. `_send` is that of who leads: the pump, or in a calm
    # state its task.
    __slots__ = (
        *("_hear", "_pump", "_send", "_task", "awaits", "clock", "entities", "inbox"),
        *("key", "names", "only", "wake", "weak"),
    )

    # Of few states it is another.
    another: Any = None  # script and shape of who was last made with all its mail: one more needs less
    changed = False  # by Python, since its last tick
    permit: Any = None  # of the mod that the script belongs to
    sheet: Any = ()  # x and y of each of many entities
    stops: Sequence[int] = ()  # frames in which a task was stopped at a limit
    version: Any = None  # of the script that runs here

    def __init__(
        self,
        key: int,
        clock: Clock,
        answer: Ask,
        terms: Terms,
        bare: Bare | None = None,
    ) -> None:
        self._begin(terms.lua, terms.limits, terms.commons)
        self.key = key
        self.clock = clock
        self.inbox: list[Mail] = []
        self.entities: Any = ()  # ids, in the order in which they came: a dict where there are several
        self.only: Any = None
        self.wake: float | None = None
        self._open(answer, terms, bare)

    @property
    def name(self) -> str:
        return f"entity {self.key}"

    def _open(self, answer: Ask, terms: Terms, bare: Bare | None) -> None:
        """Make the VM, if there is none, and tell it what it is to know of its world, and who answers its questions."""
        runtime, adopt, ways, lead, self._quiet, self.names = bare or self._make_bare(terms.seed)
        self._runtime = runtime
        self._pump: Entry | None = None
        self._hear: Entry | None = None
        if ways is not None:
            self._pump, self._deliver, self._keep, self._fetch = ways
        self._send = self._task = lead or self._pump or self._load_pump()
        # The script whose first entity lies in wait for its birth, in a task that leads.
        self.awaits = None if lead is None else runtime.read
        adopt(MethodType(answer, self.weak), terms.fixed_step)
        if terms.held is not None:
            runtime.get("rights", "hold")(*terms.held)

    def _make_bare(self, seed: int) -> Bare:
        return make_bare(self.lua, self.limits, seed)

    # No `__getattr__` for these: with one, Python takes several times as long to find anything in here.

    def _load_pump(self) -> Entry:
        """Have the ways into the pump, with the first use that is made of them."""
        self._pump, self._deliver, self._keep, self._fetch = self._made(ways_into)
        return self._pump

    @property
    def hear(self) -> Callable[..., Result]:
        """Takes an event; made with the first that comes."""
        if self._hear is None:
            self._hear = self._made(_hearing)
        return self._hear

    def _made(self, make: Callable[[Runtime], Any]) -> Any:
        runtime = self._runtime
        assert runtime is not None
        runtime.lift_wall(WAYS)
        try:
            return make(runtime)
        finally:
            runtime.put_wall(WAYS)

    @property
    def ends_quietly(self) -> bool:
        """True where the end of its entity brings about nothing: it has just moved and waited."""
        return self._quiet and self._runtime is not None and self._runtime.is_calm

    def bear(self, id: int, seed: int, names: Names, leaves: tuple[Any, ...]) -> Result:
        """What the first tick of an entity gives that lies in wait for its birth."""
        clock, entered, me = self.clock.args, self.commons.entered, get_ident()
        own = (id, seed, True) if names is self.names else (id, seed, False, *names)
        alone = me not in entered
        entered.add(me)  # what `commons.enter` does, without its cost
        try:
            result = self._send(clock + own + leaves)
            return self.turn(clock) if result is None else result
        except Exception as error:
            return self.turn(clock, error)
        finally:
            if alone:
                entered.discard(me)

    def turn(self, args: tuple[Any, ...], error: Exception | None = None) -> Result:
        """What this tick gives where who was sent to gave nothing, or failed: another leads from here on."""
        try:
            pump = self._pump or self._load_pump()
        except Exception as lost:  # there is no room for it
            return lost.with_traceback(None)
        while True:
            try:
                if self._send is pump:
                    if error is not None:
                        return error
                    self._follow()
                else:
                    self._send = pump
                    if error is not None:
                        self._task = pump
                        args = (*args, self._text_of(error))
                error = None
                result = self._send(args)
                if result is not None:
                    return result
            except Exception as lost:
                error = lost.with_traceback(None)  # which names this frame: both would live on, and the state

    def _follow(self) -> None:
        """Have the task lead for which the pump has stepped aside."""
        leader = self._fetch(0, 0)
        if leader:  # else somebody has used the state meanwhile, on another thread, and the pump leads after all
            if leader is not True:
                self._task = leader.send
            self._send = self._task

    def lead_again(self) -> None:
        """The pump leads, if a task did."""
        pump = self._pump or self._load_pump()
        if self._send is not pump:
            self._send = pump
            self.commons.leads += 1

    def _text_of(self, error: Exception) -> Any:
        """What the pump is told of the error that ended a task: just that there was one, where it finds it itself."""
        if self.lua != "luajit21":
            return True
        text = b"not enough memory" if isinstance(error, MemoryError) else str(error).encode("latin-1", "replace")
        try:
            self.check_room(len(text))
        except EngineError:
            return text[:_SHORT]
        return text

    def deliver(self, args: tuple[Any, ...]) -> Result:
        """Tick with the mail that is in the inbox."""
        if self.limits.memory is not None:
            self.check_room()
            if len(self.inbox) * self.limits.payload > ROOM // 8:
                return self._deliver_in_parts(args)
        flat: list[Any] = []
        for mail in self.inbox:
            flat += mail
        self.inbox.clear()
        return self._send_mail(args, flat)

    def _deliver_in_parts(self, args: tuple[Any, ...]) -> Result:
        """Much mail: no more bytes at once than there is room for above the memory limit."""
        inbox = list(self.inbox)
        self.inbox.clear()
        flat: list[Any] = []
        size = 0
        operations: list[Any] = []
        for mail in inbox:
            more = size_of(mail)
            if flat and size + more > ROOM // 2:
                result = self._send_mail((*args[:3], MAIL_ONLY), flat)
                operations += result[3:] if type(result) is tuple else ()
                if self._is_over():
                    return (False, None, None, *operations)
                flat, size = [], 0
            flat += mail
            size += more
        result = self._send_mail(args, flat)
        if not operations:
            return result
        return (*result[:3], *operations, *result[3:]) if type(result) is tuple else (result, None, None, *operations)

    def _is_over(self) -> bool:
        """True after a tick whose state has more than its memory, and said so."""
        runtime, memory = self._runtime, self.limits.memory
        return runtime is not None and memory is not None and runtime.used() > memory

    def hand(self, mail: Mail) -> Result:
        """Hand over one piece of mail now, past the inbox."""
        try:
            self.check_room(size_of(mail))
            return self.commons.enter(self._send_mail, self.clock.args, mail)
        except Exception as error:
            return error

    def _send_mail(self, args: tuple[Any, ...], flat: Sequence[Any]) -> Result:
        self.lead_again()
        start = 0
        while len(flat) - start > PART:
            self._keep(*flat[start : start + PART])
            start += PART
        result = self._deliver(*args, *(flat[start:] if start else flat))
        return self.whole(result) if type(result) is tuple and len(result) == IN_PARTS else result

    def whole(self, result: Result) -> Result:
        """A result with its operations, where it told only how many there are."""
        if self._pump is None:
            self._load_pump()
        *said, count = result
        end = len(said) + count
        while len(said) < end:
            start = len(said) - 2
            part = self._fetch(start, min(start + PART - 1, count))
            said += part if type(part) is tuple else (part,)
        return tuple(said)

    def way_to(self, module: str, word: str) -> Callable[..., Any] | None:
        """A function that the prelude has made, or None: for `rounds.asked`; it holds the VM."""
        return self._ready().get(module, word)  # type: ignore[no-any-return]

    def note_spans(self, now: Callable[[], float]) -> None:
        """Note from here on when tasks run, on this clock; `function("trace", ...)` gives what was noted."""
        assert self._runtime is not None
        self._runtime.put("trace", "now", now)
        self.function("trace", "start")()

    def holds(self, entity: int) -> bool:
        return entity == 0 or entity in self.entities

    def drop(self, key: int) -> None:
        super().drop(key)
        self.commons.touched.append(self.weak)

    def touch(self) -> None:
        """Tick in the next frame, even while asleep, so that the world sees what changed."""
        self.changed = True
        self.commons.touched.append(self.weak)

    def submit(self, action: Callable[[], object]) -> None:
        self.commons.outside.add(action)

    def call_flat(self, key: int, flat: list[Any], entity: int) -> Any:
        self.commons.check_thread(self.name)
        try:
            return super().call_flat(key, flat, entity)
        finally:
            self.touch()

    def blame(self, error: Exception) -> None:
        """What it said could not be carried out."""
        raise error

    def husk(self) -> object:
        """What is slow to free of this state; close it, and let go of this when there is time."""
        return (self._runtime, self._send, self._task)

    def close(self) -> None:
        super().close()
        self._send = self._pump = self._task = self._fetch = self._keep = self._deliver = self._hear = _closed


def _hearing(runtime: Runtime) -> Entry:
    hear = runtime.get("hearing", "body").coroutine().send
    hear(None)
    return hear  # type: ignore[no-any-return]


def answers(ask: Ask, commons: Commons) -> Ask:
    """`ask` as Lua may call it, bound to a weak reference to the actor: never raises, gives False and the message."""

    def answer(reference: weakref.ref[Actor], *question: Any) -> tuple[Any, ...]:
        actor = reference()
        if actor is None:
            return False, b"the world is closed"
        me = get_ident()
        entered = me in commons.entered
        actor.busy = True
        commons.inside.add(actor.key)
        commons.entered.discard(me)  # other states may be used from here
        try:
            answers = ask(actor, *question)
            if actor.limits.memory is not None and size_of(answers) > ROOM // 2:
                return False, b"the answer is too long for this state"
            return (True, *answers)
        except EngineError as error:
            return False, str(error).encode()
        except Exception as error:
            return False, f"{type(error).__name__}: {error}".encode()
        finally:
            if entered:
                commons.entered.add(me)
            actor.busy = False
            commons.inside.discard(actor.key)

    return answer


def _closed(*_: object) -> Result:
    raise EngineError("the state is closed")
