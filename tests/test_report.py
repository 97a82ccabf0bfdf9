"""What a problem says, and where in its line the culprit is marked."""

from dataclasses import dataclass

import pytest

from engine.report import LONGEST_ROW, culprit, plain, report
from helpers import ticks


@dataclass
class Problem:
    message: str = "attempt to index a nil value (global 'nill')"
    script: str | None = "scripts/door.lua"
    line: int | None = 12
    count: int = 3
    source: str = "\tself.open = nill.x  "
    outcome: str = "old version still running (v3)"


def test_a_report_has_place_message_line_mark_and_outcome():
    assert plain(Problem()) == "\n".join(
        [
            "scripts/door.lua:12: attempt to index a nil value (global 'nill')",
            "    12  self.open = nill.x",
            "                    ^^^^",
            "    old version still running (v3)",
        ]
    )


@pytest.mark.row("G5")
def test_nothing_that_a_script_says_is_obeyed_by_a_terminal(world, scripts, caplog):
    scripts.write("rogue", "return { start = function() print('\\27[2J\\tgone\\7') error('\\27]0;title\\7', 0) end }")
    caplog.set_level("INFO", logger="tidelock")

    world.spawn("rogue")

    assert "\x1b" not in caplog.text and "\x07" not in caplog.text
    assert "\\x1b[2J\tgone\\x07" in caplog.text
    assert "\\x1b]0;title\\x07" in plain(world.problems[0])


def test_what_is_not_known_is_left_out():
    told = report(Problem(message="it failed", script=None, line=None, count=1, source="", outcome=""))

    assert told == ("the game", "", "it failed", "", "", None, "")


@pytest.mark.parametrize(
    ("source", "message", "marked"),
    [
        ("local b = = 2", "unexpected symbol near '='", None),
        ("local b = ) 2", "unexpected symbol near ')'", ")"),
        ("self.a.b = 1", "attempt to index a nil value (field 'a')", "a"),
        ("self.a.b = self.a", "attempt to index a nil value (field 'a')", None),
        ("banana = an + 1", "attempt to perform arithmetic on a nil value (global 'an')", "an"),
        ("x = y.z", "attempt to index global 'y' (a nil value)", "y"),
        ("function door:on_evnt() end", 'there is no hook "on_evnt"; did you mean "on_event"?', "on_evnt"),
        ("if true then wait(-1) end", "wait: seconds must be a number >= 0, got -1", "wait"),
        ("bus.on(nil, print)", "bus.on: the event's name must be a string, got nil", "bus.on"),
        ("error('boom')", "boom", None),
    ],
)
def test_the_culprit_is_marked_where_it_stands_once(source, message, marked):
    found = culprit(source, message)

    assert (found and source[found[0] : sum(found)]) == marked


def test_a_text_that_ends_too_early_is_marked_at_its_end():
    assert culprit("return {", "unexpected symbol near <eof>") == (8, 1)
    assert culprit("return {", "unexpected symbol near '<eof>'") == (8, 1)


def test_every_error_of_a_script_comes_with_its_line_and_its_mark(world, scripts):
    scripts.write(
        "door",
        """
        local door = {}
        function door:start()
          bus.on("knock", function() self.bell.rings = 1 end)
          task.delay(0, function() nothing() end)
        end
        function door:update()
          wait(1)
        end
        return door
        """,
    )
    world.spawn("door")
    world.bus.emit("knock")

    ticks(world, 2)

    told = {report(problem).place: report(problem) for problem in world.problems}
    marks = {place: one.source[one.mark[0] : sum(one.mark)] for place, one in told.items() if one.mark}
    assert marks == {"scripts/door.lua:3": "bell", "scripts/door.lua:4": "nothing", "scripts/door.lua:7": "wait"}
    assert {place: one.outcome for place, one in told.items()} == {
        "scripts/door.lua:3": "the handler goes on listening",
        "scripts/door.lua:4": "the task ended",
        "scripts/door.lua:7": "update is called again in the next frame",
    }


def test_a_line_ends_for_a_problem_where_it_does_for_lua(world, scripts):
    scripts.write("door", "-- a\f, b\v, c\x85, d\u2028\nreturn { start = function()\r\n  error('stuck')\nend }")
    world.spawn("door")

    (problem,) = world.problems
    assert (problem.line, problem.source) == (3, "  error('stuck')")
    assert world.places("door", "stuck") == ["scripts/door.lua:3"]


def test_of_a_long_line_the_beginning_is_shown_and_marked(world, scripts):
    scripts.write("short", f"return {{ start = function(self) self.bell.rings = 1 {'local a = 1 ' * 100} end }}")
    scripts.write("long", f"return {{ start = function(self) {'local a = 1 ' * 100} self.bell.rings = 1 end }}")
    world.spawn("short")
    world.spawn("long")

    [short, long] = map(report, world.problems)

    assert len(short.source) == len(long.source) == LONGEST_ROW + 1
    assert short.source[short.mark[0] : sum(short.mark)] == "bell" and long.mark is None


def test_what_becomes_of_a_handler_that_fails_is_told(world, scripts):
    scripts.write(
        "door",
        """
        local door = {}
        function door:start()
          bus.once("knock", function() error("once") end)
          local sub
          sub = bus.on("knock", function() sub:cancel() error("cancelled") end)
          bus.handle("is_open", function() error("asked") end)
          pcall(bus.request, entity.id, "is_open")
        end
        return door
        """,
    )
    world.spawn("door")
    world.bus.emit("knock")

    ticks(world, 2)

    told = {problem.line: (problem.outcome, problem.traceback.rpartition("\n")[2]) for problem in world.problems}
    assert told == {
        3: ("the handler listens no more", "in the handler of 'knock'"),
        5: ("the handler listens no more", "in the handler of 'knock'"),
        6: ("who asked gets the error; the handler goes on answering", "in the handler of 'is_open'"),
    }
