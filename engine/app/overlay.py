"""Stands over the game in the window's own pixels: problems, notices, reloads, figures."""

from collections.abc import Sequence
from pathlib import Path

import pygame

from engine.app import palette
from engine.app.arguments import RGBA
from engine.app.cache import Cache
from engine.app.panel import BAR, BREAK, PADDING, Line, Span, panel
from engine.app.ports import Problem, Reload
from engine.app.text import Font

MARGIN = 4
MOST = 4
MESSAGE_LINES = 3
TOAST_SECONDS = 2.0
TOASTS = 3

# Figures that change in every frame cannot be read.
FIGURES_EVERY = 0.25


class Overlay:
    """What the maker of a game wants to know while it runs; `shown` is about the corner with the figures."""

    def __init__(self, font: Font, scripts: Path) -> None:
        self.shown = True
        self._font = font
        self._scripts = scripts
        self._panels: Cache[tuple[object, ...], pygame.Surface] = Cache(16)
        self._wrapped: Cache[tuple[object, ...], tuple[Line, ...]] = Cache(4)
        self._sources: Cache[tuple[str, int, str], str] = Cache(64)
        self._clock = 0.0
        self._toasts: list[tuple[float, str]] = []
        self._figures = ""
        self._frames = 0
        self._worked = self._since = 0.0

    def advance(self, dt: float, worked: float, entities: int) -> None:
        """Count a frame that came `dt` seconds after the last one and took `worked` seconds to make."""
        self._clock += dt
        self._frames += 1
        self._worked += worked
        passed = self._clock - self._since
        if not self._figures or passed >= FIGURES_EVERY:
            rate = f"{self._frames / passed:.0f} fps" if passed > 0 else "paused"
            noun = "entity" if entities == 1 else "entities"
            self._figures = f"{self._worked / self._frames * 1000:.1f} ms · {rate} · {entities} {noun}"
            self._frames, self._worked, self._since = 0, 0.0, self._clock

    def reloaded(self, reload: Reload) -> None:
        """Tell of a reload for a while."""
        name = reload.script if reload.script.endswith(".lua") else f"{reload.script}.lua"
        self.tell(f"{name} reloaded (v{reload.version}) {reload.seconds * 1000:.0f} ms")
        self._sources.drop(lambda _: True)
        self._wrapped.drop(lambda _: True)

    def tell(self, text: str) -> None:
        """Show `text` for two seconds."""
        self._toasts = [*self._toasts, (self._clock + TOAST_SECONDS, text)][-TOASTS:]

    def draw(self, window: pygame.Surface, problems: Sequence[Problem], notices: Sequence[str]) -> None:
        """Draw everything over the game."""
        scale = max(2, window.get_width() // 480) if window.get_width() >= 320 else 1
        edge = MARGIN * scale
        top = edge
        self._toasts = [toast for toast in self._toasts if toast[0] > self._clock]
        if self._toasts:
            told = tuple((Span(text, palette.INK),) for _, text in self._toasts)
            top = max(top, self._put(window, told, palette.GOOD, scale, edge) + edge)
        if self.shown:
            figures = ((Span(self._figures, palette.DIM),),)
            top = max(top, self._put(window, figures, palette.EDGE, scale, edge, on_right=True) + edge)
        if problems or notices:
            width = window.get_width() // scale - 2 * MARGIN
            inner = width - 2 * PADDING - BAR
            seen = tuple((one.script, one.line, one.message, one.count) for one in problems[:MOST])
            key = seen, len(problems), tuple(notices), inner
            lines = self._wrapped.get(key, lambda: self._troubles(problems, notices, inner))
            accent = palette.WRONG if problems else palette.WARN
            self._put(window, lines, accent, scale, top, width=width)

    def _put(
        self,
        window: pygame.Surface,
        lines: tuple[Line, ...],
        accent: RGBA,
        scale: int,
        top: int,
        *,
        width: int | None = None,
        on_right: bool = False,
    ) -> int:
        """Draw a panel; returns where it ends."""
        key = lines, accent, scale, width
        drawn = self._panels.get(key, lambda: panel(self._font, lines, accent, scale, width))
        left = window.get_width() - drawn.get_width() - MARGIN * scale if on_right else MARGIN * scale
        window.blit(drawn, (left, top))
        return top + drawn.get_height()

    def _troubles(self, problems: Sequence[Problem], notices: Sequence[str], width: int) -> tuple[Line, ...]:
        lines: list[Line] = []
        for problem in problems[:MOST]:
            lines += [*self._problem(problem, width), BREAK]
        for notice in notices[: max(1, MOST - len(problems))]:
            lines += [(Span(text, palette.WARN),) for text in self._font.wrap(notice, width)[:MESSAGE_LINES]]
            lines.append(BREAK)
        hidden = max(0, len(problems) - MOST) + max(0, len(notices) - max(1, MOST - len(problems)))
        if hidden:
            lines += [(Span(f"and {hidden} more", palette.DIM),), BREAK]
        return tuple(lines[:-1])

    def _problem(self, problem: Problem, width: int) -> list[Line]:
        place = problem.script or "the game"
        place += f":{problem.line}" if problem.line else ""
        times = (Span(f"  ×{problem.count}", palette.DIM),) if problem.count > 1 else ()
        message = problem.message.removeprefix(f"{place}: ")
        lines: list[Line] = [(Span(self._font.shorten(place, width - 60), palette.WRONG), *times)]
        for text in self._font.wrap(message, width)[:MESSAGE_LINES]:
            lines.append((Span(text, palette.INK),))
        source = self._source(problem)
        if source:
            number = Span(f"{problem.line}  ", palette.DIM)
            code = self._font.shorten(source, width - self._font.width(number.text) - 1)
            lines.append((number, Span(code, palette.WARN)))
        return lines

    def _source(self, problem: Problem) -> str:
        """The line that failed, as it was when the problem was first shown: the file may change meanwhile."""
        script, line = problem.script, problem.line
        if not script or not line:
            return ""
        return self._sources.get((script, line, problem.message), lambda: _line_of(self._scripts, script, line))


def _line_of(scripts: Path, script: str, line: int) -> str:
    for file in (scripts.parent / script, scripts / script, scripts / f"{script}.lua"):
        try:
            return file.read_text(encoding="utf-8", errors="replace").splitlines()[line - 1].strip()
        except (OSError, ValueError, IndexError):
            continue
    return ""
