"""What the world is told of entities that share a state, against the same entities with a state each."""

import random

import pytest

ACTOR = """
local actor = { properties = { plan = "" } }

local acts = {
  x = function(self) self.x = (tonumber(self.x) or 0) + 1 end,
  y = function(self) self.y = entity.id end,
  X = function(self) self.x = nil end,
  Y = function(self) self.y = "5" end,
  t = function(self) self.text = "at " .. time.frame end,
  T = function(self) self.text = nil end,
  s = function(self) self.sprite = "slime" end,
  S = function(self) self.sprite = nil end,
  r = function(self) rawset(self, "sprite", "raw") end,
  l = function(self) self.light = time.frame end,
  L = function(self) rawset(self, "light", nil) end,
  a = function(self) self.angle = time.frame end,
  b = function(self) bus.emit("said", entity.id) end,
  k = function(self) task.spawn(function() wait() self.x, self.text = -1, "kid" end) end,
  K = function(self)
    self._kid = task.spawn(function()
      wait(0.02)
      while true do wait() self.y = (tonumber(self.y) or 0) + 0.5 end
    end)
  end,
  c = function(self) if self._kid then task.cancel(self._kid) end end,
  n = function(self) bus.emit("said", select(2, pcall(function() self[nil] = 1 end))) end,
  d = function() task.cancel(coroutine.running()) end,
}

function actor:start()
  for i = 1, #self.plan do
    local what = self.plan:sub(i, i)
    if acts[what] then
      acts[what](self)
    end
    wait(what == "." and 0.04 or nil)
  end
end

return actor
"""
FRAMES, COUNT = 40, 14
WORDS = "xxxxxxyyyXYtTsSrlLabkKKccn.    "


def played(world, seed):
    """What was said, and where everybody was and what they showed after each frame. Python sets fields, too."""
    chance = random.Random(seed)
    said, seen = [], []
    world.bus.on("said", lambda event: said.append((world.frame, event.payload)))
    actors = []
    for number in range(COUNT):
        plan = "".join(chance.choice(WORDS if number % 3 else "xxxxy") for _ in range(chance.randrange(30, 60)))
        actors.append(world.spawn("actor", x=number, y=0, plan=plan + "d" * (number % 2)))
    for _ in range(FRAMES):
        world.tick(1 / 60)
        seen.append([(actor.position, actor.view) for actor in actors])
        if chance.random() < 0.2:
            with chance.choice(actors).self.upgrade() as fields:
                fields[chance.choice(["text", "x", "light"])] = chance.randrange(100)
    assert not world.problems
    return sorted(said, key=str), seen


@pytest.mark.parametrize("isolation", ["script"], indirect=True)
@pytest.mark.parametrize("seed", range(4))
def test_the_same_is_told_as_of_states_of_their_own(make_world, scripts, seed):
    scripts.write("actor", ACTOR)

    shared = played(make_world(), seed)

    alone = played(make_world(isolation="entity"), seed)
    assert shared == alone
    assert len({str(frame) for frame in shared[1]}) > FRAMES // 2
