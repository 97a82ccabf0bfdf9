"""Numbers what events of a kind have in common, so that it does not travel with each: their name, shape and texts.

Events that a game emits often mostly say the same words, `{ kind = "damage", tags = { "fire" } }`, with other numbers.
A state that hears the number of a kind for the first time asks what it stands for, and makes a function of it.
"""

from __future__ import annotations

from typing import Any

from engine.lua.actor import Mail

_MOST = 4096  # kinds that are made up as the game runs must not fill the memory
_USUAL = 3  # events with the same texts, one after the other, make them a part of their kind
_CHANGES = 8  # of the texts, until they are no part of any kind
_LONGEST = 40  # bytes of a text that is the same again and again


class _Kind:
    """Events of one name and shape: their texts, by place, how often those came, and how often others did."""

    __slots__ = ("changes", "number", "others", "places", "texts", "times")

    def __init__(self) -> None:
        self.number: int | None = None
        self.texts: list[Any] = []
        self.places: list[int] = []
        self.others: list[int] = []
        self.times = self.changes = 0

    def learn(self, leaves: Mail) -> None:
        """Take the texts of these leaves for the usual ones, as long as that has not often been wrong."""
        self.changes += self.times > 0
        self.number, self.times = None, 0
        steady = self.changes <= _CHANGES
        self.places = [place for place, leaf in enumerate(leaves) if steady and _is_text(leaf)]
        self.others = [place for place in range(len(leaves)) if place not in self.places]
        self.texts = [leaves[place] for place in self.places]


class Kinds:
    """The kinds of the events of a world, by number."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[bytes, int | bytes], _Kind] = {}
        self._told: list[tuple[bytes, int | bytes, Mail]] = []

    def brief(self, tail: Mail) -> Mail | None:
        """Name, sender, shape and leaves as the number of a kind, the sender, and the leaves that are no part of it.

        None where nothing is known of such events yet, or never will be.
        """
        name, sender, shape, *leaves = tail
        kind = self._kinds.get((name, shape))
        if kind is None:
            if len(self._kinds) >= _MOST:
                return None
            kind = self._kinds[name, shape] = _Kind()
            kind.learn(tail[3:])
        elif [leaves[place] for place in kind.places] != kind.texts:
            kind.learn(tail[3:])
        if kind.number is None:
            kind.times += 1
            if kind.times < _USUAL or len(self._told) >= _MOST:
                return None
            kind.number = len(self._told)
            fixed = [part for pair in zip(kind.places, kind.texts, strict=True) for part in pair]
            self._told.append((name, shape, tuple(fixed)))
        return (kind.number, sender, *[leaves[place] for place in kind.others])

    def meaning(self, number: int) -> tuple[bytes, int | bytes, Mail]:
        """Name and shape of a kind, and its texts: their places among the leaves, from 0, each before its text."""
        return self._told[number]


def _is_text(leaf: object) -> bool:
    return type(leaf) is bytes and len(leaf) <= _LONGEST
