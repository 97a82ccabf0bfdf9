"""Makes hostile scripts from a grammar and known attacks, and runs them beside a witness.

The same seed makes the same scripts. `python -m generator --lua lua55 --count 10000 --seed 1` runs them in this
process, which is expected to survive; `--hours 8` goes on with new seeds. What goes wrong is printed with its source.
"""

import argparse
import logging
import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from engine import Limits, World
from hostile import WITNESS

BATCH = 50
FRAMES = 3
LIMITS = Limits(instructions=20_000, memory=2 * 2**20, seconds=0.1, outbox=2**18, spawns=3, entities=200, tasks=200)

NAMES = ("'noise'", "'*'", "'a.*'")

ATTACKS = (
    "while true do end",
    "pcall(function() while true do end end)",
    "xpcall(error, function() while true do end end)",
    "coroutine.wrap(function() while true do end end)()",
    "local function f() pcall(f) pcall(f) end f()",
    "local function f() return 1 + f() end f()",
    "local s = 'xxxx' while true do s = s .. s .. s end",
    "local t = {} while true do t[#t + 1] = {} end",
    "return string.rep('x', 1 << 50)",
    "string.find(string.rep('a', 3000), string.rep('a?', 30) .. 'b')",
    "string.gsub(string.rep('a', 2000), '.-.-.-b', '')",
    "table.sort({ 3, 1, 2 }, function() while true do end end)",
    "table.move({}, 1, 1 << 60, 2)",
    "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 1)",
    "local x <close> = setmetatable({}, { __close = function() while true do end end }) error('x')",
    "load(string.rep('(', 10000))",
    "load('return ' .. string.rep('{', 150) .. string.rep('}', 150))()",
    "for i = 1, 1e9 do bus.emit('noise', i) end",
    "for i = 1, 1e9 do task.spawn(function() wait(9) end) end",
    "for i = 1, 1e9 do task.defer(error, i) end",
    "for i = 1, 1e9 do bus.on('noise', error) end",
    "for i = 1, 1e9 do print(i) end",
    "for i = 1, 1e9 do coroutine.create(print) end",
    "error(setmetatable({}, { __tostring = function() while true do end end }))",
    "error(setmetatable({}, { __index = error, __metatable = 1 }))",
    "self.x = setmetatable({}, { __eq = function() while true do end end }) self.y = self.x",
    "self.sprite = setmetatable({}, { __eq = function() while true do end end })",
    "task.finally(function() while true do end end)",
    "local function f() task.defer(f) task.defer(f) end for i = 1, 100 do task.defer(f) end",
    "local function f() task.finally(f) task.spawn(f) end f()",
    "local p for i = 1, 500 do local q = p p = task.spawn(function() "
    "task.finally(function() task.cancel(q) end) wait(9) end) end task.cancel(p)",
    "print(table.unpack({}, 1, 1e5))",
    "draw.text(table.unpack({}, 1, 1e5))",
    "bus.handle('noise', function() wait(9) end) "
    "for i = 1, 1e5 do task.spawn(pcall, bus.request, entity.id, 'noise', nil, 0) end",
    "bus.emit(string.rep('a.', 5e4))",
    "for i = 1, 1e4 do pcall(require, 'no' .. i) end",
    "for i = 1, 100 do shared.set('k' .. i, string.rep('x', 60000)) end",
    "local t t = setmetatable({}, { __tostring = function() return tostring(t) end }) print(t)",
    "local function f(n) return coroutine.wrap(f)(n + 1) end f(1)",
    "string.format(string.rep('%99d', 200), 1)",
    "string.pack('!16 i16 s', 1 << 60, 'x')",
    "string.unpack(string.rep('z', 1000), 'x')",
    "utf8.char(0x7fffffff):rep(1e5)",
    "coroutine.close(coroutine.running())",
    "rawset(_G, 'wait', nil) rawset(_G, 'pcall', error)",
    "setmetatable(self, nil) rawset(self, 'x', 0 / 0)",
)

_VALUES = r"""
nil
true
0
-1
1e308
0/0
1 << 62
math.mininteger
2.5
'x'
''
('x'):rep(5000)
{}
{ 1, 2, 3 }
self
_G
print
string
error
coroutine.running()
t
f
co
m
'\0'
function(...) return ... end
function() error(t) end
function() wait() end
'%'
'[^a-]*%1'
'(.-)*'
{ [1] = 1, [1 << 53] = 2 }
setmetatable({}, m)
setmetatable({ 1 }, { __index = f })
event
"""
VALUES = [line for line in _VALUES.splitlines() if line]

METAMETHODS = ("__index", "__newindex", "__len", "__eq", "__lt", "__concat", "__call", "__tostring", "__pairs", "__unm")

_CALLS = """
string.find string.gsub string.gmatch string.match string.rep string.format string.byte string.sub string.pack
string.unpack string.char table.insert table.remove table.sort table.concat table.unpack table.move table.pack
utf8.char utf8.codepoint utf8.len pcall xpcall select rawget rawset rawequal rawlen next pairs ipairs tostring
tonumber load setmetatable getmetatable error assert require collectgarbage type coroutine.create
coroutine.resume coroutine.wrap coroutine.close coroutine.status coroutine.yield task.spawn task.defer
task.delay task.cancel task.every task.wait_until task.wait_event wait task.finally bus.on bus.once bus.emit
bus.send bus.request bus.handle entity.spawn entity.find entity.tag shared.get shared.set shared.watch
math.random math.randomseed log.info print draw.text sprite.play time.now input.down os.time math.floor
math.max
"""
CALLS = _CALLS.split()


