"""Which names of functions are misspelt hooks, and which are the script's own."""

import pytest

from engine.hooks import HOOKS, is_called, meant_hook

MISSPELT = {
    "udpate": "update", "strat": "start", "sart": "start", "starrt": "start", "inti": "init", "fianl": "final",
    "on_imput": "on_input", "on_inptu": "on_input", "on_evnt": "on_event", "on_realod": "on_reload",
    "late_udpate": "late_update", "fixed_updte": "fixed_update",
    "Update": "update", "onInput": "on_input", "OnEvent": "on_event", "fixedUpdate": "fixed_update",
    "lateupdate": "late_update",
    "on_message": "on_event", "on_start": "start", "on_destroy": "final", "_ready": "start", "_process": "update",
}  # fmt: skip
OWN = ["on_hit", "on_road", "on_door", "restart", "finish", "date", "unit", "stand", "smart", "open", "on", "", "s"]


@pytest.mark.parametrize("name", MISSPELT)
def test_one_slip_another_spelling_or_another_engines_word_is_a_misspelt_hook(name):
    assert meant_hook(name) == MISSPELT[name]


@pytest.mark.parametrize("name", [*OWN, *HOOKS])
def test_names_of_their_own_and_hooks_are_no_misspelt_hooks(name):
    assert meant_hook(name) is None


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("function door:starts() end", False),
        ("local starts = 1\nfunction door:starts() end", False),
        ("door.starts = function() end", False),
        ("function door:starts() end function door:open() self:starts() end", True),
        ("function door:starts() end bus.on('x', self.starts)", True),
        ("function door:starts() end if self.starts == f then end", True),
    ],
)
def test_a_name_is_called_where_it_stands_behind_a_dot_or_colon_and_is_not_defined(text, called):
    assert is_called("starts", text) is called


def test_a_function_that_the_script_itself_calls_is_no_misspelt_hook(world, scripts):
    scripts.write("door", "local d = {} function d:starts() end function d:start() self:starts() end return d")

    world.spawn("door")
    world.tick(0.1)

    assert world.problems == []


@pytest.mark.parametrize("value", ["60", "{}", "setmetatable({}, { __call = print })", "'start'"])
def test_a_hook_that_is_no_function_is_a_problem_and_not_a_hook_that_is_never_called(world, scripts, value):
    scripts.write("door", f"local d = {{}} d.update = {value} return d")

    world.spawn("door")
    world.tick(0.1)

    [problem] = world.problems
    assert "update is a hook and must be a function, got a " in problem.message
    assert "write function door:update() ... end, or give it another name" in problem.message
