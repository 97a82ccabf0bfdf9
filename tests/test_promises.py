"""What the pages promise in passing, each by itself."""

import threading
from itertools import pairwise

import pytest

from engine import Limits
from helpers import printed, ticks


def test_the_time_of_day_is_the_clock_of_the_world(world, scripts):
    """A script that reads the machine's clock would play differently on every run."""
    scripts.write(
        "clock",
        """
        local clock = {}
        function clock:start()
          local begun, second = os.clock(), os.time()
          wait(90)
          print(os.clock() - begun, os.difftime(os.time(), second), os.clock() == time.now)
        end
        return clock
        """,
    )
    world.spawn("clock")

    ticks(world, 10, 10.0)

    assert [float(word) if word != "true" else word for word in printed(world)[0].split("\t")] == [90, 90, "true"]


def test_collectgarbage_counts_and_does_nothing_else(world, scripts):
    scripts.write(
        "miser",
        """
        return { start = function()
          print(collectgarbage("count") > 1)
          for _, option in ipairs({ "collect", "stop", "step", "incremental" }) do
            print((select(2, pcall(collectgarbage, option))))
          end
        end }
        """,
    )
    world.spawn("miser")

    first, *others = printed(world)

    assert first == "true"
    assert len(others) == 4
    assert all('only "count" is available' in other for other in others)


@pytest.mark.row("G1")
@pytest.mark.parametrize("lua", ["lua55", "lua54"], indirect=True)
def test_after_a_stop_the_other_tasks_of_the_tick_share_half_of_what_is_left_and_then_half_of_that(make_world, scripts):
    scripts.write(
        "greedy",
        """
        local greedy = {}
        function greedy:start()
          self.counts = { 0, 0, 0 }
          for i = 1, 3 do
            task.spawn(function() wait() while true do self.counts[i] = self.counts[i] + 1 end end)
          end
        end
        return greedy
        """,
    )
    world = make_world(limits=Limits(instructions=400_000))
    greedy = world.spawn("greedy")

    world.tick(0.01)

    with greedy.self.upgrade() as self_:
        counts = self_["counts"].copy()
    assert all(1.8 < more / less < 2.2 for more, less in pairwise(counts))


def test_deaths_come_before_births_and_both_in_the_order_in_which_they_were_asked_for(world, scripts):
    scripts.write(
        "one",
        "return { init = function() print('born', entity.id) end, final = function() print('dead', entity.id) end }",
    )
    scripts.write(
        "fate",
        """
        return { start = function(self)
          wait()
          entity.spawn("one")
          entity.destroy(self.second)
          entity.spawn("one")
          entity.destroy(self.first)
        end }
        """,
    )
    first, second = world.spawn("one"), world.spawn("one")
    world.spawn("fate", first=first.id, second=second.id)
    world.log.clear()

    world.tick(0.01)

    assert printed(world) == ["dead\t2", "dead\t1", "born\t4", "born\t5"]


def test_events_of_the_game_and_input_come_in_the_order_in_which_they_came(world, scripts):
    scripts.write(
        "player",
        """
        return {
          start = function() bus.on("bell", function(event) print(event.payload) end) end,
          on_input = function(_, action) print(action.name, action.pressed) end,
        }
        """,
    )
    world.spawn("player")

    world.bus.emit("bell", 1)
    world.input.press("jump")
    world.bus.emit("bell", 2)
    world.input.release("jump")
    world.tick(0.01)

    assert printed(world) == ["1", "jump\ttrue", "2", "jump\tfalse"]


@pytest.mark.row("G5")
def test_a_line_of_the_log_and_the_message_of_a_problem_end_at_their_bounds(world, scripts):
    scripts.write("talker", "return { start = function() print(('x'):rep(10000)) error(('y'):rep(10000), 0) end }")
    world.spawn("talker")

    assert printed(world)[0].count("x") == 4000
    assert world.problems[0].message.count("y") == 2000


def test_the_chance_of_an_entity_does_not_depend_on_what_others_draw(make_world, scripts):
    scripts.write("dice", "return { start = function(self) for _ = 1, self.n do self.last = math.random(1e9) end end }")

    def draw(others):
        world = make_world(seed=3)
        dice = [world.spawn("dice", n=n) for n in (*others, 5)]
        return [self_["last"] for each in dice for self_ in [each.self.try_upgrade()]]

    few, many = draw((1, 1)), draw((1, 300))

    assert few[0] == many[0] and few[1] != many[1]
    assert few[2] == many[2]
    assert len(set(few)) == 3


def test_a_cancelled_tween_leaves_its_fields_where_they_are(world, scripts):
    scripts.write(
        "door",
        """
        return { start = function(self)
          self.angle = 0
          local swing = task.spawn(tween, self, 4, { angle = 80 })
          wait(1)
          task.cancel(swing)
        end }
        """,
    )
    door = world.spawn("door")

    ticks(world, 4, 0.25)
    with door.self.upgrade() as self_:
        cancelled = self_["angle"]
    ticks(world, 20, 0.25)

    with door.self.upgrade() as self_:
        assert self_["angle"] == cancelled
    assert 0 < cancelled < 80


def test_listeners_come_and_go_on_any_thread_while_the_world_ticks(world, scripts):
    scripts.write("bell", "return { update = function() bus.emit('bell', time.frame) end }")
    world.spawn("bell")
    kept, brief, once = [], [], []
    world.bus.on("bell", lambda event: kept.append(event.payload))

    def come_and_go():
        for _ in range(50):
            world.bus.on("bell", brief.append).cancel()
            world.bus.once("bell", once.append)

    threads = [threading.Thread(target=come_and_go) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        world.tick(0.01)
    for thread in threads:
        thread.join()
    ticks(world, 2)
    before = len(brief)  # one that is cancelled may have heard what came before
    ticks(world, 20)

    assert len(once) == 200
    assert len(brief) == before
    assert kept == list(range(kept[0], kept[0] + len(kept)))