T = TypeVar("T")


class Writer:
    """Writes one script."""

    def __init__(self, seed: object) -> None:
        self._choose = random.Random(str(seed))

    def script(self) -> str:
        hook = self._pick(("init", "start", "update", "start", "late_update", "on_event"))
        lines = "\n".join(self._statement(0) for _ in range(self._choose.randint(1, 5)))
        return (
            "local h = {}\nlocal t, m = {}, { __index = error, __mode = 'k' }\n"
            "local f, event = function(...) return ... end, {}\n"
            f"local co = coroutine.create(f)\nfunction h:{hook}(event)\n{lines}\nend\nreturn h\n"
        )

    def _statement(self, depth: int) -> str:
        choose = self._choose
        kind = choose.randrange(12 if depth < 3 else 4)
        if kind < 3:
            return f"local _ = {self._call(depth)}"
        if kind == 3:
            return f"do {self._pick(ATTACKS)} end"
        body = f"{self._statement(depth + 1)} {self._statement(depth + 1)}"
        makers: tuple[Callable[[], str], ...] = (
            lambda: f"pcall(function(...) {body} end, {self._value(depth)})",
            lambda: f"xpcall(function() {body} end, function(e) {self._statement(depth + 1)} return e end)",
            lambda: f"coroutine.wrap(function() {body} coroutine.yield() end)()",
            lambda: f"task.spawn(function() {body} end)",
            lambda: f"task.spawn(function() wait() {body} end)",
            lambda: f"for i = 1, {self._pick(('3', '1e9'))} do {body} end",
            lambda: f"bus.on({self._pick(NAMES)}, function(event) {body} end)",
            lambda: f"m.{self._metamethod()} = function(...) {body} end",
            lambda: f"t[#t + 1] = {self._value(depth)} t[{self._key()}] = {self._value(depth)}",
            lambda: f"self.{self._pick(('x', 'y', 'sprite', 'text', 'color', '_a'))} = {self._value(depth)}",
            lambda: f"do local c <close> = setmetatable({{}}, {{ __close = function() {body} end }}) {body} end",
            lambda: f"load({self._value(depth)}, {self._value(depth)}, 'b', {self._value(depth)})",
        )
        return self._pick(makers)()

    def _pick(self, values: Sequence[T]) -> T:
        """`choice` draws bits until they fit, which took a fifth of the time of a run."""
        return values[int(self._choose.random() * len(values))]

    def _metamethod(self) -> str:
        return self._pick(
            ["__index", "__newindex", "__len", "__eq", "__lt", "__concat", "__call", "__tostring", "__pairs", "__unm"]
        )

    def _key(self) -> str:
        key = self._value(3)
        return "1" if key in ("nil", "0/0", "event") else key

    def _value(self, depth: int) -> str:
        return self._call(depth + 1) if depth < 2 and self._choose.random() < 0.2 else self._pick(VALUES)

    def _call(self, depth: int) -> str:
        args = ", ".join(self._value(depth + 1) for _ in range(self._choose.randint(0, 4)))
        return f"{self._pick(CALLS)}({args})"


def run_batch(lua: str, sources: list[str]) -> list[str]:
    """Run these scripts in one world, beside a witness. Returns what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        scripts = Path(folder) / "scripts"
        scripts.mkdir()
        (scripts / "witness.lua").write_text(WITNESS)
        for number, source in enumerate(sources):
            (scripts / f"h{number}.lua").write_text(source)
        with World(scripts, lua=lua, limits=LIMITS) as world:
            world.limit("witness", Limits())
            witness = world.spawn("witness")
            for number in range(len(sources)):
                world.spawn(f"h{number}")
            for _ in range(FRAMES):
                world.bus.emit("tick")
                world.tick(1 / 60)
            with witness.self.upgrade() as self_:
                seen = (self_["updates"], self_["events"])
            wrong = [] if seen == (FRAMES, FRAMES) else [f"the witness saw {seen} instead of {FRAMES} frames"]
            broke = [
                p.message for p in world.problems if "state broke" in p.message and "Limits.memory" not in p.message
            ]
            return wrong + broke


def run(lua: str, seed: int, count: int) -> list[str]:
    """Run `count` scripts of this seed. Returns what went wrong, with the sources of the batch."""
    wrong = []
    for start in range(0, count, BATCH):
        sources = [Writer((seed, number)).script() for number in range(start, min(start + BATCH, count))]
        started = time.process_time()
        problems = run_batch(lua, sources)
        seconds = time.process_time() - started
        if seconds > 30:
            problems.append(f"the batch took {seconds:.1f} s")
        if problems:
            wrong.append(f"seed {seed}, scripts {start}..: {problems}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lua", default="lua55")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--hours", type=float, default=0.0)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    end = time.monotonic() + options.hours * 3600
    seed = options.seed
    wrong = run(options.lua, seed, options.count)
    while not wrong and time.monotonic() < end:
        seed += 1
        wrong = run(options.lua, seed, options.count)
    print(f"{options.lua}: {options.count} scripts of each seed {options.seed}..{seed}")
    raise SystemExit("\n".join(wrong) if wrong else 0)


if __name__ == "__main__":
    main()
