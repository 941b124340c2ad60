"""The ledger of moved work: each lever of a scenario run after the last, on the same patients, and what it moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from flowsim.engine.building import compile_network
from flowsim.engine.network import Floats, Ints, Labels, Network
from flowsim.engine.rules import patient_number
from flowsim.engine.running import Engine, run_once
from flowsim.engine.visits import COLUMNS, VisitEnd
from flowsim.engine.warming import compile_ahead
from flowsim.errors import DamagedError, refusal
from flowsim.measure.moved import DAY_MS, Care, Moved, moved
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
    """What one lever of a scenario moved, after those before it."""

    scenario: str
    lever: str
    moved: Moved

    def document(self) -> dict[str, Any]:
        """It as plain data, days in place of milliseconds; only care of which anything moved."""
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
            "patients": self.moved.patients,
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
    runs = _Runs(loaded, by, replication, engine)
    start = runs.care(loaded.base.model)
    for one in scenarios.values() if scenario is None else [scenarios[scenario]]:
        model, before = loaded.base.model, start
        for lever in one.levers:
            note(f"{one.name}: {lever.describe()}")
            model = lever.apply(model)
            after = runs.care(model)
            found = moved(before, after, list(runs.kinds.number))
            if faults := found.faults():
                raise DamagedError("moved work does not balance: " + "; ".join(faults[:5]))
            yield LeverMoved(one.name, lever.describe(), found)
            before = after


class _Runs:
    """Runs of one replication whose visits are told in the same numbers."""

    def __init__(self, loaded: LoadedExperiment, by: str, replication: int, engine: Engine) -> None:
        self.loaded, self.by, self.replication, self.engine = loaded, by, replication, engine
        self.streams, self.units, self.kinds = Names(), Names(), Names()

    def care(self, model: Model) -> Care:
        """Every visit of a model's run but those in which nothing is done."""
        experiment = self.loaded.experiment
        base = self.loaded.base.model
        network, labels = compile_network(model, experiment.window(base.start), base)
        told = _Telling(self, model, network, labels)
        starts = np.zeros(len(labels.units), np.int64)

        def write(page: Ints) -> None:
            for name, lanes in told.starts:
                rows = page[page[:, 1] == name]
                np.add.at(starts, lanes[rows[:, 2]], rows[:, 3])

        run_once(network, labels, experiment.seed, self.replication, write, told.take, self.engine)
        return told.care(starts)


class _Telling:
    """Takes the rows of one run's log, and keeps of each what is compared."""

    def __init__(self, runs: _Runs, model: Model, network: Network, labels: Labels) -> None:
        from flowsim.engine.ledger import BOOKS

        self.horizon = network.horizon_ms
        self.stream = runs.streams.of(list(labels.streams))
        self.unit = runs.units.of([unit.name for unit in labels.units])
        self.is_door = np.array([unit.setting.startswith(DOORS) for unit in labels.units], np.bool_)
        self.kind = runs.kinds.of([getattr(unit, runs.by if runs.by != "unit" else "name") for unit in labels.units])
        self.km = _distances(model, labels)
        lanes = np.repeat(network.class_own, np.diff(network.lane_first))
        books = {book.name: number for number, book in enumerate(BOOKS)}
        self.starts = [(books["starts"], lanes), (books["first_inside"], lanes)]
        self.parts: list[Care] = []
        self.begun = np.zeros(len(labels.units), np.int64)

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

    def care(self, starts: Ints) -> Care:
        """All of it. Raises DamagedError if the log and the ledger, of own units, do not tell of the same visits."""
        if (starts != self.begun).any():
            raise DamagedError("the visit log and the ledger do not tell of the same visits")
        return Care(*(np.concatenate(column) for column in zip(*self.parts, strict=True)))


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
