"""Names of scripts, the text behind them, and the way back from a changed file."""

import os

import pytest

from engine.errors import EngineError, ScriptError, ScriptNotFound
from engine.scripts import Scripts, Source
from engine.sources import MOST_HINTS

DOOR = "return {}\n"


@pytest.fixture
def door(scripts):
    """A folder with one script, "door"."""
    scripts.write("door", DOOR)
    return Scripts(scripts.path)


def write_bytes(scripts, name, raw):
    scripts.write(name, "").write_bytes(raw)
    return Scripts(scripts.path)


def link(path, target):
    try:
        path.symlink_to(target, target_is_directory=target.is_dir())
    except OSError:
        pytest.skip("this platform or user cannot make links")


def test_a_folder_that_is_not_there_is_an_error():
    with pytest.raises(EngineError, match=r'^no folder "scrpts" to take scripts from$'):
        Scripts("scrpts")


@pytest.mark.parametrize("name", ["door", "mods/door", "mods/deep/er/door", "door-2", "_door", "3d", "tür"])
def test_a_name_is_the_path_below_the_folder_without_ending(scripts, name):
    file = scripts.write(name, DOOR)

    assert Scripts(scripts.path).find(name) == file


def test_a_relative_folder_stays_the_same_when_the_working_directory_changes(scripts, monkeypatch, tmp_path):
    file = scripts.write("door", DOOR)
    monkeypatch.chdir(scripts.path.parent)
    folder = Scripts(scripts.path.name)

    monkeypatch.chdir(tmp_path.parent)

    assert folder.find("door") == file


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../door",
        "mods/../door",
        "mods/../../door",
        "./door",
        "/door",
        "/etc/hosts",
        "C:/door",
        "C:door",
        "\\\\host\\door",
        "..\\door",
        "mods//door",
        "mods/",
        "door\n",
        "door\0",
        "door.lua",
        "mods.door",
        ".door",
        "~/door",
        "a b",
        "d" * 5000,
    ],
)
def test_what_is_no_name_is_refused_though_a_file_may_be_there(scripts, name):
    scripts.write("door", DOOR)
    (scripts.path.parent / "door.lua").write_text(DOOR)

    with pytest.raises(ScriptError, match="is no script name") as refusal:
        Scripts(scripts.path).find(name)

    assert not isinstance(refusal.value, ScriptNotFound)
    assert len(str(refusal.value)) < 250
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(("name", "meant"), [("door.lua", "door"), ("mods\\door", "mods/door")])
def test_a_refused_name_tells_how_to_write_it(door, name, meant):
    with pytest.raises(ScriptError, match=f'; write "{meant}"$'):
        door.find(name)


def test_a_link_that_leads_out_of_the_folder_is_refused(scripts, tmp_path):
    (tmp_path / "secret.lua").write_text(DOOR)
    link(scripts.path / "door.lua", tmp_path / "secret.lua")
    folder = Scripts(scripts.path)

    for look in (folder.find, folder.read, folder.library):
        with pytest.raises(ScriptError, match=r'script "door" is a link that leads out of scripts/'):
            look("door")
    assert folder.names() == []


def test_a_linked_folder_that_leads_out_is_refused(scripts, tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "door.lua").write_text(DOOR)
    link(scripts.path / "mods", tmp_path / "outside")

    with pytest.raises(ScriptError, match="leads out of scripts/"):
        Scripts(scripts.path).find("mods/door")


def test_the_folder_itself_and_what_is_in_it_may_be_links(scripts, tmp_path):
    scripts.write("door", DOOR)
    link(scripts.path / "gate.lua", scripts.path / "door.lua")
    link(tmp_path / "game", scripts.path)
    folder = Scripts(tmp_path / "game")

    assert folder.read("gate") == Source("gate", "game/gate.lua", DOOR.encode())
    assert folder.names_of(tmp_path / "game" / "door.lua") == "door"
    assert folder.names_of(scripts.path / "door.lua") == "door"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("dor", 'no script "dor" in scripts/; did you mean "door"?'),
        ("mod/dragon", 'no script "mod/dragon" in scripts/; did you mean "mods/deep/er/dragon"?'),
        ("dragn", 'no script "dragn" in scripts/; did you mean "mods/deep/er/dragon"?'),
        ("xylophone", 'no script "xylophone" in scripts/; there are "door", "mods/deep/er/dragon"'),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_one_or_with_what_there_is(scripts, name, message):
    scripts.write("door", DOOR)
    scripts.write("mods/deep/er/dragon", DOOR)

    with pytest.raises(ScriptNotFound) as missing:
        Scripts(scripts.path).find(name)

    assert str(missing.value) == message


