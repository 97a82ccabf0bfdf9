"""Makes the picture of a frame, and its sounds, from what the world holds."""

from typing import Any

import pygame

from engine.app.arguments import RGBA, color
from engine.app.assets import Assets
from engine.app.camera import Camera
from engine.app.canvas import Canvas
from engine.app.commands import Commands
from engine.app.images import Images
from engine.app.night import Night
from engine.app.notices import Notices
from engine.app.ports import World
from engine.app.sounds import Sounds
from engine.app.sprites import Shown, Sprites
from engine.app.text import Font


class Stage:
    """What the player sees and hears of `world`; `ambient` is the light there is, `None` by day."""

    def __init__(
        self,
        world: World,
        size: tuple[int, int],
        background: Any,
        assets: Assets,
        font: Font,
        notices: Notices,
    ) -> None:
        self.ambient: RGBA | None = None
        self.camera = Camera(size)
        self.images = Images(assets, notices)
        self.sounds = Sounds(assets, notices)
        self._world = world
        self._background = color(background, "background")
        self._sprites = Sprites(self.images, font, notices)
        self._canvas = Canvas(font, self.images)
        self._night = Night(size)
        self._picture = pygame.Surface(size, 0, 32)
        self._shown: list[Shown] = []
        self._now = world.now
        modules = {
            "sprite": self._sprites.animations.verbs,
            "sound": self.sounds.verbs,
            "camera": self.camera.verbs,
            "draw": self._canvas.verbs,
        }
        self._commands = Commands(modules, notices)

    def advance(self) -> None:
        """Take over what the world's newest frame brought; the stage runs on the world's clock."""
        now, entities = self._world.now, self._world.entities
        scripts = {entity.id: entity.script for entity in entities}
        self._shown = self._sprites.gather(entities, now)
        self._canvas.begin(now)
        self._commands.obey(self._world.commands, lambda id: scripts.get(id, f"entity {id}"))
        self.camera.advance(max(0.0, now - self._now), entities)
        self._now = now

    def draw(self) -> pygame.Surface:
        """The picture: the world, the night over it, then what is there to be read."""
        picture, (left, top) = self._picture, self.camera.corner
        picture.fill(self._background)
        self._sprites.draw(picture, self._shown, left, top)
        self._canvas.draw_shapes(picture, left, top)
        if self.ambient is not None:
            lamps = [*self._sprites.lamps(self._shown), *self._canvas.lamps]
            self._night.fall(picture, self.ambient, lamps, left, top)
        self._sprites.draw_texts(picture, self._shown, left, top)
        self._canvas.draw_texts(picture, left, top)
        self.camera.cover(picture)
        self._canvas.draw_said(picture)
        return picture
