"""What tests share and pytest need not inject."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from os import replace  # also where a test has made that of `os` fail
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine import Entity, World

PATIENCE = 60.0
"""Seconds that a test waits for what must come: far above what is needed, reached only when it never comes."""


def until(
    condition: Callable[[], object], what: str | Callable[[], str] = "it", step: Callable[[], object] = lambda: None
) -> None:
    """Look again and again until `condition` holds, with a `step` in between; fail when `PATIENCE` is at its end."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() >= deadline:
            raise AssertionError(f"not within {PATIENCE:g} s: {what if isinstance(what, str) else what()}")
        step()
        time.sleep(0.001)


def threads() -> set[threading.Thread]:
    """The threads there are; one of an earlier test may be about to end."""
    return set(threading.enumerate())


def ticks(world: "World", n: int, dt: float = 1 / 60) -> None:
    """Tick `world` `n` times."""
    for _ in range(n):
        world.tick(dt)


def fields(entity: "Entity") -> dict[str, Any]:
    """A copy of what its `self` holds."""
    with entity.self.upgrade() as self_:
        found: dict[str, Any] = self_.to_dict()
    return found


def messages(world: "World") -> list[str]:
    """What the problems of a world say."""
    return [problem.message for problem in world.problems]


def payloads_of(world: "World", name: str = "said") -> list[Any]:
    """The payloads of every event called `name`, as they come."""
    payloads: list[Any] = []
    world.bus.on(name, lambda event: payloads.append(event.payload))
    return payloads


def printed(world: "World") -> list[str]:
    """What scripts printed so far."""
    return [line.text for line in world.log]


def run_child(code: str, *, timeout: float = 5 * PATIENCE, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python `code` in a process of its own, which must end with exit code 0.

    For whatever could kill or hang the interpreter. Warnings are shown, not raised: a warning must not hide a
    crash. `engine` must be installed, `tests/` is not importable there.
    """
    command = [sys.executable, "-W", "default", "-X", "faulthandler", "-c", dedent(code)]
    try:
        done = subprocess.run(
            command, cwd=cwd, timeout=timeout, capture_output=True, encoding="utf-8", errors="replace"
        )
    except subprocess.TimeoutExpired as expired:
        raise AssertionError(f"the child still ran after {timeout} s\n{_said(expired)}") from None
    assert done.returncode == 0, f"the child ended with exit code {done.returncode}\n{_said(done)}"
    return done


class ScriptFolder:
    """A `scripts` folder for one test."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def write(self, name: str, source: str) -> Path:
        """Write the script or library `name` ("door", "lib/vector"), dedented; returns its file.

        Who watches the folder never sees a half of it.
        """
        file = self.path / f"{name}.lua"
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_name(f".{file.name}.new")
        aside.write_text(dedent(source).lstrip("\n"), encoding="utf-8", newline="\n")
        replace(aside, file)
        return file


def _said(child: subprocess.CompletedProcess[str] | subprocess.TimeoutExpired) -> str:
    return f"--- stdout\n{_text(child.stdout)}\n--- stderr\n{_text(child.stderr)}"


def _text(output: str | bytes | None) -> str:
    """`TimeoutExpired` holds bytes even when text was asked for."""
    return output.decode("utf-8", "replace") if isinstance(output, bytes) else output or ""
