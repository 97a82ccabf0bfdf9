"""Starts the interpreter of a child process, and says how one ended."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from engine.errors import EngineError

_FOLDER = Path(__file__).resolve().parent.parent
_KEPT = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "SystemRoot")
_OPTIONS = ("-I", "-S", "-B", "-X", "faulthandler")
_SAID = 8_000  # bytes of what a child that crashed wrote last

# A package `engine` without its `__init__`: the child needs the border and nothing above it.
_BOOT = """
import os, sys, types
number, folder, path = sys.argv[1:]
sys.path[:] = path.split(os.pathsep)
package = types.ModuleType("engine")
package.__path__ = [folder]
sys.modules["engine"] = package
from engine.process.child import main
main(int(number))
"""


def check_interpreter() -> None:
    """`EngineError` where no child can be started."""
    if getattr(sys, "frozen", False) or not sys.executable:
        raise EngineError('isolation "process" needs a Python interpreter to start, and a frozen game has none')


def launch() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A child process, and the socket to it. It ends when its standard input does: with this process, at the latest."""
    ours, theirs = socket.socketpair()
    with theirs:
        number = theirs.fileno() if os.name == "posix" else -1
        path = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
        process = subprocess.Popen(
            [sys.executable, *_OPTIONS, "-c", _BOOT, str(number), str(_FOLDER), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(number,) if number >= 0 else (),
            env={name: os.environ[name] for name in _KEPT if name in os.environ},
            cwd=os.path.abspath(os.sep),
            start_new_session=True,  # Ctrl-C in the game's terminal is the game's
        )
        if number < 0:
            _share(process, theirs)
    return process, ours


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a child, if it lives, and leave no zombie."""
    with suppress(OSError):
        process.kill()
    process.wait()
    for stream in (process.stdin, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()


def last_words(process: subprocess.Popen[bytes]) -> str:
    """What a dead child wrote to its standard error, the end of it: Python's own report of a crash."""
    if process.stderr is None:
        return ""
    try:
        os.set_blocking(process.stderr.fileno(), False)  # who else may hold it open must not hold us up
        said = process.stderr.read() or b""
    except OSError:
        return ""
    return said[-_SAID:].decode(errors="replace").strip()


def manner(code: int) -> str:
    """How a process ended, by its exit code."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" if name in ("SIGKILL", "SIGTERM") else f"crashed ({name})"


def _share(process: subprocess.Popen[bytes], theirs: socket.socket) -> None:
    """Hand over a socket where files cannot be inherited one by one (Windows)."""
    assert process.stdin is not None
    shared: bytes = theirs.share(process.pid)  # type: ignore[attr-defined,unused-ignore]
    process.stdin.write(len(shared).to_bytes(4, "little") + shared)
    process.stdin.flush()
