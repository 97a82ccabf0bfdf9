"""The benchmarks work, name whom they stand beside, and judge their aims rightly. What they measure is not tested."""

import gc
import json
import re
import subprocess
import sys
from dataclasses import replace
from functools import cache
from importlib import import_module

import pytest

from benchmarks import __main__ as command
from benchmarks import aims, contenders, plots, results
from benchmarks.aims import Aim
from benchmarks.harness import SIZES, Case, Timed, compare, here, measure
from benchmarks.tables import Row, Skipped, Table, nice

TINY = SIZES["tiny"]

BESIDE = {
    "swarm": {
        "plain lupa",
        "floor: one send each",
        "floor: one send each, with a hook",
        "floor: the least task",
        "floor: the least task, with a hook",
        "mlua, Lua 5.4",
        "Python generators",
        "asyncio tasks",
    },
    "one_state": {
        "floor: a bare Lua loop",
        "floor: what is promised",
        "mlua, Lua 5.4",
        "LÖVE",
        "Python generators",
        "asyncio tasks",
    },
    "growth": {"100", "10,000"},
    "sleepers": {"0", "100", "1,000", "10,000", "100,000"},
    "bus": {"plain lupa", "plain lupa, one dict for all", "blinker with deepcopy", "floor: one call each"},
    "limits": {"off", "on", "floor: bare Lua", "floor: a hook that does nothing", "floor: a hook that counts"},
    "spawn": {"LuaRuntime() and the script", "floor: LuaRuntime() and bytecode", "Tidelock, warm"},
    "footprint": {
        "bare LuaRuntime()",
        "floor: the least runtime",
        "floor: the least prelude",
        "Tidelock, one state",
        "floor: one bare state",
    },
    "threads": {"Tidelock, workers=2", "floor: bare runtimes", "floor: bare runtimes on two threads"},
    "frame": {"floor: a runtime each and a heap", "floor: and what scripts are promised"},
    "process": {"in the game", "in a process"},
    "host": {
        "a Lua function",
        "`@module.function`",
        "floor: lupa calls a function",
        "floor: an asyncio task each",
        "floor: a job of a pool each",
    },
}


@cache
def tried(name):
    """What a benchmark gives; on LuaJIT, too, where it does something else there."""
    luas = ["lua55", *here()[2:]] if name in ("swarm", "one_state", "limits", "host") else ["lua55"]
    return list(import_module(f"benchmarks.{name}").tables(TINY, luas))


@pytest.mark.parametrize("name", command.SUITE)
def test_a_benchmark_measures_what_it_names_beside_its_peers(name):
    tables = tried(name)

    assert tables
    assert BESIDE[name] <= names_in(tables[0])
    for table in tables:
        assert table.row(table.base) is not None
        assert all(sample > 0 for row in table.rows for sample in row.samples)


def test_every_table_that_an_aim_reads_is_made_by_the_suite():
    read = Recorder()
    for aim in aims.AIMS:
        for figure in (aim.value, aim.floor, aim.promised):
            if figure is not None:
                figure(read)

    assert {name.partition("/")[0] for name in read.names} <= set(command.SUITE)


def test_every_row_that_an_aim_reads_is_made_or_that_of_a_missing_peer():
    tables = {}
    for table in [table for name in command.SUITE for table in tried(name)]:
        peers = [Row(skipped.name, [1.0]) for skipped in table.skipped]
        tables[table.name] = replace(table, rows=[*table.rows, *peers])

    figures = [(aim.work, figure) for aim in aims.AIMS for figure in (aim.value, aim.floor, aim.promised) if figure]
    lost = [work for work, figure in figures if figure(tables) is None]

    assert lost == []


