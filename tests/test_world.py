"""Entities and their hooks, the order of a frame, the clock, the log, and the end of a world."""

import pytest

from engine import EngineError, World, WorldClosed
from helpers import fields, messages, payloads_of, run_child, ticks


def test_init_runs_once_then_start_and_keywords_override_properties(world, scripts):
    scripts.write(
        "door",
        """
        local door = {}
        door.properties = { open_seconds = 2.0, size = { 1, 2 } }
        function door:init() self.order = "init" end
        function door:start() self.order = self.order .. " start" end
        return door
        """,
    )

    door = world.spawn("door", open_seconds=5)

    assert fields(door) == {"open_seconds": 5, "size": [1, 2], "order": "init start"}


def test_table_properties_are_a_copy_for_each_entity(world, scripts):
    scripts.write(
        "bag",
        """
        local bag = { properties = { items = {} } }
        function bag:start() self.items[#self.items + 1] = entity.id end
        return bag
        """,
    )

    first, second = world.spawn("bag"), world.spawn("bag")

    assert fields(first)["items"] == [first.id]
    assert fields(second)["items"] == [second.id]


def test_start_waits_for_an_init_that_waits(world, scripts):
    scripts.write(
        "slow",
        """
        local slow = {}
        function slow:init() wait(0.5) self.made = true end
        function slow:start() self.started = self.made end
        function slow:update() self.updated = self.made end
        return slow
        """,
    )
    slow = world.spawn("slow")

    ticks(world, 20, 1 / 60)
    before = fields(slow)
    ticks(world, 20, 1 / 60)

    assert before == {}
    assert fields(slow) == {"made": True, "started": True, "updated": True}


def test_a_frame_runs_mail_tasks_fixed_update_update_deferred_and_late_update_in_order(world, scripts):
    scripts.write(
        "clerk",
        """
        local clerk = {}
        local function note(self, what) self.order = (self.order or "") .. what .. " " end
        function clerk:start()
          bus.on("mail", function() note(self, "mail") task.defer(note, self, "deferred") end)
          wait()
          note(self, "task")
        end
        function clerk:fixed_update(dt) note(self, "fixed") end
        function clerk:update(dt) note(self, "update") end
        function clerk:late_update(dt) note(self, "late") end
        return clerk
        """,
    )
    clerk = world.spawn("clerk")
    world.bus.emit("mail")

    world.tick(2 / 60)

    assert fields(clerk)["order"] == "mail task fixed fixed update deferred late "


def test_update_gets_the_frame_time_and_fixed_update_the_fixed_one(world, scripts):
    scripts.write(
        "clock",
        """
        local clock = {}
        function clock:update(dt) self.dt = dt end
        function clock:fixed_update(dt) self.fixed, self.count = dt, (self.count or 0) + 1 end
        return clock
        """,
    )
    clock = world.spawn("clock")

    for dt in (0.1, 0.004, 0.004, 0.025):
        world.tick(dt)

    assert fields(clock) == {"dt": 0.025, "fixed": 1 / 60, "count": 7}


def test_a_frame_of_five_seconds_runs_eight_fixed_updates_at_most(world, scripts):
    scripts.write(
        "clock",
        "return { fixed_update = function(self) self.count = (self.count or 0) + 1 end }",
    )
    clock = world.spawn("clock")

    world.tick(5.0)

    assert fields(clock)["count"] == 8


def test_entities_tick_in_id_order_and_spawns_take_effect_at_the_end_of_the_frame(world, scripts):
    scripts.write(
        "parent",
        """
        local parent = {}
        function parent:start()
          bus.on("go", function()
            local child = entity.spawn("child", { of = entity.id })
            bus.emit("said", { "spawned", child, entity.exists(child), #entity.find("child") })
            wait()
            bus.emit("said", { "later", child, #entity.find("child") })
          end)
        end
        return parent
        """,
    )
    scripts.write(
        "child",
        'return { start = function(self) bus.emit("said", { "started", entity.id, self.of }) end }',
    )
    world.spawn("parent")
    world.spawn("parent")
    said = payloads_of(world)
    world.bus.emit("go")

    world.tick(1 / 60)
    world.tick(1 / 60)

    assert said == [
        ["spawned", 3, True, 0],
        ["spawned", 4, True, 0],
        ["started", 3, 1],
        ["started", 4, 2],
        ["later", 3, 2],
        ["later", 4, 2],
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("isolation = 5", 'isolation must be "entity" or "script", got 5'),
        ("isolation = 'each'", 'isolation must be "entity" or "script", got \'each\''),
        ("clock = 'wall'", 'clock must be "game" or "real", got \'wall\''),
        ("clock = true", 'clock must be "game" or "real", got True'),
    ],
)
def test_what_a_script_says_of_itself_in_vain_is_told_as_it_stands_there(world, scripts, said, told):
    scripts.write("door", f"return {{ {said} }}")
    world.spawn("door")

    assert [problem.message for problem in world.problems] == [told]


