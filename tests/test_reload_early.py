"""New states start while they load, where nobody can tell that from a start at the swap: the same game either way."""

import pytest

import engine.reload.reloader
from engine.reload import attempt
from helpers import ticks

pytestmark = pytest.mark.parametrize("isolation", ["entity"])

OLD = """
return {
  properties = { speed = 2, _scratch = 0 },
  init = function(self) self.x, self.y, self.n = entity.id, 0, 0 end,
  update = function(self, dt)
    self.x, self.n = self.x + dt, self.n + 1
    self.late = self.n > 3 or nil
  end,
}
"""

NEW = """
local slime = { properties = { speed = 3, _scratch = 1 } }

function slime:look()
  return self.n
end

function slime:mark(key)
  self[key] = (self[key] or 0) + 1
  return self
end

function slime:start()
  START
end

function slime:update(dt)
  self.x = self.x + dt
  bus.emit("at", { entity.id, self.x })
end

return slime
"""

EARLY = {
    "nothing": "",
    "wiring": "bus.on('at', function(event) self.heard = event.payload end)\nself.color = '#ff0000'",
    "timers": "task.every(0.03, function(late) bus.emit('tick', { entity.id, late }) end)\n"
    "local timer = task.every(0, function() self.beats = (self.beats or 0) + 1 end)\n"
    "bus.on('never', function() task.cancel(timer) end)",
    "a timer that fails": "task.every(0.02, function() error('no') end)",
    "its own fields": "self.k = 1\nself.k = self.k + 1\nself.n = nil\nself.speed = 7\nself.speed = nil",
    "what was never there": "self.first = self.nowhere == nil",
    "chance": "self.luck = math.random(1000)",
    "words": "bus.emit('hello', { entity.id })\nprint('hello')\nentity.tag('green')\ndraw.text('hi', 1, 2)",
    "a table of its own": "local list = {} for k, v in pairs({ a = 1 }) do list[#list + 1] = k end self.list = list",
    "a default that is not carried": "self.copy = self._scratch",
}

LATE = {
    "data": "self.seen = self.n",
    "data that moves": "bus.emit('hello', self.x)",
    "data through a method": "self.seen = self:look()",
    "data through a metatable": "self.seen = setmetatable({}, { __index = self }).n",
    "data of a default": "self.faster = self.speed * 2",
    "pairs": "local n = 0 for _ in pairs(self) do n = n + 1 end self.count = n",
    "next in a loop": "local n = 0 for _ in next, self do n = n + 1 end self.count = n",
    "next by itself": "self.empty = next(self) == nil",
    "next from pairs": "local f = pairs({}) self.empty = f(self) == nil",
    "rawget": "self.seen = rawget(self, 'n')",
    "rawset": "rawset(self, 'n', 5)",
    "itself as a payload": "bus.emit('hello', self)",
    "itself within a payload": "bus.emit('hello', { me = self })",
    "itself for a library": "self.count = require('count')(self)",
    "a protected call": "local ok, key = pcall(next, self) self.ok = ok and key ~= nil",
    "the time": "self.born = time.now",
    "the frame": "self.born = time.frame",
    "the clock": "self.born = os.clock()",
    "a wait": "wait(0.03) self.waited = true",
    "a wait in a coroutine": "coroutine.wrap(function() wait(0.03) self.waited = true end)()",
    "a task": "task.spawn(function() bus.emit('hello', self.n) end)",
    "a task for later": "task.defer(function() self.seen = self.n end)",
    "a delay": "task.delay(0.03, function() self.waited = time.now end)",
    "a clean-up": "task.finally(function() self.seen = self.n end)",
    "a coroutine": "self.seen = coroutine.wrap(function() return self.n end)()",
    "a timer that is stopped": "task.cancel(task.every(0.01, function() bus.emit('never') end))",
    "a timer that is asked for": "self.how = task.status(task.every(0.01, print))",
    "a timer that is resumed": "task.spawn(task.every(0.02, function(late) bus.emit('tick', late) end))",
    "an error": "error('no')",
    "an error about data": "assert(self.n < 0)",
    "what comes later": "self.was_late = self.late == true",
    "a question": "self.others = #entity.find('slime')",
    "shared data": "self.known = shared.get('known') or 'nothing'",
    "a child": "if entity.id == 1 then entity.spawn('egg') end",
}

ON_RELOAD = NEW.replace("START", "") + "function slime:on_reload(old) self.was = old.self.n end"
ON_RELOAD = ON_RELOAD.replace("return slime\n", "", 1) + " return slime"


@pytest.fixture(autouse=True)
def slow(monkeypatch):
    """A save loads one entity in a frame."""
    monkeypatch.setattr(attempt, "FEW", 1)
    monkeypatch.setattr(engine.reload.reloader, "LEAST", 0.0)
    monkeypatch.setattr(engine.reload.reloader, "MOST", 0.0)


