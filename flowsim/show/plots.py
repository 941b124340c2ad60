"""Figures of a comparison: paired differences from the baseline, a panel a measure, labelled directly."""

from __future__ import annotations

import csv
import io
import os
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flowsim.show.numbers import (
    Record,
    change_and_interval,
    is_number,
    level_and_interval,
    scale_of,
    unit_of,
)

if TYPE_CHECKING:
    from flowsim import ExperimentResults

COLUMNS = (
    "scenario",
    "baseline",
    "measure",
    "measured_in",
    "place",
    "setting",
    "mean",
    "low",
    "high",
    "baseline_mean",
    "difference",
    "difference_low",
    "difference_high",
    "replications",
)
MOST_ROWS = 12
ROW, ROUND_PANEL, BELOW_PANEL = 0.32, 0.98, 0.5
LEFT, WIDTH = 0.32, 0.35
"""Heights in inches; shares of the width."""
LONGEST_LABEL = 44
MINUS = "\u2212"
BETTER, WORSE, UNCLEAR, INK, FAINT = "#0072B2", "#D55E00", "#6B6B6B", "#222222", "#B8B8B8"
"""Blue and vermilion are told apart by people of any colour sight (Okabe and Ito, 2008)."""
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.5, "svg.hashsalt": "flowsim", "svg.fonttype": "path",
    "axes.spines.top": False, "axes.spines.right": False, "axes.spines.left": False, "axes.edgecolor": FAINT,
    "xtick.color": INK, "ytick.color": INK, "text.color": INK, "axes.labelcolor": INK,
}  # fmt: skip


def keep(results: ExperimentResults, records: Sequence[Record]) -> list[str]:
    """Writes comparison.csv, comparison.svg and comparison.png into the results folder; their paths."""
    files = {"comparison.csv": csv_of(records)}
    panels = _panels(records)
    if panels:
        files |= drawn(results.experiment.title, panels)
    results.keep(files)
    return [str(results.folder.path / name) for name in files]


