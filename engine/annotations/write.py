"""Writes the annotations of a game into its folder `.tidelock/`: the engine's, the host modules', the game's own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from engine.annotations.game import game_text
from engine.annotations.registry import Entry, names
from engine.annotations.stubs import declarations, stub
from engine.host.module import HostModule
from engine.scripts import Scripts

FOLDER = ".tidelock"
_HEAD = "---@meta\n\n-- Written by `tidelock annotations`; changes are lost."
_NEVER = "disable"


def engine_text(lua: str) -> str:
    """A LuaLS file of everything that a script can reach and that is not Lua's own."""
    live = names(lua)
    blocks = [block.text for block in declarations() if not block.names or block.names[0] in live]
    described = {name for block in declarations() for name in block.names}
    ours = {block.names[0].partition(".")[0] for block in declarations() if block.names}
    missing = [name for name in live if name.partition(".")[0] in ours and name not in described]
    return "\n\n".join([_HEAD, *blocks, *(_bare(name, live[name]) for name in missing)]) + "\n"


def undeclared(lua: str) -> list[str]:
    """Names of the engine that a script can reach and no declaration describes."""
    described = {name for block in declarations() for name in block.names}
    return [name for name in names(lua) if name not in described and not is_standard(name, lua)]


def is_standard(name: str, lua: str) -> bool:
    """True for what is Lua's own library, which every editor knows."""
    library = name.partition(".")[0]
    if library in ("string", "table", "math", "utf8", "coroutine", "bit", "_VERSION"):
        return True
    described = {block.names[0].partition(".")[0] for block in declarations() if block.names}
    return "." not in name and library not in described and names(lua)[name].kind == "function"


def settings(lua: str) -> dict[str, object]:
    """What `.luarc.json` says to LuaLS."""
    builtin = {"io": _NEVER, "os": _NEVER, "debug": _NEVER, "package": _NEVER, "ffi": _NEVER, "jit": _NEVER}
    if lua == "luajit21":
        builtin["utf8"] = _NEVER
    return {
        # Not every LuaLS knows 5.5 yet, and takes nothing that it does not know.
        "runtime.version": "LuaJIT" if lua == "luajit21" else "Lua 5.4",
        "runtime.path": ["scripts/?.lua", "scripts/?/init.lua"],
        "runtime.builtin": builtin,
        "workspace.library": [FOLDER],
        "workspace.checkThirdParty": False,
        # Whatever calls them is a task: a function that waits need not be marked.
        "diagnostics.disable": ["await-in-sync"],
    }


def texts(scripts: Scripts, modules: Iterable[HostModule], lua: str) -> dict[str, str]:
    """What the files say, by name."""
    found = {"engine.lua": engine_text(lua), "game.lua": game_text(scripts), "tests.lua": stub("tests")}
    for module in modules:
        is_taken = f"{module.name.lower()}.lua" in found
        found[f"{module.name}{'-module' if is_taken else ''}.lua"] = module.annotations()
    return found


def write(folder: Path, wanted: dict[str, str], *, dry: bool = False) -> list[Path]:
    """Bring the files up to date; returns those that changed, or with `dry` would."""
    target = folder / FOLDER
    stale = set(target.glob("*.lua")) - {target / name for name in wanted}
    changed = [target / name for name, text in wanted.items() if _said(target / name) != text]
    if not dry:
        target.mkdir(exist_ok=True)
        for file in changed:
            file.write_text(wanted[file.name], encoding="utf-8", newline="\n")
        for file in stale:
            file.unlink()
    return sorted([*changed, *stale])


def _said(file: Path) -> str | None:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else None


def _bare(name: str, entry: Entry) -> str:
    if entry.kind != "function":
        return f"---@type {entry.kind}\n{name} = nil"
    parameters = ["..."] if entry.parameters < 0 else [f"argument{n}" for n in range(1, entry.parameters + 1)]
    return f"function {name}({', '.join(parameters)}) end"
