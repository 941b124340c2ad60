"""`flowsim bench` in words: the table of speeds, what things cost, and whether everybody agrees."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

from flowsim.show.numbers import is_number, listed, told
from flowsim.show.output import is_terminal, table_text, tell

Document = dict[str, Any]
NAMES = {"m1": "m1 clinic", "m2": "m2 emergency", "m3": "m3 city"}
SECONDS_BETWEEN_LINES = 15.0


class Ticker:
    """Says what is being measured: on one line of a terminal, elsewhere a line now and then."""

    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._told = self._begin
        self._width = 0

    def __call__(self, line: str) -> None:
        """Something else is measured now."""
        now = time.monotonic()
        if is_terminal(sys.stderr):
            sys.stderr.write("\r" + line.ljust(self._width))
            sys.stderr.flush()
            self._width = len(line)
        elif now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            tell(f"after {now - self._begin:,.0f} seconds: {line}")

    def end(self) -> None:
        """Leave the terminal's line clean."""
        if self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()


def lines(document: Document) -> list[str]:
    """The whole of it, for people."""
    found = [*_machine(document), ""]
    found += ["Events a processor second, an event being an arrival or the end of a stay:"]
    found += _speeds(document)
    found += ["", *_costs(document)]
    found += ["", *_agreement(document)]
    if document["missing"]:
        named = listed(document["missing"])
        found += ["", f"Not measured, because not installed: {named}. To have all: pip install 'flowsim[bench]'"]
    return found


def size_of(row: Document) -> str:
    """The model of a row, with its scale where it has one."""
    name = NAMES[row["model"]]
    if row["model"] != "m3":
        return name
    return f"{name}, scale {row['scale']:g}" + (f", {row['mult']} x units" if row["mult"] > 1 else "")


def peer_of(row: Document) -> str:
    """The program of a row, and how it is written where that is told."""
    return f"{row['peer']}, {row['style']}" if row["style"] else str(row["peer"])


def rounded(value: Any) -> str:
    """A number with three digits that count."""
    if not is_number(value):
        return "-"
    return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def against_bare(document: Document, row: Document) -> Document | None:
    """The ratio of a row's rate to that of bare SimPy."""
    keys = ("model", "scale", "mult", "peer", "style")
    mine = (one for one in document["ratios"] if one["to"] == "bare-simpy" and all(one[k] == row[k] for k in keys))
    return next(mine, None)


def _machine(document: Document) -> list[str]:
    where = document["machine"]
    rounds = f"{document['rounds']} rounds in which all take turns"
    rough = " (quick: rough figures, by short runs)" if document["quick"] else ""
    return [
        f"{where['cpu']}, {where['cores']} cores, {where['system']}; Python {where['python']}, "
        f"flowsim {where['flowsim']}, numba {where['numba']}, numpy {where['numpy']}, SimPy {where['simpy']}",
        f"medians of {rounds}{rough}; {document['seconds'] / 60:.0f} minutes in all",
    ]


def _speeds(document: Document) -> list[str]:
    columns = ["model", "peer", "version", "one run", "patients", "events/s", "x bare SimPy", "MB", "mean wait, h"]
    rows, before = [], ""
    for row in document["rows"]:
        size = size_of(row)
        times = against_bare(document, row)
        rows.append([
            "" if size == before else size, peer_of(row), row["version"], _form(row["form"]),
            f"{row['patients']:,}", rounded(row["events_per_second"]),
            "1" if row["peer"] == "bare-simpy" else _ratio(times), rounded(row["memory_mb"]),
            told(row["mean_wait_hours"], 3),
        ])  # fmt: skip
        before = size
    return table_text(columns, rows, numbers=5)


def _form(form: Document) -> str:
    if form["model"] == "m1":
        return f"{form['patients']:,} patients"
    days = f"{form['days']} day" + ("" if form["days"] == 1 else "s")
    return f"{days}, from {form['since']}" if form["since"] else days


def _ratio(found: Document | None) -> str:
    return "-" if found is None else rounded(found["median"])


def _span(found: Document) -> str:
    return f"{rounded(found['median'])} ({rounded(found['low'])} to {rounded(found['high'])})"


def _costs(document: Document) -> list[str]:
    found = []
    for one in document["ratios"]:
        if one["to"] != "bare-simpy":
            other = peer_of({"peer": one["to"], "style": one["to_style"]})
            found.append(f"{size_of(one)}: {one['peer']} is {_span(one)} times {other}")
    scales = [one for one in document["scale"] if one["peer"] == "compiled"]
    if len(scales) > 1:
        told_all = listed([f"{rounded(one['nanoseconds_an_event'])} at {one['scale']:g}" for one in scales])
        found.append(
            f"an event costs {_span(scales[-1])} times as much at scale {scales[-1]['scale']:g} of the city as at "
            f"{scales[0]['scale']:g}: {told_all} (nanoseconds)"
        )
    for one in document["units"][1:]:
        found.append(
            f"and {_span(one)} times as much with {one['mult']} times the units ({one['units']:,}) at the same "
            f"arrivals, scale {one['scale']:g}"
        )
    if document["processes"]:
        found.append(f"two processes do {_span(document['processes'])} times the work of one")
    for one in document["ledger"]:
        recording = one["recording_share"]
        recorded = "" if recording is None else f", its recording {_percent(recording)} of a run without it"
        found.append(f"{size_of(one)}: the audit of the ledger costs {_percent(one['audit_share'])}{recorded}")
    if document["memory"]:
        first, last = document["memory"][0], document["memory"][-1]
        if is_number(first["memory_mb"]) and is_number(last["memory_mb"]):
            more = (last["memory_mb"] / first["memory_mb"] - 1) * 100
            found.append(
                f"memory of m2 over {last['years']} years is {more:+.1f}% of that over {first['years']}: "
                f"{last['memory_mb']:.0f} and {first['memory_mb']:.0f} MB"
            )
    found += [f"{one['command']}: {one['seconds']:.2f} seconds" for one in document["start_up"]]
    return found


def _percent(found: Document) -> str:
    median, low, high = (f"{found[key] * 100:.1f}" for key in ("median", "low", "high"))
    return f"{median}% ({low} to {high})"


def _agreement(document: Document) -> list[str]:
    found = []
    theory = document["theory"]
    if theory:
        found.append(
            f"m1 in {theory['replications']} replications of {theory['patients']:,} patients: mean wait "
            f"{theory['mean_wait_hours']:.4f} hours, by theory {theory['theory_hours']:.6f} (z {theory['z']:+.2f})"
        )
    judged = [one for one in document["agreement"] if is_number(one["z"])]
    if judged:
        worst = max(judged, key=lambda one: abs(one["z"]))
        found.append(
            f"mean waits of {len(judged)} units of all peers against theory (m1) and the compiled engine (m2, m3): "
            f"{_above(judged, 3)} beyond 3 standard errors; largest z {worst['z']:+.1f}, {size_of(worst)}, "
            f"{worst['unit']}, {peer_of(worst)}"
        )
    return found


def _above(rows: Iterable[Document], limit: float) -> str:
    number = sum(abs(one["z"]) > limit for one in rows)
    return str(number) if number else "none"
