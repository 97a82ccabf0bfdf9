"""Games on a simulated clock: from Python, from Lua, under pytest."""

import os
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest

from engine import EngineError, World
from engine.cli.commands import run_command
from engine.project import Project
from engine.testing.lua_tests import LuaTests
from engine.testing.sim import Sim
from helpers import PATIENCE

DOOR = """
    local door = {}
    door.properties = { seconds = 2 }
    function door:start()
      bus.on("knock", function()
        self.open = true
        bus.emit("door.opened", { id = entity.id })
        wait(self.seconds)
        self.open = false
      end)
    end
    return door
    """


@pytest.fixture
def sim(scripts, make_world) -> Sim:
    scripts.write("door", DOOR)
    return Sim(make_world(strict=True))


def lua_tests(scripts, text: str) -> dict[str, str | None]:
    """What becomes of the tests in a file: by name, the problem, or None."""
    folder = scripts.path.parent
    (folder / "tests").mkdir(exist_ok=True)
    (folder / "tests/door.lua").write_text(text, encoding="utf-8")
    tests = LuaTests(Project(folder))
    outcomes = [tests.run(test) for test in tests.collect(folder / "tests/door.lua")]
    return {outcome.test.name: str(outcome.problem) if outcome.problem else None for outcome in outcomes}


def test_time_passes_when_it_is_told_to(sim):
    door = sim.spawn("door")
    sim.emit("knock")

    sim.run(1)
    assert sim.fields(door) == {"seconds": 2, "open": True}
    sim.run(1.1)

    assert sim.fields(door)["open"] is False
    assert [(event.name, event.sender) for event in sim.events] == [("knock", None), ("door.opened", door.id)]
    assert sim.world.now == pytest.approx(2.1)


def test_sleepers_wake_in_the_same_frame_whether_frames_are_passed_over_or_not(scripts, make_world):
    scripts.write(
        "sleeper",
        """
        local s = {}
        function s:start()
          for i = 1, 5 do wait(1.37) bus.emit("woke", time.now) end
        end
        return s
        """,
    )
    quick, slow = Sim(make_world()), Sim(make_world())
    for sim in (quick, slow):
        sim.spawn("sleeper")

    quick.run(8)
    slow.frames(8 * 60)

    assert len(quick.named("woke")) == 5
    assert [e.payload for e in quick.named("woke")] == pytest.approx([e.payload for e in slow.named("woke")])
    assert quick.world.frame < slow.world.frame / 10


def test_thousands_of_seconds_pass_in_few_frames(sim):
    sim.spawn("door", seconds=9000)
    sim.emit("knock")

    sim.run(10_000)

    assert sim.world.frame < 100
    assert sim.world.now == pytest.approx(10_000)


def test_run_until_ends_with_the_condition_or_says_that_it_never_came(sim):
    sim.spawn("door")
    sim.emit("knock")

    sim.run_until(lambda: sim.named("door.opened"))
    assert sim.world.now < 0.1
    with pytest.raises(EngineError, match="5 seconds of game time"):
        sim.run_until(lambda: False, timeout=5)


@pytest.mark.parametrize("scale", [0, 2])
def test_seconds_pass_in_a_game_that_is_paused_or_runs_faster(sim, scale):
    sim.spawn("door")
    sim.world.time_scale = scale

    sim.emit("knock")
    sim.run(1)

    assert len(sim.named("door.opened")) == 1
    assert sim.world.now == pytest.approx(scale)


def test_waiting_in_vain_for_a_paused_game_ends_and_says_so(sim):
    sim.world.time_scale = 0

    with pytest.raises(EngineError, match=r"it is still not so; the game is paused \(world.time_scale is 0\)"):
        sim.run_until(lambda: False, timeout=1)


def test_fields_that_are_arrays_are_lists(sim, scripts):
    scripts.write("chest", "return { properties = { items = { 'key', { 'gem' } }, place = { x = 1 } } }")

    assert sim.fields(sim.spawn("chest")) == {"items": ["key", ["gem"]], "place": {"x": 1}}


def test_fields_are_those_of_an_entity_or_of_its_id(sim, scripts):
    scripts.write("chest", "return { init = function(self) self.gold = 3 end }")
    chest = sim.spawn("chest")

    assert sim.fields(chest.id) == sim.fields(chest) == {"gold": 3}
    with pytest.raises(EngineError, match=r"sim\.fields: expected an entity that lives, or its id, got 99"):
        sim.fields(99)


