"""One frame, in order: what came from outside, reloads, ticks, rounds of mail, late updates, births and deaths."""

from __future__ import annotations

import marshal
import weakref
from operator import attrgetter
from threading import get_ident
from typing import TYPE_CHECKING
from zlib import crc32

from engine.audiences import Audience, order_of
from engine.display import Commands
from engine.events import ENGINE, Event, text
from engine.lua.actor import LATE, MAIL_ONLY, Actor, Clock, Mail, Result, hear_all, whole
from engine.operations import Operations
from engine.scheduler import Wakes
from engine.workers import ticker

if TYPE_CHECKING:
    from engine.world import World

ROUNDS = 8
_MANY = 4  # hearers of an event, for whom it pays to know its kind


_key = attrgetter("key")


class Loop:
    """Runs the frames of a world."""

    def __init__(self, world: World) -> None:
        self._world: World = weakref.proxy(world)  # the world owns its parts, never the other way
        self.game, self.real = Clock("game"), Clock("real")
        self.wakes = {self.game: Wakes(), self.real: Wakes()}
        self.operations = Operations(world)
        self.commands = Commands()  # of the newest frame
        self.tick = self._usual_tick = world.children.ticker(ticker(world.workers))
        self._alone = world.workers is None
        self.late: dict[Actor, None] = {}
        self.number = 0
        self.changed: set[int] = set()  # keys of the states in which Python changed something since the last frame
        self.running = False
        self._order = 0
        self._ticked: list[Actor] = []  # who ticked last, and their keys: most often the same who tick next
        self._keys = b""

    def run(self, dt: float, scale: float) -> None:
        world = self._world
        self.running = True
        world.commons.thread = get_ident()
        world.shared.begin_frame()
        try:
            self.number += 1
            self.changed.clear()
            self.commands = self.operations.commands
            world.losses.look()
            world.bus.chains.begin(self.number)
            self._take_outside()
            if world.host is not None:
                world.host.begin_frame()
            world.reloads.swap(dt)
            world.bus.chains.step()
            self._tick(dt, scale)
            self._rounds()
            self._late()
            world.population.settle()
            world.reloads.end_frame()
            self.operations.commands = Commands()
            if world.host is not None:
                world.host.end_frame()
        finally:
            self.running = False
            world.commons.thread = None
            world.shared.end_frame()

    def absorb(self, actor: Actor, result: Result) -> None:
        """Note when an actor wakes next, where its entity is, and carry out what it put into its outbox."""
        if type(result) is tuple:
            wake = result[0]
            if result[1] is not None:
                actor.only.place = result[1:3]
            if len(result) > 3 and not self._carry_out(actor, result):
                return
        elif isinstance(result, Exception):
            self._world.population.broken(actor, result)
            return
        else:
            wake = result
        if wake is True or (type(wake) is int and wake < 0):
            self.wakes[actor.clock].soon[actor] = None
        else:
            self.wakes[actor.clock].at(actor, wake or None)

    def _carry_out(self, actor: Actor, result: Result) -> bool:
        """True where the actor lives on."""
        try:
            if self.operations.carry_out(actor, result):
                return True
        except Exception as error:
            actor.blame(error)
        return actor.alive

    def forget(self, actor: Actor) -> None:
        """Never tick `actor` again."""
        self.wakes[actor.clock].forget(actor)
        self.late.pop(actor, None)
        self._ticked = []
        self._world.bus.boxes.forget(actor)

    def close(self) -> None:
        """Forget all actors."""
        self.wakes = {self.game: Wakes(), self.real: Wakes()}
        self.late.clear()
        self._ticked = []

    def set_clock(self, actor: Actor, clock: Clock) -> None:
        """Let `actor` live by another clock; only before it has slept."""
        actor.clock = clock
        self._world.bus.audiences.forget()

    def earliest(self) -> float:
        """The game time at which the next state may wake, infinity where none will; a lower bound."""
        now = self.game.now
        real = self.wakes[self.real].earliest(self.real.now) - self.real.now
        return min(self.wakes[self.game].earliest(now), now + real)

    @property
    def order(self) -> int:
        """A sum of who ticked and when: it stays the same in a frame in which nobody did."""
        return self._order

    def digest(self) -> str:
        """A sum of all that happened so far, and of where the entities are."""
        places = tuple((entity.id, *entity.where()) for entity in self._world.entities)
        return f"{crc32(marshal.dumps((self._order, self.operations.digest, self.game.now, places), 2)):08x}"

    def _take_outside(self) -> None:
        world = self._world
        world.bus.take_outside()
        if world.commons.touched:
            self._take_touched()
        world.bus.requests.expire(self.game.now)
        for key, (shape, leaves), watchers, listeners in world.shared.take_changes():
            for entity, callback in watchers:
                world.bus.deliver(entity, callback, (key, ENGINE, shape, *leaves))
            for listener in listeners:
                world.bus.call(listener, Event(text(key), (shape, leaves), None))

    def _take_touched(self) -> None:
        """Release what Python dropped, and tick the states in which it changed something."""
        touched = self._world.commons.touched
        for _ in range(len(touched)):
            actor = touched.popleft()()
            if isinstance(actor, Actor) and actor.alive:
                actor.let_go()
                if actor.changed:
                    actor.changed = False
                    self.changed.add(actor.key)
                    self._world.bus.boxes.mailed[actor] = None

    def _tick(self, dt: float, scale: float) -> None:
        step = self._world.fixed_step
        if scale == 0:
            self.game.rest(self.number)
            awake = []
        else:
            self.game.advance(dt * scale, self.number, step)
            awake = self.wakes[self.game].due(self.game.now)
        self.real.advance(dt, self.number, step)
        also = self.wakes[self.real].due(self.real.now)
        mailed = self._world.bus.boxes.take_mailed()
        if also or mailed:
            awake = sorted({*awake, *also, *mailed}, key=_key)
        if awake:
            self._run_awake(awake)

    def _run_awake(self, actors: list[Actor]) -> None:
        """The first ticks of a frame. What nearly all say in nearly every one: awake again, and perhaps more."""
        game, wakes = self.game, self.wakes[self.game]
        again = wakes.again
        if again:  # the game stands still, and those on the real clock, or with mail, tick alone
            wakes.mingle()
        show = self.operations.show
        for actor, result in zip(actors, self._ticks(actors), strict=True):
            if type(result) is tuple and actor.clock is game:
                wake, x = result[0], result[1]
                if wake is True:
                    if x is not None:
                        actor.only.place = x, result[2]
                    if len(result) == 3 or self._carry_out(actor, result):
                        again.append(actor)
                elif type(wake) is int and wake < 0:
                    if x is not None:
                        actor.only.place = x, result[2]
                    show(actor.only, result)
                    again.append(actor)
                else:
                    self.absorb(actor, result)
            elif result is True and actor.clock is game:
                again.append(actor)
            elif result is False:
                actor.wake = None
            else:
                self.absorb(actor, result)
        if len(again) == len(actors):
            wakes.again = actors

    def _run(self, actors: list[Actor]) -> None:
        """Tick actors one after the other, then carry out what they want, in the same order."""
        self._settle(actors, self._ticks(actors))

    def _settle(self, actors: list[Actor], results: list[Result]) -> None:
        for actor, result in zip(actors, results, strict=True):
            if result is False:
                actor.wake = None
            else:
                self.absorb(actor, result)

    def _ticks(self, actors: list[Actor]) -> list[Result]:
        results = self.tick(actors)
        if actors is not self._ticked:
            self._ticked, self._keys = actors, order_of(actors)
        self._order = crc32(self._keys, self._order)
        return results

    def _rounds(self) -> None:
        boxes, chains = self._world.bus.boxes, self._world.bus.chains
        self.game.phase(MAIL_ONLY)
        self.real.phase(MAIL_ONLY)
        released = False
        for number in range(1, ROUNDS + 1):
            if boxes.held and not released and (not boxes.any or number == ROUNDS):
                released = True
                boxes.release()
            chains.step()
            told = boxes.take_told() if self._alone and self.tick is self._usual_tick else None
            if told is not None:
                self._tell(*told)
            elif boxes.any:
                self._run(sorted(boxes.take_mailed(), key=_key))
            else:
                break
        if boxes.any:
            self._report_chain()

    def _tell(self, audience: Audience, tail: Mail) -> None:
        """Tick those who hear an event that is all the mail there is."""
        actors = audience.actors
        enter, args = self._world.commons.enter, audience.clock.args
        brief = self._world.bus.kinds.brief(tail) if len(actors) >= _MANY else None
        results = enter(hear_all, audience.hear, audience.ways, audience.callbacks, args, tail, brief)
        self._order = crc32(audience.order, self._order)
        if results.count(False) < len(results):  # no wake time is 0
            self._settle(actors, enter(whole, actors, results))
            return
        for actor in actors:
            actor.wake = None

    def _report_chain(self) -> None:
        chain = self._world.bus.chains.endless()
        self._world.failures.problem(
            f"events still travel after {ROUNDS} rounds: {chain}; the rest goes on in the next frame. "
            "Break the chain, or answer with a wait() in between"
        )

    def _late(self) -> None:
        if self.late:
            self.game.phase(LATE)
            self.real.phase(LATE)
            self._run(sorted(self.late, key=_key))
        self.game.phase(MAIL_ONLY)
        self.real.phase(MAIL_ONLY)
