"""A state whose only task waits for every next frame takes a short way through its ticks. Nobody can tell."""

import pytest

from engine import Limits

# What happens in the fifth frame of a task that has done the same in the four before it.
SURPRISES = {
    "ends": "return",
    "fails": "error('oops')",
    "fails with a table": "error({ message = 'oops', code = 3 })",
    "fails with a table without a message": "error({ 1, 2, code = 3 })",
    "fails with nil": "error()",
    "fails with a number": "error(42)",
    "fails with false": "error(false)",
    "fails with no place": "error('oops', 0)",
    "fails at no text": "error('')",
    "fails with much text": "error(('x'):rep(5000))",
    "fails with bytes": "error('caf\\195\\169 \\255\\0 end')",
    "fails with a traceback": "error('stack traceback:\\n\\t[C]: in a\\n  b\\n\\t[C]: in c')",
    "fails an assertion": "assert(false, { code = 3 })",
    "fails an assertion with words": "assert(nil, 'oops')",
    "fails an assertion without": "assert(n == 4)",
    "fails by itself": "local none; self.y = none.y",
    "fails in a method": "setmetatable(self.tool or {}, { __index = function() error({ 'deep' }) end }).y = self[n].y",
    "fails, which is caught": "log.info(pcall(error, { 1 })) log.info(pcall(function() error('oops') end))",
    "fails and cleans up": "task.finally(function() log.info('cleaned') wait() end) error({ 'oops' })",
    "sorts and emits": "table.sort(list, function(a, b) bus.emit('bell', a) return a < b end) self.y = 4",
    "sorts and emits and sleeps": "table.sort(list, function(a, b) bus.emit('bell', a) return a < b end) wait(0.05)",
    "sorts and emits and waits": "table.sort(list, function(a, b) bus.emit('bell') return a < b end) "
    "task.wait_frames(2)",
    "sorts and emits and ends": "table.sort(list, function(a, b) bus.emit('bell', a) return a < b end) return",
    "sorts and emits and fails": "table.sort(list, function(a, b) bus.emit('bell', a) error({ a, b }) end)",
    "sorts and emits and asks": "table.sort(list, function(a, b) bus.emit('bell', a) return a < b end) "
    "bus.handle('age', function() return n end) log.info(bus.request(entity.id, 'age'))",
    "sorts and waits": "log.info(pcall(table.sort, list, function(a, b) wait() return a < b end))",
    "sorts and cancels itself": "table.sort(list, function(a, b) task.cancel(coroutine.running()) return a < b end) "
    "self.y = 1 wait() self.y = 2",
    "sorts and spawns": "local function follow(y) task.spawn(function() wait() self.y = y end) end "
    "table.sort(list, function(a, b) follow(a) return a < b end)",
    "sorts with a coroutine": "local function wrapped(f) return coroutine.wrap(f)() end "
    "table.sort(list, function(a, b) return wrapped(function() return a < b end) end) "
    "coroutine.wrap(function() wait() self.y = 3 end)()",
    "sorts and yields": "table.sort(list, function(a, b) return coroutine.isyieldable() or a < b end) "
    "coroutine.yield(1, 2)",
    "replaces and emits": "('abc'):gsub('.', function(c) bus.emit('bell', c) end) self.y = 4",
    "takes coroutines": "log.info(coroutine.isyieldable()) wait() self.y = 9",
    "yields numbers": "task.delay(0.03, coroutine.wrap(function() wait() self.y = 8 end)) coroutine.yield(7, 7)",
    "draws lots": "self.y = math.random(1000) + math.random(1000) / 1000",
    "waits for something": "local k = 0 task.wait_until(function() k = k + 1 return k > 2 end) self.y = k",
    "cancels itself": "task.cancel(coroutine.running())",
    "is cancelled by another": "task.spawn(function() task.cancel(me) end)",
    "cancels itself and cleans up": "task.finally(function() log.info('cleaned') end) task.cancel(coroutine.running())",
    "sleeps": "wait(0.05)",
    "waits for frames": "task.wait_frames(2)",
    "waits for an event": "task.wait_event('bell', 0.1)",
    "spawns": "task.spawn(function() wait() log.info('spawned') self.y = 7 end)",
    "defers": "task.defer(function() log.info('deferred') self.x = self.x + 100 end)",
    "delays": "task.delay(0.03, function() log.info('delayed') end)",
    "repeats": "task.every(0.02, function() self.y = self.y + 10 end)",
    "emits": "bus.emit('bell', { n = n })",
    "listens": "bus.on('bell', function() self.y = 50 wait() self.y = 60 end)",
    "asks itself": "bus.handle('age', function() return n end) log.info(bus.request(entity.id, 'age'))",
    "shows itself": "self.sprite = 'slime'",
    "shows itself in a raw way": "rawset(self, 'sprite', 'slime') wait() rawset(self, 'text', 'hello')",
    "shows itself after what cannot be shown": "self.sprite = {} task.wait_frames(3) self.sprite = 'slime'",
    "shines": "self.light = 5 wait() self.light = nil",
    "has new fields": "self.fresh = 1 self.fresh = nil self.fresh = 2 log.info(self.fresh)",
    "names a field nil": "log.info(pcall(function() self[nil] = 1 end))",
    "names a field by what is no number": "self[0 / 0] = 1",
    "has a class of its own": "setmetatable(walker, { __index = function() return 7 end }) self.x, self.y = nil, nil",
    "hides": "self.sprite, self.x = nil, nil wait() self.x = 1",
    "is nowhere": "self.x = 'far' wait() self.x = 2",
    "resumes a coroutine": "local co = coroutine.wrap(function() wait() self.y = 3 end) co()",
    "yields by itself": "task.defer(coroutine.running()) coroutine.yield()",
    "spawns an entity": "entity.spawn('other')",
    "destroys itself": "entity.destroy()",
    "shares": "shared.set('n', n) log.info(shared.get('n'))",
    "asks for the time": "log.info(time.now, time.frame, wait())",
    "asks how it is": "local me = coroutine.running() log.info(task.status(me)) wait() log.info(task.status(me))",
    "races": "task.race { function() wait(0.02) end, function() wait() wait() end }",
}

