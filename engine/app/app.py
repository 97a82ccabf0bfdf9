"""The window that a world is played in: its loop, its events, and how it ends."""

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pygame

from engine.app import images, sounds
from engine.app.arguments import BadCall, color
from engine.app.assets import Assets
from engine.app.controls import Controls
from engine.app.keywords import check_keywords, check_picture
from engine.app.notices import Notices
from engine.app.overlay import Overlay
from engine.app.pace import FixedTime, Pace, RealTime
from engine.app.ports import Reload, World
from engine.app.stage import Stage
from engine.app.text import Font
from engine.app.window import Window, drivers
from engine.checks import check_count, check_measure
from engine.errors import EngineError, WorldClosed
from engine.interrupts import ctrl_c_later
from engine.reload.saves import polls

# After a laptop slept, or a debugger stopped, a game goes on from where it was instead of catching up.
LONGEST_DT = 0.25

SPARE = 0.001
"""Seconds before a frame in which nothing is begun any more: the smallest piece of a reload may take that long."""

TURN = 0.002
"""Seconds of work between two frames, until others in the same asyncio loop have their turn."""


class App:
    """Shows `world` in a window. Closing the app closes the world too, however it came to that.

    `size` is the picture in logical pixels, `scale` how large the window opens. `assets` is the folder of
    images and sounds; by default the one of that name beside the scripts. `actions` gives actions their keys,
    see `controls`. `headless` needs neither display nor sound device, makes every frame 1/`fps` seconds long
    and never waits. `watch` notices what is saved, scripts, images and sounds, while the app is open; by default
    it does unless `headless`; "poll" for drives that send no events. F1 shows and hides the figures in the corner,
    which are not shown where it is `headless`.

    The world gets at most 0.25 s a frame. A window without the focus runs on, muted, with all keys released.
    """

    def __init__(
        self,
        world: World,
        *,
        title: str = "Tidelock",
        size: tuple[int, int] = (320, 180),
        scale: int = 3,
        fps: float = 60,
        assets: Path | str | None = None,
        background: Any = "#0b0e1a",
        actions: Mapping[str, Iterable[str]] | None = None,
        headless: bool = False,
        watch: bool | str | None = None,
    ) -> None:
        if not hasattr(world, "tick"):
            raise BadCall(f"App: expected a World, got {world!r}")
        check_keywords(title, size, scale, fps, assets, actions)
        self.world = world
        self.fps = fps
        self.headless = headless
        self.running = True
        self.notices = Notices(world.places)
        self._assets = Assets(world.scripts.parent / "assets" if assets is None else Path(assets))
        self._window = Window(title, size, scale)
        self._controls = Controls(actions)
        font = Font()
        self._stage = Stage(world, size, background, self._assets, font, self.notices)
        self.overlay = Overlay(font)
        self.overlay.shown = not headless  # frame times would make every picture another one
        self._mouse: tuple[int, int] | None = None
        self._pointed: tuple[int, int, int, int] | None = None
        self._watch = not headless if watch is None else watch
        self._is_open = self._is_closed = self._ticking = False
        world.on_reload(self._reloaded)

    @property
    def ambient(self) -> tuple[int, int, int, int] | None:
        """The light of the night, set as "#2a3358" or (42, 51, 88); `None`, is day (the default)."""
        return self._stage.ambient

    @ambient.setter
    def ambient(self, light: Any) -> None:
        self._stage.ambient = None if light is None else color(light, "ambient")

    def run(self, frames: int | None = None, screenshot: Path | str | None = None) -> None:
        """Play until the window is closed, or for so many frames; then take a picture if one is wanted.

        At the end the world is closed, also after an exception or Ctrl-C, which go on to the caller.
        """
        with self:
            pace = self._pace()
            for _ in self._each(frames, screenshot):
                while (left := pace.wait() - SPARE) > 0 and self.world.idle(left):
                    pass
                time.sleep(pace.wait())
                self.step(pace.dt())
            if screenshot is not None:
                self.screenshot(screenshot)

    async def run_async(self, frames: int | None = None, screenshot: Path | str | None = None) -> None:
        """Do as `run` does, inside the asyncio loop that awaits this and on its thread."""
        with self:
            pace = self._pace()
            for _ in self._each(frames, screenshot):
                while (left := pace.wait() - SPARE) > 0 and self.world.idle(min(left, TURN)):
                    await asyncio.sleep(0)
                await asyncio.sleep(pace.wait())
                self.step(pace.dt())
            if screenshot is not None:
                self.screenshot(screenshot)

    def step(self, dt: float) -> None:
        """Make one frame, `dt` seconds after the last one: events, the world's tick, the picture."""
        self.open()
        check_measure("step: dt", dt)
        began = time.perf_counter()
        for event in pygame.event.get():
            self._handle(event)
        self._point()
        self._take_saves()
        with ctrl_c_later():  # within a script it would be the script's error, and lost where that catches it
            self._tick(min(dt, LONGEST_DT))
        self._stage.advance()
        self._window.show(self._stage.draw())
        self.overlay.advance(dt, time.perf_counter() - began, len(self.world.entities))
        self.overlay.draw(self._window.surface, self.world.problems, self.notices.lines)
        pygame.display.flip()

    def stop(self) -> None:
        """Let `run` end after the frame that it is in."""
        self.running = False

    def screenshot(self, path: Path | str) -> None:
        """Write what the window shows to `path`, a .png."""
        self.open()
        check_picture(path)
        file = Path(path)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            pygame.image.save(self._window.surface, str(file))
        except (pygame.error, OSError) as error:
            raise EngineError(f"the picture cannot be written: {error}") from error

    def reload_asset(self, path: Path | str) -> bool:
        """Use the image or sound `path` as it is now; returns whether it was in use and could be read."""
        file = Path(path)
        name = self._assets.name_of(file)
        done = False
        if name is not None and file.suffix in images.ENDINGS:
            done = self._stage.images.reload(name)
        elif name is not None and file.suffix in sounds.ENDINGS:
            done = self._stage.sounds.reload(name)
        if done:
            self.overlay.tell(f"{file.name} reloaded")
        return done

    def open(self) -> None:
        """Open the window, unless it is; `step` and `run` do so themselves."""
        if self._is_closed:
            raise WorldClosed("this app was closed, and its world with it; make a new World and a new App")
        if self._is_open:
            return
        with drivers(self.headless):
            self._window.open()
            self._stage.sounds.open()
            self._controls.open()
        if self._watch:
            self.world.watch(poll=polls(self._watch))
        self._is_open = True

    def close(self) -> None:
        """Close the world and the window; twice is fine."""
        if self._is_closed:
            return
        if self._ticking:
            raise EngineError("close was called while the world ticks; app.stop() lets run end after this frame")
        self._is_closed, self.running = True, False
        try:
            self._assets.close()
            self.world.close()
        finally:
            pygame.quit()

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _tick(self, dt: float) -> None:
        self._ticking = True
        try:
            self.world.tick(dt)
        finally:
            self._ticking = False

    def _pace(self) -> Pace:
        return FixedTime(self.fps) if self.headless else RealTime(self.fps)

    def _each(self, frames: int | None, screenshot: object) -> Iterator[int]:
        if frames is not None:
            check_count("run: frames", frames)
        if screenshot is not None:
            check_picture(screenshot)
        made = 0
        while self.running and (frames is None or made < frames):
            yield made
            made += 1

    def _handle(self, event: pygame.event.Event) -> None:
        match event.type:
            case pygame.QUIT:
                self.stop()
            case pygame.WINDOWFOCUSLOST:
                self._controls.let_go(self.world.input)
                self._stage.sounds.mute(True)
            case pygame.WINDOWFOCUSGAINED:
                self._stage.sounds.mute(False)
            case pygame.KEYDOWN if event.key == pygame.K_F1:
                self.overlay.shown = not self.overlay.shown
            case pygame.MOUSEMOTION:
                self._mouse = event.pos
            case pygame.MOUSEBUTTONDOWN | pygame.MOUSEBUTTONUP:
                # A click means the place where it was made, not where the mouse was a frame ago.
                self._mouse = event.pos
                self._point()
        self._controls.handle(event, self.world.input)

    def _point(self) -> None:
        """Tell the world what the mouse is over: a place in the world, which changes as the camera moves."""
        if self._mouse is None:
            return
        (x, y), (left, top) = self._window.to_picture(self._mouse), self._stage.camera.corner
        if (x + left, y + top, left, top) != self._pointed:
            self._pointed = x + left, y + top, left, top
            self.world.input.point(*self._pointed)

    def _take_saves(self) -> None:
        """Use the images and sounds that were saved."""
        if self._watch:
            for path in self._assets.saved(poll=polls(self._watch)):
                self.reload_asset(path)

    def _reloaded(self, reload: Reload) -> None:
        self.overlay.reloaded(reload)
        # A script that asks for the right image now must not be told off for the wrong one.
        self.notices.clear()