def test_of_many_scripts_only_a_handful_is_listed(scripts):
    for i in range(12):
        scripts.write(f"s{i:02}", DOOR)

    with pytest.raises(ScriptNotFound, match=r'; there are "s00", "s01", "s02", "s03", "s04" and 7 more$'):
        Scripts(scripts.path).find("xylophone")


def test_an_empty_folder_says_so(scripts):
    with pytest.raises(ScriptNotFound, match=r'no script "door" in scripts/; the folder has no scripts$'):
        Scripts(scripts.path).find("door")


def test_a_folder_named_like_a_script_is_no_script(scripts):
    (scripts.path / "door.lua").mkdir()

    with pytest.raises(ScriptNotFound):
        Scripts(scripts.path).read("door")


def test_a_source_has_name_chunk_and_the_bytes_as_they_are(scripts):
    raw = 'return "tür"\r\n'.encode()
    folder = write_bytes(scripts, "mods/door", raw)

    assert folder.read("mods/door") == Source("mods/door", "scripts/mods/door.lua", raw)


def test_a_byte_order_mark_is_dropped(scripts):
    assert write_bytes(scripts, "door", b"\xef\xbb\xbfreturn {}").read("door").text == b"return {}"


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_first_line_for_the_shell_becomes_a_comment_so_that_lines_stay_the_same(scripts, mark):
    folder = write_bytes(scripts, "door", mark + b"#!/usr/bin/env lua\nreturn {}")

    assert folder.read("door").text == b"--#!/usr/bin/env lua\nreturn {}"


