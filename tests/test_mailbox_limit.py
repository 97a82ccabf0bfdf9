"""A full mailbox is a problem of who sends, with the line of the event that found no room."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from engine import Limits, World
from helpers import ticks

pytestmark = pytest.mark.row("G5")

HEARER = """
local hearer = {}
function hearer:start()
  for _ = 1, self.times or 1 do
    bus.on("news.*", function() end)
  end
end
return hearer
"""

FREE = Limits.off()  # of what LuaJIT cannot hold


def flood(call: str, n: int) -> str:
    return f"local flood = {{}}\nfunction flood:start()\nwait()\nfor i = 1, {n} do\n{call}\nend\nend\nreturn flood\n"


@pytest.fixture
def first_problem(make_world: Callable[..., World], scripts: Any) -> Callable[..., Any]:
    """What is said first of a script that floods the mailbox of entity 1, where entity 2 put `filled` events before."""

    def run(source: str, limits: Limits, *, times: int = 1, filled: int = 0) -> Any:
        scripts.write("hearer", HEARER)
        scripts.write("filler", flood('bus.emit("news.filler")', filled))
        scripts.write("flood", source)
        world = make_world(limits=limits)
        for name in ("hearer", "filler", "flood"):
            world.spawn(name, times=times)
        world.tick(0.1)
        return world.problems[0]

    return run


@pytest.mark.parametrize("mailbox", [8, 200, 20_000])
@pytest.mark.parametrize("call", ['bus.emit("news." .. i, i)', 'bus.send(1, "news." .. i)'])
def test_a_script_that_floods_a_mailbox_is_told_its_own_line_with_the_first_event_that_is_lost(
    first_problem, call, mailbox
):
    problem = first_problem(flood(call, mailbox // 4 + 2), FREE.but(mailbox=mailbox), times=5)

    assert (problem.script, problem.line, problem.entity) == ("scripts/flood.lua", 5, 3)
    assert problem.source == call
    assert f"the mailbox of entity 1 is full ({mailbox} events, Limits.mailbox)" in problem.message
    assert re.search(r'"news\.\d+" from entity 3 was not delivered; send less, or raise the limit$', problem.message)


def test_the_line_is_known_too_where_others_had_nearly_filled_the_mailbox(first_problem):
    problem = first_problem(flood('bus.emit("news." .. i)', 60), FREE.but(mailbox=100), filled=95)

    assert (problem.script, problem.line) == ("scripts/flood.lua", 5)


def test_a_script_that_sends_little_is_told_the_only_line_that_names_the_event(first_problem):
    problem = first_problem(flood('bus.emit("news.today", i)', 1), FREE.but(mailbox=100), filled=100)

    assert (problem.script, problem.line) == ("scripts/flood.lua", 5)


def test_a_script_that_sends_little_from_several_lines_is_told_them_all(first_problem):
    calls = 'bus.emit("news.today", i)\nbus.emit("other")\nbus.send(1, "news.today", i)'

    problem = first_problem(flood(calls, 1), FREE.but(mailbox=100), filled=100)

    assert (problem.script, problem.line) == ("scripts/flood.lua", 5)
    assert "It was sent at scripts/flood.lua:5 or scripts/flood.lua:7" in problem.message


def test_where_no_line_names_the_event_those_that_send_are_told(first_problem):
    calls = "\n".join(f'bus.emit("news." .. i + {n})' for n in range(6))

    problem = first_problem(flood(calls, 1), FREE.but(mailbox=100), filled=100)

    assert (problem.script, problem.line) == ("scripts/flood.lua", 5)
    assert re.search(r"It was sent at scripts/flood.lua:5 or .*:6 or .*:7 or .*:8, or later", problem.message)


def test_of_two_lines_each_is_told_of_its_own_events(make_world, scripts):
    scripts.write("hearer", HEARER)
    scripts.write("flood", flood('bus.emit("news." .. i)\nbus.emit("news." .. -i)', 40))
    world = make_world(limits=FREE.but(mailbox=100))
    world.spawn("hearer", times=2)
    world.spawn("flood")

    world.tick(0.1)

    assert [(problem.script, problem.line, problem.count) for problem in world.problems] == [
        ("scripts/flood.lua", 5, 15),
        ("scripts/flood.lua", 6, 15),
    ]


def test_a_library_that_sends_is_told_its_own_line(make_world, scripts):
    scripts.write("hearer", HEARER)
    scripts.write("lib/news", "local news = {}\nfunction news.tell(i)\n  bus.emit('news.' .. i)\nend\nreturn news\n")
    scripts.write("flood", flood("require('lib.news').tell(i)", 60))
    world = make_world(limits=FREE.but(mailbox=100))
    world.spawn("hearer", times=2)
    world.spawn("flood")

    world.tick(0.1)

    assert [(problem.script, problem.line) for problem in world.problems] == [("scripts/lib/news.lua", 3)]


@pytest.mark.parametrize("call", ["pcall(bus.emit, 'news.' .. i)", "coroutine.wrap(bus.emit)('news.' .. i)"])
def test_a_function_of_the_bus_that_no_line_calls_is_sent_all_the_same(first_problem, call):
    problem = first_problem(flood(call, 60), FREE.but(mailbox=100), times=2)

    assert problem.script == "scripts/flood.lua"
    assert problem.line in (5, None)


def test_a_request_that_finds_no_room_fails_at_its_line(make_world, scripts):
    scripts.write("asked", "return { start = function() bus.handle('q', function() return 1 end) end }")
    asks = "local flood = {}\nfunction flood:start()\nwait()\nfor i = 1, 6 do\ntask.spawn(function()\n"
    scripts.write("flood", f"{asks}bus.request(1, 'q')\nend)\nend\nend\nreturn flood\n")
    world = make_world(limits=FREE.but(mailbox=20))
    world.limit("asked", FREE.but(mailbox=5))
    world.spawn("asked")
    world.spawn("flood")

    ticks(world, 2)

    [problem] = world.problems
    assert (problem.script, problem.line, problem.count) == ("scripts/flood.lua", 6, 1)
    assert "the mailbox of entity 1 is full (5 events, Limits.mailbox); ask less, or raise the limit" in problem.message


def test_mail_for_an_entity_that_is_not_made_yet_has_the_same_border(make_world, scripts):
    scripts.write("hearer", HEARER)
    send = 'local flood = {}\nfunction flood:start()\nwait()\nlocal id = entity.spawn("hearer")\n'
    for name, n in (("below", 5), ("flood", 6)):
        scripts.write(name, f"{send}for i = 1, {n} do\nbus.send(id, 'news.' .. i)\nend\nend\nreturn flood\n")

    def said(name: str) -> list[Any]:
        world = make_world(limits=FREE.but(mailbox=5))
        world.limit("flood", FREE.but(mailbox=50))
        world.spawn(name)
        world.tick(0.1)
        return [(problem.script, problem.message) for problem in world.problems]

    assert said("below") == []
    [(script, message)] = said("flood")
    assert script == "scripts/flood.lua"
    assert 'is full (5 events, Limits.mailbox): "news.6" from entity 1 was not delivered' in message


@pytest.mark.parametrize(("world_limit", "own"), [(10, 20), (20, 10), (None, 10), (10, None)])
def test_a_script_can_have_a_mailbox_of_its_own_size(make_world, scripts, world_limit, own):
    scripts.write("own", HEARER)
    scripts.write("other", HEARER)

    def lost(n: int, script: str) -> bool:
        world = make_world(limits=FREE.but(mailbox=world_limit))
        world.limit("own", FREE.but(mailbox=own))
        entity = world.spawn(script)
        for _ in range(n):
            world.bus.send(entity, "news.x")
        try:
            world.tick(0.1)
        except Exception as error:
            assert "Limits.mailbox" in str(error)
            return True
        return False

    for script, most in (("own", own), ("other", world_limit)):
        if most is not None:
            assert (lost(most, script), lost(most + 1, script)) == (False, True)
        else:
            assert not lost(100, script)
