"""Runs hostile scripts beside a witness, each in a world of its own, all in one child process.

`python -m hostile lua55 < cases.json` writes one line of JSON per case. Nothing here may need pytest: it runs in a
process that is expected to be attacked.
"""

import json
import logging
import sys
import tempfile
import time
from pathlib import Path

from engine import Limits, LuaState, World

WITNESS = """
local witness = {}
function witness:init() self.updates, self.events = 0, 0 end
function witness:start()
  bus.on("tick", function() self.events = self.events + 1 end)
end
function witness:update() self.updates = self.updates + 1 end
return witness
"""

FRAMES = 4

WORK = """
local kept = {}
for i = 1, 2e4 do
  kept[i % 1000] = { i, tostring(i) }
end
"""


def unit(lua: str) -> float:
    """Processor seconds for a piece of work, so that what a case takes can be told without regard to the machine."""

    def once() -> float:
        with LuaState(lua, limits=Limits.off()) as state:
            started = time.process_time()
            state.run(WORK)
            return time.process_time() - started

    return min(once() for _ in range(5))


def run_case(lua: str, source: str, limits: Limits | None = None, frames: int = FRAMES) -> dict[str, object]:
    """What happened in a world with a witness and an entity of this source."""
    with tempfile.TemporaryDirectory() as folder:
        scripts = Path(folder) / "scripts"
        scripts.mkdir()
        (scripts / "witness.lua").write_text(WITNESS)
        (scripts / "hostile.lua").write_text(source)
        started = time.process_time()
        with World(scripts, lua=lua, limits=limits) as world:
            before = world.spawn("witness")
            hostile = world.spawn("hostile")
            after = world.spawn("witness")
            for _ in range(frames):
                world.bus.emit("tick")
                world.tick(1 / 60)
            seen = []
            for witness in (before, after):
                with witness.self.upgrade() as self_:
                    seen.append([self_["updates"], self_["events"]])
            return {
                "seconds": time.process_time() - started,
                "witness": seen == [[frames, frames], [frames, frames]],
                "alive": hostile.alive,
                "reached": world.shared.get("reached"),
                "entities": len(world.entities),
                "log": [line.text[:200] for line in world.log],
                "problems": [[p.message, p.script, p.line, p.count] for p in world.problems],
            }


def main() -> None:
    logging.disable(logging.CRITICAL)
    lua = sys.argv[1]
    one = unit(lua)
    for case in json.load(sys.stdin):
        limits = Limits().but(**case.get("limits", {}))
        said = run_case(lua, case["source"], limits, case.get("frames", FRAMES))
        print(json.dumps({**said, "units": said["seconds"] / one}), flush=True)


if __name__ == "__main__":
    main()
