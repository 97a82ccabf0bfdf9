"""Scripts that try to stop the game, in child processes that must end normally."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from helpers import PATIENCE

VERSIONS = ["lua55", "lua54"]
MOST = 2_000  # units of work, see hostile.py; before they were bounded these took six times as many, or had no end

IN_UPDATE = "local h = {{}}\nfunction h:update()\n{}\nend\nreturn h\n"
IN_TASK = "local h = {{}}\nfunction h:start()\ntask.spawn(function()\nwait()\n{}\nend)\nend\nreturn h\n"

LOOPS = {
    "plain": "while true do end",
    "goto": "::a:: goto a",
    "pcall": "while true do pcall(function() while true do end end) end",
    "xpcall": "xpcall(function() while true do end end, function() while true do end end)",
    "handler": "xpcall(function() error('x') end, function() while true do end end)",
    "handler of a handler": "xpcall(function() xpcall(error, function() while true do end end) end, print)",
    "coroutine": "coroutine.wrap(function() while true do end end)()",
    "nested coroutines": """
        local function deeper() local co = coroutine.create(deeper) coroutine.resume(co) while true do end end
        deeper()""",
    "many coroutines": "while true do coroutine.wrap(function() for i = 1, 900 do end end)() end",
    "index": "local t = setmetatable({}, { __index = function() while true do end end }) return t.x",
    "eq": """
        local mt = { __eq = function() while true do end end }
        return setmetatable({}, mt) == setmetatable({}, mt)""",
    "concat": "local t = setmetatable({}, { __concat = function() while true do end end }) return t .. ''",
    "close": """
        local x <close> = setmetatable({}, { __close = function() while true do end end })
        while true do end""",
    "close of a coroutine": """
        local co = coroutine.create(function()
          local x <close> = setmetatable({}, { __close = function() while true do end end })
          coroutine.yield()
        end)
        coroutine.resume(co)
        coroutine.close(co)""",
    "comparator": "table.sort({ 3, 1, 2, 5, 4 }, function() while true do end end)",
    "gsub": "string.gsub('aaa', 'a', function() while true do end end)",
    "for iterator": "for _ in function() return 1 end do end",
    "recursion": "local function f() return f() end f()",
    "mutual pcall": "local function f() pcall(f) pcall(f) end f()",
    "tostring": "print(setmetatable({}, { __tostring = function() while true do end end }))",
    "load": "load(function() while true do end end)",
    "length": "table.insert(setmetatable({}, { __len = function() return 1e15 end }), 1, 1)",
    "claimed length": "local t = {} for i = 0, 62 do t[1 << i] = 1 end table.remove(t, 1) while true do end",
    "move": "table.move({}, 1, 1e15, 2)",
    "sort of one string": """
        local s, t = string.rep("x", 1e6), {}
        for i = 1, 1e5 do t[i] = s end
        table.sort(t)""",
    "finally": "task.finally(function() while true do end end)",
    "predicate": "task.wait_until(function() while true do end end)",
}


def run_module(module: str, *arguments: str, input: str = "", timeout: float = 10 * PATIENCE) -> str:
    """What a module of `tests/` prints in a process of its own, which must end normally."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    child = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", module, *arguments],
        input=input,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
    )
    assert child.returncode == 0, f"exit code {child.returncode}\n{child.stdout[-500:]}\n{child.stderr[-2000:]}"
    return child.stdout


@cache
def outcomes(lua: str, cases: str) -> list[dict[str, Any]]:
    """What a child process says of these cases (JSON); it must come to the end of all of them."""
    return [json.loads(line) for line in run_module("hostile", lua, input=cases).splitlines()]


