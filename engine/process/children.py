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
    """The child processes of a world, each started when its first state is made.

    A new version of a script is tried in a process beside them, which it keeps: it can take no version with it that
    runs. A process ends when nothing lives there any more but what was replaced, or with the world.
    """

    def __init__(self, isolation: str) -> None:
        check_isolation(isolation)
        self._rules: list[tuple[str, str]] = [("*", isolation)]
        self.shares = isolation == "script"  # scripts that say nothing of themselves may share a state
        self.any = isolation == "process"  # some scripts may live in one
        self._processes: dict[str, Process] = {}
        self._own: dict[str, Process] = {}  # script -> the process that it was reloaded into, beside that of its folder
        self._trials: list[Process] = []
        self._replaced: list[Process] = []
        self._lost: list[Process] = []  # that ended, and have another one in their place
        self._given_up: dict[str, str] = {}

    def isolate(self, scripts: str, isolation: str) -> None:
        """The newest rule that matches a script counts."""
        check_isolation(isolation)
        self._rules.insert(0, (scripts, isolation))
        self.shares = self.shares or isolation == "script"
        self.any = self.any or isolation == "process"

    def isolation(self, script: str) -> str:
        """ "entity", "script" or "process"; a pattern of scripts is taken for one of them."""
        return self._rule(script)[1]

    def name_of(self, script: str) -> str:
        """What the process of `script` is called."""
        return group_of(script, self._rule(script)[0])

    def process(self, script: str, lua: str, limits: Limits) -> Process | None:
        """The process that the states of `script` live in, None where that is the game's own."""
        name = self._name(script) if self.any else None
        if name is None:
            return None
        process = self._living(self._own, script) or self._living(self._processes, name)
        if process is None:
            process = self._processes[name] = Process(name, lua, limits.memory)
        process.patience = patience(limits)
        return process

    def trial(self, script: str, lua: str, limits: Limits) -> Process | None:
        """A process for the trial of a new version, to be adopted or dismissed; None where it needs none."""
        name = self._name(script)
        if name is None:
            return None
        process = Process(name, lua, limits.memory)
        process.patience = patience(limits)
        self._trials.append(process)
        return process

    def adopt(self, script: str, process: Process) -> None:
        """The new version runs now, and `script` lives where it was tried."""
        self._trials.remove(process)
        before = self._processes.get(process.name)
        if script in self._own:
            self._replaced.append(self._own.pop(script))
        if before is None or not before.lives_on:
            self._processes[process.name] = process
        else:
            self._own[script], before = process, None
        if before is not None:
            self._replaced.append(before)

    def dismiss(self, process: Process) -> None:
        """The new version does not run after all."""
        self._trials.remove(process)
        process.close()

    @property
    def pids(self) -> dict[str, int]:
        """The ids of the processes that live, by the names of their scripts or folders.

        One that a script of a folder was reloaded into is named after both: "mods/frost: mods/frost/key".
        """
        named = {**self._processes, **{f"{process.name}: {script}": process for script, process in self._own.items()}}
        return {name: process.pid for name, process in named.items() if not process.ended}

    def take_ended(self) -> list[Process]:
        """The processes that ended since the last look."""
        if self._replaced:
            self._close_replaced()
        ended, self._lost = self._lost, []
        for known in (self._processes, self._own):
            for name in [name for name, process in known.items() if not process.poll()]:
                ended.append(known.pop(name))
        return ended

    def give_up(self, name: str, why: str) -> None:
        """Start no process of that name until `forgive`."""
        self._given_up[name] = why

    def forgive(self, name: str) -> None:
        self._given_up.pop(name, None)

    def ticker(self, tick: Callable[[Sequence[Actor]], list[Result]]) -> Callable[[Sequence[Actor]], list[Result]]:
        """`tick`, with the children at work beside each other; what they say comes in the order of the actors."""

        def tick_all(actors: Sequence[Actor]) -> list[Result]:
            if self._processes or self._own:
                start_all(actors)
            return tick(actors)

        return tick_all

    def close(self) -> None:
        for process in (*self._processes.values(), *self._own.values(), *self._trials, *self._replaced):
            process.close()
        for known in (self._processes, self._own, self._trials, self._replaced):
            known.clear()

    def _name(self, script: str) -> str | None:
        """What the process of `script` is called, where it is to live in one; `EngineError` where that gets none."""
        pattern, isolation = self._rule(script)
        if isolation != "process":
            return None
        name = group_of(script, pattern)
        if name in self._given_up:
            raise EngineError(self._given_up[name])
        return name

    def _living(self, known: dict[str, Process], name: str) -> Process | None:
        process = known.get(name)
        if process is not None and process.ended:
            self._lost.append(known.pop(name))
            return None
        return process

    def _close_replaced(self) -> None:
        """Replaced processes stay for what still looks at their states."""
        for process in list(self._replaced):
            if process.ended or not process.is_used:
                self._replaced.remove(process)
                process.close()

    def _rule(self, script: str) -> tuple[str, str]:
        *others, usual = self._rules
        for rule in others:
            # Where the disk ignores case, so would a script that is spawned as "Mods/evil".
            if fnmatchcase(script.casefold(), rule[0].casefold()):
                return rule
        return usual


def patience(limits: Limits) -> float | None:
    """Seconds that a state may take to answer."""
    return None if limits.seconds is None else limits.seconds + MARGIN


def check_isolation(isolation: str) -> None:
    if isolation not in ISOLATIONS:
        raise EngineError(f"isolation must be one of {', '.join(ISOLATIONS)}, got {isolation!r}")
    if isolation == "process":
        library()
        check_interpreter()