def test_no_entity_has_an_id_that_is_none(world, scripts):
    scripts.write(
        "asker",
        "return { start = function() for _, id in ipairs { 2 ^ 60, -1, 0, 7 } do print(entity.exists(id)) end end }",
    )
    world.spawn("asker")

    assert [line.text for line in world.log] == ["false"] * 4
    assert not world.problems and world.entity("1") is None


def test_mail_to_an_entity_that_is_being_made_waits_for_it(world, scripts):
    scripts.write(
        "gun",
        """
        local gun = {}
        function gun:start()
          wait()
          local bullet = entity.spawn("bullet")
          bus.send(bullet, "aim", { angle = 90 })
        end
        return gun
        """,
    )
    scripts.write("bullet", "return { on_event = function(self, event) self.angle = event.payload.angle end }")
    world.spawn("gun")

    ticks(world, 3)

    (bullet,) = world.find("bullet")
    assert fields(bullet) == {"angle": 90}


def test_destroy_runs_final_and_the_entity_is_gone_at_the_end_of_the_frame(world, scripts):
    scripts.write(
        "ghost",
        """
        local ghost = {}
        function ghost:start()
          task.spawn(function()
            task.finally(function() bus.emit("said", "cleaned up") end)
            wait(100)
          end)
          bus.on("boo", function() entity.destroy() self.n = 1 end)
        end
        function ghost:final(reason) bus.emit("said", "final " .. reason) end
        return ghost
        """,
    )
    ghost = world.spawn("ghost")
    handle = ghost.self
    said = payloads_of(world)
    world.bus.emit("boo")

    world.tick(1 / 60)

    assert said == ["final destroyed", "cleaned up"]
    assert not ghost.alive
    assert not handle.alive
    assert world.entities == []
    assert world.stats().states == 0


def test_find_knows_scripts_and_tags(world, scripts):
    scripts.write("slime", 'return { init = function() entity.tag("enemy") end }')
    scripts.write(
        "bat",
        """
        local bat = {}
        function bat:init() entity.tag("enemy") end
        function bat:start()
          bus.on("count", function() bus.emit("said", { entity.find("enemy"), entity.find("slime") }) end)
        end
        return bat
        """,
    )
    ids = [world.spawn(name).id for name in ("slime", "bat", "slime")]
    said = payloads_of(world)
    world.bus.emit("count")
    world.tick(0.0)

    assert said == [[ids, [ids[0], ids[2]]]]
    assert [entity.id for entity in world.find("enemy")] == ids


# The clock, the log, the end.


@pytest.mark.parametrize("fps", [30, 60, 75, 144])
def test_a_second_of_waiting_is_a_second_of_frames(world, scripts, fps):
    scripts.write(
        "sleeper",
        """
        local sleeper = { properties = { seconds = 0 } }
        function sleeper:start()
          while true do wait(1) self.seconds, self.frames = self.seconds + 1, time.frame end
        end
        return sleeper
        """,
    )
    sleeper = world.spawn("sleeper")

    ticks(world, 20 * fps, 1 / fps)

    assert fields(sleeper) == {"seconds": 20, "frames": 20 * fps}


@pytest.mark.parametrize("dt", [-1, float("nan"), float("inf"), 1e300, 10**400, "x", None])
def test_tick_refuses_what_is_no_time(world, dt):
    with pytest.raises(EngineError, match="dt must be a finite number of seconds >= 0"):
        world.tick(dt)


@pytest.mark.parametrize("scale", [-1, float("nan"), float("inf"), 1e300, "x", None])
def test_tick_refuses_a_time_scale_that_is_none(world, scale):
    world.time_scale = scale

    with pytest.raises(EngineError, match="time_scale must be a finite number >= 0"):
        world.tick(0.1)

    world.time_scale = 1
    world.tick(0.5)
    assert world.now == 0.5


def test_times_are_floats_whatever_the_game_ticks_with(world, scripts):
    scripts.write("door", "return { update = function(self, dt) self.seen = tostring(dt / 1) == tostring(dt) end }")
    door = world.spawn("door")
    world.time_scale = 2

    world.tick(1)

    assert fields(door)["seen"] is True


