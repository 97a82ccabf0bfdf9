"""What a script shows reaches whoever draws: the fields of `self`, and the commands."""

import pytest

from engine import Limits
from helpers import ticks

FULL = Limits.off().but(outbox=3_400)

FIELDS = {
    "sprite": "'door'", "frame": "2", "layer": "-1.5", "angle": "90", "scale": "0.5", "flip": "false", "alpha": "0.25",
    "visible": "false", "text": "'hello'", "light": "40", "color": "'red'",
}  # fmt: skip
VALUES = {
    "sprite": "door", "frame": 2, "layer": -1.5, "angle": 90, "scale": 0.5, "flip": False, "alpha": 0.25,
    "visible": False, "text": "hello", "light": 40, "color": "red",
}  # fmt: skip


@pytest.fixture
def shown(world, scripts):
    """An entity that does these lines, a frame each."""

    def make(*lines):
        steps = "\nwait()\n".join(lines)
        scripts.write("thing", f"local thing = {{}}\nfunction thing:start()\n{steps}\nend\nreturn thing")
        return world.spawn("thing")

    return make


def test_every_field_reaches_the_view(shown):
    thing = shown("\n".join(f"self.{name} = {value}" for name, value in FIELDS.items()))

    assert thing.view == VALUES


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ("sprite", "text", "light")])
def test_a_field_that_is_false_or_another_or_gone_is_so_in_the_view(world, shown, name):
    thing = shown(
        "self.sprite = 'door'", f"self.{name} = {FIELDS[name]}", f"self.{name} = false", f"self.{name} = nil", "wait(9)"
    )

    seen = []
    for _ in range(3):
        world.tick(1 / 60)
        seen.append(thing.view.get(name))

    assert seen == [VALUES[name], False, None]


@pytest.mark.parametrize("name", ["sprite", "text", "light"])
def test_an_entity_that_has_nothing_to_show_any_more_shows_nothing(world, shown, name):
    thing = shown(f"self.{name} = {FIELDS[name]}", f"self.{name} = nil", "wait(9)")
    before = thing.view

    ticks(world, 2)

    assert (before, thing.view) == ({name: VALUES[name]}, {})


def test_what_no_window_can_show_is_not_in_the_view(world, shown):
    thing = shown("self.sprite = 'door' self.frame = 1", "self.frame = {} self.flip = print self.text = {}")

    world.tick(1 / 60)

    assert thing.view == {"sprite": "door"}


def test_comparing_fields_asks_no_metamethod_of_the_script(world, shown):
    asked = "function() self.asked = true return true end"
    thing = shown(
        f"self.sprite = 'door' self.meta = {{ __eq = {asked}, __index = {asked} }}",
        "self.color = setmetatable({ 1, 2, 3 }, self.meta) self.frame = setmetatable({}, self.meta)",
        "self.color = setmetatable({ 4, 5, 6 }, self.meta) self.frame = setmetatable({}, self.meta)",
    )

    ticks(world, 2)

    with thing.self.upgrade() as self_:
        assert "asked" not in self_


def test_what_the_class_of_a_script_has_is_no_field_of_its_entities(world, scripts):
    scripts.write("thing", "local thing = { sprite = 'class', frame = 3 }\nreturn thing")

    thing = world.spawn("thing")

    assert thing.view == {}


def test_long_texts_and_colours_in_parts_are_shown(world, shown):
    thing = shown("self.text = ('x'):rep(5000) self.color = { 255, 0, 10 }", "self.text = 'short' self.color = 'blue'")
    first = thing.view

    world.tick(1 / 60)

    assert first == {"text": "x" * 5000, "color": [255, 0, 10]}
    assert thing.view == {"text": "short", "color": "blue"}


def test_a_colour_that_is_no_plain_data_is_told_once(world, shown):
    shown("self.sprite = 'door' self.color = { print }", "self.frame = 2", "self.frame = 3")

    ticks(world, 3)

    [line] = world.log
    assert line.text == "self.color[1]: a function cannot leave its state"


def test_a_view_that_somebody_holds_stays_as_it_is(world, shown):
    thing = shown("self.sprite = 'door' self.frame = 1", "self.frame = 2", "self.frame = 3")
    first = thing.view

    world.tick(1 / 60)
    second = thing.view
    world.tick(1 / 60)

    assert [view["frame"] for view in (first, second, thing.view)] == [1, 2, 3]


