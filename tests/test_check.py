"""Mistakes in scripts, found without running them: each with its place and the way out."""

from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.annotations.registry import versions
from engine.check.check import check
from engine.check.finding import Finding
from engine.host import HostModule
from engine.lua.state import LuaState
from engine.project import Project
from engine.reading.lexer import LuaSyntaxError, tokens
from engine.reading.parser import parse

ROOT = Path(__file__).parent.parent
TOKENS = [
    [token for token in tokens(file.read_text(encoding="utf-8")) if token.kind != "end"]
    for file in sorted((ROOT / "scripts").glob("*.lua"))
]
STATES = [LuaState(lua) for lua in versions()]

# What is wrong: rule, line, column, a word of the suggestion, the script.
MISTAKES = {
    "a misspelt function of the engine": (
        "api", 3, 7, '"emit"',
        "function door:start()\n"
        "\n"
        "  bus.emti('a')\n"
        "end",
    ),
    "a function looked for in the wrong library": (
        "api", 2, 7, '"task.wait_event"',
        "function door:start()\n"
        "  bus.wait_event('x')\n"
        "end",
    ),
    "a misspelt global": (
        "global", 2, 3, '"wait"',
        "function door:start()\n"
        "  wiat(2)\n"
        "end",
    ),
    "a library that scripts do not have": (
        "global", 2, 3, "files",
        "function door:start()\n"
        "  io.open('x')\n"
        "end",
    ),
    "a word of another language": (
        "global", 2, 12, '"nil"',
        "function door:start()\n"
        "  self.x = null\n"
        "end",
    ),
    "self in a plain function": (
        "global", 2, 3, "door:open",
        "function door.open()\n"
        "  self.x = 1\n"
        "end",
    ),
    "a forgotten local": (
        "write", 2, 3, "local speed",
        "function door:start()\n"
        "  speed = 3\n"
        "end",
    ),
    "a misspelt hook": (
        "hook", 1, 15, '"update"', "function door:udpate(dt) end",
    ),
    "a hook nobody knows": (
        "hook", 1, 15, '"on_event"', "function door:on_evnt(event) end",
    ),
    "a hook with a dot": (
        "hook", 1, 15, "door:update",
        "function door.update(dt) print(dt) end",
    ),
    "a wait in update": (
        "wait", 2, 3, "task.spawn",
        "function door:update(dt)\n"
        "  wait(1)\n"
        "end",
    ),
    "a negative wait": (
        "argument", 2, 8, "forward",
        "function door:start()\n"
        "  wait(-1)\n"
        "end",
    ),
    "a wait in quotes": (
        "argument", 2, 8, "quotes",
        "function door:start()\n"
        "  wait('2')\n"
        "end",
    ),
    "milliseconds": (
        "argument", 2, 8, "seconds",
        "function door:start()\n"
        "  wait(1500)\n"
        "end",
    ),
    "a call where a function is meant": (
        "argument", 2, 22, "function() self:open",
        "function door:start()\n"
        "  task.delay(2, self:open())\n"
        "end\n"
        "function door:open() end",
    ),
    "too few arguments": (
        "argument", 2, 7, "bus.send(id, name",
        "function door:start()\n"
        "  bus.send('x')\n"
        "end",
    ),
    "too many arguments": (
        "argument", 2, 10, "entity.tag(name)",
        "function door:start()\n"
        "  entity.tag('a', 'b')\n"
        "end",
    ),
    "a method called with a dot": (
        "method", 2, 8, "self:open",
        "function door:start()\n"
        "  self.open()\n"
        "end\n"
        "function door:open() end",
    ),
    "a script that is not there": (
        "script", 2, 16, '"door"',
        "function door:start()\n"
        "  entity.spawn('dor')\n"
        "end",
    ),
    "a library that is not there": (
        "require", 2, 11, '"vector"',
        "function door:start()\n"
        "  require('vectr')\n"
        "end",
    ),
    "a module that is not installed": (
        "require", 2, 11, "world.install",
        "function door:start()\n"
        "  require('json')\n"
        "end",
    ),
    "a misspelt function of a library": (
        "library", 3, 5, '"length"',
        "local v = require('vector')\n"
        "function door:start()\n"
        "  v.lenght()\n"
        "end",
    ),
    "an image that is not there": (
        "asset", 1, 30, '"door"', "door.properties = { sprite = 'doors' }",
    ),
    "an image to draw that is not there": (
        "asset", 2, 14, '"door"',
        "function door:update()\n"
        "  draw.image('doors', 3, 4, 'screen')\n"
        "end",
    ),
    "a sound that is not there": (
        "asset", 2, 14, '"creak"',
        "function door:start()\n"
        "  sound.play('crek')\n"
        "end",
    ),
    "an event nobody hears": (
        "event", 2, 12, "bus.on",
        "function door:start()\n"
        "  bus.emit('door.opened')\n"
        "end",
    ),
    "an event nobody sends": (
        "event", 2, 10, "bus.emit",
        "function door:start()\n"
        "  bus.on('door.opened', print)\n"
        "end",
    ),
    "a colon for a dot": (
        "api", 2, 7, "bus.emit(",
        "function door:start()\n"
        "  bus:emit('a')\n"
        "end",
    ),
    "a name cut short": (
        "api", 2, 18, '"random"',
        "function door:start()\n"
        "  self.x =  math.rand()\n"
        "end",
    ),
    "a misspelt function of its own": (
        "method", 2, 8, '"open"',
        "function door:start()\n"
        "  self:opne()\n"
        "end\n"
        "function door:open() end",
    ),
    "a field that is misspelt where it is read": (
        "field", 3, 13, '"seconds"',
        "door.properties = { seconds = 2 }\n"
        "function door:start()\n"
        "  wait(self.secons)\n"
        "end",
    ),
    "a function of another Lua": (
        "api", 2, 22, "math.atan(y, x)",
        "function door:start()\n"
        "  self.angle =  math.atan2(1, 2)\n"
        "end",
    ),
    "a global of another Lua": (
        "global", 2, 10, "table.unpack",
        "function door:start()\n"
        "  return unpack({})\n"
        "end",
    ),
    "an action that is misspelt": (
        "action", 2, 14, '"left"',
        "function door:update()\n"
        "  input.axis('lfet', 'right')\n"
        "end",
    ),
    "an action that has no key": (
        "action", 2, 14, "WINDOW",
        "function door:update()\n"
        "  input.down('jump')\n"
        "end",
    ),
    "a place that is no number": (
        "field", 2, 8, "another name",
        "function door:start()\n"
        "  self.x = 'left'\n"
        "end",
    ),
    "a property that cannot be drawn": (
        "field", 1, 21, "another name", "door.properties = { sprite = 3 }",
    ),
    "arguments in another order": (
        "argument", 2, 19, "draw.text(text, x, y",
        "function door:start()\n"
        "  draw.text(3, 4, 'hello')\n"
        "end",
    ),
    "a text that is aligned to no side": (
        "argument", 2, 41, "[, where] [, align]",
        "function door:update()\n"
        "  draw.text('hi', 3, 4, 'red', 'world', 'middle')\n"
        "end",
    ),
    "a place that there is not": (
        "argument", 2, 31, "draw.image(image, x, y",
        "function door:update()\n"
        "  draw.image('door', 3, 4, 1, 'scren')\n"
        "end",
    ),
    "a name where an id belongs": (
        "argument", 2, 12, "bus.send(id, name",
        "function door:start()\n"
        "  bus.send('door', 'creak')\n"
        "  bus.on('creak', print)\n"
        "end",
    ),
    "a function in the place of the seconds": (
        "argument", 2, 30, "task.every(seconds, fn)",
        "function door:start()\n"
        "  task.every(function() end, 0.5)\n"
        "end",
    ),
    "properties that are no table": (
        "field", 1, 6, "scripting", "door.properties = function() return {} end",
    ),
    "misspelt properties": (
        "field", 1, 6, '"properties"', "door.propreties = { hp = 3 }",
    ),
    "a misspelt isolation": (
        "field", 1, 6, '"isolation"', "door.isolaton = 'script'",
    ),
    "a wait while the script loads": (
        "wait", 1, 1, "in start", "wait(1)",
    ),
    "a function of its own that waits, called every frame": (
        "wait", 2, 8, "task.spawn(function() self:open() end)",
        "function door:update(dt)\n"
        "  self:open()\n"
        "end\n"
        "function door:open() self:creak() end\n"
        "function door:creak() wait(1) end",
    ),
    "a misspelt local": (
        "global", 3, 9, '"width"',
        "function door:start()\n"
        "  local width = 3\n"
        "  print(widht, width)\n"
        "end",
    ),
    "a misspelt easing": (
        "argument", 2, 29, '"in_out_quad"',
        "function door:start()\n"
        "  tween(self, 1, { x = 1 }, 'inout_quad')\n"
        "end",
    ),
    "a misspelt property of what is spawned": (
        "property", 3, 26, '"width"',
        "door.properties = { width = 3 }\n"
        "function door:start()\n"
        "  entity.spawn('door', { widht = 1 })\n"
        "end",
    ),
    "an open string": (
        "syntax", 2, 9, "close it with '",
        "function door:start()\n"
        "  print('hello)\n"
        "end",
    ),
    "a word of another engine": (
        "global", 2, 3, "bus.send",
        "function door:start()\n"
        "  msg.post('door', 'open')\n"
        "end",
    ),
    "a missing end": (
        "syntax", 6, 1, 'the "if" of line 2',
        "function door:start()\n"
        "  if self.x then\n"
        "    wait(1)\n"
        "end",
    ),
    "a foreign operator": (
        "syntax", 2, 13, '"~="',
        "function door:start()\n"
        "  if self.x != 1 then end\n"
        "end",
    ),
    "an assignment in a condition": (
        "syntax", 2, 13, '"=="',
        "function door:start()\n"
        "  if self.x = 1 then end\n"
        "end",
    ),
    "else if": (
        "syntax", 7, 1, "elseif",
        "function door:start()\n"
        "  if a then\n"
        "  else if b then\n"
        "  end\n"
        "end",
    ),
    "an operator that only some versions have": (
        "version", 2, 13, "only runs on",
        "function door:start()\n"
        "  self.x = 7//2\n"
        "end",
    ),
}  # fmt: skip


