"""The world: all entities, their states, the bus and the clock. It needs no window."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any, NoReturn, Self

from engine.bounds import Bounds
from engine.bus.bus import Bus
from engine.bus.delivery import Delivery
from engine.bus.mailboxes import most
from engine.bus.overflows import Overflows
from engine.checks import (
    check_count,
    check_folder,
    check_listener,
    check_measure,
    check_pattern,
    check_script,
    check_seed,
    refuse_copies,
)
from engine.display import Command
from engine.entity import Entity
from engine.errors import EngineError, WorldClosed
from engine.failures import Failures
from engine.fallen import Fallen
from engine.inputs import Inputs
from engine.interrupts import ctrl_c_later
from engine.leaks import Leak, find_leaks
from engine.limits import Limits, limits_for
from engine.log import Log
from engine.loop import Loop
from engine.losses import Losses
from engine.lua.commons import Commons
from engine.lua.versions import check_version
from engine.mods import Mod, Rights
from engine.modules import Module, ModuleHost, module_of
from engine.payload import encoder
from engine.permits import Permits
from engine.population import Population
from engine.problems import Problem
from engine.process.children import Children
from engine.reload.announcements import Reload
from engine.reload.reloader import Reloader
from engine.reload.saves import polls
from engine.scripts import Scripts
from engine.shared import Shared
from engine.sources import Sources
from engine.states import States
from engine.stats import Stats, stats_of
from engine.trace import Trace
from engine.workers import Workers

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

SHORTEST = 1e-6
"""Seconds of a `fixed_step`: the clock could not count shorter ones."""


class World:
    """All entities of a game, their scripts and the clock. The game calls `tick(dt)` once a frame.

        with World("scripts", seed=7) as world:
            slime = world.spawn("slime", x=10, y=20)
            for _ in range(60):
                world.tick(1 / 60)

    - `scripts`: the folder of the Lua files.
    - `lua`: "lua55", "lua54" or "luajit21".
    - `isolation`: "entity", a Lua state for each; "script", one for all entities of a script; or "process", a state
      each, in a child process for every script or folder of scripts. `isolate` chooses for some scripts.
    - `seed`: two worlds with the same seed, inputs and `dt`s do the same.
    - `limits`: what scripts may use; without, `Limits()`, and none on LuaJIT.
    - `strict`: raise the first script error out of `tick`.
    - `workers`: above 1, tick states on so many threads, with the same result.
    - `watch`: reload scripts when their files change; "poll" where the file system sends no events.
    """

    def __init__(
        self,
        scripts: str | os.PathLike[str],
        *,
        lua: str = "lua55",
        isolation: str = "entity",
        seed: int = 0,
        limits: Limits | None = None,
        strict: bool = False,
        workers: int = 0,
        watch: bool | str = False,
    ) -> None:
        check_folder("World: scripts", scripts)
        self.children = Children(isolation)
        check_count("workers", workers)
        check_seed(seed)
        check_version(lua)
        self.lua = lua
        self.isolation = isolation
        self.seed = seed
        self.limits = limits_for(lua, limits, process=isolation == "process")
        self.bounds = Bounds(lua, limits, self.children)
        self.strict = strict
        self.time_scale = 1.0
        self.fixed_step = 1 / 60
        self._scripts = Scripts(scripts)
        self.workers = Workers(workers) if workers > 1 else None
        self.host: ModuleHost | None = None
        self._trace: Trace | None = None
        self._make_parts()
        self._closed = False
        if watch:
            self.watch(poll=polls(watch))

    def _make_parts(self) -> None:
        """Make what a world consists of, each part after those that it needs.

        A world has no more than thirty attributes: with more of them Python takes longer to find each.
        """
        self.log = Log()
        self.commons = Commons()
        self.failures = Failures(self, self._scripts)
        self._encode = encoder(self.limits, self.lua)
        self.delivery = Delivery(self.limits.mailbox, self.failures.fail, Overflows(self), self.commons.outside)
        self.bus = Bus(self.delivery, self._encode)
        self.shared = Shared(self._encode)
        self.permits = Permits(self, self._scripts)
        self.loop = Loop(self)
        self.states = States(self)
        self.losses = Losses(self)
        self.population = Population(self, Sources(self._scripts))
        self.fallen = Fallen(self)
        self.input = Inputs(self.population.tell_input, self.commons.outside)
        self.reloads = Reloader(self, self._scripts)

    # Entities.

    @property
    def entities(self) -> list[Entity]:
        """The living entities, in id order."""
        return self.population.entities.all()

    def spawn(self, script: str, /, **properties: Any) -> Entity:
        """Make an entity; the keywords become fields of its `self`.

        It starts at once, and while the world ticks, at the end of the frame. A script that cannot be loaded is a
        problem, not an exception: the entity starts when the file is mended.
        """
        if self._closed or type(script) is not str:
            self._check_open()
            check_script("spawn", script)
        fields = self._encode(properties, "properties")
        population, commons = self.population, self.commons
        if (self.loop.running or commons.inside or commons.entered) and self._ticking:
            return population.announce(population.new_id(script), script, fields)
        entity = population.spawn(script, fields)
        if self.failures.raised:
            self.failures.raise_first()
        return entity

    def warm(self, count: int, script: str = "") -> None:
        """Have `count` Lua states ready, so that as many spawns take less time; from any thread, on a loading screen.

        With `script` they are under its limits, and its text is compiled. Spawns use them up.
        """
        self._check_open()
        check_count("warm: count", count)
        check_script("warm", script)
        self.states.keep_warm(count, script)

    def find(self, name: str) -> list[Entity]:
        """The living entities of a script or with a tag, in id order."""
        check_script("find", name, "the name of a script or a tag")
        return self.population.entities.find(name)

    def entity(self, id: int) -> Entity | None:
        """The living entity of that id."""
        try:
            return self.population.entities.get(id)
        except TypeError:  # asked for in every frame: a look at what it is would cost as much as the rest
            raise EngineError(f"entity: expected the id of an entity, got {id!r}") from None

    def limit(self, scripts: str, limits: Limits) -> None:
        """Give scripts limits of their own, by name or pattern ("mods/*"). Where several match, the newest counts.

        Here `entities` counts those of one script. `world_calls` and `threads` are for all scripts together, and stay
        as the world has them. States that exist keep their limits until they reload.
        """
        check_pattern("limit", scripts)
        if not isinstance(limits, Limits):
            raise EngineError(f"limit: expected Limits(...), got {limits!r}")
        self.bounds.set(scripts, limits)
        self.delivery.boxes.least = min(self.delivery.boxes.least, most(limits.mailbox))

    def limits_of(self, script: str) -> Limits:
        """The limits of the states of `script`."""
        check_script("limits_of", script)
        return self.bounds.of(script)

    def isolate(self, scripts: str, isolation: str) -> None:
        """Give scripts another isolation, by name or pattern ("mods/*"). Where several match, the newest counts.

        With "process", every script or folder that the star stands for gets a child process of its own; only the game
        can choose that, no script (`door.isolation`). Entities that live keep what they have until they reload.
        """
        check_pattern("isolate", scripts)
        self.children.isolate(scripts, isolation)
        self.bounds.forget()

    def mods(self, scripts: str, grant: Callable[[Mod], Rights | None] | None = None) -> list[Mod]:
        """Treat scripts as mods, by name or pattern ("mods/*"): they may do only what they are granted.

        `grant(mod)` is asked when the first script of a mod starts, and again when its `mod.toml` was changed. It gives
        what the mod may do: `mod.asks`, less of it, or None for nothing, as it is without `grant`. Gives the mods there
        are, by folder. Of several patterns the newest counts; states that exist keep their rights until they reload.
        """
        check_pattern("mods", scripts)
        return self.permits.designate(scripts, grant)

    # Time.

    @property
    def now(self) -> float:
        """Seconds of game time: the sum of all `dt * time_scale`."""
        return self.loop.game.now

    @property
    def frame(self) -> int:
        """How many frames have begun."""
        return self.loop.number

    def tick(self, dt: float) -> None:
        """Run one frame of `dt` seconds. What scripts do wrong in it is found in `problems`."""
        self._check_open()
        check_measure("tick: dt", dt)
        check_measure("time_scale", self.time_scale, "number")
        check_measure("fixed_step", self.fixed_step, least=SHORTEST)
        if self.busy:
            raise EngineError("tick was called while the world ticks, from a listener or a host function")
        if self.fixed_step != self.loop.paced:
            self.loop.pace(float(self.fixed_step))
        with ctrl_c_later():  # the world would tick for ever, and a worker wait for it
            self.loop.run(float(dt), float(self.time_scale))
        if self.failures.raised:
            self.failures.raise_first()

    def idle(self, seconds: float) -> bool:
        """Work on reloads for at most so many seconds, between two frames, where the game would only sleep.

        False where there is nothing to do: then sleep. Reloads take a share of the frames where a game never calls it.
        """
        self._check_open()
        check_measure("idle: seconds", seconds)
        if self.busy:
            raise EngineError("idle was called while the world ticks; call it between two frames")
        more = self.reloads.work(seconds)
        self.failures.raise_first()
        return more

    @property
    def commands(self) -> list[Command]:
        """What scripts called on `sprite`, `sound`, `camera` and `draw` in the newest frame, in order."""
        return self.loop.commands.all()

    # Scripts.

    @property
    def scripts(self) -> Path:
        """The folder of the scripts."""
        return self._scripts.folder

    def reload(self, script: str, version: int | None = None) -> None:
        """Reload all entities that use `script`, a script or a library, at the start of the next frame, as a whole.

        With `version` the script goes to one of `versions(script)`. If anything fails, the old version goes on.
        """
        self._check_open()
        check_script("reload", script)
        self.reloads.ask(script, version)

    def versions(self, script: str) -> list[int]:
        """The numbers of the versions that `reload` can go to, ascending; the running one is among them."""
        check_script("versions", script)
        return self.population.sources.versions(script)

    def watch(self, *, poll: bool = False) -> None:
        """Reload scripts when their files change, from now on; what `World(watch=True)` does.

        `poll`, as `World(watch="poll")`, looks at the files four times a second instead of waiting for events.
        """
        self._check_open()
        self.reloads.watch(poll=poll)

    def on_reload(self, listener: Callable[[Reload], object]) -> None:
        """Call `listener(reload)` after every reload that went well."""
        check_listener(listener)
        self.reloads.announcements.listen(listener)

    # Host modules.

    def install(self, module: Module | str, *, loop: AbstractEventLoop | None = None) -> None:
        """Let scripts `require` a host module; a string names one that an installed package offers.

        Its coroutines run in `loop`, else in the asyncio loop in which the world is ticked; where there is none, the
        world runs one on a thread of its own.
        """
        self._check_open()
        found = module_of(module)
        if self.host is None:
            self.host = found.host(self)
        self.host.install(found, loop)

    def uninstall(self, module: Module | str) -> None:
        """Take a host module away: `require` of it fails from here on, and calls under way end with an error."""
        name = module if isinstance(module, str) else getattr(module, "name", repr(module))
        if self.host is None:
            raise EngineError(f'no host module "{name}" is installed')
        self.host.uninstall(name)

    # Problems.

    @property
    def problems(self) -> list[Problem]:
        """The script errors so far, oldest first, without those whose script has been reloaded since."""
        return self.failures.problems.all()

    def on_problem(self, listener: Callable[[Problem], object]) -> None:
        """Call `listener(problem)` for every new problem."""
        check_listener(listener)
        self.failures.problems.listen(listener)

    def places(self, script: str, pattern: str) -> list[str]:
        """The lines ("scripts/door.lua:12") of `script` and its libraries that match the regular expression `pattern`.

        For who knows that something is wrong in a script, but not where.
        """
        check_script("places", script)
        check_script("places", pattern, "a regular expression as text")
        return self.population.sources.places(script, pattern)

    def trace(self, path: str | os.PathLike[str]) -> Trace:
        """Write what happens from now on into the file `path`, until the trace or the world is closed.

        Look at it in ui.perfetto.dev or chrome://tracing.
        """
        self._check_open()
        if self.busy:
            raise EngineError("trace was called while the world ticks; start it between two frames")
        check_folder("trace", path)
        if self._trace is not None:
            self._trace.close()
        self._trace = Trace(self, path)
        return self._trace

    # Figures.

    def stats(self, *, per_entity: bool = False) -> Stats:
        """Figures of now; with `per_entity` also the tasks and memory of each, for which every state is asked."""
        return stats_of(self, per_entity)

    def leaks(self) -> list[Leak]:
        """What is still held although its entity has ended, by who made it; in tests: `assert not world.leaks()`."""
        return find_leaks(self)

    # End.

    def close(self) -> None:
        """End all entities, without `final`, and close their states; stop watching. Closing twice does nothing."""
        if self._closed:
            return
        if self.busy:
            raise EngineError("a world cannot be closed while it ticks, or while an entity begins or ends")
        self._closed = True
        before = (self._trace, self.host, self.reloads)  # these still ask the others
        entities = (self.population, self.fallen, self.states, self.children)
        for part in (*before, *entities, self.loop, self.delivery, self.failures.problems, self.permits, self.workers):
            if part is not None:
                part.close()

    def __reduce_ex__(self, _: object) -> NoReturn:
        refuse_copies(self, "its states are one each: make a world of the same scripts and seed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # Nothing that the world owns holds it, so one that is dropped comes here at once.
        if not getattr(self, "_closed", True):
            with suppress(Exception):
                self.close()

    # What the parts of the world use.

    @property
    def busy(self) -> bool:
        """True while a script may be running, or an entity begins or ends: deaths wait for the end of that."""
        return self._ticking or self.population.settling

    @property
    def _ticking(self) -> bool:
        commons = self.commons
        return self.loop.running or bool(commons.inside) or (bool(commons.entered) and get_ident() in commons.entered)

    def _check_open(self) -> None:
        if self._closed:
            raise WorldClosed("the world is closed")
