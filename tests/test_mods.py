"""Mods do what their manifest asks for and the game grants, and nothing else."""

import os
import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from engine import EngineError, HostModule, Mod, Rights, World
from engine.host import http_module
from helpers import ScriptFolder
from host_loops import play_in
from http_server import Server

pytestmark = pytest.mark.row("G4")

PLACE = "scripts/mods/frost/mod.toml"


def all_asked(mod: Mod) -> Rights:
    return mod.asks


@pytest.fixture
def manifest(scripts: ScriptFolder) -> Callable[..., None]:
    """Writes a `mod.toml`: `manifest('sends = ["x"]')`, in the folder "mods/frost"."""

    def write(text: str = "", *, folder: str = "mods/frost", name: str = "frost", head: bool = True) -> None:
        file = scripts.path / folder / "mod.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((f'name = "{name}"\nversion = "1.0"\n' if head else "") + text, encoding="utf-8")

    return write


@pytest.fixture
def modded(make_world: Callable[..., World], scripts: ScriptFolder) -> Callable[..., World]:
    """A world where the mod "frost" runs `body` in its `start`; by default it is granted what it asks for."""

    def make(body: str, *, grant: Any = all_asked, name: str = "mods/frost/main", **options: Any) -> World:
        scripts.write(name, f"local m = {{}}\nfunction m:start()\n{body}\nend\nreturn m\n")
        world = make_world(**options)
        world.mods("mods/*", grant)
        world.install(weather_module())
        world.spawn(name)
        return world

    return make


def granted_in(world: World, mod: Mod) -> Rights | None:
    return mod.asks if world.frame == 0 else None


def weather_module() -> HostModule:
    weather = HostModule("weather")

    @weather.function
    def today() -> str:
        return "fine"

    return weather


def said(world: World) -> list[str]:
    return [str(problem) for problem in world.problems]


REFUSED = {
    "emit": ('bus.emit("game.over")', "bus.emit", 'send "game.over"', 'sends = ["game.over"]'),
    "send": ('bus.send(1, "hurt", 5)', "bus.send", 'send "hurt"', 'sends = ["hurt"]'),
    "request": ('bus.request(1, "save")', "bus.request", 'send "save"', 'sends = ["save"]'),
    "spawn": ('entity.spawn("boss")', "entity.spawn", 'spawn "boss"', 'spawns = ["boss"]'),
    "set": ('shared.set("gold", 1)', "shared.set", 'set "gold"', 'sets = ["gold"]'),
    "require": ('require("weather")', "require", 'require "weather"', 'modules = ["weather"]'),
}


@pytest.mark.parametrize(("code", "word", "does", "line"), REFUSED.values(), ids=REFUSED)
def test_what_a_manifest_does_not_ask_for_is_refused_at_the_scripts_line(modded, manifest, code, word, does, line):
    manifest()

    world = modded(code)

    assert said(world) == [
        f'scripts/mods/frost/main.lua:3: {word}: the mod "frost" may not {does}; its mod.toml needs {line} ({PLACE})'
    ]


@pytest.mark.parametrize(("code", "word", "does", "line"), REFUSED.values(), ids=REFUSED)
def test_what_the_game_does_not_grant_is_refused_although_it_was_asked_for(modded, manifest, code, word, does, line):
    manifest(line)

    world = modded(code, grant=None)

    assert said(world) == [
        f'scripts/mods/frost/main.lua:3: {word}: the mod "frost" may not {does}: its mod.toml asks for it, but the '
        f"game does not grant it ({PLACE})"
    ]


@pytest.mark.parametrize(("code", "word", "does", "line"), REFUSED.values(), ids=REFUSED)
def test_a_script_of_a_folder_for_mods_without_a_manifest_may_do_nothing(modded, code, word, does, line):
    world = modded(code)

    assert said(world) == [
        f'scripts/mods/frost/main.lua:3: {word}: the mod "frost" may not {does}: mods need a mod.toml; write one with '
        f"name, version and {line} ({PLACE})"
    ]


