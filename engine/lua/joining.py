"""Joins files of the prelude into one chunk, in which what several of them name alike is made once.

A local that functions use is an object of its own in every state, in each file that has it, and each file is a function
that runs once. Joined, the files are blocks of one function; before them stands what their headers have in common. What
is for another Lua is left out, and so is what stands for a file that comes later: it is asked for where it is used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

_VALUE = r'[\w.]+(?:\("\w+"\))?(?: or [\w.]+)?'
_HEADER = re.compile(rf"local (\w+(?:, \w+)*) = ({_VALUE}(?:, {_VALUE})*)(?: *--.*)?$")
_OF_LUA = re.compile(r"(?:coroutine|debug|math|string|table)\.")
_NUMBER = re.compile(r"[\d.]+$")
_LATER = re.compile(r'prelude\.later\("(\w+)"\)$')
_NOTHING = re.compile(r"^  (?:\w+ = nil, *)+(?:--.*)?\n", re.MULTILINE)
_FOR_JIT = re.compile(r"^if jit then\n(?:(?: .*)?\n)*end\n", re.MULTILINE)
_FOR_PUC = re.compile(r"^if not jit then(?: *--.*)?\n((?:(?: .*)?\n)*)end\n", re.MULTILINE)

Pairs = list[tuple[str, str]]
"""Names and their values, of a line that makes locals of what has a name already, or of numbers."""


def joined(texts: dict[str, bytes], names: Iterable[str], *, jit: bool, last: str = "") -> bytes:
    """These files as parts of one chunk, in which they become modules of `prelude`; a `last` one ends it as it is."""
    files = {name: _fitted(name, texts[name].decode(), jit) for name in (*names, last) if name}
    shared = _shared(files)
    made = {name for name, value in shared.items() if name == value or _OF_LUA.match(value)}
    lines = [f"local {name} = {value if name in made else 'nil'}" for name, value in shared.items()]
    for name, text in files.items():
        block = [*_block(name, text, shared, made, jit)]
        if name != last:
            block[-1] = block[-1].replace("return ", f"prelude.{name} = ", 1)
            block = ["do", *block, "end"]
        lines += block
    return "\n".join((*lines, "")).encode()


def _fitted(name: str, text: str, jit: bool) -> str:
    """The text of a file without what only LuaJIT runs, fields that are nothing yet, and locals for later files.

    An empty table that becomes the module has room for its functions, as it would be made anew while it grows.
    """
    fields = {*re.findall(rf"^(?:function )?{name}\.(\w+)(?:\(| = )", text, re.MULTILINE)}
    text = text.replace(f"local {name} = {{}}\n", f"local {name} = prelude.create(0, {len(fields)})\n")
    text = _NOTHING.sub("", text)
    text = _FOR_PUC.sub("" if jit else r"do\n\1end\n", text)
    if not jit:
        text = _FOR_JIT.sub("", text)
    lines = text.splitlines()
    for place, line in enumerate(lines):
        pairs = _pairs(line)
        later = [name for name, value in pairs if (found := _LATER.match(value)) and found[1] == name]
        if later:
            others = [pair for pair in pairs if pair[0] not in later]
            names, values = (", ".join(part) for part in zip(*others, strict=True)) if others else ("", "")
            lines[place] = names and f"local {names} = {values}"
            used = re.compile(rf"(?<![.\w])({'|'.join(later)})\.")
            lines[place + 1 :] = [used.sub(r"prelude.\1.", each) for each in lines[place + 1 :]]
    return "\n".join(lines) + "\n"


def _pairs(line: str) -> Pairs:
    found = _HEADER.match(line)
    if found is None:
        return []
    names, values = found[1].split(", "), found[2].split(", ")
    return list(zip(names, values, strict=True)) if len(names) == len(values) else []


def _shared(files: dict[str, str]) -> dict[str, str]:
    """Names that mean the same in several files, which leave them as they are; of two meanings the more usual one."""
    count: Counter[tuple[str, str]] = Counter()
    for text in files.values():
        pairs = [pair for line in text.splitlines() for pair in _pairs(line)]
        count.update(pair for pair in pairs if not _NUMBER.match(pair[1]) and not _is_set(text, pair[0]))
    del count["prelude", "..."]
    shared: dict[str, str] = {}
    for (name, value), times in count.most_common():
        if times > 1 or (name in files and value == f"prelude.{name}"):
            shared.setdefault(name, value)
    return shared


def _is_set(text: str, name: str) -> bool:
    """Whether a line that makes no local gives this name another value; one of a table's fields counts, too."""
    return re.search(rf"^(?! *local ).*(?<![.\w]){name}(?:, [\w.\[\], ]+)? = ", text, re.MULTILINE) is not None


def _block(name: str, text: str, shared: dict[str, str], made: set[str], jit: bool) -> Iterator[str]:
    """The lines of a file, without what has been made, or need not be."""
    for line in text.splitlines():
        if shared.get(name) == f"prelude.{name}" and line.startswith(f"local {name} = "):
            made.add(name)
            yield line.removeprefix("local ")
        elif pairs := _pairs(line):
            for local, value in pairs:
                changes = _is_set(text, local)
                if shared.get(local) == value and not changes:
                    if local not in made:
                        made.add(local)
                        yield f"{local} = {value}"
                elif local != "prelude":
                    constant = " <const>" if not jit and not changes and _NUMBER.match(value) else ""
                    yield f"local {local}{constant} = {value}"
        else:
            yield line
