"""The command line, as somebody uses it who has just made a game."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.cli.commands import run_command
from helpers import run_child


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new game, with its folder as the current one."""
    monkeypatch.chdir(tmp_path)
    assert run_command(["new", "moonlit"]) == 0
    monkeypatch.chdir(tmp_path / "moonlit")
    return tmp_path / "moonlit"


def child(game: Path, *arguments: str) -> subprocess.Popen[str]:
    """`tidelock ...` in a process of its own."""
    environment = {**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy", "PYTHONUNBUFFERED": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *arguments],
        cwd=game,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_new_game_has_what_a_game_needs_and_no_mistakes(game, capsys):
    assert run_command(["check", "--strict"]) == 0
    assert "no mistakes" in capsys.readouterr().out
    names = {path.relative_to(game).as_posix() for path in game.rglob("*") if path.is_file()}
    assert names >= {
        "main.py", "README.md", ".luarc.json", ".vscode/settings.json", ".gitignore", "scripts/hero.lua",
        "scripts/lantern.lua", "assets/hero.png", "tests/lantern.lua", ".tidelock/engine.lua", ".tidelock/game.lua",
    }  # fmt: skip
    assert "TITLE" not in (game / "main.py").read_text() and "moonlit" in (game / "main.py").read_text()


def test_a_new_game_does_not_overwrite_what_is_there(game, capsys):
    assert run_command(["new", str(game)]) == 2
    assert "exists already" in capsys.readouterr().err


def test_a_new_game_runs_without_a_window_and_leaves_a_picture(game, capsys, lua):
    assert run_command(["run", "--headless", "--frames", "30", "--lua", lua, "--screenshot", "shot.png"]) == 0
    assert "30 frames, 0.5 s of game time, 0 problems" in capsys.readouterr().out
    assert (game / "shot.png").stat().st_size > 100


def test_the_same_seed_gives_the_same_picture(game):
    for name in ("a.png", "b.png"):
        run_command(["run", "--headless", "--frames", "20", "--seed", "4", "--screenshot", name])

    assert (game / "a.png").read_bytes() == (game / "b.png").read_bytes()


def test_a_script_saved_while_the_game_runs_is_reloaded(game):
    with child(game, "run", "--headless", "--frames", "200000") as played:
        try:
            assert played.stdout is not None
            assert played.stdout.readline().startswith("Playing moonlit")
            edit(game / "scripts/hero.lua", "speed = 60", "speed = 90")
            said = played.stdout.readline()
        finally:
            played.kill()

    assert said.startswith("hero reloaded (v2")


def test_a_failing_script_ends_a_headless_run_with_its_place_and_an_exit_code(game, capsys):
    edit(game / "scripts/hero.lua", "task.every(0.1", "task.evry(0.1")

    assert run_command(["run", "--headless", "--frames", "5"]) == 1
    assert "scripts/hero.lua:" in capsys.readouterr().err


def test_check_shows_the_line_with_a_mark_and_fails(game, capsys):
    edit(game / "scripts/lantern.lua", "wait(self.seconds)", "wiat(self.seconds)")

    assert run_command(["check"]) == 1
    shown = capsys.readouterr().out.splitlines()
    place = shown[0].split(":")
    assert (place[0], place[2]) == ("scripts/lantern.lua", "3")
    assert shown[2].strip() == '^^^^ did you mean "wait"?'
    assert shown[2].index("^") == shown[1].index("wiat")


def test_check_gives_findings_to_other_programs(game, capsys):
    edit(game / "scripts/hero.lua", "bus.emit", "bus.emti")

    assert run_command(["check", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["rule"] for one in found] == ["api"]
    assert {"script", "line", "column", "level", "message", "suggestion"} <= found[0].keys()


def test_warnings_fail_only_when_asked_to(game, capsys):
    edit(game / "scripts/lantern.lua", 'bus.on("hero.moved"', 'bus.on("hero.mvoed"')

    assert run_command(["check"]) == 0
    assert run_command(["check", "--strict"]) == 1
    assert 'did you mean "hero.moved"?' in capsys.readouterr().out


@pytest.mark.parametrize(
    ("main", "said"),
    [
        ("def setup(world:\n", "main.py:1: SyntaxError"),
        ("import nothing_like_that\n", "main.py:1: ModuleNotFoundError"),
        ("def setup(world):\n    world.spwan('hero')\n", "main.py:2: AttributeError"),
        ("def setup(world):\n    world.spawn('hero', x=print)\n", "main.py:2: "),
        ("x = 1\n", "main.py has no function setup(world)"),
        ("WORLD = 3\ndef setup(world): pass\n", "WORLD must be a dict"),
        ("WORLD = {'sed': 3}\ndef setup(world): pass\n", "main.py: WORLD: "),
        ("WORLD = {'lua': 'lua51'}\ndef setup(world): pass\n", "lua must be one of"),
        ("WINDOW = {'titel': 'x'}\ndef setup(world): pass\n", "main.py: WINDOW: "),
        ("WINDOW = {'actions': {'use': ['spcae']}}\ndef setup(world): pass\n", 'did you mean "space"?'),
        (
            "def setup(world):\n    world.spawn('hero', x=1, y=1)\n    world.bus.on('hero.moved', heard)\n"
            "def heard(event):\n    event.payload['z']\n",
            "main.py:5: KeyError",
        ),
    ],
)
def test_a_mistake_in_main_is_one_line_with_its_place(game, capsys, main, said):
    (game / "main.py").write_text(main)

    assert run_command(["run", "--headless", "--frames", "20"]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert "Traceback" not in complaint and len(complaint.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "nowhere"], "no folder nowhere"),
        (["check", "assets"], "no folder scripts/"),
        (["rnu"], "No such command"),
        (["run", "--frames", "many"], "--frames"),
        (["run", "--lua", "lua51"], "--lua"),
        (["run", "--headless", "--screenshot", "scripts"], "scripts"),
        (["new", 'quo"te'], "cannot be the name"),
    ],
)
def test_a_slip_on_the_command_line_is_explained(game, capsys, arguments, said):
    assert run_command(arguments) == 2
    assert said in capsys.readouterr().err


def test_without_main_a_script_called_main_begins(game, capsys):
    (game / "main.py").unlink()

    assert run_command(["run", "--headless", "--frames", "2"]) == 2
    assert "scripts/main.lua" in capsys.readouterr().err
    (game / "scripts/main.lua").write_text("local main = {}\nfunction main:start() print('here') end\nreturn main\n")
    assert run_command(["run", "--headless", "--frames", "2"]) == 0


def test_without_its_packages_the_command_line_says_what_to_install():
    done = run_child(
        """
        import sys
        sys.modules["click"] = None
        from engine.cli import main
        assert main() == 2
        """
    )

    assert done.stderr.splitlines() == ['The command line needs click: pip install "tidelock[cli]"']


def test_help_teaches_every_command(capsys):
    assert run_command(["--help"]) == 0
    shown = capsys.readouterr().out
    for command in ("new", "run", "check"):
        assert f"\n  {command}" in shown
        assert run_command([command, "--help"]) == 0