def test_what_is_granted_is_done(modded, manifest, scripts):
    scripts.write("mods/frost/flake", "return {}")
    manifest('sends = ["frost.*", "chill"]\nspawns = ["mods/frost/*"]\nsets = ["frost"]\nmodules = ["weather"]')
    heard: list[str] = []
    world = modded("""
        wait()
        bus.emit("frost.fell") bus.emit("chill")
        self.flake = entity.spawn("mods/frost/flake")
        shared.set("frost", require("weather").today())""")
    world.bus.on("*", lambda event: heard.append(event.name))

    for _ in range(3):
        world.tick(0.1)

    assert (said(world), heard) == ([], ["frost.fell", "chill"])
    assert (len(world.find("mods/frost/flake")), world.shared.get("frost")) == (1, "fine")


def test_a_wildcard_covers_what_begins_so_and_nothing_else(modded, manifest):
    manifest('sends = ["frost.*"]')

    world = modded("""
        for _, name in ipairs({ "frost.a", "frost.a.b", "frost", "frosty", "Frost.a", "*", "frost.*" }) do
          local ok = pcall(bus.emit, name)
          print(name, ok)
        end""")

    assert [line.text.split("\t")[0] for line in world.log if line.text.endswith("true")] == [
        "frost.a",
        "frost.a.b",
        "frost.*",
    ]


def test_a_script_above_which_there_is_no_manifest_is_trusted(make_world, scripts, manifest):
    manifest()
    scripts.write("mods/other/main", "return { start = function() bus.emit('x') shared.set('y', 1) end }")
    world = make_world(strict=True)

    world.spawn("mods/other/main")

    assert world.shared.get("y") == 1


def test_the_nearest_manifest_above_a_script_governs_it(modded, manifest):
    manifest('sends = ["outer"]', folder="mods", name="outer")
    manifest('sends = ["inner"]', name="inner")

    world = modded("bus.emit('inner') bus.emit('outer')", name="mods/frost/deep/down/main")

    assert said(world) == [
        'scripts/mods/frost/deep/down/main.lua:3: bus.emit: the mod "inner" may not send "outer"; its mod.toml needs '
        f'sends = ["outer"] ({PLACE})'
    ]


def test_a_manifest_holds_where_the_game_named_no_folder_for_mods(make_world, scripts, manifest):
    manifest('sends = ["x"]')
    scripts.write("mods/frost/main", "return { start = function() bus.emit('x') end }")
    world = make_world()

    world.spawn("mods/frost/main")

    assert "its mod.toml asks for it, but the game does not grant it" in said(world)[0]


def test_the_game_sees_what_a_mod_says_and_is_asked_once(make_world, scripts, manifest):
    manifest('description = "Cold"\nsends = ["frost.*"]\nhosts = ["api.example.com"]')
    for name in ("a", "b"):
        scripts.write(f"mods/frost/{name}", "return {}")
    asked = []
    world = make_world()
    world.mods("mods/*", asked.append)

    for name in ("a", "b", "a"):
        world.spawn(f"mods/frost/{name}")

    rights = Rights(sends=("frost.*",), hosts=("api.example.com",))
    assert asked == [Mod("mods/frost", "frost", "1.0", "Cold", rights)]


def test_the_game_gets_the_mods_there_are_by_their_folders(make_world, manifest):
    manifest("", folder="mods/sand", name="desert")
    manifest('sends = ["x"]', folder="mods/frost")
    manifest("name = 1", folder="mods/wrong", head=False)
    manifest("", folder="other")
    asked = []
    world = make_world()

    found = world.mods("mods/*", asked.append)

    assert [(mod.folder, mod.name, mod.asks.sends) for mod in found] == [
        ("mods/frost", "frost", ("x",)),
        ("mods/sand", "desert", ()),
    ]
    assert asked == []
    assert [problem.place for problem in world.problems] == ["scripts/mods/wrong/mod.toml:1"]


