"""Measures told by year, quarter or month: a panel a measure, a line a scenario with its interval as a band."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from flowsim.show import figure as common
from flowsim.show.figure import FAINT, GRID, INK, MARGIN, UNCLEAR
from flowsim.show.numbers import Record, in_handy_units, is_number, scale_of, unit_of

Panel = Sequence[Record]
"""All records of one measure; their `setting` is the year, quarter or month."""

PANEL, ROUND_PANEL, BELOW_PANEL = 1.9, 0.98, 0.38
"""Inches: an axis, what stands around it, and how much of that below it."""
LEFT, SPAN, NEXT = 0.08, 0.39, 0.495
"""Shares of the width: where the first axis begins, how wide one is, how far it is to the one beside it."""
MOST_LABELS = 7
FEW = 3
"""Up to so many replications have intervals so wide that their bands are drawn in half the shade."""
ROOM = 0.75
"""How far a band may reach beyond the means before it is cut, in shares of what the means span."""
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Told apart by people of any colour sight (Okabe and Ito, 2008); the baseline is dark grey."""
DASHES = ("-", "--", ":", "-.")
MARKERS = "osD^vP"


class Look(NamedTuple):
    """How the line of a scenario is drawn: no two differ by colour alone."""

    color: str
    linestyle: str
    marker: str


def drawn(title: str, panels: Sequence[Panel]) -> dict[str, bytes]:
    """over_time.svg and over_time.png, panels two abreast, one alone as wide: the same bytes for the same records."""
    baseline = panels[0][0]["baseline"]
    looks = _looks([one["scenario"] for panel in panels for one in panel], baseline)
    note = "Means of the replications, with 95% intervals as bands"
    columns = max(1, min(len(looks), int(9.3 / (0.62 + 0.082 * max(map(len, looks))))))
    legend = 0.25 * math.ceil(len(looks) / columns) + 0.1
    head, foot = common.head_height(title, note) + legend, 0.42
    rows = math.ceil(len(panels) / 2)
    height = head + rows * (PANEL + ROUND_PANEL) + foot
    with common.sheet(height) as figure:
        common.put_head(figure, title, note)
        lines = [_line(look, name == baseline) for name, look in looks.items()]
        top = 1 - (common.head_height(title, note) + 0.02) / height
        figure.legend(
            lines, list(looks), loc="upper left", bbox_to_anchor=(MARGIN, top), ncols=columns, frameon=False,
            borderpad=0, borderaxespad=0, handlelength=2.6, columnspacing=1.6, labelspacing=0.4,
        )  # fmt: skip
        is_cut, span = False, SPAN if len(panels) > 1 else NEXT + SPAN
        for place, panel in enumerate(panels):
            bottom = height - head - (place // 2 + 1) * (PANEL + ROUND_PANEL) + BELOW_PANEL
            box = (LEFT + NEXT * (place % 2), bottom / height, span, PANEL / height)
            is_cut |= _draw(figure.add_axes(box), panel, looks)
        counts = {one["replications"] for panel in panels for one in panel}
        notes = ["Bands are cut where they leave a panel."] * is_cut
        notes += ["One replication has no interval."] * (counts == {1})
        figure.text(MARGIN, 0.16 / height, " ".join(notes), color=UNCLEAR, va="center", fontsize=9)
        said = common.replications_told(counts)
        figure.text(1 - MARGIN, 0.16 / height, said, color=UNCLEAR, va="center", ha="right", fontsize=9)
        return common.saved(figure, "over_time")


def _looks(scenarios: Sequence[str], baseline: str) -> dict[str, Look]:
    """A look for each scenario, the baseline first."""
    others = [name for name in dict.fromkeys(scenarios) if name != baseline]
    looks = {baseline: Look("#444444", "-", "o")}
    for place, name in enumerate(others):
        kind = place // len(COLOURS) % len(DASHES)
        looks[name] = Look(COLOURS[place % len(COLOURS)], DASHES[kind], MARKERS[(place + 1) % len(MARKERS)])
    return looks


def _line(look: Look, is_baseline: bool) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], **look._asdict(), markersize=4.5, linewidth=2.2 if is_baseline else 1.7)


