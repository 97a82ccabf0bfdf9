"""What begins and ends between two frames: a death that is asked for meanwhile waits, in order with all the rest."""

import pytest

from engine import EngineError
from helpers import payloads_of

SAYS = """
local door = {}
bus.emit("said", "load")
function door:init() bus.emit("said", "init") end
function door:start() bus.emit("said", "start") end
function door:final() bus.emit("said", "final") end
return door
"""


@pytest.mark.row("A7")
@pytest.mark.parametrize("where", ["", "function door:init() ", "function door:start() "])
def test_an_entity_that_ends_itself_on_its_way_into_the_world_ends_when_it_has_begun(world, scripts, where):
    words = 'bus.emit("said", 1) entity.destroy() bus.emit("said", 2)' + (" end" if where else "")
    scripts.write(
        "door", f'local door = {{}}\n{where}{words}\nfunction door:final() bus.emit("said", 3) end return door'
    )
    said = payloads_of(world)

    door = world.spawn("door")

    assert said == [1, 2, 3]
    assert (door.alive, world.entities, world.problems) == (False, [], [])


def test_a_listener_that_ends_an_entity_while_it_begins_ends_it_when_it_has_begun(world, scripts):
    scripts.write("door", SAYS)
    said = payloads_of(world)
    world.bus.once("said", lambda event: world.entity(event.sender).destroy())

    door = world.spawn("door")

    assert said == ["load", "init", "start", "final"]
    assert not door.alive


@pytest.mark.parametrize("what", [lambda world: world.close(), lambda world: world.tick(1)], ids=["close", "tick"])
def test_a_listener_can_neither_close_nor_tick_the_world_while_an_entity_begins_or_ends(world, scripts, what):
    scripts.write("door", SAYS)
    said, refusals = payloads_of(world), []

    def listen(event):
        with pytest.raises(EngineError) as refused:
            what(world)
        refusals.append(str(refused.value))

    world.bus.on("said", listen)
    world.spawn("door").destroy()

    assert said == ["load", "init", "start", "final"]
    assert len(refusals) == 4 and all("while" in refusal for refusal in refusals)


def test_what_a_final_hook_ends_between_two_frames_ends_after_it(world, scripts):
    scripts.write(
        "chain",
        """
        local chain = {}
        function chain:final()
          if self.next then entity.destroy(self.next) end
          bus.emit("said", entity.id)
        end
        return chain
        """,
    )
    said = payloads_of(world)
    last = world.spawn("chain")
    middle = world.spawn("chain", next=last.id)
    first = world.spawn("chain", next=middle.id)

    first.destroy()

    assert said == [first.id, middle.id, last.id]
    assert world.entities == []
