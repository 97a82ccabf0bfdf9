"""The window's life: its loop, its clock, its size, and that everything ends with it."""

import asyncio
import contextlib
import math
import os
import re
import threading

import pygame
import pytest

from app_fakes import NIGHT, RED, FakeProblem, pixel
from engine.app import App, NoDisplay, display_available
from engine.app.app import LONGEST_DT, SPARE, TURN
from engine.app.pace import RealTime
from engine.errors import EngineError, WorldClosed
from helpers import threads

SIZE = (64, 36)


@pytest.fixture
def window():
    return {"scale": 2}


def test_run_makes_the_frames_asked_for_and_closes_the_world(fake):
    App(fake, headless=True).run(frames=3)

    assert fake.ticks == [1 / 60] * 3
    assert fake.closed == 1
    assert not pygame.display.get_init()


def test_run_writes_a_picture_of_the_window(fake, tmp_path):
    App(fake, size=SIZE, scale=2, background="#204060", headless=True).run(2, tmp_path / "new" / "shot.png")

    picture = pygame.image.load(tmp_path / "new" / "shot.png")
    assert picture.get_size() == (128, 72)
    assert picture.get_at((1, 71))[:3] == (32, 64, 96)


def test_a_picture_of_another_kind_is_refused_before_the_game_is_played(fake, tmp_path):
    with pytest.raises(EngineError, match=r"shot\.gif must end in \.png"):
        App(fake, headless=True).run(2, tmp_path / "shot.gif")

    assert fake.ticks == []


def test_a_picture_that_cannot_be_written_is_an_error_that_names_it(fake, app, tmp_path):
    (tmp_path / "main.py").write_text("")

    (tmp_path / "folder.png").mkdir()

    for place in (tmp_path / "main.py" / "shot.png", tmp_path / "folder.png"):
        with pytest.raises(EngineError, match=f"the picture cannot be written: .*{re.escape(tmp_path.name)}"):
            app.screenshot(place)


@pytest.mark.parametrize(
    "words",
    [
        {"title": None},
        {"size": 320},
        {"size": (320,)},
        {"size": ("320", "180")},
        {"size": (0, 180)},
        {"scale": "3"},
        {"scale": 0},
        {"fps": 0},
        {"fps": math.nan},
        {"assets": 5},
        {"actions": "space"},
        {"actions": {"jump": None}},
        {"actions": {"jump": ["space", 5]}},
        {"actions": {5: "space"}},
    ],
    ids=str,
)
def test_a_keyword_that_is_none_of_its_kind_is_named_before_a_window_opens(fake, words):
    (name, value), *_ = words.items()

    with pytest.raises(EngineError, match=f"^{name} must be .*, got {re.escape(repr(value))}$"):
        App(fake, headless=True, **words)


def test_what_is_no_world_no_frames_no_seconds_and_no_path_is_refused_with_what_it_is(fake, app):
    with pytest.raises(EngineError, match="App: expected a World, got None"):
        App(None, headless=True)
    with pytest.raises(EngineError, match=r"step: dt must be a finite number of seconds >= 0, .*, got 'x'"):
        app.step("x")
    with pytest.raises(EngineError, match="screenshot: expected a path, as a string or a Path, got 5"):
        app.screenshot(5)
    with pytest.raises(EngineError, match=r"screenshot: shot\.gif must end in \.png"):
        app.screenshot("shot.gif")
    with pytest.raises(EngineError, match="run: frames must be a whole number >= 0, got -1"):
        app.run(frames=-1)


def test_the_close_button_ends_the_loop_after_its_frame(fake):
    fake.at_tick = lambda: pygame.event.post(pygame.event.Event(pygame.QUIT)) if len(fake.ticks) == 2 else None

    App(fake, headless=True).run()

    assert len(fake.ticks) == 3
    assert fake.closed == 1


def test_ctrl_c_goes_on_to_the_caller_after_everything_is_closed(fake, press_ctrl_c):
    fake.at_tick = press_ctrl_c

    with pytest.raises(KeyboardInterrupt):
        App(fake, headless=True).run(frames=10)

    assert fake.closed == 1
    assert not pygame.display.get_init()


