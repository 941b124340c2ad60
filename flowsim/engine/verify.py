"""Two engines on one Network: whether they gave the same visits, ledger and end, and if not, where they first part."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.addresses import stream_key
from flowsim.engine.ledger import BINS, BOOKS, Row, bin_start, rows_of
from flowsim.engine.network import LEAVE, Ints, Labels, Network
from flowsim.engine.rules import Kind, Stuck, patient_number
from flowsim.engine.running import Engine, Run, run_of
from flowsim.engine.visits import COLUMNS, VisitEnd

NAMES: tuple[Engine, Engine] = ("simpy", "compiled")
BLOCK = 1 << 16
EVER = np.int64(1 << 62)
AT = {name: place for place, name in enumerate(COLUMNS)}
MOMENTS = {"joined": Kind.ARRIVAL, "started": Kind.START, "ready": Kind.END, "ended": Kind.END, "left": Kind.START}
"""The moments of a visit, and the kind of event that orders them within an instant."""
SEEN_AT = {"age": "joined", "place": "joined", "step": "joined", "own_unit": "joined", "unit": "started"}
"""When a difference in another column shows; in the rest when the visit is over."""


class Ended(NamedTuple):
    """How a run ended: at the horizon with its counts, or stopped at a time with what it was stopped by."""

    events: int = 0
    patients: int = 0
    inside: int = 0
    stopped_at: int = -1
    units: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()


class Scene(NamedTuple):
    """What one engine says of a patient: the visit before, the one in question and the next, in names; None if none.

    A visit is a dict of step, own_unit, unit ("" if never started), visit, joined, started, ready, ended, left (date
    and time, None where not reached), outcome, blocked_ms, waited_for.
    """

    before: dict[str, Any] | None
    now: dict[str, Any] | None
    next: dict[str, Any] | None


class VisitDifference(NamedTuple):
    """The first event that differs: when, whose, in which columns of the visit log, and what each engine says."""

    at_ms: int
    at: str
    patient: str
    place: str
    columns: tuple[str, ...]
    scenes: tuple[Scene, Scene]


class LedgerDifference(NamedTuple):
    """The first row of the ledger that differs, while all visits are equal; None for a value that was not written."""

    period: str
    book: str
    row: str
    values: tuple[int | None, int | None]


class EndDifference(NamedTuple):
    """Two runs equal as far as both went, that ended in different ways."""

    ends: tuple[str, str]


class Comparison(NamedTuple):
    """Two runs compared: what the first gave, how long each took, and where they first part (None: nowhere)."""

    end: Ended
    stopped: str  # how both were stopped, in words; "" if they reached the horizon
    visits: int
    entries: int
    seconds: tuple[float, float]
    difference: VisitDifference | LedgerDifference | EndDifference | None

    @property
    def is_equal(self) -> bool:
        """Whether every visit, every row of the ledger and the end of the run are the same."""
        return self.difference is None


class _Table:
    """Rows of whole numbers as they come, in blocks: copies of what is handed over, without a growing copy of all."""

    def __init__(self, columns: int) -> None:
        self.blocks: list[Ints] = []
        self.columns, self.count = columns, 0

    def add(self, rows: Ints) -> None:
        """Take rows in."""
        taken = 0
        while taken < len(rows):
            place = self.count % BLOCK
            if place == 0:
                self.blocks.append(np.empty((BLOCK, self.columns), np.int64))
            more = min(BLOCK - place, len(rows) - taken)
            self.blocks[-1][place : place + more] = rows[taken : taken + more]
            taken, self.count = taken + more, self.count + more

    def parts(self) -> Iterator[Ints]:
        """Its rows, block by block."""
        for number, block in enumerate(self.blocks):
            yield block[: min(self.count - number * BLOCK, BLOCK)]

    def whole(self) -> Ints:
        """All its rows in one array; the blocks are given up."""
        rows = np.concatenate([np.empty((0, self.columns), np.int64), *self.parts()])
        self.blocks, self.count = [], 0
        return rows

    def equals(self, other: _Table) -> bool:
        """Whether both have the same rows in the same order."""
        if self.count != other.count:
            return False
        return all(np.array_equal(a, b) for a, b in zip(self.parts(), other.parts(), strict=True))


class _Record(NamedTuple):
    end: Ended
    visits: _Table
    ledger: _Table
    seconds: float


def compare(
    network: Network, labels: Labels, seed: int, replication: int, engines: tuple[Run, Run] | None = None
) -> Comparison:
    """Run both engines, with visit log and ledger, and compare all that they give.

    Everything is compared: the 17 columns of every visit, every row of every book in every period, events, patients
    and those inside at the end, or how a run was stopped. Rows may come in another order.
    """
    keys = [stream_key(seed, name) for name in labels.streams]
    first, second = (_record(run, network, keys, replication) for run in engines or map(run_of, NAMES))
    visits, entries = first.visits.count, first.ledger.count
    names = _Names(network, labels)
    stopped = names.end(first.end) if first.end.stopped_at >= 0 else ""
    return Comparison(
        first.end, stopped, visits, entries, (first.seconds, second.seconds), _difference(first, second, names)
    )


def _record(run: Run, network: Network, keys: list[int], replication: int) -> _Record:
    visits, ledger = _Table(len(COLUMNS)), _Table(4)
    begun = time.perf_counter()
    try:
        end = Ended(*run(network, keys, replication, ledger.add, visits.add))
    except Stuck as stuck:
        end = Ended(stopped_at=stuck.at, units=tuple(sorted(stuck.units)), steps=tuple(sorted(stuck.steps)))
    return _Record(end, visits, ledger, time.perf_counter() - begun)


def _difference(
    first: _Record, second: _Record, names: _Names
) -> VisitDifference | LedgerDifference | EndDifference | None:
    ends = first.end, second.end
    horizon = names.horizon
    stops = tuple(end.stopped_at if end.stopped_at >= 0 else horizon for end in ends)
    if not first.visits.equals(second.visits):
        rows = [one.visits.whole() for one in (first, second)]
        if stops[0] != stops[1]:  # the one that stopped first tells nothing of those who were still there
            left = AT["left_ms"]
            rows = [one[(one[:, left] >= 0) & (one[:, left] < min(stops))] for one in rows]
        found = _first_visit(rows[0], rows[1], horizon)
        if found is not None:
            at_ms, patient, visit, columns = found
            scenes = tuple(names.scene(one, patient, visit) for one in rows)
            return names.visit_difference(at_ms, patient, columns, (scenes[0], scenes[1]))
    if stops[0] == stops[1] and not first.ledger.equals(second.ledger):
        entry = _first_entry(first.ledger.whole(), second.ledger.whole())
        if entry is not None:
            period, book, row, values = entry
            dates, books = names.labels.period_dates, [one.name for one in BOOKS]
            what = names.row(book, row) if 0 <= book < len(books) else f"number {row}"
            return LedgerDifference(_named(dates, period), _named(books, book), what, values)
    return None if ends[0] == ends[1] else EndDifference((names.end(ends[0]), names.end(ends[1])))


# --- where two tables part ------------------------------------------------------------------------------------


def _first_visit(a: Ints, b: Ints, horizon: int) -> tuple[int, tuple[int, int, int], int, tuple[str, ...]] | None:
    """The first event in time that differs: when, the patient, the number of the visit, the columns."""
    who = [_patients(rows) for rows in (a, b)]
    patient, visit = np.concatenate(who), np.concatenate([a[:, AT["visit"]], b[:, AT["visit"]]])
    source = np.repeat([0, 1], [len(a), len(b)])
    order = np.lexsort((source, visit, patient))
    patient, visit, source = patient[order], visit[order], source[order]
    is_pair = (patient[:-1] == patient[1:]) & (visit[:-1] == visit[1:]) & (source[:-1] < source[1:])
    pairs = np.flatnonzero(is_pair)
    alone = np.setdiff1d(np.arange(len(order)), np.concatenate([pairs, pairs + 1]))
    in_a, in_b = order[pairs], order[pairs + 1] - len(a)

    best: tuple[int, int, int, int] | None = None
    for column, name in enumerate(COLUMNS):
        differs = a[in_a, column] != b[in_b, column]
        if differs.any():
            moment = name.removesuffix("_ms") if name.removesuffix("_ms") in MOMENTS else SEEN_AT.get(name, "left")
            x, y = a[in_a[differs]], b[in_b[differs]]
            at = np.minimum(_when(x, moment), _when(y, moment))
            at = np.where(at == EVER, horizon, at)
            best = _earlier(best, at, MOMENTS[moment], patient[pairs[differs]], visit[pairs[differs]])
    rows = order[alone]
    for part, of in ((rows[rows < len(a)], a), (rows[rows >= len(a)] - len(a), b)):
        if len(part):
            found = of[part]
            best = _earlier(best, found[:, AT["joined_ms"]], Kind.ARRIVAL, _patients(found), found[:, AT["visit"]])
    if best is None:
        return None
    at_ms, _, number, manieth = best
    both = [rows[(one == number) & (rows[:, AT["visit"]] == manieth)] for rows, one in zip((a, b), who, strict=True)]
    example = both[0] if len(both[0]) else both[1]
    is_alone = len(both[0]) != len(both[1])
    columns = (
        () if is_alone else tuple(name for c, name in enumerate(COLUMNS) if (both[0][:, c] != both[1][:, c]).any())
    )
    stream, layer, index = example[0, :3].tolist()
    return at_ms, (stream, layer, index), manieth, columns


def _patients(rows: Ints) -> Ints:
    """The patients of visits, as `patient_number` has them."""
    return patient_number(*rows[:, :3].T)


def _when(rows: Ints, moment: str) -> Ints:
    """When the visits reached a moment; those that did not, for ever later."""
    at = rows[:, AT[f"{moment}_ms"]]
    return at if moment == "joined" else np.where(at < 0, EVER, at)


def _earlier(
    best: tuple[int, int, int, int] | None, at: Ints, kind: int, patient: Ints, visit: Ints
) -> tuple[int, int, int, int]:
    """The first of what was found before and of these, by time, kind and patient."""
    place = np.lexsort((visit, patient, at))[0]
    found = int(at[place]), int(kind), int(patient[place]), int(visit[place])
    return found if best is None else min(best, found)


def _first_entry(a: Ints, b: Ints) -> tuple[int, int, int, tuple[int | None, int | None]] | None:
    """The first row of the ledger that differs, by period, book and row: these and both values."""
    a, b = (rows[np.lexsort(rows.T[::-1])] for rows in (a, b))
    both = min(len(a), len(b))
    differs = np.flatnonzero((a[:both] != b[:both]).any(axis=1))
    place = int(differs[0]) if len(differs) else both
    if place == len(a) == len(b):
        return None
    x, y = (rows[place].tolist() if place < len(rows) else None for rows in (a, b))
    first: list[int] = min(one[:3] for one in (x, y) if one is not None)
    values = [one[3] if one is not None and one[:3] == first else None for one in (x, y)]
    return first[0], first[1], first[2], (values[0], values[1])


# --- names ----------------------------------------------------------------------------------------------------


def _named(names: Sequence[str], number: int) -> str:
    """A name by its number; an engine that is wrong may give a number that means nothing."""
    return names[number] if 0 <= number < len(names) else f"number {number}"


class _Names:
    """What numbers mean, in the names of the model."""

    def __init__(self, network: Network, labels: Labels) -> None:
        self.network, self.labels = network, labels
        self.horizon = int(network.horizon_ms)
        self.start = datetime.fromisoformat(labels.origin)
        n = network
        self.units = [unit.name for unit in labels.units]
        self.steps = [": ".join(step) for step in labels.steps]
        self.blocks = [
            f"{self.units[unit]} ({labels.causes[cause]})"
            for unit, cause in zip(n.block_awaited.tolist(), n.block_cause.tolist(), strict=True)
        ]

    def time(self, at_ms: int) -> str:
        """A date and time of day, with milliseconds where there are any."""
        try:
            return (self.start + timedelta(milliseconds=at_ms)).isoformat(" ", "milliseconds").removesuffix(".000")
        except OverflowError:
            return f"{at_ms} ms"

    def unit(self, number: int) -> str:
        """A unit's name; none for -1."""
        return "" if number == -1 else _named(self.units, number)

    def patient(self, patient: tuple[int, int, int]) -> str:
        stream, layer, index = patient
        return f"{_named(self.labels.streams, stream)} #{f'{layer}.' if layer else ''}{index}"

    def end(self, end: Ended) -> str:
        """How a run ended, in words."""
        if end.stopped_at < 0:
            return f"at the horizon, after {end.events:,} events of {end.patients:,} patients, {end.inside:,} inside"
        if end.units:
            return f"gridlock at {self.time(end.stopped_at)}: {', '.join(map(self.unit, end.units))}"
        steps = ", ".join(_named(self.steps, step) for step in end.steps)
        return f"a patient who goes round for ever at {self.time(end.stopped_at)}: {steps}"

    def visit(self, row: Ints) -> dict[str, Any]:
        """A row of the visit log."""
        one = dict(zip(COLUMNS, row.tolist(), strict=True))
        times = {
            moment: self.time(one[f"{moment}_ms"]) if moment == "joined" or one[f"{moment}_ms"] >= 0 else None
            for moment in MOMENTS
        }
        return {
            "step": _named(self.steps, one["step"]), "own_unit": self.unit(one["own_unit"]),
            "unit": self.unit(one["unit"]), "visit": one["visit"], "age": _named(self.labels.age_bands, one["age"]),
            "place": _named(self.labels.places, one["place"]), **times,
            "outcome": _named([end.name.lower() for end in VisitEnd], one["outcome"]), "blocked_ms": one["blocked_ms"],
            "waited_for": "" if one["waited_for"] == -1 else _named(self.blocks, one["waited_for"]),
        }  # fmt: skip

    def scene(self, rows: Ints, patient: tuple[int, int, int], visit: int) -> Scene:
        """What these rows say of a patient, around one of its visits."""
        mine = rows[(rows[:, :3] == patient).all(axis=1)]
        found = {int(row[AT["visit"]]): self.visit(row) for row in mine}
        return Scene(found.get(visit - 1), found.get(visit), found.get(visit + 1))

    def visit_difference(
        self, at_ms: int, patient: tuple[int, int, int], columns: tuple[str, ...], scenes: tuple[Scene, Scene]
    ) -> VisitDifference:
        now = next(scene.now for scene in scenes if scene.now is not None)
        place = now["unit"] or now["own_unit"]
        return VisitDifference(at_ms, self.time(at_ms), self.patient(patient), place, columns, scenes)

    def row(self, book: int, row: int) -> str:
        """What a row of a book is about."""
        n, labels = self.network, self.labels
        number, bin_ = divmod(row, BINS)
        if not 0 <= row < rows_of(n, BOOKS[book].row):
            return f"number {row}, which is none of its rows"
        match BOOKS[book].row:
            case Row.UNIT:
                return self.units[row]
            case Row.CLASS:
                return labels.classes[row]
            case Row.CLASS_BIN:
                return f"{labels.classes[number]}, {self._wait(bin_)}"
            case Row.LANE:
                own, unit = labels.lanes[row]
                return f"{labels.classes[own]} in {self.units[unit]}"
            case Row.BLOCK:
                return f"{self.units[int(n.block_unit[row])]} for {self.blocks[row]}"
            case Row.MOVE:
                step, following = divmod(row, len(self.steps) + 1)
                to = "leave" if following - 1 == LEAVE else labels.steps[following - 1][1]
                return f"{self.steps[step]} -> {to}"
            case Row.STREAM:
                return labels.streams[row]
            case Row.AREA:
                return self._area(labels.settings, row)
            case Row.AREA_BIN:
                return f"{self._area(labels.settings, number)}, {self._wait(bin_)}"
            case Row.CLOCK:
                return labels.clocks[row]
            case Row.CLOCK_AREA:
                return self._area(labels.clocks, row)
            case Row.CLOCK_BIN:
                return f"{labels.clocks[number]}, {self._wait(bin_)}"
            case _:
                return "the run"

    def _area(self, names: tuple[str, ...], row: int) -> str:
        rest, age = divmod(row, int(self.network.counts[7]))
        number, area = divmod(rest, int(self.network.counts[6]))
        return f"{names[number]}, {_named(self.labels.areas, area)}, {_named(self.labels.age_bands, age)}"

    @staticmethod
    def _wait(bin_: int) -> str:
        return f"waits from {bin_start(bin_):,} ms"
