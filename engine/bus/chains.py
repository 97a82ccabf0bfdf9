"""Remembers, for as long as a frame, which events were on their way in which step of it, to name what led to what."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from engine.bus.events import text

_LONGEST = 8
"""Most links of a ring that a message names."""

_MOST = 1_000  # links of a step that are remembered

_LATE = 6
"""Steps without those of the last four rounds: what comes after so many answers is a ring, or as good as one."""

Sent = tuple[int, bytes]
"""Sender (0 for the game) and name."""

Link = tuple[int, bytes, int]
"""The same, and the only entity that it is for, or 0."""


class Chains:
    """The events of a frame: what came from outside, what the first ticks sent, and then each round's, a step each."""

    def __init__(self, hears: Callable[[int, bytes], bool]) -> None:
        self._hears = hears
        self._steps: list[dict[Link, None]] = [{}]
        self._frame = 0
        self._endless: tuple[int, frozenset[Link], str] = (0, frozenset(), "")

    def begin(self, frame: int) -> None:
        """A frame begins."""
        self._frame = frame
        self._steps = [{}]

    def step(self) -> None:
        """What is noted from here on is the answer to what was noted since the last step."""
        self._steps.append({})

    def note(self, sender: int, name: bytes, target: int = 0) -> None:
        """An event, a request or an answer is on its way."""
        step = self._steps[-1]
        if len(step) < _MOST:
            step[sender, name, target] = None

    def ring(self) -> str:
        """What travels in the newest steps, in a frame with many; the same, wherever in a ring the frame is."""
        links = self._late()
        if not links:
            return ""
        return _shown(_turned(links, links.index(min(links)))) + " → …"

    def led_to(self, sender: int, name: bytes) -> str:
        """The events that led to the newest of `sender` with that name, and that one; nothing where none did."""
        newest = next((link for link in reversed(self._steps[-1]) if link[:2] == (sender, name)), None)
        path = self._path(newest) if newest else []
        return _shown(path) if len(path) > 1 else ""

    def endless(self) -> str:
        """The chain that did not end in this frame, from its beginning, which may lie some frames before."""
        frame, known, shown = self._endless
        if frame != self._frame - 1 or not known.issuperset(self._steps[-1]):
            known, shown = frozenset(), self._from_beginning()
        self._endless = self._frame, known.union(*self._steps), shown
        return shown

    def _from_beginning(self) -> str:
        links, newest = self._late(), next(iter(self._steps[-1]), None)
        if not links:
            return "…"
        path = self._path(newest) if newest else []
        first = next((place for place, one in enumerate(path) if one in links), len(path))
        entry = links.index(path[first]) if first < len(path) else 0
        return _shown([*path[:first], *_turned(links, entry)]) + " → …"

    def _late(self) -> list[Sent]:
        """The first few of what was sent in the newer half of many steps."""
        late = {link[:2]: None for step in self._steps[_LATE:] for link in step}
        return list(islice(late, _LONGEST))

    def _path(self, newest: Link) -> list[Sent]:
        """What led to a link of the newest step, and it: of each step the first that the next sender can have heard."""
        path = [newest[:2]]
        for step in reversed(self._steps[:-1]):
            sender = path[-1][0]
            heard = (link for link in step if link[2] == sender or (not link[2] and self._hears(sender, link[1])))
            cause = next(heard, None)
            if cause is None:
                break
            path.append(cause[:2])
        return path[::-1]


def _turned(links: list[Sent], first: int) -> list[Sent]:
    return links[first:] + links[:first]


def _shown(links: list[Sent]) -> str:
    return " → ".join(f'{sender or "the game"} "{text(name)}"' for sender, name in links)
