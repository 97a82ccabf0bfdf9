"""The host module "files": what scripts save, inside one folder that they cannot leave."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from engine.checks import check_count, check_folder
from engine.errors import EngineError
from engine.host.json import decode, encode
from engine.host.module import HostModule

# No dot or space at either end: hidden files are ours, and Windows drops a dot or a space at the end.
_PART = re.compile(r"\w(?:[\w .+()-]*[\w+()-])?")
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_SHOWN = 100  # letters of a path in an error


def files_module(
    folder: str | os.PathLike[str] | None = None,
    *,
    game: str | None = None,
    max_bytes: int = 1024 * 1024,
    max_files: int = 1000,
) -> HostModule:
    """`files.read`, `write`, `list`, `exists`, `remove`, `read_json`, `write_json` inside `folder`.

    Without a folder, `game` names one where this machine keeps what programs save. A file may have `max_bytes`, the
    folder `max_files`, folders included. Each test of a game has an empty folder of its own instead.
    """
    if folder is None and game is None:
        raise EngineError('files_module needs a folder, or the name of the game: files_module(game="My Game")')
    if folder is not None:
        check_folder("files_module: folder", folder)
    check_count("files_module: max_bytes", max_bytes)
    check_count("files_module: max_files", max_files)
    saves = Saves(save_folder(game) if folder is None else Path(folder), max_bytes, max_files)
    module = HostModule("files", doc="Files in the save folder of the game.", payload=max_bytes + 64 * 1024)
    for function in (
        saves.read,
        saves.write,
        saves.list,
        saves.exists,
        saves.remove,
        saves.read_json,
        saves.write_json,
    ):
        module.blocking(function)

    @module.in_tests
    def scratch() -> HostModule:
        folder = tempfile.TemporaryDirectory(prefix="tidelock-test-")
        made = files_module(folder.name, max_bytes=max_bytes, max_files=max_files)
        made.closed(folder.cleanup)
        return made

    return module


def save_folder(game: str | None) -> Path:
    """Where this machine keeps the saved data of `game`: by platformdirs where it is installed."""
    if not isinstance(game, str) or not _PART.fullmatch(game):
        raise EngineError(f'the name of a game for its save folder is plain text such as "My Game", got {game!r}')
    try:
        from platformdirs import user_data_path
    except ImportError:
        return _usual_folder() / game
    return user_data_path(game, appauthor=False)


def _usual_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")


class Saves:
    """One folder of saved files. Every path is relative to it, with "/" between folders."""

    def __init__(self, folder: Path, max_bytes: int, max_files: int) -> None:
        self._folder = Path(os.path.abspath(folder))
        self._max_bytes = max_bytes
        self._max_files = max_files
        self._changing = Lock()  # scripts write on several threads

    def read(self, path: str) -> bytes | None:
        """The contents of a file; nil where there is none."""
        file = self._find(path)
        try:
            with _told(path), file.open("rb") as source:
                data = source.read(self._max_bytes + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if len(data) > self._max_bytes:
            raise ValueError(f'"{path}" is larger than {self._max_bytes} bytes')
        return data

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file. Whatever happens meanwhile, it has its old contents or all of the new ones."""
        if len(data) > self._max_bytes:
            raise ValueError(f'"{path}" would be larger than {self._max_bytes} bytes')
        file = self._find(path)
        with _told(path), self._changing:
            new = self._new(file)
            if new and (there := self._count()) + new > self._max_files:
                raise ValueError(f"there are {there} files and folders already; remove some")
            try:
                file.parent.mkdir(parents=True, exist_ok=True)
                _replace(file, data)
            except OSError:
                self._tidy(file.parent)
                raise

    def list(self, folder: str = "") -> list[str]:
        """The names in a folder, sorted; those of folders end with "/"."""
        place = self._find(folder) if folder else self._folder
        try:
            with _told(folder):
                entries = sorted(place.iterdir())
        except FileNotFoundError:
            return []
        return [entry.name + "/" * entry.is_dir() for entry in entries if _PART.fullmatch(entry.name)]

    def exists(self, path: str) -> bool:
        with _told(path):
            return self._find(path).exists()

    def remove(self, path: str) -> bool:
        """Remove a file, and the folders that are empty without it; false where there was none."""
        file = self._find(path)
        try:
            with _told(path), self._changing:
                file.unlink()
                self._tidy(file.parent)
        except (FileNotFoundError, NotADirectoryError):
            return False
        return True

    def read_json(self, path: str) -> Any:
        """The value in a JSON file; nil where there is none."""
        data = self.read(path)
        return None if data is None else decode(data.decode())

    def write_json(self, path: str, value: Any) -> None:
        """Write a value as JSON, so that it can be read by people, too."""
        self.write(path, f"{encode(value, indent=2)}\n".encode())

    def _find(self, path: str) -> Path:
        """The file of `path`; `PermissionError` for whatever might lead out of the folder."""
        parts = path.split("/")
        for part in parts:
            if not _PART.fullmatch(part) or _DEVICES.fullmatch(part) or len(part) > 100:
                raise PermissionError(
                    f'"{path}" is no path inside the save folder: '
                    'names are letters, digits, spaces and ".-_+()", with "/" between folders'
                )
        file = self._folder.joinpath(*parts)
        try:
            inside = file.resolve().is_relative_to(self._folder.resolve())
        except RuntimeError:  # a link to itself
            inside = False
        if not inside:
            raise PermissionError(f'"{path}" is a link that leads out of the save folder')
        return file

    def _new(self, file: Path) -> int:
        """How many files and folders come with `file`."""
        new = 0
        while file != self._folder and not file.exists():
            new, file = new + 1, file.parent
        return new

    def _count(self) -> int:
        return sum(len(files) + len(folders) for _, folders, files in os.walk(self._folder))

    def _tidy(self, folder: Path) -> None:
        """Take empty folders away, from `folder` upwards."""
        with suppress(OSError):
            while folder != self._folder:
                folder.rmdir()
                folder = folder.parent


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Errors of the system name what the script named: where the player's folders lie is nothing that it may know."""
    try:
        yield
    except OSError as error:
        if error.strerror is None:
            raise
        raise type(error)(f'"{path[:_SHOWN]}": {error.strerror}') from error


def _replace(file: Path, data: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".part", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        os.replace(name, file)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