def outcome(lua: str, table: dict[str, str], name: str, form: str, **options: Any) -> dict[str, Any]:
    cases = [{"source": form.format(code), **options} for code in table.values()]
    return outcomes(lua, json.dumps(cases))[list(table).index(name)]


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("form", [IN_UPDATE, IN_TASK], ids=["update", "task"])
@pytest.mark.row("G1")
def test_an_endless_loop_is_stopped_and_named_and_the_frame_goes_on(lua, name, form):
    if form == IN_UPDATE and name == "predicate":
        pytest.skip("an update cannot wait")

    said = outcome(lua, LOOPS, name, form, limits={"instructions": 200_000, "seconds": None})

    message, script, line, _ = said["problems"][0]
    assert said["witness"], "the witnesses lost a frame or an event"
    assert "stopped after 200,000 instructions in one tick, the limit (Limits.instructions)" in message
    assert script == "scripts/hostile.lua"
    assert line is not None or name in ("length", "move")
    assert said["units"] < MOST


EATERS = {
    "tables": "local t = {} while true do t[#t + 1] = {} end",
    "strings": "local t, i = {}, 0 while true do i = i + 1 t[i] = ('x'):rep(1000) .. i end",
    "doubling": "local s = 'x' while true do s = s .. s end",
    "wide concat": "local s = 'xxxxxxxx' while true do s = s .. s .. s .. s .. s .. s .. s .. s end",
    "rep": "return #string.rep('x', 1 << 40)",
    "rep in pcall": "local t = {} while true do pcall(function() t[#t + 1] = string.rep('x', 1 << 20) end) end",
    "concat": "local t = {} for i = 1, 1000 do t[i] = ('x'):rep(60000) end local u = {} "
    "for i = 1, 100 do u[i] = table.concat(t) end",
    "format": "local s = ('x'):rep(1e6) while true do s = ('%s%s'):format(s, s) end",
    "gsub": "local s = ('x'):rep(1e6) while true do s = s:gsub('x', 'xx') end",
    "coroutines": "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
    "closures": "local t = {} while true do t[#t + 1] = function() return t end end",
    "stack": "local function f() return 1 + f() end f()",
    "varargs": "local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end f()",
    "unpack": "local t = {} while true do t = { table.unpack(t) } for i = 1, 1e5 do t[#t + 1] = i end end",
    "globals": "local i = 0 while true do i = i + 1 _G['x' .. i] = { i } end",
    "self": "local i = 0 while true do i = i + 1 rawset(_G, i, ('y'):rep(i)) end",
    "load": "local s = 'return {' .. ('{},'):rep(1e6) .. '}' while true do load(s)() end",
    "tasks": "while true do task.spawn(function() wait(100) end) end",
    "memory error in pcall": "while true do pcall(function() local s = ('x'):rep(3e7) s = s .. s .. s end) end",
}


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize("name", EATERS)
@pytest.mark.row("G2")
def test_a_state_that_eats_memory_is_stopped_at_the_limit(lua, name):
    said = outcome(lua, EATERS, name, IN_TASK, limits={"memory": 8 * 2**20, "seconds": 0.2})

    message = said["problems"][0][0]
    assert said["witness"], "the witnesses lost a frame or an event"
    assert re.search(r" 8 MiB.*\(Limits.memory\)|\(Limits.(instructions|seconds)\)|stack overflow", message)
    assert said["units"] < MOST


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.row("G2")
def test_a_state_that_keeps_too_much_is_closed_and_its_entity_ended(lua):
    source = IN_TASK.format("kept = {} while true do kept[#kept + 1] = {} end")

    (said,) = outcomes(lua, json.dumps([{"source": source, "limits": {"memory": 8 * 2**20}}]))

    assert not said["alive"]
    assert said["witness"]
    assert any("its state is closed" in problem[0] for problem in said["problems"])


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.row("G1")
def test_a_state_that_is_stopped_again_and_again_is_closed(lua):
    source = """
        local h = {}
        function h:start()
          for i = 1, 100 do task.delay(i / 60, function() while true do end end) end
        end
        return h"""

    (said,) = outcomes(
        lua,
        json.dumps(
            [{"source": source, "frames": 40, "limits": {"instructions": 100_000, "errors": 5, "seconds": None}}]
        ),
    )

    assert not said["alive"]
    assert said["witness"]
    assert any("stopped 15 times within 600 frames" in problem[0] for problem in said["problems"])


