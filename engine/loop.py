"""One frame, in order: what came from outside, reloads, ticks, rounds of mail, late updates, births and deaths."""

from __future__ import annotations

import marshal
import weakref
from contextlib import suppress
from itertools import chain
from operator import attrgetter
from threading import get_ident
from typing import TYPE_CHECKING
from zlib import crc32

from engine.bus.audiences import Audience, order_of
from engine.bus.events import ENGINE, Event, text
from engine.digest import MOST as MOST_TOLD
from engine.display import Commands
from engine.errors import StateClosed
from engine.lua.actor import IN_PARTS, Actor, Mail, Result
from engine.lua.clock import LATE, MAIL_ONLY, Clock
from engine.lua.rounds import hear_all, send_all, whole
from engine.operations import Operations
from engine.outbox import FIRST, Values
from engine.scheduler import Wakes
from engine.shifts import NOBODY, Shift, actor_of
from engine.workers import ticker

if TYPE_CHECKING:
    from engine.entity import Entity
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
        self.paced = 1 / 60  # seconds of a step of `fixed_update`, as the states know it
        self.changed: set[int] = set()  # keys of the states in which Python changed something since the last frame
        self.running = False
        self._order = 0
        self._shift = NOBODY  # who ticked last

    def run(self, dt: float, scale: float) -> None:
        world = self._world
        self.running = True
        world.commons.thread = get_ident()
        world.shared.begin_frame()
        try:
            self.number += 1
            self.changed.clear()
            self.commands = self.operations.commands
            if world.children.any:
                world.losses.look()
            world.delivery.chains.begin(self.number)
            self._take_outside()
            if world.host is not None:
                world.host.begin_frame()
            world.reloads.swap(dt)
            world.delivery.chains.step()
            self._tick(dt, scale)
            self._rounds()
            if self.late:
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

    def pace(self, step: float) -> None:
        """Tell the states that there are how long a step of `fixed_update` is now."""
        self.paced, states = step, self._world.states
        for actor in (*states.actors.values(), *states.warm):
            with suppress(StateClosed):  # its process has ended: what comes in its place is told at its birth
                actor.function("hooks", "pace")(step)

    def absorb(self, actor: Actor, result: Result) -> None:
        """Note when an actor wakes next, where its entity is, and carry out what it put into its outbox."""
        if self._goes_on(actor, result):
            self.wakes[actor.clock].soon[actor] = None

    def absorb_birth(self, actor: Actor, entity: Entity, result: Result) -> None:
        """The same of the tick in which the first entity of a warm state was born.

        Where it told no more than that it moved, and waits for the next frame, the rest is what every birth tells.
        """
        if type(result) is tuple and len(result) == 2:
            entity.place = result
        elif result is not True:
            self.absorb(actor, result)
            return
        entity.ready = True
        digest = self.operations.digest
        digest.told.append((b"script", entity.id, 3, False, False, True, b"ready", entity.id, 0))
        if len(digest.told) > MOST_TOLD:
            digest.settle()
        self.wakes[actor.clock].soon[actor] = None

    def absorb_told(self, actor: Actor, entity: Entity, result: Result, told: Values) -> bool:
        """The same in a state of many where all that was said is `told`, which asks for nothing, and where `entity` is,
        and somebody wakes in the next frame; else False, and nothing was done."""
        if type(result) is not tuple or result[0] is not True or result[1] is not None:
            return False
        end = FIRST + len(told)
        said = result[FIRST:end]
        if said != told:
            return False
        placed = len(result) == end + 6 and result[end : end + 4] == (b"places", 0, 3, entity.id)
        if not placed and len(result) != end:
            return False
        digest = self.operations.digest
        digest.told.append(said)
        if placed:
            entity.move(result[end + 3 :])
        if placed or len(digest.told) > MOST_TOLD:
            digest.settle()
        self.wakes[actor.clock].soon[actor] = None
        return True

    def _goes_on(self, actor: Actor, result: Result) -> bool:
        """The same as `absorb`; true where it wakes in the next frame of its clock, which is yet to be noted."""
        wake = result
        if result is None:
            return False
        if type(result) is tuple:
            wake = result[0]
            if len(result) == 2:
                actor.only.place = result
                return True
            if wake < 0:  # no time is
                actor.only.show_all(result)
                self.operations.note_shown([result])
                return True
            if result[1] is not None:
                actor.only.place = result[1:3]
            if len(result) == IN_PARTS:
                return self._goes_on(actor, self._world.commons.enter(whole, (actor,), (result,))[0])
            if len(result) > 3 and not self._carry_out(actor, result):
                return False
        elif isinstance(result, Exception):
            self._world.fallen.broken(actor, result)
            return False
        if wake is not True:
            self.wakes[actor.clock].at(actor, wake or None)
        return wake is True

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
        self.rearrange()
        self._world.delivery.boxes.forget(actor)

    def close(self) -> None:
        """Forget all actors."""
        self.wakes = {self.game: Wakes(), self.real: Wakes()}
        self.late.clear()
        self.rearrange()

    def rearrange(self) -> None:
        """Somebody left, or is not alone any more."""
        self._shift = NOBODY

    def set_clock(self, actor: Actor, clock: Clock) -> None:
        """Let `actor` live by another clock; only before it has slept."""
        actor.clock = clock
        self._world.delivery.audiences.forget()

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
        # 1 and 1.0 are one place: a tick may tell only of what is another one.
        entities = self._world.entities
        places = tuple((one.id, *(None if at is None else float(at) for at in one.where())) for one in entities)
        return f"{crc32(marshal.dumps((self._order, self.operations.digest.sum, self.game.now, places), 2)):08x}"

    def _take_outside(self) -> None:
        delivery, shared, commons = self._world.delivery, self._world.shared, self._world.commons
        commons.outside.run()
        if commons.touched:
            self._take_touched()
        delivery.requests.expire(self.game.now)
        for key, (shape, leaves), watchers, listeners in shared.take_changes() if shared.changed else ():
            for entity, callback in watchers:
                delivery.deliver(entity, callback, (key, ENGINE, shape, *leaves))
            for listener in listeners:
                delivery.call(listener, Event(text(key), (shape, leaves), None))

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
                    self._world.delivery.boxes.mailed[actor] = None

    def _tick(self, dt: float, scale: float) -> None:
        step = self._world.fixed_step
        if scale == 0:
            self.game.rest(self.number)
            again, woken = list[Actor](), list[Actor]()
        else:
            self.game.advance(dt * scale, self.number, step)
            again, woken = self.wakes[self.game].due(self.game.now)
        self.real.advance(dt, self.number, step)
        also = [*chain(*self.wakes[self.real].due(self.real.now))]
        mailed = self._world.delivery.boxes.take_mailed()
        mixed = bool(also or mailed)
        if mixed or again is not self._shift.actors or len(woken) > len(again):
            again = sorted({*again, *woken, *also, *mailed}, key=_key) if mixed or again else woken
            if again:
                self._shift = Shift(again)
        elif woken:
            self._shift.join(woken)
        if again:
            self._run_awake(self._shift, mixed)

    def _run_awake(self, shift: Shift, mixed: bool) -> None:
        """The first ticks of a frame. What nearly all say in nearly every one: where they are, and awake again.

        It is `mixed` where some have mail, or live by the other clock.
        """
        wakes = self.wakes[self.game]
        if wakes.again:  # the game stands still, and those on the real clock, or with mail, tick alone
            wakes.mingle()
        gone: dict[Actor, None] = {}
        shown: list[Result] = []
        for teller, result in zip(shift.tellers, self._ticks(shift, mixed), strict=True):
            if type(result) is tuple:
                if len(result) == 2:
                    teller.place = result
                    continue
                if result[0] < 0:
                    teller.show_all(result)
                    shown.append(result)
                    continue
            if result is not True:
                self.operations.note_shown(shown)
                shown.clear()
                actor = actor_of(teller)
                if result is False:
                    actor.wake = None
                    gone[actor] = None
                elif not self._goes_on(actor, result):
                    gone[actor] = None
        self.operations.note_shown(shown)
        if mixed or shift is not self._shift:
            self._wake_again([actor for actor in shift.actors if actor not in gone and actor.alive])
        else:
            shift.leave(gone)
            wakes.again = shift.actors

    def _wake_again(self, actors: list[Actor]) -> None:
        game = self.game
        self.wakes[game].again = [actor for actor in actors if actor.clock is game]
        for actor in actors:
            if actor.clock is not game:
                self.wakes[actor.clock].soon[actor] = None

    def _ticks(self, shift: Shift, mixed: bool) -> list[Result]:
        self._order = crc32(shift.order, self._order)
        commons = self._world.commons
        ways = shift.ways(commons.leads) if self._alone and not mixed and self.tick is self._usual_tick else None
        if ways is None:
            return self.tick(shift.actors)
        return commons.enter(send_all, shift.actors, *ways, self.game.args)  # type: ignore[no-any-return]

    def _run(self, actors: list[Actor]) -> None:
        """Tick actors one after the other, then carry out what they want, in the same order."""
        self._order = crc32(order_of(actors), self._order)
        self._settle(actors, self.tick(actors))

    def _settle(self, actors: list[Actor], results: list[Result]) -> None:
        for actor, result in zip(actors, results, strict=True):
            if result is False:
                actor.wake = None
            elif result is not None:
                self.absorb(actor, result)

    def _rounds(self) -> None:
        boxes, chains = self._world.delivery.boxes, self._world.delivery.chains
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
        brief = self._world.delivery.kinds.brief(tail) if len(actors) >= _MANY else None
        results = enter(hear_all, audience.hear, audience.ways, audience.callbacks, args, tail, brief)
        self._order = crc32(audience.order, self._order)
        same = results.count(None)
        if same == len(results):  # these states, which are cold, need not be touched
            return
        if same + results.count(False) < len(results):  # no wake time is 0
            results = enter(whole, actors, results)
        self._settle(actors, results)

    def _report_chain(self) -> None:
        chain = self._world.delivery.chains.endless()
        self._world.failures.problem(
            f"events still travel after {ROUNDS} rounds: {chain}; the rest goes on in the next frame. "
            "Break the chain, or answer with a wait() in between"
        )

    def _late(self) -> None:
        self.game.phase(LATE)
        self.real.phase(LATE)
        self._run(sorted(self.late, key=_key))
        self.game.phase(MAIL_ONLY)
        self.real.phase(MAIL_ONLY)
