"""The command line, as somebody uses it who has just made a game."""

import io
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from engine.cli.commands import run_command
from engine.cli.console import lenient
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
    """Who watches the folder never sees a half of it."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    aside = file.with_name(f".{file.name}.new")
    aside.write_text(text.replace(old, new), encoding="utf-8")
    aside.replace(file)


def test_a_new_game_has_what_a_game_needs_and_no_mistakes(game, capsys):
    assert run_command(["check", "--strict"]) == 0
    assert "no mistakes" in capsys.readouterr().out
    names = {path.relative_to(game).as_posix() for path in game.rglob("*") if path.is_file()}
    assert names >= {
        "main.py", "README.md", ".luarc.json", ".vscode/settings.json", ".gitignore", "scripts/hero.lua",
        "scripts/lantern.lua", "assets/hero.png", "tests/lantern.lua", ".tidelock/engine.lua", ".tidelock/game.lua",
    }  # fmt: skip
    assert "TITLE" not in (game / "main.py").read_text() and "moonlit" in (game / "main.py").read_text()


def test_the_version_is_told_also_where_nothing_is_installed(capsys, monkeypatch):
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)

    assert run_command(["--version"]) == 0
    assert capsys.readouterr().out == "tidelock, of a version that is not known: it is not installed here\n"


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
    edit(game / "scripts/hero.lua", "function hero:start()", "function hero:start()\n  print('speed ' .. SPEED)")
    with child(game, "run", "--headless", "--frames", "2000000") as played:
        try:
            assert played.stdout is not None
            rows = iter(played.stdout.readline, "")
            before = [next(rows), next(rows)]
            edit(game / "scripts/hero.lua", "SPEED = 60", "SPEED = 90")
            after = [next(rows), next(rows)]
            edit(game / "scripts/hero.lua", "SPEED * dt", "SPEDE * dt")
            mistaken = next(rows)
        finally:
            played.kill()

    assert before[0].startswith("Playing moonlit") and before[1] == "scripts/hero.lua:12: speed 60\n"
    assert sorted(after)[0].startswith("hero reloaded (v2") and sorted(after)[1] == "scripts/hero.lua:12: speed 90\n"
    assert "SPEDE" in mistaken or "speed 90" in mistaken or "reloaded (v3" in mistaken


def test_a_failing_script_ends_a_headless_run_with_its_place_and_an_exit_code(game, capsys):
    edit(game / "scripts/hero.lua", "task.every(0.1", "task.evry(0.1")

    assert run_command(["run", "--headless", "--frames", "5"]) == 1
    assert "scripts/hero.lua:" in capsys.readouterr().err


def test_what_the_window_cannot_draw_is_told_in_the_terminal_and_ends_a_headless_run_with_an_exit_code(game, capsys):
    edit(game / "scripts/hero.lua", "function hero:start()", 'function hero:start() draw.text(3, 4, "hello")')

    assert run_command(["run", "--headless", "--frames", "5"]) == 1
    out = capsys.readouterr().out
    assert re.search(r"^scripts/hero.lua:\d+: draw.text: y must be a number, got \"hello\"$", out, re.MULTILINE)
    assert "1 problem" in out


def test_check_shows_of_a_long_line_what_is_near_the_mistake(game, capsys):
    row = f"return {{ start = function() {'local a = 1 ' * 100}wiat(1) {'local a = 1 ' * 100}end }}"
    (game / "scripts/long.lua").write_text(row, encoding="utf-8")

    assert run_command(["check"]) == 1

    rows = capsys.readouterr().out.splitlines()
    [at] = [number for number, shown in enumerate(rows) if "scripts/long.lua:1:" in shown]
    line, mark = rows[at + 1 : at + 3]
    assert len(line) < 250 and line.strip()[0] == line[-1] == "…"
    assert line[mark.index("^") : mark.rindex("^") + 1] == "wiat"


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


@pytest.mark.parametrize("command", [["run", "--headless", "--frames", "2"], ["test"], ["check"]], ids=lambda c: c[0])
def test_a_process_without_a_stdout_runs_the_commands(game, monkeypatch, command):
    (game / "scripts/lantern.lua").write_text("return { start = function() print('lit') end }")
    (game / "tests/lantern.lua").write_text('test "one" (function() print(1) end)')
    monkeypatch.setattr(sys, "stdout", None)

    assert run_command(command) == 0


def test_what_a_script_prints_is_written_out_where_the_file_has_no_code_for_it(game, monkeypatch):
    (game / "scripts/lantern.lua").write_text("return { start = function() print('é\u2192') end }", encoding="utf-8")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    lenient()

    assert run_command(["run", "--headless", "--frames", "2"]) == 0
    assert b"scripts/lantern.lua:1: \xe9\\u2192\n" in written.getvalue()


def test_files_whose_names_no_script_can_have_are_found(game, capsys):
    for name in ("big door.lua", "door.v2.lua", "LAMP.LUA", ".#hero.lua"):
        (game / "scripts" / name).write_text("return {}")

    assert run_command(["check"]) == 0

    said = capsys.readouterr().out
    for name in ("big door.lua", "door.v2.lua", "LAMP.LUA"):
        assert f"scripts/{name}:1:1: warning: no script can have this name" in said
    assert "#hero" not in said and "3 warnings in 2 scripts" in said


def test_tests_are_read_as_editors_on_windows_and_unix_write_them(game, capsys):
    (game / "tests/mark.lua").write_text(
        'test "one" (function() expect(1).is(1) end)\n', encoding="utf-8-sig", newline="\r\n"
    )
    (game / "tests/run.lua").write_text('#!/usr/bin/lua\ntest "two" (function() expect(1).is(1) end)\n')
    (game / "tests/folder.lua").mkdir()

    assert run_command(["check"]) == 0
    assert run_command(["test", "-k", "o"]) == 0
    assert {"mark: one", "run: two"} <= {line[7:] for line in capsys.readouterr().out.splitlines()}


@pytest.mark.parametrize(
    ("ended", "code", "said"), [("", 0, ""), ("0", 0, ""), ("3", 3, ""), ("'no save'", 1, "no save\n")]
)
def test_a_game_that_ends_itself_says_how_it_went(game, capsys, ended, code, said):
    (game / "scripts/title.lua").write_text("return { start = function() wait() bus.emit('game.quit') end }")
    (game / "main.py").write_text(
        f"import sys\ndef setup(world):\n    world.spawn('title')\n"
        f"    world.bus.on('game.quit', lambda event: sys.exit({ended}))\n"
    )

    assert run_command(["run", "--headless", "--frames", "3"]) == code
    assert capsys.readouterr().err == said


@pytest.mark.parametrize("command", ["check", "annotations", "test"])
def test_a_setup_that_ends_the_game_ends_none_of_the_tools(game, capsys, command):
    (game / "main.py").write_text("def setup(world):\n    raise SystemExit(7)\n")

    assert run_command([command]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize("command", [["run", "--headless", "--frames", "2"], ["check", "--strict"]])
def test_a_folder_of_assets_that_main_names_lies_beside_it(game, monkeypatch, command):
    (game / "assets").rename(game / "art")
    main = game / "main.py"
    main.write_text(main.read_text().replace("WINDOW: dict[str, Any] = {", 'WINDOW = {"assets": "art", '))
    (game / "assets").mkdir()
    monkeypatch.chdir(game.parent)

    assert run_command([*command, "moonlit"]) == 0


@pytest.mark.parametrize("command", ["run", "repl", "check", "annotations", "test"])
def test_main_is_run_once_by_every_command(game, command, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    (game / "main.py").write_text(
        "from engine import HostModule\nopen('opened', 'x').close()\n"
        "def setup(world):\n    open('set-up', 'x').close()\n    world.install(HostModule('sky'))\n"
    )

    assert run_command([command]) == 0
    assert (game / "opened").exists() and (game / "set-up").exists()
    assert (game / ".tidelock/sky.lua").exists() is (command in ("run", "annotations"))


@pytest.mark.parametrize("command", ["run", "repl", "check", "annotations", "test"])
def test_a_keyword_that_no_world_takes_is_told_by_every_command(game, capsys, command):
    (game / "main.py").write_text("WORLD = {'sed': 3}\ndef setup(world): pass\n")

    assert run_command([command]) == (1 if command == "check" else 2)
    assert 'main.py: WORLD: there is no keyword "sed"; did you mean "seed"?' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("main", "said"),
    [
        ("def setup(world:\n", "main.py:1: SyntaxError"),
        ("import nothing_like_that\ndef setup(world): pass\n", "main.py:1: ModuleNotFoundError"),
        ("def setup(world):\n    world.spwan('hero')\n", 'did you mean "spawn"?'),
        ("def setup(world):\n    world.spawn('hero', x=print)\n", "main.py:2: "),
        ("x = 1\n", "main.py has no function setup(world)"),
        ("while True: pass\n", "main.py has no function setup(world)"),
        ("import sys\ndef setup(world): pass\nsys.exit(3)\n", "main.py:3: main.py ended before"),
        ("def setup(): pass\n", "main.py: TypeError: setup() takes 0"),
        ("async def setup(world): pass\n", "main.py: setup is an async def"),
        ("import json\ndef setup(world):\n    json.loads('{')\n", "main.py:3: JSONDecodeError"),
        ("import elsewhere\ndef setup(world):\n    elsewhere.listen(world)\n", "elsewhere.py:2: KeyError"),
        ("WORLD = 3\ndef setup(world): pass\n", "WORLD must be a dict"),
        ("WORLD = {3: 3}\ndef setup(world): pass\n", "WORLD must be a dict"),
        ("WORLD = {'lua': 'lua51'}\ndef setup(world): pass\n", "lua must be one of"),
        (
            "WINDOW = {'titel': 'x'}\ndef setup(world): pass\n",
            'main.py: WINDOW: there is no keyword "titel"; did you mean "title"?',
        ),
        ("WINDOW = {'name': 'x'}\ndef setup(world): pass\n", 'main.py: WINDOW: there is no keyword "name"'),
        ("WINDOW = {'actions': {'use': ['spcae']}}\ndef setup(world): pass\n", 'did you mean "space"?'),
        (
            "def setup(world):\n    world.spawn('hero', x=1, y=1)\n    world.bus.on('hero.moved', heard)\n"
            "def heard(event):\n    event.payload['z']\n",
            "main.py:5: KeyError",
        ),
    ],
)
def test_a_mistake_in_main_is_one_line_with_its_place(game, capsys, monkeypatch, main, said):
    elsewhere = game.parent / "library"
    elsewhere.mkdir()
    (elsewhere / "elsewhere.py").write_text(
        "def heard(event):\n    event.payload['z']\ndef listen(world):\n    world.spawn('hero', x=1, y=1)\n"
        "    world.bus.on('hero.moved', heard)\n"
    )
    monkeypatch.syspath_prepend(elsewhere)
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
        (["run", "main.py"], "main.py is a file; give the folder"),
        (["check", "scripts"], 'may be "."'),
        (["run", "--headless", "--screenshot", "shot.tga"], "must end in .png"),
        (["run", "--headless", "--frames", "1", "--screenshot", "main.py/shot.png"], "main.py"),
        (["new", 'quo"te'], "cannot be the name"),
        (["new", ""], "needs a name"),
    ],
)
def test_a_slip_on_the_command_line_is_explained(game, capsys, arguments, said):
    assert run_command(arguments) == 2
    assert said in capsys.readouterr().err


def test_the_shell_takes_what_new_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    assert run_command(["new", "die Nacht"]) == 0

    assert "  cd 'die Nacht'\n" in capsys.readouterr().out


def test_what_scripts_print_stands_in_the_terminal_with_its_place(game, capsys):
    edit(game / "scripts/hero.lua", "task.every(0.1", "print('I am', entity.id)\n  task.every(0.1")
    edit(game / "tests/lantern.lua", "wait(2)", "log.warn('late')\n  wait(2)")

    assert run_command(["run", "--headless", "--frames", "5"]) == 0
    assert re.search(r"^scripts/hero\.lua:12: I am +1$", capsys.readouterr().out, re.MULTILINE)
    assert run_command(["test"]) == 0
    assert "late\n" in capsys.readouterr().out


def test_nothing_of_a_script_moves_the_cursor_of_the_terminal(game, capsys, monkeypatch):
    (game / "main.py").write_text(
        "from engine import HostModule\nhost = HostModule('host')\n@host.function\n"
        "def look(name: str) -> None:\n    raise KeyError(f'no {name}')\n"
        "def setup(world):\n    world.install(host)\n    world.spawn('odd')\n"
    )
    (game / "scripts/odd.lua").write_text(
        "print('\\27[2J')\nbus.emit('\\27[3J')\nlocal function raw() return '\x1b[4J' .. wiat end\n"
        "return { start = function() pcall(raw) require('host').look('\\27[5J') end }\n"
    )
    monkeypatch.setattr("sys.stdin", io.StringIO("print('\\27[6J')\n"))

    for command in ("check", "run", "repl"):
        run_command([command, *(["--headless", "--frames", "2"] if command == "run" else [])])
    shown = "".join(capsys.readouterr())

    assert [sign for sign in shown if not sign.isprintable() and sign != "\n"] == []
    assert all(f"\\x1b[{n}J" in shown for n in (2, 3, 4, 5, 6))


def test_a_test_without_a_function_is_no_passed_test(game, capsys):
    (game / "tests/lantern.lua").write_text('test "goes out"\n')

    assert run_command(["test"]) == 1
    assert 'test "goes out" has no function' in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_one_line(game, capsys, monkeypatch):
    (game / "shot.png").symlink_to(game / "nowhere" / "shot.png")

    assert run_command(["run", "--headless", "--frames", "1", "--screenshot", "shot.png"]) == 2
    assert "error: the picture cannot be written" in capsys.readouterr().err


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
