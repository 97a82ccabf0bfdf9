"""Cuts what few states ever call out of the prelude's files, before these are compiled.

In a file a line `--@rare` above a function says that it is rare. In its place a state has a stub, and with the first
call of one of them the rare half of the file: the same functions, on the same locals.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_RARE = re.compile(r"^--@rare\n(local )?function ([\w.:]+)(\(.*\n(?:.*\n)*?end)$", re.MULTILINE)
_LOCALS = re.compile(r"^local (?:function (\w+)\(|([\w, ]+?)(?: =|$))", re.MULTILINE)
_COMMENT = re.compile(r"--.*$", re.MULTILINE)
_WORD = re.compile(r"(?<![\w.:\"])[A-Za-z_]\w*")
_ASSIGNED = re.compile(r"(?<![\w.:\"])(\w+)(?=(?:, [^\s,]+)* = )|function (\w+)\(")


class Halves(NamedTuple):
    """The text that every state loads, and that with the rare functions, `None` where there are none."""

    usual: str
    rare: str | None


def cut(name: str, text: str) -> Halves:
    """Cut the file `name` in two.

    The rare half gives a function and a number: the function makes the rare functions on its first so many upvalues,
    which are to be joined to those of the function that the usual half gives to the maker of its stubs.
    """
    found = list(_RARE.finditer(text))
    if not found:
        return Halves(text, None)
    rare = "\n".join(f"function {each[2]}{each[3]}" for each in found)
    words = _used(text, rare)
    known = ", ".join(words)
    # LuaJIT takes a local for a constant unless it sees that somebody assigns it.
    changed = [word for word in words if word in {each[1] or each[2] for each in _ASSIGNED.finditer(rare)}]
    knows = f"do return {known} end" + (f" {', '.join(changed)} = nil" if changed else "")

    places = [each[2].replace(":", ".") for each in found]
    for number, (each, place) in enumerate(zip(found, places, strict=True), 1):
        text = text.replace(each[0], f"{each[1] or ''}{place} = rare({number})")
    body, end, last = text.rpartition("\nreturn ")
    usual = f'local rare = prelude.rare("{name}")\n{body}\nrare(0, function() {knows} end){end}{last}'
    made = f"do local _ = {known} end\n{rare}\nreturn {', '.join(places)}"
    return Halves(usual, f"local {known}\nreturn function()\n{made}\nend, {len(words)}")


def _used(text: str, rare: str) -> list[str]:
    """The locals of a file that its rare functions mention, in the order in which they are declared."""
    declared = (word for each in _LOCALS.finditer(text) for word in (each[1] or each[2]).split(", "))
    mentioned = set(_WORD.findall(_COMMENT.sub("", rare)))
    return [word for word in dict.fromkeys(declared) if word in mentioned]
