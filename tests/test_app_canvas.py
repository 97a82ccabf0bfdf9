"""What cameras, drawing calls, the night and text look like, pixel by pixel."""

import pygame
import pytest

from app_fakes import BLUE, GREEN, NIGHT, RED, inked, pixel, ticks
from engine.app import palette
from engine.app.text import LINE, Font

# Camera.


def test_the_camera_starts_at_the_first_it_follows_and_glides_after_it(fake, app):
    fake.image("dot", "#ff0000", side=2)
    fake.add(500, 300, sprite="dot")
    fake.call("camera.follow")
    ticks(app)
    assert inked().center == (32, 18)

    fake.entities[0].position = (520, 300)
    ticks(app)
    on_the_way = inked().centerx
    ticks(app, 60)

    assert 45 < on_the_way < 52
    assert inked().center == (32, 18)


def test_the_camera_follows_another_by_its_id_and_stays_when_that_is_gone(fake, app):
    fake.image("dot", "#ff0000", side=2)
    fake.add(0, 0)
    fake.add(200, 100, sprite="dot")
    fake.call("camera.follow", 2, sender=1)
    ticks(app)
    fake.entities.pop()
    fake.add(200, 100, sprite="dot").id = 3
    ticks(app, 5)

    assert inked().center == (32, 18)


def test_a_shake_moves_the_picture_and_ends(fake, app):
    fake.image("dot", "#ff0000", side=2)
    fake.add(32, 18, sprite="dot")

    fake.call("camera.shake", 6, 0.5)
    places = set()
    for _ in range(40):
        ticks(app)
        places.add(inked().center)

    assert len(places) > 5
    assert all(abs(x - 32) <= 7 and abs(y - 18) <= 7 for x, y in places)
    assert inked().center == (32, 18)


def test_a_fade_covers_the_picture_within_its_seconds_and_uncovers_it(fake, app):
    fake.call("camera.fade", "#ffffff", 1.0)
    seen = []
    for _ in range(5):
        app.step(0.25)
        seen.append(pixel(5, 5)[0])
    fake.call("camera.fade", "#00000000", 0.5)
    app.step(0.25)
    half = pixel(5, 5)[0]
    app.step(0.25)

    assert seen == sorted(seen)
    assert seen[1] == pytest.approx(133, abs=3)
    assert seen[3] == seen[4] == 255
    assert half == seen[1]
    assert pixel(5, 5) == NIGHT


def test_a_fade_goes_on_from_where_the_last_one_was(fake, app):
    fake.call("camera.fade", "#ffffff", 1.0)
    app.step(0.25)
    app.step(0.25)
    before = pixel(5, 5)[0]
    fake.call("camera.fade", "#ffffff00", 1.0)
    app.step(0.02)

    assert before - 10 < pixel(5, 5)[0] < before


# Drawing calls.


def test_shapes_are_drawn_where_they_are_asked_for_and_only_in_that_frame(fake, app):
    fake.call("draw.rect", 2, 3, 4, 5, "#ff0000")
    fake.call("draw.circle", 20, 10, 4, [0, 255, 0])
    fake.call("draw.line", 30, 2, 30, 8, [0, 0, 255, 255])
    ticks(app)
    seen = [pixel(2, 3), pixel(5, 7), pixel(6, 7), pixel(20, 7), pixel(16, 6), pixel(30, 2), pixel(30, 8)]
    ticks(app)

    assert seen == [RED, RED, NIGHT, GREEN, NIGHT, BLUE, BLUE]
    assert inked() is None


def test_a_colour_with_alpha_mixes_with_what_is_below(fake, app):
    fake.call("draw.rect", 0, 0, 64, 36, "#0000ff")
    fake.call("draw.rect", -10, -10, 30, 30, "#ff000080")
    fake.call("draw.circle", 40, 10, 5, "#ff000080")
    fake.call("draw.line", 60, 0, 60, 20, "#ff000080")
    ticks(app)

    for place in [(5, 5), (40, 10), (60, 5)]:
        assert pixel(*place) == pytest.approx((128, 0, 127), abs=2)


def test_the_camera_moves_what_stands_in_the_world_and_not_what_stands_on_the_screen(fake, app):
    fake.call("camera.move", 132, 118)
    fake.call("draw.rect", 110, 110, 2, 2, "#ff0000")
    fake.call("draw.rect", 20, 20, 2, 2, "#00ff00", "screen")
    fake.call("draw.rect", 30, 20, 2, 2, "screen")
    ticks(app)

    assert (pixel(10, 10), pixel(20, 20), pixel(30, 20)) == (RED, GREEN, palette.INK[:3])


def test_text_begins_at_its_upper_left_corner(fake, app):
    fake.call("draw.text", "H", 10, 5, "#ff0000")
    ticks(app)

    assert inked().topleft == (10, 5)
    assert (pixel(10, 11), pixel(14, 11), pixel(12, 5)) == (RED, RED, NIGHT)


