"""The folder of Lua scripts: from names to checked source text, and from changed files back to names.

A script's name is its path below the folder, without `.lua`, with `/` between folders: "door", "mods/door".
Nothing outside the folder is ever read, whatever a name or a link says.
"""

import codecs
import json
import os
import re
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, NoReturn

from engine.errors import EngineError, ScriptError, ScriptNotFound

_NAME = re.compile(r"\w[\w-]*(/\w[\w-]*)*")
_LIBRARY = re.compile(r"\w[\w-]*(\.\w[\w-]*)*")
_NAME_LENGTH = 200
_LISTED = 5
_JUMPS = re.compile(rb"\b(?:and|or|elseif)\b")
_LONG = 60_000  # bytes in which there may be too many of them

MOST_JUMPS = 20_000
"""Lua links the jumps of one expression in a list, and goes along it for each: a megabyte of them takes minutes."""


class Source(NamedTuple):
    """The text of one script, to be loaded as the Lua chunk `"@" + chunk`; its lines are the file's lines."""

    name: str
    chunk: str
    text: bytes

    def rows(self) -> list[str]:
        """Its lines as Lua counts them: a text would be split at form feeds and such, too."""
        return [row.decode(errors="replace") for row in self.text.splitlines()]


class Scripts:
    """The scripts and libraries of one folder; every call looks at the disk anew."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        # Errors speak of the folder as it was given; links are judged by where they really lead.
        self.folder = Path(os.path.abspath(folder))
        self._real = self.folder.resolve()
        if not self.folder.is_dir():
            raise EngineError(f"no folder {_quoted(os.fspath(folder))} to take scripts from")

    def find(self, name: str) -> Path:
        """The file of script `name`; `ScriptNotFound` suggests the nearest name there is."""
        if not _is_name(name):
            raise ScriptError(_name_problem(name))
        return self._file(name) or self._missing(name)

    def read(self, name: str) -> Source:
        """The source of script `name`; `ScriptError` tells why a file cannot be a script."""
        path = self.find(name)
        chunk = self.chunk(name)
        try:
            raw = path.read_bytes()
        except FileNotFoundError:  # deleted since `find`, as a save by delete-and-recreate does
            self._missing(name)
        except OSError as error:
            raise ScriptError(f"the file cannot be read: {error.strerror}", script=chunk) from error
        return Source(name, chunk, _script_text(raw, chunk))

    def chunk(self, name: str) -> str:
        """What errors call script `name`: "scripts/door.lua"."""
        return f"{self.folder.name}/{name}.lua"

    def library(self, name: str) -> Source | None:
        """What `require "lib.vec"` loads: `lib/vec.lua`, else `lib/vec/init.lua`, else `None`.

        The source carries the script name of the file found ("lib/vec/init"), as `names_of` gives it.
        """
        if not _LIBRARY.fullmatch(name) or len(name) > _NAME_LENGTH:
            raise ScriptError(_library_problem(name))
        script = name.replace(".", "/")
        for candidate in (script, f"{script}/init"):
            if self._file(candidate):
                return self.read(candidate)
        return None

    def names(self) -> list[str]:
        """The names of all scripts and libraries there are, sorted."""
        found = ((self.names_of(path), path) for path in self.folder.rglob("*.lua"))
        return sorted(name for name, path in found if name and path.is_file() and self._holds(path))

    def strays(self) -> list[str]:
        """The Lua files in the folder that are no scripts, because of their names; as errors call them, sorted."""
        files = (
            path for path in self.folder.rglob("*") if path.suffix.lower() == ".lua" and self.names_of(path) is None
        )
        below = (path.relative_to(self.folder) for path in files if path.is_file())
        return sorted(f"{self.folder.name}/{path.as_posix()}" for path in below if path.parts[-1][0] != ".")

    def names_of(self, path: str | os.PathLike[str]) -> str | None:
        """The name that the file at `path` has, or had until it was deleted; `None` for what is no script."""
        below = self._below(path)
        if below is None or below.suffix != ".lua":
            return None
        name = below.with_suffix("").as_posix()
        return name if _is_name(name) else None

    def folder_of(self, path: str | os.PathLike[str]) -> str | None:
        """The folder of a file, as script names begin with it ("mods/frost"; "" for the top); `None` outside."""
        below = self._below(path)
        return None if below is None else below.parent.as_posix().removeprefix(".")

    def _below(self, path: str | os.PathLike[str]) -> Path | None:
        path = Path(os.path.abspath(path))
        for folder in (self.folder, self._real):
            if path.is_relative_to(folder):
                return path.relative_to(folder)
        return None

    def beside(self, folder: str, file: str, most: int) -> bytes | None:
        """The first `most` bytes of another file in a folder of scripts; None where there is no such name."""
        path = self.folder / folder / file
        if not os.path.lexists(path):
            return None
        if not self._holds(path):
            raise ScriptError(f"it is a link that leads out of {self.folder.name}/")
        try:
            with path.open("rb") as stream:
                return stream.read(most)
        except OSError as error:
            raise ScriptError(f"the file cannot be read: {error.strerror}") from error

    def library_hint(self, name: str) -> str:
        """The end of a message: which library is near, or nothing."""
        known = [script.replace("/", ".").removesuffix(".init") for script in self.names()]
        near = get_close_matches(name, known, n=1, cutoff=0.7) or _same_last_part(name, known, ".")
        return f"; did you mean {_quoted(near[0])}?" if near else ""

    def folders_with(self, file: str) -> list[str]:
        """The folders, as script names begin with them, that hold a file of that name; sorted."""
        return sorted({folder for path in self.folder.rglob(file) if (folder := self.folder_of(path)) is not None})

    def _file(self, name: str) -> Path | None:
        path = self.folder / f"{name}.lua"
        if not os.path.isfile(path):
            return None
        if not self._holds(path):
            raise ScriptError(f"script {_quoted(name)} is a link that leads out of {self.folder.name}/")
        return path

    def _holds(self, path: Path) -> bool:
        try:
            return path.resolve().is_relative_to(self._real)
        except RuntimeError:  # a link to itself, for which Python before 3.13 has no other word
            return False

    def _missing(self, name: str) -> NoReturn:
        advice = _advice(name, self.names())
        raise ScriptNotFound(f"no script {_quoted(name)} in {self.folder.name}/; {advice}")


def _script_text(raw: bytes, chunk: str) -> bytes:
    text = raw.removeprefix(codecs.BOM_UTF8)
    if text.startswith(b"\x1b"):
        raise ScriptError("the file is compiled Lua; scripts must be plain text", script=chunk, line=1)
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problem = f"not UTF-8: byte 0x{raw[error.start]:02x} at offset {error.start}; save the file as UTF-8"
        raise ScriptError(problem, script=chunk, line=line) from error
    if not text.strip():
        raise ScriptError("the file is empty; a script returns a table of hooks", script=chunk, line=1)
    if len(text) > _LONG and len(_JUMPS.findall(text)) > MOST_JUMPS:
        raise ScriptError(
            f'the file has more than {MOST_JUMPS} "and", "or" and "elseif", too many to compile; split it',
            script=chunk,
            line=1,
        )
    return bare_text(raw)


def bare_text(raw: bytes) -> bytes:
    """The text of a file without what only some readers skip: a mark of its encoding, and a `#!` line."""
    text = raw.removeprefix(codecs.BOM_UTF8)
    return b"--" + text if text.startswith(b"#!") else text


def _advice(name: str, names: list[str]) -> str:
    if not names:
        return "the folder has no scripts"
    near = get_close_matches(name, names, n=1) or _same_last_part(name, names)
    if near:
        return f"did you mean {_quoted(near[0])}?"
    listed = ", ".join(map(_quoted, names[:_LISTED]))
    more = len(names) - _LISTED
    return f"there are {listed} and {more} more" if more > 0 else f"there are {listed}"


def _same_last_part(name: str, names: list[str], mark: str = "/") -> list[str]:
    by_last_part = {known.rpartition(mark)[2]: known for known in reversed(names)}
    near = get_close_matches(name.rpartition(mark)[2], by_last_part, n=1)
    return [by_last_part[part] for part in near]


def _is_name(name: str) -> bool:
    return len(name) <= _NAME_LENGTH and _NAME.fullmatch(name) is not None


def _name_problem(name: str) -> str:
    stem = name.removesuffix(".lua").replace("\\", "/")
    hint = f"; write {_quoted(stem)}" if stem != name and _is_name(stem) else ""
    return f'{_quoted(name)} is no script name: letters, digits, "_" and "-", with "/" between folders{hint}'


def _library_problem(name: str) -> str:
    dotted = name.removesuffix(".lua").replace("/", ".")
    hint = f"; write require {_quoted(dotted)}" if dotted != name and _LIBRARY.fullmatch(dotted) else ""
    return f'{_quoted(name)} is no library name: letters, digits, "_" and "-", with "." between folders{hint}'


def _quoted(name: str) -> str:
    """`name` in double quotes, on one line and not too long, as it may come from a script."""
    shown = name if len(name) <= 60 else name[:57] + "..."
    return json.dumps(shown, ensure_ascii=False)
