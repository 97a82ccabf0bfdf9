"""Events between states, and to and from Python: who hears what, when, and in which order."""

import gc
import threading

import pytest

from engine import EngineError, PayloadError, World, WorldClosed
from engine.lua.state import LuaState
from helpers import ticks

LISTENER = """
local listener = {}
function listener:start()
  bus.on("news", function(event) bus.emit("heard", event.payload) end)
end
return listener
"""

SPEAKER = """
local speaker = {}
function speaker:start()
  bus.on("speak", function(event) bus.emit("news", event.payload) end)
end
return speaker
"""


@pytest.mark.row("A1", "A6")
def test_globals_and_changed_library_tables_are_seen_by_their_entity_only(world, scripts, heard):
    scripts.write(
        "vandal",
        """
        local vandal = {}
        function vandal:start()
          bus.emit("heard", { global = mine, field = string.x, upper = string.upper ~= nil and "there" or nil })
          mine, string.x, string.upper, math.floor = entity.id, entity.id, nil, nil
          bus.on("look", function() bus.emit("heard", { global = mine, field = string.x, floor = math.floor }) end)
        end
        return vandal
        """,
    )

    a, b = world.spawn("vandal"), world.spawn("vandal")
    world.bus.emit("look")
    world.tick(0.1)

    assert heard[:2] == [(a.id, {"upper": "there"}), (b.id, {"upper": "there"})]
    assert heard[2:] == [(a.id, {"global": a.id, "field": a.id}), (b.id, {"global": b.id, "field": b.id})]


@pytest.mark.row("A2", "A6")
def test_each_listener_hears_an_event_once_in_the_order_of_ids(world, scripts, heard):
    scripts.write("listener", LISTENER)
    scripts.write("speaker", SPEAKER)
    listeners = [world.spawn("listener") for _ in range(3)]
    speaker = world.spawn("speaker")
    news = []
    world.bus.on("news", lambda event: news.append((event.name, event.payload, event.sender)))

    world.bus.send(speaker, "speak", {"x": 1})
    world.tick(0.1)
    world.tick(0.1)

    assert heard == [(listener.id, {"x": 1}) for listener in listeners]
    assert news == [("news", {"x": 1}, speaker.id)]


@pytest.mark.row("A2")
def test_the_engine_emits_and_the_sender_of_that_is_nobody(world, scripts, heard):
    scripts.write(
        "listener",
        """
        local listener = {}
        function listener:start()
          bus.on("news", function(event) bus.emit("heard", { event.name, tostring(event.sender), event.payload }) end)
        end
        return listener
        """,
    )
    world.spawn("listener")

    world.bus.emit("news", 7)
    world.tick(0.1)

    assert [payload for _, payload in heard] == [["news", "nil", 7]]


@pytest.mark.row("A3")
def test_the_bus_holds_ids_and_no_lua_values(world, scripts):
    scripts.write("listener", LISTENER)
    for _ in range(3):
        world.spawn("listener")
    world.tick(0.1)

    seen = reachable(world.delivery.routes)

    assert world.stats().subscriptions == 3
    assert not [value for value in seen if type(value).__module__.startswith("lupa")]
    assert not [value for value in seen if isinstance(value, LuaState)]


def reachable(root):
    """Everything that `root` holds, directly or not, but for classes, modules and functions."""
    found, queue = {id(root): root}, [root]
    while queue:
        for value in gc.get_referents(queue.pop()):
            if id(value) not in found and not callable(value) and type(value).__name__ != "module":
                found[id(value)] = value
                queue.append(value)
    return found.values()


@pytest.mark.row("A4")
def test_the_subscriptions_of_the_dead_are_pruned_and_the_others_are_served(world, scripts, heard):
    scripts.write("listener", LISTENER)
    a, b, c = (world.spawn("listener") for _ in range(3))

    world.bus.emit("news", 1)
    b.destroy()
    world.tick(0.1)

    assert heard == [(a.id, 1), (c.id, 1)]
    assert world.stats().pruned == 1
    assert world.stats().subscriptions == 2


@pytest.mark.row("A4")
def test_mail_to_the_dead_is_dropped_and_counted(world, scripts):
    scripts.write("listener", LISTENER)
    gone = world.spawn("listener")
    gone.destroy()
    before = world.stats().pruned

    world.bus.send(gone.id, "news", 1)
    world.tick(0.1)

    assert world.stats().pruned == before + 1
    assert not world.problems


