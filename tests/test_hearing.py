"""Events that are heard again and again take a shorter way: what handlers do on it is what they do on any other."""

import random
import weakref
from operator import call

import pytest

from engine import Limits, World
from engine.lua.rounds import hear_all
from helpers import ticks

# What a handler may do when it hears an event of a kind it has heard often; each leaves the short way elsewhere.
DEEDS = {
    "nothing": "",
    "writes a field": "self.hp = (self.hp or 0) + 1",
    "emits": 'bus.emit("said", n)',
    "moves": "self.x, self.y = n, n + 1",
    "leaves its place": "self.x = nil",
    "moves past the metatable": 'rawset(self, "x", n)',
    "goes on its way": "self.x = (self.x or 0) + n",
    "has more and more fields": 'self["f" .. n], self[n] = n, n',
    "is shown": 'self.sprite = "door"',
    "is shown as text": "self.text = tostring(n)",
    "logs": 'log.info("heard " .. n)',
    "waits": 'wait(0.05) bus.emit("said", n)',
    "waits a frame": 'wait() bus.emit("said", n)',
    "waits for an event": 'task.wait_event("news") bus.emit("said", n)',
    "waits in an inner coroutine": 'coroutine.wrap(function() wait(0.05) end)() bus.emit("said", n)',
    "yields": "coroutine.yield(n)",
    "fails": 'error("no " .. n)',
    "fails after a wait": 'wait(0.05) error("no " .. n)',
    "spawns a task": 'task.spawn(function() bus.emit("said", n) wait(0.05) bus.emit("said", -n) end)',
    "spawns a task that only waits": 'task.spawn(function() wait() bus.emit("said", n) end)',
    "defers": 'task.defer(function() bus.emit("said", n) end)',
    "delays": 'task.delay(0.05, function() bus.emit("said", n) end)',
    "repeats": 'task.every(0.05, function() bus.emit("said", n) end)',
    "cancels itself": 'task.cancel(coroutine.running()) wait() bus.emit("said", n)',
    "cancels itself and ends": "task.cancel(coroutine.running())",
    "keeps its thread": 'local co = coroutine.running() wait(0.05) bus.emit("said", coroutine.status(co))',
    "shows its thread": 'seen = coroutine.running() bus.emit("said", coroutine.status(seen))',
    "looks at its old thread": 'bus.emit("said", seen and coroutine.status(seen)) seen = seen or coroutine.running()',
    "cleans up": 'task.finally(function() bus.emit("said", n) end)',
    "cleans up and fails": 'task.finally(function() bus.emit("said", n) end) error("no " .. n)',
    "cancels the subscription": "sub:cancel()",
    "listens once more": 'bus.on("news", function(event) bus.emit("said", { event.payload.n, n }) end)',
    "asks the time": 'said = { time.now, time.dt, time.frame } bus.emit("said", said)',
    "asks": 'local ok, why = pcall(bus.request, entity.id, "what", n, 0.05) bus.emit("said", why)',
    "writes shared data": 'shared.set("n", n)',
    "tags": 'entity.tag("t" .. n)',
    "spawns an entity": 'entity.spawn("other")',
    "destroys itself": "entity.destroy()",
    "makes threads": "for _ = 1, 3 do coroutine.wrap(function() end)() end",
    "works for long": "local s = 0 for i = 1, 5000 do s = s + i end self.s = s",
    "keeps the event": 'kept = kept or {} kept[#kept + 1] = event bus.emit("said", #kept .. kept[1].payload.tags[1])',
    "changes the event": 'event.payload.tags[1] = "x" event.name = nil self.n = n',
}

SPEAKER = """
local speaker = {}
function speaker:update()
  bus.emit("news", { n = time.frame, tags = { "a", "b" } })
end
return speaker
"""

LISTENER = """
local listener = {}
local heard, seen, kept = 0, nil, nil
function listener:start()
  local sub
  sub = bus.on("news", function(event)
    heard = heard + 1
    local n = event.payload.n
    if heard > 5 and heard % 2 == 0 then
      DEED
    end
  end)
  ALSO
end
return listener
"""

ALSO = {
    "nothing else": "",
    "a timer": 'task.every(0.11, function() self.beat = (self.beat or 0) + 1 bus.emit("said", "beat") end)',
    "a wait in every frame": "while true do self.x = (self.x or 0) + 1 wait() end",
    "a place": "self.x, self.y = 1, 2",
    "half a place, and another half by its class": "self.x = 1 setmetatable(listener, { __index = { y = 2 } })",
    "another listener": 'bus.on("said", function(event) self.last = event.sender end)',
}


def write_scripts(scripts, deed, also=""):
    scripts.write("speaker", SPEAKER)
    scripts.write("listener", LISTENER.replace("DEED", deed).replace("ALSO", also))
    scripts.write("other", "return {}")


