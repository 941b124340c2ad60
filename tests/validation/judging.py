"""What flowsim finds for each measure of a case, from ledger and visit log, and whether it is the answer.

Sums, shares and time averages come from the ledger; percentiles, numbers at a moment and what happened to
each patient come from the visit log. One replication gives one value of a measure; the values of all
replications are judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from flowsim.engine.building import compile_network
from flowsim.engine.network import Ints, Labels, Network
from flowsim.engine.running import Engine, run_once
from flowsim.engine.visits import COLUMNS, VisitEnd
from flowsim.errors import Gridlock
from flowsim.measure.ledgers import Columns, Ledger, read_ledger
from tests.validation.translation import Json, Translated, translate

LIMIT = 4.0
"""Standard errors that an estimate may be away from theory."""
MANY = 30
"""Of fewer replications the spread is known so badly that Student's t takes the place of the normal law."""
NARROW, NARROW_SHARE = 0.05, 0.02
"""The 95% interval must be narrower than this part of the value on either side, or this much for a share."""
Z95 = 1.959964


class Compiled(NamedTuple):
    """A case ready to run, once for all its replications."""

    case: Json
    translated: Translated
    network: Network
    labels: Labels


def compiled(case: Json) -> Compiled:
    """Translate a case and compile its model."""
    translated = translate(case)
    network, labels = compile_network(translated.model, translated.window)
    return Compiled(case, translated, network, labels)


