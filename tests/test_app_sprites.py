"""What entities look like, pixel by pixel, and where their images come from."""

import pygame
import pytest

from app_fakes import BLUE, GREEN, NIGHT, RED, WHITE, inked, pixel, ticks
from engine.app.images import PICTURES, Images, Look

# Sprites.


def test_x_and_y_are_the_centre_of_the_sprite(fake, app):
    fake.image("red", "#ff0000")
    fake.add(20, 10, sprite="red")

    ticks(app)

    assert inked() == pygame.Rect(16, 6, 8, 8)
    assert pixel(16, 6) == RED


def test_an_entity_without_a_place_or_hidden_or_at_no_number_is_not_drawn(fake, app, quiet):
    fake.image("red", "#ff0000")
    fake.add(20, 10, sprite="red", visible=False)
    fake.add(float("nan"), 10, sprite="red")
    fake.add(float("inf"), 10, sprite="red")
    fake.add(20, 10)
    fake.add(0, 0, sprite="red").position = None

    ticks(app)

    assert inked() is None


def test_alpha_fades_the_text_of_an_entity_and_no_other(fake, app, quiet):
    fake.add(20, 10, text="I", color="#ffffff", alpha=0.5)
    fake.add(50, 10, text="I", color="#ffffff")

    ticks(app)

    brightest = [max(pixel(x, y)[0] for x in range(left, left + 12) for y in range(20)) for left in (14, 44)]
    assert brightest[1] == 255
    assert NIGHT[0] < brightest[0] < 200


def test_a_sprite_without_a_place_is_told_unless_it_is_hidden(fake, app):
    fake.image("red", "#ff0000")
    for view in ({}, {"sprite": "red", "visible": False}, {"text": "far"}):
        fake.add(0, 0, **view).position = None
    ticks(app)
    assert app.notices.lines == []

    fake.add(0, 0, sprite="red").position = None
    ticks(app, 2)

    assert app.notices.lines == ["thing: it has a sprite and no place: self.x and self.y must be finite numbers"]


def test_nearer_layers_then_lower_ones_then_younger_ones_cover_others(fake, app):
    fake.image("red", "#ff0000")
    fake.image("green", "#00ff00")
    fake.image("blue", "#0000ff")
    fake.add(10, 12, sprite="red")
    fake.add(10, 10, sprite="green")
    fake.add(30, 10, sprite="red", layer=1)
    fake.add(30, 12, sprite="green", layer=-2)
    fake.add(50, 10, sprite="red")
    fake.add(50, 10, sprite="blue")

    ticks(app)

    assert [pixel(10, 10), pixel(30, 10), pixel(50, 10)] == [RED, RED, BLUE]


def test_frame_is_a_column_of_the_sheet_and_starts_over_past_its_end(fake, app):
    fake.image("slime", "#ff0000", "#00ff00", "#0000ff")
    for column, frame in enumerate([0, 1, 2, 3, -1]):
        fake.add(6 + column * 10, 10, sprite="slime", frame=frame)

    ticks(app)

    assert [pixel(6 + column * 10, 10) for column in range(5)] == [RED, GREEN, BLUE, RED, BLUE]
    assert pixel(10, 10) == NIGHT


def test_an_image_that_is_no_row_of_squares_is_one_picture(fake, app):
    pygame.image.save(pygame.Surface((20, 8)), str(fake.assets / "wide.png"))
    fake.add(30, 10, sprite="wide")

    ticks(app)

    assert inked() == pygame.Rect(20, 6, 20, 8)


def test_flip_scale_angle_alpha_and_color_change_the_sprite(fake, app):
    half = pygame.Surface((8, 8), pygame.SRCALPHA)
    half.fill("#ffffff", (0, 0, 4, 8))
    pygame.image.save(half, str(fake.assets / "half.png"))
    fake.add(8, 10, sprite="half", flip=True)
    fake.add(24, 10, sprite="half", scale=2)
    fake.add(40, 10, sprite="half", angle=90)
    fake.add(52, 10, sprite="half", alpha=0.5)
    fake.add(60, 10, sprite="half", color="#ff0000")

    ticks(app)

    assert (pixel(5, 10), pixel(10, 10)) == (NIGHT, WHITE)
    assert (pixel(16, 3), pixel(23, 17), pixel(24, 10)) == (WHITE, WHITE, NIGHT)
    # Its left half, turned clockwise, is the upper one.
    assert (pixel(37, 7), pixel(43, 7), pixel(37, 12)) == (WHITE, WHITE, NIGHT)
    assert all(120 < part < 145 for part in pixel(50, 10))
    assert pixel(58, 10) == RED


def test_a_field_that_cannot_be_used_is_told_once_and_the_others_are_drawn(fake, app, quiet, caplog):
    fake.image("red", "#ff0000")
    fake.add(10, 10, sprite="red", angle="north")
    fake.add(20, 10, sprite=7)
    fake.add(30, 10, sprite="red", layer=float("nan"))
    fake.add(50, 10, sprite="red")

    ticks(app, 3)

    assert app.notices.lines == [
        "thing: self.layer must be a finite number, got nan",
        'thing: self.angle must be a number, got "north"',
        "thing: self.sprite must be a name, got 7",
    ]
    assert caplog.messages == app.notices.lines
    assert pixel(50, 10) == RED


# Images.