@pytest.mark.parametrize(
    "wrong", [{"seed": "x"}, {"seed": 1.5}, {"seed": 2**63}, {"limits": 5}, {"workers": -1}], ids=str
)
def test_what_a_world_cannot_be_made_with_is_refused_by_name(make_world, wrong):
    (name,) = wrong

    with pytest.raises(EngineError, match=f"^{name} must be "):
        make_world(**wrong)


def test_a_spawn_that_is_refused_leaves_nothing_behind(world, scripts):
    scripts.write("door", "return {}")

    with pytest.raises(EngineError, match="spawn: expected the name of a script, got None"):
        world.spawn(None)
    with pytest.raises(EngineError, match="an object object cannot enter a state"):
        world.spawn("door", x=object())
    with pytest.raises(EngineError, match="reload: expected the name of a script, got 5"):
        world.reload(5)

    assert (world.spawn("door").id, len(world.entities), world.problems) == (1, 1, [])


@pytest.mark.parametrize("use", ["bus.emit", "bus.on", "shared.set", "shared.get"])
def test_a_name_that_is_no_text_is_refused(world, use):
    part, word = use.split(".")

    with pytest.raises(EngineError, match="lone surrogates"):
        getattr(getattr(world, part), word)("\ud800", *([print] if word in ("on", "set") else []))


def test_tick_inside_a_tick_is_refused(world, scripts):
    scripts.write("door", 'return { start = function() bus.emit("said") end }')
    world.spawn("door")
    world.bus.on("again", lambda event: world.tick(0.1))
    world.bus.emit("again")

    with pytest.raises(EngineError, match="while the world ticks"):
        world.tick(0.1)


def test_print_and_log_go_to_the_log_with_script_and_line(world, scripts):
    scripts.write(
        "door", 'local door = {}\nfunction door:start()\n  print("a", 1, nil)\n  log.warn("b")\nend\nreturn door'
    )
    door = world.spawn("door")

    assert list(world.log) == [
        ("info", "a\t1\tnil", door.id, "scripts/door.lua", 3),
        ("warn", "b", door.id, "scripts/door.lua", 4),
    ]