class Found:
    """One replication: its ledger, its visit log (one array a column), and any gridlock that ended it."""

    def __init__(self, ready: Compiled, seed: int, replication: int, engine: Engine) -> None:
        self.case, self.translated, self.network, self.labels = ready
        pages: list[Ints] = []
        rows: list[Ints] = [np.empty((0, len(COLUMNS)), np.int64)]
        self.gridlock: Gridlock | None = None
        try:
            run_once(
                *ready[2:], seed, replication, lambda page: pages.append(page.copy()),
                lambda more: rows.append(more.copy()), engine,
            )  # fmt: skip
        except Gridlock as gridlock:
            self.gridlock = gridlock
        self.ledger: Ledger = read_ledger(Columns.of(pages), self.network, self.labels)
        table = np.concatenate(rows).T.copy()
        self.log: dict[str, Ints] = dict(zip(COLUMNS, table, strict=True))
        self.from_ms, self.to_ms = self.translated.window.warm_up_ms, self.translated.window.horizon_ms
        self.duration_ms = self.to_ms - self.from_ms

    # --- who and where -----------------------------------------------------------------------------

    def units(self, where: str) -> list[int]:
        """Units of a setting, of a pool, or all."""
        for pool in self.case["model"].get("pools", ()):
            if pool["name"] == where:
                return [u for u, one in enumerate(self.labels.units) if one.setting in pool["settings"]]
        found = [u for u, one in enumerate(self.labels.units) if where in ("all", one.setting)]
        assert found, f"no unit of {where}"
        return found

    def streams(self, who: str) -> list[int]:
        """Streams of the pathway of a stream of the case, or all, in the order the case lists them."""
        wanted = [one["pathway"] for one in self.case["model"]["arrivals"] if who in ("all", one["stream"])]
        pathways = [self.labels.pathways[p] for p in self.network.stream_pathway.tolist()]
        return [pathways.index(name) for name in wanted]

    def classes(self, where: str, who: str) -> list[int]:
        """Classes of patients of these streams whose own unit is one of these."""
        pathways = {int(self.network.stream_pathway[s]) for s in self.streams(who)}
        units, n, found = self.units(where), self.network, set()
        for step in range(len(n.step_pathway)):
            if int(n.step_pathway[step]) in pathways:
                for unit in units:
                    first = int(n.class_row[step]) + unit * int(n.class_levels[step])
                    found |= set(n.class_of[first : first + int(n.class_levels[step])].tolist())
        return sorted(found - {-1})

    def lanes(self, where: str, who: str) -> list[int]:
        """Lanes of these classes."""
        classes = set(self.classes(where, who))
        return [lane for lane, (one, _) in enumerate(self.labels.lanes) if one in classes]

    def visits(self, where: str, who: str) -> Any:
        """Which rows of the log are visits of these streams to these own units."""
        is_own = np.isin(self.log["own_unit"], self.units(where))
        return is_own & np.isin(self.log["stream"], self.streams(who))

    def book(self, name: str, rows: Sequence[int]) -> int:
        """Sum of a book over some rows, after the warm-up."""
        return int(self.ledger.book(name)[list(rows)].sum())

    # --- waits -------------------------------------------------------------------------------------

    def waits(self, where: str, who: str) -> Ints:
        """Waits of all who started after the warm-up, in ms, from the log."""
        started = self.log["started_ms"]
        rows = self.visits(where, who) & (started >= self.from_ms)
        return started[rows] - self.log["joined_ms"][rows]

    def bins(self, where: str, who: str) -> Ints:
        """First starts after the warm-up by bin of their wait, from the ledger; bin 0 is no wait at all."""
        return self.ledger.bins("wait_bins")[self.classes(where, who)].sum(axis=0)

    # --- numbers at a moment, from the log ---------------------------------------------------------

    @cached_property
    def left(self) -> Ints:
        """When each visit ended; beyond the horizon for one that did not."""
        left = self.log["left_ms"]
        return np.where(left < 0, self.to_ms + 1, left)

    def waiting_before(self, at: Any, where: str, who: str) -> Any:
        """Patients in the queue just before each time."""
        rows = self.visits(where, who)
        started = self.log["started_ms"][rows]
        until = np.where(started < 0, self.left[rows], started)
        return _before(self.log["joined_ms"][rows], at) - _before(until, at)

    def in_use_before(self, at: Any, where: str) -> Any:
        """Patients in the units just before each time, wherever their own unit is."""
        rows = np.isin(self.log["unit"], self.units(where))
        return _before(self.log["started_ms"][rows], at) - _before(self.left[rows], at)

    def times(self, expected: Json) -> Any:
        """When a number is taken: of a periodic state, at that moment of every cycle after the warm-up."""
        at = self.translated.ms(expected["time"])
        if self.case["family"] != "mtmc":
            return at
        cycle = self.translated.ms(self.case["model"]["arrivals"][0]["process"]["period"])
        first = self.from_ms + (at - self.from_ms) % cycle
        return np.arange(first if first > self.from_ms else first + cycle, self.to_ms + 1, cycle)

    @cached_property
    def openings(self) -> Ints:
        """Moments after the warm-up at which starts are renewed."""
        opens = self.network.session_open
        return opens[opens >= self.from_ms]

    # --- patients ----------------------------------------------------------------------------------

    @cached_property
    def in_order(self) -> Ints:
        """Rows of the log by stream, patient and visit."""
        return np.lexsort((self.log["visit"], self.log["index"], self.log["layer"], self.log["stream"]))

    def column(self, name: str, where: str, who: str) -> Ints:
        """A column of the log, one value a patient in the listed order."""
        rows = self.in_order[self.visits(where, who)[self.in_order]]
        values = [self.log[name][rows[self.log["stream"][rows] == stream]] for stream in self.streams(who)]
        return np.concatenate(values)

    def whole_patients(self, who: str) -> tuple[Ints, Ints]:
        """When each patient who left the model came and left, in the listed order."""
        came, left = [], []
        for stream in self.streams(who):
            rows = self.in_order[self.log["stream"][self.in_order] == stream]
            if not len(rows):
                continue
            index, layer = self.log["index"][rows], self.log["layer"][rows]
            is_first = np.r_[True, (np.diff(index) != 0) | (np.diff(layer) != 0)]
            edges = np.flatnonzero(is_first)
            first = np.minimum.reduceat(self.log["joined_ms"][rows], edges)
            last = np.maximum.reduceat(self.left[rows], edges)
            is_gone = last <= self.to_ms
            came.append(first[is_gone])
            left.append(last[is_gone])
        return np.concatenate(came), np.concatenate(left)


def _before(times: Any, at: Any) -> Any:
    """How many of these times are before each moment; times below 0 are of things that never happened."""
    ordered = np.sort(times[times >= 0])
    return np.searchsorted(ordered, at, side="left")