@pytest.fixture
def game(tmp_path: Path) -> Path:
    """A game with a library, an image and a sound."""
    for folder in ("scripts", "assets"):
        (tmp_path / folder).mkdir()
    write(tmp_path, "vector", "local vector = {}\nfunction vector.length() return 1 end\nreturn vector\n")
    (tmp_path / "assets/door.png").write_bytes(b"")
    (tmp_path / "assets/creak.wav").write_bytes(b"")
    return tmp_path


def write(game: Path, name: str, text: str) -> None:
    (game / f"scripts/{name}.lua").write_text(dedent(text), encoding="utf-8")


def findings(game: Path, body: str) -> list[Finding]:
    """What is found in a script `door`, whose first line is the first one of `body`."""
    write(game, "door", f"local door = {{}}; {body}\nreturn door\n" if body else "")
    return [finding for finding in check(Project(game)) if finding.script == "scripts/door.lua"]


@pytest.mark.parametrize(("rule", "line", "column", "advice", "body"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_found_at_its_place_with_a_way_out(game, rule, line, column, advice, body):
    found = findings(game, body)

    shift = len("local door = {}; ") if line == 1 else 0
    assert [(one.rule, one.line, one.column) for one in found] == [(rule, line, column + shift)]
    assert advice in found[0].suggestion


def test_libraries_that_require_each_other_are_named_in_their_order(game):
    write(game, "lib", "local m = require('inner')\nreturn { get = function() return require('door'), m end }\n")
    write(game, "inner", "local lib = require('lib')\nreturn { lib }\n")

    assert findings(game, "local lib = require('lib')\nprint(lib)") == []
    assert [(one.script, one.line, one.message) for one in check(Project(game)) if one.rule == "require"] == [
        ("scripts/inner.lua", 1, "these libraries require each other: inner → lib → inner"),
        ("scripts/lib.lua", 1, "these libraries require each other: lib → inner → lib"),
    ]


def test_an_action_of_the_game_stands_in_its_python(game):
    (game / "main.py").write_text('WINDOW = {"actions": {"jump": "space"}}\n\n\ndef setup(world): ...\n')

    assert findings(game, "function door:update()\n  self.up = input.down('jump')\nend") == []


@pytest.mark.parametrize(
    "giver",
    [
        "function door:open() self.target = 1 end",
        'function door:open() entity.spawn("door", { target = 3 }) end',
        "function door:open() tween(self, 1, { target = 3 }) end",
        "function door:target() end",
    ],
)
def test_a_field_that_anybody_may_have_set_is_not_misspelt(game, giver):
    reads = "function door:start() self.targets = { self.target } end"

    assert findings(game, f"{giver}\n{reads}") == []


def test_a_field_that_python_sets_is_not_misspelt(game):
    (game / "main.py").write_text("def setup(world):\n    world.spawn('door', target=3)\n")

    assert findings(game, "function door:start() self.targets = { self.target } end") == []


def test_a_library_that_returns_nothing_is_told_to_who_requires_it(game):
    write(game, "silent", "local silent = {}\nfunction silent.fall() end\n")

    (found,) = findings(game, "local silent = require('silent')")

    assert (found.rule, found.level, found.suggestion) == ("require", "warning", "end scripts/silent.lua with a return")


def test_a_librarys_own_functions_are_no_misspelt_hooks(game):
    write(game, "grid", "local grid = {}\nfunction grid.strat() end\nfunction grid.on_inptu() end\nreturn grid\n")

    assert findings(game, "local grid = require('grid')\nprint(grid)") == []
    assert check(Project(game)) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("local door = {}\nfunction door:start() end\n", "returns nothing"),
        ("return 5\n", "no table of hooks"),
    ],
)
def test_a_file_that_is_no_script_says_so(game, text, message):
    write(game, "door", text)

    found = check(Project(game))

    assert [one.rule for one in found] in (["file"], ["return"])
    assert message in found[0].message


