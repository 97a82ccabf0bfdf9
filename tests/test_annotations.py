"""What editors are told is what scripts can call."""

import inspect
import re
from pathlib import Path

import pytest

from engine import World
from engine.annotations.registry import names, versions
from engine.annotations.stubs import ORDER, by_name, declarations, stub
from engine.annotations.write import engine_text, settings, texts, undeclared
from engine.app.stage import Stage
from engine.host import HostModule
from engine.project import Project
from engine.reading.parser import parse
from engine.scripts import Scripts
from engine.testing.lua_tests import _kit, _Run
from engine.testing.sim import Sim

# What a call may be given, by the name of the parameter.
SAMPLES = {
    "seconds": "1", "timeout": "1", "n": "1", "later": "2", "earlier": "1", "x": "1", "y": "1", "x1": "1", "y1": "1",
    "x2": "1", "y2": "1", "w": "1", "h": "1", "r": "1", "radius": "1", "amount": "1", "volume": "1", "fps": "1",
    "fn": "function() return true end", "predicate": "function() return false end", "body": "function() wait(1) end",
    "functions": "{ function() wait(1) end }", "work": "{ function() wait(1) end }", "target": "self",
    "goals": "{ x = 9 }", "id": "entity.id", "script": "'idle'", "thread": "task.current()", "...": "1",
}  # fmt: skip

BUILTIN = {
    "nil", "any", "boolean", "string", "number", "integer", "function", "table", "thread", "userdata", "fun", "async",
    "true", "false",
}  # fmt: skip
TYPE = re.compile(r"[A-Za-z_][\w.]*")
TAG = re.compile(
    r"^---@(?:param \S+|return|field (?:\[any\]|\S+)|type|alias \S+|class [\w.]+:?)[ ]*(.*)$", re.MULTILINE
)
DECLARED = re.compile(r"^---@(?:class|alias) ([\w.]+)", re.MULTILINE)


@pytest.mark.parametrize("lua", versions())
def test_every_name_that_scripts_can_reach_is_declared(lua):
    assert undeclared(lua) == []


def test_every_function_that_is_declared_can_be_reached():
    live = names("lua55")

    assert [name for name in by_name() if name not in live] == []


COMMANDS = ("sprite", "sound", "camera", "draw")


@pytest.mark.parametrize("lua", versions())
def test_declared_functions_have_the_parameters_of_the_real_ones(lua):
    live = names(lua)
    differing = {
        name: (declared.parameters, live[name].parameters)
        for name, declared in by_name().items()
        if name in live
        and live[name].parameters not in (-1, len(declared.parameters))
        and name.partition(".")[0] not in COMMANDS  # one function sends them all; the next test is about what they take
    }

    assert differing == {}


def test_what_is_declared_for_the_window_is_what_the_window_takes(scripts):
    with World(scripts.path) as world:
        stage = Stage(world, (16, 16), "#000000", None, None, None)  # type: ignore[arg-type]
        verbs = stage._commands._modules

    for module, functions in verbs.items():
        for name, verb in functions.items():
            _, *parameters = inspect.signature(verb).parameters.values()
            declared = by_name()[f"{module}.{name}"]
            optional = [parameter.default is not parameter.empty for parameter in parameters]
            assert [name in declared.optional for name in declared.parameters] == optional, declared.signature


@pytest.mark.parametrize("name", by_name())
def test_what_suspends_is_marked_async_and_nothing_else(name, scripts):
    declared = by_name()[name]
    arguments = ", ".join(SAMPLES.get(parameter, "'x'") for parameter in declared.parameters)
    scripts.write("idle", "return {}")
    scripts.write("caller", f"local s = {{}}\nfunction s:update() self.x = 1 {name}({arguments}) end\nreturn s")
    with World(scripts.path) as world:
        world.spawn("caller")
        world.tick(0.1)

        refused = any("update" in problem.message for problem in world.problems)

    assert refused == declared.suspends


