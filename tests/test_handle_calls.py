"""Functions of scripts that Python holds: called now, or submitted from any thread."""

import threading

import pytest

from engine import EngineError, FunctionHandle, LuaState, PayloadError, ScriptError, StateBusy, StateClosed
from helpers import ticks

BAG = """
    local bag = {}

    function bag:init()
      self.items = { "sword" }
      self.double = function(x) return 2 * x end
      self.tell = function(x) bus.emit("told", x); self.x = x end
      self.grow = function(x) task.spawn(function() wait(0.5); bus.emit("grown", x) end) end
    end

    return bag
"""


@pytest.fixture
def bag(world, scripts):
    scripts.write("bag", BAG)
    return world.spawn("bag", x=0, y=0)


@pytest.fixture
def double(bag):
    """A handle to a function of the bag's script."""
    return handle_of(bag, "double")


def handle_of(entity, field):
    with entity.self.upgrade() as self_:
        return entity.actor.own(self_[field])


def test_an_error_in_a_called_function_is_a_script_error_with_its_line(bag, scripts, world):
    scripts.write(
        "bomb", "local bomb = {}\nfunction bomb:init()\n  self.go = function() error('boom') end\nend\nreturn bomb"
    )
    bomb = world.spawn("bomb")

    with pytest.raises(ScriptError) as caught:
        handle_of(bomb, "go")()

    assert (caught.value.message, caught.value.script, caught.value.line) == ("boom", "scripts/bomb.lua", 3)
    assert world.problems == []


def test_what_a_called_function_emits_and_starts_goes_on_in_the_next_frames(bag, world):
    heard = []
    world.bus.on("told", lambda event: heard.append((world.frame, event.payload)))
    world.bus.on("grown", lambda event: heard.append((world.frame, event.payload)))

    handle_of(bag, "tell")(3)
    handle_of(bag, "grow")(4)
    ticks(world, 3, 0.25)

    assert heard == [(1, 3), (2, 4)]


def test_submit_runs_on_the_ticking_thread_at_the_start_of_the_next_frame(bag, double, world):
    futures = []
    thread = threading.Thread(target=lambda: futures.append(double.submit(21)))
    thread.start()
    thread.join()
    (future,) = futures

    assert not future.done()
    world.tick(0.1)
    assert future.result(timeout=0) == 42


def test_submit_tells_of_errors_and_of_a_state_that_ended(bag, double, world):
    failing = double.submit("x")
    world.tick(0.1)
    orphaned = double.submit(1)
    bag.destroy()
    world.tick(0.1)

    with pytest.raises(ScriptError, match="attempt to"):
        failing.result(timeout=0)
    with pytest.raises(StateClosed):
        orphaned.result(timeout=0)


def test_a_submitted_call_can_be_cancelled_and_refuses_what_is_no_plain_data_at_once(bag, world):
    tell = handle_of(bag, "tell")
    future = tell.submit(7)

    assert future.cancel()
    world.tick(0.1)

    with bag.self.upgrade() as self_:
        assert self_["x"] == 0
    with pytest.raises(PayloadError, match="argument 1: a set object"):
        tell.submit(set())
    with bag.self.upgrade() as self_, pytest.raises(PayloadError, match="hand over a handle"):
        tell.submit(self_)


def test_a_submitted_call_keeps_its_function_and_arguments(bag, world):
    with bag.self.upgrade() as self_:
        items = bag.actor.own(self_["items"])
    future = handle_of(bag, "double").submit(4)
    with_handle = handle_of(bag, "tell").submit(items)
    del items

    world.tick(0.1)

    assert future.result(timeout=0) == 8
    assert isinstance(with_handle.exception(timeout=0), type(None) | ScriptError)


def test_closing_the_world_ends_what_was_submitted(bag, double, world):
    future = double.submit(1)

    world.close()

    with pytest.raises(StateClosed):
        future.result(timeout=0)


def test_what_another_thread_queues_just_after_the_world_closed_is_not_left_waiting(world):
    ended = []
    world.close()

    world.commons.outside.add(lambda: ended.append("its future"))

    assert ended == ["its future"]


def test_a_state_without_a_world_says_to_call_directly(lua):
    state = LuaState(lua)
    function = state.run("return function() end")

    with pytest.raises(EngineError, match="call the handle itself"):
        function.submit()


def test_a_call_from_another_thread_while_the_world_ticks_says_to_submit(bag, double, world):
    errors = []

    def call():
        try:
            double(1)
        except StateBusy as error:
            errors.append(str(error))

    def listen(_):
        thread = threading.Thread(target=call)
        thread.start()
        thread.join()

    world.bus.on("now", listen)
    world.bus.emit("now")
    world.tick(0.1)

    assert len(errors) == 1 and "use handle.submit" in errors[0]
    assert double(1) == 2


def test_a_listener_may_call_a_handle_while_the_world_ticks(bag, double, world):
    heard = []
    world.bus.on("now", lambda event: heard.append(double(event.payload)))

    world.bus.emit("now", 4)
    world.tick(0.1)

    assert heard == [8]


def test_a_function_handle_is_passed_back_into_its_state_as_itself(lua):
    state = LuaState(lua)
    state.run("function compose(f, g) return function(x) return f(g(x)) end end")
    twice, plus = state.run("return function(x) return x * 2 end, function(x) return x + 1 end")

    composed = state.call("compose", twice, plus)

    assert isinstance(composed, FunctionHandle)
    assert composed(4) == 10
