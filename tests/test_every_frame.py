"""`update` and its like in a state with many entities, called from lists, against a task for each call."""

import pytest

from helpers import ticks

WORKER = """
local worker = { properties = { fails_from = 1e9, fails_to = 1e9, well_each = 0, dies_at = 1e9, births = 0 } }

function worker:run(hook)
  self.count = (self.count or 0) + 1
  bus.emit("ran", { entity.id, hook, self.count })
end

function worker:fixed_update(dt) self:run("fixed") end

function worker:update(dt)
  self:run("update")
  if self.births > 0 then
    self.births = self.births - 1
    entity.spawn("worker", { dies_at = time.frame + 3 })
  end
  if time.frame == self.dies_at then entity.destroy() end
  if time.frame >= self.fails_from and time.frame < self.fails_to then error("worker " .. entity.id) end
  if self.well_each > 0 and time.frame % self.well_each ~= 0 then error("worker " .. entity.id) end
end

function worker:late_update(dt) self:run("late") end

return worker
"""


def told(world, frames):
    """What ran in these frames, by frame, hook and in order, and what failed how often."""
    ran = {}
    world.bus.on("ran", lambda event: ran.setdefault((world.frame, event.payload[1]), []).append(event.payload))
    ticks(world, frames)
    return ran, [(problem.message, problem.count) for problem in world.problems]


@pytest.mark.parametrize("isolation", ["script"], indirect=True)
def test_hooks_run_as_in_a_task_each_while_entities_come_go_fail_and_recover(make_world, scripts, tmp_path):
    scripts.write("worker", WORKER)
    fields = [{}, {"births": 6}, {"fails_from": 3, "fails_to": 5}, {"dies_at": 4}, {"fails_from": 2}]
    fields += [{"births": 2, "dies_at": 6}, {"well_each": 7}, {"dies_at": 1}, {}, {"fails_from": 4, "dies_at": 9}]

    runs = []
    for traced in (False, True):  # a trace gives each call a task of its own
        world = make_world()
        if traced:
            world.trace(tmp_path / "trace")
        for each in fields:
            world.spawn("worker", **each)
        runs.append(told(world, 16))

    assert runs[0] == runs[1]
    assert sum(map(len, runs[0][0].values())) > 300
    assert any(count > 1 for _, count in runs[0][1])


KNOWN = """
local known = {}

function known:update()
  if self.thread then
    bus.emit("told", { coroutine.status(self.thread), (coroutine.resume(self.thread)) })
  end
  self.thread = time.frame % 3 == 0 and task.current() or nil
end

return known
"""


@pytest.mark.parametrize("isolation", ["entity", "script"], indirect=True)
def test_who_knows_the_thread_of_an_update_finds_it_dead_when_that_has_ended(make_world, scripts):
    scripts.write("known", KNOWN)
    world = make_world()
    told = []
    world.bus.on("told", lambda event: told.append(event.payload))
    world.spawn("known")

    ticks(world, 10)

    assert told == [["dead", False]] * 3
    assert not world.problems