def test_a_peer_that_is_not_installed_is_skipped_with_the_command_that_installs_it(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(contenders, "PEERS", tmp_path)
    monkeypatch.setitem(sys.modules, "blinker", None)
    from benchmarks.bus import blinker

    skipped = [contenders.love(4), contenders.mlua(4, "each", "lua54"), contenders.mlua(4, "one", "luajit"), blinker(4)]

    assert [(each.name, each.command) for each in skipped] == [
        ("LÖVE", "apt install love"),
        ("mlua, Lua 5.4", "cd benchmarks/peers/mlua && cargo build --release"),
        (
            "mlua, LuaJIT",
            "cd benchmarks/peers/mlua && cargo build --release --no-default-features --features luajit "
            "--target-dir target/luajit",
        ),
        ("blinker with deepcopy", 'pip install -e ".[bench]"'),
    ]


def test_a_skipped_peer_is_named_under_the_table():
    table = compare("t", "A table", [Case("ours", lambda: None), Skipped("theirs", "get theirs")], "ours", TINY)

    assert "- theirs: skipped; install it with `get theirs`" in table.markdown().splitlines()


def test_cases_take_turns_each_with_a_run_before_those_that_are_timed():
    order = []
    cases = [
        Case("a", lambda: order.append("a"), after=lambda: order.append("after a")),
        Case("b", lambda: order.append("b"), close=lambda: order.append("close b")),
    ]

    measure(cases, rounds=2, repeat=1, warm_up=0)

    turn = ["a", "after a", "a", "after a", "b", "b"]
    assert order == [*turn, *turn, "close b"]
    assert [len(case.seconds) for case in cases] == [2, 2]


def test_cases_are_closed_when_one_of_them_fails():
    closed = []
    cases = [Case("a", lambda: 1 / 0), Case("b", lambda: None, close=lambda: closed.append("b"))]

    with pytest.raises(ZeroDivisionError):
        measure(cases, rounds=1)

    assert closed == ["b"]


def test_the_collector_leaves_what_was_set_up_alone_while_cases_run_and_only_then():
    frozen = []

    measure([Case("a", lambda: frozen.append(gc.get_freeze_count()))], rounds=1)

    assert min(frozen) > 0
    assert gc.get_freeze_count() == 0


def test_a_peer_in_a_process_of_its_own_says_what_it_took():
    row = measure([Timed("peer", lambda: None, per=4, clock=lambda repeat: 2.0)], rounds=3)[0].row

    assert row.samples == [0.5, 0.5, 0.5]


def test_a_ratio_is_the_median_of_the_rounds():
    table = table_of({"ours": [2.0, 30.0, 4.0], "theirs": [1.0, 10.0, 4.0]})

    assert table.ratio("ours", "theirs") == 2.0
    assert table.ratio("ours", "nobody") is None


def test_a_ratio_of_several_processes_is_the_median_of_theirs_and_no_round_of_one_outvotes_another():
    unlucky = table_of({"ours": [9.0, 9.0, 9.0], "theirs": [1.0, 1.0, 1.0]})
    usual = table_of({"ours": [2.0, 9.0, 2.0], "theirs": [1.0, 1.0, 1.0]})
    slow = table_of({"ours": [9.0, 30.0, 9.0], "theirs": [3.0, 10.0, 3.0]})

    table = Table.of_processes([unlucky, usual, slow])

    assert table.ratio("ours", "theirs") == 3.0
    assert table.row("ours").samples == [9.0, 9.0, 9.0, 2.0, 9.0, 2.0, 9.0, 30.0, 9.0]


def test_the_time_of_a_row_is_what_its_ratio_says_where_processes_are_not_alike():
    first, second, third = ({"plain lupa": [base], "Tidelock": [ours]} for base, ours in ((1, 3), (2, 2), (4, 8)))

    table = Table.of_processes([table_of(rows) for rows in (first, second, third)])

    assert table.time(table.row("plain lupa")) == 2
    assert table.time(table.row("Tidelock")) == 4
    assert "| Tidelock | 4 s | 2.00 |" in table.markdown()


def test_a_fact_holds_for_several_processes_only_where_it_holds_for_each():
    tables = [replace(table_of({}), facts={"same digest": same}) for same in (True, False, True)]

    assert not Table.of_processes(tables).facts["same digest"]


def test_a_table_comes_back_from_json_as_it_was():
    table = Table(
        "spawn/lua55",
        "Spawning",
        "ours",
        [Row("ours", [1.5e-06, 2.25e-06])],
        unit="entity",
        skipped=[Skipped("theirs", "get theirs")],
        facts={"asleep": 0.7},
        processes=2,
    )

    assert Table.from_json(json.loads(json.dumps(table.as_json()))) == table


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (2.5, "s", "2.5 s"),
        (0.0125, "s", "12.5 ms"),
        (3e-6, "s", "3 µs"),
        (4.2e-8, "s", "42 ns"),
        (2048, "B", "2 KiB"),
        (3 * 2**20, "B", "3 MiB"),
        (0.25, "", "0.25"),
    ],
)
def test_values_are_shown_in_the_unit_that_suits_them(value, kind, text):
    assert nice(value, kind) == text


