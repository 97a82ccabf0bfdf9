"""Draws the results into docs/plots/, as SVG that can be read on light and on dark pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import LUAS
from benchmarks.tables import Table, Tables

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PLOTS = Path(__file__).parent.parent / "docs" / "plots"

INK = "#808890"  # in the middle between black and white
OURS, FLOOR, OTHER, STOP = "#e08a3c", "#5f9ea0", "#8894c4", "#b8574d"
STYLE = {
    "svg.fonttype": "none",  # text stays text: small, and in the reader's font
    "svg.hashsalt": "tidelock",
    "font.family": "sans-serif",
    "font.size": 9,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "grid.color": INK,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
BARS = {"swarm": "µs for an entity and frame", "one_state": "µs for an entity and frame", "bus": "µs for a delivery"}
THEIRS = {"plain lupa", "floor: one send each", "tasks, each looked at", "floor: a heap of tasks"}
LEFT_OUT = {"asyncio tasks"}  # so slow that the others would be small beside them


def draw(tables: Tables, folder: Path = PLOTS) -> list[Path]:
    """Make every plot that the tables have the figures for. `ImportError` without matplotlib."""
    import matplotlib

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with matplotlib.rc_context(STYLE):
        for name, unit in BARS.items():
            found = [tables[f"{name}/{lua}"] for lua in LUAS if f"{name}/{lua}" in tables]
            if found:
                made.append(save(bars(found, unit), folder / f"{name}.svg"))
        for name, label in (("growth", "entities"), ("sleepers", "asleep")):
            found = [table for key, table in tables.items() if key.startswith(f"{name}/") and table.base.isdigit()]
            if found:
                unit = "µs for an entity and frame" if name == "growth" else "µs for a frame"
                made.append(save(lines(found, label, unit), folder / f"{name}.svg"))
        if parts := parts_of_a_frame(tables):
            made.append(save(stacked(parts), folder / "frame.svg"))
        found = [tables[name] for name in ("spawn/lua55", "footprint/lua55") if name in tables]
        if found:
            made.append(save(bars(found, "", titles=["spawn, µs", "memory, KiB"]), folder / "spawn.svg"))
    return made


def bars(tables: list[Table], unit: str, titles: list[str] | None = None) -> Any:
    """A panel of bars for each table; contenders in the same order in each."""
    from matplotlib.figure import Figure

    height = max(len(shown(table)) for table in tables) * 0.3 + 0.9
    figure = Figure(figsize=(8.2, height))
    panels = figure.subplots(1, len(tables), squeeze=False, sharey=titles is None)[0]
    for number, (table, axes) in enumerate(zip(tables, panels, strict=True)):
        rows = shown(table)
        values = [table.time(row) * (1e6 if table.kind == "s" else 2**-10) for row in rows]
        names = [row.contender for row in rows]
        axes.barh(names, values, color=[color(row.name) for row in rows], height=0.65)
        labels = [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in values]
        axes.bar_label(axes.containers[0], labels, padding=3, color=INK, fontsize=8)
        axes.set_title(titles[number] if titles else table.name.partition("/")[2])
        axes.set_xlabel(unit)
        axes.margins(x=0.25)
        if number == 0 or titles:
            axes.invert_yaxis()
    return figure


def shown(table: Table) -> list[Any]:
    return [row for row in table.rows if row.name not in LEFT_OUT]


def color(name: str) -> str:
    return OURS if name.startswith("Tidelock") else FLOOR if name.startswith("floor") else OTHER


def lines(tables: list[Table], label: str, unit: str) -> Any:
    """A line for each table, whose rows are named after numbers."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(7.2, 3.4))
    axes: Axes = figure.subplots()
    counts: set[int] = set()
    for table, shade in zip(tables, (OURS, STOP, OTHER, FLOOR), strict=False):
        name = table.name.partition("/")[2]
        values = {int(row.name.replace(",", "")): table.time(row) * 1e6 for row in table.rows}
        counts |= values.keys()
        style = "o--" if name in THEIRS else "o-"
        axes.plot(list(values), list(values.values()), style, markersize=4, label=name, color=shade)
    axes.set_xscale("symlog", linthresh=100)
    axes.set_xticks(sorted(counts), [f"{count:,}" for count in sorted(counts)])
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("")
    axes.set_xlabel(label)
    axes.set_ylabel(unit)
    axes.grid()
    axes.legend(fontsize=8)
    return figure


Parts = dict[str, dict[str, float]]
"""Version of Lua -> part of a frame -> seconds for an entity."""


def parts_of_a_frame(tables: Tables) -> Parts:
    """What a frame of the swarm is made of: each part is what one contender takes more than the one before it."""
    found: Parts = {}
    for lua in LUAS:
        swarm, one = tables.get(f"swarm/{lua}"), tables.get(f"one_state/{lua}")
        if swarm is None or one is None:
            continue
        steps = {
            "the script's Lua": (one, "floor: a bare Lua loop"),
            "a state each": (swarm, "floor: one send each"),
            "the engine": (swarm, "Tidelock, no limits"),
            "limits": (swarm, "Tidelock"),
        }
        before = 0.0
        found[lua] = {}
        for part, (table, name) in steps.items():
            if (row := table.row(name)) is not None:
                found[lua][part] = max(table.time(row) - before, 0.0)
                before = max(table.time(row), before)
    return found


def stacked(parts: Parts) -> Any:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.5 * len(parts) + 1.2))
    axes: Axes = figure.subplots()
    colors = {"the script's Lua": OTHER, "a state each": FLOOR, "the engine": OURS, "limits": STOP}
    left = dict.fromkeys(parts, 0.0)
    for part, shade in colors.items():
        values = [parts[lua].get(part, 0.0) * 1e6 for lua in parts]
        axes.barh(list(parts), values, left=list(left.values()), color=shade, label=part, height=0.6)
        left = {lua: left[lua] + value for lua, value in zip(parts, values, strict=True)}
    axes.invert_yaxis()
    axes.set_xlabel("µs for an entity and frame, 1,000 awake with a state each")
    axes.legend(fontsize=8, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


def save(figure: Any, file: Path) -> Path:
    figure.savefig(file, transparent=True, metadata={"Date": None, "Creator": None})
    text = file.read_text(encoding="utf-8")
    file.write_text("\n".join(line.rstrip() for line in text.splitlines()) + "\n", encoding="utf-8")
    return file