FLOODS = {
    "events": ("for i = 1, 1e9 do bus.emit('x' .. i % 7, i) end", "Limits.mailbox"),
    "big events": ("local s = ('x'):rep(60000) for i = 1, 1e9 do bus.emit('x', s) end", "Limits.outbox"),
    "sends": ("for i = 1, 1e9 do bus.send(1, 'x', i) end", "Limits.mailbox"),
    "shared": ("local s = ('x'):rep(60000) for i = 1, 1e9 do shared.set('k', s .. i) end", "Limits.outbox"),
    "shared keys": ("for i = 1, 30000 do shared.set('k' .. i, 1) end", "Limits.outbox"),
    "commands": ("for i = 1, 1e9 do draw.text('x', 1, 1) end", "Limits.outbox"),
    "tags": ("for i = 1, 1e9 do entity.tag('t' .. i) end", "has 1000 tags and gets no more"),
    "destroys": ("for i = 1, 1e9 do entity.destroy(i + 1000) end", "Limits.outbox"),
    "tasks": ("for i = 1, 1e9 do task.spawn(function() wait(1000) end) end", "Limits.tasks"),
    "deferred": ("local function f() task.defer(f) task.defer(f) end f()", "Limits."),
    "spawns": ("for i = 1, 1e9 do entity.spawn('witness') end", "Limits.spawns"),
    "entities": ("for i = 1, 40 do entity.spawn('hostile') end", "Limits.entities"),
    "log": ("for i = 1, 2000 do log.info(i) end", "Limits.log"),
    "long lines": ("for i = 1, 1e9 do print(('x'):rep(100000)) end", "Limits."),
    "subscriptions": ("for i = 1, 1e9 do bus.on('x' .. i, print) end", "Limits.subscriptions"),
    "problems": ("for i = 1, 2000 do task.spawn(error, 'problem ' .. i, 0) end", "more than 100 failures in one tick"),
    "long problem": ("error(('x'):rep(1e6))", "xxxx"),
}


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize("name", FLOODS)
@pytest.mark.row("G5")
def test_a_flood_is_bounded_and_named(lua, name):
    table = {key: code for key, (code, _) in FLOODS.items()}
    limits = {"tasks": 2000, "spawns": 50, "entities": 500, "subscriptions": 1000, "outbox": 2**20, "mailbox": 2000}
    limits |= {"instructions": 2_000_000, "seconds": None}

    said = outcome(lua, table, name, IN_TASK, limits=limits, frames=3)

    assert any(FLOODS[name][1] in problem[0] for problem in said["problems"]), said["problems"]
    assert all(len(problem[0]) <= 2100 for problem in said["problems"])
    assert len(said["log"]) <= 1000
    assert said["entities"] <= 503
    assert said["witness"], "the witnesses lost a frame or an event"
    assert said["units"] < MOST