def test_what_the_game_puts_into_an_empty_view_is_shown_of_that_entity_only(world, scripts):
    scripts.write("thing", "return { update = function() end }")
    one, other = world.spawn("thing"), world.spawn("thing")

    one.view["sprite"] = "door"
    world.tick(1 / 60)

    assert [thing.view for thing in (one, other, world.spawn("thing"))] == [{"sprite": "door"}, {}, {}]


def test_after_a_reload_only_what_the_new_version_has_is_shown(world, scripts):
    scripts.write("thing", "return { init = function(self) self.sprite, self.frame = 'door', 2 end }")
    thing = world.spawn("thing")
    scripts.write("thing", "return { on_reload = function(self) self.sprite = nil self.text = 'no door' end }")

    world.reload("thing")
    world.tick(1 / 60)

    assert thing.view == {"frame": 2, "text": "no door"}


def test_a_field_for_which_a_tick_has_no_room_is_told_in_the_next(make_world, scripts):
    scripts.write(
        "thing",
        """
        local thing = {}
        function thing:start()
          self.sprite = "door"
          wait()
          bus.emit("much", ("x"):rep(3000))
          self.frame = 5
          wait()
        end
        return thing
        """,
    )
    world = make_world(limits=FULL)
    thing = world.spawn("thing")

    views = []
    for _ in range(2):
        world.tick(1 / 60)
        views.append(thing.view.get("frame"))

    assert views == [None, 5]


CALLS = {
    "draw.light(1, 2.5, 3, '#fff')": ("draw", "light", [1, 2.5, 3, "#fff"]),
    "draw.text('hi', 1, 2, { 255, 0, 0 })": ("draw", "text", ["hi", 1, 2, [255, 0, 0]]),
    "draw.say(('x'):rep(100))": ("draw", "say", ["x" * 100]),
    "draw.say('')": ("draw", "say", [""]),
    "draw.say()": ("draw", "say", []),
    "draw.line(1, 2, 3, 4, 5)": ("draw", "line", [1, 2, 3, 4, 5]),
    "draw.line(1, 2, 3, 4, 5, 6, 7)": ("draw", "line", [1, 2, 3, 4, 5, 6, 7]),
    "draw.line(1, 2, nil, nil, nil)": ("draw", "line", [1, 2]),
    "draw.circle(true, false)": ("draw", "circle", [True, False]),
    "sprite.stop()": ("sprite", "stop", []),
    "camera.follow()": ("camera", "follow", []),
    "sound.play('step', 0.5)": ("sound", "play", ["step", 0.5]),
    "sound.play('\\255')": ("sound", "play", [b"\xff"]),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_command_is_recorded_with_its_arguments(world, shown, call):
    thing = shown("wait()", call)

    ticks(world, 2)

    assert world.commands == [(*CALLS[call], thing.id)]
    assert world.problems == []


@pytest.mark.parametrize(
    ("call", "why"),
    [
        ("draw.text('hi', nil, 2)", "draw.text: argument 2 is nil"),
        ("draw.line(1, 2, 3, 4, nil, 6)", "draw.line: argument 5 is nil"),
        ("draw.text(print)", "draw.text[1]: a function cannot leave its state"),
        ("draw.text(('x'):rep(70000))", "draw.text: larger than 65536 bytes"),
    ],
)
def test_a_command_that_cannot_be_carried_is_an_error_at_its_line(make_world, scripts, call, why):
    scripts.write("thing", f"local thing = {{}}\nfunction thing:start()\n{call}\nend\nreturn thing")
    world = make_world(strict=False)

    world.spawn("thing")

    [problem] = world.problems
    assert (problem.line, problem.message) == (3, why)


def test_commands_of_two_entities_and_their_fields_stand_in_the_order_in_which_they_were_called(world, scripts):
    scripts.write(
        "thing",
        """
        local thing = {}
        function thing:update()
          draw.light(self.x, 0, 9)
          self.frame = self.x
          draw.text("t", self.x, { 1 })
          draw.light(self.x, 1, 9)
        end
        return thing
        """,
    )
    things = [world.spawn("thing", x=x, y=0, sprite="thing") for x in (1, 2)]

    world.tick(1 / 60)

    assert [(command.function, command.sender) for command in world.commands] == [
        (function, thing.id) for thing in things for function in ("light", "text", "light")
    ]
    assert [thing.view["frame"] for thing in things] == [1, 2]
