"""The figure of `flowsim bench`: events a second of every peer, a panel a model, on one scale of tens."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path
from typing import Any

from flowsim.show import figure as common
from flowsim.show.bench_lines import Document, against_bare, peer_of, rounded, size_of
from flowsim.show.figure import BETTER, FAINT, GRID, INK, UNCLEAR
from flowsim.show.forest import BELOW_PANEL, ROUND_PANEL, ROW

LEFT, WIDTH = 0.27, 0.45
OURS = ("compiled", "simpy")


def keep(document: Document, folder: str) -> list[str]:
    """Writes bench.svg, bench.png and bench.json into a folder, made where it is not there; their paths."""
    files = {**drawn(document), "bench.json": json.dumps(document, indent=1).encode()}
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (place / name).write_bytes(content)
    return [str(place / name) for name in files]


def drawn(document: Document) -> dict[str, bytes]:
    """bench.svg and bench.png: the same bytes for the same document."""
    panels = [(size, list(rows)) for size, rows in groupby(document["rows"], size_of)]
    head, foot = 0.8, 0.25
    height = head + foot + sum(len(rows) * ROW + ROUND_PANEL for _, rows in panels)
    rates = [row["events_per_second"] for row in document["rows"]]
    with common.sheet(height) as figure:
        figure.text(0.025, 1 - 0.16 / height, "Events simulated a second", va="top", fontsize=13, fontweight="bold")
        where = document["machine"]
        said = f"one process on {where['cpu']}; medians of {document['rounds']} rounds in which all take turns"
        figure.text(0.025, 1 - 0.44 / height, said, va="top", color=UNCLEAR)
        top = height - head
        for size, rows in panels:
            tall = len(rows) * ROW + ROUND_PANEL
            box = (LEFT, (top - tall + BELOW_PANEL) / height, WIDTH, len(rows) * ROW / height)
            _draw(figure.add_axes(box), size, rows, document, (min(rates) / 2, max(rates) * 1.6))
            top -= tall
        return common.saved(figure, "bench")


def _draw(axes: Any, size: str, rows: list[Document], document: Document, span: tuple[float, float]) -> None:
    """One model: a point a peer, its rate and the ratio to bare SimPy in figures at the right."""
    places = range(len(rows) - 1, -1, -1)
    for place, row in zip(places, rows, strict=True):
        colour = BETTER if row["peer"] in OURS else INK
        rate = row["events_per_second"]
        axes.plot([span[0], rate], [place, place], color=colour, linewidth=1.2, alpha=0.5, solid_capstyle="butt")
        axes.plot([rate], [place], "o", color=colour, markersize=6.5, zorder=3)
        aside = {"transform": axes.get_yaxis_transform(), "va": "center", "color": colour}
        axes.text(1.06, place, rounded(rate), fontweight="bold", **aside)
        times = against_bare(document, row)
        axes.text(1.3, place, "1" if row["peer"] == "bare-simpy" else rounded((times or {}).get("median")), **aside)
    axes.set_xscale("log")
    axes.set_xlim(*span)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_yticks(list(places), [peer_of(row) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", which="both", labelsize=8.5, color=FAINT)
    axes.grid(axis="x", color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    heading = {"transform": axes.transAxes, "va": "bottom"}
    axes.text((0.025 - LEFT) / WIDTH, 1.03, size, fontweight="bold", fontsize=10.5, **heading)
    axes.text(1.06, 1.03, "a second", fontsize=8.5, color=UNCLEAR, **heading)
    axes.text(1.3, 1.03, "times bare SimPy", fontsize=8.5, color=UNCLEAR, **heading)
