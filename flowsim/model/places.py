"""Where people live and where care is given: the tree of places, the sites in it, and distances."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from math import asin, cos, radians, sin, sqrt
from typing import NamedTuple

from flowsim.model.tables import Table

LEVELS = ("neighbourhood", "borough", "stp", "teaching hospital")
"""The four levels of care, nearest to the patient first."""

EARTH_RADIUS_KM = 6371.0088
"""Mean radius of the Earth (IUGG 1980)."""


class Place(NamedTuple):
    """A node of the tree London > STP > borough > neighbourhood. Coordinates in degrees, or None.

    `share` is its share of the people of the place it lies in, where it has none of its own; None if not given.
    """

    name: str
    level: str
    within: str | None
    latitude: float | None
    longitude: float | None
    share: float | None = None


class Site(NamedTuple):
    """A hospital or other building in a place, and whose it is. Coordinates in degrees; None if not given."""

    name: str
    within: str
    latitude: float | None
    longitude: float | None
    trust: str | None = None


class Geography:
    """The places and sites of a model, by name, in written order.

    A model without places has one, named like the model, at level `neighbourhood`.
    """

    def __init__(self, places: dict[str, Place], sites: dict[str, Site]) -> None:
        self.places = places
        self.sites = sites

    @classmethod
    def of(cls, name: str, places: Table | None, sites: Table | None) -> Geography:
        """Build from the tables `places` (name, level, within) and `sites` (name, within)."""
        if places is None:
            only = Place(name, LEVELS[0], None, None, None)
            return cls({name: only}, {row.name: row for row in _sites(sites)})
        return cls({row.name: row for row in _places(places)}, {row.name: row for row in _sites(sites)})

    def upwards(self, place: str) -> Iterator[Place]:
        """The place itself, then each place it lies in, up to the root."""
        here: str | None = place
        while here is not None:
            yield self.places[here]
            here = self.places[here].within

    def holder(self, place: str, names: Collection[str]) -> str | None:
        """The place itself if it is one of these, else the nearest above it that is; None if none is."""
        return next((above.name for above in self.upwards(place) if above.name in names), None)

    def is_within(self, place: str, names: Collection[str]) -> bool:
        """Whether a place is one of these, or lies in one."""
        return self.holder(place, names) is not None

    def are_apart(self, some: Iterable[str], others: Iterable[str]) -> bool:
        """Whether nobody lives both in some places and in others."""
        some, others = tuple(some), tuple(others)
        return not any(self.is_within(one, others) for one in some) and not any(
            self.is_within(one, some) for one in others
        )

    def place_of(self, at: str) -> str:
        """The place that a site lies in; a place itself."""
        return self.sites[at].within if at in self.sites else at

    def area(self, place: str, level: str) -> str:
        """The place at `level` that holds `place`; `place` itself where there is none."""
        return next((above.name for above in self.upwards(place) if above.level == level), place)

    def location(self, name: str) -> tuple[float, float] | None:
        """Latitude and longitude in degrees of a place or site, or None."""
        here = self.sites.get(name) or self.places[name]
        if here.latitude is None or here.longitude is None:
            return None
        return here.latitude, here.longitude

    def distance_km(self, one: str, other: str) -> float:
        """Great-circle distance (haversine) between two places or sites, in kilometres."""
        here, there = self.location(one), self.location(other)
        if here is None or there is None:
            raise ValueError(f"no coordinates for '{one if here is None else other}'")
        (lat1, lon1), (lat2, lon2) = (tuple(map(radians, here)), tuple(map(radians, there)))
        half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
        return 2 * EARTH_RADIUS_KM * asin(sqrt(half))


def _places(table: Table) -> Iterator[Place]:
    columns = table.columns
    for row, name in enumerate(columns["name"]):
        yield Place(
            name,
            columns["level"][row],
            columns["within"][row],
            columns["latitude"][row] if "latitude" in columns else None,
            columns["longitude"][row] if "longitude" in columns else None,
            columns["share"][row] if "share" in columns else None,
        )


def _sites(table: Table | None) -> Iterator[Site]:
    if table is None:
        return
    columns = table.columns
    for row, name in enumerate(columns["name"]):
        yield Site(
            name,
            columns["within"][row],
            columns["latitude"][row] if "latitude" in columns else None,
            columns["longitude"][row] if "longitude" in columns else None,
            columns["trust"][row] if "trust" in columns else None,
        )
