"""Entities and their hooks, problems, the order of a frame, the clock, and the end of a world."""

import threading

import pytest

from engine import EngineError, Limits, ScriptError, World, WorldClosed
from helpers import run_child, ticks


def heard(world, name="said"):
    """The payloads of every event called `name`, as they come."""
    payloads = []
    world.bus.on(name, lambda event: payloads.append(event.payload))
    return payloads


def messages(world):
    return [problem.message for problem in world.problems]


def fields(entity):
    with entity.self.upgrade() as self_:
        return self_.to_dict()


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
    said = heard(world)
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
    said = heard(world)
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
    said = heard(world)
    world.bus.emit("count")
    world.tick(0.0)

    assert said == [[ids, [ids[0], ids[2]]]]
    assert [entity.id for entity in world.find("enemy")] == ids


# Scripts that cannot be used.


BROKEN = {
    "empty": ("", "empty"),
    "not utf-8": (b"return '\xff'", "UTF-8"),
    "no table": ("return 5", "must return its table of hooks, got a number"),
    "nothing returned": ("local broken = {}", 'did you forget "return broken"?'),
    "syntax": ("local x = = 1\nreturn {}", "unexpected symbol"),
    "error while loading": ("error('no way') return {}", "no way"),
    "error in init": ("return { init = function() error('no init') end }", "no init"),
    "error in start": ("return { start = function() local x = nil + 1 end }", "arithmetic on a nil value"),
    "misspelt hook": ("return { on_imput = function() end }", 'there is no hook "on_imput"; did you mean "on_input"?'),
    "misspelt update": ("return { udpate = function() end }", 'did you mean "update"?'),
    "a dot in a definition": (
        "local d = {} function d.start() self.x = 1 end return d",
        "a function that uses self is written with a colon",
    ),
    "a dot in a call": (
        "local d = {} function d:open(n) self.n = n end function d:start() self.open(3) end return d",
        "called with a dot",
    ),
    "properties": ("return { properties = 3 }", "properties must be a table such as { speed = 60 }, got a number"),
    "error object": ("return { start = function() error({ code = 7 }) end }", "{code = 7}"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_script_is_one_clear_problem_and_the_game_goes_on(world, scripts, kind):
    text, expected = BROKEN[kind]
    (scripts.path / "broken.lua").write_bytes(text if isinstance(text, bytes) else text.encode())
    scripts.write("good", "return { update = function(self) self.n = (self.n or 0) + 1 end }")

    world.spawn("broken")
    good = world.spawn("good")
    ticks(world, 3)

    (problem,) = world.problems
    assert expected in problem.message
    assert problem.script == "scripts/broken.lua"
    assert problem.count == 1
    assert fields(good) == {"n": 3}


def test_an_unknown_script_suggests_the_nearest(world, scripts):
    scripts.write("door", "return {}")

    world.spawn("dor")

    assert messages(world) == ['no script "dor" in scripts/; did you mean "door"?']


def test_an_unknown_script_is_an_error_at_the_line_that_spawns_it(world, scripts):
    scripts.write("door", "return {}")
    scripts.write("level", "local level = {}\nfunction level:start()\n  entity.spawn('dor')\nend\nreturn level")

    world.spawn("level")

    (problem,) = world.problems
    assert (problem.script, problem.line) == ("scripts/level.lua", 3)
    assert problem.message == 'no script "dor" in scripts/; did you mean "door"?'


@pytest.mark.parametrize("hook", ["update", "fixed_update", "late_update"])
def test_a_failing_hook_is_one_problem_with_count_script_line_and_traceback(world, scripts, hook):
    scripts.write("bad", f"local bad = {{}}\nfunction bad:{hook}()\n  local n = self.missing.field\nend\nreturn bad")
    bad = world.spawn("bad")

    ticks(world, 5)

    (problem,) = world.problems
    assert (problem.script, problem.line, problem.entity) == ("scripts/bad.lua", 3, bad.id)
    assert (problem.count, problem.first_frame, problem.last_frame) == (5, 1, 5)
    assert "attempt to index a nil value" in problem.message or "attempt to index field" in problem.message
    assert hook in problem.traceback


def test_a_callback_that_fails_too_often_in_a_row_is_paused(world, scripts):
    scripts.write("bad", "return { update = function(self) self.n = (self.n or 0) + 1 error('again') end }")
    bad = world.spawn("bad")

    ticks(world, 30)

    assert fields(bad)["n"] == 10
    assert messages(world)[1] == '"update" failed 10 times in a row and is paused until its script reloads'


@pytest.mark.parametrize(
    ("fails", "mail", "called"),
    [("n > 1", [0, 4, 5], [1, 2, 3, 4]), ("n == 2 or n == 3 or n == 5", [0, 3], [1, 2, 3, 4, 5, 6, 7, 8])],
    ids=["paused", "not in a row"],
)
def test_an_update_that_failed_beside_no_event_is_counted_beside_one(make_world, scripts, fails, mail, called):
    """Frames with mail call it another way, which must know what happened in the others."""
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, errors=3))
    scripts.write(
        "door",
        f"""
        local door = {{}}
        function door:start()
          self.called, self.n = {{}}, 0
          bus.on("knock", function() end)
        end
        function door:update()
          local n = self.n + 1
          self.n, self.called[n] = n, n
          if {fails} then error("stuck") end
        end
        return door
        """,
    )
    entity = world.spawn("door")

    for frame in range(8):
        if frame in mail:
            world.bus.send(entity, "knock")
        world.tick(0.1)

    assert fields(entity)["called"] == called


