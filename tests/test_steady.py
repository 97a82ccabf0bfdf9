"""A state that does the same in every frame, and draws it, takes a short way through its ticks. Nobody can tell."""

import pytest

from engine import Limits
from helpers import ticks
from tests.test_calm import SURPRISES

# More that may happen in the fifth frame of one that draws in each.
SHOWN = {
    "draws more": "draw.circle(1, 2, 3, '#fff') draw.light(4, 5, 6, '#ffffff') sound.play('bell')",
    "draws much": "for i = 1, 40 do draw.light(i, i, i, '#ffffff') end",
    "draws a table": "draw.rect(1, 2, 3, 4, { 1, 2, 3 }) draw.light(4, 5, 6, '#ffffff')",
    "draws what cannot be drawn": "draw.light(1, 2, 3, function() end)",
    "draws with a nil": "draw.light(1, nil, 3, '#ffffff')",
    "draws with words": "draw.text('hello', 1, 2, '#ffffff') draw.text(('x'):rep(80), 1, 2, '#ffffff')",
    "draws with numbers in words": "draw.light('1', 2, 3, '#ffffff') draw.rect(1, 2, '3', 4, '#ffffff')",
    "draws nowhere": "draw.light(0/0, 1, 2, '#ffffff') draw.light(1, 2, 3, '#ffffff')",
    "draws and shares": "draw.light(1, 2, 3, '#fff') shared.set('bell', 1) draw.light(4, 5, 6, '#fff')",
    "draws and emits": "draw.light(1, 2, 3, '#ffffff') bus.emit('bell', 1) draw.light(4, 5, 6, '#ffffff')",
    "draws in a task": "task.spawn(function() draw.light(7, 7, 7, '#ffffff') wait() draw.light(8, 8, 8, '#fff') end)",
    "looks different": "self.sprite, self.text, self.visible = 'other', 'hello', false",
    "changes everything": "self.angle, self.scale, self.flip, self.alpha, self.color = 2, 3, true, 0.5, { 1, 2, 3 }",
    "has a field that is no number": "self.layer, self.alpha = 3, {}",
    "has a number in words": "self.layer = '4' wait() self.layer = 4",
    "has a number that is none": "self.angle = 0/0 wait() self.angle = 1",
    "has a number for what is none": "self.alpha = {} task.wait_frames(3) self.alpha = 0.5",
    "has another colour": "self.color = { 1, 2, 3 } wait() self.color = { 1, 2, 3 } wait() self.color = nil",
    "loses a field": "self.layer = 4 wait() self.layer = nil",
    "takes a field back": "self.frame = nil",
    "shows what its class has": "walker.layer = 7 self.layer = 4 wait() self.layer = 5 wait() self.layer = nil",
    "shows what is a method": "walker.flip = print self.flip = true wait() self.flip = false wait() self.flip = nil",
    "is drawn no more": "self.sprite, self.frame = nil, nil",
}

WALKER = """
local walker = {}

function walker:start()
  KNOWN
  self.x, self.y, self.sprite, self.n = 0, 0, "walker", 0
  task.every(0.11, function() self.y = self.y + 1 end)
  while true do
    LOOP
    wait()
  end
end

BESIDE

return walker
"""

STEP = """
  self.n = self.n + 1
  self.x, self.frame = self.x + 1, self.n % 3
  draw.light(self.x, self.y, self.n, "#ffffff")
  if self.n == 5 then
    SURPRISE
  end
"""

UPDATE = """
function walker:update()
  STEP
end
"""

IN_A_HOOK = (
    "fails", "cancels itself and cleans up", "sleeps", "spawns", "defers", "emits", "listens", "asks itself",
    "is nowhere", "resumes a coroutine", "destroys itself",
)  # fmt: skip

# In one that sleeps again and again beside what happens in every frame.
BESIDE_IT = {
    **{name: SURPRISES[name] for name in IN_A_HOOK if name not in ("defers", "asks itself", "resumes a coroutine")},
    "waits for the next frame": "wait()",
    "is woken by another": "local one = coroutine.running() task.spawn(function() coroutine.resume(one) end) wait(1)",
    "ends the task of every frame": "task.cancel(me)",
    "wakes the task of every frame": "log.info(coroutine.resume(me))",
    "wakes a sleeper": "log.info(coroutine.resume(task.delay(0.05, function() self.y = self.y + 9 wait(0.1) end)))",
    "waits for an event": "task.wait_event('bell', 0.05)",
    "draws much": SHOWN["draws much"],
    "draws and emits": SHOWN["draws and emits"],
    "looks different": SHOWN["looks different"],
    "yields": "coroutine.yield(1, 2)",
}