def test_naming_the_mods_again_asks_again_when_their_scripts_reload(modded, manifest):
    manifest('sends = ["x"]')
    world = modded("wait() bus.emit('x')", grant=None)
    world.tick(0.1)
    assert len(world.problems) == 1

    world.mods("mods/*", all_asked)
    world.reload("mods/frost/main")
    world.tick(0.1)
    world.tick(0.1)

    assert world.problems == []


def test_a_world_whose_game_decides_is_freed_by_reference_count(scripts, manifest, lua, no_gc):
    manifest('sends = ["x"]')
    scripts.write("mods/frost/main", "return { start = function() bus.emit('x') end }")
    world = World(scripts.path, lua=lua)
    world.mods("mods/*", partial(granted_in, world))
    world.spawn("mods/frost/main")
    gone = weakref.ref(world)

    world.close()
    del world

    assert gone() is None


def test_the_game_may_grant_a_part(modded, manifest):
    manifest('sends = ["a", "b"]\nsets = ["k"]')

    world = modded("shared.set('k', 1) bus.emit('a') bus.emit('b')", grant=lambda mod: mod.asks.but(sends=["a"]))

    assert world.shared.get("k") == 1
    assert [problem.message for problem in world.problems] == [
        'bus.emit: the mod "frost" may not send "b": its mod.toml asks for it, but the game does not grant it '
        f"({PLACE})"
    ]


@pytest.mark.parametrize("wrong", [True, "all", ["sends"]])
def test_a_callback_that_returns_something_else_is_an_error_and_grants_nothing(make_world, scripts, manifest, wrong):
    manifest('sends = ["x"]')
    scripts.write("mods/frost/main", "return { start = function() bus.emit('x') end }")
    world = make_world()
    world.mods("mods/*", lambda mod: wrong)

    with pytest.raises(EngineError, match="grant must return Rights, or None for nothing, got"):
        world.spawn("mods/frost/main")

    assert len(world.problems) == 1