def csv_of(records: Iterable[Record]) -> bytes:
    """The comparison for a spreadsheet; a text it would run as a formula begins with an apostrophe."""
    paper = io.StringIO()
    writer = csv.writer(paper, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in records:
        writer.writerow([_harmless(one[name]) for name in COLUMNS])
    return paper.getvalue().encode()


def _harmless(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value
    return value if is_number(value) else ""


def drawn(title: str, panels: Sequence[Sequence[Record]]) -> dict[str, bytes]:
    """The figure as SVG and PNG: the same bytes for the same records."""
    _settle_caches()
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(STYLE):
        heights = [len(panel) * ROW + ROUND_PANEL for panel in panels]
        titles = textwrap.wrap(title, 72)
        head, foot = 0.52 + 0.24 * len(titles), 0.5
        height = head + sum(heights) + foot
        figure = Figure(figsize=(10, height))
        FigureCanvasAgg(figure)
        baseline = panels[0][0]["baseline"]
        figure.text(0.025, 1 - 0.16 / height, "\n".join(titles), va="top", fontsize=13, fontweight="bold")
        figure.text(
            0.025,
            1 - (0.2 + 0.24 * len(titles)) / height,
            va="top",
            color=UNCLEAR,
            s=f"Difference from '{baseline}', with 95% interval: the same patients, paired by replication",
        )
        top = height - head
        for panel, tall in zip(panels, heights, strict=True):
            box = (LEFT, (top - tall + BELOW_PANEL) / height, WIDTH, len(panel) * ROW / height)
            _draw(figure.add_axes(box), panel)
            top -= tall
        _explain(figure, panels, foot / height)
        files = {}
        for kind in ("svg", "png"):
            paper = io.BytesIO()
            figure.savefig(paper, format=kind, dpi=144, metadata={"Date": None} if kind == "svg" else None)
            files[f"comparison.{kind}"] = paper.getvalue()
    return files


def _panels(records: Sequence[Record]) -> list[list[Record]]:
    """The records to draw, a panel a measure: those with a difference, the largest where there are many."""
    panels = []
    for key in dict.fromkeys(one["key"] for one in records):
        mine = [one for one in records if one["key"] == key and is_number(one["difference"])]
        if len(mine) > MOST_ROWS:
            largest = sorted(mine, key=lambda one: -abs(one["difference"]))[:MOST_ROWS]
            mine = [one for one in mine if any(one is kept for kept in largest)]
        if mine:
            panels.append(mine)
    return panels


def _draw(axes: Any, panel: Sequence[Record]) -> None:
    """One measure: a point and an interval a scenario, the change in figures at the right."""
    first = panel[0]
    factor = scale_of(first["measured_in"])
    rows = range(len(panel) - 1, -1, -1)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    for row, one in zip(rows, panel, strict=True):
        colour, is_clear = _look(one)
        difference, low, high = (one[name] for name in ("difference", "difference_low", "difference_high"))
        if is_number(low) and is_number(high):
            axes.plot([low * factor, high * factor], [row, row], color=colour, linewidth=2.2, solid_capstyle="butt")
        face = colour if is_clear else "white"
        axes.plot([difference * factor], [row], "o", color=colour, markerfacecolor=face, markersize=6.5, zorder=3)
        change, interval = change_and_interval(one)
        told = f"({interval})" if interval else "no interval: one replication"
        if difference == low == high == 0:
            change, told = "0", "no change at all"
        aside = {"transform": axes.get_yaxis_transform(), "va": "center", "color": colour}
        axes.text(1.04, row, change.replace("-", MINUS), fontweight="bold", **aside)
        axes.text(1.29, row, told.replace("-", MINUS), **aside)
    axes.set_yticks(list(rows), _names(panel))
    axes.set_ylim(-0.6, len(panel) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8.5, color=FAINT)
    axes.grid(axis="x", color="#E6E6E6", linewidth=0.8)
    axes.set_axisbelow(True)
    left, right = axes.get_xlim()
    room = 0.06 * max(right - left, 1e-12)
    axes.set_xlim(min(left, 0) - room, max(right, 0) + room)
    axes.locator_params(axis="x", nbins=6)
    title = str(first["label"])
    heading = {"transform": axes.transAxes, "va": "bottom"}
    axes.text(
        (0.025 - LEFT) / WIDTH,
        1.03,
        title[:1].upper() + title[1:],
        fontweight="bold",
        fontsize=10.5,
        **heading,
    )
    axes.text(1.04, 1.03, _level_note(panel), fontsize=8.5, color=UNCLEAR, **heading)
    axes.set_xlabel(f"change in {unit_of(first['measured_in'], is_change=True)}", fontsize=8.5, labelpad=1)


def _names(panel: Sequence[Record]) -> list[str]:
    """What each row is of: the scenario, after the place or setting where the panel has several."""
    spots = [", ".join(one[part] for part in ("setting", "place") if one[part] != "all") for one in panel]
    is_one = len(set(spots)) == 1
    names = [
        one["scenario"] if is_one else f"{spot}: {one['scenario']}" for spot, one in zip(spots, panel, strict=True)
    ]
    return [name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 3]}..." for name in names]


def _level_note(panel: Sequence[Record]) -> str:
    """The level of the baseline, where the panel has one."""
    levels = {one["baseline_mean"] for one in panel}
    if len(levels) != 1:
        return ""
    first = panel[0]
    level, _ = level_and_interval({**first, "mean": first["baseline_mean"], "low": None, "high": None})
    unit = unit_of(first["measured_in"])
    return f"'{first['baseline']}': {level}{unit if unit == '%' else ' ' + unit}"


def _look(one: Record) -> tuple[str, bool]:
    """Colour of a difference (better, worse, neither), and whether its interval is clear of zero."""
    low, high = one["difference_low"], one["difference_high"]
    if not (is_number(low) and is_number(high)) or low <= 0 <= high:
        return UNCLEAR, False
    if one["less_is_better"] is None:
        return INK, True
    return (BETTER if (one["difference"] < 0) == one["less_is_better"] else WORSE), True


def _explain(figure: Any, panels: Sequence[Sequence[Record]], height: float) -> None:
    """What the marks mean; only those that are there."""
    meanings = {
        (BETTER, True): "clearly better", (WORSE, True): "clearly worse", (INK, True): "a clear change",
        (UNCLEAR, False): "no clear change: the interval spans zero",
    }  # fmt: skip
    looks = {_look(one) for panel in panels for one in panel}
    at = 0.025
    for (colour, is_clear), words in meanings.items():
        if (colour, is_clear) in looks:
            figure.text(at, height * 0.36, "\u25cf" if is_clear else "\u25cb", color=colour, va="center", fontsize=11)
            figure.text(at + 0.02, height * 0.36, words, color=colour, va="center", fontsize=9)
            at += 0.055 + 0.0096 * len(words)
    counts = {one["replications"] for panel in panels for one in panel}
    said = f"{max(counts)} replications" if len(counts) == 1 else f"{min(counts)} to {max(counts)} replications"
    said = "1 replication" if counts == {1} else said
    figure.text(0.975, height * 0.36, said, color=UNCLEAR, va="center", ha="right", fontsize=9)


def _settle_caches() -> None:
    """Gives matplotlib a folder for its caches where its own cannot be written, as with no home."""
    if "MPLCONFIGDIR" in os.environ and os.access(os.environ["MPLCONFIGDIR"], os.W_OK):
        return
    try:
        home = Path.home()
        if "MPLCONFIGDIR" not in os.environ and os.access(home, os.W_OK):
            return
    except RuntimeError:
        pass
    import atexit
    import shutil

    folder = tempfile.mkdtemp(prefix="flowsim-")
    os.environ["MPLCONFIGDIR"] = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
