"""Plays sounds by name: `sound.play(name [, volume])`, `.loop(name [, volume])`, `.stop([name])`.

A name loops once, however many entities ask for it; asking again sets its volume. Without a sound device
nothing is heard and nothing is said about it; a file that is missing is a notice either way.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pygame

from engine.app.arguments import length
from engine.app.arguments import name as name_of
from engine.app.assets import Assets
from engine.app.notices import Notices
from engine.app.shelf import Shelf

ENDINGS = (".wav", ".ogg")
CHANNELS = 32


class _Voice(NamedTuple):
    """What a channel plays."""

    name: str
    volume: float
    loops: bool


class Sounds:
    """The sounds of one window, each loaded when it is first heard."""

    def __init__(self, assets: Assets, notices: Notices) -> None:
        self._on = False
        self._muted = False
        self._sounds = Shelf("a sound", ENDINGS, assets, notices, read=self._read, stand_in=lambda: None, size=256)
        self._voices: dict[int, _Voice] = {}
        self.verbs: dict[str, Callable[..., None]] = {
            "play": self._play,
            "loop": self._loop,
            "stop": self._stop,
        }

    def open(self) -> None:
        """Take the sound device, if there is one."""
        try:
            pygame.mixer.init(44_100, -16, 2, 512)
            pygame.mixer.set_num_channels(CHANNELS)
        except (pygame.error, NotImplementedError):  # the latter: a pygame built without its mixer
            return
        self._on = True

    def mute(self, muted: bool) -> None:
        """Let everything go on unheard, or be heard again."""
        self._muted = muted
        for index, voice in self._playing():
            self._set_volume(index, voice)

    def reload(self, name: str) -> bool:
        """Use the file as it is now, also where it loops; one that cannot be read leaves the old sound."""
        if not self._sounds.reload(name):
            return False
        sound = self._sounds.get(name)
        for index, voice in self._playing():
            if voice.name == name and voice.loops and sound is not None:
                self._start(index, sound, voice)
        return True

    def _play(self, sender: int, name: object, volume: object = 1) -> None:
        self._begin(_Voice(name_of(name, "name"), length(volume, "volume"), False))

    def _loop(self, sender: int, name: object, volume: object = 1) -> None:
        wanted = _Voice(name_of(name, "name"), length(volume, "volume"), True)
        for index, voice in self._playing():
            if voice.loops and voice.name == wanted.name:
                self._set_volume(index, wanted)
                return
        self._begin(wanted)

    def _stop(self, sender: int, name: object = None) -> None:
        wanted = None if name is None else name_of(name, "name")
        for index, voice in self._playing():
            if wanted in (None, voice.name):
                pygame.mixer.Channel(index).stop()

    def _begin(self, voice: _Voice) -> None:
        sound = self._sounds.get(voice.name)
        if sound is None:
            return
        for index in range(CHANNELS):
            if not pygame.mixer.Channel(index).get_busy():
                self._start(index, sound, voice)
                return

    def _start(self, index: int, sound: pygame.mixer.Sound, voice: _Voice) -> None:
        pygame.mixer.Channel(index).play(sound, loops=-1 if voice.loops else 0)
        self._set_volume(index, voice)

    def _set_volume(self, index: int, voice: _Voice) -> None:
        # After `play` only: pygame sets a channel that starts to full volume.
        self._voices[index] = voice
        pygame.mixer.Channel(index).set_volume(0.0 if self._muted else min(1.0, voice.volume))

    def _playing(self) -> list[tuple[int, _Voice]]:
        return [(index, voice) for index, voice in self._voices.items() if pygame.mixer.Channel(index).get_busy()]

    def _read(self, file: Path) -> pygame.mixer.Sound | None:
        return pygame.mixer.Sound(str(file)) if self._on else None