@pytest.mark.row("A5")
@pytest.mark.parametrize("isolation", ["entity"])
def test_a_handle_is_refused_by_another_state(make_world, scripts):
    world = make_world()
    scripts.write("holder", "return { take = function(self, other) end }")
    a, b = world.spawn("holder"), world.spawn("holder")

    with a.self.upgrade() as one, b.self.upgrade() as two:
        with pytest.raises(PayloadError, match=f"entity {a.id} .*entity {b.id}"):
            two["friend"] = one


@pytest.mark.row("A7")
def test_mail_keeps_the_order_of_its_sender(world, scripts, heard):
    scripts.write("listener", LISTENER)
    scripts.write(
        "speaker",
        """
        local speaker = {}
        function speaker:start()
          bus.on("speak", function()
            for i = 1, 100 do bus.emit("news", { entity.id, i }) end
          end)
        end
        return speaker
        """,
    )
    world.spawn("listener")
    speakers = [world.spawn("speaker") for _ in range(3)]

    world.bus.emit("speak")
    world.tick(0.1)

    assert [payload for _, payload in heard] == [[s.id, i] for s in speakers for i in range(1, 101)]


@pytest.mark.row("A8")
def test_an_event_from_another_thread_arrives_on_the_ticking_thread_with_the_next_frame(world, scripts, heard):
    scripts.write("listener", LISTENER)
    world.spawn("listener")
    threads = []
    world.bus.on("news", lambda _: threads.append((threading.get_ident(), world.frame)))
    world.tick(0.1)

    emitting = threading.Thread(target=world.bus.emit, args=("news", 1))
    emitting.start()
    emitting.join()

    assert heard == []
    world.tick(0.1)
    assert [payload for _, payload in heard] == [1]
    assert threads == [(threading.get_ident(), 2)]


@pytest.mark.row("A8")
def test_events_from_outside_come_before_due_tasks(world, scripts, heard):
    scripts.write(
        "both",
        """
        local both = {}
        function both:start()
          bus.on("news", function() bus.emit("heard", "event") end)
          wait(0.1)
          bus.emit("heard", "task")
        end
        function both:update() if time.frame == 1 then bus.emit("heard", "update") end end
        return both
        """,
    )
    world.spawn("both")

    world.bus.emit("news")
    world.tick(0.1)

    assert [payload for _, payload in heard] == ["event", "task", "update"]


@pytest.mark.row("A9")
def test_what_a_handler_emits_is_heard_in_the_next_round_of_the_same_frame(world, scripts):
    scripts.write(
        "link",
        """
        local link = {}
        function link:start()
          bus.on("step." .. self.at, function()
            bus.emit("step." .. self.at + 1, time.frame)
          end)
        end
        return link
        """,
    )
    for at in (3, 2, 1):
        world.spawn("link", at=at)
    end = []
    world.bus.on("step.4", lambda event: end.append(event.payload))

    world.bus.emit("step.1")
    world.tick(0.1)

    assert end == [1]


@pytest.mark.row("A9")
def test_an_endless_ping_pong_ends_the_frame_goes_on_and_is_one_problem(world, scripts):
    scripts.write(
        "player",
        """
        local player = {}
        function player:start()
          bus.on(self.hears, function() bus.emit(self.says) end)
        end
        return player
        """,
    )
    ping = world.spawn("player", hears="pong", says="ping")
    pong = world.spawn("player", hears="ping", says="pong")
    balls = []
    world.bus.on("p*", lambda event: None)
    world.bus.on("ping", lambda event: balls.append(world.frame))
    world.bus.on("pong", lambda event: balls.append(world.frame))

    world.bus.emit("pong")
    ticks(world, 4)

    assert [balls.count(frame) for frame in (1, 2, 3, 4)] == [10, 9, 9, 9]
    (problem,) = world.problems
    assert problem.count == 4
    assert f'rounds: the game "pong" → {ping.id} "ping" → {pong.id} "pong" → …' in problem.message
    assert "after 8 rounds" in problem.message


@pytest.mark.row("A13")
def test_a_handler_that_fails_leaves_the_others_alone_and_is_one_problem(world, scripts, heard):
    scripts.write("listener", LISTENER)
    scripts.write(
        "broken",
        """
        local broken = {}
        function broken:start()
          bus.on("news", function(event)
            local nothing = event.payload.missing.field
          end)
        end
        return broken
        """,
    )
    a, broken, c = world.spawn("listener"), world.spawn("broken"), world.spawn("listener")

    world.bus.emit("news", {"n": 1})
    world.tick(0.1)

    assert heard == [(a.id, {"n": 1}), (c.id, {"n": 1})]
    (problem,) = world.problems
    assert (problem.script, problem.line, problem.entity) == ("scripts/broken.lua", 4, broken.id)
    assert "scripts/broken.lua" in problem.traceback
    assert "news" in problem.traceback


