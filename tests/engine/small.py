"""Small models as texts: run one, and look at its visits in minutes and at its ledger by name."""

from __future__ import annotations

import json
import re
import textwrap
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest

from flowsim.engine import running
from flowsim.engine.building import compile_network
from flowsim.engine.ledger import BINS, BOOK, Row, entries_of
from flowsim.engine.network import Ints, Labels, Network
from flowsim.engine.visits import COLUMNS, VisitEnd
from flowsim.errors import FlowsimError
from flowsim.model.calendar import Window
from flowsim.model.loading import load_model
from flowsim.model.schema import Model

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
HEAD = "flowsim: 1\nname: small\ntitle: a small model\nstart: 2001-01-01\n"  # a Monday

Minutes = int | float | None
ARE_COMPARED = True
"""Whether `play` runs both engines; not where a fault is planted in one of them."""


class Seen(NamedTuple):
    """A visit in names, times in minutes from the start of the run, None where not reached."""

    patient: str  # pathway and index: `a0`; `a inside 0` and `a waiting 0` for those there on the first day
    step: str
    own: str
    unit: str  # "" if the patient never started
    joined: Minutes
    started: Minutes
    ready: Minutes
    ended: Minutes
    left: Minutes
    outcome: str
    blocked: Minutes
    waited_for: str  # unit and cause last waited for: `ward (a ward bed)`


class Played(NamedTuple):
    """One run: the Network, its Labels, what was written to the ledger, and the rows of the visit log."""

    network: Network
    labels: Labels
    written: list[tuple[int, str, list[int], list[int]]]
    rows: list[tuple[int, ...]]
    outcome: Any

    @property
    def visits(self) -> list[Seen]:
        """All visits, by patient and in the order each patient made them."""
        columns = [dict(zip(COLUMNS, row, strict=True)) for row in self.rows]
        columns.sort(key=lambda row: (row["stream"], row["layer"], row["index"], row["visit"]))
        return [self._seen(row) for row in columns]

    def see(self, fields: str) -> list[tuple[Any, ...]]:
        """Some fields of all visits, such as "patient joined started"."""
        return [tuple(getattr(visit, field) for field in fields.split()) for visit in self.visits]

    def book(self, name: str, period: int | None = None) -> dict[str, int]:
        """Sums of a book by name of its rows, over all periods or in one; 0 is left out."""
        found: dict[str, int] = defaultdict(int)
        for when, book, rows, values in self.written:
            if book == name and period in (None, when):
                for row, value in zip(rows, values, strict=True):
                    found[self._row(name, row)] += value
        return dict(found)

    def total(self, name: str, period: int | None = None) -> int:
        """The sum over all rows of a book."""
        return sum(self.book(name, period).values())

    def _row(self, book: str, row: int) -> str:
        labels = self.labels
        match BOOK[book].row:
            case Row.UNIT:
                return labels.units[row].name
            case Row.CLASS:
                return labels.classes[row]
            case Row.LANE:
                own, unit = labels.lanes[row]
                return f"{labels.classes[own]} in {labels.units[unit].name}"
            case Row.BLOCK:
                return f"{labels.units[self.network.block_unit[row]].name} for {self._block(row)}"
            case Row.CLOCK:
                return labels.clocks[row]
            case Row.CLASS_BIN:
                return f"{labels.classes[row // BINS]} bin {row % BINS}"
            case Row.CLOCK_BIN:
                return f"{labels.clocks[row // BINS]} bin {row % BINS}"
            case Row.STREAM:
                return labels.streams[row]
            case _:
                return str(row)

    def _block(self, row: int) -> str:
        awaited = self.labels.units[self.network.block_awaited[row]].name
        return f"{awaited} ({self.labels.causes[self.network.block_cause[row]]})"

    def _seen(self, row: Mapping[str, int]) -> Seen:
        stream = self.labels.streams[row["stream"]].split(" | ")
        there = next((word for word in ("inside", "waiting") if stream[-1].startswith(f"{word} at ")), "")
        layer = f"{row['layer']}." if row["layer"] else ""
        name = f"{stream[0]} {there} {row['index']}" if there else f"{stream[0]}{layer}{row['index']}"
        times = [in_minutes(row[f"{moment}_ms"]) for moment in ("started", "ready", "ended", "left")]
        return Seen(
            name, self.labels.steps[row["step"]][1], self.labels.units[row["own_unit"]].name,
            self.labels.units[row["unit"]].name if row["unit"] >= 0 else "",
            _scaled(row["joined_ms"]), *times, VisitEnd(row["outcome"]).name.lower(), _scaled(row["blocked_ms"]),
            self._block(row["waited_for"]) if row["waited_for"] >= 0 else "",
        )  # fmt: skip