def test_on_problem_hears_of_new_problems_only(world, scripts):
    scripts.write("bad", "return { update = function() error('again') end }")
    new = []
    world.on_problem(new.append)
    world.spawn("bad")

    ticks(world, 3)

    assert [problem.message for problem in new] == ["again"]
    assert new == world.problems


def test_strict_raises_the_first_problem_with_its_place(make_world, scripts):
    scripts.write("bad", "local bad = {}\nfunction bad:update()\n  error('stop')\nend\nreturn bad")
    world = make_world(strict=True)
    world.spawn("bad")

    with pytest.raises(ScriptError, match=r"scripts/bad\.lua:3: stop") as caught:
        world.tick(1 / 60)

    assert (caught.value.script, caught.value.line) == ("scripts/bad.lua", 3)
    assert "stack traceback" in caught.value.traceback


def test_an_unpayable_property_is_refused_with_its_path(world, scripts):
    scripts.write("door", "return {}")

    with pytest.raises(EngineError, match=r"properties\.owner"):
        world.spawn("door", owner=object())


# Determinism.


BUSY = """
local busy = {}
function busy:start()
  bus.on("ping", function(event)
    self.heard = (self.heard or 0) + event.payload.n
    wait(math.random() * 0.1)
    if math.random() < 0.2 and #entity.find("busy") < 12 then entity.spawn("busy") end
  end)
  while true do
    wait(math.random() * 0.2)
    self.x, self.y = math.random(1, 100), math.random()
    bus.emit("ping", { n = math.random(1, 6) })
  end
end
return busy
"""


def digest_of(make_world, seed, dts):
    world = make_world(seed=seed)
    for _ in range(3):
        world.spawn("busy")
    for dt in dts:
        world.tick(dt)
    return world.stats().digest, len(world.entities)


def test_the_same_seed_and_frame_times_give_the_same_digest(make_world, scripts):
    scripts.write("busy", BUSY)
    dts = [0.016, 0.02, 0.05, 0.001] * 40

    first, again, other = (digest_of(make_world, seed, dts) for seed in (7, 7, 8))

    assert first == again
    assert first[1] > 3
    assert other[0] != first[0]