class Played:
    """A game in which a save came: what was heard in which frame, and what it is like at the end."""

    def __init__(self, make_world, scripts, text, old):
        scripts.write("slime", old)
        scripts.write("egg", "return {}")
        scripts.write("count", "return function(t) local n = 0 for _ in next, t do n = n + 1 end return n end")
        world = make_world()
        self.heard, self.early = [], []
        world.bus.on("*", lambda event: self.heard.append((world.frame, event.name, event.sender, event.payload)))
        slimes = [world.spawn("slime") for _ in range(3)]
        ticks(world, 2, 0.02)
        scripts.write("slime", text)
        world.reloads._begin(world.population.sources.next("slime"), 0.0)
        for _ in range(12):
            tried = world.reloads._attempts.get("slime")
            if tried is not None:
                self.early = [bool(trial.early) for trial in tried._trials]
            world.tick(0.02)
        self.data = [self._data(slime) for slime in slimes]
        self.shown = [(slime.version, slime.position, slime.view, sorted(slime.tags)) for slime in slimes]
        self.problems = [(problem.message, problem.entity, problem.count) for problem in world.problems]
        self.said = [(line.entity, line.text) for line in world.log]
        self.kept = [world.stats().states, world.stats().subscriptions, world.leaks()]

    @staticmethod
    def _data(slime):
        with slime.self.upgrade() as self_:
            return self_.to_dict()

    @property
    def seen(self):
        return self.heard, self.data, self.shown, self.problems, self.said, self.kept


@pytest.fixture
def both(make_world, scripts, monkeypatch):
    """Plays a save with starts at the swap only, then one with early ones; gives the second."""

    def play(text, old=OLD):
        with monkeypatch.context() as patched:
            patched.setattr(attempt.Attempt, "_start_early", lambda *_: None)
            at_the_swap = Played(make_world, scripts, text, old)
        early = Played(make_world, scripts, text, old)

        assert early.seen == at_the_swap.seen
        return early

    return play


@pytest.mark.parametrize("name", EARLY)
def test_a_start_that_needs_no_data_comes_early_and_is_the_same(both, name):
    assert all(both(NEW.replace("START", EARLY[name])).early)


def test_a_state_that_started_early_is_calm_before_it_has_its_data(make_world, scripts):
    scripts.write("slime", OLD)
    world = make_world()
    world.spawn("slime"), world.spawn("slime")
    ticks(world, 2, 0.02)
    scripts.write("slime", NEW.replace("START", ""))
    world.reloads._begin(world.population.sources.next("slime"), 0.0)
    world.tick(0.02)

    (trial,) = world.reloads._attempts["slime"]._trials
    assert trial.early
    assert trial.actor._runtime.get("scheduler", "stir") is not None


@pytest.mark.parametrize("name", LATE)
def test_a_start_that_looks_at_what_is_not_there_yet_waits_for_it(both, name):
    early = both(NEW.replace("START", LATE[name])).early

    assert not any(early) or name == "what comes later"


UPDATES = {
    "moves": "self.x = self.x + dt",
    "stands still": "",
    "shows something": "self.x, self.alpha = self.x + dt, self.n > 2 and 0.5 or nil",
    "draws": "self.x = self.x + dt draw.text('hi', self.x, 2)",
    "speaks": "self.x = self.x + dt bus.emit('at', self.x)",
    "fails": "self.x = self.x + dt if entity.id == 2 then error('no') end",
    "waits": "self.x = self.x + dt wait()",
    "loses its place": "self.x = nil",
    "has a task": "self.x = self.x + dt if self.n % 4 == 0 then task.delay(0.03, function() self.k = 1 end) end",
    "writes what was not carried": "self.x, self.fresh = self.x + dt, (self.fresh or 0) + 1",
}

STARTS = {
    "nothing": "",
    "a colour": "self.color = '#ff0000'",
    "a timer": "task.every(0.03, function(late) self.beats = (self.beats or 0) + 1 end)",
    "a quick timer": "task.every(0, function() self.beats = (self.beats or 0) + 1 end)",
    "timers": EARLY["timers"],
    "wiring": EARLY["wiring"],
}


@pytest.mark.parametrize(
    ("start", "update"), [*(("a timer", update) for update in UPDATES), *((start, "moves") for start in STARTS)]
)
def test_the_first_tick_after_an_early_start_is_as_any_other(both, start, update):
    text = NEW.replace("START", STARTS[start]).replace("self.x = self.x + dt\n", UPDATES[update] + "\n")

    assert all(both(text.replace('bus.emit("at", { entity.id, self.x })\n', "")).early)


def test_a_version_with_on_reload_starts_when_there_is_something_to_be_told(both):
    assert not any(both(ON_RELOAD).early)


def test_properties_that_come_and_go_are_for_the_swap(both):
    played = both(NEW.replace("START", "").replace("speed = 3", "pace = 4"))

    assert not any(played.early)
    assert [data["pace"] for data in played.data] == [4, 4, 4]


SHOWN = OLD.replace("self.x, self.y, self.n =", "self.sprite, self.layer, self.x, self.y, self.n = 'slime', 2,")


@pytest.mark.parametrize("old", [SHOWN, OLD.replace("entity.id, 0, 0", "nil, 0, 0").replace("self.x + dt", "nil")])
def test_what_a_window_shows_comes_with_the_data(both, old):
    quiet = NEW.replace("self.x = self.x + dt", "self.was = self.x").replace(
        'bus.emit("at", { entity.id, self.x })', ""
    )

    assert all(both(quiet.replace("START", ""), old).early)


def test_one_that_sleeps_is_where_it_was(both):
    asleep = "return { start = function(self) task.every(0.05, function() self.woke = true end) end }"

    assert all(both(asleep, SHOWN.replace("_scratch = 0", "").replace("speed = 2,", "")).early)
