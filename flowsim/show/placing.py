"""Which measures can be put on a map: their records, and where the places and sites of the model are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from flowsim.show.figure import replications_told
from flowsim.show.maps import Mapped, Panel, Reading
from flowsim.show.numbers import Record, is_number
from flowsim.show.tiles import Spot

if TYPE_CHECKING:
    from flowsim import ExperimentResults

PLACED = ("at", "area")
"""Attributes whose values are places or sites that a map can show."""
FEWEST_PLACES, FEWEST_SITES, MOST_PLACES = 10, 5, 80
"""Fewer are no map, and the tiles of more could not be read."""
BEDS = 0
"""The kind of unit whose size is its beds."""
LEVEL, CHANGE = ("mean", "low", "high"), ("difference", "difference_low", "difference_high")


class Asked(Protocol):
    """What an experiment asks for: see `measures` of an experiment in the language."""

    @property
    def by(self) -> str:
        """The attribute it is told apart by."""

    @property
    def of(self) -> Mapping[str, tuple[str, ...]]:
        """Only rows with these values of an attribute."""


@dataclass(frozen=True)
class Ground:
    """Places and sites of a model by name, the level of each place, and beds by (site, setting)."""

    places: Mapping[str, Spot]
    levels: Mapping[str, str]
    sites: Mapping[str, Spot]
    beds: Mapping[tuple[str, str], int]

    @classmethod
    def of(cls, results: ExperimentResults) -> Ground:
        """Of the model an experiment starts from, before any lever, with its beds at the beginning."""
        model = results.loaded.base.model
        network, labels = results.networks[results.experiment.baseline]
        beds: dict[tuple[str, str], int] = {}
        for number, unit in enumerate(labels.units):
            if network.unit_kind[number] == BEDS:
                spot = (unit.at, unit.setting)
                beds[spot] = beds.get(spot, 0) + int(network.capacity_beds[network.capacity_first[number]])
        levels = dict(zip(_column(model.places, "name"), _column(model.places, "level"), strict=True))
        return cls(_spots(model.places), levels, _spots(model.sites), beds)


def mapped(records: Sequence[Record], asked: Asked, ground: Ground) -> Mapped | None:
    """One measure's records for the map, None where there are too few places and sites for one.

    Places are those of one level, boroughs if there are enough of them. A site's size is its beds of the settings
    that the measure is of.
    """
    if asked.by not in PLACED:
        return None
    names = dict.fromkeys(one["place"] for one in records if one["mean"] or one["baseline_mean"])
    by_level: dict[str, list[str]] = {"borough": []}
    for name in names:
        if name in ground.places:
            by_level.setdefault(ground.levels[name], []).append(name)
    places = next((found for found in by_level.values() if FEWEST_PLACES <= len(found) <= MOST_PLACES), [])
    sites = [name for name in names if name in ground.sites and ground.sites[name].latitude is not None]
    sites = sites if len(sites) >= FEWEST_SITES else []
    if not places and not sites:
        return None
    settings = asked.of.get("setting")
    beds = {
        site: sum(n for (at, setting), n in ground.beds.items() if at == site and setting in (settings or (setting,)))
        for site in sites
    }
    first = records[0]
    scenarios = dict.fromkeys(one["scenario"] for one in records if one["scenario"] != first["baseline"])
    return Mapped(
        label=str(first["label"]),
        measured_in=first["measured_in"],
        less_is_better=first["less_is_better"],
        level=Panel(f"Level under '{first['baseline']}'", _readings(records, first["baseline"], LEVEL)),
        changes=tuple(Panel(f"Change under '{one}'", _readings(records, one, CHANGE)) for one in scenarios),
        places=tuple(ground.places[name] for name in places),
        sites=tuple(ground.sites[name]._replace(size=beds[name]) for name in sites),
        size_of="beds" if any(beds.values()) else "",
        replications=replications_told({one["replications"] for one in records}),
    )


def _readings(records: Iterable[Record], scenario: str, names: Sequence[str]) -> dict[str, Reading]:
    return {
        one["place"]: Reading(*(one[name] if is_number(one[name]) else None for name in names))
        for one in records
        if one["scenario"] == scenario
    }


def _spots(table: Any) -> dict[str, Spot]:
    names = _column(table, "name")
    where = zip(names, _column(table, "latitude"), _column(table, "longitude"), strict=True)
    return {name: Spot(name, latitude, longitude) for name, latitude, longitude in where}


def _column(table: Any, name: str) -> Sequence[Any]:
    """A column of a table of the model; blank where the table has none, empty where there is no table."""
    if table is None:
        return ()
    return table.columns.get(name) or (None,) * len(table)
