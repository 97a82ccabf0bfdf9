"""What stands over the game: looked for by its colours, and by the text that is rendered."""

import pygame
import pytest

from app_fakes import FakeProblem, inked, ticks
from engine.app import palette
from engine.app.notices import MOST, Notices

SIZE = (320, 180)


@pytest.fixture
def window():
    return {"size": SIZE, "scale": 3}


@pytest.fixture
def written(app):
    """Every piece of text drawn so far."""
    texts = []
    font = app.overlay._font
    render = font.render

    def write(text, *args, **kwargs):
        texts.append(text)
        return render(text, *args, **kwargs)

    font.render = write
    return texts


def shows(color):
    """Whether the window has a pixel of that colour."""
    surface = pygame.display.get_surface()
    return pygame.mask.from_threshold(surface, color[:3], (2, 2, 2)).count() > 0


def test_a_problem_shows_where_what_and_what_became_of_it_until_it_is_mended(fake, app, written):
    fake.problems.append(
        FakeProblem(
            "attempt to index a nil value (global 'nill')",
            count=12,
            source="  self.open = nill.x",
            outcome="old version still running (v3)",
        )
    )
    ticks(app)
    message = "attempt to index a nil value (global 'nill')"
    assert {"scripts/door.lua:2", "  ×12", message, "self.open = nill.x"} <= set(written)
    assert "old version still running (v3)" in written
    assert shows(palette.WRONG)

    fake.problems.clear()
    ticks(app)
    assert inked() is None


@pytest.mark.parametrize(("source", "marked"), [("self.open = nill.x", True), ("nill = nill", False)])
def test_the_culprit_in_a_line_is_marked_where_it_is_known(fake, app, written, source, marked):
    fake.problems.append(FakeProblem("attempt to index a nil value (global 'nill')", source=source))

    ticks(app)

    assert any(set(text) == {"^"} for text in written) is marked


@pytest.mark.parametrize(("script", "line"), [(None, None), ("scripts/gone.lua", 3), ("scripts/door.lua", 99)])
def test_a_problem_without_a_readable_source_is_shown_all_the_same(fake, app, written, script, line):
    (fake.scripts / "door.lua").write_text("one\n")
    fake.problems.append(FakeProblem("wrong", script, line))

    ticks(app)

    assert "wrong" in written


def test_more_problems_than_fit_are_counted(fake, app, written):
    fake.problems += [FakeProblem(f"wrong {n}", line=n) for n in range(1, 8)]

    ticks(app)

    assert "wrong 4" in written
    assert "wrong 5" not in written
    assert "and 3 more" in written


def test_a_long_message_is_wrapped_into_the_window(fake, app, written):
    fake.problems.append(FakeProblem("a function cannot leave its state " * 40))

    ticks(app)

    font = app.overlay._font
    assert max(font.width(text) for text in written) <= SIZE[0] * 3 // 2


def test_a_notice_is_shown_until_it_is_mended(fake, app, written):
    fake.add(20, 20, sprite="slime", alpha=0)
    ticks(app)
    assert "no slime.png in assets/" in written
    assert shows(palette.WARN)

    app.reload_asset(fake.image("slime", "#ff0000"))
    ticks(app, 130)
    assert inked() is None


def test_a_reload_is_told_for_two_seconds(fake, app, written):
    fake.reloaded("door", 3, 0.0042)
    ticks(app)
    assert "door.lua reloaded (v3) 4 ms" in written

    ticks(app, 117)
    assert shows(palette.GOOD)
    ticks(app, 4)
    assert inked() is None


def test_a_reload_gives_what_was_wrong_a_new_start(fake, app):
    slime = fake.add(20, 20, sprite="slim")
    fake.image("slime", "#ff0000")
    ticks(app)

    slime.view["sprite"] = "slime"
    fake.reloaded("slime", 2, 0.001)
    ticks(app)

    assert app.notices.lines == []


def test_the_corner_shows_frame_time_rate_and_entities(fake, app, written):
    app.overlay.shown = True
    fake.add(0, 0)
    fake.add(0, 0)

    ticks(app, 30)

    assert any(text.endswith(" ms · 60 fps · 2 entities") for text in written)


def test_notices_are_one_for_each_thing_and_bounded(caplog):
    notices = Notices()
    for n in range(MOST + 10):
        notices.report(("image", n), f"no {n}.png")
        notices.report(("image", n), f"still no {n}.png")

    assert len(notices.lines) == MOST
    assert len(caplog.messages) == MOST
    notices.mend(("image", 0))
    assert notices.lines[0] == "no 1.png"
