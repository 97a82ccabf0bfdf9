"""The prompt inside an entity of a running game."""

import asyncio
import io

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput

from engine.cli import repl
from engine.cli.commands import run_command
from engine.cli.session import Session


@pytest.fixture
def session(scripts, make_world):
    scripts.write(
        "slime",
        """
        local slime = {}
        slime.properties = { hp = 3, name = "Bob" }
        local secret = 1
        speed = 5 -- a global of this script
        function slime:hit(n) self.hp = self.hp - n return self.hp end
        return slime
        """,
    )
    scripts.write("door", "return { start = function() print('creak') end }")
    world = make_world()
    world.spawn("slime")
    world.spawn("door")
    shown: list[str] = []
    made = Session(world, shown.append)
    made.shown = shown
    made.world.tick(0.1)
    made.tell()
    shown.clear()
    return made


def typed(session, *lines: str) -> list[str]:
    """What is shown after these lines, with a frame after each."""
    session.shown.clear()
    for line in lines:
        session.feed(line)
        session.world.tick(0.1)
        session.tell()
    return session.shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("self.hp", ["3"]),
        ("self.hp, self.name", ['3\t"Bob"']),
        ("self:hit(2)", ["1"]),
        ("speed", ["5"]),
        ("self", ['{hp = 3, name = "Bob"}']),
        ("{ 1, { 2, { 3, { 4 } } }, [0.5] = print }", ["{1, {2, {3, {...}}}, [0.5] = a function}"]),
        ("x = 3", []),
        ("print('hi')", ["hi"]),
        ("nil", ["nil"]),
        ("for i = 1, 2 do print(i) end", ["1", "2"]),
    ],
)  # fmt: skip
def test_lua_runs_in_the_entity_and_shows_its_value(session, line, shown):
    assert typed(session, line) == shown


def test_what_is_typed_changes_the_entity_and_its_globals(session):
    assert typed(session, "self.hp = 9", "speed = 7", "self.hp + speed") == ["16"]


def test_a_wait_lets_the_world_go_on(session):
    assert typed(session, "wait(0.25) print('later')", "1") == ["1"]
    assert sorted(typed(session, "2", "3")) == ["2", "3", "later"]


@pytest.mark.parametrize("line", ["nosuch.thing", "if", "error('no')"])
def test_each_mistake_is_a_problem_of_its_own(session, line):
    told = []
    session.world.on_problem(told.append)

    typed(session, line, line)

    assert len(told) == 2
    assert typed(session, "1 + 1") == ["2"]


def test_one_goes_from_entity_to_entity(session):
    assert session.prompt == "slime 1> "
    assert typed(session, ":use door", "entity.script") == ['"door"']
    assert session.prompt == "door 2> "
    assert typed(session, ":use 1", "entity.id") == ["1"]
    assert typed(session, ":entities") == ["    1  slime", "    2  door"]
    assert "no entity 'ghost'" in typed(session, ":use ghost")[0]


def test_an_entity_that_ended_is_no_place_to_run_anything(session):
    typed(session, "entity.destroy()")

    assert session.prompt == "(no entity)> "
    assert "no entity" in typed(session, "1")[0]


@pytest.mark.parametrize(
    ("text", "some"),
    [
        ("bus.e", ["bus.emit"]),
        ("x = ta", ["table", "task"]),
        ("self.h", ["self.hp"]),
        ("wai", ["wait"]),
        ("print(self.n", ["self.name"]),
        (":en", [":entities"]),
        ("", []),
        ("1 + ", []),
    ],
)
def test_names_are_completed(session, text, some):
    assert session.complete(text) == some


@pytest.fixture
def game(tmp_path, monkeypatch):
    assert run_command(["new", str(tmp_path / "moonlit")]) == 0
    monkeypatch.chdir(tmp_path / "moonlit")
    return tmp_path / "moonlit"


def test_lines_from_a_pipe_are_played_one_after_the_other(game, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("self.sprite\nnosuch()\n:quit\nself.x\n"))
    capsys.readouterr()

    assert run_command(["repl", "--in", "hero"]) == 0
    shown = capsys.readouterr()
    assert shown.out == '"hero"\n'
    assert "attempt to call a nil value (global 'nosuch')" in shown.err


def test_bytes_of_a_pipe_that_are_no_text_reach_lua_as_they_are(game, monkeypatch, capsys):
    lines = io.TextIOWrapper(io.BytesIO(b'#"\xff"\n:use \xff\n'), encoding="utf-8")
    monkeypatch.setattr("sys.stdin", lines)

    assert run_command(["repl", "--in", "hero"]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "1",
        "there is no entity '\\udcff'; :entities lists those there are",
    ]


def test_without_a_stdin_there_is_nothing_to_do(game, monkeypatch):
    monkeypatch.setattr("sys.stdin", None)

    assert run_command(["repl"]) == 0


def test_the_prompt_ticks_the_world_while_it_waits_for_a_line(session):
    frame = session.world.frame
    with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
        prompt = repl._prompt(session)
        assert prompt is not None
        keys.send_text("self.hp = 8\n:use door\n")
        session.world.bus.once("ticked", lambda _: keys.send_text(":quit\n"))
        session.world.bus.emit("ticked")
        asyncio.run(repl._talk(session, prompt, None))

    assert session.world.frame > frame
    assert session.entity is not None and session.over