@pytest.mark.parametrize(
    ("use", "said"),
    [
        (lambda sim: sim.run("long"), "sim.run: seconds must be a finite number >= 0, got 'long'"),
        (lambda sim: sim.frames(-1), "sim.frames: n must be a whole number >= 0, got -1"),
        (lambda sim: sim.run_until(True), "sim.run_until: expected a function that tells whether it is so, got True"),
        (lambda sim: sim.run_until(bool, timeout=inf), "sim.run_until: timeout must be a finite number >= 0, got inf"),
        (lambda sim: Sim(sim.world, fps=0), "Sim: fps must be a finite number of frames a second >= 0.001, .*, got 0"),
    ],
    ids=["run", "frames", "run_until", "timeout", "fps"],
)
def test_what_no_time_can_pass_by_is_refused_with_what_it_is(sim, use, said):
    with pytest.raises(EngineError, match=said):
        use(sim)


def test_the_player_of_a_test_presses_releases_and_points(sim, scripts):
    scripts.write(
        "hand",
        "return { on_input = function(_, a) bus.emit('hand', { a.name, a.pressed, a.x, a.y, input.down('use') }) end }",
    )
    sim.spawn("hand")

    sim.point(3, 4)
    sim.press("use")
    sim.run(0.1)
    sim.release("use")
    sim.run(0.1)

    assert [event.payload for event in sim.named("hand")] == [["use", True, 3, 4, True], ["use", False, 3, 4, False]]


def test_a_world_made_by_hand_knows_no_setup(sim):
    with pytest.raises(EngineError, match="call its setup"):
        sim.setup()


def test_a_lua_test_waits_in_game_time_and_sees_fields(scripts):
    scripts.write("door", DOOR)

    assert lua_tests(
        scripts,
        """
        local id
        before(function() id = entity.spawn("door") wait() end)
        test "opens" (function()
          bus.emit("knock")
          wait(0.1)
          expect(sim.fields(id).open).is(true)
          expect(#sim.events("door.opened")).is(1)
          wait(2)
          expect(sim.fields(id).open).is(false)
        end)
        test "each has a world of its own" (function()
          expect(#entity.find("door")).is(1)
          expect(sim.fields(id).open).is(nil)
        end)
        """,
    ) == {"opens": None, "each has a world of its own": None}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("expect(1).is(2)", "tests/door.lua:2: expected 2, got 1"),
        ("expect({ 1, a = 2 }).is({ 1, a = 3 })", "expected {1, a = 3}, got {1, a = 2}; they differ at .a"),
        (
            "expect({ a = 1, b = { 2, { c = 3 } } }).is({ a = 1, b = { 2, { c = 4 } } })",
            "expected {a = 1, b = {2, {c = 4}}}, got {a = 1, b = {2, {c = 3}}}; they differ at .b[2].c",
        ),
        ("sim.fields(99)", "tests/door.lua:2: sim.fields: there is no entity 99; one that was just spawned"),
        ("expect(1).is_not(1)", "expected anything but 1"),
        ("expect(1.5).near(2, 0.1)", "expected about 2, got 1.5"),
        ("expect('abc').contains('x')", 'expected "abc" to contain "x"'),
        ("expect(function() end).fails()", "expected an error"),
        ("expect(1).equals(1)", 'there is no "equals"; there is is'),
        ("expect(1):is(1)", "tests/door.lua:2: expect: write expect(x).is(...), with a dot"),
        ("local t = { 1 } t.t = t expect(t).is({ 2, t = t })", "{...}}}}}; they differ at [1]"),
        ("wait(1) local x = nil; print(x.y)", "tests/door.lua:2: attempt to index"),
        ("entity.spawn('broken') wait(1)", "scripts/broken.lua:1: "),
        ("sim.expect_problem('boom')", "the expected problem did not come"),
        ("wait(1e9)", "the test did not end"),
        ("test 'inner' (function() end)", "a test cannot be inside another one"),
    ],
)
def test_a_lua_test_fails_with_its_line(scripts, body, said):
    scripts.write("broken", "error('boom')")

    outcomes = lua_tests(scripts, f'test "it" (function()\n{body}\nend)\n')

    assert said in str(outcomes["it"])


