"""Text in pixels that belong to the picture: the engine's own typeface, without smoothing."""

import unicodedata

import pygame

from engine.app import palette
from engine.app.arguments import RGBA
from engine.app.cache import Cache
from engine.app.glyphs import ART, HEIGHT

LINE = HEIGHT + 2
GAP = 1
SPACE = 3
WIDEST = 5

# A script may hand over 64 KiB of text; more than this fits on no screen.
LONGEST = 1_000

_SAME = str.maketrans({"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-", "\u00a0": " ", "\t": "  "})


class Font:
    """Draws text; what was drawn last is kept."""

    def __init__(self) -> None:
        self._glyphs = _read(ART)
        self._lines: Cache[tuple[str, RGBA, bool], pygame.Surface] = Cache(256)
        self._strangers: Cache[str, list[str]] = Cache(256)

    def render(self, text: str, color: RGBA, *, shadow: bool = True) -> pygame.Surface:
        """`text`, which may have several lines; the shadow keeps it readable on any ground."""
        text = text[:LONGEST].translate(_SAME)
        return self._lines.get((text, color, shadow), lambda: self._draw(text, color, shadow))

    def width(self, text: str) -> int:
        """Pixels that one line of `text` takes."""
        return max(0, sum(self._advance(character) for character in text.translate(_SAME)) - GAP)

    def wrap(self, text: str, width: int) -> list[str]:
        """The lines of `text` when none may be wider than `width`; a word that is wider is cut."""
        lines: list[str] = []
        for paragraph in text[:LONGEST].split("\n"):
            line = ""
            for word in paragraph.split():
                joined = f"{line} {word}" if line else word
                if self.width(joined) <= width:
                    line = joined
                    continue
                lines += [line] if line else []
                *full, line = self._cut(word, width)
                lines += full
            lines.append(line)
        return lines

    def shorten(self, text: str, width: int) -> str:
        """One line of `text` no wider than `width`, with an ellipsis where something is left out."""
        text = text[:LONGEST]
        if self.width(text) <= width:
            return text
        while text and self.width(text + "…") > width:
            text = text[:-1]
        return text + "…"

    def _cut(self, word: str, width: int) -> list[str]:
        pieces = [""]
        for character in word:
            if pieces[-1] and self.width(pieces[-1] + character) > width:
                pieces.append("")
            pieces[-1] += character
        return pieces

    def _draw(self, text: str, color: RGBA, shadow: bool) -> pygame.Surface:
        lines = text.split("\n")
        size = (max(map(self.width, lines)) + 1, LINE * (len(lines) - 1) + HEIGHT + 1)
        surface = pygame.Surface(size, pygame.SRCALPHA)
        for ink, shift in [(palette.SHADE, 1), (color, 0)] if shadow else [(color, 0)]:
            for row, line in enumerate(lines):
                self._put(surface, line, ink, shift, shift + row * LINE)
        return surface

    def _put(self, surface: pygame.Surface, line: str, ink: RGBA, left: int, top: int) -> None:
        for character in line:
            for y, row in enumerate(self._rows(character)):
                for x, dot in enumerate(row):
                    if dot == "#":
                        surface.set_at((left + x, top + y), ink)
            left += self._advance(character)

    def _advance(self, character: str) -> int:
        return SPACE + GAP if character == " " else len(self._rows(character)[0]) + GAP

    def _rows(self, character: str) -> list[str]:
        if character in self._glyphs:
            return self._glyphs[character]
        return self._strangers.get(character, lambda: self._stranger(character))

    def _stranger(self, character: str) -> list[str]:
        """A glyph for what the typeface lacks: it without its accent, else pygame's, else a box."""
        base = unicodedata.normalize("NFKD", character)[0]
        if base in self._glyphs:
            return self._glyphs[base]
        if not character.isprintable():
            return [""] * HEIGHT
        return _from_pygame(character) or ["####", *["#..#"] * 5, "####", "....", "...."]


def _from_pygame(character: str) -> list[str] | None:
    try:
        pygame.font.init()
        font = pygame.font.Font(None, 13)
        picture = font.render(character, False, "white")
    except (pygame.error, NotImplementedError, ValueError, UnicodeError):
        return None
    drawn, box = pygame.mask.from_surface(picture), picture.get_bounding_rect()
    if not box.width:
        return None
    rise = font.get_ascent() - (HEIGHT - 2)
    rows = range(rise, rise + HEIGHT)
    inside = drawn.get_rect().collidepoint
    return [
        "".join("#" if inside(x, y) and drawn.get_at((x, y)) else "." for x in range(box.left, box.right)) for y in rows
    ]


def _read(art: str) -> dict[str, list[str]]:
    glyphs: dict[str, list[str]] = {" ": [""] * HEIGHT}
    for block in art.strip("\n").split("\n\n"):
        names, *rows = block.split("\n")
        for column, name in enumerate(names.split()):
            left = column * (WIDEST + 1)
            cell = [row[left : left + WIDEST] for row in rows]
            width = WIDEST if name.isdigit() else max(len(row.rstrip(".")) for row in cell)
            glyphs[name] = [row[:width] for row in cell]
    return glyphs
