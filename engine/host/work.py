"""Runs the function of one call, wherever it is to run, and brings back what it gave as plain data."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Callable
from threading import current_thread, main_thread
from typing import Any, NamedTuple

from engine.errors import PayloadError
from engine.host.calls import CALLER, Call
from engine.host.faults import Elsewhere, Failure, failure_of
from engine.host.module import HostFunction
from engine.payload import Encoded

Encode = Callable[[HostFunction, Any], Encoded]


class Outcome(NamedTuple):
    """What a call gave: a payload, or a failure."""

    value: Encoded | None
    failure: Failure | None = None


def failed(text: str) -> Outcome:
    return Outcome(None, Failure(text))


async def run_coroutine(call: Call, encode: Encode) -> Outcome:
    """Await the call's function; cancellation goes through."""
    function = call.function
    CALLER.set(call.permit)  # each call has a context of its own
    try:
        async with asyncio.timeout(function.timeout) as limit:
            value = await function.function(*call.args, **call.options)
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        return Outcome(None, failure_of(function.word, error))  # it waited for another one that was cancelled
    except BaseException as error:  # an exit would end the loop's thread, and of others the script would never hear
        if isinstance(error, KeyboardInterrupt) and current_thread() is main_thread():
            raise  # Ctrl-C, in a loop of the game
        if isinstance(error, TimeoutError) and limit.expired():
            return too_late(function)
        return Outcome(None, failure_of(function.word, error))
    return give(function, value, encode)


def run_blocking(call: Call, encode: Encode) -> Outcome:
    """Call the call's function, on a thread of the pool."""
    function = call.function
    call.began = time.monotonic()
    try:
        value = function.function(*call.args, **call.options)
    except BaseException as error:
        return Outcome(None, failure_of(function.word, error))
    return give(function, value, encode)


def run_there(function: Callable[..., Any], word: str, args: list[Any], options: dict[str, Any]) -> Any:
    """Call `function` in another process: True and its value, or False, text, exception and traceback."""
    try:
        return True, function(*args, **options)
    except BaseException as error:
        text = failure_of(word, error).text
        return False, text, _portable(error), traceback.format_exc().rstrip()


def back_again(function: HostFunction, answer: Any, encode: Encode) -> Outcome:
    """What `run_there` gave, in this process."""
    if answer[0]:
        return give(function, answer[1], encode)
    _, text, error, trace = answer
    error = error or RuntimeError(text)
    error.__cause__ = Elsewhere(trace)
    return Outcome(None, Failure(text, error))


def give(function: HostFunction, value: Any, encode: Encode) -> Outcome:
    try:
        return Outcome(encode(function, value))
    except PayloadError as error:
        return failed(f"{function.word}: {error}")


def too_late(function: HostFunction) -> Outcome:
    return failed(f"{function.word}: TimeoutError: no answer within {function.timeout:g} s")


def _portable(error: BaseException) -> BaseException | None:
    """The exception, if it survives the way between two processes."""
    import pickle

    try:
        return pickle.loads(pickle.dumps(error)) and error.with_traceback(None)
    except Exception:
        return None
