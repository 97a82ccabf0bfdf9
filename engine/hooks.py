"""The hooks of a script, and what their names look like when they are misspelt."""

from __future__ import annotations

import re
from functools import lru_cache

HOOKS = (
    "init",
    "start",
    "update",
    "fixed_update",
    "late_update",
    "on_event",
    "on_input",
    "on_reload",
    "final",
)

_ELSEWHERE = {  # what other engines call them
    "on_message": "on_event",
    "on_start": "start",
    "on_init": "init",
    "on_update": "update",
    "on_final": "final",
    "on_destroy": "final",
    "_ready": "start",
    "_process": "update",
    "_physics_process": "fixed_update",
    "_input": "on_input",
}
_DEFINING = re.compile(r"\bfunction\s+\w+$")  # what stands before a name that is only defined there
_PLAIN = {hook.replace("_", ""): hook for hook in HOOKS}


@lru_cache(1024)  # asked of every function of every entity that begins
def meant_hook(name: str) -> str | None:
    """The hook that `name` most likely stands for; None for one, and for a name of its own.

    One slip of the finger is a misspelling, in a short name only where no letter is another one: `on_imput`, `udpate`,
    `onInput`, but neither `on_hit` nor `restart` nor `unit`.
    """
    if name in HOOKS:
        return None
    known = _ELSEWHERE.get(name) or _PLAIN.get(name.replace("_", "").lower())
    return known or next((hook for hook in HOOKS if _one_slip(name, hook)), None)


def is_called(name: str, text: str) -> bool:
    """Whether `text` itself calls what has this name: then no hook was meant."""
    places = re.finditer(rf"[.:]{re.escape(name)}\b(?!\s*=[^=])", text)
    return any(_DEFINING.search(text, max(0, place.start() - 100), place.start()) is None for place in places)


def _one_slip(name: str, hook: str) -> bool:
    """One letter is missing, too many, or another one, or the letters come in another order."""
    if sorted(name) == sorted(hook):
        return True
    same = 0
    while same < min(len(name), len(hook)) and name[same] == hook[same]:
        same += 1
    left, right = name[same:], hook[same:]
    missing, extra = left == right[1:], left[1:] == right
    another = len(hook) > 5 and left[1:] == right[1:]
    return missing or extra or another
