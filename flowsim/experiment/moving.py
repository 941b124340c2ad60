"""The ledger of moved work: each lever of a scenario run after the last, on the same patients, and what it moved.

Every visit of a run is kept, so of an experiment of several years only the last is run, after the warm-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flowsim.engine.building import compile_network
from flowsim.engine.network import Floats, Ints
from flowsim.engine.rules import patient_number
from flowsim.engine.running import Engine, run_once
from flowsim.engine.visits import VisitEnd
from flowsim.engine.warming import compile_ahead
from flowsim.errors import DamagedError, refusal
from flowsim.measure.ledgers import NUMBER
from flowsim.measure.moved import DAY_MS, GONE, PREVENTED, Care, Moved, moved
from flowsim.measure.reached import COLUMN, Reached, Visits, reached
from flowsim.measure.touched import Names, Numbers, Side, touched
from flowsim.model.calendar import Window
from flowsim.model.levers.prevention import Prevention
from flowsim.model.names import near
from flowsim.model.schema import Model
from flowsim.model.units import DOORS, geography_of

if TYPE_CHECKING:
    from flowsim.experiment.scenarios import LoadedExperiment

KINDS = ("setting", "level", "unit", "at", "stp", "area")
"""What visits can be told apart by: each by the unit that was asked for, `area` by where the patient lives."""
PRIMES = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63)


class LeverMoved(NamedTuple):
    """What one lever of a scenario moved, after those before it; `year` is empty where days were run.

    With the last lever of a scenario comes how far the scenario reached, in a model of several STPs.
    """

    scenario: str
    lever: str
    year: str
    days: int | None  # only so many after the warm-up, if not all
    pathways: dict[str, str]  # of each stream
    moved: Moved
    reached: Reached | None

    def document(self) -> dict[str, Any]:
        """It as plain data, days in place of milliseconds; only streams and care of which anything
        moved, or is further from home or nearer.
        """
        arrivals = [
            {"pathway": self.pathways[one["stream"]], **one} for one in self.moved.arrivals if one["gone"] or one["new"]
        ]
        rows = []
        for row in self.moved.rows:
            parts = (f"{what}_{side}" for what in ("visits", "days_ms") for side in ("removed", "added"))
            is_turned = row["turned_away_before"] != row["turned_away_after"]
            if any(row[part] for part in parts) or is_turned or _is_further(row["km_before"], row["km_after"]):
                days = {name: value / DAY_MS for name, value in row.items() if name.startswith("days_ms")}
                kept = {name: value for name, value in row.items() if name not in days}
                rows.append({**kept, **{name.replace("_ms", ""): value for name, value in days.items()}})
        return {
            "scenario": self.scenario,
            "lever": self.lever,
            "year": self.year,
            "days": self.days,
            "patients": self.moved.patients,
            "arrivals": sorted(arrivals, key=lambda one: (one["pathway"], one["stream"])),
            "care": rows,
            "flows": self.moved.flows,
            **({} if self.reached is None else {"reached": self.reached.document()}),
        }


def levers_moved(
    loaded: LoadedExperiment,
    scenario: str | None = None,
    by: str = "setting",
    replication: int = 1,
    days: int | None = None,
    engine: Engine = "compiled",
    note: Callable[[str], None] = lambda line: None,
) -> Iterator[LeverMoved]:
    """What each lever moved, scenario by scenario (or of one), in one replication, from the warm-up to the end.

    Levers that change who comes (growth) move nobody: patients of one run only are told by stream, and the visits of
    others differ through queues alone. Of several years the last is run, in which growth is greatest; `days` ends the
    run so many days after the warm-up.
    Raises InputError for names that are not known, DamagedError if it does not balance to the patient, or a history
    changed that nothing had reached.
    """
    scenarios = {one.name: one for one in loaded.scenarios if one.levers}
    if scenario is not None and scenario not in scenarios:
        told = "changes nothing" if scenario in loaded.experiment.scenarios else "is not known here"
        raise refusal("--scenario", scenario, told + near(scenario, scenarios))
    if by not in KINDS:
        raise refusal("--by", by, f"must be one of {', '.join(KINDS)}")
    if isinstance(replication, bool) or not 1 <= replication <= 1_000_000:
        raise refusal("--replication", replication, "must be a whole number from 1 to 1000000")
    compile_ahead(engine, note)
    years = loaded.experiment.years[-1:]
    if len(loaded.experiment.years) > 1:
        loaded = replace(loaded, experiment=loaded.experiment.model_copy(update={"years": years}))
    runs = _Runs(loaded, by, replication, days, engine)
    start = runs.run(loaded.base.model, runs.has_stps)
    for one in scenarios.values() if scenario is None else [scenarios[scenario]]:
        model, before = loaded.base.model, start
        for place, lever in enumerate(one.levers, 1):
            note(f"{one.name}: {lever.describe()}")
            model = lever.apply(model)
            is_whole = runs.has_stps and place == len(one.levers)
            after = runs.run(model, is_whole)
            gone = PREVENTED if isinstance(lever, Prevention) else GONE
            found = moved(before.care, after.care, list(runs.kinds.number), list(runs.numbers.streams.number), gone)
            if faults := found.faults():
                raise DamagedError("moved work does not balance: " + "; ".join(faults[:5]))
            reach = runs.reached(start, after) if is_whole else None
            year = runs.year if years else ""
            yield LeverMoved(one.name, lever.describe(), year, days, runs.pathways, found, reach)
            before = after


class _Run(NamedTuple):
    """One run: the model as it ran, its care, and every visit in full if these are wanted."""

    side: Side
    care: Care
    visits: Visits | None


class _Runs:
    """Runs of one replication whose visits are told in the same numbers."""

    def __init__(self, loaded: LoadedExperiment, by: str, replication: int, days: int | None, engine: Engine) -> None:
        self.loaded, self.by, self.replication, self.engine = loaded, by, replication, engine
        self.numbers, self.kinds = Numbers(), Names()
        self.pathways: dict[str, str] = {}
        base = loaded.base.model
        self.window = _cut(loaded.experiment.window(base.start), days)
        self.year = self.window.years(base.start)[-1][0]
        self.has_stps = sum(place.level == "stp" for place in geography_of(base).places.values()) > 1

    def run(self, model: Model, is_whole: bool) -> _Run:
        """A model's run: every visit but those in which nothing is done, in full if `is_whole`."""
        network, labels = compile_network(model, self.window, self.loaded.base.model)
        pathways = (labels.pathways[number] for number in network.stream_pathway)
        self.pathways |= dict(zip(labels.streams, pathways, strict=True))
        side = self.numbers.side(model, network, labels)
        told = _Telling(self, side, is_whole)
        run_once(
            network, labels, self.loaded.experiment.seed, self.replication, told.read, told.take, self.engine
        )  # fmt: skip
        return _Run(side, told.care(), Visits.all_of(told.whole) if is_whole else None)

    def reached(self, before: _Run, after: _Run) -> Reached:
        """How far a scenario reached. Raises DamagedError if a history changed that nothing had reached."""
        assert before.visits is not None and after.visits is not None
        found = reached(before.visits, after.visits, touched(before.side, after.side, self.numbers))
        if faults := found.faults():
            raise DamagedError("a change came out of nowhere: " + "; ".join(faults[:5]))
        return found


