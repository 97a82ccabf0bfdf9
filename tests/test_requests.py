"""Requests: each ends once, with the reply or with an error that says which of four things went wrong."""

import asyncio
from concurrent.futures import Future

import pytest

from engine import (
    EngineError,
    EntityGone,
    LimitError,
    Limits,
    NoHandler,
    RequestTimeout,
    ScriptError,
    World,
    WorldClosed,
)
from helpers import ticks

pytestmark = pytest.mark.row("A12")

KEEPER = """
local keeper = {}
function keeper:start()
  bus.handle("double", function(event) return event.payload * 2 end)
  bus.handle("later", function(event) wait(1) return { from = event.sender, got = event.payload } end)
  bus.handle("fails", function(event) error("no key for " .. event.payload) end)
  bus.handle("never", function() task.wait_until(function() return false end) end)
  bus.handle("nothing", function() end)
  bus.handle("bad", function() return print end)
end
return keeper
"""

ASKER = """
local asker = {}
function asker:start()
  local ok, reply = pcall(bus.request, self.of, self.name, self.with, self.within)
  bus.emit("heard", { ok, reply == nil and "nil" or reply })
end
return asker
"""


@pytest.fixture
def world(make_world, scripts):
    scripts.write("keeper", KEEPER)
    scripts.write("asker", ASKER)
    return make_world()


def ask(world, target, name, payload=None, timeout=None):
    fields = {"of": target if isinstance(target, int) else target.id, "name": name}
    if payload is not None:
        fields["with"] = payload
    if timeout is not None:
        fields["within"] = timeout
    return world.spawn("asker", **fields)


def test_the_reply_reaches_the_asker_only(world, heard):
    keeper = world.spawn("keeper")
    first = ask(world, keeper, "double", 4)
    second = ask(world, keeper, "double", 5)

    ticks(world, 2)

    assert heard == [(first.id, [True, 8]), (second.id, [True, 10])]
    assert world.stats().requests == 0


def test_a_handler_may_wait_and_knows_who_asks(world, heard):
    keeper = world.spawn("keeper")
    asker = ask(world, keeper, "later", {"x": [1, 2]})

    ticks(world, 12, 0.1)

    assert heard == [(asker.id, [True, {"from": asker.id, "got": {"x": [1, 2]}}])]


def test_time_out_dead_target_no_handler_and_a_failing_handler_are_four_errors(world, heard):
    keeper = world.spawn("keeper")
    dying = world.spawn("keeper")
    askers = [
        ask(world, keeper, "never", timeout=0.5),
        ask(world, 999, "double"),
        ask(world, keeper, "unknown"),
        ask(world, keeper, "fails", "you"),
        ask(world, dying, "never"),
    ]

    world.tick(0.1)
    dying.destroy()
    ticks(world, 8, 0.1)

    replies = {who: reply for who, (ok, reply) in heard if not ok}
    assert [replies[asker.id] for asker in askers] == [
        f'bus.request: entity {keeper.id} did not answer "never" within 0.5 s',
        "bus.request: there is no entity 999",
        f'bus.request: entity {keeper.id} has no bus.handle for "unknown"',
        f'bus.request: the handler of "fails" in entity {keeper.id} failed: scripts/keeper.lua:5: no key for you',
        f'bus.request: entity {dying.id} ended before it answered "never"',
    ]
    assert world.stats().requests == 0


def test_the_error_of_a_handler_is_also_its_own_problem(world):
    keeper = world.spawn("keeper")
    ask(world, keeper, "fails", "you")

    ticks(world, 2)

    (problem,) = world.problems
    assert (problem.entity, problem.line, problem.message) == (keeper.id, 5, "no key for you")


def test_an_uncaught_failure_blames_the_askers_line(world, scripts):
    scripts.write("careless", 'return {\n  start = function()\n    bus.request(999, "x")\n  end\n}')
    world.spawn("careless")

    ticks(world, 2)

    (problem,) = world.problems
    assert (problem.script, problem.line) == ("scripts/careless.lua", 3)
    assert problem.message == "bus.request: there is no entity 999"