def test_a_second_ctrl_c_waits_for_no_frame(fake, press_ctrl_c):
    pressed = []

    def stuck():
        for n in range(1, 4):
            pressed.append(n)
            press_ctrl_c()

    fake.at_tick = stuck

    with pytest.raises(KeyboardInterrupt):
        App(fake, headless=True).run(frames=10)

    assert pressed == [1, 2] and fake.closed == 1


def test_ctrl_c_while_the_window_opens_is_not_lost(fake, press_ctrl_c, monkeypatch):
    opened = pygame.display.set_mode

    def set_mode(*args):
        with contextlib.suppress(KeyboardInterrupt):  # as pygame does while it looks for its icon
            press_ctrl_c()
        return opened(*args)

    monkeypatch.setattr(pygame.display, "set_mode", set_mode)

    with pytest.raises(KeyboardInterrupt):
        App(fake, headless=True).run(frames=3)
    assert fake.ticks == [] and fake.closed == 1
    with pytest.raises(KeyboardInterrupt):
        press_ctrl_c()


def test_an_exception_of_the_host_goes_on_after_everything_is_closed(fake):
    def fail():
        raise ZeroDivisionError("the host's own")

    fake.at_tick = fail

    with pytest.raises(ZeroDivisionError, match="the host's own"):
        App(fake, headless=True).run()

    assert fake.closed == 1
    assert not pygame.display.get_init()


def test_pygame_ends_even_when_the_world_fails_to_close(fake, monkeypatch):
    def fail():
        raise OSError("stuck")

    monkeypatch.setattr(fake, "close", fail)

    with pytest.raises(OSError, match="stuck"):
        App(fake, headless=True).run(frames=1)

    assert not pygame.display.get_init()


def test_a_closed_app_says_so(fake):
    app = App(fake, headless=True)
    app.run(frames=1)
    app.close()

    with pytest.raises(WorldClosed, match="make a new World"):
        app.step(1 / 60)
    assert fake.closed == 1


def test_without_a_display_the_error_names_the_way_out_and_the_world_is_closed(fake, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "none such")

    with pytest.raises(NoDisplay, match="headless=True"):
        App(fake).run()

    assert fake.closed == 1


def test_a_display_that_sdl_makes_up_is_none(fake, monkeypatch):
    monkeypatch.delenv("SDL_VIDEODRIVER")
    monkeypatch.setattr(pygame.display, "get_driver", lambda: "offscreen")

    with pytest.raises(NoDisplay, match=r"no window can be opened here \(.+\); App\(headless=True\) needs none"):
        App(fake).run()

    assert fake.closed == 1


def test_headless_leaves_the_environment_as_it_was(fake, monkeypatch):
    monkeypatch.delenv("SDL_VIDEODRIVER")
    monkeypatch.setenv("SDL_AUDIODRIVER", "disk")

    App(fake, headless=True).run(frames=1)

    assert "SDL_VIDEODRIVER" not in os.environ
    assert os.environ["SDL_AUDIODRIVER"] == "disk"


def test_run_async_lives_in_the_loop_of_its_host_and_starts_no_thread(fake):
    seen = []
    fake.at_tick = lambda: seen.append((asyncio.get_running_loop(), threading.current_thread()))
    before = threads()

    async def host():
        others = 0
        playing = asyncio.create_task(App(fake, headless=True).run_async(frames=5))
        while not playing.done():
            await asyncio.sleep(0)
            others += 1
        return asyncio.get_running_loop(), others

    loop, others = asyncio.run(host())

    assert seen == [(loop, threading.main_thread())] * 5
    assert others >= 5
    assert threads() <= before
    assert fake.closed == 1


class Due:
    """A pace whose next frame is due in so many seconds, each time that it is asked; then at once."""

    def __init__(self, *seconds):
        self._seconds = list(seconds)

    def wait(self):
        return self._seconds.pop(0) if self._seconds else 0.0

    def dt(self):
        return 0.01


def test_the_world_gets_the_time_until_the_next_frame_while_it_has_something_to_do(fake, monkeypatch):
    monkeypatch.setattr(App, "_pace", lambda _: Due(0.5, 0.25, 0.125, 0.0))

    App(fake, headless=True).run(frames=1)

    assert fake.idled == [0.5 - SPARE, 0.25 - SPARE, 0.125 - SPARE]
    assert fake.ticks == [0.01]


