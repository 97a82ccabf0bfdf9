"""Looks at what a child process says before the world believes it.

A child whose interpreter was taken over can send anything. What passes here is what a state's prelude could have sent
for the entities that live in it: known operations, of the right values, with payloads that every state can read.
"""

from __future__ import annotations

from typing import Any

from engine.display import COMMANDS, FIELDS, MOST_ARGUMENTS, unpacked
from engine.errors import EngineError
from engine.process.leaves import leaves_of
from engine.process.wire import Refused

# The values of each operation. b: bytes, n: a number, o: bytes or false, ?: anything, p: a shape and its leaves,
# *: any more.
OPERATIONS = {
    "emit": "b??p", "send": "bn?p", "request": "bnnp", "reply": "?nbp", "forget": "n",
    "subscribe": "nb?", "unsubscribe": "n", "watch": "nb?", "set": "b??p",
    "spawn": "bn?p", "destroy": "n", "tag": "b", "script": "???", "method": "bn", "ready": "", "late": "", "input": "",
    "look": "n??p", "log": "bbbn", "at": "bn", "command": "bb?p", "problem": "bboo?", "paused": "bn", "dropped": "b",
    "call": "nbb*", "uncall": "n", "stopped": "", "over": "b", "places": "*",
}  # fmt: skip
_BY_NAME = {name.encode(): values for name, values in OPERATIONS.items()}
# What a mod needs for an operation, and where in its values the name stands that it is about.
_RIGHTS = {
    b"emit": ("sends", 0), b"send": ("sends", 0), b"request": ("sends", 0),
    b"spawn": ("spawns", 0), b"set": ("sets", 0), b"call": ("modules", 1),
}  # fmt: skip
_LEVELS = (b"debug", b"info", b"warn", b"error")
_FLAT = (bool, int, float, bytes)
_PLAIN = frozenset((*_FLAT, type(None)))
_NUMBERS = (int, float)

Values = tuple[Any, ...]


class Known:
    """What the world has told a state, given it, or asked of it."""

    def __init__(self) -> None:
        self.loaded: set[int] = set()  # the entities that live there
        self.granted: dict[int, bytes] = {}  # ids that it may spawn, with their scripts
        self.asked: set[int] = set()  # requests that it may answer
        self.doomed: set[int] = set()  # entities of others that it may destroy
        self.permit: Any = None  # of its mod
        self._parts: set[int] = set()  # entities whose question comes in parts

    def note(self, mail: Values) -> None:
        """Mail on its way to the state."""
        if mail[0] in (b"create", b"another", b"load"):
            self.loaded.add(mail[1])
        elif mail[0] == b"request":
            self.asked.add(mail[4])

    def check_question(self, word: Any, entity: Any, args: Values) -> None:
        """`Refused` for a question that the state may not ask."""
        if entity != 0 and entity not in self.loaded:
            raise Refused(f"it asked for entity {entity}, which does not live there")
        if word in (b"call", b"part"):
            if entity not in self._parts:
                self.check_right("modules", args[0] if args else None)
            (self._parts.add if word == b"part" else self._parts.discard)(entity)

    def answered(self, word: bytes, args: Values, answer: Values) -> None:
        """What the world said to a question: an id given is an id to be spawned."""
        if not answer[0]:
            return
        if word == b"new_id":
            self.granted[answer[1]] = args[0]
        elif word == b"may_destroy":
            self.doomed.add(args[0])

    def check_right(self, right: str, value: Any) -> None:
        if self.permit is not None and not self.permit.granted.cover(right, text(value)):
            raise Refused(f"{text(value)!r} is not among what its mod {right}")


def checked(result: Any, known: Known, *, snapshot: bool = False) -> Any:
    """A tick's result as a child gave it, or the error that it stands for; `Refused` where no state gives that."""
    if type(result) is bool:
        return result
    if type(result) is not tuple:
        return _time(result)
    if len(result) == 3 and result[0] == b"broke":
        error = MemoryError if result[1] is True else EngineError
        return error(text(result[2]))
    if len(result) == 2 and None not in result:
        _check_place(*result, known)
        return result
    if len(result) < 3:
        raise Refused("a result that is none")
    if type(_time(result[0])) is int and result[0] < 0:
        result = (True, *result[1:])  # it only shows something, which is yet to be seen
    _check_place(result[1], result[2], known)
    if len(result) == 3:
        return result
    if not plain(result):
        raise Refused("a result that is none")
    at = 3
    while at < len(result):
        at = _check_operation(result, at, known, snapshot)
    return result