@pytest.mark.parametrize(
    "body",
    [
        "local on = bus.on\nfunction door:start() on('a.*', function(e) log.info(e.name) end) bus.emit('a.b') end",
        "function door:start() bus.on('*', print) bus.emit('anything') end",
        "function door:update() draw.image('door', 1, 2, 'screen') draw.text('screen', 1, 2, 'screen', 'right') end",
        "function door:update() draw.text(3, 1, 2, 'center') draw.text('a', 1, 2, 'red', 'center') end",
        "function door:start() local v = require('vector'); print(v.length()) end",
        "function door:update(dt) task.spawn(function() wait(1) end) end",
        "local helper = {}\nfunction helper.init() end\nfunction door:start() helper.init() end",
        "function door:start() for _, name in ipairs({ 'a' }) do bus.emit(name) end bus.on('a', print) end",
        "function door:on_event(e) if e.name == 'knock' then self:final('x') end end\n"
        "function door:start() bus.send(entity.id, 'knock') end",
        "function door:start() counter = 1 -- check: ignore\nend",
        "local t = setmetatable({}, { __index = _G })\nfunction door:start() print(t[1], ...) end".replace(", ...", ""),
        "function door:start() self.open = self.shut; self:open() end",
        "local base = {}\nsetmetatable(door, { __index = base })\nfunction door:start() self:open() end",
        "function door:update(dt) task.spawn(function() self:open() end) end\nfunction door:open() wait(1) end",
        "function door:start() tween(self, 1, { x = 1 }, 'in-out-quad') entity.spawn('door', { depth = 1 }) end",
        "function door:start() goto done; ::done:: repeat local x = 1 until x == 1 end",
        "function door:start() self.text = [[\nwiat]] .. 'it\\'s' -- wiat\nend",
    ],
)  # fmt: skip
def test_what_is_right_is_left_alone(game, body):
    assert findings(game, body) == []


