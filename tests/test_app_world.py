"""The window around a real world: what scripts say is what is seen, and what the player does reaches them."""

import asyncio

import pygame
import pytest

from app_fakes import BLUE, GREEN, NIGHT, RED, pixel, ticks
from engine import HostModule
from engine.app import App
from engine.errors import EngineError, ScriptError, WorldClosed
from engine.host.host import Host


def now() -> float:
    return 0.0


@pytest.fixture
def assets(tmp_path):
    folder = tmp_path / "assets"
    folder.mkdir()
    for name, color in {"red": RED, "green": GREEN}.items():
        image = pygame.Surface((8, 8))
        image.fill(color)
        pygame.image.save(image, str(folder / f"{name}.png"))
    return folder


@pytest.fixture
def app(make_world, assets):
    with App(make_world(), size=(64, 36), scale=1, headless=True) as app:
        yield app


def test_an_entity_is_seen_where_its_script_puts_it(app, scripts):
    scripts.write(
        "walker",
        """
        local walker = {}

        function walker:update(dt)
          self.x = self.x + 1
        end

        return walker
        """,
    )
    app.world.spawn("walker", x=20, y=10, sprite="red")

    ticks(app)
    before = [pixel(x, 10) for x in range(64)]
    ticks(app, 10)
    after = [pixel(x, 10) for x in range(64)]

    assert before.count(RED) == after.count(RED) == 8
    assert after.index(RED) == before.index(RED) + 10


def test_a_script_draws_follows_and_changes_its_sprite(app, scripts):
    scripts.write(
        "eye",
        """
        local eye = {}

        function eye:start()
          camera.follow()
          wait(0.2)
          self.sprite = "green"
        end

        function eye:update()
          draw.rect(self.x - 20, self.y, 2, 2, "#0000ff")
          draw.rect(60, 30, 2, 2, { 0, 0, 255 }, "screen")
        end

        return eye
        """,
    )
    app.world.spawn("eye", x=500, y=300, sprite="red")

    ticks(app, 3)
    assert (pixel(32, 18), pixel(12, 18), pixel(61, 31)) == (RED, BLUE, BLUE)

    ticks(app, 15)
    assert pixel(32, 18) == GREEN


def test_a_key_reaches_on_input_and_input_down(app, scripts):
    scripts.write(
        "player",
        """
        local player = {}

        function player:on_input(action)
          if action.name == "use" and action.pressed then
            self.sprite = "green"
          end
        end

        function player:update()
          self.x = self.x + 10 * input.axis("left", "right")
        end

        return player
        """,
    )
    app.world.spawn("player", x=20, y=10, sprite="red")
    ticks(app)

    for key in (pygame.K_SPACE, pygame.K_RIGHT):
        pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
    ticks(app)

    assert pixel(30, 10) == GREEN


def test_a_failing_script_is_shown_and_the_others_go_on(app, scripts):
    scripts.write("broken", "local broken = {}\nfunction broken:start() self.a.b = 1 end\nreturn broken")
    scripts.write("still", "return {}")
    app.world.spawn("broken")
    app.world.spawn("still", x=50, y=30, sprite="red")

    ticks(app, 2)

    assert len(app.world.problems) == 1
    assert pixel(4, 33) != NIGHT
    assert pixel(10, 12) != NIGHT


def test_a_wrong_call_names_the_script_and_its_line_where_there_is_one(app, scripts):
    scripts.write("lib/ink", "local ink = {}\nfunction ink.dot()\n  draw.circle(1, 2, 'wide')\nend\nreturn ink")
    scripts.write(
        "painter",
        """
        local ink = require("lib.ink")
        return { start = function(self) -- draw.circle(1, 2, 3)
          ink.dot()
          self.sprite, self.layer = "slime", self.layer == 3 and 1 or "top"
          draw.text(1, 2, "three")
          draw.text("one", 2, 3)
        end }
        """,
    )
    app.world.spawn("painter", x=1, y=2)

    ticks(app, 2)

    begins = {line.rpartition(" must be")[0] for line in app.notices.lines}
    assert begins >= {
        "scripts/lib/ink.lua:3: draw.circle: r",
        "scripts/painter.lua:5 or scripts/painter.lua:6: draw.text: y",
        "scripts/painter.lua:4: self.layer",
    }


