"""Reloads scripts: what was saved or asked for, and the way back from a version that does not work.

A reload that the game asks for happens as a whole at the start of the next frame, so that it can be repeated, and so
does the way back from it. One that a save brings may take several frames, a share of each.
"""

from __future__ import annotations

import time
import weakref
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from engine.mods import MANIFEST
from engine.reload.announcements import Announcements
from engine.reload.attempt import Attempt
from engine.reload.probation import Probation
from engine.reload.readiness import Readiness
from engine.reload.rehearsal import Rehearsal
from engine.reload.saves import Saves
from engine.reload.setbacks import Failed
from engine.scripts import Scripts
from engine.sources import Version

if TYPE_CHECKING:
    from engine.world import World

SHARE = 0.5
LEAST, MOST = 0.002, 0.010
"""A frame gives reloads this share of its time, within these seconds; the less, the more the game gives by itself."""

SETTLING = 2
"""Frames after a swap that do nothing else: first ticks of new states take long enough."""


class Reloader:
    """Collects what is to be reloaded, and swaps at the start of a frame."""

    def __init__(self, world: World, scripts: Scripts) -> None:
        self._world: World = weakref.proxy(world)
        self._scripts = scripts
        self._asked: dict[str, tuple[int | None, float]] = {}
        self._attempts: dict[str, Attempt] = {}
        self._husks: deque[object] = deque()
        self.announcements = Announcements(self._world)
        self.probation = Probation(self._world)
        self.rehearsal = Rehearsal(self._world)
        self._saves: Saves | None = None
        self.readiness = Readiness(self._world, self.rehearsal, self._husks)
        self._swapped = -SETTLING  # the frame of the last swap
        self._given = 0.0  # seconds by the game, since the last frame

    def watch(self, *, poll: bool = False) -> None:
        """Notice when scripts are saved; asking twice is asking once."""
        if self._saves is None:
            self._saves = Saves([self._scripts.folder], poll=poll)

    def ask(self, name: str, version: int | None = None) -> None:
        """Reload script or library `name` at the start of the next frame; asking twice is asking once."""
        sources = self._world.population.sources
        if version is not None:
            sources.earlier(name, version)
        elif not sources.users(name):
            self._scripts.find(name)
        self._asked[name] = version, time.perf_counter()

    def close(self) -> None:
        self.announcements.close()
        for attempt in self._attempts.values():
            attempt.abandon()
        self._attempts.clear()
        self.readiness.close()
        self._husks.clear()
        if self._saves is not None:
            self._saves.close()
            self._saves = None

    def swap(self, dt: float) -> None:
        """Carry out what was asked for, and go on with what was saved."""
        given, self._given = self._given, 0.0
        if not self._asked:
            self.readiness.pause()
        if self._saves is not None:
            self._take_saves(self._saves)
        for back, whole in self.probation.take() if self.probation.due else ():
            self._begin(back, time.perf_counter(), back=True, whole=whole)
        if self._asked:
            self._do_asked()
        if self._attempts or self._husks:
            self._go_on(time.perf_counter() + min(MOST, max(LEAST, dt * SHARE - given)))
        self.readiness.pause()

    def end_frame(self) -> None:
        """Take the data of what swaps in the next frame."""
        if self.readiness.builder is not None and not self._settling():
            self.readiness.go_on()
        for attempt in list(self._attempts.values()):
            if attempt.due:
                try:
                    attempt.carry()
                except Failed:
                    self._fail(attempt)

    def work(self, seconds: float) -> bool:
        """Go on between two frames, for so long; False where there is nothing to do."""
        began = time.perf_counter()
        deadline = began + seconds
        done = self._load_all(deadline) and self._let_go_alone(deadline)
        if done and self._saves is not None and not self._attempts:
            done = self.readiness.work(deadline)
        self._given += time.perf_counter() - began
        return not done

    # Which scripts, and when.

    def _take_saves(self, saves: Saves) -> None:
        sources = self._world.population.sources
        for path, noticed in saves.take():
            if path.name == MANIFEST:
                self._take_manifest(path, noticed)
            name = self._scripts.names_of(path)
            if name is None:
                continue
            for script in sources.users(name):
                if sources.changed(script, name):
                    self._begin(sources.next(script), noticed)

    def _take_manifest(self, path: Path, noticed: float) -> None:
        """What a mod may do was changed: its scripts start anew, unless the manifest has a mistake."""
        sources, folder = self._world.population.sources, self._scripts.folder_of(path)
        for script in sources.below(folder) if folder is not None else ():
            if self._world.permits.changed(script):
                self._begin(sources.next(script), noticed)

    def _do_asked(self) -> None:
        sources = self._world.population.sources
        asked, self._asked = self._asked, {}
        wanted: dict[str, tuple[Version, float]] = {}
        for name, (number, when) in asked.items():
            for script in sources.users(name) if number is None else [name]:
                version = sources.next(script) if number is None else sources.earlier(script, number)
                wanted[script] = version, when
        begun = [self._begin(version, when, whole=True) for version, when in wanted.values()]
        for attempt in begun:
            if attempt is not None:
                self._advance(attempt, None)
        self._husks.clear()

    def _begin(self, version: Version, asked: float, *, back: bool = False, whole: bool = False) -> Attempt | None:
        """Put a version on its way, in place of another one of that script; nothing for a script without entities."""
        script = version.script
        self._world.permits.forget(script)
        self._world.fallen.rise(script)
        self._world.losses.forgive(script)
        before = self._attempts.pop(script, None)
        if before is not None:
            self._husks += before.abandon()
            asked = min(asked, before.asked)
        if not back:
            self.probation.forget(script)
        attempt = Attempt(self._world, version, asked, back=back, whole=whole)
        if not attempt.entities():
            self._world.population.sources.forget(script)
            self._world.failures.mend(script)
            return None
        attempt.prepare()
        self._attempts[script] = attempt
        return attempt

    def _go_on(self, deadline: float) -> None:
        for attempt in sorted(self._attempts.values(), key=lambda attempt: not attempt.whole):
            if not self._advance(attempt, None if attempt.whole else deadline):
                return
        if not self._settling():
            self._let_go(deadline)

    def _settling(self) -> bool:
        """True in the frames around a swap, which a thread beside them would make longer still."""
        return self._world.frame <= self._swapped + SETTLING

    def _load_all(self, deadline: float) -> bool:
        for attempt in list(self._attempts.values()):
            try:
                if not attempt.loaded and not attempt.load(deadline, between=True):
                    return False
            except Failed:
                self._fail(attempt)
        return True

    def _let_go(self, deadline: float) -> bool:
        """Free what is left of old states; False where time ran out."""
        while self._husks and time.perf_counter() < deadline:
            self._husks.popleft()
        return not self._husks

    def _let_go_alone(self, deadline: float) -> bool:
        """The same with no thread beside it, as each would wait for the other."""
        if not self._husks:
            return True
        self.readiness.pause()
        try:
            return self._let_go(deadline)
        finally:
            if not self._settling():
                self.readiness.go_on()

    # One attempt.

    def _advance(self, attempt: Attempt, deadline: float | None) -> bool:
        """Load, and swap when everything is loaded; False where time ran out."""
        replaced = self._world.population.sources.running(attempt.script).number
        self.announcements.begin()
        try:
            if not attempt.load(deadline):
                return False
            if deadline is not None and not attempt.carried and attempt.frames > 1:
                return False  # there is much to swap: its data is taken at the end of a frame
            self._husks += attempt.swap()
            self._swapped = self._world.frame
        except Failed:
            self._fail(attempt)
            return True
        del self._attempts[attempt.script]
        self.readiness.want(attempt.states)
        self._rest()
        self._live(attempt, replaced)
        return True

    def _rest(self) -> None:
        """Nobody needs more states, unless the game watches: then another save will come."""
        if self._saves is None:
            self.readiness.end()

    def _fail(self, attempt: Attempt) -> None:
        del self._attempts[attempt.script]
        self._husks += attempt.abandon()
        self._rest()
        self._world.population.sources.refuse(attempt.version)
        if attempt.back:
            self.probation.stuck(attempt.script)

    def _live(self, attempt: Attempt, replaced: int) -> None:
        script, number = attempt.script, attempt.version.number
        if attempt.back:
            self.probation.went_back(script)
        else:
            self.probation.begin(script, number, replaced, whole=attempt.whole)
        self.announcements.live(attempt)