def test_a_callback_that_fails_grants_nothing(make_world, scripts, manifest):
    manifest('sends = ["x"]')
    scripts.write("mods/frost/main", "return { start = function() bus.emit('x') end }")
    world = make_world()
    world.mods("mods/*", lambda mod: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        world.spawn("mods/frost/main")

    assert "may not send" in said(world)[0]


def test_the_newest_pattern_that_matches_decides(make_world, scripts, manifest):
    for name in ("frost", "sand"):
        scripts.write(f"mods/{name}/main", "return { start = function() bus.emit('x') end }")
        manifest('sends = ["x"]', folder=f"mods/{name}", name=name)
    world = make_world()
    world.mods("mods/*")
    world.mods("mods/frost/*", all_asked)

    for name in ("frost", "sand"):
        world.spawn(f"mods/{name}/main")

    assert [problem.script for problem in world.problems] == ["scripts/mods/sand/main.lua"]


def test_a_pattern_for_mods_holds_for_names_in_other_letters(make_world, scripts):
    scripts.write("Mods/evil", "return { start = function() bus.emit('x') end }")
    world = make_world()
    world.mods("mods/*")

    world.spawn("Mods/evil")

    assert 'the mod "Mods" may not send "x"' in said(world)[0]


DESTROY = """
    local door, mine = self.door, self.mine
    print(pcall(entity.destroy, door))
    print(pcall(entity.destroy, mine))
    print(pcall(entity.destroy, 999))
    local guard = entity.spawn("guard")
    print(pcall(entity.destroy, guard))
"""


def test_a_mod_may_end_its_own_entities_and_those_that_it_may_spawn(make_world, scripts, manifest):
    for name in ("door", "guard", "mods/frost/flake"):
        scripts.write(name, "return {}")
    scripts.write("mods/frost/main", f"return {{ start = function(self) {DESTROY} end }}")
    manifest('spawns = ["guard"]')
    world = make_world()
    world.mods("mods/*", all_asked)
    door, flake = world.spawn("door"), world.spawn("mods/frost/flake")

    world.spawn("mods/frost/main", door=door.id, mine=flake.id)
    world.tick(0.1)

    lines = [line.text.split("\t") for line in world.log]
    assert [ok for ok, *_ in lines] == ["false", "true", "true", "true"]
    assert lines[0][1] == (
        'entity.destroy: the mod "frost" may not destroy entity 1, a "door"; its mod.toml needs spawns = ["door"] '
        f"({PLACE})"
    )
    assert (door.alive, flake.alive, world.find("guard")) == (True, False, [])


def test_a_mod_cannot_end_for_good_what_waits_for_another_version(make_world, scripts, manifest):
    manifest()
    scripts.write("door", "return { update = function(self) self.broken = true end }")
    scripts.write("mods/frost/main", "return { update = function() entity.destroy(1) end }")
    world = make_world()
    door = world.spawn("door")
    world.fallen.end_state(door.actor, "its state broke")

    world.spawn("mods/frost/main")
    world.tick(0.1)
    world.reload("door")
    world.tick(0.1)

    assert door.alive
    assert 'may not destroy entity 1, a "door"' in said(world)[0]


def test_a_mod_cannot_end_what_another_spawns_in_the_same_frame(make_world, scripts, manifest):
    manifest()
    scripts.write("door", "return {}")
    scripts.write("host", "return { update = function() if time.frame == 2 then entity.spawn('door') end end }")
    scripts.write("mods/frost/main", "return { update = function() for id = 3, 9 do entity.destroy(id) end end }")
    world = make_world()
    world.spawn("host")
    world.spawn("mods/frost/main")

    for _ in range(3):
        world.tick(0.1)

    assert len(world.find("door")) == 1
    assert 'may not destroy entity 3, a "door"' in said(world)[0]


WAYS_AROUND = {
    "own library table": "bus = nil _G.bus = nil bus.emit('x')",
    "another coroutine": "coroutine.wrap(function() bus.emit('x') end)()",
    "a task": "task.spawn(bus.emit, 'x')",
    "a future": "async.start(bus.emit, 'x'):await()",
    "a group": "task.all({ function() bus.emit('x') end })",
    "load": "load('bus.emit(\"x\")')()",
    "an environment": "load('emit(\"x\")', 'x', 't', { emit = bus.emit })()",
    "a name that changes": """
        local n = 0
        local name = setmetatable({}, { __tostring = function() return 'x' end, __eq = function() return true end })
        bus.emit(name)""",
    "string functions": "string.sub = function() return '' end bus.emit('x')",
    "a library": "require('mods.frost.sly')",
    "a game's library": "require('lib.sender')",
    "a handler": "bus.handle('q', function() bus.emit('x') end) bus.request(entity.id, 'q')",
    "every": "task.every(0, function() bus.emit('x') return false end) wait(1)",
    "a clean-up": "task.finally(function() bus.emit('x') end)",
    "a metamethod": "local t = setmetatable({}, { __index = bus.emit }) return t.x",
    "for": "for _ in bus.emit, 'x' do end",
    "a pattern": "string.gsub('x', 'x', bus.emit)",
    "a sort": "table.sort({ 'x', 'x' }, bus.emit)",
    "pcall": "assert(pcall(bus.emit, 'x'))",
    "tween": "tween(self, 0.1, { x = 1 }, function(t) bus.emit('x') return t end)",
}


@pytest.mark.parametrize("code", WAYS_AROUND.values(), ids=WAYS_AROUND)
def test_there_is_no_way_around(modded, manifest, scripts, code):
    scripts.write("mods/frost/sly", "bus.emit('x') return {}")
    scripts.write("lib/sender", "bus.emit('x') return {}")
    manifest('sends = ["q"]')
    heard: list[str] = []
    world = modded(f"wait() {code}")
    world.bus.on("x", lambda event: heard.append(event.name))

    for _ in range(4):
        world.tick(0.5)

    assert heard == []
    assert world.problems


@pytest.mark.parametrize("warmed", ["mods/frost/main", "mods/frost/keen", "door", ""])
@pytest.mark.parametrize("mod", ["mods/frost/main", "mods/frost/keen"])
def test_a_mod_in_a_state_that_was_warm_is_held_the_same(make_world, scripts, manifest, warmed, mod):
    manifest()
    tries = "print(pcall(bus.emit, 'x')) print(pcall(shared.set, 'x', 1)) print(pcall(entity.spawn, 'door'))"
    scripts.write("mods/frost/main", f"return {{ start = function() {tries} end }}")
    scripts.write("mods/frost/keen", f"local emit = bus.emit return {{ start = function() {tries} emit('x') end }}")
    scripts.write("door", f"local on = bus.on return {{ start = function() {tries} end }}")
    world = make_world()
    world.warm(1, warmed)

    world.spawn(mod)

    assert [line.text.split("\t")[0] for line in world.log] == ["false"] * 3


def test_entities_of_one_script_share_what_they_are_held_to(make_world, scripts, manifest):
    manifest('sends = ["a"]')
    scripts.write("mods/frost/main", "return { start = function() bus.emit('a') bus.emit('b') end }")
    world = make_world(isolation="script")
    world.mods("mods/*", all_asked)

    for _ in range(3):
        world.spawn("mods/frost/main")

    assert [(problem.count, problem.entity) for problem in world.problems] == [(3, 3)]


@pytest.mark.parametrize("isolation", ["process"])
@pytest.mark.usefixtures("unhurried")
def test_a_mod_in_a_child_process_is_refused_the_same(modded, manifest, isolation):
    manifest('sends = ["frost.*"]')
    codes = [code for code, *_ in REFUSED.values()]
    tries = "\n".join(f"print(select(2, pcall(function() {code} end)))" for code in [*codes, "bus.emit('frost.x')"])
    heard: list[str] = []

    world = modded(f"wait()\n{tries}")
    world.bus.on("*", lambda event: heard.append(event.name))
    for _ in range(3):
        world.tick(0.1)

    said = [line.text for line in world.log]
    assert len(said) == len(codes) + 1
    for line, (_, word, does, missing) in zip(said, REFUSED.values(), strict=False):
        assert f'{word}: the mod "frost" may not {does}; its mod.toml needs {missing} ({PLACE})' in line
    assert (said[-1], heard, world.problems) == ("", ["frost.x"], [])


# The manifest.

MISTAKES = {
    "no TOML": ("sends = [", True, "no TOML: ", 3),
    "a typo": ("send = []", True, 'unknown key "send"; did you mean "sends"?', 3),
    "an unknown key": (
        "dependencies = []",
        True,
        'unknown key "dependencies"; there are name, version, description,',
        3,
    ),
    "no list": ('sends = "frost.*"', True, 'sends: expected a list of strings, as in sends = ["frost.*"], got the', 3),
    "a number": ("\nsends = [1]", True, "sends: expected strings, got int 1", 4),
    "a table": ("[sends]\nx = 1", True, "sends: expected a list of strings", 3),
    "a star inside": (
        'sends = ["*.died"]',
        True,
        'sends: "*" stands at the end only, as in "frost.*", got "*.died"',
        3,
    ),
    "an empty entry": ('sets = [""]', True, "sets: an entry is one line of 1 to 200 letters, got ''", 3),
    "two lines": ('sets = ["a\\nb"]', True, "sets: an entry is one line of 1 to 200 letters", 3),
    "no host": ('hosts = ["ftp://x"]', True, 'hosts: "ftp://x" is no host; write "api.example.com"', 3),
    "all modules": ('modules = ["*"]', True, 'modules: "*" is no name of a host module', 3),
    "no name": ('version = "1"', False, 'name is missing; write name = "frost"', 1),
    "no version": ('name = "x"', False, 'version is missing; write version = "1.0"', 1),
    "a version that is a number": ('name = "x"\nversion = 1.0', False, "version must be a string, got float 1.0", 2),
    "an empty name": ('name = " "\nversion = "1"', False, "name must be one line", 1),
    "deep": (f"x = {'[' * 5000}", True, "no TOML", None),
    "long": (f"# {'x' * 17000}", True, "it has more than 16,384 bytes", None),
}


@pytest.mark.parametrize(("text", "head", "message", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_manifest_is_a_problem_with_its_line_and_the_mod_may_do_nothing(
    modded, manifest, text, head, message, line
):
    manifest(text, head=head)

    world = modded("bus.emit('frost.x')")

    first, second = world.problems
    assert (first.script, first.line or line) == (PLACE, line)
    assert first.message.startswith(message)
    assert second.message == f'bus.emit: the mod "frost" may not send "frost.x": its mod.toml has a mistake ({PLACE})'


def test_a_manifest_that_leads_out_of_the_folder_is_a_problem(modded, scripts, tmp_path):
    (tmp_path / "mine.toml").write_text('name = "x"\nversion = "1"\nsends = ["x"]')
    (scripts.path / "mods/frost").mkdir(parents=True)
    os.symlink(tmp_path / "mine.toml", scripts.path / "mods/frost/mod.toml")

    world = modded("bus.emit('x')")

    assert "it is a link that leads out of scripts/" in said(world)[0]
    assert "may not send" in said(world)[1]


# Saving.


def test_a_reload_reads_the_manifest_anew(modded, manifest):
    manifest()
    world = modded("bus.emit('x')")
    manifest('sends = ["x"]')

    world.reload("mods/frost/main")
    world.tick(0.1)

    assert said(world) == []


def test_a_saved_manifest_is_noticed_and_its_mod_starts_anew(make_world, scripts, manifest):
    scripts.write("mods/frost/main", "return { update = function() bus.emit('x') end }")
    scripts.write("door", "return {}")
    manifest()
    world = make_world()
    world.mods("mods/*", all_asked)
    frost, door = world.spawn("mods/frost/main"), world.spawn("door")
    saved = scripts.path / "mods/frost/mod.toml"
    world.reloads._saves = Told([saved])  # type: ignore[assignment]

    world.tick(0.1)
    manifest('sends = ["x"]')
    world.reloads._saves = Told([saved])  # type: ignore[assignment]
    world.tick(0.1)
    world.tick(0.1)

    assert (said(world), frost.version, door.version) == ([], 2, 1)


def test_a_manifest_saved_with_a_mistake_leaves_what_runs_as_it_is(make_world, scripts, manifest):
    scripts.write("mods/frost/main", "return { update = function() bus.emit('x') end }")
    manifest('sends = ["x"]')
    world = make_world()
    world.mods("mods/*", all_asked)
    frost = world.spawn("mods/frost/main")
    manifest('sends = ["x"')
    world.reloads._saves = Told([scripts.path / "mods/frost/mod.toml"])  # type: ignore[assignment]

    world.tick(0.1)
    world.tick(0.1)

    assert frost.version == 1
    assert [problem.script for problem in world.problems] == [PLACE]


class Told:
    """Saves, as the watcher would tell them once."""

    def __init__(self, paths: list[Any]) -> None:
        self._paths = paths

    def take(self) -> list[tuple[Any, float]]:
        paths, self._paths = self._paths, []
        return [(path, 0.0) for path in paths]

    def close(self) -> None:
        pass


# Hosts.


def test_http_goes_where_both_the_game_and_the_manifest_allow(make_world, scripts, manifest, lua):
    server, other = Server(), Server()
    try:
        manifest(f'modules = ["http"]\nhosts = ["{server.url}"]')
        scripts.write(
            "mods/frost/main",
            f"""
            local http = require "http"
            return {{ start = function()
              print(http.get("{server.url}/hello").body)
              print(pcall(http.get, "{other.url}/hello"))
            end }}
            """,
        )
        world = make_world()
        world.mods("mods/*", all_asked)
        world.install(http_module([server.url, other.url]))
        world.spawn("mods/frost/main")

        with play_in("plain") as play:
            lines = play(world).said(2)
    finally:
        server.close()
        other.close()

    assert lines[0] == "hello"
    assert f'the mod "frost" may not ask "{other.url}"; its mod.toml needs hosts = ["{other.url}"]' in lines[1]
