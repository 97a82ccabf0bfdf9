"""Ticks many states one after the other: each as it needs, or all in the same short way, with no turn of Python each.

This is the hot path of the engine: one `send` per awake state; a tick with mail is one call instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import repeat, starmap, takewhile
from operator import attrgetter, call, is_not
from typing import Any

from engine.lua.actor import IN_PARTS, Actor, Mail, Result
from engine.lua.clock import READY
from engine.lua.commons import Commons

Hear = Callable[[Any, tuple[Any, ...]], Any]
"""Takes one event into the state that is given first."""

HEARD = 20
"""Most values of an event that `hearing.listen` takes, its callback's number included."""

_CALLBACKS = 65536  # as `SUBSCRIPTIONS` in `hearing`


def tick(actors: Sequence[Actor]) -> list[Result]:
    """One tick of each actor, in order, with its clock's time and its mail."""
    return actors[0].commons.enter(_tick, actors) if actors else []


def _tick(actors: Sequence[Actor]) -> list[Result]:
    results = []
    # Who hears the same event gets the same mail, and is called with the same values.
    last_args: object = None
    last_mail: object = None
    heard: tuple[Any, ...] = ()
    for actor in actors:
        try:
            args = actor.clock.args
            inbox = actor.inbox
            if inbox:
                actor.lead_again()
                mail = inbox[0]
                if len(inbox) == 1 and mail is last_mail and args is last_args:
                    inbox.clear()
                    result = actor.hear(heard)
                elif len(inbox) == 1 and type(mail[0]) is int and len(mail) <= HEARD:
                    inbox.clear()
                    last_args, last_mail, heard = args, mail, args + mail
                    result = actor.hear(heard)
                else:
                    result = actor.deliver(args)
            else:
                result = _sent(actor, args)
            if type(result) is tuple and len(result) == IN_PARTS:
                result = actor.whole(result)
        except Exception as error:
            result = error
        results.append(result)
    return results


def _sent(actor: Actor, args: tuple[Any, ...]) -> Result:
    lost: Exception | None = None
    if args[3] < 0:  # not for a task that leads
        actor.lead_again()
    try:
        result = actor._send(args)
        if result is not None:
            return result
    except Exception as error:
        lost = error.with_traceback(None)  # which names this frame: both would live on, and the state
    actor.commons.leads += 1
    return actor.turn(args, lost)


def ready(actor: Actor) -> Result:
    """What a state tells when it makes ready what its next tick needs: no script runs."""
    return actor.commons.enter(_sent, actor, (*actor.clock.args[:3], READY))


def ways_of(bound: list[Any]) -> tuple[Hear, list[Any]]:
    """A function to call for each of these methods of actors, and what to give to it before the rest.

    Those of all are one method of lupa's, bound to threads; the bound methods would be one cold object more for each.
    """
    functions = {getattr(each, "__func__", None) for each in bound}
    function = functions.pop()
    if functions or function is None:
        return call, bound
    return function, [*map(_thread_of, bound)]


_thread_of = attrgetter("__self__")


def send_all(actors: Sequence[Actor], send: Hear, ways: list[Any], args: tuple[Any, ...]) -> list[Result]:
    """One tick of each state, in order, by these ways to them. They live by the same clock, and nobody has mail.

    Where another leads from here on, the way is another. Operations that are still to be fetched are left to
    `Actor.whole`.
    """
    calls = map(send, ways, repeat(args))
    results: list[Result] = []
    while True:
        error: Exception | None = None
        try:
            results += takewhile(_said, calls)
        except Exception as lost:
            error = lost.with_traceback(None)
        place = len(results)
        if place == len(ways):
            return results
        results.append(actors[place].turn(args, error))
        ways[place] = way_of(actors[place], send)


_said = partial(is_not, None)


def way_of(actor: Actor, send: Hear) -> Any:
    """What `send` takes to reach who leads there."""
    return actor._send if send is call else _thread_of(actor._send)


def hear_all(
    hear: Hear,
    ways: Sequence[Any],
    callbacks: Sequence[int],
    args: tuple[Any, ...],
    tail: Mail,
    brief: Mail | None = None,
) -> list[Result]:
    """One tick of each state, in order, with one event: name, sender, shape and leaves.

    In `brief` it is its kind, the sender, and the leaves that are no part of the kind. Nobody has other mail.
    Operations that are still to be fetched are left to `Actor.whole`.
    """
    # Scripts that are alike have the same callback ids, so one piece of mail serves many.
    mails: Iterator[tuple[Any, ...]]
    if callbacks.count(callbacks[0]) == len(callbacks):
        mails = repeat(_mail(args, callbacks[0], tail, brief))
    else:
        heard = {callback: _mail(args, callback, tail, brief) for callback in {*callbacks}}
        mails = map(heard.__getitem__, callbacks)
    return _collected(map(hear, ways, mails), len(ways))


def _collected(calls: Iterator[Result], count: int) -> list[Result]:
    """What so many calls give, or their errors. No loop in Python: there would be a turn for each state."""
    results: list[Result] = []
    while True:
        try:
            results += calls
            lost: Exception = StopIteration()  # of a pump that has ended
        except Exception as error:
            lost = error
        if len(results) == count:
            return results
        results.append(lost)


def _mail(args: tuple[Any, ...], callback: int, tail: Mail, brief: Mail | None) -> tuple[Any, ...]:
    if brief is None or callback >= _CALLBACKS:
        return (*args, callback, *tail)
    kind, *rest = brief
    now, dt, frame, _ = args  # mail only
    return (now, dt, frame, -3 - callback - _CALLBACKS * kind, *rest)  # each value that crosses costs a hundredth


def asked(commons: Commons, calls: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What each of these functions gives for its values, or its error: one way into Lua for all of them.

    They are of `Actor.way_to`, and none of a state that runs.
    """
    return commons.enter(_collected, starmap(call, calls), len(calls))  # type: ignore[no-any-return]


def whole(actors: Sequence[Actor], results: Sequence[Result]) -> list[Result]:
    """Results of these actors, with the operations of those that told only how many there are."""
    made = []
    for actor, result in zip(actors, results, strict=True):
        if type(result) is tuple and len(result) == IN_PARTS:
            try:
                result = actor.whole(result)
            except Exception as error:
                result = error
        made.append(result)
    return made