SHOWN = {
    "a list": ("{ 1, 2.5, 'a', true }", '{1, 2.5, "a", true}'),
    "fields": ("{ x = 1, [3] = 2, [true] = {} }", "{[3] = 2, [true] = {}, x = 1}"),
    "both": ("{ 1, { 2, n = 3 } }", "{1, {2, n = 3}}"),
    "deep": ("{ { { { 1 } } } }", "{{{{...}}}}"),
    "a cycle": ("(function() local t = { 1 } t[2] = t return t end)()", "{1, {1, {1, {...}}}}"),
    "functions": ("{ f = print, c = coroutine.create(print) }", "{c = a thread, f = a function}"),
    "a long list": ("(function() local t = {} for i = 1, 1000 do t[i] = i end return t end)()",
                    "{" + ", ".join(map(str, range(1, 40))) + ", ...}"),
    "many fields": ("(function() local t = { 7 } for i = 1, 1000 do t['n' .. i] = i end return t end)()", "{7, ...}"),
    "a class": ("setmetatable({ x = 1 }, { __index = error, __len = error, __pairs = error })", "{x = 1}"),
    "its own words": ("setmetatable({}, { __tostring = function() return 'a door' end })", "a door"),
    "self": ("self", "{x = 1, y = 2}"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHOWN)
def test_a_table_in_the_log_is_what_is_in_it(world, scripts, kind):
    value, expected = SHOWN[kind]
    scripts.write("door", f"return {{ start = function(self) print({value}) end }}")

    world.spawn("door", x=1, y=2)

    assert ([line.text for line in world.log], world.problems) == ([expected], [])


def test_what_tostring_may_give_is_the_same_on_every_lua(world, scripts):
    scripts.write(
        "door",
        """
        local function said(text) return setmetatable({}, { __tostring = function() return text end }) end
        local door = {}
        function door:start()
          print(said("open"), said(5))
          print(said({}))
        end
        return door
        """,
    )

    world.spawn("door")

    assert [line.text for line in world.log] == ["open\t5"]
    assert messages(world) == ["'__tostring' must return a string"]


def test_a_place_stays_the_last_one_that_was_a_place(world, scripts):
    scripts.write(
        "door",
        """
        local door = {}
        function door:start()
          wait()
          self.x, self.y = 3, 4
          wait()
          self.x = nil
          wait()
          self.x = 5
        end
        return door
        """,
    )
    door = world.spawn("door")

    places = [door.position]
    for _ in range(3):
        world.tick(0.1)
        places.append(door.position)

    assert places == [None, (3, 4), (3, 4), (5, 4)]
    with pytest.raises(AttributeError):
        door.position = (1, 1)  # that is for the script to say


def test_commands_to_the_window_are_recorded_frame_by_frame(world, scripts):
    scripts.write(
        "player",
        """
        local player = {}
        function player:start()
          sound.play("step", 0.5)
          wait()
          camera.follow()
          draw.text("hi", 1, 2, { 255, 0, 0 })
        end
        return player
        """,
    )
    player = world.spawn("player")

    world.tick(1 / 60)
    first = list(world.commands)
    world.tick(1 / 60)

    assert first == [
        ("sound", "play", ["step", 0.5], player.id),
        ("camera", "follow", [], player.id),
        ("draw", "text", ["hi", 1, 2, [255, 0, 0]], player.id),
    ]
    assert world.commands == []


def test_a_closed_world_refuses_everything_but_close(make_world, scripts):
    scripts.write("door", "return {}")
    world = make_world()
    door = world.spawn("door")
    handle = door.self

    world.close()
    world.close()

    assert not door.alive
    assert handle.try_upgrade() is None
    with pytest.raises(WorldClosed):
        world.tick(1 / 60)
    with pytest.raises(WorldClosed):
        world.spawn("door")


def test_two_worlds_live_side_by_side(make_world, scripts):
    scripts.write("counter", "return { update = function(self) n = (n or 0) + 1 self.n = n end }")
    first, second = make_world(), make_world()
    one, other = first.spawn("counter"), second.spawn("counter")

    ticks(first, 3)
    ticks(second, 1)

    assert (fields(one)["n"], fields(other)["n"]) == (3, 1)


@pytest.mark.row("E13")
def test_the_package_ticks_without_pygame_display_or_loop(scripts, lua):
    scripts.write("door", "return { update = function(self) self.n = (self.n or 0) + 1 end }")

    run_child(f"""
    import sys, threading
    from engine import World
    with World({str(scripts.path)!r}, lua={lua!r}) as world:
        door = world.spawn("door")
        world.tick(1 / 60)
    assert "pygame" not in sys.modules and "asyncio" not in sys.modules, sorted(sys.modules)
    assert threading.active_count() == 1
    """)


def test_unknown_options_say_what_there_is(scripts):
    with pytest.raises(EngineError, match="lua must be one of lua55, lua54, luajit21, got 'lua53'"):
        World(scripts.path, lua="lua53").spawn("door")
    with pytest.raises(EngineError, match="isolation must be one of"):
        World(scripts.path, isolation="thread")


def test_many_operations_in_one_tick_cross_whole(world, scripts):
    scripts.write(
        "flood",
        """
        local flood = {}
        function flood:start()
          wait()
          for i = 1, 5000 do bus.emit("said", { i = i, name = "ember" }) end
        end
        return flood
        """,
    )
    said = payloads_of(world)
    world.spawn("flood")

    world.tick(1 / 60)

    assert said == [{"i": i, "name": "ember"} for i in range(1, 5001)]


def test_who_is_told_something_while_the_game_stands_still_is_updated_once_a_frame_from_then_on(world, scripts):
    scripts.write(
        "counter",
        """
        local counter = { properties = { heard = 0, updates = 0 } }
        function counter:start() bus.on("ping", function() self.heard = self.heard + 1 end) end
        function counter:update() self.updates = self.updates + 1 end
        return counter
        """,
    )
    counters = [world.spawn("counter") for _ in range(2)]
    ticks(world, 1)

    world.time_scale = 0
    world.bus.send(counters[1], "ping")
    ticks(world, 2)
    world.time_scale = 1
    ticks(world, 3)

    assert [fields(counter) for counter in counters] == [{"heard": 0, "updates": 4}, {"heard": 1, "updates": 4}]


@pytest.mark.parametrize("isolation", ["entity"], indirect=True)
def test_states_tick_in_the_order_of_their_ids_whoever_woke_fell_asleep_or_got_mail_before(make_world, scripts):
    scripts.write(
        "sleeper",
        """
        local sleeper = {}
        function sleeper:start()
          bus.on("poke", function() bus.emit("ran") end)
          while true do
            bus.emit("ran")
            local n = (time.frame * 7 + entity.id * 5) % 11
            wait(n > 4 and n * time.dt or nil)
          end
        end
        return sleeper
        """,
    )
    world = make_world()
    for _ in range(12):
        world.spawn("sleeper")
    ran = []
    world.bus.on("ran", lambda event: ran.append(event.sender))

    frames = []
    for frame in range(60):
        if frame % 20 == 19:
            world.bus.emit("poke")
        world.tick(1 / 64)
        frames.append(ran[:])
        ran.clear()

    assert all(frame == sorted(frame) for frame in frames)
    assert len({tuple(frame) for frame in frames}) > 20