# --- measures: (a replication, what is expected) -> a value in the units of the case ---------------


def _mean_wait(f: Found, e: Json) -> float:
    starts = int(f.bins(e["where"], e["who"]).sum())
    return f.book("wait_ms", f.classes(e["where"], e["who"])) / starts / f.translated.unit_ms


def _mean_wait_of_those_who_wait(f: Found, e: Json) -> float:
    waited = int(f.bins(e["where"], e["who"])[1:].sum())
    return f.book("wait_ms", f.classes(e["where"], e["who"])) / waited / f.translated.unit_ms


def _share_waiting(f: Found, e: Json) -> float:
    bins = f.bins(e["where"], e["who"])
    return float(bins[1:].sum() / bins.sum())


def _share_waiting_longer(f: Found, e: Json) -> float:
    return float((f.waits(e["where"], e["who"]) > f.translated.ms(e["than"])).mean())


def _wait_percentile(f: Found, e: Json) -> float:
    return float(np.percentile(f.waits(e["where"], e["who"]), e["percentile"])) / f.translated.unit_ms


def _mean_time_in_queue(f: Found, e: Json) -> float:
    classes = f.classes(e["where"], e["who"])
    gone = int(f.bins(e["where"], e["who"]).sum()) + f.book("reneged", classes)
    return f.book("queued_ms", classes) / gone / f.translated.unit_ms


def _share_of_arrivals(book: str) -> Callable[[Found, Json], float]:
    def share(f: Found, e: Json) -> float:
        classes = f.classes(e["where"], e["who"])
        return f.book(book, classes) / f.book("arrivals", classes)

    return share


def _share_placed_elsewhere(f: Found, e: Json) -> float:
    own, lanes = f.units(e["where"]), f.lanes(e["where"], e["who"])
    elsewhere = [lane for lane in lanes if f.labels.lanes[lane][1] not in own]
    return f.book("starts", elsewhere) / f.book("starts", lanes)


def _number_waiting(f: Found, e: Json) -> float:
    return f.book("queue_ms", f.classes(e["where"], e["who"])) / f.duration_ms


def _beds_in_use(f: Found, e: Json) -> float:
    return f.book("in_use_ms", f.units(e["where"])) / f.duration_ms


def _beds_blocked(f: Found, e: Json) -> float:
    blocks = np.flatnonzero(np.isin(f.network.block_unit, f.units(e["where"])))
    return f.book("blocked_ms", blocks.tolist()) / f.duration_ms


def _number_present(f: Found, e: Json) -> float:
    return _number_waiting(f, e) + _beds_in_use(f, e)


def _occupancy(f: Found, e: Json) -> float:
    units = f.units(e["where"])
    return f.book("in_use_ms", units) / f.book("available_ms", units)


def _time_in_system(f: Found, e: Json) -> float:
    came, left = f.whole_patients(e["who"])
    return float((left - came)[left >= f.from_ms].mean()) / f.translated.unit_ms


def _present_at(f: Found, e: Json) -> float:
    at = f.times(e)
    return float(np.mean(f.waiting_before(at, e["where"], e["who"]) + f.in_use_before(at, e["where"])))


def _full_at(f: Found, e: Json) -> float:
    return float(np.mean(f.in_use_before(f.times(e), e["where"]) >= e["capacity"]))


def _occupied_at(f: Found, e: Json) -> float:
    return float(np.mean(f.in_use_before(f.times(e), e["where"])))


def _waiting_at(f: Found, e: Json) -> float:
    return float(np.mean(f.waiting_before(f.times(e), e["where"], e["who"])))


def _time_at_and_up_to(f: Found, e: Json) -> tuple[float, float]:
    """Shares of the time in which exactly c, and at most c, patients are present."""
    rows = np.isin(f.log["unit"], f.units(e["where"]))
    comes, goes = f.log["started_ms"][rows], f.left[rows]
    at = np.concatenate([comes, goes])
    change = np.concatenate([np.ones(len(comes), np.int64), -np.ones(len(goes), np.int64)])
    order = np.argsort(at, kind="stable")
    level = np.concatenate([[0], np.cumsum(change[order])])
    edges = np.clip(np.concatenate([[0], at[order], [f.to_ms]]), f.from_ms, f.to_ms)
    spent = np.diff(edges)
    total = f.duration_ms
    return float(spent[level == e["beds"]].sum() / total), float(spent[level <= e["beds"]].sum() / total)