def test_an_answer_that_comes_too_late_is_dropped(world, heard):
    keeper = world.spawn("keeper")
    ask(world, keeper, "later", timeout=0.3)

    ticks(world, 20, 0.1)

    assert len(heard) == 1
    assert not heard[0][1][0]
    assert not world.problems


def test_an_asker_that_dies_leaves_nothing(world):
    keeper = world.spawn("keeper")
    asker = ask(world, keeper, "later")
    world.tick(0.1)

    asker.destroy()
    open_requests = world.stats().requests
    ticks(world, 15, 0.1)

    assert open_requests == 0
    assert not world.problems


def test_an_entity_can_ask_itself_and_one_that_was_spawned_in_this_frame(world, scripts, heard):
    scripts.write(
        "both",
        """
        local both = {}
        function both:start()
          bus.handle("me", function(event) return event.sender == entity.id end)
          bus.emit("heard", bus.request(entity.id, "me"))
          local keeper = entity.spawn("keeper")
          bus.emit("heard", bus.request(keeper, "double", 21))
        end
        return both
        """,
    )
    both = world.spawn("both")

    ticks(world, 4)

    assert heard == [(both.id, True), (both.id, 42)]
    assert not world.problems


def test_a_reply_that_is_no_plain_data_is_the_handlers_error(world, heard):
    keeper = world.spawn("keeper")
    ask(world, keeper, "bad")
    ask(world, keeper, "nothing")

    ticks(world, 3)

    assert [reply for _, reply in heard] == [
        [
            False,
            f'bus.request: the handler of "bad" in entity {keeper.id} failed: '
            "scripts/keeper.lua:8: bus.handle: reply: a function cannot leave its state",
        ],
        [True, "nil"],
    ]
    [problem] = world.problems
    assert (problem.script, problem.line) == ("scripts/keeper.lua", 8)


def test_a_request_where_nothing_can_wait_asks_nobody(world, scripts, heard):
    scripts.write(
        "nosy",
        """
local nosy = {}
function nosy:start()
  bus.handle("nosy", function() bus.emit("heard", "asked") end)
end
function nosy:update()
  bus.emit("heard", (pcall(bus.request, entity.id, "nosy")))
end
return nosy
""",
    )
    nosy = world.spawn("nosy")

    ticks(world, 3)

    assert heard == [(nosy.id, False)] * 3


def test_a_second_handler_of_a_name_answers_and_the_log_says_once_what_became_of_the_first(world, scripts):
    scripts.write(
        "twice",
        """
local twice = {}
function twice:start()
  for turn = 1, 3 do
    bus.handle("ask", function()
      return turn
    end)
  end
  bus.handle("other", print)
end
return twice
""",
    )
    twice = world.spawn("twice")
    answer = world.bus.request(twice, "ask")

    ticks(world, 2)

    assert answer.result(0) == 3
    assert [(line.level, line.line, line.text) for line in world.log] == [
        (
            "warn",
            4,
            f'bus.handle: entity {twice.id} answers "ask" already; from here on this handler does, and that of '
            "scripts/twice.lua:4 no more. Give one of them another name, if both are to answer",
        )
    ]


def test_a_handler_that_is_paused_says_so(make_world, scripts):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, errors=2))
    scripts.write("keeper", KEEPER)
    keeper = world.spawn("keeper")

    futures = [world.bus.request(keeper, "fails", "you") for _ in range(3)]
    ticks(world, 3)

    assert "paused until its script reloads" in str(futures[2].exception())


@pytest.mark.parametrize(
    "failing",
    [
        "error(('long'):rep(50000))",
        "while pcall(bus.emit, 'noise') do end error('no key')",
        "while pcall(bus.emit, 'noise') do end return 1",
    ],
)
def test_who_asks_is_told_of_an_error_however_long_it_is_and_however_much_was_told_before(make_world, scripts, failing):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, outbox=100_000))
    scripts.write("keeper", f"return {{ start = function() bus.handle('asked', function() {failing} end) end }}")
    keeper = world.spawn("keeper")

    answer = world.bus.request(keeper, "asked")
    ticks(world, 2)

    assert isinstance(answer.exception(0), ScriptError)
    assert world.stats().requests == 0


