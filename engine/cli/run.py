"""`tidelock run`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from engine.annotations.write import texts, write
from engine.app import App, display_available
from engine.cli.console import complain, flush, prints_shown, say, show_problem
from engine.project import Game, Project
from engine.reload.announcements import Reload
from engine.scripts import Scripts
from engine.world import World

HEADLESS_FRAMES = 600


def play(
    folder: Path, *, headless: bool, frames: int | None, screenshot: Path | None, seed: int | None, lua: str | None
) -> int:
    """Play until the window closes; 1 where a script failed and nobody was there to see it."""
    project = Project(folder)
    game = project.game()
    no_display = not headless and not display_available()
    if no_display:
        headless = True
        say(f"There is no display here: playing {frames or HEADLESS_FRAMES} frames without.")
    if headless:
        frames = frames or HEADLESS_FRAMES
    with prints_shown(), project.make("WORLD", World, project.scripts, **_world_options(game, seed, lua)) as world:
        say(f"Playing {project.folder.name}; what you save in scripts/ changes at once.")
        _report_to_terminal(world)
        game.setup(world)
        _keep_annotations_fresh(world, project)
        app = project.make("WINDOW", App, world, **{**window_options(project, game), "headless": headless})
        flush()
        with contextlib.suppress(KeyboardInterrupt):
            project.guarded(app.run)(frames=frames, screenshot=screenshot)
        wrong = len(world.problems) + len(app.notices.lines)
        _report_end(world, wrong, frames if headless else None, screenshot)
        return 1 if headless and wrong else 0


def window_options(project: Project, game: Game) -> dict[str, Any]:
    """The keywords of the App."""
    return {"title": project.folder.name, "assets": project.assets, **game.window}


def _world_options(game: Game, seed: int | None, lua: str | None) -> dict[str, Any]:
    told = {name: value for name, value in (("seed", seed), ("lua", lua)) if value is not None}
    return {"watch": True, **game.world, **told}


def _report_to_terminal(world: World) -> None:
    def reloaded(reload: Reload) -> None:
        say(f"{reload.script} reloaded (v{reload.version}, {reload.seconds * 1000:.0f} ms)", "green")

    world.on_problem(show_problem)
    world.on_reload(reloaded)


def _keep_annotations_fresh(world: World, project: Project) -> None:
    """Where the game has annotations, they follow every reload."""
    if not (project.folder / ".luarc.json").is_file():
        return

    def refresh(_: Reload | None = None) -> None:
        modules = [] if world.host is None else world.host.installed()
        try:
            write(project.folder, texts(Scripts(project.scripts), modules, world.lua))
        except OSError as error:
            complain(f"the annotations could not be written: {error}")

    refresh()
    world.on_reload(refresh)


def _report_end(world: World, wrong: int, frames: int | None, screenshot: Path | None) -> None:
    if frames is not None:
        say(f"{world.frame} frames, {world.now:.1f} s of game time, {wrong} problem{'' if wrong == 1 else 's'}")
    if screenshot is not None:
        say(f"the last frame is in {screenshot}")
    flush()
