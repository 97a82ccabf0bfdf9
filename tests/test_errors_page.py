"""Every example of docs/errors.md causes the message that it stands under."""

from pathlib import Path
from textwrap import indent

import pytest

import engine
from engine import World
from test_docs import Block, blocks

PAGE = Path(__file__).parent.parent / "docs/errors.md"
EXAMPLES = [block for block in blocks(PAGE.read_text(encoding="utf-8")) if block.code.startswith("-- error: ")]


def script_of(block: Block) -> tuple[str, str]:
    """The message, and the script that causes it."""
    head, body = block.code.split("\n", 1)
    if "local door" not in body:
        body = f"local door = {{}}\nfunction door:start()\n{indent(body, '  ')}end\nreturn door\n"
    return head.removeprefix("-- error: "), body


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: f"line-{block.line}")
def test_an_example_causes_its_message(block, scripts, lua):
    if lua == "luajit21" and "lua55" in block.flags:
        pytest.skip("limits on instructions hold on PUC Lua")
    message, script = script_of(block)
    scripts.write("door", script)
    with World(scripts.path, lua=lua) as world:
        world.spawn("door")
        for _ in range(20):
            world.tick(0.05)

        said = [problem.message for problem in world.problems]

    assert any(message in one for one in said), said


def test_the_errors_of_python_are_the_public_ones():
    page = PAGE.read_text(encoding="utf-8")
    public = [
        name
        for name in engine.__all__
        if isinstance(getattr(engine, name), type) and issubclass(getattr(engine, name), engine.EngineError)
    ]

    assert [name for name in public if name != "EngineError" and f"`{name}`" not in page] == []