@pytest.mark.row("F4")
@pytest.mark.parametrize("raw", [b"", b" \r\n\t\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_an_error_as_it_may_be_half_a_save(scripts, raw):
    with pytest.raises(ScriptError, match="the file is empty") as error:
        write_bytes(scripts, "door", raw).read("door")

    assert (error.value.script, error.value.line) == ("scripts/door.lua", 1)


@pytest.mark.parametrize(
    ("raw", "line", "message"),
    [
        (b"local a\nlocal b = '\xfcber'\n", 2, "not UTF-8: byte 0xfc at offset 19"),
        (b"\xff\xfel\0o\0", 1, "not UTF-8: byte 0xff at offset 0"),
        (b"\xef\xbb\xbf\n\n\xe2\x82", 3, "not UTF-8: byte 0xe2 at offset 5"),
    ],
)
def test_text_that_is_not_utf8_is_refused_with_offset_and_line(scripts, raw, line, message):
    with pytest.raises(ScriptError, match=message) as error:
        write_bytes(scripts, "door", raw).read("door")

    assert (error.value.script, error.value.line) == ("scripts/door.lua", line)


@pytest.mark.parametrize("raw", [b"\x1bLua\x54\x00", b"\x1bLJ\x02", b"\xef\xbb\xbf\x1bLua"])
def test_compiled_lua_is_refused(scripts, raw):
    with pytest.raises(ScriptError, match="compiled Lua") as error:
        write_bytes(scripts, "door", raw).read("door")

    assert (error.value.script, error.value.line) == ("scripts/door.lua", 1)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="every file is readable here")
def test_a_file_that_cannot_be_read_is_an_error_of_that_script(scripts):
    scripts.write("door", DOOR).chmod(0)

    with pytest.raises(ScriptError, match="cannot be read") as error:
        Scripts(scripts.path).read("door")

    assert error.value.script == "scripts/door.lua"


@pytest.mark.row("F4")
def test_a_script_is_read_anew_each_time(scripts, door):
    before = door.read("door").text
    scripts.write("door", "return { 2 }\n")

    assert [before, door.read("door").text] == [b"return {}\n", b"return { 2 }\n"]


def test_dots_in_a_library_name_are_folders(scripts):
    scripts.write("lib/vec", DOOR)

    assert Scripts(scripts.path).library("lib.vec") == Source("lib/vec", "scripts/lib/vec.lua", DOOR.encode())


def test_a_library_may_be_a_folder_with_an_init_file_but_the_plain_file_goes_first(scripts):
    scripts.write("lib/vec/init", "return 1")
    folder = Scripts(scripts.path)

    assert folder.library("lib.vec") == Source("lib/vec/init", "scripts/lib/vec/init.lua", b"return 1")

    scripts.write("lib/vec", "return 2")
    assert folder.library("lib.vec") == Source("lib/vec", "scripts/lib/vec.lua", b"return 2")


def test_a_library_that_is_not_there_is_none(door):
    assert door.library("http") is None


@pytest.mark.parametrize("name", ["", ".", "..", "..door", "lib..vec", "/door", "lib\\vec", "lib.", "d" * 999])
def test_what_is_no_library_name_is_refused(door, name):
    with pytest.raises(ScriptError, match="is no library name"):
        door.library(name)


def test_a_library_name_with_slashes_tells_how_to_write_it(door):
    with pytest.raises(ScriptError, match=r'; write require "lib\.vec"$'):
        door.library("lib/vec")


def test_names_are_sorted_and_leave_out_what_is_no_script(scripts):
    for name in ("slime", "door", "lib/vec/init", "a-b", "Zebra"):
        scripts.write(name, DOOR)
    for other in ("notes.txt", ".hidden.lua", "#door.lua#", "door.lua~", "two words.lua", "door.lua.swp"):
        (scripts.path / other).write_text(DOOR)
    (scripts.path / ".git").mkdir()
    (scripts.path / ".git" / "hook.lua").write_text(DOOR)

    assert Scripts(scripts.path).names() == ["Zebra", "a-b", "door", "lib/vec/init", "slime"]


def test_every_listed_name_leads_to_its_file_and_back(scripts):
    for name in ("door", "mods/door", "lib/vec/init"):
        scripts.write(name, DOOR)
    folder = Scripts(scripts.path)

    assert [folder.names_of(folder.find(name)) for name in folder.names()] == folder.names()


@pytest.mark.row("F4")
def test_a_deleted_file_still_has_its_name(scripts, door):
    (scripts.path / "door.lua").unlink()

    assert door.names_of(scripts.path / "door.lua") == "door"


@pytest.mark.parametrize("path", ["notes.txt", "door.lua~", ".door.lua", "../door.lua", "two words.lua", ""])
def test_a_file_that_is_no_script_has_no_name(scripts, door, path):
    assert door.names_of(scripts.path / path) is None


def test_the_folder_is_looked_through_for_a_few_of_the_missing_libraries(make_world, scripts, monkeypatch):
    looked = []
    names = Scripts.names
    monkeypatch.setattr(Scripts, "names", lambda self: looked.append(self) or names(self))
    scripts.write("lib/vector", "return {}")
    scripts.write(
        "asker",
        """
        local asker = {}
        function asker:start()
          local _, first = pcall(require, "lib.vectr")
          for i = 1, 300 do pcall(require, "no" .. i) end
          local _, again = pcall(require, "lib.vectr")
          local _, last = pcall(require, "no300")
          bus.emit("said", { first = first, again = again, last = last })
        end
        return asker
        """,
    )
    world = make_world()
    said = []
    world.bus.on("said", lambda event: said.append(event.payload))

    world.spawn("asker")
    world.tick(1 / 60)

    assert 'did you mean "lib.vector"?' in said[0]["first"]
    assert said[0]["again"] == said[0]["first"]
    assert said[0]["last"].endswith('there is no library or host module "no300"')
    assert len(looked) == MOST_HINTS
