"""Factors on patients who arrive to enter a step and whose unit is at some sites; others may come the less for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from flowsim.model.arrivals import RATES, Arrivals, Need, grown
from flowsim.model.fitted import Fitted
from flowsim.model.pathways import Pathway
from flowsim.model.people import homes_of, people_of
from flowsim.model.schema import Model
from flowsim.model.units import WAY, geography_of, root_of

ROUNDING = 1e-9
"""Shares and rates below 0 by no more than this are 0."""

Rates = Mapping[str, Mapping[str, float]]
"""Place of residence: age band: patients a year for 1,000 people, on the model's first day."""


class Entry(NamedTuple):
    """Where a unit is drawn for those who enter a step: there, or on the way before it that a lever put there."""

    pathway: str
    step: str

    def sources(self, model: Model) -> list[int]:
        """Numbers of the sources whose patients enter it."""
        pathway = model.pathways[self.pathway]
        return [number for number, one in enumerate(pathway.arrivals) if entered(pathway, one) == self.step]

    def shares(self, model: Model) -> dict[str, dict[str, float]]:
        """By place of residence, or a place above it: the shares of sites."""
        return model.pathways[self.pathway].steps[self.step].at.shares


def entered(pathway: Pathway, source: Arrivals) -> str:
    """The step that patients of a source enter."""
    return source.enters or next(iter(pathway.steps))


def entries_of(model: Model, name: str) -> list[Entry]:
    """The steps that a name means: `pathway: step`, or the step in every pathway that has it."""
    found = []
    for pathway, content in model.pathways.items():
        for step in content.steps:
            if name in (step, f"{pathway}: {step}"):
                ways = (
                    way
                    for way, one in content.steps.items()
                    if one.in_.startswith(WAY) and one.then.everybody == {step: 1.0}
                )
                found.append(Entry(pathway, next(ways, step)))
    return found


class Arriving:
    """People of a model by place and age on its first day, whom factors on patients need to know."""

    def __init__(self, model: Model) -> None:
        self.geography = geography_of(model)
        homes = homes_of(model.population, self.geography)
        self.people = people_of(model.population, homes, model.start.year)

    def times(self, model: Model, factor: Fitted) -> Model:
        """The model with a factor on patients multiplied in. Raises ValueError if it would take more than there are."""
        entry, other = _entries(model, factor)
        if other is not None:
            model = self._taken(model, factor, entry, other)
        rows = entry.shares(model)
        grown = {place: 1 + (factor.times - 1) * _part(factor, row) for place, row in rows.items()}
        shares = {
            place: {at: share * (factor.times if _is_at(factor, at) else 1) / grown[place] for at, share in row.items()}
            for place, row in rows.items()
        }
        model = _with_shares(model, entry, shares)
        pathway = model.pathways[entry.pathway]
        arrivals = list(pathway.arrivals)
        for number in entry.sources(model):
            source = arrivals[number]
            homes = self.people if source.from_ is not None else source.residence or {root_of(self.geography): 1.0}
            more = {home: grown[row] if (row := self.geography.holder(home, grown)) else factor.times for home in homes}
            arrivals[number] = self._more(source, more)
        return _with_arrivals(model, entry.pathway, arrivals)

    def most(self, model: Model, factor: Fitted) -> float | None:
        """The largest factor that takes no more from other patients than there are, of any age, place and site."""
        entry, other = _entries(model, factor)
        if other is None:
            return None
        given, taken = self._rates(model, entry), self._rates(model, other)
        least: float | None = None
        for home, rates in given.items():
            sites = self._row(home, entry.shares(model))
            from_sites = self._row(home, other.shares(model))
            by_age = [taken[home].get(band, 0.0) / rate for band, rate in rates.items() if rate > 0]
            by_site = [
                from_sites.get(at, 0.0) / share for at, share in sites.items() if share > 0 and _is_at(factor, at)
            ]
            if by_age and by_site:
                here = min(by_age) * min(by_site)
                least = here if least is None else min(least, here)
        return None if least is None else 1 + least

    # ---- parts ----

    def _row(self, home: str, rows: Mapping[str, dict[str, float]]) -> dict[str, float]:
        place = self.geography.holder(home, rows)
        return {} if place is None else rows[place]

    def _need(self, need: Need, home: str) -> Mapping[str, float]:
        return self._row(home, need.by_place) if need.by_place else need.by_age

    def _rates(self, model: Model, entry: Entry) -> Rates:
        """Arrivals of all sources of an entry, which come from the population."""
        found: dict[str, dict[str, float]] = {home: {} for home in self.people}
        arrivals = model.pathways[entry.pathway].arrivals
        for number in entry.sources(model):
            need, growth = arrivals[number].need, _growth(model, arrivals[number])
            assert need is not None
            for home, rates in found.items():
                for band, rate in self._need(need, home).items():
                    rates[band] = rates.get(band, 0.0) + rate * growth
        return found

    def _more(self, source: Arrivals, more: Mapping[str, float]) -> Arrivals:
        """A source with other numbers of patients, by factors for each place of residence."""
        if source.need is not None:
            rows = {
                home: {band: rate * times for band, rate in self._need(source.need, home).items()}
                for home, times in more.items()
            }
            return source.model_copy(update={"need": Need.model_construct(by_age={}, by_place=rows)})
        if not source.residence:
            return _faster(source, next(iter(more.values())))
        total = sum(share * more[home] for home, share in source.residence.items())
        residence = {home: share * more[home] / total for home, share in source.residence.items()}
        return _faster(source, total).model_copy(update={"residence": residence})

    def _taken(self, model: Model, factor: Fitted, entry: Entry, other: Entry) -> Model:
        """The model in which those whom an entry gains enter another step no more; of each age as many in each place,
        and at each site as many in each place, as there were in the first year.
        """
        given, taken = self._rates(model, entry), self._rates(model, other)
        rows = dict(other.shares(model))
        left: dict[str, dict[str, float]] = {}
        for home, people in self.people.items():
            sites = {at: share for at, share in self._row(home, entry.shares(model)).items() if _is_at(factor, at)}
            gained = {band: rate * (factor.times - 1) * sum(sites.values()) for band, rate in given[home].items()}
            left[home] = {
                band: _not_negative(taken[home].get(band, 0.0), gained.get(band, 0.0), factor)
                for band in {**taken[home], **gained}
            }
            was = sum(rate * people.get(band, 0.0) for band, rate in taken[home].items())
            moved = sum(rate * people.get(band, 0.0) for band, rate in given[home].items()) * (factor.times - 1)
            row = self._row(home, other.shares(model))
            if was - moved * sum(sites.values()) > 0:
                there = {
                    at: _not_negative(was * row.get(at, 0.0), moved * sites.get(at, 0.0), factor)
                    for at in {**row, **sites}
                }
                total = sum(there.values())
                rows[home] = {at: number / total for at, number in there.items()}
        model = _with_shares(model, other, rows)
        arrivals = list(model.pathways[other.pathway].arrivals)
        for place, number in enumerate(other.sources(model)):
            source = arrivals[number]
            assert source.need is not None
            by_place: dict[str, dict[str, float]] = {}
            for home, rates in left.items():
                need, before = self._need(source.need, home), taken[home]
                by_place[home] = {
                    band: need.get(band, 0.0) * rate / before[band]
                    if before.get(band, 0.0) > 0
                    else rate / _growth(model, source) * (place == 0)
                    for band, rate in rates.items()
                }
            arrivals[number] = source.model_copy(update={"need": Need.model_construct(by_age={}, by_place=by_place)})
        return _with_arrivals(model, other.pathway, arrivals)


