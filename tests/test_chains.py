"""Problems of events that answer each other: what led to what."""

import pytest

from engine import Limits
from helpers import ticks

LINK = """
local link = {}
function link:start()
  for heard, said in pairs(self.says) do
    bus.on(heard, function() bus.emit(said) end)
  end
end
return link
"""

STARTER = """
local starter = {}
function starter:start()
  wait(0.1)
  bus.emit("a")
end
return starter
"""


def spawn_links(world, scripts, *says):
    scripts.write("link", LINK)
    return [world.spawn("link", says=each).id for each in says]


def endless(world):
    return [problem for problem in world.problems if "still travel" in problem.message]


@pytest.mark.row("A9")
def test_the_chain_is_named_from_the_event_that_began_it(world, scripts):
    first, second, ping, pong = spawn_links(
        world, scripts, {"a": "b"}, {"b": "ping"}, {"ping": "pong"}, {"pong": "ping"}
    )
    scripts.write("starter", STARTER)
    starter = world.spawn("starter").id

    ticks(world, 4, 0.1)

    (problem,) = endless(world)
    assert problem.message.startswith(
        f'events still travel after 8 rounds: {starter} "a" → {first} "b" → {second} "ping" → '
        f'{ping} "pong" → {pong} "ping" → …; '
    )
    assert problem.count == 4


@pytest.mark.row("A9")
def test_a_ring_that_goes_on_for_frames_is_one_problem_however_long_it_is(world, scripts):
    names = [f"n{at}" for at in range(7)]
    links = spawn_links(world, scripts, *({one: other} for one, other in zip(names, [*names[1:], "n0"], strict=True)))

    world.bus.emit("n0")
    ticks(world, 9)

    (problem,) = endless(world)
    assert problem.count == 9
    assert f'rounds: the game "n0" → {links[0]} "n1" → {links[1]} "n2" → ' in problem.message


@pytest.mark.row("A9")
def test_another_chain_that_begins_later_is_another_problem(world, scripts):
    spawn_links(world, scripts, {"ping": "pong"}, {"pong": "ping"})
    spawn_links(world, scripts, {"tick": "tock"}, {"tock": "tick"})

    world.bus.emit("ping")
    ticks(world, 3)
    world.bus.emit("tick")
    ticks(world, 3)

    first, second = endless(world)
    assert (first.count, second.count) == (3, 3)
    assert "tock" not in first.message
    assert '"tock"' in second.message


@pytest.mark.row("A9")
def test_what_else_is_said_in_the_frame_is_not_part_of_the_chain(world, scripts):
    spawn_links(world, scripts, {"other": "noise"}, {"ping": "pong"}, {"pong": "ping"})

    for name in ("other", "ping", "more"):
        world.bus.emit(name)
    ticks(world, 2)

    (problem,) = endless(world)
    assert "noise" not in problem.message
    assert "other" not in problem.message
    assert 'rounds: the game "ping" → ' in problem.message


@pytest.mark.row("A9")
def test_requests_that_ask_for_ever_are_named_with_those_who_ask_and_answer(world, scripts):
    scripts.write(
        "asker",
        """
        local asker = {}
        function asker:start()
          bus.handle("what", function() return 1 end)
          wait(0.1)
          while true do bus.request(entity.id, "what") end
        end
        return asker
        """,
    )
    asker = world.spawn("asker").id

    ticks(world, 3, 0.1)

    (problem,) = endless(world)
    assert f'rounds: {asker} "what" → …' in problem.message


@pytest.mark.row("A7", "A9")
@pytest.mark.parametrize("isolation", ["entity"])
def test_a_mailbox_that_is_full_in_an_early_round_names_what_led_to_it(make_world, scripts):
    world = make_world(limits=Limits.off().but(mailbox=3))
    scripts.write("many", 'return { start = function() bus.on("go", function() bus.emit("flood") end) end }')
    scripts.write("full", 'return { start = function() bus.on("flood", function() end) end }')
    many = [world.spawn("many").id for _ in range(4)]
    target = world.spawn("full").id

    world.bus.emit("go")
    world.tick(0.1)

    (problem,) = world.problems
    assert problem.message.startswith(f'the mailbox of entity {target} is full (3 events, Limits.mailbox): "flood"')
    assert problem.message.endswith(f'. What led to it: the game "go" → {many[3]} "flood"')