@pytest.mark.parametrize(
    "body",
    [
        "expect({ 1, { 2 } }).is({ 1, { 2 } })",
        "expect({ 'a', 'b' }).contains('b')",
        "local t, u = {}, {} t.t, u.t = t, { t = u } expect(t).is(u)",
        "expect(function() error('no way') end).fails('way')",
        "sim.expect_problem('boom') entity.spawn('broken') wait(1)",
        "sim.press('use') wait() expect(input.down('use')).is(true) sim.release('use')",
        "sim.point(3, 4) wait() local x, y = input.mouse() expect(x + y).is(7)",
    ],
)
def test_a_lua_test_passes(scripts, body):
    scripts.write("broken", "error('boom')")

    assert lua_tests(scripts, f'test "it" (function()\n{body}\nend)\n') == {"it": None}


def test_a_problem_that_must_come_ends_no_test_of_a_strict_game(scripts):
    scripts.write("broken", "error('boom')")
    (scripts.path.parent / "main.py").write_text("WORLD = {'strict': True}\ndef setup(world): pass\n")

    body = "sim.expect_problem('boom') entity.spawn('broken') wait(1)"

    assert lua_tests(scripts, f'test "it" (function() {body} end)') == {"it": None}


def game(folder: Path) -> Path:
    assert run_command(["new", str(folder / "moonlit")]) == 0
    return folder / "moonlit"


def test_the_command_line_runs_lua_tests_and_fails_with_them(tmp_path, capsys):
    folder = game(tmp_path)

    assert run_command(["test", str(folder)]) == 0
    assert "2 passed" in capsys.readouterr().out
    (folder / "tests/bad.lua").write_text('test "no" (function()\n  expect(1).is(2)\nend)\n')
    assert run_command(["test", str(folder)]) == 1
    shown = capsys.readouterr()
    assert "tests/bad.lua:2: expected 2, got 1" in shown.err and "2 passed, 1 failed" in shown.out
    assert run_command(["test", str(folder), "-k", "goes out"]) == 0
    assert run_command(["test", str(folder), "-k", "nothing like it"]) == 5


def test_a_test_file_that_does_not_load_is_named_and_the_others_run(tmp_path, capsys):
    folder = game(tmp_path)
    (folder / "tests/bad.lua").write_text('test "no" (function()\n')

    assert run_command(["test", str(folder)]) == 1
    shown = capsys.readouterr()
    assert "tests/bad.lua:" in shown.err and "2 passed, 1 broken" in shown.out


def test_annotations_are_written_and_checked(tmp_path, capsys):
    folder = game(tmp_path)

    assert run_command(["annotations", str(folder), "--check"]) == 0
    (folder / ".tidelock/game.lua").write_text("old")
    assert run_command(["annotations", str(folder), "--check"]) == 1
    assert run_command(["annotations", str(folder)]) == 0
    assert ".tidelock/game.lua" in capsys.readouterr().out
    assert '"hero.moved"' in (folder / ".tidelock/game.lua").read_text()


def test_pytest_has_fixtures_and_collects_lua_tests(tmp_path):
    folder = game(tmp_path)
    (folder / "tests/test_hero.py").write_text(
        "import pytest\n"
        "def test_moves(sim):\n"
        "    hero = sim.spawn('hero', x=0, y=0)\n"
        "    sim.world.input.press('right')\n"
        "    sim.run(1)\n"
        "    assert sim.fields(hero)['x'] == pytest.approx(60)\n"
        "    assert sim.named('hero.moved')\n"
        "def test_begins(sim):\n"
        "    sim.setup()\n"
        "    assert len(sim.world.find('lantern')) == 3\n"
        "@pytest.mark.tidelock(lua='lua54', seed=3)\n"
        "def test_marker(world):\n"
        "    assert (world.lua, world.seed) == ('lua54', 3)\n"
        "def test_fails(sim):\n"
        "    sim.spawn('hero', x=0, y='here')\n"
        "    sim.run(1)\n"
    )
    (folder / "tests/bad.lua").write_text('test "no" (function()\n  expect(1).is(2)\nend)\n')
    command = [sys.executable, "-m", "pytest", "-p", "engine.testing.plugin", "-q", "--strict-markers", "-rA"]

    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=5 * PATIENCE,
    )

    assert "5 passed" in done.stdout and "2 failed" in done.stdout, done.stdout
    assert "tests/bad.lua:2: expected 2, got 1" in done.stdout
    assert "scripts/hero.lua:20: attempt to" in done.stdout


