"""What a child process says is looked at before it is believed."""

import contextlib
import socket
from threading import Thread

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.display import COMMANDS, FIELDS, packed
from engine.mods import Rights
from engine.payload import encode
from engine.permits import Permit
from engine.process.guard import Known, checked
from engine.process.leaves import leaves_of
from engine.process.wire import MOST, Link, Refused


def known():
    state = Known()
    state.loaded, state.granted, state.asked = {5}, {9: b"door"}, {3}
    return state


def said(*operation):
    name, entity, *values = operation
    return (True, None, None, name, entity, len(values), *values)


LIGHT = COMMANDS.index(("draw", "light"))
FRAME = len(COMMANDS) + FIELDS.index("frame")


def shown(number, entity, *values):
    return (True, None, None, packed(number, entity, len(values)), *values)


HONEST = [
    True,
    0.5,
    None,
    (False, 1, 2.5),
    (1, 2.5),
    said(b"emit", 5, b"tick", 0, 0, b"{1:a.1:b[2.]}", 1, 2.0, b"x"),
    said(b"spawn", 5, b"door", 9, 0, b"{}"),
    said(b"reply", 5, 1, 3, b"ok", b"_"),
    said(b"log", 5, b"info", b"text", b"door", 3),
    said(b"places", 0, 5, 1.0, 2),
    said(b"problem", 5, b"no", b"", False, b"start", False),
    said(b"look", 5, len(FIELDS), 0, 0, b"[3.]", 1, 2, 3),
    said(b"look", 5, 1, 0, 0, b"_"),
    (*shown(LIGHT, 5, 1, 2.5, 3, b"red"), *shown(FRAME, 5, 2)[3:]),
]

FORGED = [
    (None, None),
    (1.0, b"x"),
    float("nan"),
    b"x",
    [],
    (),
    (True, 1),
    (True, 1, None),
    (True, b"x", 1),
    (True, None, None, b"emit"),
    (True, None, None, b"destroy", 5, 3, 1),
    (True, None, None, b"destroy", 5, -1, 1),
    (True, None, None, (1, 2), 5, 0),
    said(b"snapshot", 5, b"", 0, 0, b"{}"),
    said(b"unknown", 5),
    said(b"destroy", 6, 5),
    said(b"destroy", 5, b"x"),
    said(b"destroy", 5),
    said(b"destroy", 5, 1, 2),
    said(b"spawn", 5, b"door", 8, 0, b"{}"),
    said(b"spawn", 5, b"key", 9, 0, b"{}"),
    said(b"reply", 5, 1, 4, b"ok", b"_"),
    said(b"log", 5, b"shout", b"text", b"door", 3),
    said(b"places", 0, 6, 1.0, 2),
    said(b"places", 0, 5, 1.0),
    said(b"places", 0, 5, b"x", 2),
    said(b"emit", 5, b"tick", 0, 0, b"."),
    said(b"emit", 5, b"tick", 0, 0, b".", None),
    said(b"emit", 5, b"tick", 0, 0, b".", 1, 2),
    said(b"emit", 5, b"tick", 0, 0, b"{-4:a.}", 1),
    said(b"emit", 5, b"tick", 0, 0, b"[" * 500 + b"]" * 500),
    said(b"emit", 5, b"tick", 0, 0, b"[99999999999999999999999.]"),
    said(b"emit", 5, b"tick", 0, 0, b"{9:a.}", 1),
    said(b"emit", 5, b"tick", 0, 0, b"{i--3:.}", 1),
    said(b"emit", 5, b"tick", 0, 0, b"", 1),
    said(b"emit", 5, b"tick", 0, 0, b".]", 1),
    said(b"look", 5, 0, 0, 0, b".", 1),
    said(b"look", 5, len(FIELDS) + 1, 0, 0, b".", 1),
    said(b"look", 5, 1.0, 0, 0, b".", 1),
    shown(LIGHT, 6, 1, 2.5, 3, b"red"),
    shown(LIGHT, 5),
    shown(LIGHT, 5, 1, 2, 3, 4, 5, 6),
    shown(LIGHT, 5, None),
    shown(LIGHT, 5, 1, 2)[:-1],
    shown(0, 5, 1),
    shown(FRAME, 5),
    shown(FRAME, 5, 1, 2),
    shown(len(COMMANDS) + len(FIELDS), 5, 1),
    shown(FRAME, -5, 1),
    (True, None, None, -1, 2),
    (True, None, None, 2**70 + 33, 2),
]


@pytest.mark.parametrize("result", HONEST, ids=repr)
def test_what_a_state_says_passes(result):
    assert checked(result, known()) == result


