"""What `App` is given, looked at where it is: later, nobody could say which keyword it was."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from math import inf

from engine.app.arguments import FAR, BadCall
from engine.checks import check_folder
from engine.errors import EngineError


def check_keywords(title: object, size: object, scale: object, fps: object, assets: object, actions: object) -> None:
    """`BadCall` with the keyword that is none of its kind."""
    if not isinstance(title, str):
        raise BadCall(f"title must be text, got {title!r}")
    if not _is_size(size):
        raise BadCall(f"size must be two whole numbers from 1 to {FAR}, as in size=(320, 180), got {size!r}")
    if not _is_between(scale, 0, 100):
        raise BadCall(f"scale must be a number greater than 0, 100 at most, got {scale!r}")
    if not _is_between(fps, 0, inf):
        raise BadCall(f"fps must be frames a second, a finite number greater than 0, got {fps!r}")
    if not isinstance(assets, str | os.PathLike | None):
        raise BadCall(f"assets must be the path of a folder, got {assets!r}")
    if actions is not None and not _is_keys_by_action(actions):
        raise BadCall(
            f'actions must be keys by action, as in {{"jump": "space", "fire": ["x", "pad b"]}}, got {actions!r}'
        )


def check_picture(path: object) -> None:
    """`EngineError` for what is no place for a picture; pygame would write another format under the name."""
    check_folder("screenshot", path)
    if not str(path).lower().endswith(".png"):
        raise EngineError(f"screenshot: {path} must end in .png")


def _is_size(size: object) -> bool:
    if not isinstance(size, tuple | list) or len(size) != 2:
        return False
    return all(isinstance(side, int) and 1 <= side <= FAR for side in size)


def _is_between(number: object, low: float, high: float) -> bool:
    return isinstance(number, int | float) and low < number <= high and number != inf


def _is_keys_by_action(actions: object) -> bool:
    if not isinstance(actions, Mapping):
        return False
    for action, keys in actions.items():
        if not isinstance(action, str) or not action or not isinstance(keys, Iterable):
            return False
        if isinstance(keys, Collection) and not all(isinstance(key, str) for key in keys):
            return False
    return True
