"""Decides in which asyncio loop the coroutines of a module run."""

from __future__ import annotations

import weakref
from asyncio import AbstractEventLoop

from engine.errors import EngineError
from engine.host.runtime import Background, Ended, LoopRuntime, running_loop
from engine.host.work import Encode


class Runtimes:
    """The loop given for the module, else the one that ticks the world, else one of our own."""

    def __init__(self, encode: Encode, ended: Ended) -> None:
        self._encode = encode
        self._ended = ended
        self._given: dict[str, AbstractEventLoop] = {}
        self._loops: dict[AbstractEventLoop, LoopRuntime] = {}
        self._background: Background | None = None

    def give(self, module: str, loop: AbstractEventLoop) -> None:
        """Run the coroutines of `module` in `loop`."""
        self._given[module] = loop

    def forget(self, module: str) -> None:
        self._given.pop(module, None)

    def runtime(self, module: str) -> LoopRuntime:
        """Where a coroutine of `module` is to run now; started if need be."""
        loop = self._given.get(module)
        if loop is not None and not loop.is_running():
            raise EngineError(f'the asyncio loop that "{module}" was installed with is not running')
        loop = loop or running_loop()
        if loop is not None:
            if loop not in self._loops:
                self._loops[loop] = LoopRuntime(loop, self._encode, self._ended)
            return self._loops[loop]
        if self._background is None:
            self._background = Background(self._encode, self._ended)
            weakref.finalize(self, self._background.stop)  # for a world that is dropped and not closed
        return self._background

    def take_closed(self) -> list[LoopRuntime]:
        """Those whose loop was closed since the last call: what ran there never ends."""
        closed = [loop for loop in self._loops if loop.is_closed()]
        return [self._loops.pop(loop) for loop in closed]

    def close(self) -> None:
        """End the thread, if there is one; loops of others go on."""
        if self._background is not None:
            self._background.close()