def test_an_entitys_text_stands_above_its_sprite_in_its_color(fake, app):
    fake.image("red", "#ff0000")
    fake.add(30, 24, sprite="red", text="I", color="#00ff00")

    ticks(app)

    assert pixel(30, 24) == RED
    assert any(pixel(30, y) == GREEN for y in range(8, 19))


def test_what_is_said_stays_until_it_is_taken_back_or_four_seconds_are_over(fake, app):
    fake.call("draw.say", "It is late.")
    app.step(0.2)
    first = inked()
    for _ in range(15):
        app.step(0.25)
    still = inked()
    app.step(0.25)

    assert first is not None
    assert still == first
    assert inked() is None

    fake.call("draw.say", "Go home.")
    app.step(0.1)
    fake.call("draw.say")
    app.step(0.1)
    assert inked() is None


@pytest.mark.parametrize(
    ("name", "args", "notice"),
    [
        ("draw.rect", [1, 2], "thing: draw.rect: missing a required argument: 'w'"),
        ("sprite.flash", [], "thing: sprite.flash: missing a required argument: 'color'"),
        ("sound.play", [], "thing: sound.play: missing a required argument: 'name'"),
        ("draw.rect", [1, 2, 3, -4], "thing: draw.rect: h must be a number >= 0, got -4"),
        ("draw.rect", [1, 2, 3, 4, "blu"], '{255, 217, 160}, got "blu"'),
        ("draw.circle", [None, 2, 3], "x must be a number, got nil"),
        ("draw.text", ["hi", 1, 2, "red", "moon"], 'must be "world" or "screen", got "moon"'),
        ("draw.text", [{}, 1, 2], "text must be a string, got {}"),
        ("draw.crcle", [], 'no such function; did you mean "circle"?'),
        ("camera.move", [float("inf"), 2], "x must be a finite number, got inf"),
        ("camera.move", [10**400, 2], "x must be a number, got 1000"),
        ("sprite.play", [None], "sheet must be a name, got nil"),
        ("sprite.flash", ["red", "long"], 'seconds must be a number, got "long"'),
        ("sound.play", [True], "name must be a name, got true"),
        ("music.play", [], "no such function"),
    ],
)  # fmt: skip
def test_a_wrong_call_is_one_notice_and_the_next_calls_are_drawn(fake, app, quiet, name, args, notice):
    for _ in range(2):
        fake.add(0, 0)
        fake.call(name, *args)
        fake.call("draw.rect", 2, 3, 4, 5, "#ff0000")
        ticks(app)

    assert len(app.notices.lines) == 1
    assert notice in app.notices.lines[0]
    assert pixel(2, 3) == RED


def test_calls_from_far_out_draw_nothing_and_harm_nothing(fake, app):
    for far in (1e300, -1e300, 2**40):
        fake.call("draw.rect", far, far, 1e12, 1e12, "#ff000080")
        fake.call("draw.circle", far, far, 5, "red")
        fake.call("draw.line", far, 0, -far, 0, "#ff000000")
        fake.call("draw.text", "far", far, far)
        fake.call("draw.light", far, far, 1e12)
    app.ambient = "#808080"

    ticks(app)

    assert pixel(30, 30) == pytest.approx((6, 7, 13), abs=1)


def test_numbers_at_the_end_of_what_a_float_holds_harm_nothing(fake, app):
    fake.image("dot", "#ff0000", "#00ff00")
    fake.add(1e308, 5, sprite="dot", scale=1e308, text="far", light=1e308)
    app.ambient = "#808080"

    for x in (-1e308, 1e308):
        fake.call("camera.move", x, 0)
        fake.call("camera.shake", 10, 1e308)
        fake.call("sprite.play", "dot", 1e308)
        ticks(app)
        fake.call("camera.follow")
        app.step(10)

    assert len(fake.ticks) == 4


# Night.


def test_without_ambient_there_is_no_darkness(fake, app):
    fake.call("draw.light", 32, 18, 10)
    ticks(app)

    assert inked() is None


def test_at_night_a_lamp_lights_what_is_near_and_fades_outwards(fake, app):
    app.ambient = "#202020"
    fake.call("draw.rect", 0, 0, 64, 36, "#ffffff")
    fake.call("draw.light", 32, 18, 16, "#ffffff")
    ticks(app)

    row = [pixel(x, 18)[0] for x in range(32, 64)]
    assert row[0] > 240
    assert row == sorted(row, reverse=True)
    assert row[17] == 32


def test_a_lamp_that_an_entity_carries_lights_its_place(fake, app):
    app.ambient = "#000000"
    fake.image("snow", "#ffffff", side=16)
    fake.add(16, 18, sprite="snow", light=12)
    fake.add(48, 18, sprite="snow")

    ticks(app)

    assert pixel(16, 18)[0] > 240
    assert pixel(48, 18) == (0, 0, 0)


def test_a_lamp_has_a_colour(fake, app):
    app.ambient = "#000000"
    fake.call("draw.rect", 0, 0, 64, 36, "#ffffff")
    fake.call("draw.light", 32, 18, 10, "#0000ff")
    ticks(app)

    assert pixel(32, 18)[:2] == (0, 0)
    assert pixel(32, 18)[2] > 200