def test_a_missing_image_is_a_checkerboard_and_one_line_with_the_nearest_name(fake, app, quiet, caplog):
    fake.image("slime", "#00ff00")
    fake.add(20, 16, sprite="slim")
    fake.add(44, 16, sprite="slim")

    ticks(app, 3)

    assert {pixel(x, y) for x in range(12, 28) for y in range(8, 24)} == {(255, 0, 255), (10, 12, 24)}
    assert caplog.messages == ['no slim.png in assets/; did you mean "slime"?']


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("ok.png", '; did you mean "ok"?'),
        ("LOUD", "; LOUD.PNG is there, write its ending in small letters"),
        ("folder", ""),
        ("loop", ""),
    ],
)
def test_an_image_under_another_ending_is_named_and_what_is_no_file_is_not(fake, app, tmp_path, name, advice):
    assets = fake.image("ok", "#ff0000").parent
    (assets / "LOUD.PNG").write_bytes((assets / "ok.png").read_bytes())
    (assets / "folder.png").mkdir()
    (assets / "loop.png").symlink_to("loop.png")
    fake.add(20, 10, sprite=name)

    ticks(app)

    assert app.notices.lines == [f"no {name}.png in assets/{advice}"]


def test_an_image_that_is_none_is_a_checkerboard_and_one_line(fake, app, quiet, caplog):
    (fake.assets / "torn.png").write_bytes(b"\x89PNG half of")
    fake.add(20, 16, sprite="torn")

    ticks(app, 2)

    assert pixel(12, 8) == (255, 0, 255)
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith("torn.png cannot be read as an image: ")


@pytest.mark.parametrize("name", ["../secret", "/etc/secret", "a\0b", "x" * 5_000])
def test_a_name_never_leaves_the_folder(fake, app, quiet, name):
    fake.image("../secret", "#ff0000")
    fake.add(20, 16, sprite=name)

    ticks(app)

    assert pixel(12, 8) == (255, 0, 255)


def test_images_may_stand_in_folders(fake, app):
    (fake.assets / "ui").mkdir()
    fake.image("ui/heart", "#ff0000")
    fake.add(20, 10, sprite="ui/heart")

    ticks(app)

    assert pixel(20, 10) == RED


def test_a_changed_image_is_seen_in_the_next_frame(fake, app, quiet):
    file = fake.image("slime", "#ff0000")
    fake.add(20, 10, sprite="slime", scale=2)
    ticks(app)

    fake.image("slime", "#00ff00")
    assert app.reload_asset(file)
    ticks(app)

    assert pixel(20, 10) == GREEN


def test_a_half_written_image_leaves_the_old_one_until_it_is_whole(fake, app, quiet):
    file = fake.image("slime", "#ff0000")
    fake.add(20, 10, sprite="slime")
    ticks(app)

    file.write_bytes(b"\x89PNG half of")
    assert not app.reload_asset(file)
    ticks(app)
    assert pixel(20, 10) == RED
    assert len(app.notices.lines) == 1

    fake.image("slime", "#0000ff")
    assert app.reload_asset(str(file))
    ticks(app)
    assert pixel(20, 10) == BLUE
    assert app.notices.lines == []


def test_a_missing_image_that_comes_takes_the_place_of_the_checkerboard(fake, app, quiet):
    fake.add(20, 10, sprite="slime")
    ticks(app)

    app.reload_asset(fake.image("slime", "#ff0000"))
    ticks(app)

    assert pixel(20, 10) == RED
    assert app.notices.lines == []


def test_what_is_no_asset_in_use_is_not_reloaded(fake, app, tmp_path):
    assert not app.reload_asset(fake.image("unused", "#ff0000"))
    assert not app.reload_asset(tmp_path / "elsewhere.png")
    assert not app.reload_asset(fake.assets / "notes.txt")


def test_changed_pictures_are_kept_within_a_bound(fake, app):
    fake.image("red", "#ff0000")
    images = Images(app._assets, app.notices)

    for step in range(PICTURES + 50):
        images.picture(Look("red", angle=step % 360, frame=step))

    assert len(images._pictures) == PICTURES
    assert images.picture(Look("red", angle=9, frame=PICTURES)) is images.picture(Look("red", angle=9, frame=PICTURES))


# Animations.


def test_an_animation_runs_on_the_worlds_clock_and_stop_gives_the_sprite_back(fake, app):
    fake.image("walk", "#ff0000", "#00ff00")
    fake.image("idle", "#0000ff")
    fake.add(20, 10, sprite="idle")

    seen = []
    fake.call("sprite.play", "walk", 10)
    for dt in (0.0, 0.11, 0.0, 0.1):
        app.step(dt)
        seen.append(pixel(20, 10))
    fake.call("sprite.stop")
    app.step(0.0)

    assert seen == [RED, GREEN, GREEN, RED]
    assert pixel(20, 10) == BLUE


def test_asking_every_frame_for_the_animation_that_plays_does_not_start_it_anew(fake, app):
    fake.image("walk", "#ff0000", "#00ff00")
    fake.add(20, 10, sprite="walk")

    for _ in range(4):
        fake.call("sprite.play", "walk", 10)
        app.step(0.04)

    assert pixel(20, 10) == GREEN


def test_a_flash_covers_the_sprite_and_fades(fake, app):
    fake.image("slime", "#000000")
    fake.add(20, 10, sprite="slime")

    fake.call("sprite.flash", "#ffffff", 0.2)
    greys = []
    for _ in range(4):
        app.step(0.07)
        greys.append(pixel(20, 10)[0])

    assert greys[0] == 255
    assert greys == sorted(greys, reverse=True)
    assert greys[3] == 0


def test_what_an_entity_played_is_forgotten_with_it(fake, app):
    fake.image("walk", "#ff0000")
    fake.add(20, 10, sprite="walk")
    fake.call("sprite.play", "walk", 10)
    fake.call("sprite.flash", "red", 9)
    ticks(app)

    fake.entities.clear()
    ticks(app)

    animations = app._stage._sprites.animations
    assert (animations._plays, animations._flashes) == ({}, {})
