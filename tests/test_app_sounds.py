"""Sounds by name; on the dummy device, where channels can be looked at."""

import wave

import pygame
import pytest

from app_fakes import ticks
from engine.app import App


def sound(fake, name, seconds=60):
    """Silence, long enough to last for the test."""
    file = fake.assets / f"{name}.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(8_000)
        out.writeframes(b"\x80" * 8_000 * seconds)
    return file


def volumes():
    channels = [pygame.mixer.Channel(index) for index in range(pygame.mixer.get_num_channels())]
    return [round(channel.get_volume(), 1) for channel in channels if channel.get_busy()]


def test_a_sound_plays_at_its_volume_as_often_as_it_is_asked_for(fake, app):
    sound(fake, "bell")
    fake.call("sound.play", "bell")
    fake.call("sound.play", "bell", 0.5)

    ticks(app)

    assert volumes() == [1.0, 0.5]


def test_a_name_loops_once_and_asking_again_sets_its_volume(fake, app):
    sound(fake, "rain")
    fake.call("sound.loop", "rain")
    ticks(app)
    fake.call("sound.loop", "rain", 0.2, sender=2)
    ticks(app)

    assert volumes() == [0.2]


def test_stop_ends_what_has_the_name_or_everything(fake, app):
    for name in ("rain", "bell", "wind"):
        sound(fake, name)
        fake.call("sound.loop", name, 0.5)
    fake.call("sound.stop", "bell")
    ticks(app)
    assert volumes() == [0.5, 0.5]

    fake.call("sound.stop")
    ticks(app)
    assert volumes() == []


def test_more_sounds_than_channels_are_left_out(fake, app):
    sound(fake, "bell")
    for _ in range(100):
        fake.call("sound.play", "bell")

    ticks(app)

    assert len(volumes()) == 32


def test_without_the_focus_everything_goes_on_unheard(fake, app):
    sound(fake, "rain")
    fake.call("sound.loop", "rain", 0.5)
    ticks(app)

    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    fake.call("sound.play", "rain")
    ticks(app)
    assert volumes() == [0.0, 0.0]

    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSGAINED))
    ticks(app)
    assert volumes() == [0.5, 1.0]


def test_a_missing_sound_is_one_line_with_the_nearest_name(fake, app, caplog):
    sound(fake, "bell", 1)
    for _ in range(3):
        fake.call("sound.play", "bel")
        ticks(app)

    assert caplog.messages == ['no bel.wav or bel.ogg in assets/; did you mean "bell"?']


def test_a_file_that_is_no_sound_is_one_line(fake, app, caplog):
    (fake.assets / "bell.wav").write_bytes(b"RIFF half")
    for _ in range(3):
        fake.call("sound.play", "bell")
        ticks(app)

    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("bell.wav cannot be read as a sound: ")


def test_without_a_sound_device_all_is_silent_and_nothing_is_said(fake, monkeypatch, caplog):
    def no_device(*_):
        raise pygame.error("no device")

    monkeypatch.setattr(pygame.mixer, "init", no_device)
    sound(fake, "bell")
    with App(fake, headless=True) as app:
        for name in ("play", "loop", "stop"):
            fake.call(f"sound.{name}", "bell")
        pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
        ticks(app)

    assert caplog.messages == []


def test_a_changed_sound_takes_over_where_it_loops(fake, app):
    file = sound(fake, "rain")
    fake.call("sound.loop", "rain", 0.5)
    ticks(app)
    old = pygame.mixer.Channel(0).get_sound()

    sound(fake, "rain", 30)
    assert app.reload_asset(file)

    new = pygame.mixer.Channel(0).get_sound()
    assert new.get_length() == pytest.approx(old.get_length() / 2)
    assert volumes() == [0.5]


def test_a_half_written_sound_leaves_the_old_one(fake, app):
    file = sound(fake, "rain")
    fake.call("sound.loop", "rain")
    ticks(app)

    file.write_bytes(b"RIFF half")

    assert not app.reload_asset(file)
    assert len(app.notices.lines) == 1
    assert volumes() == [1.0]