WALKER = """
local walker = {}

function walker:start()
  while self.idle do wait() end
  SLEEPER
  KNOWN
  self.x, self.y = 0, 0
  local n, list = 0, { 3, 1, 2 }
  while true do
    n = n + 1
    self.x = self.x + 1
    if n == 5 then
      SURPRISE
    end
    wait()
  end
end

return walker
"""

# A second sleeper, so that the state never takes the short way.
SLEEPER = "task.delay(1000, function() end)"


ISOLATIONS = ("entity", "script")


def story(make_world, scripts, surprise, sleeper, *, beside=None):
    """What can be seen of twelve frames, from Python and from the log. `beside` is how those beside it are isolated."""
    name = "walker"
    known = "local me = coroutine.running()" if "(me)" in surprise else ""  # to ask for it is a deed of its own
    text = WALKER.replace("SLEEPER", sleeper).replace("KNOWN", known)
    scripts.write(name, text.replace("SURPRISE", f"do {surprise} end"))
    scripts.write("other", "return { start = function() bus.emit('bell') end }")
    world = make_world(isolation=beside or "entity")
    seen = []
    world.bus.on("bell", lambda event: seen.append((world.frame, event.payload)))
    walker, *_ = [world.spawn(name, idle=number > 0) for number in range(3 if beside else 1)]
    for frame in range(12):
        if frame == 8:
            world.bus.emit("bell", frame)
        world.tick(1 / 60)
        seen.append((walker.alive, walker.position, dict(walker.view), len(world.entities), len(world.log)))
    seen += world.log
    seen += [(problem.message, problem.line, problem.count, problem.first_frame) for problem in world.problems]
    return seen


@pytest.mark.parametrize("surprise", SURPRISES.values(), ids=SURPRISES)
def test_whatever_a_task_does_after_frames_that_were_alike_is_as_in_a_state_with_another(make_world, scripts, surprise):
    alone = story(make_world, scripts, surprise, "")
    beside = story(make_world, scripts, surprise, SLEEPER)

    assert alone == beside


@pytest.mark.parametrize("surprise", SURPRISES.values(), ids=SURPRISES)
def test_whatever_a_task_does_among_many_in_one_state_is_as_in_a_state_of_its_own(make_world, scripts, surprise):
    apart, together = (story(make_world, scripts, surprise, "", beside=isolation) for isolation in ISOLATIONS)

    assert apart == together


PACER = """
local pacer = {}
function pacer:start()
  self.x, self.y = 0, 0
  BEFORE
  while true do
    self.x = self.x + 1
    STEP
    wait()
  end
end
return pacer
"""


def pacing(world, scripts, frames, *, before="", step=""):
    """A pacer that has done the same in so many frames and in the one in which it was spawned."""
    scripts.write("pacer", PACER.replace("BEFORE", before).replace("STEP", step))
    pacer = world.spawn("pacer")
    for _ in range(frames):
        world.tick(1 / 60)
    return pacer


def test_a_call_from_python_between_two_frames_is_no_part_of_the_task_that_sleeps(world, scripts):
    push = "self.push = function(by) task.spawn(function() wait() self.y = by end) bus.emit('pushed') end"
    pacer = pacing(world, scripts, 3, before=push)

    with pacer.self.upgrade() as self_:
        self_["push"](5)
    world.tick(1 / 60)

    assert pacer.position == (5, 5)
    assert world.problems == []