def test_the_name_of_a_rest_of_arguments_is_a_local(game):
    body = "local function count(...rest) return rest.n end\nfunction door:start() print(count(rest)) end"

    found = findings(game, body)

    assert [(one.rule, one.line) for one in found if one.level == "error"] == [("global", 2)]


def test_events_that_python_sends_or_hears_are_known(game):
    (game / "main.py").write_text("world.bus.emit('alarm'); world.bus.on('door.opened', print)\n")

    assert findings(game, "function door:start() bus.on('alarm', print) bus.emit('door.opened') end") == []


def test_scripts_that_main_spawns_must_be_there(game):
    write(game, "door", "return {}")
    (game / "main.py").write_text("def setup(world):\n    world.spawn('door')\n    world.spawn('dor', x=1)\n")

    found = check(Project(game))

    assert [(one.script, one.line, one.column, one.suggestion) for one in found] == [
        ("main.py", 3, 17, 'did you mean "door"?')
    ]


def test_host_modules_of_a_game_with_a_loop_of_its_own_are_known_without_running_it(game):
    (game / "main.py").write_text("weather = HostModule('weather')\nwhile True: pass\n")

    assert not Project(game).has_main
    assert findings(game, "local weather = require('weather'); function door:start() weather.wind() end") == []


def test_an_event_one_letter_off_names_the_one_that_is_sent(game):
    write(game, "key", "local key = {}\nfunction key:start() bus.emit('key.found') end\nreturn key\n")

    found = findings(game, "\nfunction door:start()\n  bus.on('key.fuond', print)\nend")

    assert [(one.line, one.column, one.suggestion) for one in found] == [(3, 10, 'did you mean "key.found"?')]


