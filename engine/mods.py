"""Mods: what a `mod.toml` says, and what a mod may do.

A manifest asks; it is written by who wrote the mod, so it grants nothing by itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any, Self

from engine.errors import EngineError
from engine.origins import origin

MANIFEST = "mod.toml"
LARGEST = 16 * 1024
"""Bytes of a manifest. What reads TOML needs the square of a key's dots: some seconds for 64 KiB of them."""

_LONGEST = 200  # letters of an entry
_MOST = 200  # entries of a list
_MODULE = re.compile(r"\w[\w-]*")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Rights:
    """What a mod asks for, or may do.

    `modules`: host modules that it may `require`. `hosts`: whom it may ask with "http", written as for `http_module`.
    `sends`: events that it may send. `spawns`: scripts of which it may make entities, and end them. `sets`: shared
    keys that it may set. The last three may end in "*" for all that begin so: "frost.*", "mods/frost/*".
    """

    modules: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    spawns: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            wrong = why_not(one.name, list(value) if isinstance(value, tuple) else value)
            if wrong:
                raise EngineError(f"Rights.{one.name}: {wrong}")
            object.__setattr__(self, one.name, tuple(value))

    def but(self, **changes: Any) -> Self:
        """The same rights with some changed: `mod.asks.but(hosts=())`."""
        return replace(self, **changes)

    def cover(self, right: str, value: str) -> bool:
        """True where the list of that name has `value`, or a beginning of it and "*"."""
        return any(
            value.startswith(entry[:-1]) if entry.endswith("*") else value == entry for entry in getattr(self, right)
        )

    def allows_origin(self, scheme: str, host: str, port: int) -> bool:
        return any(origin(entry).allows(scheme, host, port) for entry in self.hosts)

    def __bool__(self) -> bool:
        return any(getattr(self, one.name) for one in fields(self))


RIGHTS = tuple(one.name for one in fields(Rights))
DOES = {"modules": "require", "hosts": "ask", "sends": "send", "spawns": "spawn", "sets": "set"}
"""What a mod with a right does, as messages say it."""


def place_of(top: str, folder: str) -> str:
    """What problems call the manifest of a folder of scripts: "scripts/mods/frost/mod.toml"."""
    return "/".join(part for part in (top, folder, MANIFEST) if part)


@dataclass(frozen=True, slots=True)
class Mod:
    """A folder of scripts with a `mod.toml`. `folder` ("mods/frost") is a fact, the rest is what it says of itself."""

    folder: str
    name: str
    version: str
    description: str = ""
    asks: Rights = field(default_factory=Rights)


class ManifestError(EngineError):
    """A `mod.toml` that cannot be used, and the line that is to blame, if one is."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message)
        self.line = line


def read_manifest(folder: str, raw: bytes) -> Mod:
    """The mod that the text of a `mod.toml` describes; `ManifestError` where it has a mistake."""
    import tomllib  # few games have mods

    if len(raw) > LARGEST:
        raise ManifestError(f"it has more than {LARGEST:,} bytes")
    try:
        text = raw.decode("utf-8-sig")
        said = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ManifestError("not UTF-8; save the file as UTF-8", raw.count(b"\n", 0, error.start) + 1) from None
    except tomllib.TOMLDecodeError as error:
        words, _, place = str(error).partition(" (at line ")
        line = re.match(r"\d+", place)
        raise ManifestError(f"no TOML: {words}", int(line[0]) if line else None) from None
    except (RecursionError, ValueError):  # nested too deeply, a number of thousands of digits
        raise ManifestError("no TOML that a manifest needs") from None
    for key, value in said.items():
        wrong = _unknown(key) if key not in _KEYS else _wrong(key, value)
        if wrong:
            raise ManifestError(wrong, _line_of(key, text))
    for key in ("name", "version"):
        if key not in said:
            raise ManifestError(f'{key} is missing; write {key} = "{_EXAMPLES[key]}"', 1)
    rights = Rights(**{key: tuple(said[key]) for key in RIGHTS if key in said})
    return Mod(folder, said["name"], said["version"], said.get("description", ""), rights)


_TEXTS = ("name", "version", "description")
_KEYS = (*_TEXTS, *RIGHTS)
_EXAMPLES = {
    "name": "frost",
    "version": "1.0",
    "modules": "http",
    "hosts": "api.example.com",
    "sends": "frost.*",
    "spawns": "mods/frost/*",
    "sets": "frost.*",
}


def _unknown(key: str) -> str:
    near = get_close_matches(key, _KEYS, 1, 0.6)
    advice = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(_KEYS)}"
    return f'unknown key "{key[:_LONGEST]}"; {advice}'


def _wrong(key: str, value: Any) -> str:
    if key in RIGHTS:
        wrong = why_not(key, value)
        return f"{key}: {wrong}" if wrong else ""
    if not isinstance(value, str):
        return f"{key} must be a string, got {_spoken(value)}"
    if key != "description" and not (value.strip() and _is_entry(value)):
        return f"{key} must be one line of at most {_LONGEST} letters, and not empty"
    return ""


def why_not(right: str, value: Any) -> str:
    """Why `value` cannot be the list of that name; "" where it can."""
    if not isinstance(value, list):
        return f'expected a list of strings, as in {right} = ["{_EXAMPLES[right]}"], got {_spoken(value)}'
    if len(value) > _MOST:
        return f"it has {len(value)} entries, a list has at most {_MOST}"
    return next((wrong for wrong in (_why_not_entry(right, entry) for entry in value) if wrong), "")


def _why_not_entry(right: str, entry: Any) -> str:
    if not isinstance(entry, str):
        return f"expected strings, got {_spoken(entry)}"
    if not _is_entry(entry):
        return f"an entry is one line of 1 to {_LONGEST} letters, got {entry[:_LONGEST]!r}"
    if right == "hosts":
        try:
            origin(entry)
        except EngineError as error:
            return str(error)
    elif right == "modules" and not _MODULE.fullmatch(entry):
        return f'"{entry}" is no name of a host module; each is listed by its own name'
    elif "*" in entry[:-1]:
        return f'"*" stands at the end only, as in "{_EXAMPLES[right]}", got "{entry}"'
    return ""


def _is_entry(value: str) -> bool:
    return len(value) <= _LONGEST and _PRINTABLE.fullmatch(value) is not None


def _spoken(value: Any) -> str:
    if isinstance(value, str):
        return f'the string "{value[:_LONGEST]}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return f"{type(value).__name__} {value}" if isinstance(value, int | float) else f"a {type(value).__name__}"


def _line_of(key: str, text: str) -> int | None:
    """Where a top-level key stands, as far as a look at the lines tells."""
    found = re.search(rf"""^[ \t]*\[{{0,2}}[ \t]*["']?{re.escape(key)}["']?[ \t]*[\].=]""", text, re.MULTILINE)
    return text.count("\n", 0, found.start()) + 1 if found else None
