"""Host modules by themselves: what may be in one, type hints against arguments, annotations for editors."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import pytest

from engine import EngineError, FunctionHandle, HostModule, LuaState
from engine.errors import ScriptError
from engine.host import Callback, files_module, http_module, json_module
from engine.host.calls import Call, Calls
from engine.host.faults import REMEMBERED, Faults, failure_of
from engine.host.kinds import Mismatch, accept
from engine.host.signature import Signature


def function(*_: object) -> None: ...


@pytest.mark.row("E7")
@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, 3, 3),
        (int, 3.0, 3),
        (float, 3, 3.0),
        (float, 2.5, 2.5),
        (bool, True, True),
        (str, "é", "é"),
        (bytes, "é", b"\xc3\xa9"),
        (bytes, b"\xff", b"\xff"),
        (Any, {"a": 1}, {"a": 1}),
        (object, None, None),
        (int | None, None, None),
        (float | int, 3, 3),
        (str | int, 3, 3),
        (list, [1], [1]),
        (list[int], {}, []),
        (list[float], [1, 2], [1.0, 2.0]),
        (Sequence[str], ["a"], ["a"]),
        (dict, {}, {}),
        (dict[str, int], {"a": 1.0}, {"a": 1}),
        (dict[int, str], {3: "a"}, {3: "a"}),
        (Mapping[str, list[int]], {"a": [1]}, {"a": [1]}),
        (Literal["a", "b"], "b", "b"),
        (Callable[[int], None], function, function),
        (Callback, function, function),
        (FunctionHandle, function, function),
        (Callback | None, None, None),
        (complex, "anything goes where a hint says nothing to us", "anything goes where a hint says nothing to us"),
    ],
)
def test_a_value_fits_its_hint(hint, value, expected):
    found = accept(hint, value, "it")

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.row("E7")
@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (int, 3.5, "it must be an integer, got the number 3.5"),
        (int, True, "it must be an integer, got true"),
        (int, "3", 'it must be an integer, got the string "3"'),
        (int, None, "it must be an integer, got nil"),
        (float, True, "it must be a number, got true"),
        (bool, 1, "it must be a boolean, got the number 1"),
        (str, b"\xff", "it must be a string, got a string that is no UTF-8"),
        (str, {}, "it must be a string, got a table"),
        (int | None, "x", 'it must be an integer or nil, got the string "x"'),
        (str | int, [], "it must be a string or an integer, got a list"),
        (list[int], [1, "x"], 'it[2] must be an integer, got the string "x"'),
        (list[int] | None, [1, "x"], 'it[2] must be an integer, got the string "x"'),
        (list, {"a": 1}, "it must be a list, got a table"),
        (dict[str, int], {"a": "x"}, 'it.a must be an integer, got the string "x"'),
        (dict[str, int], {3: 1}, "a key of it must be a string, got the number 3"),
        (dict, [1], "it must be a table with names, got a list"),
        (Literal["a", 2], "c", 'it must be "a" or 2, got the string "c"'),
        (Callback, 3, "it must be a function, got the number 3"),
        (str, function, "it must be a string, got a function"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_in_the_words_of_a_script(hint, value, message):
    with pytest.raises(Mismatch) as caught:
        accept(hint, value, "it")

    assert str(caught.value) == message


def test_arguments_options_and_defaults_find_their_parameters():
    def ask(url: str, tries: int = 3, *, wait: float = 1.0, on_end: Callback | None = None) -> None: ...

    bind = Signature(ask).bind

    assert bind(["a"]) == (["a", 3], {})
    assert bind(["a", None, {"wait": 2}]) == (["a", 3], {"wait": 2.0})
    assert bind(["a", 4, {"on_end": function}]) == (["a", 4], {"on_end": function})
    assert bind(["a", 4, None, None]) == (["a", 4], {})


def test_the_rest_of_the_arguments_may_be_any_number():
    def add(first: int, *others: int) -> None: ...

    bind = Signature(add).bind

    assert bind([1]) == ([1], {})
    assert bind([1, 2, 3]) == ([1, 2, 3], {})
    with pytest.raises(Mismatch, match="argument 3 must be an integer"):
        bind([1, 2, "x"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], r"argument 1 \(a\) is missing"),
        ([1, {"b": 2}, 3], "takes at most 2 arguments, got 3"),
        ([1, {"c": 2}], 'unknown option "c"; there is b'),
        ([1, {"bb": 2}], 'unknown option "bb"; did you mean "b"'),
        ([1, 2], "options must be a table with names, got the number 2"),
        ([1], "option b is missing"),
    ],
)
def test_arguments_that_find_no_parameter_are_refused(args, message):
    def ask(a: int, *, b: int) -> None: ...

    with pytest.raises(Mismatch, match=message):
        Signature(ask).bind(args)


def test_hints_that_cannot_be_resolved_check_nothing():
    def ask(a: "Nowhere") -> None: ...  # noqa: F821

    assert Signature(ask).bind([3]) == ([3], {})


def test_each_kind_of_function_has_its_decorator():
    module = HostModule("m")

    async def later() -> None: ...

    def now() -> None: ...

    with pytest.raises(EngineError, match=r"use @m\.coroutine"):
        module.function(later)
    with pytest.raises(EngineError, match=r"use @m\.coroutine"):
        module.blocking(later)
    with pytest.raises(EngineError, match=r"use @m\.function"):
        module.coroutine(now)
    module.function(now)
    with pytest.raises(EngineError, match="two functions called now"):
        module.blocking(now)
    with pytest.raises(EngineError, match="timeout must be seconds > 0"):
        module.coroutine(timeout=0)(later)
    for name in ("", "a b", "3d", "a..b", None):
        with pytest.raises(EngineError, match="the name of a host module"):
            HostModule(name)


@pytest.mark.parametrize("wrong", [5, None, lambda: 1, object()], ids=["number", "none", "lambda", "object"])
@pytest.mark.parametrize("kind", ["function", "blocking"])
def test_what_scripts_could_not_call_by_a_name_is_refused_with_what_it_is(kind, wrong):
    if kind == "blocking" and wrong is None:
        wrong = "none"  # without an argument it is a decorator with options

    with pytest.raises(EngineError, match='host module "doors": expected a function that has a name, got '):
        getattr(HostModule("doors"), kind)(wrong)


@pytest.mark.parametrize("wrong", [int, partial(max, 1)], ids=["class", "partial"])
def test_a_function_that_does_not_tell_its_parameters_is_refused_with_the_way_out(wrong):
    with pytest.raises(EngineError, match=r"doors\.\w+: Python does not tell its parameters; call it in a def"):
        HostModule("doors").function(wrong)


def test_a_function_with_some_arguments_filled_in_keeps_its_name():
    def between(low, high):
        return high - low

    module = HostModule("doors")
    module.function(partial(between, 1))

    assert list(module.functions) == ["between"]


def test_a_decorated_function_stays_what_it_was():
    module = HostModule("m")

    @module.coroutine(timeout=3)
    async def double(n: int) -> int:
        return 2 * n

    assert asyncio.run(double(4)) == 8
    assert repr(module) == "<HostModule m: double>"


def test_annotations_tell_an_editor_what_there_is():
    module = HostModule("scores", doc="Who was best.")

    @module.function
    def best(count: int = 3) -> list[dict[str, int]]:
        """The best scores.

        Newest first.
        """
        return []

    @module.coroutine
    async def send(name: str, *rest: float) -> None: ...

    @module.blocking
    def save(name: Literal["a", "b"], *, on_end: Callback | None = None, force: bool) -> bool | None: ...

    assert (
        module.annotations()
        == """---@meta scores

