"""Paired differences from the baseline with their intervals: a panel a measure, a row a scenario, labelled directly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from flowsim.show import figure as common
from flowsim.show.figure import BETTER, FAINT, GRID, INK, MARGIN, MINUS, UNCLEAR, WORSE
from flowsim.show.numbers import (
    Record,
    change_and_interval,
    in_handy_units,
    is_number,
    level_and_interval,
    parts,
    scale_of,
    unit_of,
    with_unit,
)

Panel = Sequence[Record]
"""The records of one measure that are drawn."""

MOST_ROWS = 18
ROW, ROUND_PANEL, BELOW_PANEL = 0.32, 0.98, 0.5
LEFT, WIDTH = 0.32, 0.35
"""Heights in inches; shares of the width."""
LONGEST_LABEL = 42
WORDS = {"at": "place", "area": "place of residence", "stp": "STP"}
DIFFERENCES = ("difference", "difference_low", "difference_high")


def drawn(title: str, panels: Sequence[tuple[Panel, str]]) -> dict[str, bytes]:
    """comparison.svg and comparison.png, a panel below another, each with what it leaves out: see `chosen`."""
    baseline = panels[0][0][0]["baseline"]
    note = f"Difference from '{baseline}', with 95% interval: the same patients, paired by replication"
    heights = [len(_rows(panel)) * ROW + ROUND_PANEL + (0.2 if left_out else 0) for panel, left_out in panels]
    head, foot = common.head_height(title, note), 0.5
    height = head + sum(heights) + foot
    with common.sheet(height) as figure:
        common.put_head(figure, title, note)
        top = height - head
        for (panel, left_out), tall in zip(panels, heights, strict=True):
            bottom = top - tall + BELOW_PANEL + (0.2 if left_out else 0)
            box = (LEFT, bottom / height, WIDTH, len(_rows(panel)) * ROW / height)
            _draw(figure.add_axes(box), panel)
            if left_out:
                at = (bottom - 0.56) / height
                figure.text(MARGIN, at, left_out, fontsize=8.5, color=UNCLEAR, va="center")
            top -= tall
        _explain(figure, [panel for panel, _ in panels], foot / height)
        return common.saved(figure, "comparison")


def chosen(records: Sequence[Record], by: str) -> tuple[list[Record], str]:
    """Of one measure's records those with a difference, and what is said of those left out.

    Where there are many, all scenarios of the places or settings in which some scenario makes the largest change;
    those in which nothing ever happened are not counted. `by` is what they are told apart by.
    """
    pieces: dict[str, list[Record]] = {}
    for one in records:
        if is_number(one["difference"]):
            pieces.setdefault(_spot(one), []).append(one)
    if len(pieces) == 1:
        return next(iter(pieces.values())), ""
    sizes = {
        spot: max(abs(one["difference"]) for one in mine)
        for spot, mine in pieces.items()
        if any(one["mean"] or one["difference"] for one in mine)
    }
    kept: list[str] = []
    room = MOST_ROWS
    for spot in sorted(sizes, key=lambda spot: -sizes[spot]):
        room -= len(pieces[spot]) + (len(pieces[spot]) > 1)
        if kept and room < 0:
            break
        kept.append(spot)
    said = (
        f"Drawn are {len(kept)} of {len(sizes)}, told apart by {WORDS.get(by, by.replace('_', ' '))}: those in which "
        "some scenario makes the largest change. All are in comparison.csv."
    )
    drawn = [one for spot in pieces if spot in kept for one in pieces[spot]]
    return drawn, said if len(kept) < len(sizes) else ""


def _rows(panel: Panel) -> list[str | Record]:
    """From the top: the records, under the names of their places or settings where there are several."""
    if not parts(panel[0], panel) or len({one["scenario"] for one in panel}) == 1:
        return list(panel)
    rows: list[str | Record] = []
    for name, mine in groupby(panel, key=lambda one: ", ".join(parts(one, panel))):
        rows += [name, *mine]
    return rows


def _name(row: str | Record, panel: Panel) -> str:
    """What stands beside a row: the scenario, or what it is told apart by where there is one scenario only."""
    if isinstance(row, str):
        return ""
    is_one = len({one["scenario"] for one in panel}) == 1
    name = (", ".join(parts(row, panel)) if is_one else "") or row["scenario"]
    return name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 3]}..."


def _draw(axes: Any, panel: Panel) -> None:
    """One measure: a point and an interval a scenario, the change in figures at the right."""
    handy = in_handy_units(panel, DIFFERENCES)
    factor = scale_of(handy[0]["measured_in"])
    rows = _rows(handy)
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    for row, one in zip(range(len(rows) - 1, -1, -1), rows, strict=True):
        if isinstance(one, str):
            left = {"transform": axes.get_yaxis_transform(), "va": "center"}
            axes.text((MARGIN - LEFT) / WIDTH, row, one[:1].upper() + one[1:], **left)
            mine = [record for record in panel if one == ", ".join(parts(record, panel))]
            axes.text(1.04, row, _level_note(mine), fontsize=8.5, color=UNCLEAR, **left)
            continue
        colour, is_clear = look(one)
        difference, low, high = (one[name] for name in DIFFERENCES)
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
    axes.set_yticks(range(len(rows) - 1, -1, -1), [_name(row, panel) for row in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8.5, color=FAINT)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    left, right = axes.get_xlim()
    room = 0.06 * max(right - left, 1e-12)
    axes.set_xlim(min(left, 0) - room, max(right, 0) + room)
    axes.locator_params(axis="x", nbins=6)
    common.plain_ticks(axes.xaxis)
    title = str(panel[0]["label"])
    heading = {"transform": axes.transAxes, "va": "bottom"}
    axes.text(
        (MARGIN - LEFT) / WIDTH,
        1.03,
        title[:1].upper() + title[1:],
        fontweight="bold",
        fontsize=10.5,
        **heading,
    )
    axes.text(1.04, 1.03, _level_note(panel), fontsize=8.5, color=UNCLEAR, **heading)
    axes.set_xlabel(f"change in {unit_of(handy[0]['measured_in'], is_change=True)}", fontsize=8.5, labelpad=1)


def _spot(one: Record) -> str:
    """The setting and place of a record, empty where it is of all."""
    return ", ".join(one[part] for part in ("setting", "place") if one[part] != "all")


def _level_note(panel: Panel) -> str:
    """The level of the baseline, where the panel has one."""
    levels = {one["baseline_mean"] for one in panel}
    if len(levels) != 1:
        return ""
    first = in_handy_units(panel, ("baseline_mean",))[0]
    level, _ = level_and_interval({**first, "mean": first["baseline_mean"], "low": None, "high": None})
    return f"'{first['baseline']}': {with_unit(level, first['measured_in'])}".replace("-", MINUS)


def look(one: Record) -> tuple[str, bool]:
    """Colour of a difference (better, worse, neither), and whether its interval is clear of zero."""
    low, high = one["difference_low"], one["difference_high"]
    if not (is_number(low) and is_number(high)) or low <= 0 <= high:
        return UNCLEAR, False
    if one["less_is_better"] is None:
        return INK, True
    return (BETTER if (one["difference"] < 0) == one["less_is_better"] else WORSE), True


def _explain(figure: Any, panels: Sequence[Panel], height: float) -> None:
    """What the marks mean; only those that are there."""
    meanings = {
        (BETTER, True): "clearly better", (WORSE, True): "clearly worse", (INK, True): "a clear change",
        (UNCLEAR, False): "no clear change: the interval spans zero",
    }  # fmt: skip
    looks = {look(one) for panel in panels for one in panel}
    at = MARGIN
    for (colour, is_clear), words in meanings.items():
        if (colour, is_clear) in looks:
            figure.text(at, height * 0.36, "\u25cf" if is_clear else "\u25cb", color=colour, va="center", fontsize=11)
            figure.text(at + 0.02, height * 0.36, words, color=colour, va="center", fontsize=9)
            at += 0.055 + 0.0096 * len(words)
    said = common.replications_told({one["replications"] for panel in panels for one in panel})
    figure.text(1 - MARGIN, height * 0.36, said, color=UNCLEAR, va="center", ha="right", fontsize=9)