def test_functions_of_host_modules_are_known(game):
    weather = HostModule("weather")

    @weather.function
    def wind() -> float:
        return 1.0

    write(game, "door", "local weather = require('weather')\nprint(weather.wind(), weather.wnid())\nreturn {}\n")

    found = check(Project(game), modules=[weather])

    assert [(one.line, one.column, one.suggestion) for one in found] == [(2, 31, 'did you mean "wind"?')]


def test_a_script_that_hides_a_host_module_is_found(game):
    write(game, "weather", "return { start = function() require('weather').wind() end }\n")

    found = check(Project(game), modules=[HostModule("weather")])

    told = 'the host module "weather" has the name of this script, so nobody gets it'
    assert ("scripts/weather.lua", "warning", told) in [(one.script, one.level, one.message) for one in found]


def test_a_script_that_compiles_only_elsewhere_is_judged_by_the_version_of_the_game(game):
    write(game, "door", "local door = {}\ngoto = 3\nreturn door\n")

    assert [one.level for one in check(Project(game), "luajit21")] != []
    write(game, "door", "local half = 7 // 2\nreturn { half }\n")

    assert [one.level for one in check(Project(game), "lua55")] == ["warning"]
    assert [one.level for one in check(Project(game), "luajit21")] == ["error"]


def test_tests_are_checked_too_and_know_their_own_words(game):
    (game / "tests").mkdir()
    (game / "tests/door.lua").write_text(
        'test "it" (function()\n  expect(sim.fields(1)).is(2)\n  sim.feilds(2)\n'
        '  entity.spawn("dor")\n  wiat(1)\nend)\n'
    )
    write(game, "door", "return { start = function() bus.emit('only.in.tests') end }")
    (game / "tests/other.lua").write_text('test "x" (function() task.wait_event("only.in.tests") end)\n')

    assert [(one.script, one.line, one.column, one.suggestion) for one in check(Project(game))] == [
        ("tests/door.lua", 3, 7, 'did you mean "fields"?'),
        ("tests/door.lua", 4, 16, 'did you mean "door"?'),
        ("tests/door.lua", 5, 3, 'did you mean "wait"?'),
    ]