def _cut(window: Window, days: int | None) -> Window:
    """A window that ends so many days after its warm-up. Raises InputError if it is not so long."""
    if days is None:
        return window
    most = (window.horizon_ms - window.warm_up_ms) // DAY_MS
    if isinstance(days, bool) or not 1 <= days <= most:
        raise refusal("--days", days, f"must be a whole number from 1 to {most}, which is all that is measured")
    return Window(window.origin, window.warm_up_ms, window.warm_up_ms + days * DAY_MS, window.period)


class _Telling:
    """Takes the rows of one run's log, and keeps of each what is compared; reads in its ledger what these must tell."""

    def __init__(self, runs: _Runs, side: Side, is_whole: bool) -> None:
        network, labels = side.network, side.labels
        self.side, self.is_whole, self.whole = side, is_whole, list[Visits]()
        self.horizon = network.horizon_ms
        self.stream, self.unit = side.stream, side.unit
        self.is_door = np.array([unit.setting.startswith(DOORS) for unit in labels.units], np.bool_)
        if runs.by == "area":
            names = [labels.areas[area] for area in network.place_area]
        else:
            names = [getattr(unit, "name" if runs.by == "unit" else runs.by) for unit in labels.units]
        self.kind, self.told_by = runs.kinds.of(names), "place" if runs.by == "area" else "own_unit"
        self.km = _distances(side)
        lanes = np.repeat(network.class_own, np.diff(network.lane_first))
        self.starts = [(NUMBER["starts"], lanes), (NUMBER["first_inside"], lanes)]
        self.parts: list[Care] = []
        self.begun, self.to_begin = np.zeros((2, len(labels.units)), np.int64)
        self.entered = np.zeros(len(labels.streams), np.int64)

    def read(self, page: Ints) -> None:
        """A page of the ledger: who started in each unit, and who came in each stream."""
        for book, lanes in self.starts:
            rows = page[page[:, 1] == book]
            np.add.at(self.to_begin, lanes[rows[:, 2]], rows[:, 3])
        rows = page[page[:, 1] == NUMBER["entered"]]
        np.add.at(self.entered, rows[:, 2], rows[:, 3])

    def take(self, rows: Ints) -> None:
        """Some rows of the visit log."""
        own = rows[:, COLUMN["own_unit"]]
        started = rows[:, COLUMN["started_ms"]] >= 0
        self.begun += np.bincount(own[started], minlength=len(self.begun))
        stream, layer, index = (rows[:, COLUMN[name]] for name in ("stream", "layer", "index"))
        patient = patient_number(self.stream[stream], layer, index)
        if self.is_whole:
            self.whole.append(Visits.of(rows, patient, self.side))
        is_kept = ~self.is_door[own]
        rows, patient = rows[is_kept], patient[is_kept]
        column = {name: rows[:, place] for name, place in COLUMN.items()}
        own, outcome = column["own_unit"], column["outcome"]
        started = column["started_ms"] >= 0
        left = np.where(column["left_ms"] >= 0, column["left_ms"], self.horizon)
        used = np.where(column["unit"] >= 0, self.unit[column["unit"]], -1)
        self.parts.append(
            Care(
                patient,
                self.stream[column["stream"]].astype(np.int32),
                self.kind[column[self.told_by]].astype(np.int32),
                _hash(used, column["joined_ms"], column["started_ms"], column["left_ms"], outcome),
                column["joined_ms"].copy(),
                np.where(started, left - column["started_ms"], 0),
                started,
                outcome == VisitEnd.UNFINISHED,
                (outcome == VisitEnd.RENEGED) | (outcome == VisitEnd.BALKED),
                self.km[column["place"], own].astype(np.float32),
            )
        )

    def care(self) -> Care:
        """All of it. Raises DamagedError if the log and the ledger do not tell of the same patients and visits."""
        if (self.to_begin != self.begun).any():
            raise DamagedError("the visit log and the ledger do not tell of the same visits")
        found = Care(*(np.concatenate(column) for column in zip(*self.parts, strict=True)))
        _, first = np.unique(found.patient, return_index=True)
        came = np.bincount(found.stream[first], minlength=self.stream.max(initial=0) + 1)
        if (came[self.stream] != self.entered).any():
            raise DamagedError("the visit log and the ledger do not tell of the same patients")
        return found


def _is_further(before: float | None, after: float | None) -> bool:
    """Whether the mean way from home differs by ten metres or more."""
    return abs(before - after) >= 0.01 if before is not None and after is not None else before is not after


def _hash(*columns: Ints) -> Any:
    found = np.zeros(len(columns[0]), np.uint64)
    for column, prime in zip(columns, PRIMES, strict=True):
        found = (found ^ column.astype(np.uint64)) * np.uint64(prime)
        found ^= found >> np.uint64(29)
    return found


def _distances(side: Side) -> Floats:
    """[places, units] kilometres from home to units at sites; NaN for others, and where a coordinate is missing."""
    geography, labels = geography_of(side.model), side.labels
    sites = [site for site in geography.sites if geography.location(site) is not None]
    found = np.full((len(labels.places), len(labels.units)), np.nan)
    for row, place in enumerate(labels.places):
        if geography.location(place) is not None:
            km = {site: geography.distance_km(place, site) for site in sites}
            found[row] = [km.get(unit.at, np.nan) for unit in labels.units]
    return found
