"""What is saved while the window is open: images, sounds and scripts."""

import sys
import wave

import pygame
import pytest

import helpers
from app_fakes import BLUE, GREEN, NIGHT, RED, pixel
from engine.app import App

SIZE = (160, 120)


@pytest.fixture
def window():
    return {"size": SIZE, "watch": True}


def until(app, condition):
    """Make frames until it holds."""
    helpers.until(condition, step=lambda: app.step(0.001))


def tone(file, loudness):
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8_000)
        out.writeframes(bytes([128 + loudness]) * 8_000 * 60)
    return file


@pytest.mark.row("F7")
def test_an_image_in_use_is_replaced_when_it_is_saved(fake, app):
    fake.image("slime", "#ff0000")
    fake.add(150, 110, sprite="slime")
    app.step(0.001)
    assert pixel(150, 110) == RED

    fake.image("slime", "#00ff00")
    until(app, lambda: pixel(150, 110) == GREEN)


@pytest.mark.row("F7")
def test_an_image_that_was_missing_appears_when_it_is_saved(fake, app):
    fake.add(150, 110, sprite="slime")
    app.step(0.001)
    assert app.notices.lines == ["no slime.png in assets/"]

    fake.image("slime", "#ff0000")
    until(app, lambda: pixel(150, 110) == RED)
    assert app.notices.lines == []


@pytest.mark.row("F7")
def test_an_image_appears_with_the_folder_that_was_missing(fake):
    fake.assets.rmdir()
    fake.add(150, 110, sprite="slime")

    with App(fake, size=SIZE, scale=1, headless=True, watch=True) as app:
        app.step(0.001)
        assert app.notices.lines == ["no slime.png in assets/"]

        fake.assets.mkdir()
        fake.image("slime", "#ff0000")
        until(app, lambda: pixel(150, 110) == RED)
        fake.image("slime", "#00ff00")
        until(app, lambda: pixel(150, 110) == GREEN)

    assert app.notices.lines == []


@pytest.mark.row("F7")
@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_link_among_the_images_is_known_by_its_own_name(fake, app):
    red, green = fake.image("red", "#ff0000"), fake.image("green", "#00ff00")
    link = fake.assets / "slime.png"
    link.symlink_to(red)
    fake.add(150, 110, sprite="slime")
    app.step(0.001)
    assert pixel(150, 110) == RED

    link.unlink()
    link.symlink_to(green)
    until(app, lambda: pixel(150, 110) == GREEN)
    fake.image("green", "#0000ff")
    until(app, lambda: pixel(150, 110) == BLUE)


@pytest.mark.row("F7")
def test_a_half_written_image_leaves_the_old_one_standing(fake, app):
    file = fake.image("slime", "#ff0000")
    fake.add(150, 110, sprite="slime")
    app.step(0.001)

    file.write_bytes(file.read_bytes()[:30])
    until(app, lambda: bool(app.notices.lines))
    assert pixel(150, 110) == RED

    fake.image("slime", "#00ff00")
    until(app, lambda: pixel(150, 110) == GREEN)
    assert app.notices.lines == []


@pytest.mark.row("F7")
def test_a_sound_that_loops_is_replaced_when_it_is_saved(fake, app):
    file = tone(fake.assets / "rain.wav", 10)
    fake.call("sound.loop", "rain")
    app.step(0.001)
    before = pygame.mixer.Channel(0).get_sound()

    tone(file, 90)
    until(app, lambda: pygame.mixer.Channel(0).get_sound() is not before)

    assert pygame.mixer.Channel(0).get_sound().get_raw()[:200] != before.get_raw()[:200]


def test_the_world_is_watched_as_long_as_the_app_is_open(fake):
    before = helpers.threads()

    with App(fake, headless=True, watch=True) as app:
        app.step(0.001)
        assert [thread.name for thread in helpers.threads() - before] == ["tidelock-watch"]

    assert fake.watched == 1
    helpers.until(lambda: helpers.threads() <= before, "the end of the watcher")


@pytest.mark.parametrize("options", [{"headless": True}, {"headless": True, "watch": False}])
def test_a_headless_app_watches_only_when_it_is_told_to(fake, options):
    before = helpers.threads()

    with App(fake, **options) as app:
        app.step(0.001)
        assert fake.watched == 0
        assert helpers.threads() <= before


def test_a_game_without_assets_can_be_watched(fake):
    fake.assets.rmdir()

    with App(fake, headless=True, watch=True) as app:
        app.step(0.001)

    assert fake.watched == 1


@pytest.mark.row("F1", "F7")
def test_a_saved_script_changes_the_picture_and_a_broken_one_is_told_over_it(make_world, scripts, tmp_path):
    (tmp_path / "assets").mkdir()
    square = "return {{ start = function(self) self.color = '{}' end, update = function(self) {} end }}"
    draw = "draw.rect(140, 100, 8, 8, self.color)"
    scripts.write("lamp", square.format("#ff0000", draw))
    world = make_world()
    lamps = [world.spawn("lamp") for _ in range(10)]

    with App(world, size=SIZE, scale=1, headless=True, watch=True) as app:
        until(app, lambda: pixel(144, 104) == RED)

        scripts.write("lamp", square.format("#00ff00", draw))
        until(app, lambda: pixel(144, 104) == GREEN)
        assert {lamp.version for lamp in lamps} == {2}

        scripts.write("lamp", "return {")
        until(app, lambda: bool(world.problems))
        assert pixel(6, 20) != NIGHT

        scripts.write("lamp", square.format("#ff0000", draw))
        until(app, lambda: not world.problems and pixel(144, 104) == RED)
