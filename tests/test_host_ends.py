"""Calls of host modules that end early: time-outs, cancellation, reloads, and the end of their world."""

import asyncio
import gc
import threading

import pytest

from engine import HostModule, Limits, World
from helpers import PATIENCE, printed, threads
from host_loops import Player
from host_modules import caller, sums

pytestmark = pytest.mark.row("E4")


@pytest.mark.row("E7")
def test_a_coroutine_whose_own_task_was_cancelled_fails_with_its_place(play, world, scripts):
    module = HostModule("net")

    @module.coroutine
    async def fetch() -> None:
        other = asyncio.get_running_loop().create_task(asyncio.sleep(0))
        other.cancel()
        await other

    scripts.write("caller", caller("net", "print(pcall(net.fetch))"))
    world.install(module)
    world.spawn("caller")

    play(world).until(lambda: printed(world))

    [said] = printed(world)
    assert said.startswith("false\tnet.fetch: CancelledError (test_host_ends.py:")


@pytest.mark.row("E8")
def test_a_coroutine_that_takes_too_long_is_cancelled_with_an_error(play, world, scripts):
    module = HostModule("slow")
    ended: list[str] = []
    given_up = threading.Event()

    @module.coroutine(timeout=0.02)
    async def forever() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    @module.blocking(timeout=0.02)
    def block() -> None:
        given_up.wait(PATIENCE / 2)
        ended.append("ran on")

    scripts.write("caller", caller("slow", "print(pcall(slow.forever)) print(pcall(slow.block))"))
    world.install(module)
    world.spawn("caller")

    playing = play(world)
    playing.until(lambda: len(printed(world)) == 2)
    given_up.set()
    playing.until(lambda: len(ended) == 2)

    assert printed(world) == [
        "false\tslow.forever: TimeoutError: no answer within 0.02 s",
        "false\tslow.block: TimeoutError: no answer within 0.02 s",
    ]
    assert ended == ["cancelled", "ran on"]


@pytest.mark.row("E8")
def test_a_reload_cancels_the_calls_of_the_old_version(play, world, scripts, doors):
    scripts.write("caller", caller("doors", 'print(doors.wait_for("old"))'))
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    scripts.write("caller", caller("doors", 'print(doors.wait_for("new"))'))
    world.reload("caller")
    playing.until(lambda: doors.given_up)
    playing.until(lambda: doors.opened == ["old", "new"])

    assert doors.given_up == ["old"]
    assert printed(world) == []
    assert world.stats().calls == 1


@pytest.mark.row("E8")
def test_a_failed_reload_leaves_the_calls_alone(play, world, scripts, doors):
    scripts.write("caller", caller("doors", 'print(doors.wait_for("red"))'))
    world.install(doors.module)
    world.spawn("caller")
    playing = play(world)
    playing.until(lambda: doors.opened)

    scripts.write("caller", "return nonsense(")
    world.reload("caller")
    playing.frames(1)
    doors.open("red")
    playing.until(lambda: printed(world))

    assert printed(world) == ["red"]


@pytest.mark.row("E8")
def test_closing_the_world_cancels_a_hundred_calls_and_leaves_no_thread(play, make_world, scripts, doors):
    before = threads()
    scripts.write(
        "caller",
        caller(
            "doors",
            """
      for i = 1, 100 do
        task.spawn(function() doors.wait_for("door " .. i) end)
      end""",
        ),
    )
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, calls=None))
    world.install(doors.module)
    world.spawn("caller")
    ended: list[str] = []

    @doors.module.closed
    async def leave() -> None:
        await asyncio.sleep(0)
        ended.append("left")

    playing = play(world)
    playing.until(lambda: len(doors.opened) == 100)

    playing.do(world.close)
    playing.rest_until(lambda: len(doors.given_up) == 100 and ended)

    assert ended == ["left"]
    assert threads() <= before


@pytest.mark.row("E8")
def test_closing_waits_for_blocking_functions_that_run_and_drops_those_that_do_not(play, make_world, scripts):
    module = HostModule("jobs")
    begun, closing, ended = threading.Semaphore(0), threading.Event(), list[int]()

    @module.blocking
    def work(n: int) -> None:
        begun.release()
        assert closing.wait(PATIENCE / 2)
        ended.append(n)

    @module.closed
    def close() -> None:
        closing.set()

    scripts.write("caller", caller("jobs", "for i = 1, 100 do task.spawn(jobs.work, i) end"))
    before = threads()
    world = make_world(limits=Limits(instructions=None, seconds=None, memory=None, calls=None, threads=2))
    world.install(module)
    world.spawn("caller")
    playing = play(world)
    playing.frames(1)
    begun.acquire(), begun.acquire()

    playing.do(world.close)

    assert sorted(ended) == [1, 2]
    assert threads() <= before


@pytest.mark.row("E8")
def test_the_endings_of_modules_run_when_they_are_uninstalled_and_when_the_world_closes(play, make_world, caplog):
    ended: list[str] = []

    def module(name: str) -> HostModule:
        made = HostModule(name)

        @made.closed
        def first() -> None:
            ended.append(f"{name} now")

        @made.closed
        async def second() -> None:
            await asyncio.sleep(0)
            ended.append(f"{name} later")

        return made

    bad = HostModule("bad")

    @bad.closed
    def fail() -> None:
        raise ValueError("no")

    world = make_world()
    for made in (module("a"), bad, module("b")):
        world.install(made)
    playing = play(world)

    playing.do(lambda: world.uninstall("a"))
    playing.rest_until(lambda: len(ended) == 2)
    early = list(ended)
    playing.do(world.close)
    playing.rest_until(lambda: len(ended) == 4)

    assert early == ["a now", "a later"]
    assert ended == ["a now", "a later", "b now", "b later"]
    assert "the ending of host module bad failed" in caplog.text


@pytest.mark.row("E8")
def test_the_thread_of_a_world_that_is_dropped_and_not_closed_ends(scripts, lua):
    scripts.write("caller", caller("sums", "print(sums.add_later(1))"))

    def play() -> list[threading.Thread]:
        world = World(scripts.path, lua=lua)
        world.install(sums())
        world.spawn("caller")
        Player(world).until(lambda: printed(world))
        return [thread for thread in threading.enumerate() if thread.name == "tidelock-host"]

    (thread,) = play()
    gc.collect()
    thread.join(PATIENCE)

    assert not thread.is_alive()
