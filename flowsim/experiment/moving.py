"""The ledger of moved work: each lever of a scenario run after the last, on the same patients, and what it moved.

Every visit of a run is kept, so of an experiment of several years only the last is run, after the warm-up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flowsim.engine.building import compile_network
from flowsim.engine.network import Floats, Ints, Labels, Network
from flowsim.engine.rules import patient_number
from flowsim.engine.running import Engine, run_once
from flowsim.engine.visits import COLUMNS, VisitEnd
from flowsim.engine.warming import compile_ahead
from flowsim.errors import DamagedError, refusal
from flowsim.measure.ledgers import NUMBER
from flowsim.measure.moved import DAY_MS, GONE, PREVENTED, Care, Moved, moved
from flowsim.model.levers.prevention import Prevention
from flowsim.model.names import near
from flowsim.model.schema import Model
from flowsim.model.units import DOORS, geography_of

if TYPE_CHECKING:
    from flowsim.experiment.scenarios import LoadedExperiment

KINDS = ("setting", "level", "unit", "at", "stp")
"""What visits can be told apart by: each by the unit that was asked for."""
COLUMN = {name: place for place, name in enumerate(COLUMNS)}
PRIMES = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5, 0x85EBCA77C2B2AE63)


class LeverMoved(NamedTuple):
    """What one lever of a scenario moved, after those before it; `year` is empty where days were run."""

    scenario: str
    lever: str
    year: str
    pathways: dict[str, str]  # of each stream
    moved: Moved

    def document(self) -> dict[str, Any]:
        """It as plain data, days in place of milliseconds; only streams and care of which anything
        moved.
        """
        arrivals = [
            {"pathway": self.pathways[one["stream"]], **one} for one in self.moved.arrivals if one["gone"] or one["new"]
        ]
        rows = []
        for row in self.moved.rows:
            parts = (f"{what}_{side}" for what in ("visits", "days_ms") for side in ("removed", "added"))
            if any(row[part] for part in parts) or row["turned_away_before"] != row["turned_away_after"]:
                days = {name: value / DAY_MS for name, value in row.items() if name.startswith("days_ms")}
                kept = {name: value for name, value in row.items() if name not in days}
                rows.append({**kept, **{name.replace("_ms", ""): value for name, value in days.items()}})
        return {
            "scenario": self.scenario,
            "lever": self.lever,
            "year": self.year,
            "patients": self.moved.patients,
            "arrivals": sorted(arrivals, key=lambda one: (one["pathway"], one["stream"])),
            "care": rows,
            "flows": self.moved.flows,
        }


class Names:
    """Numbers for names that several runs share."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def of(self, names: list[str]) -> Ints:
        """The numbers of names, new ones where they are new."""
        return np.array([self.number.setdefault(name, len(self.number)) for name in names], np.int64)


def levers_moved(
    loaded: LoadedExperiment,
    scenario: str | None = None,
    by: str = "setting",
    replication: int = 1,
    engine: Engine = "compiled",
    note: Callable[[str], None] = lambda line: None,
) -> Iterator[LeverMoved]:
    """What each lever moved, scenario by scenario (or of one), in one replication, from the warm-up to the end.

    Levers that change who comes (growth) move nobody: patients of one run only are told by stream, and the visits of
    others differ through queues alone. Of several years the last is run, in which growth is greatest.
    Raises InputError for names that are not known, DamagedError if it does not balance to the patient.
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
    runs = _Runs(loaded, by, replication, engine)
    start = runs.care(loaded.base.model)
    for one in scenarios.values() if scenario is None else [scenarios[scenario]]:
        model, before = loaded.base.model, start
        for lever in one.levers:
            note(f"{one.name}: {lever.describe()}")
            model = lever.apply(model)
            after = runs.care(model)
            gone = PREVENTED if isinstance(lever, Prevention) else GONE
            found = moved(before, after, list(runs.kinds.number), list(runs.streams.number), gone)
            if faults := found.faults():
                raise DamagedError("moved work does not balance: " + "; ".join(faults[:5]))
            yield LeverMoved(one.name, lever.describe(), runs.year if years else "", runs.pathways, found)
            before = after


class _Runs:
    """Runs of one replication whose visits are told in the same numbers."""

    def __init__(self, loaded: LoadedExperiment, by: str, replication: int, engine: Engine) -> None:
        self.loaded, self.by, self.replication, self.engine = loaded, by, replication, engine
        self.streams, self.units, self.kinds = Names(), Names(), Names()
        self.pathways: dict[str, str] = {}
        base = loaded.base.model
        self.window = loaded.experiment.window(base.start)
        self.year = self.window.years(base.start)[-1][0]

    def care(self, model: Model) -> Care:
        """Every visit of a model's run but those in which nothing is done."""
        network, labels = compile_network(model, self.window, self.loaded.base.model)
        pathways = (labels.pathways[number] for number in network.stream_pathway)
        self.pathways |= dict(zip(labels.streams, pathways, strict=True))
        told = _Telling(self, model, network, labels)
        run_once(
            network, labels, self.loaded.experiment.seed, self.replication, told.read, told.take, self.engine
        )  # fmt: skip
        return told.care()


class _Telling:
    """Takes the rows of one run's log, and keeps of each what is compared; reads in its ledger what these must tell."""

    def __init__(self, runs: _Runs, model: Model, network: Network, labels: Labels) -> None:
        self.horizon = network.horizon_ms
        self.stream = runs.streams.of(list(labels.streams))
        self.unit = runs.units.of([unit.name for unit in labels.units])
        self.is_door = np.array([unit.setting.startswith(DOORS) for unit in labels.units], np.bool_)
        self.kind = runs.kinds.of([getattr(unit, runs.by if runs.by != "unit" else "name") for unit in labels.units])
        self.km = _distances(model, labels)
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
        rows = rows[~self.is_door[own]]
        column = {name: rows[:, place] for name, place in COLUMN.items()}
        own, outcome = column["own_unit"], column["outcome"]
        started = column["started_ms"] >= 0
        left = np.where(column["left_ms"] >= 0, column["left_ms"], self.horizon)
        used = np.where(column["unit"] >= 0, self.unit[column["unit"]], -1)
        self.parts.append(
            Care(
                patient_number(self.stream[column["stream"]], column["layer"], column["index"]),
                self.stream[column["stream"]].astype(np.int32),
                self.kind[own].astype(np.int32),
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


def _hash(*columns: Ints) -> Any:
    found = np.zeros(len(columns[0]), np.uint64)
    for column, prime in zip(columns, PRIMES, strict=True):
        found = (found ^ column.astype(np.uint64)) * np.uint64(prime)
        found ^= found >> np.uint64(29)
    return found


def _distances(model: Model, labels: Labels) -> Floats:
    """[places, units] kilometres from home to units at sites; NaN for others, and where a coordinate is missing."""
    geography = geography_of(model)
    sites = [site for site in geography.sites if geography.location(site) is not None]
    found = np.full((len(labels.places), len(labels.units)), np.nan)
    for row, place in enumerate(labels.places):
        if geography.location(place) is not None:
            km = {site: geography.distance_km(place, site) for site in sites}
            found[row] = [km.get(unit.at, np.nan) for unit in labels.units]
    return found
