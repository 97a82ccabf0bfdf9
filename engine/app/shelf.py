"""What a window has loaded of its assets, by name: each with the first look at it."""

from collections.abc import Callable
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import pygame

from engine.app.assets import Assets
from engine.app.cache import Cache
from engine.app.notices import Notices

T = TypeVar("T")


class _Loaded(NamedTuple, Generic[T]):
    thing: T
    trouble: str = ""


class Shelf(Generic[T]):
    """The things of one `kind` ("an image"). What is missing or cannot be read is a notice, and has a stand-in."""

    def __init__(
        self,
        kind: str,
        endings: tuple[str, ...],
        assets: Assets,
        notices: Notices,
        *,
        read: Callable[[Path], T],
        stand_in: Callable[[], T],
        size: int,
    ) -> None:
        self._kind = kind
        self._endings = endings
        self._assets = assets
        self._notices = notices
        self._read = read
        self._stand_in = stand_in
        self._loaded: Cache[str, _Loaded[T]] = Cache(size)

    def get(self, name: str) -> T:
        """The thing of that name, or what stands in for it."""
        loaded = self._loaded.get(name, lambda: self._load(name))
        if loaded.trouble:
            self._notices.report_file((self._kind, name), name, loaded.trouble)
        return loaded.thing

    def reload(self, name: str) -> bool:
        """Take the file as it is now; one that is gone or half written leaves the old thing standing."""
        if name not in self._loaded:
            return False
        old, new = self._loaded.get(name, lambda: self._load(name)), self._load(name)
        if new.trouble and not old.trouble:
            self._notices.report((self._kind, name), new.trouble)
            return False
        self._notices.mend((self._kind, name))
        self._loaded.put(name, new)
        return not new.trouble

    def _load(self, name: str) -> _Loaded[T]:
        file = self._assets.find(name, self._endings)
        if file is None:
            return _Loaded(self._stand_in(), self._assets.missing(name, self._endings))
        try:
            return _Loaded(self._read(file))
        except (pygame.error, OSError) as error:
            return _Loaded(self._stand_in(), f"{file.name} cannot be read as {self._kind}: {error}")