@pytest.mark.parametrize("events", [1, 2])
def test_a_handler_sees_what_the_task_did_last_and_the_task_what_the_handler_did(world, scripts, events):
    jump = "bus.on('jump', function() self.y = self.x * 10 end)"
    pacer = pacing(world, scripts, 3, before=jump, step="self.x = self.x + self.y")

    for _ in range(events):
        world.bus.emit("jump")
    world.tick(1 / 60)

    assert pacer.position == (4 + 1 + 40, 40)


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_a_loop_that_does_not_end_is_stopped_after_frames_that_were_alike(make_world, scripts):
    world = make_world(limits=Limits(instructions=50_000))

    pacing(world, scripts, 52, step="while self.x > 50 do end")

    assert [problem.line for problem in world.problems] == [7]
    assert "50,000 instructions" in world.problems[0].message


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_each_of_the_frames_that_are_alike_has_all_its_instructions(make_world, scripts):
    world = make_world(limits=Limits(instructions=10_000))

    pacing(world, scripts, 30, step="for _ = 1, 1000 do self.y = self.y + 1 end")

    assert world.problems == []


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
@pytest.mark.parametrize("work, stops", [(370_000, 0), (401_000, 1)])
def test_after_many_frames_of_little_work_one_has_as_many_instructions_as_the_limit_says(
    make_world, scripts, work, stops
):
    world = make_world(limits=Limits(instructions=400_000))

    pacing(world, scripts, 61, step=f"for _ = 1, self.x == 60 and {work} or 200 do end")

    assert [problem.line for problem in world.problems] == [7] * stops


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_a_state_that_grows_a_little_in_frames_that_are_alike_is_closed_at_its_limit(make_world, scripts):
    world = make_world(limits=Limits(memory=1024 * 1024))

    grow = "hoard[#hoard + 1] = string.rep('x', 1024) .. #hoard"
    pacer = pacing(world, scripts, 1200, before="local hoard = {}", step=grow)

    assert not pacer.alive
    assert "Limits.memory" in world.problems[0].message


def test_time_that_stands_still_and_goes_on_moves_nobody_twice(world, scripts):
    pacer = pacing(world, scripts, 3)

    world.time_scale = 0
    for _ in range(3):
        world.tick(1 / 60)
    world.time_scale = 1
    world.tick(1 / 60)

    assert pacer.position == (5, 0)


def test_one_that_moved_alone_and_gets_company_is_where_its_script_says_again_and_again(make_world, scripts):
    world = make_world(isolation="script")
    first = pacing(world, scripts, 3)

    second = world.spawn("pacer")
    world.tick(1 / 60)
    together = first.position, second.position
    first.destroy()
    world.tick(1 / 60)
    world.tick(1 / 60)

    assert together == ((5, 0), (2, 0))
    assert (first.position, second.position) == ((5, 0), (4, 0))


def trace(world, pacer, tmp_path):
    with world.trace(tmp_path / "trace.json"):
        world.tick(1 / 60)
        world.tick(1 / 60)
    return 2


def call(world, pacer, tmp_path):
    with pacer.self.upgrade() as self_:
        self_["say"]()


def ring(world, pacer, tmp_path):
    world.bus.emit("bell")


def ring_while_time_stands_still(world, pacer, tmp_path):
    world.time_scale = 0
    world.bus.emit("bell")
    world.tick(1 / 60)
    world.time_scale = 1


def read(world, pacer, tmp_path):
    with pacer.self.upgrade() as self_:
        assert self_["x"] == pacer.position[0]


def visit(world, pacer, tmp_path):
    world.spawn("guest")


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("meanwhile", [trace, call, ring, ring_while_time_stands_still, read, visit])
def test_whatever_the_game_does_between_frames_that_are_alike_each_moves_once_in_each(
    make_world, scripts, tmp_path, meanwhile, workers
):
    world = make_world(workers=workers)
    scripts.write("guest", "return { start = function() wait(0.02) bus.emit('bell') end }")
    before = "self.say = function() log.info('said') end bus.on('bell', function() log.info('heard') end)"
    pacers = [pacing(world, scripts, 2, before=before, step="self.y = self.y + time.dt") for _ in range(3)]

    ticks = 6
    for _ in range(3):
        ticks += (meanwhile(world, pacers[1], tmp_path) or 0) + 4
        for _ in range(4):
            world.tick(1 / 60)

    assert [pacer.position[0] for pacer in pacers] == [ticks + 1, ticks - 1, ticks - 3]
    assert [round(pacer.position[1] * 60) for pacer in pacers] == [ticks, ticks - 1, ticks - 3]
    assert world.problems == []


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
@pytest.mark.parametrize("failure", ["error('oops')", "error({ 'oops' })", "self.none.y = 1"])
def test_what_a_task_marked_is_closed_with_its_error_after_frames_that_were_alike(make_world, scripts, failure):
    world = make_world()
    close = "setmetatable({}, { __close = function(_, e) log.info(type(e), type(e) == 'table' and e[1] or e) end })"

    pacer = pacing(world, scripts, 12, step=f"if self.x == 9 then local mark <close> = {close} {failure} end")

    kind = "table" if "{" in failure else "string"
    assert [line.text.split()[0] for line in world.log] == [kind]
    assert ("oops" if "oops" in failure else "nil value") in world.log[0].text
    assert pacer.position[0] == 9
    assert len(world.problems) == 1
