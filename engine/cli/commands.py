"""The commands and their options. What they do stands in a module each, imported when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from engine.cli.console import complain
from engine.errors import EngineError
from engine.lua.versions import VERSIONS

_CONTEXT = {"help_option_names": ["-h", "--help"]}
_folder = click.argument("folder", default=".", metavar="[DIR]", type=click.Path(path_type=Path))
_file = click.Path(path_type=Path, dir_okay=False)
_lua = click.option("--lua", type=click.Choice(VERSIONS), help="Version of Lua; that of main.py unless told.")


def _png(file: Path | None) -> Path | None:
    if file is not None and file.suffix.lower() != ".png":
        raise click.BadParameter(f"{file} must end in .png")
    return file


def _show_version(context: click.Context) -> None:
    from importlib import metadata

    try:
        click.echo(f"tidelock, version {metadata.version('tidelock')}")
    except metadata.PackageNotFoundError:
        click.echo("tidelock, of a version that is not known: it is not installed here")
    context.exit()


@click.group(context_settings=_CONTEXT)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=lambda context, _, asked: _show_version(context) if asked else None,
    help="Show the version and exit.",
)
def tidelock() -> None:
    """Scripts for the entities of Python games: Lua that waits, talks and reloads.

    \b
    Begin here:
      tidelock new moonlit      a small game in the folder moonlit
      cd moonlit
      tidelock run              its window; edit scripts/ while it is open
      tidelock check            mistakes in all scripts, without running them
      tidelock test             the tests in tests/, on a simulated clock
      tidelock repl             type Lua into an entity while the game runs

    A game is a folder with scripts/ (Lua), assets/ (images and sounds) and main.py, whose
    setup(world) makes the first entities.
    """


@tidelock.command(context_settings=_CONTEXT)
@click.argument("name")
def new(name: str) -> None:
    """Make a small game in the folder NAME.

    Everything in it is meant to be read and changed: two scripts, a picture, a test, and
    settings for editors that know the Lua language server.
    """
    from engine.cli.new import make_game

    make_game(name)


@tidelock.command(context_settings=_CONTEXT)
@_folder
@click.option("--headless", is_flag=True, help="Neither window nor sound, as fast as it goes; 600 frames unless told.")
@click.option("--frames", type=click.IntRange(min=1), metavar="N", help="End after N frames.")
@click.option(
    "--screenshot",
    type=_file,
    callback=lambda _context, _option, file: _png(file),
    metavar="FILE",
    help="Write the last frame to a .png.",
)
@click.option("--seed", type=int, metavar="N", help="The same seed plays the same game.")
@_lua
def run(folder: Path, **options: Any) -> None:
    """Play the game in DIR, and reload what is saved meanwhile.

    Script errors stand in the window; F1 shows figures. Headless, the exit code is 1 when
    a script failed.
    """
    from engine.cli.run import play

    raise SystemExit(play(folder, **options))


@tidelock.command(context_settings=_CONTEXT)
@_folder
@click.option("--json", "as_json", is_flag=True, help="A list of findings for other programs.")
@click.option("--strict", is_flag=True, help="Fail on warnings too.")
@_lua
def check(folder: Path, **options: Any) -> None:
    """Find mistakes in the scripts of DIR without running them.

    Each has its line, its column and a suggestion. "-- check: ignore" at the end of a line
    silences it. The exit code is 1 when there is an error.
    """
    from engine.cli.check import check_game

    raise SystemExit(check_game(folder, **options))


@tidelock.command(context_settings=_CONTEXT)
@_folder
@click.option("-k", "only", default="", metavar="TEXT", help="Only tests with TEXT in their name or file.")
@_lua
def test(folder: Path, **options: Any) -> None:
    """Run the tests in DIR/tests/*.lua on a simulated clock.

    \b
    test "a door closes after two seconds" (function()
      local door = entity.spawn("door")
      wait(2.1)
      expect(sim.fields(door).open).is(false)
    end)

    Each test is a task in a world of its own: it can call what scripts can call. Any script
    error fails it. The exit code is 1 when a test failed, 5 when there is none. For tests in
    Python, pytest has the fixtures `world` and `sim`, and runs these files too.
    """
    from engine.cli.test import test_game

    raise SystemExit(test_game(folder, **options))


@tidelock.command(context_settings=_CONTEXT)
@_folder
@click.option("--in", "entity", metavar="ID", help="The entity to begin in: an id, or the name of a script.")
@click.option("--window", is_flag=True, help="Show the game's window, too.")
@_lua
def repl(folder: Path, **options: Any) -> None:
    """Type Lua into an entity of the game in DIR while it runs.

    `self` is the entity's own; `wait`, `bus` and all else that scripts have works. Lines
    from a pipe have a tenth of a second of game time each. Needs the extra "repl".
    """
    from engine.cli.repl import talk

    raise SystemExit(talk(folder, **options))


@tidelock.command("annotations", context_settings=_CONTEXT)
@_folder
@click.option("--check", "only_check", is_flag=True, help="Write nothing; fail when they are not up to date.")
@_lua
def annotate(folder: Path, **options: Any) -> None:
    """Tell editors what the scripts in DIR can call.

    Writes .tidelock/ and, where there is none, .luarc.json for the Lua language server: the
    engine's functions, the host modules of main.py, the game's scripts, properties and
    events. `run` keeps them fresh.
    """
    from engine.cli.annotations import annotate_game

    raise SystemExit(annotate_game(folder, **options))


def run_command(args: Sequence[str] | None = None) -> int:
    """Run the command line of this process, or `args`; a user's mistake is a line on stderr, never a traceback."""
    return _guarded(lambda: tidelock.main(args, prog_name="tidelock", standalone_mode=False))


def _guarded(command: Callable[[], object]) -> int:
    try:
        command()
    except SystemExit as end:
        return _exit_code(end.code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return 130
    except EngineError as error:
        complain(str(error))
        return 2
    except OSError as error:
        complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
        return 2
    return 0


def _exit_code(said: object) -> int:
    """As Python has it: `sys.exit()` went well, and a text is shown."""
    if said is None or isinstance(said, int):
        return said or 0
    click.echo(said, err=True)
    return 1
