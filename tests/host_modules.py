"""Host modules for tests: of each kind, failing ones, and coroutines that the test ends by hand."""

import asyncio

from engine import HostModule


class Doors:
    """A host module whose coroutines the test ends by hand."""

    def __init__(self) -> None:
        self.module = HostModule("doors")
        self.opened: list[str] = []
        self.given_up: list[str] = []
        self.answered: list[str] = []  # the world has their outcome, and takes it in with its next frame
        self._events: dict[str, asyncio.Event] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self.module.coroutine(self.wait_for)

    async def wait_for(self, name: str) -> str:
        """Return `name` once the test opens it."""
        self._loop = asyncio.get_running_loop()
        event = self._events[name] = asyncio.Event()
        task = asyncio.current_task()
        assert task is not None
        task.add_done_callback(lambda _: self.answered.append(name))  # runs after that of the world
        self.opened.append(name)
        try:
            await event.wait()
        except asyncio.CancelledError:
            self.given_up.append(name)
            raise
        return name

    def open(self, *names: str) -> None:
        assert self._loop is not None
        for name in names:
            self._loop.call_soon_threadsafe(self._events[name].set)


def sums() -> HostModule:
    """Functions of each kind."""
    module = HostModule("sums")

    @module.function
    def add(a: int, b: int = 1) -> int:
        return a + b

    @module.coroutine
    async def add_later(a: int, b: int = 1) -> int:
        await asyncio.sleep(0)
        return a + b

    @module.blocking
    def add_slowly(a: int, b: int = 1) -> int:
        return a + b

    return module


def broken() -> HostModule:
    """Functions of each kind that fail."""
    module = HostModule("broken")

    @module.function
    def now() -> None:
        raise ValueError("no such day")

    @module.coroutine
    async def later() -> None:
        raise ValueError("no such day")

    @module.blocking
    def slowly() -> None:
        raise ValueError("no such day")

    return module


CALLER = """
    local {module} = require "{module}"
    local caller = {{}}
    function caller:start()
      {body}
    end
    return caller
"""


def caller(module: str, body: str) -> str:
    """A script that requires `module` and runs `body` when it starts."""
    return CALLER.format(module=module, body=body)