def _entries(model: Model, factor: Fitted) -> tuple[Entry, Entry | None]:
    found = []
    for name in (factor.patients_of, factor.instead_of):
        entries = [] if name is None else entries_of(model, name)
        if name is not None and len(entries) != 1:
            raise ValueError(f"'{name}' is {'no step' if not entries else 'a step of several pathways'}")
        found.append(entries[0] if entries else None)
    assert found[0] is not None
    return found[0], found[1]


def _is_at(factor: Fitted, at: str) -> bool:
    return not factor.at or at in factor.at


def _part(factor: Fitted, row: Mapping[str, float]) -> float:
    """The share of patients whose unit is at the sites of a factor."""
    return sum(share for at, share in row.items() if _is_at(factor, at))


def _not_negative(there: float, taken: float, factor: Fitted) -> float:
    left = there - taken
    if left < -ROUNDING * max(there, taken):
        raise ValueError(
            f"patients of '{factor.patients_of}' times {factor.times:g}: takes more patients of '{factor.instead_of}'"
            " than there are"
        )
    return max(left, 0.0)


def _growth(model: Model, source: Arrivals) -> float:
    """Growth of a source up to the first day."""
    return grown([model.growth[name] for name in source.growth], model.start)


def _faster(source: Arrivals, times: float) -> Arrivals:
    rates = {name: rate * times for name in RATES if (rate := getattr(source, name)) is not None}
    return source.model_copy(update=rates)


def _with_shares(model: Model, entry: Entry, shares: dict[str, dict[str, float]]) -> Model:
    if not shares:
        return model
    step = model.pathways[entry.pathway].steps[entry.step]
    at = step.at.model_copy(update={"shares": shares})
    return model.with_steps(entry.pathway, {entry.step: step.model_copy(update={"at": at})})


def _with_arrivals(model: Model, pathway: str, arrivals: Iterable[Arrivals]) -> Model:
    changed = model.pathways[pathway].model_copy(update={"arrivals": tuple(arrivals)})
    return model.model_copy(update={"pathways": {**model.pathways, pathway: changed}})
