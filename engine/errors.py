"""The errors of Tidelock: one tree, each class telling when *you* meet it."""


class EngineError(Exception):
    """Base of everything that Tidelock raises on purpose."""


class ScriptError(EngineError):
    """A Lua script failed: at loading, in a hook, a handler or a task.

    `script` is the chunk ("scripts/door.lua"), `line` the line in it, both `None` where Lua gave none;
    `traceback` is Lua's own. Where a Python function failed, that exception is the `__cause__`.
    """

    def __init__(
        self, message: str, *, script: str | None = None, line: int | None = None, traceback: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.script = script
        self.line = line
        self.traceback = traceback

    def __str__(self) -> str:
        place = "" if self.script is None else f"{self.script}:{self.line}: " if self.line else f"{self.script}: "
        return place + self.message


class ScriptNotFound(ScriptError):
    """There is no script of that name in the folder; the message suggests the nearest."""


class PayloadError(EngineError):
    """A value is no plain data; the message gives the path of the culprit."""


class LimitError(EngineError):
    """Something would go over one of the world's `Limits`."""


class StateClosed(EngineError):
    """The state behind a handle or proxy has ended, usually because its entity was destroyed."""


class StateBusy(EngineError):
    """A handle was used while its own state runs: inside a host function it called, or by a finaliser in mid-call."""


class HandleReleased(EngineError):
    """A handle was used after `release()`, or a proxy after its `with` block."""


class EntityGone(EngineError):
    """A request went to an entity that does not exist, or that died before it answered."""


class RequestTimeout(EngineError):
    """Nobody answered a request in time."""


class NoHandler(EngineError):
    """The entity that was asked has no `bus.handle` for the request's name."""


class WorldClosed(EngineError):
    """The world was used after `close()`."""