def play(world, frames=12):
    """All that can be seen of two listeners that hear the same event in every frame."""
    said, seen = [], []
    world.bus.on("said", lambda event: said.append((world.frame, event.sender, event.payload)))
    for name in ("listener", "listener", "speaker"):
        world.spawn(name)
    for _ in range(frames):
        world.tick(1 / 60)
        seen.append([(one.id, one.position, dict(one.view)) for one in world.entities])
    data = {one.id: one.self.upgrade() for one in world.entities}
    return {
        "said": said,
        "seen": seen,
        "data": {id: proxy.__enter__().to_dict() for id, proxy in data.items()},
        "log": [(line.text, line.entity) for line in world.log],
        "problems": [(p.message, p.entity, p.count, p.first_frame, p.last_frame, p.traceback) for p in world.problems],
        # The digest looks at tracebacks too, and how deep the engine's own part of them is.
        "digest": not world.problems and world.stats().digest,
        "subscriptions": world.stats().subscriptions,
    }


MIXED = (
    "nothing",
    "emits",
    "leaves its place",
    "goes on its way",
    "waits a frame",
    "fails",
    "delays",
    "cancels the subscription",
    "shows its thread",
)
CASES = [(deed, "nothing else") for deed in DEEDS] + [(deed, also) for deed in MIXED for also in list(ALSO)[1:]]


@pytest.mark.parametrize(("deed", "also"), CASES)
def test_a_handler_does_the_same_however_its_event_comes(scripts, lua, monkeypatch, deed, also):
    write_scripts(scripts, DEEDS[deed], ALSO[also])
    monkeypatch.setattr("engine.loop._MANY", 1)
    with World(scripts.path, lua=lua) as world:
        short = play(world)
    monkeypatch.setattr("engine.bus.delivery.HEARD", 0)
    monkeypatch.setattr("engine.lua.rounds.HEARD", 0)
    with World(scripts.path, lua=lua) as world:
        usual = play(world)

    assert short == usual


HEARER = """
local hearer = {}
function hearer:start()
  bus.on("news", function(event) self.last = event.payload end)
end
return hearer
"""


def hearers(world, scripts, count):
    scripts.write("hearer", HEARER)
    made = [world.spawn("hearer") for _ in range(count)]
    ticks(world, 1)
    return made


def tell(world, value):
    """Emit `news` such that it is heard in a round of its own, as what scripts emit is."""
    world.delivery.publish(b"news", 0, *world.bus.encode(value, "payload"))


def last_of(entity):
    with entity.self.upgrade() as data:
        return data.get("last")


def test_each_state_hears_once_and_its_failure_stands_in_its_own_place():
    heard = []

    def state(number, failure=None):
        def hear(mail):
            heard.append((number, mail))
            if failure is not None:
                raise failure
            return number

        return hear

    states = [state(0, ValueError("a")), state(1), state(2, StopIteration()), state(3), state(4, ValueError("b"))]

    results = hear_all(call, states, [7, 7, 7, 8, 7], (1.5,), (b"news", 0))

    assert heard == [(n, (1.5, callback, b"news", 0)) for n, callback in enumerate([7, 7, 7, 8, 7])]
    assert [type(result) for result in results] == [ValueError, int, StopIteration, int, ValueError]
    assert results[1] == 1 and results[3] == 3


WORDS = ["fire", "", "ice", '"]] \\', "\n\r", "l1", "1\x00" + "2", b"\xff1", "x" * 41, 7, 1.5, True]


def payloads(seed):
    """Events with the same words for a while, then others; now and then of another shape."""
    chance = random.Random(seed)
    words, made = chance.sample(WORDS, 3), []
    for n in range(60):
        if chance.random() < 0.2:
            words = chance.choices(WORDS, k=3)
        usual = {"kind": words[0], "n": n, "tags": [words[1], n, {"l1": words[2]}]}
        made.append(
            chance.choice([usual, usual, usual, usual, words[0], None, {"long": list(range(14)), "w": words[0]}])
        )
    return made


@pytest.mark.parametrize(("seed", "callbacks"), [(1, 65536), (2, 65536), (1, 1)])
def test_whatever_events_have_in_common_each_arrives_as_it_was_sent(make_world, scripts, monkeypatch, seed, callbacks):
    monkeypatch.setattr("engine.lua.rounds._CALLBACKS", callbacks)  # how many an event in brief can tell
    world = make_world(isolation="entity")
    scripts.write("echo", HEARER.replace("self.last = event.payload", 'bus.emit("got", { event.name, event.payload })'))
    for _ in range(5):
        world.spawn("echo")
    got = []
    world.bus.on("got", lambda event: got.append(event.payload))
    ticks(world, 1)
    sent = payloads(seed)

    for value in sent:
        tell(world, value)
        ticks(world, 1)

    assert got == [["news"] if value is None else ["news", value] for value in sent for _ in range(5)]
    assert world.problems == []