def plain(values: Values) -> bool:
    """True where all of it is flat plain data."""
    return all(type(value) in _PLAIN for value in values)


def text(value: Any) -> str:
    return value.decode(errors="replace") if type(value) is bytes else repr(value)


def _time(value: Any) -> Any:
    if value is None or (type(value) in (bool, *_NUMBERS) and value == value):
        return value
    raise Refused("a wake time that is none")


def _check_place(x: Any, y: Any, known: Known) -> None:
    if x is None and y is None:
        return
    if type(x) not in _NUMBERS or type(y) not in _NUMBERS or len(known.loaded) != 1:
        raise Refused("a place that is none")


def _check_operation(result: Values, at: int, known: Known, snapshot: bool) -> int:
    """Where the operation ends that begins at `at`."""
    if type(result[at]) is int:
        return _check_display(result, at, known)
    if at + 3 > len(result) or type(result[at + 2]) is not int:
        raise Refused("half an operation")
    name, entity, count = result[at : at + 3]
    end: int = at + 3 + count
    if count < 0 or end > len(result):
        raise Refused("half an operation")
    values = result[at + 3 : end]
    if type(entity) is not int or (entity != 0 and entity not in known.loaded):
        raise Refused(f"it spoke for entity {entity}, which does not live there")
    if snapshot and name == b"snapshot":
        expected = "???p" if values[:1] != (False,) else "???b"
    elif type(name) is bytes and name in _BY_NAME:
        expected = _BY_NAME[name]
    else:
        raise Refused(f"an operation {text(name)!r}")
    if not _fit(values, expected):
        raise Refused(f"{text(name)!r} with values that it never has")
    _check_rights(name, values, known)
    return end


def _check_display(result: Values, at: int, known: Known) -> int:
    """The same for a command with its plain arguments, or a field with its value."""
    number, entity, count = unpacked(result[at])
    end = at + 1 + count
    if end > len(result):
        raise Refused("half an operation")
    if entity not in known.loaded:
        raise Refused(f"it spoke for entity {entity}, which does not live there")
    if not 0 < number < len(COMMANDS) + len(FIELDS):
        raise Refused(f"an operation {number}")
    if None in result[at + 1 : end] or not 0 < count <= (MOST_ARGUMENTS if number < len(COMMANDS) else 1):
        raise Refused(f"operation {number} with values that it never has")
    return end


def _fit(values: Values, expected: str) -> bool:
    for place, kind in enumerate(expected):
        if kind == "*":
            return True
        if place >= len(values):
            return False
        value = values[place]
        if kind == "p":
            return _fits_shape(value, values[place + 1 :])
        if kind == "b" and type(value) is not bytes:
            return False
        if kind == "n" and type(value) not in _NUMBERS:
            return False
        if kind == "o" and type(value) is not bytes and value is not False:
            return False
    return len(values) == len(expected)


def _fits_shape(shape: Any, leaves: Values) -> bool:
    return type(shape) is bytes and leaves_of(shape) == len(leaves) and None not in leaves


def _check_rights(name: bytes, values: Values, known: Known) -> None:
    """New ids were given, requests were asked, places are of the entities that live there."""
    if name == b"spawn" and known.granted.pop(values[1], None) != values[0]:
        raise Refused(f"it spawned entity {values[1]}, an id that it was not given")
    if name in _RIGHTS:
        right, place = _RIGHTS[name]
        known.check_right(right, values[place])
    if name == b"look" and not (type(values[0]) is int and 0 < values[0] <= len(FIELDS)):
        raise Refused(f"a field {values[0]!r} to be shown")
    if name == b"destroy" and known.permit is not None and values[0] not in known.loaded | known.doomed:
        raise Refused(f"it destroyed entity {values[0]}, which its mod may not")
    if name == b"reply":
        if values[1] not in known.asked:
            raise Refused("an answer that nobody waits for")
        known.asked.discard(values[1])
    if name == b"log" and values[0] not in _LEVELS:
        raise Refused("a line of a level that there is not")
    if name == b"places":
        _check_places(values, known)


def _check_places(values: Values, known: Known) -> None:
    for at in range(0, len(values), 3):
        id, x, y = (*values[at : at + 3], None, None)[:3]
        numbers = type(x) in _NUMBERS and type(y) in _NUMBERS
        if id not in known.loaded or not (numbers or (x is None and y is None)):
            raise Refused("a place that is none")
