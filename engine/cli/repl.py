"""`tidelock repl`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cli.console import complain, say, show_problem
from engine.cli.session import Session
from engine.project import Game, Project
from engine.world import World

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession

FPS = 60
FRAMES_PER_LINE = 6
"""How long each line has when lines come from a file or a pipe."""


def talk(folder: Path, *, entity: str | None, window: bool, lua: str | None) -> int:
    """Run the game and a prompt in it; 2 where the prompt's package is missing."""
    project = Project(folder)
    game = project.game()
    options = {"watch": True, **game.world, **({"lua": lua} if lua else {})}
    with project.make("WORLD", World, project.scripts, **options) as world:
        world.on_problem(show_problem)
        game.setup(world)
        world.tick(0)
        session = Session(world)
        if entity is not None:
            session.feed(f":use {entity}")
        if sys.stdin is None or not sys.stdin.isatty():
            project.guarded(_read_lines)(session)
            return 0
        prompt = _prompt(session)
        if prompt is None:
            return 2
        say("Lua runs in the entity that the prompt names. :help for more, :quit to end.")
        app = _window(project, game, world) if window else None
        project.guarded(asyncio.run)(_talk(session, prompt, app))
        return 0


def _read_lines(session: Session) -> None:
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # a string of Lua may hold any bytes
    for line in sys.stdin or ():
        session.feed(line)
        for _ in range(FRAMES_PER_LINE):
            session.world.tick(1 / FPS)
        session.tell()
        if session.over:
            return


def _prompt(session: Session) -> PromptSession[str] | None:
    try:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import Completer, Completion
    except ModuleNotFoundError as error:
        complain(f'the prompt needs {error.name}: pip install "tidelock[repl]"')
        return None

    class Names(Completer):
        def get_completions(self, document: Any, complete_event: Any) -> Any:
            text = document.text_before_cursor
            for word in session.complete(text):
                overlap = next((n for n in range(len(word), 0, -1) if text.endswith(word[:n])), 0)
                yield Completion(word, start_position=-overlap)

    return PromptSession(completer=Names(), complete_while_typing=False)


async def _talk(session: Session, prompt: PromptSession[str], app: Any) -> None:
    """Tick the world, or its window, and read lines beside it, on one thread."""
    from prompt_toolkit.patch_stdout import patch_stdout

    playing = asyncio.ensure_future(_tick(session) if app is None else _show(session, app))
    with patch_stdout(raw=True):
        try:
            async for line in _lines(session, prompt):
                session.feed(line)
                if session.over or playing.done():
                    break
        finally:
            session.over = True
            if app is not None:
                app.stop()
            await playing


async def _lines(session: Session, prompt: PromptSession[str]) -> AsyncIterator[str]:
    while True:
        try:
            yield await prompt.prompt_async(session.prompt)
        except (EOFError, KeyboardInterrupt):
            return


async def _tick(session: Session) -> None:
    while not session.over:
        session.world.tick(1 / FPS)
        session.tell()
        await asyncio.sleep(1 / FPS)


async def _show(session: Session, app: Any) -> None:
    async def tell() -> None:
        while True:
            session.tell()
            await asyncio.sleep(1 / FPS)

    telling = asyncio.ensure_future(tell())
    try:
        await app.run_async()
    finally:
        telling.cancel()


def _window(project: Project, game: Game, world: World) -> Any:
    from engine.app import App
    from engine.cli.run import window_options

    return project.make("WINDOW", App, world, **window_options(project, game))
