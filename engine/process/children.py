"""Which scripts live in child processes, and the processes of one world."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase

from engine.errors import EngineError
from engine.limits import Limits
from engine.lua.actor import Actor, Result
from engine.process.launch import check_interpreter
from engine.process.process import MARGIN, Process
from engine.process.remote import start_all
from engine.process.wire import library

ISOLATIONS = ("entity", "script", "process")

_WILD = re.compile(r"[*?\[]")


def group_of(script: str, pattern: str) -> str:
    """Who shares a process with `script`: what the first wildcard of the pattern stands for, up to the next "/"."""
    wild = _WILD.search(pattern)
    if wild is None:
        return script
    folder = pattern[: wild.start()].rpartition("/")[0]
    start = len(folder) + 1 if folder else 0
    end = script.find("/", start)
    return script if end < 0 else script[:end]


class Children:
    """The child processes of a world, each started when its first state is made. They stay until the world closes."""

    def __init__(self, isolation: str) -> None:
        check_isolation(isolation)
        self._rules: list[tuple[str, str]] = [("*", isolation)]
        self._processes: dict[str, Process] = {}
        self._lost: list[Process] = []  # that ended, and have another one in their place
        self._given_up: dict[str, str] = {}

    def isolate(self, scripts: str, isolation: str) -> None:
        """The newest rule that matches a script counts."""
        check_isolation(isolation)
        self._rules.insert(0, (scripts, isolation))

    def isolation(self, script: str) -> str:
        """ "entity", "script" or "process"; a pattern of scripts is taken for one of them."""
        return self._rule(script)[1]

    def name_of(self, script: str) -> str:
        """What the process of `script` is called."""
        return group_of(script, self._rule(script)[0])

    def process(self, script: str, lua: str, limits: Limits) -> Process | None:
        """The process that the states of `script` live in, None where that is the game's own."""
        pattern, isolation = self._rule(script)
        if isolation != "process":
            return None
        name = group_of(script, pattern)
        if name in self._given_up:
            raise EngineError(self._given_up[name])
        process = self._processes.get(name)
        if process is not None and process.ended:
            self._lost.append(process)
            process = None
        if process is None:
            process = self._processes[name] = Process(name, lua, limits.memory)
        process.patience = None if limits.seconds is None else limits.seconds + MARGIN
        return process

    @property
    def pids(self) -> dict[str, int]:
        """The ids of the processes that live, by the names of their scripts or folders."""
        return {name: process.pid for name, process in self._processes.items() if not process.ended}

    def take_ended(self) -> list[Process]:
        """The processes that ended since the last look."""
        if not self._processes and not self._lost:
            return []
        ended = [process for process in self._processes.values() if not process.poll()]
        for process in ended:
            del self._processes[process.name]
        lost, self._lost = self._lost, []
        return lost + ended

    def give_up(self, name: str, why: str) -> None:
        """Start no process of that name until `forgive`."""
        self._given_up[name] = why

    def forgive(self, name: str) -> None:
        self._given_up.pop(name, None)

    def ticker(self, tick: Callable[[Sequence[Actor]], list[Result]]) -> Callable[[Sequence[Actor]], list[Result]]:
        """`tick`, with the children at work beside each other; what they say comes in the order of the actors."""

        def tick_all(actors: Sequence[Actor]) -> list[Result]:
            if self._processes:
                start_all(actors)
            return tick(actors)

        return tick_all

    def close(self) -> None:
        for process in self._processes.values():
            process.close()
        self._processes.clear()

    def _rule(self, script: str) -> tuple[str, str]:
        for rule in self._rules[:-1]:
            # Where the disk ignores case, so would a script that is spawned as "Mods/evil".
            if fnmatchcase(script.casefold(), rule[0].casefold()):
                return rule
        return self._rules[-1]


def check_isolation(isolation: str) -> None:
    if isolation not in ISOLATIONS:
        raise EngineError(f"isolation must be one of {', '.join(ISOLATIONS)}, got {isolation!r}")
    if isolation == "process":
        library()
        check_interpreter()