@pytest.mark.parametrize(
    ("ours", "bound", "least", "met"),
    [(2.0, 2.0, False, True), (2.1, 2.0, False, False), (1.6, 1.6, True, True), (1.5, 1.6, True, False)],
)
def test_an_aim_is_met_by_its_bound_exactly_and_no_worse(ours, bound, least, met):
    aim = Aim("work", "theirs", aims.ratio("t", "ours", "theirs"), bound, least=least)

    assert aim.met({"t": table_of({"ours": [ours], "theirs": [1.0]})}) is met


def test_an_aim_without_its_table_or_its_row_is_not_measured():
    aim = Aim("work", "theirs", aims.ratio("t", "ours", "theirs"), 1.0)

    assert aim.met({}) is None
    assert aim.met({"t": table_of({"ours": [1.0]})}) is None


def test_the_aims_are_judged_from_the_rows():
    found = aims.markdown(
        {
            "bus/lua55": table_of(
                {
                    "Tidelock": [1.0],
                    "plain lupa": [5.0],
                    "blinker with deepcopy": [0.5],
                    "floor: one call each": [0.25],
                }
            ),
            "frame/lua55": table_of({"Tidelock": [0.0015], "floor: and what scripts are promised": [0.00125]}),
            "threads/lua55": Table("threads/lua55", "", "", [], facts={"same digest": True}),
        }
    ).splitlines()

    assert "| one event to 100 states | lupa used plainly | ≤ 0.25 | 0.20 |  | 0.05 | met |" in found
    assert "| one event to 100 states | blinker with deepcopy | ≤ 1 | 2.00 |  | 0.50 | **not met** |" in found
    assert "| a frame of 1,000 entities of the demo, 70% asleep | milliseconds | ≤ 2 | 1.50 | 1.25 |  | met |" in found
    assert "| the same run with `workers=2` | equal digests: 1 | ≥ 1 | 1.00 |  |  | met |" in found
    assert "| 10,000 asleep | 10,000 awake | ≤ 0.01 |  |  |  | not measured |" in found


def test_a_benchmark_that_fails_is_named_and_does_not_stop_the_others(monkeypatch, capsys):
    def run(name, size, luas):
        if name == "swarm":
            raise subprocess.CalledProcessError(1, name)
        return [table_of({"Tidelock": [1.0], "plain lupa": [5.0]}, "bus/lua55")]

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "swarm", "bus"])

    code = command.main()

    said = capsys.readouterr()
    assert code == 1
    assert said.err == "failed: swarm\n"
    assert "| one event to 100 states | lupa used plainly | ≤ 0.25 | 0.20 |  |  | met |" in said.out


