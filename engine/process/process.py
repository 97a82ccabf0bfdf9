"""The game's end of one child process: what is sent there, and what comes back, in the order of the states."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from subprocess import TimeoutExpired
from time import monotonic
from typing import Any, NoReturn
from weakref import WeakValueDictionary

from engine.errors import LimitError, StateBusy, StateClosed
from engine.process import guard, launch
from engine.process.wire import Frame, Link, Refused

START = 30.0
"""Seconds that an interpreter may take to start."""

MARGIN = 1.0
"""Seconds beside `Limits.seconds` that a state may take to answer."""


_LEFT = "was killed: the game left it in the middle of a tick"


class ProcessEnded(StateClosed):
    """A child process is gone; the world starts its entities anew, or ends them."""


class CallFailed(Exception):
    """A function of the prelude raised an error in a child."""


class Process:
    """One child process, which hosts the states of `name`: a script, or a folder of scripts.

    Frames are questions and answers, strictly nested, so neither side ever waits for the other to read. Results of
    ticks come in the order in which their states were sent: whoever waits for one waits for those before it.
    """

    def __init__(self, name: str, lua: str, memory: int | None) -> None:
        self.name = name
        self.ended = ""  # how; empty while it lives
        self.traceback = ""
        self.suspect = 0  # the entity of the state that was waited for when it ended
        self.actors: WeakValueDictionary[int, Any] = WeakValueDictionary()
        self.gone: deque[int] = deque()
        self.patience: float | None = None
        self._numbers = 0
        self._due: deque[int] = deque()
        self._results: deque[Any] = deque()
        self._question: Frame | None = None
        self._answering = 0
        self._turn = threading.Condition(threading.RLock())
        self._process, channel = launch.launch()
        self._launched, self._greeted = monotonic(), False
        self._link = Link(channel)
        self._link.write(lua, memory)

    @property
    def pid(self) -> int:
        return self._process.pid

    def is_up(self) -> bool:
        """False while the interpreter starts."""
        return self._greeted or bool(self.ended) or self._link.waiting() or monotonic() - self._launched > START

    # States.

    @property
    def lives_on(self) -> bool:
        """True while a state in here has entities."""
        return any(actor.alive for actor in self.actors.values())

    @property
    def is_used(self) -> bool:
        """True while anything can ask for a state in here, a proxy of one that was closed, too."""
        return any(actor.is_kept for actor in self.actors.values())

    def open(self, actor: Any, *values: Any) -> int:
        """Make a state there; its number."""
        self._numbers += 1
        number = self._numbers
        self.actors[number] = actor
        ok, *why = self._exchange(b"new", number, *values, patience=START)
        if ok is not True:
            said = guard.text(why[0]) if why else ""
            raise LimitError(
                f'the process of "{self.name}" cannot hold another state, beside {len(self.actors) - 1} ({said}); '
                'let the entities of a script share one (isolation = "script" in it), or raise Limits.memory'
            )
        return number

    def hand(self, number: int, args: Any, mail: Frame) -> Any:
        """What a state says to one piece of mail, unchecked."""
        return self._exchange(b"hand", number, args, mail)[0]

    def call(self, number: int, module: str, word: str, *args: Any) -> Any:
        """What a function of a state's prelude gives."""
        answer = self._exchange(b"call", number, module.encode(), word.encode(), *args)
        limit, flat, ok = answer if len(answer) == 3 else (False, {}, False)
        if not guard.plain(flat if type(flat) is tuple else (flat,)):
            self.refuse("values that are no plain data")
        if ok is not True:
            raise (LimitError if limit is True else CallFailed)(guard.text(flat))
        return flat

    def trace(self, number: int) -> None:
        self._exchange(b"trace", number)

    # Ticks.

    def start(self, entries: Iterable[tuple[int, Any, list[Frame]]]) -> None:
        """Send (number, clock, mail) of states that are to tick; `result` gives what they say, in this order."""
        with self._turn:
            sent = tuple(entries)
            if self._due:
                self._end(_LEFT)
            self._check()
            self._due.extend(number for number, _, _ in sent)
            self._limit(self.patience)
            self._send(b"tick", *sent)

    def started(self, number: int) -> bool:
        return number in self._due

    def result(self, number: int, known: guard.Known) -> Any:
        """What the state said in its tick."""
        with self._turn:
            while not self.ended and not (self._due and self._due[0] == number):
                self._turn.wait()
            self._check()
            try:
                if not self._results:
                    self._await(number)
                return guard.checked(self._results.popleft(), known)
            except Refused as error:
                self.refuse(str(error))
            except ProcessEnded:
                raise
            except BaseException:
                self._end(_LEFT)
                raise
            finally:
                if self._due:
                    self._due.popleft()
                self._turn.notify_all()

    def _await(self, number: int) -> None:
        self._limit(self.patience)
        self._link.expect()
        while not self._results:
            if self._question is not None:
                question, self._question = self._question, None
                self._answer(*question, on_turn=number)
            else:
                self._take(self._receive())

    # Its end.

    def poll(self) -> bool:
        """True while the process lives, as far as the system knows."""
        if not self.ended and self._process.poll() is not None:
            self._end("")
        return not self.ended

    def close(self) -> None:
        """End the process; what its states still do is lost."""
        if not self.ended:
            self.ended = "was closed"
            self._link.close()
            launch.end(self._process)
            with self._turn:
                self._turn.notify_all()

    def _end(self, why: str) -> None:
        """It is gone, or is to go for this reason."""
        if self.ended:
            return  # another thread closed it, and with it what this one reads from
        if not why:
            with suppress(TimeoutExpired):
                self._process.wait(MARGIN)
        code = self._process.poll()
        self.ended = why or (launch.manner(code) if code is not None else "closed its end and was killed")
        self.suspect = getattr(self.actors.get(self._due[0]), "key", 0) if self._due else self.suspect
        self._link.close()
        if code is None:
            self._process.kill()
            self._process.wait()
        self.traceback = launch.last_words(self._process)
        launch.end(self._process)
        self._due.clear()
        self._results.clear()
        with self._turn:
            self._turn.notify_all()

    def refuse(self, what: str) -> NoReturn:
        self._end(f"said what no state says ({what}) and was killed")
        self._check()
        raise AssertionError

    def _check(self) -> None:
        if self.ended:
            raise ProcessEnded(f'the process of "{self.name}" {self.ended}')

    # Frames.

    def _exchange(self, *frame: Any, patience: float | None = None) -> Frame:
        """Ask for something that is no tick, and wait for it."""
        with self._turn:
            if self._due and not self._answering:
                raise StateBusy(f'the process of "{self.name}" ticks; its handles can be used again when it has ended')
            self._check()
            before = self._link.until
            self._link.expect()
            self._limit(patience or self.patience)
            self.suspect = getattr(self.actors.get(frame[1]), "key", 0)
            try:
                return self._asked(frame)
            except ProcessEnded:
                raise
            except BaseException:
                self._end(_LEFT)
                raise
            finally:
                self._link.until = before

    def _asked(self, frame: Frame) -> Frame:
        self._send(*frame)
        if not self._greeted:
            self._greeted = self._receive() == (b"up",)
            if not self._greeted:
                self.refuse("an answer that is none")
        while True:
            answer = self._receive()
            if answer[0] == b"value" and len(answer) > 1:
                self.suspect = 0
                return answer[1:]
            if answer[0] != b"ask" or len(answer) < 2 or answer[1] != ():
                self.refuse("an answer that is none")
            self._answer(*answer[2:], on_turn=frame[1])

    def _take(self, frame: Frame) -> None:
        """Results of ticks, and maybe a question after them."""
        if frame[0] == b"said":
            self._results.extend(frame[1:])
        elif frame[0] == b"ask" and len(frame) > 2 and type(frame[1]) is tuple:
            self._results.extend(frame[1])
            self._question = frame[2:]
        else:
            self.refuse("an answer that is none")
        if len(self._results) > len(self._due):
            self.refuse("more results than there were ticks")

    def _answer(self, number: Any = None, *question: Any, on_turn: int) -> None:
        """Answer a state's question: only the one whose turn it is may ask."""
        actor = self.actors.get(number) if number == on_turn else None
        if actor is None or not guard.plain(question) or len(question) < 2:
            self.refuse("a question that is none")
        began = monotonic()
        self._answering += 1
        try:
            answer = actor.answer(*question)
        except Refused as error:
            self.refuse(str(error))
        finally:
            self._answering -= 1
        if self._link.until is not None:
            self._link.until += monotonic() - began  # the world's time is not the state's
        self._send(b"answer", *answer)

    def _limit(self, patience: float | None) -> None:
        self._link.until = None if patience is None else monotonic() + patience

    def _send(self, word: bytes, *values: Any) -> None:
        gone: list[int] = []
        while self.gone:
            gone.append(self.gone.popleft())
        self._check()
        try:
            self._link.write(word, gone, *values)
        except OSError as error:
            if word != b"answer":  # it was gone before: nobody ran
                self._due.clear()
                self.suspect = 0
            self._lost(error)
        except (OverflowError, ValueError):
            self._end("had more mail than crosses at once and was killed")
            self._check()

    def _receive(self) -> Frame:
        self._check()
        try:
            return self._link.read()
        except (OSError, EOFError, Refused) as error:
            self._lost(error)

    def _lost(self, error: Exception) -> NoReturn:
        if isinstance(error, Refused):
            self.refuse(str(error))
        late = isinstance(error, TimeoutError)
        self._end(f"did not answer in {self.patience or START:g} s and was killed" if late else "")
        self._check()
        raise AssertionError from error
