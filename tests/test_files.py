"""The host modules "files" and "json".

Whatever touches the disk runs in each loop under Lua 5.5, and under each Lua in a plain loop; "json" answers at once,
which is the same in every loop.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine import EngineError, World
from engine.host import files_module, json_module
from engine.host.files import Saves, save_folder
from host_loops import Player, each_loop_and_each_lua


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "saves"


@pytest.fixture
def ask(make_world: Callable[..., World], scripts: Any, folder: Path) -> Callable[..., World]:
    """A world whose one entity runs `body`, with `files` and `json` installed."""

    def make(body: str, **options: Any) -> World:
        scripts.write(
            "asker",
            f"""
            local files, json = require "files", require "json"
            local asker = {{}}
            function asker:start()
              {body}
            end
            return asker
            """,
        )
        world = make_world()
        world.install(files_module(folder, **options))
        world.install(json_module())
        world.spawn("asker")
        return world

    return make


@pytest.mark.row("E4", "E10")
@each_loop_and_each_lua
def test_what_was_written_is_read_again(play, ask, folder):
    world = ask("""
      files.write("slots/one.txt", "a\\0b")
      files.write_json("settings.json", { volume = 0.5, names = { "ann", "bob" } })
      print(#files.read("slots/one.txt"), files.read_json("settings.json").names[2])
      print(table.concat(files.list(), " "), table.concat(files.list("slots"), " "), #files.list("nowhere"))
      print(files.exists("settings.json"), files.remove("settings.json"), files.remove("settings.json"))
      print(files.exists("settings.json"), files.read("settings.json"), files.read_json("settings.json"))""")

    said = play(world).said(4)

    assert world.problems == []
    assert said == [
        "3\tbob",
        "settings.json slots/\tone.txt\t0",
        "true\ttrue\tfalse",
        "false\tnil\tnil",
    ]
    assert (folder / "slots/one.txt").read_bytes() == b"a\0b"


@pytest.mark.row("E10")
@pytest.mark.parametrize(
    "path",
    [
        "../secret", "slots/../../secret", "/etc/passwd", "C:/secret", "C:\\\\secret", "..", ".", "", "a//b", "a/", "/",
        ".hidden", "a/.b", "nul", "COM1.txt", "a\\0b", "a\\nb", "trailing.", "trailing ", "x:y", "~", "a\\\\b", "\\255",
    ],
)  # fmt: skip
@each_loop_and_each_lua
def test_a_path_that_might_lead_out_is_refused(play, ask, folder, path):
    (folder.parent / "secret").write_text("secret")
    folder.mkdir()
    world = ask(f'print(pcall(files.read, "{path}")) print(pcall(files.write, "{path}", "mine"))')

    said = play(world).said(2)

    assert all(line.startswith("false\tfiles.") for line in said)
    assert (folder.parent / "secret").read_text() == "secret"
    assert sorted(entry.name for entry in folder.iterdir()) == []


@pytest.mark.row("E10")
@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
@each_loop_and_each_lua
def test_links_that_lead_out_are_refused_and_links_inside_are_followed(play, ask, folder):
    outside = folder.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    folder.mkdir()
    (folder / "real.txt").write_text("inside")
    (folder / "door").symlink_to(outside)
    (folder / "file").symlink_to(outside / "secret")
    (folder / "alias.txt").symlink_to(folder / "real.txt")
    world = ask("""
      print(pcall(files.read, "door/secret"))
      print(pcall(files.write, "door/new", "mine"))
      print(pcall(files.write, "file", "mine"))
      print(pcall(files.list, "door"))
      print(files.read("alias.txt"))""")

    said = play(world).said(5)

    assert all("is a link that leads out of the save folder" in line for line in said[:4])
    assert said[4] == "inside"
    assert [entry.name for entry in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "secret"


@pytest.mark.row("E10")
@pytest.mark.parametrize("step", ["fsync", "replace"])
@each_loop_and_each_lua
def test_a_write_that_fails_half_way_leaves_the_old_file_whole(play, ask, folder, monkeypatch, step):
    folder.mkdir()
    (folder / "save.txt").write_text("old and whole")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(f"engine.host.files.os.{step}", full)
    world = ask('print(pcall(files.write, "save.txt", "new"))')

    (said,) = play(world).said()

    assert 'files.write: OSError: "save.txt": No space left on device (files.py:' in said
    assert [entry.name for entry in folder.iterdir()] == ["save.txt"]
    assert (folder / "save.txt").read_text() == "old and whole"


@pytest.mark.row("E10")
def test_a_reader_sees_the_old_file_or_the_new_one_and_never_a_part(tmp_path):
    saves = Saves(tmp_path, 1_000_000, 10)
    texts = [bytes([letter]) * 200_000 for letter in b"ab"]
    saves.write("save", texts[0])
    done = threading.Event()

    def write() -> None:
        for turn in range(40):
            saves.write("save", texts[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = [saves.read("save")]
    while not done.is_set():
        seen.append(saves.read("save"))
    writer.join()

    assert all(data in texts for data in seen)


@pytest.mark.row("E10")
@each_loop_and_each_lua
def test_files_and_their_number_are_bounded(play, ask):
    world = ask(
        """
      print(pcall(files.write, "big", ("x"):rep(101)))
      files.write("one", ("x"):rep(100))
      files.write("two", "")
      print(pcall(files.write, "three", ""))
      files.write("two", "again")
      print(files.read("two"))""",
        max_bytes=100,
        max_files=2,
    )

    said = play(world).said(3)

    assert "would be larger than 100 bytes" in said[0]
    assert "there are 2 files and folders already; remove some" in said[1]
    assert said[2] == "again"


@pytest.mark.row("E10")
@each_loop_and_each_lua
def test_a_file_that_somebody_else_made_too_big_is_refused(play, ask, folder):
    folder.mkdir()
    (folder / "big").write_bytes(b"x" * 101)
    world = ask('print(pcall(files.read, "big"))', max_bytes=100)

    assert '"big" is larger than 100 bytes' in play(world).said()[0]


@pytest.mark.row("E10")
@each_loop_and_each_lua
def test_a_broken_json_file_is_an_error_that_can_be_caught(play, ask, folder):
    folder.mkdir()
    (folder / "save.json").write_text('{"half": ')
    world = ask('print(pcall(files.read_json, "save.json"))')

    assert "files.read_json: JSONDecodeError: " in play(world).said()[0]


def test_the_save_folder_of_a_game_is_where_the_platform_has_it(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    with_library = save_folder("My Game")
    monkeypatch.setitem(sys.modules, "platformdirs", None)

    assert save_folder("My Game") == with_library
    assert with_library.name == "My Game"
    assert Path.home() in with_library.parents or tmp_path in with_library.parents
    for name in ("", "..", "a/b", "a\\b", None):
        with pytest.raises(EngineError, match="the name of a game"):
            save_folder(name)
    with pytest.raises(EngineError, match="files_module needs a folder"):
        files_module()


def test_json_goes_both_ways(ask):
    world = ask("""
      local text = json.encode({ list = { 1, 2.5, true }, empty = {}, name = "é", nested = { b = 1, a = 2 } })
      print(text)
      local back = json.decode(text)
      print(back.list[2], #back.list, next(back.empty), back.name, math.type and math.type(back.list[1]) or "integer")
      print(json.encode({ 1 }, { indent = 2 }))
      print(json.encode({ 1, 2, x = { [-3] = 1, y = 2 } }), json.decode("\\239\\187\\191[5]")[1])
      print(json.decode("[1, null, 3]")[2], json.decode('{"a": null}').a, json.decode("3"), json.decode("null"))""")

    said = Player(world).said(5)

    assert said[0] == '{"empty": {}, "list": [1, 2.5, true], "name": "é", "nested": {"a": 2, "b": 1}}'
    assert said[1] == "2.5\t3\tnil\té\tinteger"
    assert said[2] == "[\n  1\n]"
    assert said[3] == '{"1": 1, "2": 2, "x": {"-3": 1, "y": 2}}\t5'
    assert said[4] == "false\tnil\t3\tnil"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("json.decode('{')", "JSONDecodeError"),
        ("json.decode('NaN')", "ValueError: NaN is no JSON"),
        ("json.decode(('['):rep(60) .. (']'):rep(60))", "more than 32 levels"),
        ("json.decode('[1e999]')[1]", None),
        ("json.encode(1 / 0)", "ValueError: Out of range float"),
        ("json.encode('\\255')", "ValueError: a string that is no UTF-8 is no JSON"),
        ("json.encode({ ['\\255'] = 1 })", "ValueError: a table with a name that is no UTF-8"),
        ("json.encode({ [2] = 1, ['2'] = 1 })", "with a number and its text as names, is no JSON"),
        ("json.encode({}, { indent = 1000000000 })", "ValueError: indent must be 0 to 16, got 1000000000"),
        ("json.encode({}, { indent = -1 })", "ValueError: indent must be 0 to 16, got -1"),
        ("json.decode(('9'):rep(5000))", None),
        ("json.decode(3)", "text must be a string, got the number 3"),
        ("json.decode('123456789012345678901234567890')", None),
    ],
)
def test_what_is_no_json_is_an_error(ask, code, message):
    world = ask(f"print(pcall(function() return {code} end))")

    (said,) = Player(world).said()

    if message is None:
        assert said.startswith("true")
    else:
        assert said.startswith("false")
        assert message in said


@each_loop_and_each_lua
def test_the_folder_is_made_with_the_first_file_and_not_before(play, ask, folder):
    world = ask('print(files.read("x")) print(#files.list()) wait() files.write("x", "y") print("written")')
    playing = play(world)

    playing.said(2)
    before = folder.exists()
    playing.said(3)

    assert not before
    assert [entry.name for entry in folder.iterdir()] == ["x"]


@pytest.mark.row("E10")
@each_loop_and_each_lua
def test_errors_name_what_the_script_named_and_not_where_the_player_keeps_it(play, ask, folder):
    world = ask("""
      files.write("slots/one", "x")
      print(pcall(files.read, "slots"))
      print(pcall(files.write, "slots", "x"))
      print(pcall(files.write, "slots/one/two", "x"))
      print(pcall(files.list, "slots/one"))
      print(files.read("slots/one/two"), files.remove("slots/one/two"), files.exists("slots/one/two"))""")

    said = play(world).said(5)

    assert all('Error: "slots' in line and folder.parent.name not in line for line in said[:4])
    assert said[4] == "nil\tfalse\tfalse"


@pytest.mark.row("E10")
@each_loop_and_each_lua
def test_folders_count_as_files_and_go_with_the_last_of_theirs(play, ask, folder):
    world = ask(
        """
      files.write("a/b/c/one", "")
      print(pcall(files.write, "two", ""))
      files.remove("a/b/c/one")
      files.write("two", "")
      print(table.concat(files.list(), " "))""",
        max_files=4,
    )

    said = play(world).said(2)

    assert "there are 4 files and folders already; remove some" in said[0]
    assert said[1] == "two"


@pytest.mark.row("E10")
def test_the_folders_of_a_path_count_before_they_are_made(folder):
    saves = Saves(folder, 100, 4)
    saves.write("one", b"")

    with pytest.raises(ValueError, match="there are 1 files and folders already"):
        saves.write("a/b/c/two", b"")
    saves.write("a/b/two", b"")

    assert sorted(file.name for file in folder.rglob("*")) == ["a", "b", "one", "two"]


@pytest.mark.row("E10")
@each_loop_and_each_lua
def test_a_save_in_utf_8_with_a_mark_in_front_is_read(play, ask, folder):
    folder.mkdir()
    (folder / "save.json").write_text('{"gold": 7}', encoding="utf-8-sig")
    world = ask('print(files.read_json("save.json").gold)')

    assert play(world).said() == ["7"]