Value = float | tuple[float, float]
MEASURES: dict[str, Callable[[Found, Json], Value]] = {
    "mean_wait": _mean_wait,
    "sd_of_wait": lambda f, e: float(f.waits(e["where"], e["who"]).std(ddof=1)) / f.translated.unit_ms,
    "mean_wait_of_those_who_wait": _mean_wait_of_those_who_wait,
    "share_waiting": _share_waiting,
    "share_waiting_longer_than": _share_waiting_longer,
    "share_starting_at_once": lambda f, e: 1.0 - _share_waiting(f, e),
    "wait_percentile": _wait_percentile,
    "mean_wait_of_all_who_join": _mean_time_in_queue,
    "share_lost": _share_of_arrivals("balked"),
    "share_abandoning": _share_of_arrivals("reneged"),
    "share_placed_elsewhere": _share_placed_elsewhere,
    "mean_number_waiting": _number_waiting,
    "mean_number_present": _number_present,
    "mean_number_present_in_all": _number_present,
    "mean_beds_in_use": _beds_in_use,
    "mean_beds_blocked": _beds_blocked,
    "occupancy": _occupancy,
    "mean_time_in_system": _time_in_system,
    "number_present_at": _present_at,
    "variance_of_number_present_at": _present_at,
    "number_waiting_at": _waiting_at,
    "beds_in_use_at": _occupied_at,
    "share_of_replications_full_at": _full_at,
    "mean_waiting_just_before_opening": lambda f, e: float(np.mean(f.waiting_before(f.openings, e["where"], e["who"]))),
    "share_of_openings_with_none_waiting": lambda f, e: float(
        np.mean(f.waiting_before(f.openings, e["where"], e["who"]) == 0)
    ),
    "p_delay": _time_at_and_up_to,
}
"""Theory: one value a replication; of `p_delay` its numerator and denominator."""


def _queue_times(f: Found, e: Json) -> list[int]:
    times = ("joined_ms", "started_ms", "left_ms")
    joined, started, left = (f.column(name, e["where"], e["who"]) for name in times)
    return (np.where(started >= 0, started, left) - joined).tolist()


def _with_outcome(outcome: VisitEnd) -> Callable[[Found, Json], list[int]]:
    return lambda f, e: (f.column("outcome", e["where"], e["who"]) == outcome).astype(int).tolist()


def _blocked(f: Found, e: Json) -> int:
    blocks = np.flatnonzero(np.isin(f.network.block_unit, f.units(e["where"])))
    return f.book("blocked_ms", blocks.tolist())


EXACT: dict[str, Callable[[Found, Json], Any]] = {
    "wait_of_each_patient": _queue_times,
    "time_in_queue_of_each_patient": _queue_times,
    "sum_of_waits": lambda f, e: f.book("wait_ms", f.classes(e["where"], e["who"])),
    "longest_wait": lambda f, e: int(f.waits(e["where"], e["who"]).max()),
    "number_who_wait": lambda f, e: int(f.bins(e["where"], e["who"])[1:].sum()),
    "is_lost_of_each_patient": _with_outcome(VisitEnd.BALKED),
    "number_lost": lambda f, e: f.book("balked", f.classes(e["where"], e["who"])),
    "is_abandoning_of_each_patient": _with_outcome(VisitEnd.RENEGED),
    "number_abandoning": lambda f, e: f.book("reneged", f.classes(e["where"], e["who"])),
    "blocked_time_of_each_patient": lambda f, e: f.column("blocked_ms", e["where"], e["who"]).tolist(),
    "sum_of_blocked_time": _blocked,
    "blocked_time_in_all": _blocked,
    "leaving_time_of_each_patient": lambda f, e: f.whole_patients(e["who"])[1].tolist(),
    "outcome": lambda f, e: "no gridlock" if f.gridlock is None else "gridlock",
    "gridlock_at": lambda f, e: f.gridlock and f.gridlock.at,
    "gridlock_ring": lambda f, e: f.gridlock and sorted(f.gridlock.units),
}
"""Traces: what must be equal."""