def test_a_missing_file_names_the_lines_that_may_have_asked_for_it(app, scripts):
    scripts.write(
        "thing",
        """
        local thing = {}
        thing.properties = { sprite = "rde" }

        function thing:update()
          draw.image('Green.png', 1, 2)
          sound.play("ba" .. "ng")
        end

        return thing
        """,
    )
    app.world.spawn("thing", x=1, y=2)

    ticks(app)

    assert app.notices.lines == [
        'scripts/thing.lua:5: no Green.png.png in assets/; did you mean "green"?',
        "no bang.wav or bang.ogg in assets/",
        'scripts/thing.lua:2: no rde.png in assets/; did you mean "red"?',
    ]


def test_a_wrong_call_names_the_script(app, scripts):
    scripts.write("painter", "return { start = function(self) draw.rect(1, 2) end }")
    app.world.spawn("painter")

    ticks(app, 2)

    assert len(app.notices.lines) == 1
    assert "painter" in app.notices.lines[0]
    assert "draw.rect: missing a required argument: 'w'" in app.notices.lines[0]


def test_run_closes_the_world_and_run_async_does_too(make_world, assets):
    one, two = make_world(), make_world()

    App(one, headless=True).run(frames=2)
    asyncio.run(App(two, headless=True).run_async(frames=2))

    for world in (one, two):
        assert world.frame == 2
        with pytest.raises(WorldClosed):
            world.tick(1 / 60)


def test_closing_in_the_middle_of_a_tick_names_the_way_out_and_closes_all_the_same(make_world, scripts):
    scripts.write("caller", "return { update = function() bus.emit('quit') end }")
    world = make_world()
    world.spawn("caller")
    app = App(world, headless=True)
    world.bus.on("quit", lambda event: app.close())

    with pytest.raises(EngineError, match=r"app\.stop\(\)"):
        app.run(frames=5)

    assert not pygame.display.get_init()
    with pytest.raises(WorldClosed):
        world.tick(1 / 60)


def test_ctrl_c_in_the_middle_of_a_tick_closes_the_world(make_world, scripts, press_ctrl_c):
    scripts.write("caller", "return { update = function() bus.emit('call') end }")
    world = make_world()
    world.spawn("caller")
    world.bus.on("call", lambda event: press_ctrl_c())

    with pytest.raises(KeyboardInterrupt):
        App(world, headless=True).run(frames=5)

    with pytest.raises(WorldClosed):
        world.tick(1 / 60)


def test_ctrl_c_at_the_border_of_lua_is_no_error_that_a_script_can_catch(
    make_world, scripts, press_ctrl_c, monkeypatch
):
    scripts.write("asker", "local clock = require('clock')\nreturn { update = function() pcall(clock.now) end }")
    clock = HostModule("clock")
    clock.function(now)
    world = make_world()
    world.install(clock)
    world.spawn("asker")
    question = Host.question

    def interrupted(*values):
        press_ctrl_c()
        return question(*values)

    monkeypatch.setattr(Host, "question", interrupted)

    with pytest.raises(KeyboardInterrupt):
        App(world, headless=True).run(frames=5)

    assert world.problems == []
    with pytest.raises(WorldClosed):
        world.tick(1 / 60)


def test_an_error_of_a_strict_world_comes_out_of_run_after_everything_is_closed(make_world, scripts):
    scripts.write("broken", "local broken = {}\nfunction broken:update() self.a.b = 1 end\nreturn broken")
    world = make_world(strict=True)
    world.spawn("broken")

    with pytest.raises(ScriptError, match=r"broken\.lua:2"):
        App(world, headless=True).run(frames=5)

    assert not pygame.display.get_init()
    with pytest.raises(WorldClosed):
        world.tick(1 / 60)
