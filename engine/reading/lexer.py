"""Splits Lua text into tokens, each with its place.

Knows the words of every version at once, because a script may be meant for any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from engine.words import KEYWORDS

_TOKEN = re.compile(
    r"""
    (?P<space>[ \t\r\f\v]+) | (?P<newline>\n)
  | (?P<comment>--(?!\[=*\[)[^\n]*)
  | (?P<long>(--)?\[(?P<level>=*)\[)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<number>0[xX][\da-fA-F]*(\.[\da-fA-F]*)?([pP][+-]?\d+)?[uUlLiI]* | (\d+\.?\d*|\.\d+)([eE][+-]?\d+)?[uUlLiI]*)
  | (?P<string>"(\\z\s*|\\\r?\n|\\.|[^"\\\n])*" | '(\\z\s*|\\\r?\n|\\.|[^'\\\n])*')
  | (?P<op>\.\.\.|\.\.|==|~=|<=|>=|//|::|<<|>>|[-+*/%^\#&~|<>=(){}\[\];:,.])
    """,
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(z\s*|\d{1,3}|x[\da-fA-F]{2}|u\{[\da-fA-F]+\}|\r?\n|.)", re.DOTALL)
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_IGNORE = re.compile(r"--\s*check:\s*ignore\b")


class Token(NamedTuple):
    """`kind` is "name", "keyword", "number", "string", "op" or "end"; `text` of a string is its value."""

    kind: str
    text: str
    line: int
    column: int


class LuaSyntaxError(Exception):
    """The text is no Lua; `line` and `column` say where."""

    def __init__(self, message: str, line: int, column: int) -> None:
        super().__init__(message)
        self.message, self.line, self.column = message, line, column


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a script, the last of kind "end"."""
    at, line, start = 0, 1, 0
    if text.startswith("#"):
        at = (text + "\n").index("\n")
    while at < len(text):
        column = at - start + 1
        found = _TOKEN.match(text, at)
        if found is None:
            raise LuaSyntaxError(f"unexpected {text[at]!r}", line, column)
        piece, kind = found[0], found.lastgroup
        if found["long"] is not None:
            piece = _long(text, at, found["level"], line, column)
            if not piece.startswith("--"):
                yield Token("string", _long_value(piece, len(found["level"])), line, column)
        elif found["name"] is not None:
            yield Token("keyword" if piece in KEYWORDS else "name", piece, line, column)
        elif found["string"] is not None:
            yield Token("string", _ESCAPE.sub(_unescape, piece[1:-1]), line, column)
        elif kind in ("number", "op"):
            yield Token(kind, piece, line, column)
        at += len(piece)
        if "\n" in piece:
            line += piece.count("\n")
            start = at - (len(piece) - piece.rindex("\n") - 1)
    yield Token("end", "end of file", line, at - start + 1)


def ignored_lines(text: str) -> frozenset[int]:
    """The lines that end in `-- check: ignore`."""
    return frozenset(number for number, row in enumerate(text.split("\n"), 1) if _IGNORE.search(row))


def _long(text: str, at: int, level: str, line: int, column: int) -> str:
    close = text.find(f"]{level}]", at)
    if close < 0:
        raise LuaSyntaxError("a long string or comment is never closed", line, column)
    return text[at : close + len(level) + 2]


def _long_value(piece: str, level: int) -> str:
    return piece[level + 2 : -(level + 2)].removeprefix("\n")


def _unescape(found: re.Match[str]) -> str:
    code = found[1]
    if code[0] == "z" or code.endswith("\n"):
        return "" if code[0] == "z" else "\n"
    if code[0].isdigit():
        return chr(int(code))
    if code[0] in "xu" and len(code) > 1:
        return chr(min(int(code[1:].strip("{}"), 16), 0x10FFFF))
    return _PLAIN.get(code, code)