@settings(max_examples=150)
@given(st.data())
def test_what_lua_takes_the_checker_can_read(data):
    """Real scripts with tokens dropped, doubled and swapped: what still compiles still parses."""
    pieces = [
        (token.text if token.kind != "string" else repr(token.text)) for token in data.draw(st.sampled_from(TOKENS))
    ]
    for _ in range(data.draw(st.integers(0, 3))):
        at, other = data.draw(st.integers(0, len(pieces) - 1)), data.draw(st.integers(0, len(pieces) - 1))
        change = data.draw(st.sampled_from(["drop", "double", "swap"]))
        if change == "drop":
            del pieces[at:other]
        elif change == "double":
            pieces.insert(at, pieces[other])
        else:
            pieces[at], pieces[other] = pieces[other], pieces[at]
        if not pieces:
            return
    text = " ".join(pieces)
    try:
        parse(text)
    except LuaSyntaxError:
        for state in STATES:
            answer = state.call("load", text)
            assert isinstance(answer, tuple) and answer[1] is not None, text


def test_a_script_nested_too_deeply_is_no_crash(game):
    write(game, "door", "local x = " + "+".join(["1"] * 3000) + "\nreturn { x }\n")

    assert [one.rule for one in check(Project(game))] in ([], ["unread"])


def test_the_demo_has_no_mistakes():
    assert check(Project(ROOT)) == []


MANIFEST = """name = "frost"
version = "1.0"
sends = ["frost.*"]
"""

WITHOUT_ASKING = {
    "bus.emit('x')": (12, 'sends = ["x"]'),
    "bus.send(1, 'x')": (15, 'sends = ["x"]'),
    "bus.request(1, 'x')": (18, 'sends = ["x"]'),
    "entity.spawn('vector')": (16, 'spawns = ["vector"]'),
    "shared.set('x', 1)": (14, 'sets = ["x"]'),
    "local j = require('weather') print(j)": (21, 'modules = ["weather"]'),
}


@pytest.fixture
def frost(game: Path) -> Path:
    """The folder of a mod in a game that hears its events."""
    folder = game / "scripts/mods/frost"
    folder.mkdir(parents=True)
    (folder / "mod.toml").write_text(MANIFEST)
    write(game, "hears", "return { start = function() bus.on('*', print) end }")
    return folder


@pytest.mark.parametrize(("code", "place"), WITHOUT_ASKING.items(), ids=WITHOUT_ASKING)
def test_what_a_mod_does_without_asking_for_it_names_the_line_of_its_manifest(game, frost, code, place):
    (frost / "main.lua").write_text(f"local m = {{}}\nfunction m:start()\n  {code}\nend\nreturn m\n")
    column, line = place

    found = [one for one in check(Project(game), modules=[HostModule("weather")]) if one.rule != "event"]

    assert [(one.script, one.line, one.column, one.rule) for one in found] == [
        ("scripts/mods/frost/main.lua", 3, column, "mod")
    ]
    assert found[0].suggestion == f"scripts/mods/frost/mod.toml needs {line}"


def test_what_a_mod_asks_for_and_its_own_libraries_are_left_alone(game, frost):
    (frost / "main.lua").write_text(
        "local v = require('vector')\nreturn { start = function() bus.emit('frost.fell', v.length()) end }\n"
    )

    assert check(Project(game)) == []


def test_a_mistake_in_a_manifest_is_found_with_its_line(game, frost):
    (frost / "mod.toml").write_text(MANIFEST + "send = []\n")

    assert [(one.script, one.line, one.rule, one.message) for one in check(Project(game))] == [
        ("scripts/mods/frost/mod.toml", 4, "manifest", 'unknown key "send"; did you mean "sends"?')
    ]
