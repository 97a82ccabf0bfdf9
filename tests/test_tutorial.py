"""Every step of the tutorial runs, has no mistakes, and says what the page says."""

import re
import shutil
from pathlib import Path

import pytest

from engine import World
from engine.check.check import check
from engine.cli.commands import run_command
from engine.project import Project
from engine.testing.sim import Sim

TUTORIAL = Path(__file__).parent.parent / "docs/tutorial"
STEPS = sorted(path.name for path in TUTORIAL.glob("step*"))

SECTION = re.compile(r"^## Step (?P<number>\d+): .*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"```(?P<language>lua|python no-run)\n(?P<code>.*?)```", re.DOTALL)
NAMED = re.compile(r"(?:--|#) (?:in )?(?P<file>scripts/\w+\.lua|tests/\w+\.lua|main\.py)")


@pytest.fixture
def step(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of one step, because playing may write files."""
    return Path(shutil.copytree(TUTORIAL / request.param, tmp_path / request.param))


def test_there_are_ten_steps():
    assert len(STEPS) == 10


@pytest.mark.parametrize("step", STEPS, indirect=True)
def test_a_step_has_no_mistakes(step):
    project = Project(step)

    assert check(project, "lua55", project.rehearsed()[1]) == []


@pytest.mark.parametrize("step", STEPS, indirect=True)
def test_a_step_plays_without_a_problem(step, lua):
    project = Project(step)
    with World(project.scripts, strict=True, lua=lua) as world:
        project.game().setup(world)
        sim = Sim(world)
        sim.run(10)
        for action in ("left", "up", "use"):
            world.input.press(action)
            sim.run(2)

        assert world.problems == []


def test_the_last_step_opens_its_window(tmp_path):
    step = shutil.copytree(TUTORIAL / "step10", tmp_path / "step10")

    assert run_command(["run", str(step), "--headless", "--frames", "60"]) == 0


def test_the_tests_of_the_last_step_pass(capsys):
    assert run_command(["test", str(TUTORIAL / "step10")]) == 0
    assert "5 passed" in capsys.readouterr().out


@pytest.mark.parametrize("step", ["step10"], indirect=True)
def test_the_game_can_be_won_and_python_keeps_the_time(step):
    project = Project(step)
    with World(project.scripts, strict=True) as world:
        project.game().setup(world)
        sim = Sim(world)
        sim.run_until(lambda: world.find("gust"))
        for x in (60, 160, 260):
            sim.spawn("hero", x=x, y=50, sparks=1)

        sim.run_until(lambda: said(world))

        assert "All lit after" in said(world)[0]
    assert (step / "best.json").is_file()


def said(world: World) -> list[str]:
    """What the newest frame says at the bottom of the window."""
    return [command.args[0] for command in world.commands if command.function == "say" and command.args]


def test_what_the_page_shows_is_what_the_steps_have():
    page = (TUTORIAL / "index.md").read_text(encoding="utf-8")
    shown = [
        (int(section["number"]), block["code"])
        for section in SECTION.finditer(page)
        for block in BLOCK.finditer(section[0])
        if NAMED.match(block["code"])
    ]

    assert len({number for number, _ in shown}) == 10
    for number, code in shown:
        named = NAMED.match(code)
        assert named is not None
        text = (TUTORIAL / f"step{number:02}" / named["file"]).read_text(encoding="utf-8")
        excerpt = code.split("\n", 1)[1] if "in " in named[0] else code
        assert excerpt.strip() in text, f"step {number}: {named['file']}"
