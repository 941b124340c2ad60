"""Arrival rates: by population and need, or plain; their growth over the years; and their profiles."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from flowsim.engine.building.marks import PLACE, Marks, refuse
from flowsim.engine.network import Floats
from flowsim.model.arrivals import WEIGHTS, Arrivals, grown
from flowsim.model.calendar import (
    YEAR_MS,
    anniversaries,
    anniversary,
    model_year,
)
from flowsim.model.people import homes_of
from flowsim.model.prevention import Prevented, sources_prevented
from flowsim.model.schema import Model


class Profiles(NamedTuple):
    """Weights of day, week and year, each scaled to a maximum of 1, and the peak rate / the mean rate."""

    day: tuple[float, ...]
    week: tuple[float, ...]
    year: tuple[float, ...]
    peak: float


class Population:
    """People by place, calendar year and age band. A number that is missing is not there."""

    def __init__(self, model: Model, marks: Marks) -> None:
        self.model = model
        self.homes = homes_of(model.population, marks.geography)
        self.places = list(self.homes)
        self.of: dict[str, dict[int, Floats]] = {}
        self._known: dict[tuple[str, int], Floats] = {}
        if model.population is None:
            self.years: list[int] = []
            return
        columns = model.population.table.columns
        variants = columns.get("variant", (None,) * len(columns["place"]))
        wanted = model.population.variant
        if wanted is None and len(set(variants)) > 1:
            refuse(
                model,
                "population",
                None,
                f"has several variants: say which of {', '.join(sorted(set(variants)))}",
            )
        bands = marks.values["age_band"]
        read = zip(columns["place"], columns["age_band"], columns["year"], columns["people"], variants, strict=True)
        for place, band, year, people, variant in read:
            if wanted is None or variant == wanted:
                years = self.of.setdefault(place, {})
                if year not in years:
                    years[year] = np.full(len(bands), np.nan)
                years[year][bands[band]] = people
        if not self.of:
            refuse(model, "population", wanted, "is no variant of the table")
        for place in self.of:
            if place not in marks.geography.places:
                refuse(model, "population", place, "is no place of the model")
        self.years = sorted({year for years in self.of.values() for year in years})
        rows = np.array([people for years in self.of.values() for people in years.values()])
        self.bands = np.flatnonzero(~np.isnan(rows).all(axis=0))

    def people(self, place: str, year: int) -> Floats:
        """People in a place by age band, in the model year that starts in `year`; those of the first year
        before it, and always those of the year `as_in` where the model names one.
        """
        if (place, year) not in self._known:
            self._known[place, year] = self._people(place, year)
        return self._known[place, year]

    def _people(self, home: str, year: int) -> Floats:
        assert self.model.population is not None
        place, share = self.homes[home]
        as_in = self.model.population.as_in
        year = max(year, self.years[0]) if as_in is None else as_in
        found = self.of[place].get(year)
        if found is None or np.isnan(found[self.bands]).any():
            last = self.years[-1]
            message = (
                f"has no people for '{place}' in {year}, and the table ends with {last}: add them"
                if year > last
                else f"has no number of people for every age band of '{place}' in {year}: fill the gap"
            )
            refuse(self.model, "population", None, message)
        return np.asarray(np.nan_to_num(found) * share, np.float64)


class Rates:
    """Mean arrival rates of a model's sources, per millisecond, by age band."""

    def __init__(self, model: Model, marks: Marks) -> None:
        self.model, self.marks = model, marks
        self.population = Population(model, marks)
        self._growth: dict[tuple[tuple[str, ...], date], float] = {}
        self._need: dict[tuple[int, str], Floats] = {}
        self._prevented = [
            (one, self._who(one), sources_prevented(model.pathways[one.pathway], one)) for one in model.prevention
        ]

    def places(self, source: Arrivals) -> list[str]:
        """Where the patients of a source live: one stream for each."""
        if source.from_ is not None:
            if not self.population.places:
                refuse(self.model, "arrivals", "from: population", "needs a table of population")
            return self.population.places
        if source.residence:
            return [place for place, share in source.residence.items() if share > 0]
        return [next(p.name for p in self.marks.geography.places.values() if p.within is None)]

    def at(self, source: Arrivals, place: str, day: date) -> Floats:
        """Rate by age band on a day, before the profile."""
        rate = self._before_prevention(source, place, day)
        left = self._left(source, place, day)
        return rate if left is None else rate * left

    def _before_prevention(self, source: Arrivals, place: str, day: date) -> Floats:
        growth = self.growth(source.growth, day)
        if source.from_ is not None:
            year = model_year(day, self.model.start)
            return self._need_of(source, place) * self.population.people(place, year) * (growth / YEAR_MS)
        share = source.residence.get(place, 1.0)
        return np.array(self.ages(source)) * ((source.per_ms or 0.0) * share * growth)

    def _who(self, prevented: Prevented) -> Floats:
        """1 for each age band of which patients are prevented, else 0."""
        bands = self.marks.values["age_band"]
        for band in prevented.age_bands:
            if band not in bands:
                refuse(self.model, "prevention", band, "is no age band of the model")
        return np.array([float(not prevented.age_bands or band in prevented.age_bands) for band in bands])

    def _left(self, source: Arrivals, place: str, day: date) -> Floats | None:
        """By age band, the share of patients whom prevention leaves on a day; None where there is none."""
        left = None
        for prevented, who, of in self._prevented:
            if not any(source is one for one in of):
                continue
            if not prevented.places or self.marks.geography.is_within(place, prevented.places):
                here = 1 - who * prevented.share_on(day)
                left = here if left is None else left * here
        return left

    def ages(self, source: Arrivals) -> list[float]:
        """Age shares of a source that does not come from the population."""
        bands = self.marks.values["age_band"]
        if not source.ages:
            return [1.0] + [0.0] * (len(bands) - 1)
        return [source.ages.get(band, 0.0) for band in bands]

    def growth(self, names: Sequence[str], day: date) -> float:
        """Product of growth factors: (1 + a year) to the power of whole years since each began."""
        key = (tuple(names), day)
        if key not in self._growth:
            for name in names:
                if name not in self.model.growth:
                    refuse(self.model, "arrivals: growth", name, "is not under `growth`")
            self._growth[key] = grown([self.model.growth[name] for name in names], day)
        return self._growth[key]

    def _need_of(self, source: Arrivals, place: str) -> Floats:
        """Arrivals a year for each person, by age band; 0 for a band that the table leaves out."""
        need = source.need
        if need is None:
            raise ValueError("`from: population` and need go together")
        key = (id(need), place)
        if key not in self._need:
            row: Mapping[str, float] = need.by_age
            if need.by_place:
                name = self.marks.geography.holder(place, need.by_place)
                if name is None:
                    refuse(self.model, "arrivals: need", place, "has no need, nor has a place above it")
                row = need.by_place[name]
            bands = self.marks.values["age_band"]
            self._need[key] = np.array([row.get(band, 0.0) / 1000 for band in bands])
        return self._need[key]

    def changes(self, first: date, last: date) -> list[date]:
        """Days after `first` and before `last` on which a rate may change, apart from profiles."""
        grows = {growth.from_ for growth in self.model.growth.values()}
        found = {day for start in grows for day in anniversaries(start, max(first, start), last)}
        for one in self.model.prevention:
            found.update(day for day in itertools.takewhile(lambda day: day < last, one.days()) if day > first)
        if self.model.population is not None and self.model.population.as_in is None:
            found.update(anniversaries(self.model.start, first, last))
        return sorted(found)

    def first_year(self) -> list[date]:
        """The days of the first model year on which rates may have changed."""
        start = self.model.start
        return [start, *self.changes(start, anniversary(start, start.year + 1))]

    def profiles(self, source: Arrivals) -> Profiles:
        """The profiles of a source; where it has none the weights are all 1."""
        day: tuple[float, ...] = (1.0,)
        week: tuple[float, ...] = (1.0,) * 7
        year: tuple[float, ...] = (1.0,) * 12
        peak = 1.0
        seen: set[str] = set()
        for name in source.profile:
            if name not in self.model.profiles:
                refuse(self.model, "arrivals: profile", name, "is not under `profiles`")
            profile = self.model.profiles[name]
            kind = profile.by if WEIGHTS[profile.by] < 24 else "day"
            if kind in seen:
                refuse(self.model, "arrivals: profile", name, f"is a second profile of the {kind}: keep one")
            seen.add(kind)
            most = max(profile.weights)
            weights = tuple(weight / most for weight in profile.weights)
            peak *= len(weights) / sum(weights)
            if kind == "weekday":
                week = weights
            elif kind == "month":
                year = weights
            else:
                day = weights
        return Profiles(day, week, year, peak)


def marks_with_place(count: int, place: int) -> list[int]:
    """Marks of a patient of whom only the place of residence is known."""
    return [place if mark == PLACE else -1 for mark in range(count)]