SLEEPERS = """
  for nap = 1, 2 do
    task.spawn(function()
      for k = 1, 100 do
        wait(0.02 * nap)
        self.angle = k
        sound.play("nap", k, nap)
        if k == 3 then
          SURPRISE
        end
      end
    end)
  end
"""

# A hook for which the pump has no short way.
LONG_WAY = "function walker:fixed_update() end"


def story(make_world, scripts, surprise, text):
    """What can be seen of twelve frames, from Python and from the log."""
    known = "local me = coroutine.running()" if "(me)" in surprise else ""  # to ask for it is a deed of its own
    text = text.replace("STEP", STEP).replace("KNOWN", known)
    scripts.write("walker", text.replace("SURPRISE", f"do {surprise} end"))
    scripts.write("other", "return { start = function() bus.emit('bell') end }")
    world = make_world()
    seen = []
    world.bus.on("bell", lambda event: seen.append((world.frame, event.payload)))
    walker = world.spawn("walker")
    for frame in range(12):
        if frame in (5, 9):
            world.bus.emit("bell", frame)
        world.tick(1 / 60)
        seen.append((walker.alive, walker.position, dict(walker.view), len(world.entities), len(world.log)))
        seen.append(list(world.commands))
    seen += world.log
    seen += [(problem.message, problem.count, problem.first_frame) for problem in world.problems]
    return [*map(repr, seen)]  # what is no number equals itself


@pytest.mark.parametrize("surprise", [*SURPRISES.values(), *SHOWN.values()], ids=[*SURPRISES, *SHOWN])
def test_whatever_a_task_does_after_frames_in_which_it_drew_is_as_in_a_state_with_more_hooks(
    make_world, scripts, surprise
):
    task = WALKER.replace("LOOP", "STEP")

    assert story(make_world, scripts, surprise, task.replace("BESIDE", "")) == story(
        make_world, scripts, surprise, task.replace("BESIDE", LONG_WAY)
    )


@pytest.mark.parametrize("surprise", [*IN_A_HOOK, *SHOWN])
def test_whatever_an_update_hook_does_after_frames_that_were_alike_is_as_in_a_state_with_more_hooks(
    make_world, scripts, surprise
):
    hook, surprise = WALKER.replace("LOOP", "wait(0.11)"), {**SURPRISES, **SHOWN}[surprise]

    assert story(make_world, scripts, surprise, hook.replace("BESIDE", UPDATE)) == story(
        make_world, scripts, surprise, hook.replace("BESIDE", UPDATE + LONG_WAY)
    )


@pytest.mark.parametrize("among", ["a task", "a hook", "others that sleep"])
@pytest.mark.parametrize("surprise", BESIDE_IT.values(), ids=BESIDE_IT)
def test_whatever_a_sleeper_does_when_it_wakes_is_as_in_a_state_with_more_hooks(make_world, scripts, surprise, among):
    step = STEP.replace("SURPRISE", "")
    text = WALKER.replace("KNOWN", f"KNOWN {SLEEPERS}").replace("LOOP", step if among == "a task" else "wait(0.11)")
    beside = UPDATE.replace("STEP", step) if among == "a hook" else ""

    assert story(make_world, scripts, surprise, text.replace("BESIDE", beside)) == story(
        make_world, scripts, surprise, text.replace("BESIDE", beside + LONG_WAY)
    )


@pytest.mark.parametrize("surprise", [*IN_A_HOOK, "is drawn no more", "draws much"])
def test_whatever_one_does_that_runs_and_lies_down_by_turns_is_as_in_a_state_with_more_hooks(
    make_world, scripts, surprise
):
    text = WALKER.replace("LOOP", "STEP if self.n % 3 == 0 then wait(0.04) end")
    surprise = {**SURPRISES, **SHOWN}[surprise]

    assert story(make_world, scripts, surprise, text.replace("BESIDE", "")) == story(
        make_world, scripts, surprise, text.replace("BESIDE", LONG_WAY)
    )


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
def test_a_sleeper_that_does_not_end_is_stopped_after_frames_that_were_alike(make_world, scripts):
    text = WALKER.replace("KNOWN", SLEEPERS).replace("LOOP", STEP.replace("SURPRISE", "", 1))

    def told(beside):
        scripts.write("walker", text.replace("SURPRISE", "while true do end").replace("BESIDE", beside))
        world = make_world(limits=Limits(instructions=50_000))
        walker = world.spawn("walker")
        for _ in range(20):
            world.tick(1 / 60)
        assert world.problems
        return (
            walker.position,
            dict(walker.view),
            [(one.message, one.line, one.count, one.first_frame) for one in world.problems],
        )

    assert told("") == told(LONG_WAY)