GAME_WITH_HOSTS = """
from engine import HostModule
from engine.host import files_module

sky = HostModule("sky")


@sky.function
def weather() -> str:
    raise ConnectionError("no network in tests")


@sky.in_tests
def clear_sky() -> HostModule:
    stand_in = HostModule("sky")

    @stand_in.function
    def weather() -> str:
        return "clear"

    return stand_in


def setup(world):
    world.install(files_module("saves"))
    world.install(sky)
    world.spawn("door")
"""
HOSTS_IN_LUA = """
local files, sky = require("files"), require("sky")
for _, name in ipairs({ "once", "again" }) do
  test(name, function()
    expect(files.read("game")).is(nil)
    files.write("game", "mine")
    expect(files.read("game")).is("mine")
    expect(sky.weather()).is("clear")
  end)
end
"""


def test_each_lua_test_has_what_stands_in_for_host_modules_and_saves_of_its_own(scripts, monkeypatch):
    folder = scripts.path.parent
    monkeypatch.chdir(folder)
    scripts.write("door", DOOR)
    (folder / "main.py").write_text(GAME_WITH_HOSTS)
    (folder / "saves").mkdir()
    (folder / "saves/game").write_text("the player's")

    assert lua_tests(scripts, HOSTS_IN_LUA) == {"once": None, "again": None}
    assert (folder / "saves/game").read_text() == "the player's"


PAUSED = """
from engine import HostModule

scores = HostModule("scores")
with_tests = HostModule("scores")


@scores.in_tests
def stand_in():
    return with_tests


def setup(world):
    world.install(scores)
    world.bus.on("pause", lambda event: setattr(world, "time_scale", 0))
    world.mods("mods/*", lambda mod: mod.asks)
    world.spawn("door", seconds=9)
"""


def test_setup_begins_the_game_in_a_test(scripts):
    scripts.write("door", DOOR)
    (scripts.path.parent / "main.py").write_text(PAUSED)

    assert lua_tests(
        scripts,
        """
        test "it begins" (function()
          sim.setup()
          wait()
          local door = entity.find("door")[1]
          expect(sim.fields(door).seconds).is(9)
          expect(require("scores")).is({})
          bus.emit("pause")
          wait(1)
          bus.emit("knock")
          wait(20)
          expect(sim.fields(door).open).is(true)
        end)
        test "unless it is told to, nothing does" (function()
          expect(entity.find("door")).is({})
        end)
        """,
    ) == {"it begins": None, "unless it is told to, nothing does": None}


@pytest.mark.parametrize(
    ("listener", "said"),
    [
        ("import sys; sys.exit()", "main.py:3: the game was ended with SystemExit"),
        ("[].pop()", "main.py:3: IndexError: pop from empty list"),
    ],
)
def test_what_a_listener_of_the_game_raises_fails_its_test_alone(scripts, listener, said):
    scripts.write("door", DOOR)
    main = f"def setup(world):\n    def leave(event):\n        {listener}\n    world.bus.on('leave', leave)\n"
    (scripts.path.parent / "main.py").write_text(main)

    outcomes = lua_tests(
        scripts,
        """
        test "leaves" (function() sim.setup() bus.emit("leave") wait(1) end)
        test "stays" (function() wait(1) end)
        """,
    )

    assert said in str(outcomes.pop("leaves"))
    assert outcomes == {"stays": None}


def test_looking_for_host_modules_says_nothing_of_the_scripts_that_it_lacks(scripts, caplog):
    scripts.write("door", DOOR)
    (scripts.path.parent / "main.py").write_text(GAME_WITH_HOSTS)

    _, modules = Project(scripts.path.parent).rehearsed()

    assert [module.name for module in modules] == ["files", "sky"]
    assert caplog.messages == []


def test_under_pytest_a_game_that_is_not_there_and_one_that_is_broken_say_so(tmp_path):
    (tmp_path / "test_it.py").write_text("def test_it(world):\n    pass\n")
    for folder in ("mine/scripts", "mine/tests"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "mine/main.py").write_text("def setup(world:\n")
    (tmp_path / "mine/tests/door.lua").write_text("")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "engine.testing.plugin", "-q", "--continue-on-collection-errors"],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=5 * PATIENCE,
    )

    assert "there is no folder scripts/" in done.stdout
    assert "main.py:1: SyntaxError" in done.stdout and "raise ProjectError" not in done.stdout


def test_what_is_supplied_goes_before_the_folder(scripts, lua):
    from engine.scripts import Source

    with World(scripts.path, lua=lua) as world:
        world.population.sources.supply(
            "ghost", Source("ghost", "ghost.lua", b"return { start = function() print(require('lib')) end }"),
            Source("lib", "lib.lua", b"return 7"),
        )  # fmt: skip
        world.spawn("ghost")
        world.tick(0.1)

        assert [line.text for line in world.log] == ["7"]