def _draw(axes: Any, panel: Panel, looks: dict[str, Look]) -> bool:
    """One measure through all its periods; whether a band had to be cut."""
    records = in_handy_units(panel, ("mean",))
    factor = scale_of(records[0]["measured_in"])
    periods = sorted({one["setting"] for one in records})
    by_spot = {(one["scenario"], one["setting"]): one for one in records}
    shade = 0.16 if max(one["replications"] for one in records) > FEW else 0.08
    for depth, (name, look) in enumerate(reversed(looks.items())):
        mine = [by_spot.get((name, period), {}) for period in periods]
        mean, low, high = (
            [one[key] * factor if is_number(one.get(key)) else math.nan for one in mine]
            for key in ("mean", "low", "high")
        )
        axes.fill_between(range(len(periods)), low, high, color=look.color, alpha=shade, linewidth=0, zorder=2)
        width = 2.2 if depth == len(looks) - 1 else 1.7
        size = 4 if len(periods) <= 24 else 0
        axes.plot(
            range(len(periods)), mean, **look._asdict(), linewidth=width, markersize=size, zorder=3, clip_on=False
        )
    bottom, top, is_cut = limits(records)
    axes.set_ylim(bottom * factor, top * factor)
    if bottom < 0 < top:
        axes.axhline(0, color=INK, linewidth=1, zorder=1)
    step = math.ceil(len(periods) / MOST_LABELS)
    if step > 1 and len(periods) > 24 and "-" in periods[0]:
        step = math.ceil(step / 3) * 3
    axes.set_xticks(range(0, len(periods), step), periods[::step])
    axes.set_xlim(-0.35, len(periods) - 0.65)
    axes.tick_params(length=3, labelsize=8.5, color=FAINT)
    axes.tick_params(axis="y", length=0)
    axes.locator_params(axis="y", nbins=6)
    axes.grid(axis="y", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    common.plain_ticks(axes.yaxis)
    label, unit = str(records[0]["label"]), unit_of(records[0]["measured_in"])
    at_left = {"transform": axes.transAxes, "va": "bottom"}
    left = (MARGIN - LEFT) / axes.get_position().width
    axes.text(left, 1.14, label[:1].upper() + label[1:], fontweight="bold", fontsize=10, **at_left)
    start = "" if bottom <= 0 else "; the axis does not begin at 0"
    axes.text(left, 1.04, f"{unit}{start}", fontsize=8.5, color=UNCLEAR, **at_left)
    return is_cut


def limits(records: Panel) -> tuple[float, float, bool]:
    """(bottom, top, whether a band is cut) of the axis of a panel, before shares become percent.

    All means are inside, and the bands as far as `ROOM` allows; below 0 and above 100% only what is there by its means.
    The axis begins at 0 unless all of it is near the top.
    """
    means = [one["mean"] for one in records if is_number(one["mean"])] or [0.0]
    lows = [one["low"] for one in records if is_number(one["low"])] or means
    highs = [one["high"] for one in records if is_number(one["high"])] or means
    least, most = min(means), max(means)
    room = ROOM * max(most - least, 0.1 * abs(most), 1e-12)
    bottom, top = max(min(lows), least - room), min(max(highs), most + room)
    if least >= 0:
        bottom = 0.0 if bottom < top / 2 else bottom
    is_share = records[0]["measured_in"] == "share" and least >= 0 and most <= 1
    air = 0.06 * (top - bottom) or 1.0
    edge = bottom - air if bottom else 0.0
    end = min(top + air, 1.0 if is_share else math.inf)
    return edge, end, min(lows) < edge or max(highs) > end