def in_minutes(at_ms: int) -> Minutes:
    """Milliseconds in minutes; None for -1."""
    return None if at_ms == -1 else _scaled(at_ms)


def _scaled(at_ms: int) -> int | float:
    whole, rest = divmod(at_ms, MINUTE)
    return at_ms / MINUTE if rest else whole


def model_of(text: str | Mapping[str, Any], tables: Mapping[str, str] | None = None) -> Model:
    """The model in a text (without its head) or in plain data, with its tables by file name."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.yaml"
        if isinstance(text, str):
            file.write_text(HEAD + textwrap.dedent(text), encoding="utf-8")
        else:
            file.write_text(json.dumps(text), encoding="utf-8")
        for name, content in (tables or {}).items():
            (Path(folder) / name).write_text(textwrap.dedent(content).lstrip(), encoding="utf-8")
        return load_model(file)


def at(*times: int) -> str:
    """A table of arrivals at these minutes."""
    rows = (f"2001-01-{1 + t // 1440:02d} {t // 60 % 24:02d}:{t % 60:02d}" for t in times)
    return "at\n" + "\n".join(rows) + "\n"


def listed(*durations: int) -> str:
    """Stays of the first, second ... patient of a stream, in minutes."""
    return "{listed: [" + ", ".join(f"{one} minutes" for one in durations) + "]}"


def play(
    text: str | Mapping[str, Any] | Model,
    tables: Mapping[str, str | Sequence[int]] | None = None,
    hours: int = 24,
    minutes: int = 0,
    seed: int = 1,
    base: Model | None = None,
    run: Callable[..., Any] | None = None,
    **window: Any,
) -> Played:
    """Run a small model once. A table may be minutes of arrivals; `name: [0, 5]` is the trace `name.csv`, `name: []` nobody."""
    files = {
        name if "." in name else f"{name}.csv": table if isinstance(table, str) else at(*table)
        for name, table in (tables or {}).items()
    }
    for name, table in (tables or {}).items():
        if not table and isinstance(text, str):  # a table may not be empty
            text, _ = text.replace(f"{{trace: {name}.csv}}", "{per_day: 0}"), files.pop(f"{name}.csv")
    model = text if isinstance(text, Model) else model_of(text, files)
    return play_model(model, Window(model.start, 0, hours * HOUR + minutes * MINUTE, "day", **window), seed, base, run)


def play_model(
    model: Model, window: Window, seed: int = 1, base: Model | None = None, run: Callable[..., Any] | None = None
) -> Played:
    """Run a model once in a window; on both engines, which must agree in everything, unless one is given."""
    network, labels = compile_network(model, window, base)
    if run is not None or not ARE_COMPARED:
        return _played(network, labels, seed, run or on_simpy)
    try:
        played = _played(network, labels, seed, on_simpy)
    except FlowsimError as stopped:
        with pytest.raises(type(stopped), match=f"^{re.escape(str(stopped))}$"):
            _played(network, labels, seed, running.run_once)
        raise
    other = _played(network, labels, seed, running.run_once)
    assert other.outcome == played.outcome
    assert sorted(other.rows) == sorted(played.rows)
    assert other.written == played.written
    return played


def on_simpy(*given: Any) -> Any:
    """`run_once` on the SimPy engine."""
    return running.run_once(*given, engine="simpy")


def _played(network: Network, labels: Labels, seed: int, run: Callable[..., Any]) -> Played:
    written: list[tuple[int, str, list[int], list[int]]] = []
    rows: list[tuple[int, ...]] = []

    def write(page: Ints) -> None:
        written.extend((period, book, at.tolist(), values.tolist()) for period, book, at, values in entries_of(page))

    outcome = run(network, labels, seed, 1, write, lambda more: rows.extend(map(tuple, more.tolist())))
    return Played(network, labels, written, rows, outcome)