def test_an_error_that_is_no_text_arrives_like_any_other(world, scripts, heard):
    scripts.write("odd", "return { start = function() bus.handle('asked', function() error('\\xff') end) end }")
    odd = world.spawn("odd")
    ask(world, odd, "asked")
    answer = world.bus.request(odd, "asked")

    ticks(world, 2)

    error = answer.exception(0)
    assert isinstance(error, ScriptError)
    assert (error.script, error.line, error.message) == ("scripts/odd.lua", 1, "\\xff")
    [(_, (_, said))] = heard
    assert said.endswith(" failed: scripts/odd.lua:1: \\xff")


def test_a_request_to_a_full_mailbox_fails_at_the_asker(make_world, scripts):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, mailbox=3))
    scripts.write("keeper", KEEPER)
    keeper = world.spawn("keeper")

    futures = [world.bus.request(keeper, "double", i) for i in range(5)]
    ticks(world, 2)

    assert [future.result() for future in futures[:3]] == [0, 2, 4]
    for future in futures[3:]:
        assert isinstance(future.exception(), LimitError)
        assert str(future.exception()) == (
            f"the mailbox of entity {keeper.id} is full (3 events, Limits.mailbox); ask less, or raise the limit"
        )


def test_the_game_gets_a_future(world):
    keeper = world.spawn("keeper")

    future = world.bus.request(keeper, "later", {"a": 1})

    assert isinstance(future, Future)
    assert not future.done()
    ticks(world, 12, 0.1)
    assert future.result() == {"got": {"a": 1}}


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("unknown", NoHandler, 'has no bus.handle for "unknown"'),
        ("fails", ScriptError, "no key for you"),
        ("never", RequestTimeout, 'did not answer "never" within 0.5 s'),
    ],
)
def test_the_future_fails_with_the_error_that_fits(world, name, error, message):
    keeper = world.spawn("keeper")

    future = world.bus.request(keeper.id, name, "you", timeout=0.5)
    ticks(world, 10, 0.1)

    assert type(future.exception()) is error
    assert message in str(future.exception())


def test_the_future_fails_when_the_target_is_gone_or_dies(world):
    dying = world.spawn("keeper")
    nobody, dead = world.bus.request(999, "x"), world.bus.request(dying, "never")

    world.tick(0.1)
    dying.destroy()
    world.tick(0.1)

    assert isinstance(nobody.exception(), EntityGone)
    assert isinstance(dead.exception(), EntityGone)


def test_a_future_that_was_cancelled_is_forgotten(world):
    keeper = world.spawn("keeper")
    future = world.bus.request(keeper, "never")
    world.tick(0.1)

    assert future.cancel()
    world.tick(0.1)

    assert world.stats().requests == 0


def test_a_future_can_be_awaited_from_asyncio(world):
    keeper = world.spawn("keeper")

    async def game():
        answer = asyncio.ensure_future(asyncio.wrap_future(world.bus.request(keeper, "double", 4)))
        error = asyncio.ensure_future(asyncio.wrap_future(world.bus.request(keeper, "unknown")))
        for _ in range(3):
            world.tick(0.1)
            await asyncio.sleep(0)
        with pytest.raises(NoHandler):
            await error
        return await answer

    assert asyncio.run(game()) == 8


def test_closing_the_world_fails_what_waits_for_an_answer(scripts, lua):
    scripts.write("keeper", KEEPER)
    with World(scripts.path, lua=lua) as world:
        keeper = world.spawn("keeper")
        asked = world.bus.request(keeper, "never")
        world.tick(0.1)
        queued = world.bus.request(keeper, "double", 1)

    assert isinstance(asked.exception(timeout=0), WorldClosed)
    assert isinstance(queued.exception(timeout=0), (WorldClosed, EntityGone))
    with pytest.raises(WorldClosed):
        world.bus.request(keeper.id, "double", 1)


def test_a_time_out_must_be_a_number_of_seconds(world):
    with pytest.raises(EngineError, match="timeout must be a finite number of seconds >= 0, got -1"):
        world.bus.request(1, "x", timeout=-1)