@pytest.mark.row("A14")
def test_ten_producers_lose_and_double_nothing(world, scripts):
    scripts.write(
        "consumer",
        """
        local consumer = {}
        function consumer:start()
          self.last, self.count, self.wrong = {}, 0, 0
          bus.on("made", function(event)
            local from, i = event.sender, event.payload.i
            if i ~= (self.last[from] or 0) + 1 then self.wrong = self.wrong + 1 end
            self.last[from] = i
            self.count = self.count + 1
          end)
        end
        return consumer
        """,
    )
    scripts.write(
        "producer",
        """
        local producer = {}
        function producer:start()
          for frame = 0, 9 do
            for i = 1, 1000 do bus.emit("made", { i = frame * 1000 + i }) end
            wait()
          end
        end
        return producer
        """,
    )
    consumer = world.spawn("consumer")
    for _ in range(10):
        world.spawn("producer")

    ticks(world, 11)

    assert not world.problems
    with consumer.self.upgrade() as self_:
        assert (self_["count"], self_["wrong"]) == (100_000, 0)
        assert [self_["last"][id] for id in range(2, 12)] == [10_000] * 10


@pytest.mark.row("A14", "A8")
def test_events_from_ten_threads_keep_the_order_of_each(world, scripts):
    scripts.write("quiet", "return {}")
    world.spawn("quiet")
    got = []
    world.bus.on("made", lambda event: got.append(event.payload))

    def produce(number):
        for i in range(500):
            world.bus.emit("made", [number, i])

    threads = [threading.Thread(target=produce, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        world.tick(0.1)
    world.tick(0.1)

    assert len(got) == 5000
    for number in range(10):
        assert [i for who, i in got if who == number] == list(range(500))


@pytest.mark.row("A15")
def test_an_event_that_nobody_hears_is_no_problem(world, scripts):
    scripts.write("speaker", SPEAKER)
    speaker = world.spawn("speaker")

    world.bus.send(speaker, "speak", 1)
    world.bus.emit("nobody.hears", {"x": 1})
    world.tick(0.1)

    assert not world.problems


def test_an_event_sent_to_an_entity_goes_to_its_subscriptions_else_to_on_event(world, scripts, heard):
    scripts.write(
        "both",
        """
        local both = {}
        function both:start()
          bus.on("known", function(event) bus.emit("heard", { "subscription", event.payload }) end)
        end
        function both:on_event(event) bus.emit("heard", { "on_event", event.name, event.payload, event.sender }) end
        return both
        """,
    )
    scripts.write("speaker", 'return { start = function(self) bus.send(self.to, "unknown", 3) end }')
    both, other = world.spawn("both"), world.spawn("both")
    speaker = world.spawn("speaker", to=both.id)

    world.bus.send(both, "known", 1)
    world.bus.send(both.id, "unknown", 2)
    world.bus.emit("unknown", "not for on_event")
    ticks(world, 2)

    assert heard == [
        (both.id, ["on_event", "unknown", 3, speaker.id]),
        (both.id, ["subscription", 1]),
        (both.id, ["on_event", "unknown", 2]),
    ]
    assert other.alive


def test_mail_to_an_entity_spawned_in_this_frame_waits_for_it(world, scripts, heard):
    scripts.write("child", 'return { on_event = function(self, event) bus.emit("heard", event.payload) end }')
    scripts.write(
        "parent",
        """
        local parent = {}
        function parent:start()
          wait()
          local child = entity.spawn("child")
          bus.send(child, "hello", 1)
          bus.send(child, "hello", 2)
        end
        return parent
        """,
    )
    world.spawn("parent")

    world.tick(0.1)
    before = list(heard)
    world.tick(0.1)

    assert before == []
    assert heard == [(2, 1), (2, 2)]
    assert not world.problems


def test_what_a_listener_of_the_game_raises_comes_out_of_tick_when_the_frame_is_over(world, scripts, heard):
    scripts.write("listener", LISTENER)
    scripts.write("late", 'return { late_update = function() bus.emit("heard", "late") end }')
    world.spawn("listener")
    world.spawn("late")

    def fails(event):
        raise ValueError(f"no {event.payload}")

    world.bus.on("news", fails)
    world.bus.emit("news", 1)
    world.bus.emit("news", 2)

    with pytest.raises(ValueError, match="no 1") as raised:
        world.tick(0.1)
    assert raised.value.__notes__ == ["also in this frame: ValueError: no 2"]
    assert [payload for _, payload in heard] == [1, 2, "late"]
    world.tick(0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ("bus.on(1, print)", "bus.on: the event's name must be a string, got a number"),
        ('bus.on("", print)', "bus.on: the event's name must be a string, got an empty one"),
        ('bus.on("x")', "bus.on: expected a function, got nil"),
        ('bus.on("x", print, { merge = 1 })', 'bus.on: unknown option "merge"; there is "coalesce"'),
        ('bus.on("x", print, { coalesce = "first" })', 'bus.on: coalesce must be "last", got "first"'),
        ('bus.on("x", print, { coalesce = {} })', 'bus.on: coalesce must be "last", got a table'),
        ('bus.once("x", print, { once = true })', 'bus.once: unknown option "once"; there is "coalesce"'),
        ('bus.once("x", print, "last")', "bus.once: options must be a table, got a string"),
        ('bus.on("x", print, { [print] = 1 })', 'bus.on: unknown option a function; there is "coalesce"'),
        ("entity.tag({})", "entity.tag: expected a name, got a table"),
        ("bus.emit(nil)", "bus.emit: the event's name must be a string, got nil"),
        ('bus.send("slime", "x")', "bus.send: expected an entity id, got a string"),
        ('bus.send(1.5, "x")', "bus.send: expected an entity id, got 1.5"),
        ('bus.request(1, "x", nil, -1)', "bus.request: seconds must be a number >= 0, got -1"),
        ('bus.emit("x", { on_hit = print })', "bus.emit: payload.on_hit: a function cannot leave its state"),
        ('bus.send(1, "x", { { print } })', "bus.send: payload[1][1]: a function cannot leave its state"),
    ],
)
def test_wrong_calls_are_errors_at_the_callers_line(world, scripts, call, message):
    scripts.write("wrong", f"local wrong = {{}}\nfunction wrong:start()\n  {call}\nend\nreturn wrong")

    world.spawn("wrong")

    (problem,) = world.problems
    assert (problem.script, problem.line, problem.message) == ("scripts/wrong.lua", 3, message)


@pytest.mark.row("A11")
def test_a_payload_is_a_copy_for_each_listener(world, scripts, heard):
    scripts.write(
        "changer",
        """
        local changer = {}
        function changer:start()
          for _ = 1, 2 do
            bus.on("news", function(event)
              event.payload.list[1] = event.payload.list[1] + 1
              bus.emit("heard", event.payload)
            end)
          end
        end
        return changer
        """,
    )
    world.spawn("changer")
    world.spawn("changer")
    original = {"list": [1]}

    for _ in range(5):
        world.bus.emit("news", original)
        world.tick(0.1)

    assert [payload for _, payload in heard] == [{"list": [2]}] * 20
    assert original == {"list": [1]}


@pytest.mark.parametrize("call", [lambda bus: bus.emit(""), lambda bus: bus.on(3, print), lambda bus: bus.emit(None)])
def test_the_game_gets_an_error_for_a_name_that_is_none(world, call):
    with pytest.raises(EngineError, match="the name of an event must be a string"):
        call(world.bus)


def test_the_game_gets_an_error_for_what_is_no_listener_or_no_entity(world):
    with pytest.raises(EngineError, match="a listener must be callable, got 3"):
        world.bus.on("x", 3)
    with pytest.raises(EngineError, match="expected an entity or its id, got 'slime'"):
        world.bus.send("slime", "x")
    with pytest.raises(PayloadError, match=r"payload\.weapon"):
        world.bus.emit("x", {"weapon": object()})


def test_a_closed_world_takes_no_events(scripts, lua):
    world = World(scripts.path, lua=lua)
    world.close()

    with pytest.raises(WorldClosed):
        world.bus.emit("news")


def test_names_that_are_made_up_as_the_game_runs_do_not_fill_the_memory(world, scripts):
    scripts.write("maker", 'return { start = function() bus.on("made.*", function() end) end }')
    world.spawn("maker")

    for i in range(6000):
        world.bus.emit(f"made.{i}", {f"key{i}": i})
    world.tick(0.1)

    assert len(world.delivery.routes.known) <= 4096
    assert isinstance(world.delivery.shapes.number(b"{4:more.}"), bytes)
    assert not world.problems