# --- judging ---------------------------------------------------------------------------------------


class Verdict(NamedTuple):
    """One measure of a case: theory, what flowsim found, its standard error, and the distance in these."""

    case: str
    measure: str
    at: str
    theory: Any
    found: Any
    error: float
    replications: int
    z: float
    passes: bool
    is_narrow: bool


class Study:
    """Replications of one case, and what they say of each of its measures."""

    def __init__(self, case: Json, seed: int, engine: Engine = "simpy") -> None:
        self.case, self.seed, self.engine = case, seed, engine
        self.ready = compiled(case)
        self.values: list[list[Any]] = [[] for _ in case["expected"]]
        self.replications = 0

    def run(self, more: int) -> Study:
        """Run more replications."""
        for replication in range(self.replications, self.replications + more):
            found = Found(self.ready, self.seed, replication, self.engine)
            for kept, expected in zip(self.values, self.case["expected"], strict=True):
                measures = EXACT if expected.get("exact") else MEASURES
                kept.append(measures[expected["measure"]](found, expected))
        self.replications += more
        return self

    def verdicts(self, spreads: Sequence[float | None] | None = None) -> list[Verdict]:
        """Judge each measure by the spread of its replications, or by one known beforehand."""
        known = spreads or [None] * len(self.values)
        return [
            _verdict(self.case["id"], expected, values, spread)
            for expected, values, spread in zip(self.case["expected"], self.values, known, strict=True)
        ]


def _verdict(case: str, expected: Json, values: list[Any], spread: float | None) -> Verdict:
    theory, measure, n = expected["value"], expected["measure"], len(values)
    at = _where(expected)
    if expected.get("exact"):
        same = all(value == theory for value in values)
        return Verdict(case, measure, at, theory, values[0], 0.0, n, 0.0 if same else math.inf, same, True)
    found, error = estimate(expected, values)
    limit = LIMIT
    if spread is not None:
        error = spread / math.sqrt(n)
    elif n < MANY:
        limit = float(stats.t.isf(stats.norm.sf(LIMIT), max(n - 1, 1)))
    away = found - theory
    if expected.get("published"):  # what was printed is known to its last digit only
        away = math.copysign(max(abs(away) - expected["abs_tol"], 0.0), away)
    accuracy = expected.get("value_accuracy", 0.0)
    is_narrow = Z95 * error <= (NARROW_SHARE if expected["unit"] == "share" else NARROW * abs(theory))
    z = away / error if error else (0.0 if abs(away) <= accuracy else math.inf)
    passes = abs(away) <= limit * error + accuracy
    return Verdict(case, measure, at, theory, found, error, n, z, passes, is_narrow)


def _where(expected: Json) -> str:
    """Where, of whom, and at what time, percentile or number of beds; whether the value is a printed one."""
    named = [str(expected[key]) for key in ("where", "who") if expected[key] != "all"]
    numbers = [f"{key} {expected[key]}" for key in ("time", "percentile", "than", "beds") if key in expected]
    return ", ".join([*named, *numbers, *(["as printed"] if expected.get("published") else [])]) or "all"


def estimate(expected: Json, values: list[Any]) -> tuple[float, float]:
    """The estimate over replications and its standard error; 0 from a single one."""
    n, found = len(values), np.array(values, float)
    measure, freedom = expected["measure"], min(1, len(values) - 1)
    if measure == "p_delay":
        above, below = found[:, 0].mean(), found[:, 1].mean()
        ratio = above / below
        rest = (found[:, 0] - ratio * found[:, 1]) / below
        return float(ratio), float(rest.std(ddof=freedom) / math.sqrt(n))
    if measure == "variance_of_number_present_at":
        m = expected["value"]
        return float(found.var(ddof=freedom)), math.sqrt((m + 2 * m * m) / n)
    return float(found.mean()), float(found.std(ddof=freedom) / math.sqrt(n))
