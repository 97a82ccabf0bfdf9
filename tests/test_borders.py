"""Each limit lets the last one pass and refuses the next, and says which it is, its value, the line and the way out."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine import EngineError, LimitError, Limits, World
from engine.limits import limits_for
from engine.problems import MOST_PLACES, Problems
from helpers import ticks

pytestmark = pytest.mark.row("G5")

FREE = Limits.off()  # of what LuaJIT cannot hold
PUC = ["lua55", "lua54"]

EVENTS = '"x" would be event 21 of this state in one tick, the limit is 20'
AT_A_LINE = {
    "tasks": ("task.spawn(wait, 9)", "tasks", "entity 1 has 20 live tasks", "end some, or raise"),
    "subscriptions": ("bus.on('x' .. i, print)", "subscriptions", "entity 1 has 20 subscriptions", "cancel those"),
    "spawns": ("entity.spawn('idle')", "spawns", "entity 1 has spawned 20 in this frame", "in between, or raise"),
    "emitted": ("bus.emit('x', i)", "mailbox", EVENTS, "in between, or raise"),
    "sent": ("bus.send(1, 'x', i)", "mailbox", EVENTS, "in between, or raise"),
    "log": ("log.info(i)", "log", "more than 20 lines in one frame", "Log less, or raise"),
}


@pytest.fixture(params=["of the world", "of the script"])
def whose(request: pytest.FixtureRequest) -> str:
    """A limit holds for all scripts, or for one."""
    return str(request.param)


@pytest.fixture
def limited(make_world: Callable[..., World], whose: str) -> Callable[[Limits], World]:
    """A world in which the script "many" has these limits."""

    def make(limits: Limits) -> World:
        if whose == "of the world":
            return make_world(limits=limits)
        world = make_world(limits=FREE)
        world.limit("ma*", limits)
        return world

    return make


@pytest.fixture
def problems_of(limited: Callable[[Limits], World], scripts: Any) -> Callable[..., list[Any]]:
    """The problems of an entity that does something `n` times in its `start`, under some limits."""
    scripts.write("idle", "return {}")

    def run(action: str, n: int, limits: Limits, frames: int = 1, setup: Any = None) -> list[Any]:
        head = "local many = {}\nfunction many:start()\nfor i = 1, self.n do\n"
        scripts.write("many", f"{head}{action}\nend\nend\nreturn many")
        world = limited(limits)
        if setup is not None:
            setup(world)
        world.spawn("many", n=n)
        ticks(world, frames)
        return world.problems

    return run


@pytest.mark.parametrize(("action", "limit", "what", "cure"), AT_A_LINE.values(), ids=AT_A_LINE)
def test_a_limit_lets_as_many_pass_as_it_says_and_names_the_line_of_the_next(problems_of, action, limit, what, cure):
    limits = FREE.but(**{limit: 20})

    below, at, over = (problems_of(action, n, limits) for n in (19, 20, 21))

    assert (below, at) == ([], [])
    [problem] = over
    assert (problem.script, problem.line) == ("scripts/many.lua", 4)
    assert what in problem.message
    assert f"Limits.{limit}" in problem.message
    assert cure in problem.message


@pytest.mark.parametrize("whose", ["of the world"])
def test_the_world_holds_as_many_entities_as_the_limit_says(problems_of, whose):
    limits = FREE.but(entities=10)

    below, at, over = (problems_of("entity.spawn('idle')", n, limits) for n in (8, 9, 10))

    assert (below, at) == ([], [])
    assert [str(problem) for problem in over] == [
        "scripts/many.lua:4: entity.spawn: the world has 10 entities, the limit for scripts (Limits.entities); destroy "
        "some, or raise the limit"
    ]


def test_there_are_as_many_entities_of_a_script_as_its_own_limit_says(make_world, scripts):
    scripts.write("idle", "return {}")
    scripts.write("many", "return { start = function(self)\nfor i = 1, self.n do\nentity.spawn('idle')\nend end }")

    def said(n: int) -> list[str]:
        world = make_world(limits=FREE)
        world.limit("idle", FREE.but(entities=5))
        world.spawn("idle")
        world.spawn("many", n=2)
        world.spawn("many", n=n)
        return [str(problem) for problem in world.problems]

    assert (said(1), said(2)) == ([], [])
    assert said(3) == [
        'scripts/many.lua:3: entity.spawn: there are 5 entities of "idle", the limit for it (Limits.entities); destroy '
        "some, or raise the limit"
    ]


def test_the_game_may_make_more_entities_than_scripts_may(make_world, scripts):
    scripts.write("idle", "return {}")
    world = make_world(limits=FREE.but(entities=2))

    for _ in range(5):
        world.spawn("idle")

    assert len(world.entities) == 5


# What a script puts, and the bytes that it counts: 256 for each operation, those of strings, 8 for each other value.
PUTS = {
    "short": ("bus.emit('x', ('y'):rep(1000))", 256 + len("x") + 8 + 8 + len(".") + 1_000),
    "long": ("bus.emit('x', ('y'):rep(60000))", 256 + len("x") + 8 + 8 + len(".") + 60_000),
    "send": ("bus.send(7, 'x')", 256 + len("x") + 8 + 8 + len("_")),
    "on": ("bus.on('name', print)", 256 + 8 + len("name") + 8),
    "shared": ("shared.set('key', true)", 256 + len("key") + 8 + 8 + len(".") + 8),
    "destroy": ("entity.destroy(99)", 256 + 8),
    "tag": ("entity.tag('tall')", 256 + len("tall")),
    "spawn": ("entity.spawn('idle')", 256 + len("idle") + 8 + 8 + len("{}")),
    "log": ("print('words')", 256 + len("info") + len("words") + len("scripts/many.lua") + 8),
    "plain command": ("draw.text('hi', 1, 2)", 256 + len("hi") + 8 + 8),
    "command": ("draw.line(1, 2, 3, 4, { 5 })", 256 + len("draw") + len("line") + 8 + len("[4.[.]]") + 5 * 8),
}  # fmt: skip


@pytest.mark.parametrize("put", PUTS)
def test_a_tick_tells_the_world_as_much_as_the_limit_says(problems_of, put):
    action, size = PUTS[put]

    def refused(most: int, n: int) -> list[Any]:
        return problems_of(action, n, FREE.but(outbox=most))

    border = 2 * 256 + 3 * 8 + 20 * size  # `start` comes after two operations of the engine
    assert (refused(border, 20), refused(border - 1, 19)) == ([], [])
    for [problem] in (refused(border, 21), refused(border - 1, 20)):
        assert (problem.script, problem.line) == ("scripts/many.lua", 4)
        assert "to be told to the world in one tick, the limit (Limits.outbox)" in problem.message
        assert "or raise the limit" in problem.message


def test_a_payload_has_as_many_bytes_as_the_limit_says(problems_of):
    """A string counts its bytes and some for its place."""

    def refused(n: int) -> list[Any]:
        return problems_of(f"bus.emit('x', ('y'):rep({n}))", 1, FREE.but(payload=500))

    border = next(n for n in range(400, 600) if refused(n))

    assert refused(border - 1) == []
    assert 480 <= border <= 501
    assert re.search(r"bus.emit: payload.* 500 bytes", refused(border)[0].message)


def test_a_payload_has_as_many_levels_as_the_limit_says(problems_of):
    def refused(levels: int) -> list[Any]:
        return problems_of(
            f"local t = {{}} for _ = 2, {levels} do t = {{ t }} end bus.emit('x', t)", 1, FREE.but(depth=5)
        )

    assert (refused(4), refused(5)) == ([], [])
    assert "5 levels" in refused(6)[0].message
    assert refused(6)[0].line == 4


def test_a_mailbox_holds_as_many_events_as_the_limit_says(make_world, scripts):
    scripts.write("idle", "return {}")

    def sent(n: int) -> World:
        world = make_world(limits=FREE.but(mailbox=10))
        idle = world.spawn("idle")
        for _ in range(n):
            world.bus.send(idle, "x")
        return world

    for n in (9, 10):
        sent(n).tick(0.1)
    with pytest.raises(
        EngineError, match=r"mailbox of entity 1 is full \(10 events, Limits.mailbox\).*raise the limit"
    ):
        sent(11).tick(0.1)


@pytest.mark.parametrize("way", ["send(1, 'noise')", "emit('noise')"])
def test_a_script_that_fills_its_own_mailbox_does_not_make_the_frame_of_the_game_raise(make_world, scripts, way):
    noise = f"for i = 1, 10 do bus.{way} end"
    start = f"bus.on('tick', print) bus.on('noise', function() bus.{way} end) {noise}"
    scripts.write("hoarder", f"return {{ start = function() {start} end }}")
    world = make_world(limits=FREE.but(mailbox=10))
    hoarder = world.spawn("hoarder")

    for _ in range(3):
        world.tick(0.1)
        world.bus.emit("tick")
        world.bus.send(hoarder, "tick")
    world.tick(0.1)

    assert hoarder.alive
    [problem] = [each for each in world.problems if '"tick" from the game was not delivered' in each.message]
    assert (problem.entity, problem.script, problem.count) == (hoarder.id, "scripts/hoarder.lua", 6)
    assert "mailbox of entity 1 is full (10 events, Limits.mailbox)" in problem.message


FAILING = {
    "update": "update = fail",
    "fixed_update": "fixed_update = fail",
    "late_update": "late_update = fail",
    "on_event": "on_event = fail",
    "on_input": "on_input = fail",
    "tick": "start = function(self) bus.on('tick', function() fail(self) end) end",
    "change": "start = function(self) shared.watch('change', function() fail(self) end) end",
    "ask": "start = function(self) bus.handle('ask', function() fail(self) end) end",
    "task.every at scripts/many.lua:2": "start = function(self) task.every(0.1, function() fail(self) end) end",
}


@pytest.mark.parametrize(("name", "code"), FAILING.items(), ids=[name.split()[0] for name in FAILING])
def test_a_callback_may_fail_as_often_in_a_row_as_the_limit_says(limited, scripts, name, code):
    fail = "local function fail(self) self.n = (self.n or 0) + 1 error('no') end"
    scripts.write("many", f"{fail}\nreturn {{ {code} }}")
    world = limited(FREE.but(errors=3))
    world.fixed_step = 0.1
    many = world.spawn("many")

    def happen(times: int) -> None:
        for n in range(times):
            world.shared.set("change", n)
            world.bus.emit("tick")
            world.bus.send(many, "event")
            world.input.press(f"key {n}")
            if name == "ask":
                world.bus.request(many, "ask")
            world.tick(0.1)

    happen(2)
    before = list(world.problems)
    happen(6)

    assert [problem.message for problem in before] == ["no"]
    failed, paused = world.problems
    assert (failed.count, failed.line) == (3, 1)
    assert paused.message == f'"{name}" failed 3 times in a row and is paused until its script reloads'
    assert "raise the limit (Limits.errors)" in paused.outcome
    with many.self.upgrade() as self_:
        assert self_["n"] == 3


@pytest.mark.parametrize("lua", PUC)
def test_a_state_may_be_stopped_three_times_as_often_as_a_callback_may_fail(limited, scripts, lua):
    loop = "task.delay(i / 10, function() while true do end end)"
    scripts.write("many", f"return {{ start = function() for i = 1, 9 do {loop} end end }}")
    world = limited(FREE.but(errors=2, instructions=10_000))
    many = world.spawn("many")

    ticks(world, 5, 0.101)
    at = many.alive
    ticks(world, 1, 0.101)

    assert (at, many.alive) == (True, False)
    assert "stopped 6 times within 600 frames (3 times Limits.errors)" in world.problems[-1].message


def border(passes: Callable[[int], bool], low: int, high: int) -> int:
    """The last number that passes, of those from `low`, which does, to `high`, which does not."""
    assert passes(low) and not passes(high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    return low


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.parametrize("isolation", ["entity"])
def test_a_tick_has_as_many_instructions_as_the_limit_says_the_same_on_every_run(limited, scripts, lua, isolation):
    scripts.write("many", "local many = {}\nfunction many:start()\nfor i = 1, self.n do end\nend\nreturn many")

    def said(n: int) -> list[Any]:
        world = limited(FREE.but(instructions=100_000))
        world.spawn("many", n=n)
        return world.problems

    last = border(lambda n: not said(n), 1_000, 200_000)

    assert 95_000 < last <= 101_000
    for _ in range(2):
        assert said(last) == []
        [problem] = said(last + 1)
        assert problem.script == "scripts/many.lua"
        assert problem.line in (3, 4), "the next instruction is that of the function's end"
        assert "100,000 instructions in one tick, the limit (Limits.instructions)" in problem.message
        assert "or raise the limit" in problem.message


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.parametrize("isolation", ["entity"])
def test_a_tick_has_as_many_seconds_as_the_limit_says(limited, scripts, lua, isolation):
    """Processor time is what the machine makes of it: far below passes, far above does not."""
    scripts.write("many", "local many = {}\nfunction many:start()\nfor i = 1, self.n do end\nend\nreturn many")

    def said(n: int) -> list[Any]:
        world = limited(FREE.but(seconds=0.3))
        world.spawn("many", n=n)
        return world.problems

    assert said(10_000) == []
    [problem] = said(10**9)
    assert (problem.script, problem.line) == ("scripts/many.lua", 3)
    assert "stopped after 0.3 seconds in one tick, the limit (Limits.seconds)" in problem.message
    assert "or raise the limit" in problem.message


KEPT = {
    "string.rep": "kept = string.rep('x', n)",
    "concatenation": "kept = string.rep('x', n // 2) .. string.rep('y', n - n // 2)",
    "strings": "kept = {} for i = 1, 900 do kept[i] = string.rep('x', 999) .. i end kept[901] = string.rep('x', n)",
    "table": "kept = {} for i = 1, n // 16 do kept[i] = i end kept.rest = string.rep('x', n % 16 + 100)",
    "coroutines": "kept = {} for i = 1, 500 do kept[i] = coroutine.create(print) end kept.rest = string.rep('x', n)",
}


@pytest.mark.parametrize("lua", PUC)
@pytest.mark.parametrize("isolation", ["entity"])
@pytest.mark.parametrize("what", KEPT)
def test_a_state_has_as_many_bytes_as_the_limit_says_on_every_run(limited, scripts, lua, isolation, what):
    """Counted by Lua, when all garbage is gone: a longer string needs as much more in the limit.

    Tables that have lost keys grow sooner or later by where their keys lie in memory, so the border moves a little.
    """
    scripts.write("many", f"local many = {{}}\nfunction many:start()\nlocal n = self.n\n{KEPT[what]}\nend\nreturn many")

    def said(n: int, memory: int) -> list[Any]:
        world = limited(FREE.but(memory=memory))
        world.spawn("many", n=n)
        world.tick(0.1)
        return world.problems

    def least(n: int) -> int:
        return -border(lambda memory: not said(n, -memory), -(2**23), -(2**20))

    n, slack = 1_500_000, 2048
    needed = least(n)
    for more in (0, 0, 1_000_000 if what != "table" else 0):
        assert said(n + more, needed + more + slack) == []
        assert "(Limits.memory)" in said(n + more, needed + more - slack)[-1].message
    over = said(n, needed - slack)[-1]
    assert "or raise the limit" in over.message
    assert over.script == "scripts/many.lua"
    assert over.line in (2, 4), "where it runs, or where the hook begins when a state is over at the end of its tick"


def test_there_are_as_many_shared_values_as_there_may_be(problems_of, monkeypatch):
    monkeypatch.setattr("engine.shared.MOST_KEYS", 20)

    def used(world: World) -> None:
        world.shared.set("of the game", 1)

    below, at, over = (problems_of("shared.set('k' .. i, i)", n, FREE, setup=used) for n in (18, 19, 20))

    assert (below, at) == ([], [])
    assert [str(problem) for problem in over] == [
        "scripts/many.lua:4: shared.set: there are 20 shared values, and no room for 'k20'; set some to nil, or keep "
        "tables of more"
    ]


def test_a_shared_value_that_is_there_can_be_set_again_and_a_removed_one_leaves_room(problems_of, monkeypatch):
    monkeypatch.setattr("engine.shared.MOST_KEYS", 2)

    found = problems_of("shared.set('a', i) shared.set('b', i) shared.set('b', nil) wait() shared.set('c', i) wait() "
                        "shared.set('c', nil) wait()", 3, FREE, frames=20)  # fmt: skip

    assert found == []


def test_an_entity_has_as_many_tags_as_it_may(problems_of):
    below, at, over = (problems_of("entity.tag('t' .. i)", n, FREE) for n in (999, 1000, 1001))

    assert (below, at) == ([], [])
    assert [str(problem) for problem in over] == [
        "scripts/many.lua:4: entity.tag: entity 1 has 1000 tags and gets no more; keep data about it in self"
    ]


def test_a_tag_that_is_there_counts_once(problems_of):
    assert problems_of("entity.tag('t' .. i % 10)", 3000, FREE) == []


def test_a_tick_has_as_many_problems_as_it_may(problems_of):
    at, over = (problems_of("task.spawn(error, 'no ' .. i)", n, FREE) for n in (100, 101))

    assert sum(problem.count for problem in at) == 100
    assert sum(problem.count for problem in over) == 101
    assert over[-1].message == "more than 100 failures in one tick; the others are not shown"


def test_the_world_keeps_as_many_places_of_problems_as_it_may():
    problems = Problems(print)

    for line in range(1, MOST_PLACES + 1):
        problems.record("no", frame=1, script="scripts/door.lua", line=line)
    at = len(problems.all())
    for line in (5_000, 5_001):
        problems.record("no", frame=1, script="scripts/door.lua", line=line)

    assert (at, len(problems.all())) == (MOST_PLACES, MOST_PLACES + 1)
    assert problems.all()[-1].message == f"more than {MOST_PLACES} different problems; the newest: no"
    assert problems.all()[-1].count == 2


@pytest.mark.parametrize("length", [1_999, 2_000, 2_001, 50_000])
def test_a_problem_has_as_many_bytes_as_it_may(problems_of, length):
    [problem] = problems_of(f"error(('x'):rep({length}), 0)", 1, FREE)

    assert len(problem.message) <= min(length, 2_000)
    assert len(problem.message) >= min(length, 2_000) - 3


@pytest.mark.parametrize(("length", "told"), [(3_999, 3_999), (4_000, 4_000), (4_001, 4_003)])
def test_a_line_of_the_log_has_as_many_bytes_as_it_may(make_world, scripts, length, told):
    scripts.write("many", f"return {{ start = function() print(('x'):rep({length})) end }}")
    world = make_world()

    world.spawn("many")

    assert len(world.log[-1].text) == told


@pytest.mark.parametrize("name", ["instructions", "seconds", "memory"])
def test_luajit_refuses_each_limit_that_it_cannot_hold_by_name(name):
    asked = FREE.but(**{name: 2**30})

    with pytest.raises(
        LimitError, match=rf"luajit21 cannot hold limits on {name}: .* loops cannot be stopped\. Use lua55"
    ):
        limits_for("luajit21", asked)


def test_luajit_takes_the_limits_that_hold_there():
    held = FREE.but(tasks=1, log=1, errors=1)

    assert limits_for("luajit21", held) == held
