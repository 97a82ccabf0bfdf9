"""Reads a shape that comes from a child process, which may be anything, before anyone builds values by it."""

from functools import lru_cache

from engine.payload import DEEPEST
from engine.process.wire import Refused


@lru_cache(maxsize=1024)
def leaves_of(shape: bytes) -> int:
    """How many leaves a shape has; `Refused` for what is none, or nests too deeply."""
    if shape == b"_":
        return 0
    at, count, tables = 0, 0, bytearray()
    while True:
        if tables and shape[at : at + 1] == (b"]" if tables[-1] == ord("[") else b"}"):
            tables.pop()
            at += 1
        else:
            run = 1
            if tables:
                at, run = _past_key(shape, at) if tables[-1] == ord("{") else _past_run(shape, at)
            first = shape[at : at + 1]
            at += 1
            if first in (b"{", b"[") and run == 1 and len(tables) < DEEPEST:
                tables += first
            elif first == b".":
                count += run
            else:
                raise Refused("a shape that is none")
        if not tables:
            break
    if at != len(shape):
        raise Refused("a shape that is none")
    return count


def _past_key(shape: bytes, at: int) -> tuple[int, int]:
    colon = shape.find(b":", at, at + 24)
    whole = shape[at : at + 1] == b"i"
    digits = shape[at + whole : colon]
    if colon < 0 or not digits.removeprefix(b"-" if whole else b"").isdigit():
        raise Refused("a shape that is none")
    return (colon + 1 if whole else colon + 1 + int(digits)), 1


def _past_run(shape: bytes, at: int) -> tuple[int, int]:
    if not shape[at : at + 1].isdigit():
        return at, 1
    dot = shape.find(b".", at, at + 24)
    if dot < 0 or not shape[at:dot].isdigit():
        raise Refused("a shape that is none")
    return dot, int(shape[at:dot])
