"""The real watcher on real files; tests wait for what must come, up to a deadline, never for a fixed time."""

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import engine.reload.watch
from engine.errors import EngineError
from engine.reload.watch import Watcher
from helpers import PATIENCE, threads, until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one script, door.lua, that nothing watches yet."""
    folder = tmp_path.resolve() / "scripts"
    folder.mkdir()
    (folder / "door.lua").write_text("return 1")
    os.utime(folder / "door.lua", (10**9, 10**9))  # so that a save now differs, however coarse the clock of files is
    return folder


@pytest.fixture(params=["events", "poll"])
def watcher(folder: Path, request: pytest.FixtureRequest) -> Iterator[Watcher]:
    """A watcher on `folder`, once with events and once without."""
    watcher = Watcher([folder], poll=request.param == "poll")
    yield watcher
    watcher.close()


@pytest.fixture
def watching() -> Iterator[Callable[..., Watcher]]:
    """Makes watchers and closes them at the end."""
    made: list[Watcher] = []

    def make(*folders: Path, poll: bool = False) -> Watcher:
        made.append(Watcher(folders, poll=poll))
        return made[-1]

    yield make
    for watcher in made:
        watcher.close()


def changes_until(watcher: Watcher, *expected: Path) -> set[Path]:
    """All changes up to the moment when each of `expected` has been among them."""
    found: set[Path] = set()

    def all_came() -> bool:
        found.update(watcher.changes())
        return found.issuperset(expected)

    until(all_came, f"a change of {[path.name for path in expected]}")
    return found


def settle(watcher: Watcher, folder: Path) -> set[Path]:
    """All changes that were made before this call: those told before a marker made now is told."""
    marker = folder / "marker.lua"
    marker.write_text(str(time.monotonic_ns()))
    return changes_until(watcher, marker) - {marker}


def reads_as_told(watcher: Watcher, path: Path, text: str) -> Callable[[], bool]:
    """True once the watcher has told of `path` at a moment when it holds `text`."""
    return lambda: path in watcher.changes() and path.read_text() == text


def test_a_folder_that_is_not_there_is_an_error_that_starts_no_thread(tmp_path):
    before = threads()

    with pytest.raises(EngineError, match=r'^no folder ".*scrpts" to watch$'):
        Watcher([tmp_path, tmp_path / "scrpts"])

    assert threads() <= before


def test_without_changes_there_is_nothing_to_tell(watcher, folder):
    assert settle(watcher, folder) == set()


@pytest.mark.row("F4")
def test_a_save_is_told(watcher, folder):
    (folder / "door.lua").write_text("return 2")

    assert changes_until(watcher, folder / "door.lua") == {folder / "door.lua"}


def test_a_change_right_after_construction_is_never_lost(folder, watching):
    for i in range(20):
        watcher = watching(folder)
        (folder / "door.lua").write_text(f"return {i}")
        changes_until(watcher, folder / "door.lua")
        watcher.close()


def test_the_watcher_watches_before_its_constructor_returns(folder, watching, monkeypatch):
    polls: list[bool] = []
    watch = engine.reload.watch.watch

    def spied(*paths, stop_event, **options):
        """`watchfiles` asks for the stop event only after it has begun to watch, a step later."""
        stop = SimpleNamespace(is_set=lambda: polls.append(True) or stop_event.is_set())
        return watch(*paths, stop_event=stop, **options)

    monkeypatch.setattr(engine.reload.watch, "watch", spied)
    watching(folder)

    assert polls


def test_a_save_is_told_by_its_event_long_before_the_next_sweep(folder, watching, monkeypatch):
    monkeypatch.setattr(engine.reload.watch, "_SWEEP_SECONDS", 3600)
    watcher = watching(folder)

    for _ in range(3):
        changes_until(watcher, *touched(folder, "door.lua"))


def test_a_change_before_construction_is_not_told(folder, watching):
    (folder / "door.lua").write_text("return 2")

    assert settle(watching(folder), folder) == set()


def test_changes_are_handed_out_once(watcher, folder):
    changes_until(watcher, *touched(folder, "door.lua"))
    settle(watcher, folder)

    assert settle(watcher, folder) == set()


def test_asking_never_waits_for_a_look_that_takes_long(folder, watching, monkeypatch):
    watcher = watching(folder, poll=True)
    begun, enough, over = threading.Event(), threading.Event(), []

    def long_look(_roots):
        begun.set()
        over.append(enough.wait(PATIENCE / 2))
        return {}

    monkeypatch.setattr(engine.reload.watch, "_sweep", long_look)
    assert begun.wait(PATIENCE)
    asked = watcher.changes()
    in_time = not over
    enough.set()

    assert (asked, in_time) == (set(), True)


@pytest.mark.row("F4")
def test_a_truncated_file_is_told_again_when_its_writing_ends(watcher, folder):
    door = folder / "door.lua"

    with door.open("w") as file:
        file.write("retu")
        file.flush()
        until(reads_as_told(watcher, door, "retu"))
        file.write("rn 2")

    until(reads_as_told(watcher, door, "return 2"))


@pytest.mark.row("F4")
def test_a_save_by_writing_aside_and_renaming_tells_the_script_only(watcher, folder):
    aside = folder / "door.lua.tmp"
    aside.write_text("return 2")
    aside.replace(folder / "door.lua")

    assert changes_until(watcher, folder / "door.lua") == {folder / "door.lua"}


@pytest.mark.row("F4")
def test_a_save_by_renaming_is_told_though_size_and_time_stay_the_same(watcher, folder):
    door, aside = folder / "door.lua", folder / ".door.new"
    aside.write_text("return 2")
    os.utime(aside, ns=(door.stat().st_atime_ns, door.stat().st_mtime_ns))
    aside.replace(door)

    assert changes_until(watcher, door) == {door}


@pytest.mark.row("F4")
def test_a_save_with_a_backup_as_vim_does_it_tells_the_script_only(watcher, folder):
    door, backup = folder / "door.lua", folder / "door.lua~"
    (folder / "4913").write_text("")
    (folder / "4913").unlink()
    door.rename(backup)
    door.write_text("return 2")
    backup.unlink()

    until(reads_as_told(watcher, door, "return 2"))
    assert settle(watcher, folder) <= {door}


@pytest.mark.row("F4")
def test_a_file_deleted_and_made_again_is_told_both_times(watcher, folder):
    door = folder / "door.lua"

    door.unlink()
    until(lambda: door in watcher.changes())
    door.write_text("return 2")
    until(reads_as_told(watcher, door, "return 2"))


@pytest.mark.row("F4")
def test_after_ten_saves_in_a_tenth_of_a_second_the_last_one_is_told(watcher, folder):
    door = folder / "door.lua"
    told: list[str] = []
    began = time.monotonic()
    for i in range(10):
        until(lambda i=i: time.monotonic() >= began + i / 100)
        door.write_text(f"return {10**i}")  # another size, however coarse the clock of files is
        told += [door.read_text() for _ in watcher.changes()]
    told += [door.read_text() for _ in settle(watcher, folder)]

    assert told[-1] == "return 1000000000"


@pytest.mark.row("F4")
def test_who_reads_when_told_ends_with_the_last_of_many_saves(folder, watching):
    door = folder / "door.lua"
    watcher = watching(folder)
    writer = threading.Thread(target=lambda: [door.write_text(f"return {i}") for i in range(100, 300)])

    writer.start()

    until(reads_as_told(watcher, door, "return 299"))
    writer.join()


@pytest.mark.row("F4")
def test_a_new_file_is_told_also_in_a_new_folder(watcher, folder):
    new = folder / "mods" / "deep" / "slime.lua"
    new.parent.mkdir(parents=True)
    new.write_text("return {}")

    assert changes_until(watcher, new) == {new}


@pytest.mark.row("F4")
def test_a_renamed_file_is_told_with_both_names(watcher, folder):
    (folder / "door.lua").rename(folder / "gate.lua")

    both = {folder / "door.lua", folder / "gate.lua"}
    assert changes_until(watcher, *both) == both


@pytest.mark.row("F4")
def test_a_renamed_folder_tells_its_files_with_both_names(folder, watching):
    (folder / "lib").mkdir()
    (folder / "lib" / "vec.lua").write_text("return {}")
    watcher = watching(folder)

    (folder / "lib").rename(folder / "library")

    both = {folder / "lib" / "vec.lua", folder / "library" / "vec.lua"}
    assert changes_until(watcher, *both) == both


@pytest.mark.row("F4")
def test_files_of_a_folder_that_is_moved_in_are_told(watcher, folder, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "vec.lua").write_text("return {}")

    (tmp_path / "elsewhere").rename(folder / "lib")

    assert changes_until(watcher, folder / "lib" / "vec.lua") == {folder / "lib" / "vec.lua"}


@pytest.mark.row("F4")
def test_the_folder_itself_may_be_deleted_and_made_again(watcher, folder):
    door = folder / "door.lua"
    shutil.rmtree(folder)
    folder.mkdir()

    for text in ("return 22", "return 333", "return 4444"):
        door.write_text(text)
        until(reads_as_told(watcher, door, text))


def test_a_folder_that_was_made_again_sends_events_again(folder, watching, monkeypatch):
    starts: list[float] = []
    watch = engine.reload.watch.watch
    monkeypatch.setattr(engine.reload.watch, "watch", lambda *a, **k: starts.append(0) or watch(*a, **k))
    watcher = watching(folder)
    monkeypatch.setattr(engine.reload.watch, "_SWEEP_SECONDS", 3600)  # for the next time that events are asked for

    shutil.rmtree(folder)
    folder.mkdir()
    until(lambda: bool(touched(folder, "door.lua")) and len(starts) > 1)
    watcher.changes()

    until(lambda: touched(folder, "door.lua")[0] in watcher.changes())


@pytest.mark.parametrize(
    "name",
    [
        ".door.lua.swp",
        ".door.lua.swx",
        "door.lua~",
        "4913",
        "5036",
        "#door.lua#",
        ".#door.lua",
        "door.lua.bak",
        "door.lua.tmp",
        "door.lua___jb_tmp___",
        "flycheck_door.lua",
        ".DS_Store",
        ".git/index",
        ".git/objects/ab/door.lua",
        "mods/.svn/door.lua",
        "__pycache__/door.pyc",
        "__pycache__/door.lua",
    ],
)
def test_files_that_editors_and_tools_make_for_themselves_are_not_told(folder, watching, name):
    watcher = watching(folder)
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("one")
    file.write_text("two")

    assert settle(watcher, folder) == set()


@pytest.mark.parametrize("name", ["4913.lua", "levels/1/door.lua", "door.swap.lua", "tmp/a.lua", "a#b.lua"])
def test_files_with_names_that_only_look_like_it_are_told(folder, watching, name):
    watcher = watching(folder)

    assert changes_until(watcher, *touched(folder, name)) == {folder / name}


def test_a_hidden_folder_above_the_watched_one_hides_nothing(tmp_path, watching):
    folder = tmp_path.resolve() / ".git" / "__pycache__" / "scripts"
    folder.mkdir(parents=True)
    watcher = watching(folder)

    changes_until(watcher, *touched(folder, "door.lua"))


def test_several_folders_are_watched_also_one_in_the_other(folder, tmp_path, watching):
    assets = tmp_path.resolve() / "assets"
    assets.mkdir()
    (folder / "mods").mkdir()
    watcher = watching(folder, assets, folder / "mods")

    changes_until(watcher, *touched(assets, "door.png"), *touched(folder / "mods", "slime.lua"))


def test_a_folder_given_by_a_link_or_relative_is_told_by_its_real_path(folder, watching, monkeypatch):
    tmp_path = folder.parent
    monkeypatch.chdir(tmp_path)
    try:
        (tmp_path / "link").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("this platform or user cannot make links")

    for given in (Path("link"), Path("scripts"), Path("scripts") / ".." / "scripts"):
        watcher = watching(given)
        assert changes_until(watcher, *touched(folder, "door.lua")) == {folder / "door.lua"}
        watcher.close()


def test_a_link_that_leads_round_in_a_circle_does_no_harm(folder, watching):
    try:
        (folder / "round").symlink_to(folder, target_is_directory=True)
    except OSError:
        pytest.skip("this platform or user cannot make links")

    changes_until(watching(folder), *touched(folder, "door.lua"))


def test_events_that_get_lost_are_made_good_by_the_next_sweep(folder, watching, monkeypatch):
    monkeypatch.setattr(engine.reload.watch, "watch", ticks_only)
    watcher = watching(folder)
    (folder / "door.lua").write_text("return 22")
    (folder / "slime.lua").write_text("return 1")

    both = {folder / "door.lua", folder / "slime.lua"}
    assert changes_until(watcher, *both) == both


def test_where_events_never_come_the_watcher_says_so_and_looks_more_often(folder, watching, monkeypatch, caplog):
    starts: list[float] = []
    monkeypatch.setattr(engine.reload.watch, "watch", lambda *a, **k: starts.append(0) or ticks_only(*a, **k))
    with caplog.at_level(logging.WARNING, logger="tidelock.watch"):
        watcher = watching(folder)
        for text in ("return 22", "return 333", "return 4444", "return 55555"):
            (folder / "door.lua").write_text(text)
            until(reads_as_told(watcher, folder / "door.lua", text))

    assert len(starts) == 2
    assert [record.message for record in caplog.records] == [
        "no file events (files change without any); looking every 0.25 seconds instead"
    ]


def test_a_watcher_that_polls_asks_for_no_events(folder, watching, monkeypatch):
    def no_events(*_paths, **_options):
        raise AssertionError("events were asked for")

    monkeypatch.setattr(engine.reload.watch, "watch", no_events)
    watcher = watching(folder, poll=True)

    for text in ("return 22", "return 333"):
        (folder / "door.lua").write_text(text)
        until(reads_as_told(watcher, folder / "door.lua", text))


def test_when_events_fail_the_watcher_says_so_once_and_goes_on_by_looking(folder, watching, monkeypatch, caplog):
    def no_watches_left(*_paths, **_options):
        raise OSError("no watches left")

    monkeypatch.setattr(engine.reload.watch, "watch", no_watches_left)
    with caplog.at_level(logging.WARNING, logger="tidelock.watch"):
        watcher = watching(folder)
        for text in ("return 22", "return 333"):
            (folder / "door.lua").write_text(text)
            until(reads_as_told(watcher, folder / "door.lua", text))

    assert [record.message for record in caplog.records] == [
        "no file events (no watches left); looking every 0.25 seconds instead"
    ]


def test_the_polling_variable_of_watchfiles_is_heard(folder, watching, monkeypatch):
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    watcher = watching(folder)

    for text in ("return 22", "return 333"):
        (folder / "door.lua").write_text(text)
        until(reads_as_told(watcher, folder / "door.lua", text))


@pytest.mark.parametrize("poll", [False, True])
def test_close_ends_the_thread_before_it_would_look_again_and_may_be_called_twice(folder, watching, monkeypatch, poll):
    for seconds in ("_SWEEP_SECONDS", "_POLL_SECONDS"):
        monkeypatch.setattr(engine.reload.watch, seconds, 3600)
    before = threads()
    watcher = watching(folder, poll=poll)
    [thread] = threads() - before
    assert thread.daemon

    watcher.close()
    watcher.close()

    thread.join(PATIENCE)
    assert not thread.is_alive()


def touched(folder: Path, name: str) -> list[Path]:
    """Save the file `name`, new or not, with a text of its own."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"return {time.monotonic_ns()}")
    return [path]


def ticks_only(*_paths, stop_event, **_options):
    """`watchfiles.watch` on a system whose events never arrive."""
    while not stop_event.is_set():
        time.sleep(0.005)
        yield set()