# Little for the script, much for whoever works for it: each once took a minute or more.
OVERWORK = {
    "tasks that defer others": "local function f() task.defer(f) end for i = 1, 5e3 do task.defer(f) end",
    "the same near the limit of memory": "local s = ('x'):rep(4e7) "
    "local function f() task.defer(f) end for i = 1, 5e3 do task.defer(f) end wait() print(#s)",
    "clean-ups that start tasks": "local function f() task.finally(f) task.spawn(f) end f()",
    "clean-ups of clean-ups": "local function f() task.finally(f) end f()",
    "loops that wait for this frame": "for i = 1, 2000 do task.spawn(function() wait() while true do end end) end",
    "loops that sleep": "for i = 1, 2000 do task.delay(0.01, function() while true do end end) end",
    "garbage near the limit of memory": "local t = {} for i = 1, 620 do t[i] = ('x'):rep(1e5 + i) end "
    "while true do local s = ('y'):rep(2e5) .. '' end",
    "a long line": "while true do print(table.unpack({}, 1, 2e5)) end",
    "many arguments": "while true do draw.text(table.unpack({}, 1, 2e5)) end",
    "one who hears all a thousand times": "for i = 1, 999 do bus.on('x', print) end wait() "
    "for i = 1, 6 do bus.emit('x') end",
    "one who is sent all a thousand times": "for i = 1, 999 do bus.on('x', print) end wait() "
    "for i = 1, 6 do bus.send(entity.id, 'x') end",
    "one who hears everything, under any name": "for i = 1, 9000 do bus.on('*', function() end) end "
    "for i = 1, 4000 do bus.emit('x' .. i) end",
    "requests that are given up": "bus.handle('x', function() wait(9) end) for i = 1, 15000 do "
    "task.spawn(pcall, bus.request, entity.id, 'x', nil, 0) end",
    "names of many parts": "bus.on('a.*', print) for i = 1, 500 do bus.emit(('a.'):rep(3e4)) end",
    "libraries that there are not": "for i = 1, 1e5 do pcall(require, 'no' .. i) end",
    "scripts that there are not": "for i = 1, 1e5 do pcall(entity.spawn, 'no' .. i) end",
}


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize("name", OVERWORK)
@pytest.mark.row("G5")
def test_what_works_for_a_script_is_bounded_too(lua, name):
    said = outcome(lua, OVERWORK, name, IN_TASK, frames=2, limits={"tasks": 20_000, "instructions": 2_500_000})

    assert not any("state broke" in problem[0] and "memory" not in problem[0] for problem in said["problems"])
    assert said["witness"], "the witnesses lost a frame or an event"
    assert said["units"] < MOST


TABLES = {
    "one in itself": "local p = {} p.p = p return { properties = { p = p } }",
    "one in itself, twice": "local p = {} p[1], p[2] = p, p return { properties = { p } }",
    "two to the power of sixty": "local p = {} for i = 1, 60 do p = { p, p } end return { properties = p }",
    "two to the power of thirty": "local p = {} for i = 1, 30 do p = { p, p } end return { properties = { p } }",
    "too deep": "local p = {} for i = 1, 1e5 do p = { p } end return { properties = p }",
}


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.parametrize("name", TABLES)
@pytest.mark.row("G2")
def test_properties_that_cannot_be_copied_are_an_error_of_their_script(lua, name):
    said = outcome(lua, TABLES, name, "{}")

    [problem] = said["problems"]
    assert problem[:2] == [
        "properties: more than 32 levels of tables, or 10000 tables, or one that contains itself",
        "scripts/hostile.lua",
    ]
    assert said["witness"]
    assert said["units"] < MOST


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.row("G5")
def test_of_the_methods_of_a_script_some_are_looked_at_for_misspelt_hooks(lua):
    update = "('update'):gsub('.', function(c) i = (i - i % 3) / 3 return c .. ('_'):rep(i % 3) end)"
    source = f"local h = {{}} for n = 3, 2000 do local i = n h[({update})] = print end "
    source += "for i = 1, 1e5 do h['x' .. i] = print end h[('on_'):rep(1e6)] = print return h"

    (said,) = outcomes(lua, json.dumps([{"source": source}]))

    assert sum(problem[3] for problem in said["problems"]) == 200
    assert said["units"] < MOST


@pytest.mark.parametrize("lua", VERSIONS)
@pytest.mark.row("G6")
def test_thousands_of_generated_scripts_neither_crash_nor_hang_nor_touch_a_witness(lua):
    said = run_module("generator", "--lua", lua, "--count", "5000", "--seed", "1")

    assert "5000 scripts" in said
