"""Finds the files of a game's images and sounds by name, and those that are saved."""

import difflib
from pathlib import Path

from engine.reload.saves import Saves


class Assets:
    """The folder of a game's images and sounds; a name is the path in it without the ending ("ui/heart")."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._saves: Saves | None = None

    def find(self, name: str, endings: tuple[str, ...]) -> Path | None:
        """The file of that name, or `None`.

        Names come from scripts, so what lies outside the folder is not found.
        """
        try:
            inside = self.folder.resolve()
            for ending in endings:
                file = self.folder / f"{name}{ending}"
                if file.is_file() and file.resolve().is_relative_to(inside):
                    return file
        except (OSError, ValueError):  # a name too long for the system, or with a zero byte
            pass
        return None

    def name_of(self, path: Path) -> str | None:
        """The name that scripts use for the file `path`, wherever a link leads; `None` for a file outside."""
        try:
            file = path.parent.resolve() / path.name
            return file.relative_to(self.folder.resolve()).with_suffix("").as_posix()
        except (OSError, ValueError, RuntimeError):  # Python before 3.13 has no other word for a link to itself
            return None

    def missing(self, name: str, endings: tuple[str, ...]) -> str:
        """What to tell somebody who asked for a file that is not there."""
        shown = " or ".join(f"{name[:60]}{ending}" for ending in endings)
        return f"no {shown} in {self.folder.name}/{self._advice(name, endings)}"

    def saved(self, *, poll: bool) -> list[Path]:
        """The files that were saved since the last call; all, when the folder is there for the first time."""
        if self._saves is not None:
            return [path for path, _ in self._saves.take()]
        if not self.folder.is_dir():
            return []
        self._saves = Saves([self.folder], poll=poll)
        return sorted(file for file in self.folder.rglob("*") if file.is_file())

    def close(self) -> None:
        """Look for saved files no longer."""
        if self._saves is not None:
            self._saves.close()

    def _advice(self, name: str, endings: tuple[str, ...]) -> str:
        """What lies near, or nothing."""
        files = [file for file in self.folder.rglob("*") if file.suffix.lower() in endings and file.is_file()]
        known = {found: file for file in files if (found := self.name_of(file))}
        if name in known:
            return f"; {known[name].name} is there, write its ending in small letters"
        bare = next((name.removesuffix(ending) for ending in endings if name.endswith(ending)), name)
        near = [bare] if bare in known else difflib.get_close_matches(bare, sorted(known), 1)
        return f'; did you mean "{near[0]}"?' if near else ""
