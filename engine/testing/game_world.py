"""The world of one test of a game: with the host modules that its main.py installs, or what stands in for them."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Sequence
from typing import Any

from engine.host.module import HostModule
from engine.modules import Module, module_of
from engine.project import Project
from engine.world import World


class GameWorld(World):
    """`modules` are those that the game's setup installs, found once for all tests."""

    def __init__(self, project: Project, modules: Sequence[HostModule], **options: Any) -> None:
        super().__init__(project.scripts, **options)
        self._project = project
        self._setting_up = False
        self._ready = {module.name for module in modules}
        for module in modules:
            super().install(module.stand_in())

    def set_up(self) -> None:
        """Run the setup of main.py. What it installs is there already, so that no test keeps a score."""
        self._setting_up = True
        try:
            self._project.game().setup(self)
        finally:
            self._setting_up = False

    def install(self, module: Module | str, *, loop: AbstractEventLoop | None = None) -> None:
        found: Any = module_of(module)
        if self._setting_up and found.name in self._ready:
            return
        if self._setting_up and isinstance(found, HostModule):
            found = found.stand_in()
        super().install(found, loop=loop)
