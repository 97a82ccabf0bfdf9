"""Turns keys, mouse buttons and gamepads into actions.

Keys are named as in pygame's constants ("left", "a", "space", "f2"), mouse buttons "mouse left", "mouse middle",
"mouse right", notches of the wheel "mouse wheel up", "mouse wheel down" (a press and a release each), and what a
gamepad has "pad left", "pad right", "pad up", "pad down" (stick and cross) and "pad a", "pad b", "pad x", "pad y",
"pad lb", "pad rb", "pad back", "pad start".
"""

import difflib
from collections.abc import Iterable, Mapping

import pygame

from engine.app.ports import Input

DEFAULT_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "left": ("left", "a", "pad left"),
    "right": ("right", "d", "pad right"),
    "up": ("up", "w", "pad up"),
    "down": ("down", "s", "pad down"),
    "use": ("space", "e", "return", "pad a"),
    "back": ("escape", "pad b"),
    "click": ("mouse left",),
}

# Sticks rest a little off their centre.
DEAD_ZONE = 0.5

_KEYS = {name[2:].lower(): code for name, code in vars(pygame).items() if name.startswith("K_")}
_MOUSE = {1: "mouse left", 2: "mouse middle", 3: "mouse right", 4: "mouse wheel up", 5: "mouse wheel down"}
_PAD = ("pad a", "pad b", "pad x", "pad y", "pad lb", "pad rb", "pad back", "pad start")
_AXES = (("pad left", "pad right"), ("pad up", "pad down"))

# A control is a key's code or another one's name. Its source tells stick from cross and pad from pad, which
# may hold the same control at once.
Control = int | str
Source = tuple[str, int]


class Controls:
    """What the player holds down; `actions` replaces the keys of the actions that it names: one, or several."""

    def __init__(self, actions: Mapping[str, Iterable[str]] | None = None) -> None:
        self._actions: dict[Control, list[str]] = {}
        for action, keys in {**DEFAULT_ACTIONS, **(actions or {})}.items():
            for key in (keys,) if isinstance(keys, str) else keys:
                self._actions.setdefault(_control(key, action), []).append(action)
        self._held: dict[str, set[tuple[Control, Source]]] = {}
        # A gamepad sends nothing once its object is gone.
        self._pads: dict[int, object] = {}

    def open(self) -> None:
        """Start to hear gamepads, if this pygame can."""
        try:
            pygame.joystick.init()
        except (pygame.error, NotImplementedError):
            return

    def handle(self, event: pygame.event.Event, input: Input) -> None:
        """Pass on what `event` means for actions, if anything."""
        match event.type:
            case pygame.KEYDOWN | pygame.KEYUP:
                self._set(event.key, ("key", 0), event.type == pygame.KEYDOWN, input)
            case pygame.MOUSEBUTTONDOWN | pygame.MOUSEBUTTONUP if event.button in _MOUSE:
                self._set(_MOUSE[event.button], ("mouse", 0), event.type == pygame.MOUSEBUTTONDOWN, input)
            case pygame.JOYBUTTONDOWN | pygame.JOYBUTTONUP if event.button < len(_PAD):
                down = event.type == pygame.JOYBUTTONDOWN
                self._set(_PAD[event.button], ("button", event.instance_id), down, input)
            case pygame.JOYAXISMOTION if event.axis < len(_AXES):
                self._lean(_AXES[event.axis], event.value, ("stick", event.instance_id), input)
            case pygame.JOYHATMOTION:
                across, up = event.value
                self._lean(_AXES[0], across, ("cross", event.instance_id), input)
                self._lean(_AXES[1], -up, ("cross", event.instance_id), input)
            case pygame.JOYDEVICEADDED:
                self._plug(event.device_index)
            case pygame.JOYDEVICEREMOVED:
                self._unplug(event.instance_id, input)

    def let_go(self, input: Input) -> None:
        """Release everything: a window that lost the focus does not hear keys go up."""
        for action, holders in self._held.items():
            if holders:
                holders.clear()
                input.release(action)

    def _lean(self, ends: tuple[str, str], value: float, source: Source, input: Input) -> None:
        low, high = ends
        self._set(low, source, value < -DEAD_ZONE, input)
        self._set(high, source, value > DEAD_ZONE, input)

    def _set(self, control: Control, source: Source, down: bool, input: Input) -> None:
        """An action is pressed with its first holder and released with its last."""
        for action in self._actions.get(control, ()):
            holders = self._held.setdefault(action, set())
            was_held = bool(holders)
            (holders.add if down else holders.discard)((control, source))
            if bool(holders) != was_held:
                (input.press if down else input.release)(action)

    def _plug(self, index: int) -> None:
        try:
            pad = pygame.joystick.Joystick(index)
        except pygame.error:  # it was pulled out again already
            return
        self._pads[pad.get_instance_id()] = pad

    def _unplug(self, pad: int, input: Input) -> None:
        self._pads.pop(pad, None)
        holders = {holder for held in self._held.values() for holder in held}
        for control, source in sorted(holders, key=str):
            if source[0] in ("button", "stick", "cross") and source[1] == pad:
                self._set(control, source, False, input)


def _control(key: str, action: str) -> Control:
    """The control named `key`; a name that is none is an error of the game's author, told at once."""
    others = [*_MOUSE.values(), *_PAD, *(end for axis in _AXES for end in axis)]
    if key in others:
        return key
    if key.lower() in _KEYS:
        return int(_KEYS[key.lower()])
    near = difflib.get_close_matches(key.lower(), [*_KEYS, *others], 1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    raise ValueError(f'actions: no key "{key}" for "{action}"{hint}')
