"""Spells plain data as a shape and its leaves by the rules: sorts keys, knows where it is, says what is wrong.

`lua/prelude/spelling.lua` does the same in a state; the grammar of shapes and the rule of sizes stand there.
"""

import re
from operator import itemgetter
from typing import Any, NoReturn, TypeAlias

from engine.errors import PayloadError

Leaf: TypeAlias = bool | int | float | bytes

LUA_INTEGER = 2**63 - 1


class Spelling:
    """One walk through one value, depth first."""

    def __init__(self, what: str, max_bytes: int, max_depth: int, max_integer: int) -> None:
        self.parts: list[bytes] = []
        self.values: list[Leaf] = []
        self._what = what
        self._left = self._max_bytes = max_bytes
        self._max_depth = max_depth
        self._highest = max_integer
        # Lua's own integers have one more below zero than above.
        self._lowest = -max_integer - (max_integer == LUA_INTEGER)
        self._path: list[bytes | int] = []
        self._open: set[int] = set()

    def take_leaf(self, value: object) -> bool:
        """Append `value` if it is a leaf; False for a table, which is still to be spelled."""
        leaf: Leaf
        if isinstance(value, str):
            leaf = self._text(value)
            size = len(leaf) or 1
        elif isinstance(value, bool):
            leaf, size = value, 1
        elif isinstance(value, int):
            leaf, size = self._integer(value), 8
        elif isinstance(value, float):
            leaf, size = float.__pos__(value), 8
        elif isinstance(value, bytes):
            leaf = bytes.__add__(value, b"")
            size = len(leaf) or 1
        elif isinstance(value, (dict, list, tuple)):
            return False
        else:
            self._refuse_object(value)
        self._left -= size
        if self._left < 0:
            self._refuse_size()
        self.values.append(leaf)
        return True

    def spell_table(self, table: Any, level: int) -> None:
        """Append the shape of a dict, list or tuple and everything in it."""
        if id(table) in self._open:
            self._refuse("a cycle: the table is inside itself")
        if level > self._max_depth:
            self._refuse(f"more than {self._max_depth} levels of tables")
        self._pay(8)
        self._open.add(id(table))
        if isinstance(table, dict):
            self._spell_map(table, level)
        elif table:
            self._spell_array(table, level)
        else:
            self.parts.append(b"{}")
        self._open.discard(id(table))

    def _spell_array(self, items: list[object] | tuple[object, ...], level: int) -> None:
        run = 0
        self.parts.append(b"[")
        self._path.append(0)
        for place, item in enumerate(items):
            self._path[-1] = place
            if item is None:
                self._refuse("None in a list, and Lua has no nil in tables; send false, or leave it out")
            if self.take_leaf(item):
                run += 1
            else:
                self._end_run(run)
                run = 0
                self.spell_table(item, level + 1)
        self._end_run(run)
        self._path.pop()
        self.parts.append(b"]")

    def _end_run(self, run: int) -> None:
        if run:
            self.parts.append(b"." if run == 1 else b"%d." % run)

    def _spell_map(self, table: dict[object, object], level: int) -> None:
        self.parts.append(b"{")
        for key, value in self._sorted_pairs(table):
            self._path.append(key)
            if isinstance(key, int):
                self._pay(8)
                self.parts.append(b"i%d:" % key)
            else:
                self._pay(len(key))
                self.parts.append(b"%d:%b" % (len(key), key))
            if self.take_leaf(value):
                self.parts.append(b".")
            else:
                self.spell_table(value, level + 1)
            self._path.pop()
        self.parts.append(b"}")

    def _sorted_pairs(self, table: dict[object, object]) -> list[tuple[bytes | int, object]]:
        """Integer keys first, each kind ascending: the order that the Lua side gives its keys, too."""
        strings = [(self._text(key), value) for key, value in table.items() if isinstance(key, str)]
        pairs: list[tuple[bytes | int, object]] = [*sorted(strings, key=itemgetter(0))]
        if len(pairs) < len(table):
            pairs = self._integer_pairs(table) + self._with_bytes(strings, table)
        return [pair for pair in pairs if pair[1] is not None]

    def _integer_pairs(self, table: dict[object, object]) -> list[tuple[bytes | int, object]]:
        pairs = []
        for key, value in table.items():
            if isinstance(key, int) and not isinstance(key, bool):
                pairs.append((self._integer(key), value))
            elif not isinstance(key, (str, bytes)):
                self._refuse_key(key)
        return [*sorted(pairs, key=itemgetter(0))]

    def _with_bytes(
        self, strings: list[tuple[bytes, object]], table: dict[object, object]
    ) -> list[tuple[bytes | int, object]]:
        """The sorted pairs with string keys; a text and its own bytes would be one key in Lua."""
        both = dict(strings)
        for key, value in table.items():
            if isinstance(key, bytes):
                name = bytes.__add__(key, b"")
                if name in both:
                    self._path.append(name)
                    self._refuse("the key is there twice, as str and as bytes")
                both[name] = value
        return [*sorted(both.items(), key=itemgetter(0))]

    def _text(self, text: str) -> bytes:
        try:
            return str.encode(text)
        except UnicodeEncodeError:
            self._refuse("the text has lone surrogates, so it is no UTF-8; send bytes")

    def _integer(self, value: int) -> int:
        number = int.__pos__(value)
        if not self._lowest <= number <= self._highest:
            # Digits of a huge number cost quadratic time, and Python refuses to write very many.
            shown = str(number) if number.bit_length() <= 128 else f"one of {number.bit_length()} bits"
            self._refuse(f"integers must be within +-{self._highest} to stay exact, got {shown}")
        return number

    def _pay(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            self._refuse_size()

    def _refuse_size(self) -> NoReturn:
        self._path.clear()
        self._refuse(f"larger than {self._max_bytes} bytes")

    def _refuse_key(self, key: object) -> NoReturn:
        if isinstance(key, bool):
            got = f"boolean {str(key).lower()}"
        elif isinstance(key, float):
            got = "NaN as key" if key != key else f"number {float.__repr__(key)}"
        else:
            got = f"{_a(type(key).__name__)} object"
        self._refuse(f"keys must be strings or integers, got {got}")

    def _refuse_object(self, value: object) -> NoReturn:
        self._refuse(f"{_a(type(value).__name__)} object cannot enter a state; send plain data")

    def _refuse(self, why: str) -> NoReturn:
        raise PayloadError(f"{self._what}{''.join(map(_step, self._path))}: {why}")


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiouAEIOU" else f"a {noun}"


def _step(key: bytes | int) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    if len(key) <= 40 and re.fullmatch(rb"[A-Za-z_][A-Za-z0-9_]*", key):
        return f".{key.decode()}"
    shown = re.sub(rb'[\x00-\x1f"\\\x7f]', lambda char: b"\\%03d" % ord(char[0]), key[:40])
    return f'["{shown.decode(errors="replace")}{"..." if len(key) > 40 else ""}"]'