def test_night_does_not_darken_what_is_to_be_read(fake, app):
    app.ambient = "#000000"
    fake.call("draw.text", "H", 10, 5, "#ff0000")
    fake.call("draw.rect", 40, 5, 4, 4, "#00ff00", "screen")
    fake.call("draw.rect", 50, 5, 4, 4, "#00ff00")
    ticks(app)

    assert (pixel(10, 5), pixel(40, 5), pixel(50, 5)) == (RED, GREEN, (0, 0, 0))


def test_an_ambient_that_is_no_colour_is_refused_at_once(app):
    with pytest.raises(ValueError, match='ambient must be a colour like "#ffd9a0"'):
        app.ambient = "dusk"


# Text.


def test_letters_of_all_kinds_are_drawn():
    font = Font()
    for text in ("A", "é", "Ж", "漢", "→", "?"):
        assert pygame.mask.from_surface(font.render(text, (255, 255, 255, 255), shadow=False)).count() > 3


def test_wrapped_lines_fit_and_lose_no_word():
    font = Font()
    text = "a function cannot leave its state averyveryverylongwordindeed\nand so on"

    lines = font.wrap(text, 80)

    assert max(map(font.width, lines)) <= 80
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert lines[-1] == "and so on"


def test_shortened_text_fits_and_says_so():
    font = Font()

    assert font.shorten("short", 100) == "short"
    assert font.shorten("a rather long line", 50).endswith("…")
    assert font.width(font.shorten("a rather long line", 50)) <= 50


# Images and aligned texts.


def test_an_image_stands_on_the_screen_over_what_was_drawn_before_it(fake, quiet):
    fake.image("heart", "#ff0000", side=4)
    fake.call("camera.move", 500, 500)
    fake.call("draw.rect", 0, 0, 20, 20, "#00ff00", "screen")
    fake.call("draw.image", "heart", 3, 5, "screen")
    fake.call("draw.rect", 4, 6, 1, 1, "#0000ff", "screen")
    ticks(quiet)

    assert [pixel(x, y) for x, y in ((2, 5), (3, 5), (6, 8), (7, 8), (4, 6))] == [GREEN, RED, RED, GREEN, BLUE]


def test_an_image_in_the_world_moves_with_the_camera_and_shows_a_frame_of_its_sheet(fake, quiet):
    sheet = pygame.Surface((8, 4))
    sheet.fill("#ff0000", (0, 0, 4, 4))
    sheet.fill("#00ff00", (4, 0, 4, 4))
    pygame.image.save(sheet, str(fake.assets / "tiles.png"))
    fake.call("camera.move", 132, 118)
    fake.call("draw.image", "tiles", 110, 110, 1)
    ticks(quiet)

    assert (pixel(10, 10), pixel(13, 13), pixel(14, 10)) == (GREEN, GREEN, NIGHT)


def test_an_image_that_is_not_there_is_told(fake, app):
    fake.image("heart", "#ff0000")
    fake.call("draw.image", "haert", 3, 5)
    ticks(app)

    assert 'did you mean "heart"' in app.notices.lines[0]


def columns(app):
    box = pygame.mask.from_threshold(app._window.surface, (255, 255, 255), (9, 9, 9)).get_bounding_rects()
    return min(rect.left for rect in box), max(rect.right for rect in box)


def test_a_text_ends_or_has_its_middle_where_its_alignment_says(fake, quiet):
    width = Font().width("gold")
    seen = {}
    for align in ("left", "center", "right"):
        fake.call("draw.text", "gold", 32, 10, "#ffffff", "screen", align)
        ticks(quiet)
        seen[align] = columns(quiet)

    assert seen == {
        "left": (32, 32 + width),
        "center": (32 - width // 2, 32 - width // 2 + width),
        "right": (32 - width, 32),
    }


def test_each_line_of_a_text_is_aligned_and_the_colour_and_the_place_may_be_left_out(fake, quiet):
    fake.call("draw.text", "a\nlonger", 50, 4, "right")
    ticks(quiet)
    whole = pygame.image.tobytes(quiet._window.surface, "RGB")
    fake.call("draw.text", "a", 50, 4, "#ffffff", "right")
    ticks(quiet)
    short = columns(quiet)
    fake.call("draw.text", "a", 50, 4, palette_ink(), "world", "right")
    fake.call("draw.text", "longer", 50, 4 + LINE, palette_ink(), "world", "right")
    ticks(quiet)

    assert short[1] == 50
    assert pygame.image.tobytes(quiet._window.surface, "RGB") == whole


def palette_ink():
    return list(palette.INK)


def test_an_alignment_that_there_is_not_is_told(fake, app):
    fake.call("draw.text", "a", 50, 4, "#ffffff", "screen", "middle")
    ticks(app)

    assert 'align must be "left", "center" or "right", got "middle"' in app.notices.lines[0]