@pytest.mark.parametrize("isolation", ["entity"])
def test_who_is_destroyed_while_an_event_is_on_its_way_does_not_hear_it_and_the_others_do(world, scripts):
    first, second, third = hearers(world, scripts, 3)
    tell(world, 1)

    second.destroy()
    ticks(world, 1)

    assert [last_of(first), last_of(third)] == [1, 1]
    assert not second.alive


@pytest.mark.parametrize("isolation", ["entity"])
def test_what_comes_after_an_event_that_waits_for_its_audience_is_heard_after_it(world, scripts):
    entities = hearers(world, scripts, 3)

    tell(world, 1)
    world.bus.send(entities[1], "news", 2)
    tell(world, 3)
    world.delivery.post(entities[2].id, b"news", 0, *world.bus.encode(4, "payload"))
    ticks(world, 1)

    assert [last_of(entity) for entity in entities] == [3, 2, 4]


@pytest.mark.parametrize("isolation", ["entity"])
def test_who_begins_to_listen_hears_the_next_event(world, scripts):
    entities = hearers(world, scripts, 2)
    tell(world, 1)
    ticks(world, 1)

    entities += hearers(world, scripts, 1)
    tell(world, 2)
    ticks(world, 1)

    assert [last_of(entity) for entity in entities] == [2, 2, 2]


@pytest.mark.parametrize("isolation", ["entity"])
def test_the_bus_keeps_nobody_who_heard_an_event(world, scripts, no_gc):
    entity = hearers(world, scripts, 2)[0]
    scripts.write("speaker", SPEAKER)
    world.spawn("speaker")
    ticks(world, 3)
    state = weakref.ref(entity.actor)

    entity.destroy()
    ticks(world, 2)

    assert state() is None


def test_a_run_is_the_same_however_many_workers_tick_those_who_hear(make_world, scripts):
    write_scripts(scripts, DEEDS["emits"])

    def run(**options):
        world = make_world(isolation="entity", **options)
        for name in ("listener",) * 6 + ("speaker",):
            world.spawn(name)
        ticks(world, 12)
        return world.stats().digest

    assert run(workers=2) == run()


@pytest.mark.row("G2")
@pytest.mark.parametrize("lua", ["lua55", "lua54"], indirect=True)
@pytest.mark.parametrize("isolation", ["entity"])
def test_who_keeps_a_little_of_each_event_ends_at_its_memory(make_world, scripts):
    world = make_world(limits=Limits(memory=2 * 1024 * 1024))
    scripts.write("hearer", HEARER.replace("self.last = event.payload", "kept = kept or {} kept[#kept + 1] = event"))
    scripts.write("speaker", SPEAKER.replace('{ "a", "b" }', '{ string.rep("x", 8000) .. time.frame }'))
    keeper, other = world.spawn("hearer"), world.spawn("speaker")

    for _ in range(400):
        world.tick(1 / 60)

    (problem,) = world.problems
    assert "more than 2 MiB, the limit (Limits.memory)" in problem.message
    assert not keeper.alive
    assert other.alive


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_each_of_the_events_of_a_frame_that_are_heard_one_by_one_has_all_its_instructions(make_world, scripts):
    scripts.write(
        "server",
        """
        return { start = function()
          bus.on("serve", function(event)
            bus.emit("ball")
            if event.payload > 1 then bus.emit("serve", event.payload - 1) end
          end)
        end }
        """,
    )
    scripts.write(
        "player",
        """
        local player = {}
        function player:start()
          self.heard = 0
          bus.on("ball", function() self.heard = self.heard + 1 for _ = 1, 3000 do end end)
        end
        return player
        """,
    )
    world = make_world(limits=Limits(instructions=10_000))
    world.spawn("server")
    player = world.spawn("player")

    for _ in range(4):
        world.bus.emit("serve", 6)
        world.tick(1 / 60)

    with player.self.upgrade() as self_:
        assert (self_["heard"], world.problems) == (24, [])


@pytest.mark.parametrize("lua", ["lua55", "lua54"], indirect=True)
@pytest.mark.parametrize("isolation", ["entity"])
@pytest.mark.parametrize("work, stops", [(370_000, 0), (401_000, 1)])
def test_after_many_events_that_took_little_one_has_as_many_instructions_as_the_limit_says(
    make_world, scripts, work, stops
):
    scripts.write(
        "worker",
        """
        local worker = {}
        function worker:start()
          bus.on("news", function(event)
            for _ = 1, event.payload do end
          end)
        end
        return worker
        """,
    )
    world = make_world(limits=Limits(instructions=400_000))
    world.spawn("worker")
    ticks(world, 1)

    for n in range(61):
        tell(world, work if n == 60 else 200)
        world.tick(1 / 60)

    assert [problem.line for problem in world.problems] == [4] * stops
