"""Keys, mouse and gamepads become actions."""

import pygame
import pytest

from app_fakes import FakeInput
from engine.app import App
from engine.app.controls import Controls


@pytest.fixture
def window():
    return {"scale": 2}


def key(down, code):
    return pygame.event.Event(pygame.KEYDOWN if down else pygame.KEYUP, key=code)


def told(controls, *events):
    heard = FakeInput()
    for event in events:
        controls.handle(event, heard)
    return heard.told


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (pygame.K_LEFT, "left"),
        (pygame.K_a, "left"),
        (pygame.K_d, "right"),
        (pygame.K_w, "up"),
        (pygame.K_DOWN, "down"),
        (pygame.K_SPACE, "use"),
        (pygame.K_e, "use"),
        (pygame.K_RETURN, "use"),
        (pygame.K_ESCAPE, "back"),
    ],
)
def test_the_default_keys(code, action):
    assert told(Controls(), key(True, code), key(False, code)) == [("press", action), ("release", action)]


def test_an_action_held_by_two_keys_is_released_with_the_last():
    events = [
        key(True, pygame.K_LEFT), key(True, pygame.K_a), key(False, pygame.K_LEFT), key(False, pygame.K_a),
    ]  # fmt: skip

    assert told(Controls(), *events) == [("press", "left"), ("release", "left")]


def test_one_key_for_an_action_needs_no_list():
    controls = Controls({"jump": "space"})

    assert told(controls, key(True, pygame.K_SPACE)) == [("press", "use"), ("press", "jump")]
    assert told(controls, key(True, pygame.K_s)) == [("press", "down")]


def test_own_actions_replace_the_keys_of_those_they_name_and_add_others():
    controls = Controls({"use": ["x"], "jump": ["space", "F2"]})

    assert told(controls, key(True, pygame.K_e)) == []
    assert told(controls, key(True, pygame.K_x)) == [("press", "use")]
    assert told(controls, key(True, pygame.K_SPACE)) == [("press", "jump")]
    assert told(controls, key(True, pygame.K_UP)) == [("press", "up")]


def test_one_key_may_stand_for_two_actions():
    controls = Controls({"confirm": ["space"]})

    assert told(controls, key(True, pygame.K_SPACE)) == [("press", "use"), ("press", "confirm")]


def test_a_key_that_does_not_exist_is_refused_with_the_nearest(fake):
    with pytest.raises(ValueError, match='no key "spcae" for "jump"; did you mean "space"'):
        App(fake, actions={"jump": ["spcae"]})


def test_each_notch_of_the_wheel_is_a_press_and_a_release():
    controls = Controls({"next": "mouse wheel down", "before": ["mouse wheel up", "q"]})

    def notch(button):
        kinds = pygame.MOUSEBUTTONDOWN, pygame.MOUSEBUTTONUP
        return [pygame.event.Event(kind, button=button, pos=(0, 0)) for kind in kinds]

    assert told(controls, *notch(5), *notch(4)) == [
        ("press", "next"), ("release", "next"), ("press", "before"), ("release", "before"),
    ]  # fmt: skip


def test_sticks_and_crosses_lean():
    def stick(value):
        return pygame.event.Event(pygame.JOYAXISMOTION, axis=0, value=value, instance_id=0)

    def cross(x, y):
        return pygame.event.Event(pygame.JOYHATMOTION, value=(x, y), instance_id=0)

    assert told(Controls(), stick(0.2), stick(-0.9), stick(0.9), stick(0.1)) == [
        ("press", "left"), ("release", "left"), ("press", "right"), ("release", "right"),
    ]  # fmt: skip
    assert told(Controls(), cross(0, 1), cross(0, 0)) == [("press", "up"), ("release", "up")]


def test_a_gamepad_that_is_pulled_out_lets_go():
    pressed = pygame.event.Event(pygame.JOYBUTTONDOWN, button=0, instance_id=3)
    gone = pygame.event.Event(pygame.JOYDEVICEREMOVED, instance_id=3)

    assert told(Controls(), pressed, gone) == [("press", "use"), ("release", "use")]


def test_a_gamepad_that_is_gone_before_it_is_taken_is_none():
    came = pygame.event.Event(pygame.JOYDEVICEADDED, device_index=9)

    assert told(Controls(), came) == []


def test_losing_the_focus_releases_what_is_held_once(fake, app):
    for event in (key(True, pygame.K_LEFT), pygame.event.Event(pygame.WINDOWFOCUSLOST)):
        pygame.event.post(event)
    app.step(1 / 60)
    pygame.event.post(key(False, pygame.K_LEFT))
    app.step(1 / 60)

    assert fake.input.told == [("press", "left"), ("release", "left")]


def test_the_mouse_points_at_a_place_in_the_world(fake, app):
    fake.call("camera.move", 132, 118)
    app.step(1 / 60)
    pygame.event.post(pygame.event.Event(pygame.MOUSEMOTION, pos=(20, 10)))
    app.step(1 / 60)

    # The window shows the world from (100, 100) on, twice as large.
    assert fake.input.told == [("point", 110, 105)]
    assert fake.input.corner == (100, 100)


def test_a_mouse_at_rest_points_anew_when_the_camera_moves(fake, app):
    pygame.event.post(pygame.event.Event(pygame.MOUSEMOTION, pos=(0, 0)))
    app.step(1 / 60)
    fake.call("camera.move", 132, 118)
    app.step(1 / 60)
    app.step(1 / 60)
    app.step(1 / 60)

    assert fake.input.told == [("point", 0, 0), ("point", 100, 100)]


def test_a_click_points_before_it_presses(fake, app):
    app.open()
    pygame.event.post(pygame.event.Event(pygame.MOUSEBUTTONDOWN, pos=(20, 10), button=1))
    app.step(1 / 60)

    assert fake.input.told == [("point", 10, 5), ("press", "click")]


def test_f1_is_the_overlays(fake, app):
    pygame.event.post(key(True, pygame.K_F1))
    app.step(1 / 60)

    assert app.overlay.shown  # without a display it begins hidden
    assert fake.input.told == []