def test_what_tests_can_call_is_declared(scripts):
    with World(scripts.path) as world:
        kit = _kit(_Run(Sim(world)))
    declared = dict(re.findall(r"^function sim\.(\w+)\((.*)\) end$", stub("tests"), re.MULTILINE))
    real = {
        name: ", ".join(parameter.name for parameter in function.signature.positional)
        for name, function in kit.functions.items()
        if name not in ("collected", "passed")
    }

    assert declared == real


def test_every_type_that_is_named_is_declared(scripts):
    module = HostModule("weather", doc="The weather.")

    @module.coroutine
    async def forecast(town: str, days: int = 1) -> list[str]:
        """What to wear."""
        return [town] * days

    scripts.write("door", "local door = {}\ndoor.properties = { open = false, steps = { 1, 2 } }\nreturn door")
    whole = "\n".join(texts(Scripts(scripts.path), [module], "lua55").values())
    known = BUILTIN | set(DECLARED.findall(whole))

    assert {word for used in TAG.findall(whole) for word in _types(used)} - known == set()


def _types(used: str) -> list[str]:
    """The type names in what follows a tag: no strings, no field names, nothing of the description."""
    text = re.sub(r'"[^"]*"', "", used)
    text = re.sub(r"\w+\??\s*:", "", text)
    head = re.match(r"(?:\{.*\}|fun\(.*?\)(?:\s*:\s*\S+)?|async fun\(.*?\)(?:\s*:\s*\S+)?|\S+)", text)
    return [] if head is None else TYPE.findall(re.sub(r"\(\w*(, *\w+)*\)", "", head[0]))


def test_annotations_are_lua(scripts):
    scripts.write("door", "local door = {}\ndoor.properties = { open = false }\nreturn door")

    for text in texts(Scripts(scripts.path), [], "lua55").values():
        assert parse(text) is not None


def test_a_name_without_a_declaration_is_written_bare_rather_than_left_out(monkeypatch):
    known = declarations()
    monkeypatch.setattr(
        "engine.annotations.write.declarations",
        lambda: tuple(one for one in known if "bus.emit" not in one.names),
    )

    assert "function bus.emit(argument1, argument2) end" in engine_text("lua55")


def test_scripts_properties_and_events_of_the_game_are_offered(scripts):
    scripts.write(
        "door",
        """
        local door = {}
        door.properties = { open_seconds = 2.5, name = "gate", steps = { 1, 2 }, locked = true }
        function door:start() bus.emit("door.opened") end
        return door
        """,
    )

    written = texts(Scripts(scripts.path), [], "lua55")["game.lua"]

    assert '---@alias tidelock.ScriptName\n---| string\n---| "door"' in written
    assert '---| "door.opened"' in written
    for field in ("open_seconds number", "name string", "steps number[]", "locked boolean"):
        assert f"---@field {field}\n" in written + "\n"


def test_editors_do_not_offer_what_scripts_do_not_have():
    builtin = settings("lua55")["runtime.builtin"]

    assert isinstance(builtin, dict)
    assert {name for name, state in builtin.items() if state == "disable"} >= {"io", "debug", "package", "os"}


def test_host_modules_of_main_are_found_without_playing(tmp_path: Path):
    (tmp_path / "scripts").mkdir()
    (tmp_path / "main.py").write_text(
        "from engine import HostModule\n"
        "weather = HostModule('weather')\n"
        "@weather.function\n"
        "def wind() -> float:\n    return 1.0\n"
        "def setup(world):\n    world.install(weather)\n    world.spawn('nobody').self\n"
    )

    assert [module.name for module in Project(tmp_path).rehearsed()[1]] == ["weather"]


def test_a_host_module_takes_the_place_of_no_other_file(scripts):
    modules = [HostModule(name, doc=f"Ours: {name}.") for name in ("engine", "Game", "weather")]

    written = texts(Scripts(scripts.path), modules, "lua55")

    assert "function wait(" in written["engine.lua"] and "tidelock.ScriptName" in written["game.lua"]
    assert "---@meta engine\n\n--- Ours: engine." in written["engine-module.lua"]
    assert {"Game-module.lua", "weather.lua"} <= set(written)


def test_all_stub_files_are_read():
    folder = Path(inspect.getfile(stub)).parent / "stubs"

    assert {file.stem for file in folder.glob("*.lua")} == {*ORDER, "tests"}
