"""Stands over the game in the window's own pixels: problems, notices, reloads, figures."""

from collections.abc import Sequence

import pygame

from engine.app import palette
from engine.app.arguments import RGBA
from engine.app.cache import Cache
from engine.app.panel import BAR, BREAK, PADDING, Line, Span, panel
from engine.app.ports import Reload
from engine.app.text import Font
from engine.report import Problem, Report, report

MARGIN = 4
NARROWEST = 40
MOST = 4
MESSAGE_LINES = 3
TOAST_SECONDS = 2.0
TOASTS = 3

# Figures that change in every frame cannot be read.
FIGURES_EVERY = 0.25


class Overlay:
    """What the maker of a game wants to know while it runs; `shown` is about the corner with the figures."""

    def __init__(self, font: Font) -> None:
        self.shown = True
        self._font = font
        self._panels: Cache[tuple[object, ...], pygame.Surface] = Cache(16)
        self._wrapped: Cache[tuple[object, ...], tuple[Line, ...]] = Cache(4)
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
            width = max(NARROWEST, window.get_width() // scale - 2 * MARGIN)
            inner = width - 2 * PADDING - BAR
            seen = tuple(map(report, problems[:MOST]))
            key = seen, len(problems), tuple(notices), inner
            lines = self._wrapped.get(key, lambda: self._troubles(seen, len(problems), notices, inner))
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

    def _troubles(self, problems: Sequence[Report], total: int, notices: Sequence[str], width: int) -> tuple[Line, ...]:
        lines: list[Line] = []
        for problem in problems:
            lines += [*self._problem(problem, width), BREAK]
        most = max(1, MOST - total)
        for notice in notices[:most]:
            lines += [(Span(text, palette.WARN),) for text in self._font.wrap(notice, width)[:MESSAGE_LINES]]
            lines.append(BREAK)
        hidden = max(0, total - MOST) + max(0, len(notices) - most)
        if hidden:
            lines += [(Span(f"and {hidden} more", palette.DIM),), BREAK]
        return tuple(lines[:-1])

    def _problem(self, problem: Report, width: int) -> list[Line]:
        times = (Span(f"  {problem.times}", palette.DIM),) if problem.times else ()
        lines: list[Line] = [(Span(self._font.shorten(problem.place, width - 60), palette.WRONG), *times)]
        for text in self._font.wrap(problem.message, width)[:MESSAGE_LINES]:
            lines.append((Span(text, palette.INK),))
        if problem.source:
            lines += self._source(problem, width)
        if problem.outcome:
            lines.append((Span(self._font.shorten(problem.outcome, width), palette.DIM),))
        return lines

    def _source(self, problem: Report, width: int) -> list[Line]:
        """The line that failed, and a mark under its culprit."""
        number = Span(f"{problem.number}  ", palette.DIM)
        left = self._font.width(number.text) + 1
        code = self._font.shorten(problem.source, width - left)
        lines: list[Line] = [(number, Span(code, palette.WARN))]
        if problem.mark and problem.mark[0] <= len(code):
            start, length = problem.mark
            before = self._font.width(code[:start]) + bool(start)
            marks = max(1, self._font.width(code[start : start + length]) // (self._font.width("^") + 1))
            lines.append((Span("^" * marks, palette.WRONG, left + before),))
        return lines