def test_in_asyncio_the_world_gets_it_in_turns_with_the_others(fake, monkeypatch):
    monkeypatch.setattr(App, "_pace", lambda _: Due(0.5, SPARE + TURN / 2, SPARE / 2))

    asyncio.run(App(fake, headless=True).run_async(frames=1))

    assert fake.idled == [TURN, pytest.approx(TURN / 2)]
    assert fake.ticks == [0.01]


def test_cancelling_run_async_closes_everything(fake):
    async def host():
        playing = asyncio.create_task(App(fake, headless=True).run_async())
        while len(fake.ticks) < 3:
            await asyncio.sleep(0)
        playing.cancel()
        await playing

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(host())

    assert fake.closed == 1
    assert not pygame.display.get_init()


def test_the_world_gets_no_more_than_a_quarter_second_at_once(fake, app):
    app.step(0.1)
    app.step(3600.0)

    assert fake.ticks == [0.1, LONGEST_DT]


def test_real_time_waits_for_the_rest_of_a_frame_and_measures_from_start_to_start():
    now = 10.0
    pace = RealTime(50, clock=lambda: now)
    pace.dt()

    now = 10.005
    assert pace.wait() == pytest.approx(0.015)
    now = 10.021
    assert pace.dt() == pytest.approx(0.021)
    assert pace.wait() == pytest.approx(0.019)


def test_real_time_does_not_make_up_for_a_frame_that_came_late():
    now = 10.0
    pace = RealTime(50, clock=lambda: now)
    pace.dt()

    now = 12.0
    assert pace.wait() == 0.0
    assert pace.dt() == pytest.approx(2.0)
    now = 12.001
    pace.wait()
    pace.dt()
    assert pace.wait() == pytest.approx(0.019)


def test_the_picture_is_scaled_by_whole_numbers_with_bars_around_it(fake, app):
    fake.add(0.5, 0.5, sprite="dot")
    fake.image("dot", "#ff0000", side=1)
    pygame.display.set_mode((200, 120), pygame.RESIZABLE)

    app.step(1 / 60)

    # 200 x 120 holds 64 x 36 three times: 192 x 108 with bars of 4 and 6.
    assert pixel(3, 6) == pixel(4, 5) == (5, 6, 12)
    assert pixel(4, 6) == pixel(6, 8) == RED
    assert pixel(7, 8) == NIGHT


def test_a_window_smaller_than_the_picture_shows_its_middle(fake, app):
    fake.add(32, 18, sprite="dot")
    fake.image("dot", "#ff0000", side=2)
    pygame.display.set_mode((30, 20), pygame.RESIZABLE)

    app.step(1 / 60)

    assert pixel(15, 10) == RED


@pytest.mark.parametrize("size", [(1, 1), (20, 400)])
def test_a_window_too_small_for_words_goes_on(fake, app, size):
    app.overlay.shown = True
    fake.problems.append(FakeProblem("attempt to index a nil value", source="self.open = nill.x"))
    fake.call("draw.say", "It is late.")
    pygame.display.set_mode(size, pygame.RESIZABLE)

    app.step(1 / 60)

    assert len(fake.ticks) == 1


def test_a_picture_too_small_for_words_is_drawn_without_harm(fake):
    fake.call("draw.say", "It is late.")

    App(fake, size=(8, 8), scale=1, headless=True).run(2)

    assert len(fake.ticks) == 2


def test_a_window_without_the_focus_runs_on(fake, app):
    app.step(1 / 60)
    pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
    app.step(1 / 60)
    app.step(1 / 60)

    assert len(fake.ticks) == 3


@pytest.mark.parametrize(
    "environment",
    [{}, {"SDL_VIDEODRIVER": "dummy", "DISPLAY": ":0"}, {"SDL_VIDEODRIVER": "x11", "DISPLAY": ":9987"}],
)
def test_a_display_that_nobody_can_see_is_none(environment, monkeypatch):
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert not display_available()
    assert not pygame.display.get_init()
