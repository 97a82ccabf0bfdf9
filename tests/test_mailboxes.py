"""Mailboxes hold so many events and no more: who floods one is told so, and nothing is lost silently."""

import pytest

from engine import EngineError, Limits

LISTENER = """
local listener = {}
function listener:start()
  bus.on("news", function(event) bus.emit("heard", event.payload) end)
end
return listener
"""


@pytest.mark.row("A7")
def test_a_script_that_floods_gets_an_error_at_its_line(make_world, scripts):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, mailbox=10))
    scripts.write("listener", LISTENER)
    scripts.write(
        "flood",
        """
        local flood = {}
        function flood:start()
          wait()
          for i = 1, 11 do
            bus.emit("news", i)
          end
        end
        return flood
        """,
    )
    heard = []
    world.bus.on("heard", lambda event: heard.append(event.payload))
    world.spawn("listener")
    world.spawn("flood")

    world.tick(0.1)

    assert heard == list(range(1, 11))
    (problem,) = world.problems
    assert (problem.script, problem.line) == ("scripts/flood.lua", 5)
    assert problem.message == (
        'bus.emit: "news" would be event 11 of this state in one tick, the limit is 10 (Limits.mailbox); '
        "send fewer, wait() in between, or raise the limit"
    )


@pytest.mark.row("A7")
def test_a_full_mailbox_is_a_problem_of_the_sender_and_names_event_and_target(make_world, scripts):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, mailbox=5))
    scripts.write("listener", LISTENER)
    three = 'return { start = function() wait() for i = 1, 3 do bus.emit("news", i) end end }'
    scripts.write("three", three)
    scripts.write("three_more", three)
    listener = world.spawn("listener")
    heard = []
    world.bus.on("heard", lambda event: heard.append(event.payload))
    world.spawn("three")
    second = world.spawn("three_more")

    world.tick(0.1)

    assert heard == [1, 2, 3, 1, 2]
    (problem,) = world.problems
    assert (problem.script, problem.entity, problem.count) == ("scripts/three_more.lua", second.id, 1)
    assert problem.message.startswith(
        f"the mailbox of entity {listener.id} is full (5 events, Limits.mailbox): "
        f'"news" from entity {second.id} was not delivered'
    )


@pytest.mark.row("A7")
def test_a_mailbox_that_a_chain_of_events_fills_is_a_problem_that_names_the_chain(make_world, scripts):
    world = make_world(limits=Limits.off().but(mailbox=15))
    for name, other in (("ping", "pong"), ("pong", "ping")):
        answer = f'bus.on("{name}", function() bus.emit("{other}") end)'
        scripts.write(name, f"return {{ start = function() {answer} end }}")
    ping, one, two = world.spawn("ping"), world.spawn("pong"), world.spawn("pong")

    world.bus.emit("ping")
    world.tick(0.1)

    full = [problem.message for problem in world.problems if "is full" in problem.message]
    assert full
    for message in full:
        assert message.endswith(f'Events answer each other: {ping.id} "pong" → {one.id} "ping" → {two.id} "ping" → …')


@pytest.mark.row("A7")
def test_a_game_that_floods_gets_an_error_out_of_tick(make_world, scripts):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, mailbox=5))
    scripts.write("listener", LISTENER)
    world.spawn("listener")
    for i in range(6):
        world.bus.emit("news", i)

    with pytest.raises(EngineError, match=r'mailbox of entity 1 is full .* "news" from the game was not delivered'):
        world.tick(0.1)


@pytest.mark.row("A7")
def test_a_game_that_floods_without_end_is_told_once_and_in_each_frame_anew_who_filled_the_mailbox(make_world, scripts):
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, mailbox=5))
    scripts.write("listener", LISTENER)
    scripts.write("sender", "return { start = function() wait() bus.emit('over') end }")
    world.spawn("listener")
    world.spawn("sender")
    looked_at = []
    inbox = type("Inbox", (list,), {"__iter__": lambda self: looked_at.append(1) or list.__iter__(self)})
    world.entities[0].actor.inbox = inbox()
    for i in range(500):
        world.bus.emit("news", i)

    with pytest.raises(EngineError, match="mailbox of entity 1 is full") as flooded:
        world.tick(0.1)

    told = "mailbox of entity 1 is full"
    assert len(looked_at) < 10
    assert [note.endswith("(494 times)") and told in note for note in flooded.value.__notes__] == [True]
    scripts.write("other", "return { start = function() for _ = 1, 5 do bus.send(1, 'news') end end }")
    world.spawn("other")
    world.bus.emit("news")
    world.tick(0.1)
    assert told in world.problems[-1].message