--- Who was best.
local scores = {}

--- The best scores.
---
--- Newest first.
---@param count? integer
---@return table<string, integer>[]
function scores.best(count) end

---@async
---@param name string
---@param ... number
function scores.send(name, ...) end

---@async
---@param name "a"|"b"
---@param options { on_end?: fun(...)|nil, force: boolean }
---@return boolean|nil
function scores.save(name, options) end

return scores
"""
    )


def test_annotations_are_lua_also_where_python_uses_its_words():
    module = HostModule("repeat", doc="Ends. ]]")

    def end(function: int, *, until: int = 3) -> None:
        """]] --[["""

    module.function(end)

    said = module.annotations()

    assert 'repeat_["end"] = function(function_, options) end' in said
    with LuaState() as state:
        _, complaint = state.call("load", said)
    assert complaint is None
    assert "---@param function_ integer" in said


def test_the_modules_that_ship_have_annotations(tmp_path):
    texts = [module.annotations() for module in (http_module(), files_module(tmp_path), json_module())]

    assert "function http.get(url, options) end" in texts[0]
    assert "on_progress?: fun(...)|nil" in texts[0]
    assert "---@return string|nil\nfunction files.read(path) end" in texts[1]
    assert "function json.decode(text) end" in texts[2]


@pytest.mark.row("E6")
def test_room_that_a_call_leaves_goes_to_the_next_in_order():
    calls = Calls(3)
    module = HostModule("m")
    module.function(function)
    called = module.functions["function"]
    made = [Call(entity, token, called, [], {}, most=2) for entity in (1, 2) for token in range(4)]
    for call in made:
        calls.add(call)

    begun = drain(calls)
    assert [(call.entity, call.token) for call in begun] == [(1, 0), (1, 1), (2, 0)]

    calls.leave(2)
    calls.ended(begun[2])
    assert drain(calls) == []

    calls.cancel(1, 2)
    calls.ended(begun[0])
    assert [(call.entity, call.token) for call in drain(calls)] == [(1, 3)]
    assert len(calls) == 3


def drain(calls: Calls) -> list[Call]:
    return list(iter(calls.take_ready, None))


@pytest.mark.row("E7")
def test_only_the_newest_failures_are_remembered():
    faults = Faults()
    for number in range(REMEMBERED + 1):
        faults.remember(failure_of("m.f", ValueError(f"number {number}!")))

    oldest, newest = ScriptError("m.f: ValueError: number 0!"), ScriptError(f"m.f: ValueError: number {REMEMBERED}!")
    faults.explain(oldest)
    faults.explain(newest)

    assert oldest.__cause__ is None
    assert isinstance(newest.__cause__, ValueError)


def test_a_message_that_cannot_be_read_or_sent_is_still_told():
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert failure_of("m.f", Odd()).text == "m.f: Odd: its message cannot be read"
    assert failure_of("m.f", ValueError("\udcff")).text == "m.f: ValueError: \\udcff"
    assert failure_of("m.f", KeyError()).text == "m.f: KeyError"


def test_what_stands_in_for_a_module_must_have_its_name():
    module = HostModule("sky")
    assert module.stand_in() is module

    module.in_tests(lambda: HostModule("sea"))

    with pytest.raises(
        EngineError, match='stands in for the host module "sky" must have its name, got <HostModule sea'
    ):
        module.stand_in()
