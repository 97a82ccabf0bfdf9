"""Random programs of spawn, defer, delay, wait, cancel and finally run in the order that a small model of them says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine import World
from helpers import ScriptFolder

DT = 0.25
FRAMES = 24

# Runs a program given as data: a list of statements, each a list of a word and its operands.
RUNNER = """
local runner = {}
local threads = {}
local run

local function body_of(id, statements)
  return function()
    threads[id] = task.current()
    print("start", id)
    run(statements)
    print("end", id)
  end
end

function run(statements)
  for _, statement in ipairs(statements) do
    local word, a, b, c = table.unpack(statement)
    if word == "log" then
      print(a)
    elseif word == "wait" then
      wait(a / 4)
    elseif word == "spawn" then
      threads[a] = task.spawn(body_of(a, b))
    elseif word == "defer" then
      threads[a] = task.defer(body_of(a, b))
    elseif word == "delay" then
      threads[b] = task.delay(a / 4, body_of(b, c))
    elseif word == "finally" then
      task.finally(function() print("finally", a) end)
    elseif threads[a] then
      task.cancel(threads[a])
    end
  end
end

function runner:start()
  run(self.program)
end

return runner
"""


@dataclass
class Task:
    """One task of the model: `steps` yields how many frames it waits, None where it cancelled itself."""

    steps: Iterator[int | None]
    state: str = "new"
    sleep: int = 0
    cleanups: list[int] = field(default_factory=list)


class Model:
    """What tasks do, without threads, heaps that forget, or pools."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.known: dict[int, Task] = {}
        self.frame = 0
        self.turns: list[tuple[int, int, Task, int]] = []
        self.deferred: list[Task] = []
        self.order = count()

    def run(self, program: list[Any]) -> list[str]:
        root = Task(iter(()))
        root.steps = self.steps(root, program)
        self.resume(root)
        self.run_deferred()
        for _ in range(FRAMES):
            self.frame += 1
            self.run_frame()
        return self.log

    def run_frame(self) -> None:
        while self.turns and self.turns[0][0] <= self.frame:
            _, _, task, sleep = heappop(self.turns)
            if task.state != "done" and task.sleep == sleep:
                self.resume(task)
        self.run_deferred()

    def run_deferred(self) -> None:
        while self.deferred:
            task = self.deferred.pop(0)
            if task.state == "new":
                self.resume(task)

    def sleep(self, task: Task, frames: int) -> None:
        # A wait for the next frame comes before the timers of that frame: it has been due since now.
        task.sleep = next(self.order)
        heappush(
            self.turns, (self.frame + max(frames, 1), task.sleep if frames else task.sleep - 10**9, task, task.sleep)
        )

    def resume(self, task: Task) -> None:
        task.state = "running"
        try:
            frames = next(task.steps)
        except StopIteration:
            return self.end(task)
        if task.state == "cancelled" or frames is None:
            return self.end(task)
        task.state = "waiting"
        self.sleep(task, frames)

    def end(self, task: Task) -> None:
        task.state = "done"
        self.log += [f"finally\t{number}" for number in reversed(task.cleanups)]

    def make(self, id: int, statements: list[Any]) -> Task:
        task = self.known[id] = Task(iter(()))
        task.steps = self.body(task, id, statements)
        return task

    def body(self, task: Task, id: int, statements: list[Any]) -> Iterator[int | None]:
        self.log.append(f"start\t{id}")
        yield from self.steps(task, statements)
        self.log.append(f"end\t{id}")

    def steps(self, task: Task, statements: list[Any]) -> Iterator[int | None]:
        for word, *operands in statements:
            if word == "log":
                self.log.append(str(operands[0]))
            elif word == "wait":
                yield operands[0]
            elif word == "spawn":
                self.resume(self.make(*operands))
            elif word == "defer":
                self.deferred.append(self.make(*operands))
            elif word == "delay":
                self.sleep(self.make(*operands[1:]), operands[0])
            elif word == "finally":
                task.cleanups.append(operands[0])
            elif operands[0] in self.known:
                self.stop(self.known[operands[0]])
                if task.state == "cancelled":
                    yield None

    def stop(self, task: Task) -> None:
        if task.state == "running":
            task.state = "cancelled"
        elif task.state in ("new", "waiting"):
            self.end(task)


WAITS = st.integers(0, 4)
SIMPLE = st.one_of(
    st.tuples(st.just("log"), st.integers(0, 9)),
    st.tuples(st.just("wait"), WAITS),
    st.tuples(st.just("finally"), st.integers(0, 9)),
    st.tuples(st.just("cancel"), st.integers(1, 12)),
)


def nested(bodies):
    statements = st.one_of(
        SIMPLE,
        st.tuples(st.just("spawn"), bodies),
        st.tuples(st.just("defer"), bodies),
        st.tuples(st.just("delay"), WAITS, bodies),
    )
    return st.lists(statements, max_size=6)


PROGRAMS = st.recursive(st.lists(SIMPLE, max_size=5), nested, max_leaves=12)


def numbered(statements, ids):
    """The program with an id for each task that it makes, from 1 on in the order of the text."""
    made = []
    for word, *operands in statements:
        if word in ("spawn", "defer", "delay"):
            *before, body = operands
            id = next(ids)
            made.append([word, *before, id, numbered(body, ids)])
        else:
            made.append([word, *operands])
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    scripts = ScriptFolder(tmp_path_factory.mktemp("model") / "scripts")
    scripts.write("runner", RUNNER)
    return scripts.path


@pytest.mark.row("C6", "C7", "B2")
@given(program=PROGRAMS)
@settings(max_examples=100)
@example(program=[("spawn", [("cancel", 1), ("log", 1)]), ("log", 2)])
@example(program=[("delay", 1, [("log", 1)]), ("defer", [("cancel", 1)]), ("wait", 0), ("log", 2)])
@example(program=[("spawn", [("finally", 1), ("spawn", [("cancel", 1)]), ("cancel", 9), ("log", 1)])])
def test_random_programs_run_in_the_order_of_the_model(folder, lua, program):
    statements = numbered(program, count(1))

    with World(folder, lua=lua) as world:
        world.spawn("runner", program=statements)
        for _ in range(FRAMES):
            world.tick(DT)
        heard = [line.text for line in world.log]

    assert world.problems == []
    assert heard == Model().run(statements)
