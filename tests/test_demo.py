"""The demo, played by nobody in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pygame

from helpers import PATIENCE

DEMO = Path(__file__).parent.parent / "demo.py"


def play(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(DEMO), *flags],
        cwd=folder,
        env={**os.environ, "SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=5 * PATIENCE,
    )


def colours(file: Path) -> int:
    picture = pygame.image.load(str(file))
    width, height = picture.get_size()
    return len({tuple(picture.get_at((x, y))) for x in range(0, width, 3) for y in range(0, height, 3)})


def test_the_demo_plays_headless_without_a_problem_and_the_same_on_every_run(lua: str, tmp_path: Path) -> None:
    for name in ("first.png", "second.png"):
        played = play(tmp_path, "--headless", "--frames", "200", "--seed", "3", "--lua", lua, "--screenshot", name)
        assert (played.returncode, played.stderr) == (0, "")

    assert colours(tmp_path / "first.png") > 100
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "second.png").read_bytes()


def test_without_a_display_it_says_so_and_writes_a_picture(tmp_path: Path) -> None:
    played = play(tmp_path, "--frames", "30")

    assert (played.returncode, played.stderr) == (0, "")
    assert "No display" in played.stdout and len(played.stdout.splitlines()) == 1
    assert (tmp_path / "demo.png").is_file()