@pytest.mark.parametrize("result", FORGED, ids=lambda result: repr(result)[:60])
def test_what_no_state_says_is_refused(result):
    with pytest.raises(Refused):
        checked(result, known())


def test_an_id_is_spawned_and_a_request_answered_once():
    for operation in (said(b"spawn", 5, b"door", 9, 0, b"{}"), said(b"reply", 5, 1, 3, b"ok", b"_")):
        state = known()
        checked(operation, state)
        with pytest.raises(Refused):
            checked(operation, state)


def test_what_its_mod_may_not_do_is_refused():
    state = known()
    state.permit = Permit("mods/frost", "mod.toml", Rights(sends=("frost.*",), modules=("json",)))
    state.doomed = {7}
    for operation in (
        said(b"emit", 5, b"frost.melted", 0, 0, b"_"),
        said(b"destroy", 5, 5),
        said(b"destroy", 5, 7),
        said(b"call", 5, 1, b"json", b"decode", 0),
    ):
        assert checked(operation, state) == operation
    for operation in (
        said(b"emit", 5, b"door.opened", 0, 0, b"_"),
        said(b"set", 5, b"frost", 0, 0, b"_"),
        said(b"spawn", 5, b"door", 9, 0, b"{}"),
        said(b"destroy", 5, 8),
        said(b"call", 5, 1, b"http", b"get", 0),
    ):
        with pytest.raises(Refused):
            checked(operation, state)


def test_a_question_is_asked_for_whom_it_concerns_and_for_what_its_mod_may_use():
    state = known()
    state.permit = Permit("mods/frost", "mod.toml", Rights(modules=("json",)))
    state.check_question(b"part", 5, (b"json", b"decode"))
    state.check_question(b"part", 5, (b"http",))
    state.check_question(b"call", 5, (b"http",))

    for question in ((b"call", 5, (b"http", b"get")), (b"find", 6, (b"door",)), (b"call", 5, ())):
        with pytest.raises(Refused):
            state.check_question(*question)


def test_a_pump_that_broke_is_the_error_it_was():
    assert isinstance(checked((b"broke", True, b"memory"), known()), MemoryError)
    assert str(checked((b"broke", False, b"why"), known())) == "why"


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner.filter(lambda value: value is not None), max_size=4)
        | st.dictionaries(st.binary(max_size=6) | st.integers(-9, 99), inner, max_size=4)
    ),
)


@given(PLAIN)
def test_every_shape_that_is_written_has_its_leaves(value):
    shape, leaves = encode(value)

    assert leaves_of(shape) == len(leaves)


@given(st.text(alphabet="[]{}.:i-0123456789a_", max_size=12))
def test_any_text_has_leaves_or_is_refused(text):
    with contextlib.suppress(Refused):
        assert leaves_of(text.encode()) >= 0


@pytest.fixture
def pipe():
    ours, theirs = socket.socketpair()
    link = Link(ours)
    yield link, theirs
    link.close()
    theirs.close()


def test_flat_values_cross_as_they_are(pipe):
    link, theirs = pipe
    other = Link(theirs)
    values = (None, True, 1, 1.0, -(2**63), 2**63 - 1, -0.0, b"", b"\xff\x00", (b"x", (1,)), b"y" * 2**21)
    writer = Thread(target=other.write, args=values)
    writer.start()

    frame = link.read()

    writer.join()
    assert repr(frame) == repr(values)


@pytest.mark.parametrize(
    "body",
    [
        msgpack.packb({"a": 1}),
        msgpack.packb([{"a": 1}]),
        msgpack.packb([msgpack.ExtType(5, b"x")]),
        msgpack.packb([msgpack.Timestamp(1)]),
        msgpack.packb(5),
        msgpack.packb([]),
        b"\xc1",
        b"\x91" * 5000 + b"\x90",
        b"\xdd\xff\xff\xff\xff",
        b"\x91\x01\x02",
    ],
    ids=lambda body: repr(body[:12]),
)
def test_a_frame_is_an_array_of_data_or_refused(pipe, body):
    link, theirs = pipe
    theirs.sendall(len(body).to_bytes(4, "little") + body)

    with pytest.raises(Refused):
        link.read()


def test_a_frame_that_is_too_long_is_refused_before_it_is_read(pipe):
    link, theirs = pipe
    theirs.sendall((MOST + 1).to_bytes(4, "little"))

    with pytest.raises(Refused, match="bytes at once"):
        link.read()


def test_the_other_side_is_not_waited_for_beyond_the_time(pipe):
    link, theirs = pipe
    theirs.sendall(b"\x09")
    link.until = 0.0

    with pytest.raises(TimeoutError):
        link.read()
