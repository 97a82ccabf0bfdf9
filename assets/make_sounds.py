"""Play the demo's sounds into WAV files: short, soft, each a few sines or a little filtered noise.

Samples are floats between -1 and 1 until they are written, 16 bits mono.
"""

from __future__ import annotations

import array
import math
import random
import sys
import wave
from collections.abc import Callable
from pathlib import Path

RATE = 22_050
Samples = list[float]


def write_all(folder: Path) -> None:
    for name, play in SOUNDS.items():
        write(folder / f"{name}.wav", play())


def write(path: Path, samples: Samples) -> None:
    whole = array.array("h", (round(32_767 * max(-1.0, min(1.0, sample))) for sample in samples))
    if sys.byteorder == "big":
        whole.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(whole.tobytes())


def tone(
    seconds: float,
    pitch: float,
    *,
    to: float | None = None,
    loud: float = 0.3,
    attack: float = 0.01,
    octave: float = 0.2,
) -> Samples:
    """A sine that glides from `pitch` to `to` hertz and dies away, with some of its octave."""
    samples, phase, count = [], 0.0, round(seconds * RATE)
    for i in range(count):
        done = i / count
        phase += 2 * math.pi * (pitch + ((to or pitch) - pitch) * done) / RATE
        envelope = min(1.0, i / (attack * RATE)) * (1 - done) ** 2
        samples.append(loud * envelope * (math.sin(phase) + octave * math.sin(2 * phase)) / (1 + octave))
    return samples


def noise(seconds: float, *, dark: float, loud: float = 0.3, seed: int = 1) -> Samples:
    """A puff of noise through two low-pass filters; the nearer `dark` is to 1, the duller."""
    dice, first, second, count = random.Random(seed), 0.0, 0.0, round(seconds * RATE)
    samples = []
    for i in range(count):
        first += (dice.uniform(-1, 1) - first) * (1 - dark)
        second += (first - second) * (1 - dark)
        samples.append(second * min(1.0, i / 60) * (1 - i / count) ** 2)
    peak = max(map(abs, samples))
    return [loud * sample / peak for sample in samples]


def mixed(*parts: tuple[float, Samples]) -> Samples:
    """All parts together, each begun at its second."""
    end = max(round(at * RATE) + len(samples) for at, samples in parts)
    whole = [0.0] * end
    for at, samples in parts:
        first = round(at * RATE)
        for i, sample in enumerate(samples):
            whole[first + i] += sample
    return whole


def arpeggio(pitches: tuple[float, ...], apart: float, seconds: float, **manner: float) -> Samples:
    """One tone after the other, each ringing on for `seconds`."""
    return mixed(*((apart * i, tone(seconds, pitch, **manner)) for i, pitch in enumerate(pitches)))


def step() -> Samples:
    return mixed((0, noise(0.07, dark=0.8, loud=0.16)), (0, tone(0.06, 110, to=70, loud=0.12)))


def door() -> Samples:
    """Three creaks of the hinges, then the thud of wood."""
    creaks = [(0.09 * i, tone(0.11, 150 + 22 * i, to=185 + 22 * i, loud=0.07, octave=0.9)) for i in range(3)]
    thud = noise(0.22, dark=0.9, loud=0.3, seed=2), tone(0.2, 90, to=55, loud=0.25)
    return mixed(*creaks, *((0.3, part) for part in thud))


def chime() -> Samples:
    return arpeggio((659, 880, 1319), 0.07, 0.55, loud=0.15, attack=0.004)


def slime() -> Samples:
    squelch = noise(0.1, dark=0.85, loud=0.08, seed=3)
    return mixed((0, tone(0.16, 190, to=95, loud=0.16, octave=0.4)), (0.02, squelch))


def bump() -> Samples:
    return mixed((0, tone(0.25, 160, to=60, loud=0.3)), (0, noise(0.12, dark=0.8, loud=0.15, seed=4)))


def wisp() -> Samples:
    """A breath that rises and is gone."""
    above = tone(0.8, 784, to=1480, loud=0.08, attack=0.2)
    return mixed((0, tone(0.9, 520, to=990, loud=0.14, attack=0.25)), (0.12, above))


def owl() -> Samples:
    hoots = ((0.0, 0.28), (0.42, 0.16), (0.62, 0.55))
    return mixed(*((at, tone(length, 392, to=349, loud=0.13, attack=0.06, octave=0.1)) for at, length in hoots))


def talk() -> Samples:
    return arpeggio((220, 196, 247), 0.07, 0.09, loud=0.18, octave=0.5)


def beacon() -> Samples:
    """The chord of the end, swelling over the rush of the fire."""
    chord = arpeggio((220, 330, 440, 554, 659), 0.12, 2.6, loud=0.12, attack=0.3)
    return mixed((0, chord), (0, noise(1.4, dark=0.93, loud=0.22, seed=5)))


def night() -> Samples:
    """Eight seconds of wind, sea and crickets; the end runs into the beginning, so it can go round."""
    seconds, overlap = 8, RATE
    dice, low, slow = random.Random(6), 0.0, 0.0
    wind = []
    for i in range(seconds * RATE + overlap):
        low += (dice.uniform(-1, 1) - low) * 0.04
        slow += (low - slow) * 0.10
        swell = 0.55 + 0.45 * math.sin(2 * math.pi * i / (4 * RATE))
        wind.append(0.7 * slow * swell)
    for i in range(overlap):
        wind[i] = wind[i] * i / overlap + wind[seconds * RATE + i] * (1 - i / overlap)
    trills = (0.9, 1.5, 3.8, 5.2, 5.8, 6.4)
    chirps = [(at + 0.055 * n, tone(0.045, 3_100, loud=0.012)) for at in trills for n in range(3)]
    return mixed((0, wind[: seconds * RATE]), *chirps)


SOUNDS: dict[str, Callable[[], Samples]] = {
    "step": step,
    "door": door,
    "chime": chime,
    "slime": slime,
    "bump": bump,
    "wisp": wisp,
    "owl": owl,
    "talk": talk,
    "beacon": beacon,
    "night": night,
}