def test_looking_at_the_digest_does_not_change_what_it_will_be(make_world, scripts):
    scripts.write(
        "light", "local l = {} function l:update() draw.light(1, 2, 3) self.text = tostring(time.frame) end return l"
    )
    seen, unseen = (make_world() for _ in range(2))

    for world in (seen, unseen):
        world.spawn("light")
        for _ in range(5):
            world.tick(0.1)
            if world is seen:
                world.stats()

    assert seen.stats().digest == unseen.stats().digest


def test_another_process_has_the_same_digest(make_world, scripts, lua, isolation):
    scripts.write("busy", BUSY)
    code = f"""
    from engine import World
    with World({str(scripts.path)!r}, lua={lua!r}, isolation={isolation!r}, seed=7) as world:
        for _ in range(3):
            world.spawn("busy")
        for dt in [0.016, 0.02, 0.05, 0.001] * 40:
            world.tick(dt)
        print(world.stats().digest)
    """

    printed = run_child(code).stdout.split()[-1]

    assert printed == digest_of(make_world, 7, [0.016, 0.02, 0.05, 0.001] * 40)[0]


@pytest.mark.parametrize("workers", [2, 3])
def test_any_number_of_workers_gives_the_same_digest(make_world, scripts, workers):
    scripts.write("busy", BUSY.replace("< 12", "< 24"))

    def run(count):
        world = make_world(seed=3, workers=count)
        for _ in range(12):
            world.spawn("busy")
        ticks(world, 20, 1 / 30)
        return world.stats()

    alone, together = run(0), run(workers)

    assert alone.entities > 12
    assert together == alone


@pytest.mark.parametrize("isolation", ["entity"])
def test_workers_end_with_their_world(make_world, scripts):
    scripts.write("busy", BUSY)
    world = make_world(workers=2)
    for _ in range(8):
        world.spawn("busy")
    ticks(world, 3)
    during = {thread.name for thread in threading.enumerate()}

    world.close()

    assert any(name.startswith("tidelock-worker") for name in during)
    assert not any(thread.name.startswith("tidelock-worker") for thread in threading.enumerate())


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


def test_the_pointer_is_a_place_in_the_world_and_one_on_the_screen(world, scripts):
    scripts.write(
        "hand",
        """
        local h = {}
        function h:on_input(action)
          local x, y = input.mouse()
          local left, top = input.mouse("screen")
          bus.emit("seen", { x, y, left, top, action.x, action.y, input.mouse("world") == x })
        end
        return h
        """,
    )
    seen = []
    world.bus.on("seen", lambda event: seen.append(event.payload))
    world.spawn("hand")

    world.input.point(110, 105, 100, 100)
    world.input.press("click")
    world.tick(0.1)
    world.input.point(3, 4)
    world.input.release("click")
    world.tick(0.1)

    assert seen == [[110, 105, 10, 5, 110, 105, True], [3, 4, 3, 4, 3, 4, True]]


def test_actions_reach_on_input_and_input_down(world, scripts):
    scripts.write(
        "player",
        """
        local player = {}
        function player:on_input(action)
          bus.emit("said", { action.name, action.pressed, input.down("left"), input.axis("left", "right") })
        end
        return player
        """,
    )
    world.spawn("player")
    said = heard(world)

    world.input.press("left")
    world.tick(1 / 60)
    world.input.release("left")
    world.input.press("right")
    world.tick(1 / 60)

    assert said == [["left", True, True, -1], ["left", False, False, 1], ["right", True, False, 1]]


def test_pressing_what_is_held_and_releasing_what_is_not_does_nothing(world, scripts):
    scripts.write("player", "return { on_input = function(_, action) print(action.name, action.pressed) end }")
    world.spawn("player")

    for change in (world.input.press, world.input.press, world.input.release, world.input.release):
        change("jump")
        world.tick(1 / 60)

    assert [line.text for line in world.log] == ["jump\ttrue", "jump\tfalse"]


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
    said = heard(world)
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
