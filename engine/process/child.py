"""What runs in a child process: real states, ticked for the world at the other end of the socket.

A frame from the world is (what is asked, numbers of states that are not needed any more, values...). Answers are
("value", values...), ("said", results of ticks...), and ("ask", results so far, who asks, question...) for what a
script cannot wait for. Between a question and its answer the world may ask for something itself.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from engine.errors import EngineError, LimitError
from engine.limits import Limits, limits_for
from engine.lua.actor import Actor, Terms, answers
from engine.lua.bare import Bare, make_bare
from engine.lua.clock import Clock
from engine.lua.commons import Commons
from engine.lua.parts import size_of
from engine.lua.rounds import tick
from engine.lua.runtime import ROOM, Runtime
from engine.process.wire import Frame, Link

SHARE = 0.05
"""Seconds after which the results of a long round are told: the world waits for a state, not for all of them."""

ROOMS = 16
"""A child may take as much memory as so many states at their limit."""

SPARE = 8 * 1024 * 1024
"""Bytes that must be left for frames before another state is made."""

_MEBIBYTE = 1024 * 1024


def main(number: int) -> None:
    """Serve the world at the other end of socket `number` for as long as it lives."""
    with suppress(ValueError):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    link = Link(_channel(number), most=1 << 32)  # the world may say anything
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        lua, memory = link.read()
        version = lua.decode()
        Runtime(version, 1, limits_for(version, None))  # reads what will be needed, while files can be opened
        fence(memory)
        link.write(b"up")
        Host(link, version).serve()
    except (EOFError, OSError):
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # at once: to free thousands of states takes longer than the world waits


def fence(memory: int | None) -> None:
    """Give up what a child never needs: new files, processes, core dumps, and more memory than its states may use."""
    try:
        import resource
    except ImportError:  # not a POSIX system
        return
    most = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0, "RLIMIT_NPROC": 0, "RLIMIT_NOFILE": 0}
    if memory is not None:
        most["RLIMIT_AS"] = _size() + ROOMS * (memory + ROOM) if _size() else resource.RLIM_INFINITY
    for name, value in most.items():
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (value, value))


class Hosted(Actor):
    """A state for a world in another process. `number` stands for it there.

    LuaJIT cannot hold limits by itself: here its memory has a wall, and is looked at after every tick.
    """

    def __init__(self, number: int, most: int | None, *args: Any) -> None:
        self.number = number
        self.traced = False
        self._most = most
        super().__init__(*args)
        self.limits = self.limits.but(memory=most or self.limits.memory)
        assert self._runtime is not None
        self._runtime.put("entity", "apart", True)

    def _make_bare(self, seed: int) -> Bare:
        wall = None if self._most is None else self._most + ROOM
        return make_bare(self.lua, self.limits, seed, wall=wall)

    def ticked(self, args: Any) -> Any:
        """What a tick gives; the short ways of the pump tell no trace."""
        self.clock.args = args
        if not self.traced:
            return tick((self,))[0]
        try:
            return self.deliver(args)
        except Exception as error:
            return error

    def looked_at(self, result: Any) -> Any:
        """A result that tells when there is too much memory in use."""
        runtime, most = self._runtime, self._most
        if runtime is None or most is None or runtime.used() <= most:
            return result
        runtime.get("memory", "collect")()
        if runtime.used() <= most:
            return result
        said = f"the state uses more than {most / _MEBIBYTE:.4g} MiB, the limit (Limits.memory)".encode()
        before = result if type(result) is tuple else (result, None, None)
        return (*before, b"over", 0, 1, said) if not isinstance(result, Exception) else result


class Host:
    """The states of one child."""

    def __init__(self, link: Link, lua: str) -> None:
        self._link = link
        self._lua = lua
        self._commons = Commons()
        self._actors: dict[int, Hosted] = {}
        self._said: list[Any] = []

    def serve(self) -> None:
        while True:
            self._obey(self._link.read())

    def _obey(self, frame: Frame) -> None:
        self._link.expect()
        word, gone, *values = frame
        for number in gone:
            actor = self._actors.pop(number, None)
            if actor is not None:
                actor.close()
        _WORDS[word](self, *values)

    def _new(self, number: int, key: int, seed: int, fixed_step: float, held: Any, *limits: Any) -> None:
        bounds, most = Limits(*limits), None
        if self._lua == "luajit21":
            most, bounds = bounds.memory, bounds.but(instructions=None, seconds=None, memory=None)
        try:
            bytearray(SPARE)  # the states that live here go on, also where this one has no room
            self._actors[number] = Hosted(
                number,
                most,
                key,
                Clock("game"),
                answers(self._ask, self._commons),
                Terms(self._lua, bounds, seed, fixed_step, self._commons, held),
            )
        except Exception as error:  # most likely the fence
            self._link.write(b"value", False, f"{type(error).__name__} {error}".strip().encode())
            return
        self._link.write(b"value", True)

    def _tick(self, *entries: tuple[int, Any, tuple[Any, ...]]) -> None:
        told = monotonic()
        for number, args, inbox in entries:
            actor = self._actors[number]
            actor.inbox.extend(inbox)
            result = _sendable(actor.looked_at(actor.ticked(args)))
            self._said.append(result)  # a list of its own since the last question
            if monotonic() - told > SHARE:
                self._link.write(b"said", *self._take_said())
                told = monotonic()
        if self._said:
            self._link.write(b"said", *self._take_said())

    def _hand(self, number: int, args: Any, mail: Frame) -> None:
        actor = self._actors[number]
        actor.clock.args = args
        self._link.write(b"value", _sendable(actor.looked_at(actor.hand(mail))))

    def _call(self, number: int, module: bytes, word: bytes, *args: Any) -> None:
        actor = self._actors[number]
        if (module, word) == (b"trace", b"stop"):
            actor.traced = False
        try:
            function = actor.function(module.decode(), word.decode())
            if size := size_of(args):
                actor.check_room(size, over=ROOM // 4)
            answer = function(*args)
        except Exception as error:
            self._link.write(b"value", isinstance(error, LimitError), str(error).encode(), False)
            return
        self._link.write(b"value", True, answer, True)

    def _trace(self, number: int) -> None:
        from time import perf_counter  # counts from the same moment in all processes of a machine

        self._actors[number].note_spans(perf_counter)
        self._actors[number].traced = True
        self._link.write(b"value", True)

    def _ask(self, actor: Any, *question: Any) -> tuple[Any, ...]:
        self._link.write(b"ask", self._take_said(), actor.number, *question)
        while True:
            frame = self._link.read()
            if frame[0] != b"answer":
                self._obey(frame)
                continue
            self._link.expect()
            ok, *values = frame[2:]
            if ok:
                return tuple(values)
            raise EngineError(values[0].decode(errors="replace"))

    def _take_said(self) -> tuple[Any, ...]:
        said, self._said = self._said, []
        return tuple(said)


_WORDS: dict[bytes, Callable[..., None]] = {
    b"new": Host._new, b"tick": Host._tick, b"hand": Host._hand, b"call": Host._call, b"trace": Host._trace,
}  # fmt: skip


def _sendable(result: Any) -> Any:
    if isinstance(result, Exception):
        return (b"broke", isinstance(result, MemoryError), str(result).encode())
    return result


def _size() -> int:
    """Bytes of address space in use, 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0


def _channel(number: int) -> socket.socket:
    if number >= 0:
        return socket.socket(fileno=number)
    size = int.from_bytes(sys.stdin.buffer.read(4), "little")
    return socket.fromshare(sys.stdin.buffer.read(size))  # type: ignore[attr-defined,no-any-return,unused-ignore]


def _end_with_parent() -> None:
    """End when the game does, also in the middle of a script that loops: lupa gives up the GIL while Lua runs."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(0)
