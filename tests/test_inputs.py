"""What the player does, as scripts hear of it and ask for it."""

from helpers import payloads_of


def test_the_pointer_is_a_place_in_the_world_and_one_on_the_screen(world, scripts):
    scripts.write(
        "hand",
        """
        local h = {}
        function h:on_input(action)
          local x, y = input.mouse()
          local left, top = input.mouse("screen")
          bus.emit("seen", { x, y, left, top, action.x, action.y, input.mouse("world") == x })
        end
        return h
        """,
    )
    seen = []
    world.bus.on("seen", lambda event: seen.append(event.payload))
    world.spawn("hand")

    world.input.point(110, 105, 100, 100)
    world.input.press("click")
    world.tick(0.1)
    world.input.point(3, 4)
    world.input.release("click")
    world.tick(0.1)

    assert seen == [[110, 105, 10, 5, 110, 105, True], [3, 4, 3, 4, 3, 4, True]]


def test_actions_reach_on_input_and_input_down(world, scripts):
    scripts.write(
        "player",
        """
        local player = {}
        function player:on_input(action)
          bus.emit("said", { action.name, action.pressed, input.down("left"), input.axis("left", "right") })
        end
        return player
        """,
    )
    world.spawn("player")
    said = payloads_of(world)

    world.input.press("left")
    world.tick(1 / 60)
    world.input.release("left")
    world.input.press("right")
    world.tick(1 / 60)

    assert said == [["left", True, True, -1], ["left", False, False, 1], ["right", True, False, 1]]


def test_pressing_what_is_held_and_releasing_what_is_not_does_nothing(world, scripts):
    scripts.write("player", "return { on_input = function(_, action) print(action.name, action.pressed) end }")
    world.spawn("player")

    for change in (world.input.press, world.input.press, world.input.release, world.input.release):
        change("jump")
        world.tick(1 / 60)

    assert [line.text for line in world.log] == ["jump\ttrue", "jump\tfalse"]