@pytest.mark.parametrize(("name", "processes"), [("swarm", SIZES["quick"].processes), ("limits", 1)])
def test_what_depends_on_the_place_in_memory_is_measured_in_several_processes(monkeypatch, capsys, name, processes):
    monkeypatch.setattr(command, "run_once", lambda *asked: [table_of({"Tidelock": [1.0], "plain lupa": [5.0]})])

    (table,) = command.run(name, "quick", ["lua55"])

    assert table.processes == processes
    assert table.row("Tidelock").samples == [1.0] * processes
    assert capsys.readouterr().out == table.markdown() + "\n\n"


def test_marked_blocks_of_a_page_get_the_figures_and_the_rest_stays(run):
    page = "Before\n<!-- figures: machine -->\nold\n<!-- /figures -->\nAfter\n"

    once = run.quoted(page)

    assert once == "Before\n<!-- figures: machine -->\na machine\n<!-- /figures -->\nAfter\n"
    assert run.quoted(once) == once


def test_ratios_of_a_benchmark_have_a_column_for_each_version(run):
    assert run.figures("ratios swarm").splitlines() == [
        "| | lua55 | lua54 |",
        "|---|---:|---:|",
        "| plain lupa | 1.00 | 1.00 |",
        "| Tidelock | 1.50 | 1.25 |",
    ]


def test_a_block_that_asks_for_unknown_figures_is_an_error(run):
    with pytest.raises(ValueError, match='no figures "tables swarm"; there are aims'):
        run.quoted("<!-- figures: tables swarm -->\n<!-- /figures -->")


def test_a_table_that_a_run_did_not_give_is_said_to_be_missing(run):
    assert run.figures("table bus/lua55") == results.MISSING
    assert run.figures("ratios bus") == results.MISSING


def test_results_come_back_from_their_file(run, tmp_path):
    run.save(tmp_path / "results.json")

    assert results.Results.load(tmp_path / "results.json") == run


@pytest.mark.parametrize("page", results.PAGES, ids=lambda page: page.name)
def test_the_figures_of_the_docs_are_those_of_the_results(page):
    text = page.read_text(encoding="utf-8")

    assert results.Results.load().quoted(text) == text, "run: python -m benchmarks --plots"
    assert results.MISSING not in text


def test_plots_are_drawn_small_with_text_as_text_and_the_same_each_time(tmp_path):
    pytest.importorskip("matplotlib")
    tables = results.Results.load().tables

    files = plots.draw(tables, tmp_path)
    first = {file.stem: file.read_bytes() for file in files}
    again = plots.draw({name: table for name, table in tables.items() if name.startswith("bus/")}, tmp_path)

    assert first.keys() == {"swarm", "one_state", "bus", "growth", "sleepers", "frame", "spawn"}
    assert [file.read_bytes() for file in again] == [first["bus"]]
    assert all(b"<text" in text and b"@font-face" not in text and len(text) < 80_000 for text in first.values())


def test_the_page_on_performance_shows_every_plot():
    page = (results.ROOT / "docs" / "performance.md").read_text(encoding="utf-8")

    assert sorted(re.findall(r"\((plots/\w+\.svg)\)", page)) == sorted(
        f"plots/{file.name}" for file in plots.PLOTS.glob("*.svg")
    )


def table_of(rows: dict[str, list[float]], name: str = "t", base: str = "plain lupa") -> Table:
    return Table(name, "A table", base, [Row(row, samples) for row, samples in rows.items()])


def names_in(table: Table) -> set[str]:
    return {row.name for row in table.rows} | {each.name for each in table.skipped}


class Recorder(dict):
    """Tables that are not there, and the names that were looked up."""

    def __init__(self) -> None:
        self.names = []

    def __contains__(self, name):
        self.names.append(name)
        return False


@pytest.fixture
def run() -> results.Results:
    first = table_of({"plain lupa": [2.0], "Tidelock": [3.0]}, "swarm/lua55")
    second = table_of({"plain lupa": [4.0], "Tidelock": [5.0]}, "swarm/lua54")
    return results.Results("a machine", {"swarm/lua55": first, "swarm/lua54": second})