@pytest.mark.parametrize("lua", ["lua55", "lua54"])
@pytest.mark.parametrize(
    "flood",
    [
        "for i = 1, 100 do draw.light(i, i, i, '#ffffff') end",
        "for i = 1, 200 do bus.emit('bell') end",
        "draw.circle(1, 2, 3, '#ffffff') for i = 1, 200 do sound.play('bell') end",
    ],
)
def test_a_frame_may_tell_as_many_bytes_after_frames_that_were_alike_as_in_any_other(make_world, scripts, flood):
    text = WALKER.replace("LOOP", "STEP").replace("STEP", STEP).replace("SURPRISE", flood).replace("KNOWN", "")

    def told(beside):
        scripts.write("walker", text.replace("BESIDE", beside))
        world = make_world(limits=Limits(outbox=9_500))
        heard = []
        world.bus.on("bell", heard.append)
        world.spawn("walker")
        for _ in range(4):
            world.tick(1 / 60)
        commands = len(world.commands)
        world.tick(1 / 60)  # what was emitted is heard
        assert all("9500 bytes" in problem.message for problem in world.problems)
        return commands, len(heard), len(world.problems)

    assert told("") == told(LONG_WAY) > (0, 0, 0)


def test_one_that_python_moves_while_time_stands_still_does_not_run(world, scripts):
    text = WALKER.replace("LOOP", "STEP").replace("STEP", STEP)
    scripts.write("walker", text.replace("SURPRISE", "").replace("KNOWN", "").replace("BESIDE", ""))
    walker = world.spawn("walker")
    for _ in range(4):
        world.tick(1 / 60)

    world.time_scale = 0
    with walker.self.upgrade() as self_:
        self_["y"] = 50
    world.tick(1 / 60)

    assert walker.position == (5, 50)


def test_a_task_goes_on_after_an_event_that_came_while_time_stood_still(world, scripts):
    scripts.write(
        "bell",
        """
        local bell = {}
        function bell:start()
          local _ = coroutine.create -- such a task does not lead
          self.x, self.y = 0, 0
          bus.on("ring", function() task.spawn(function() wait(0.02) end) end)
          for _ = 1, 4 do
            self.x = self.x + 1
            wait()
          end
          task.all({ function() wait() end, function() wait(0.02) end })
          self.x = 100
        end
        return bell
        """,
    )
    bell = world.spawn("bell", x=0, y=0)
    ticks(world, 3, 1 / 60)
    world.bus.emit("ring")
    world.time_scale = 0
    world.tick(1 / 60)
    world.time_scale = 1
    ticks(world, 6, 1 / 60)

    assert world.problems == []
    assert bell.position == (100, 0)


@pytest.mark.parametrize(
    "init",
    [
        "wait() wait() wait()",
        "self.sprite = 'walker' wait() wait() wait()",
        "self.sprite = 'walker' tween(self, 0.3, { alpha = 0 })",
        "coroutine.wrap(function() wait() wait() end)() wait()",
        "coroutine.wrap(function() wait() end)() task.wait_until(function() return time.frame == 3 end)",
        "wait(0.25)",
    ],
)
@pytest.mark.parametrize("hook", ["update", "fixed_update"])
def test_update_begins_in_the_frame_in_which_init_ends(make_world, scripts, init, hook):
    scripts.write(
        "walker",
        f"local walker = {{}} function walker:init() {init} self.ended = time.frame end "
        f"function walker:{hook}() self.begun = self.begun or time.frame end return walker",
    )
    world = make_world()
    walker = world.spawn("walker")

    ticks(world, 6, 0.1)

    with walker.self.upgrade() as self_:
        assert (self_["ended"], self_["begun"]) == (3, 3)
