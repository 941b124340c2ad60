"""Streams of patients: candidates at a fixed rate that are thinned, listed times, and who is there on the
first day.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.addresses import LAYERS
from flowsim.engine.building.graph import Graph
from flowsim.engine.building.marks import PLACE, Marks, Ragged, cumulative, floats, frozen, ints
from flowsim.engine.building.marks import refuse as refuse_field
from flowsim.engine.building.rates import Profiles, Rates, marks_with_place
from flowsim.engine.building.units import Units
from flowsim.engine.network import Floats, StreamKind
from flowsim.model.arrivals import Arrivals
from flowsim.model.calendar import LONGEST_MS, Window, date_ms, datetime_ms
from flowsim.model.schema import FirstDay, Model

CANDIDATES = 2**31
"""A layer of a stream offers fewer than this in a run: their index has 32 bits."""
LISTED = 2**24
"""A stream has fewer given times than this."""
SPARE_SHARE = 1 / 16
"""Candidates set aside for age bands without patients before any lever, as a share of all others of the
stream.
"""
EVEN = Profiles((1.0,), (1.0,) * 7, (1.0,) * 12, 1.0)


class Stream(NamedTuple):
    """One stream, as it will stand in the Network; `ratio` is [segments, age bands]."""

    name: str
    kind: StreamKind
    pathway: str
    place: str
    step: int
    mix: Sequence[float]
    layers: int = 0
    gap_ms: float = float(LONGEST_MS)
    ratio: Floats | None = None
    profiles: Profiles = EVEN
    times: Sequence[int] = ()
    marks: Any = ()
    unit: int = -1


class Offer(NamedTuple):
    """Candidates of a stream, before any lever: R q by age band, per millisecond at the profile's peak."""

    by_age: Floats
    pathway: str
    place: str


def offers(rates: Rates) -> dict[str, Offer]:
    """What each stream of a model offers: the highest rate of the first model year, at the peak of its
    profile.

    An age band without patients offers a little too, so that a lever may bring some without new candidates
    for the others.
    """
    found = {}
    days = rates.first_year()
    for pathway, _, source, name, place in sources(rates.model, rates):
        if is_rate(source):
            highest = np.max([rates.at(source, place, day) for day in days], axis=0)
            found[name] = Offer(with_spare(highest * rates.profiles(source).peak), pathway, place)
    return found


def with_spare(by_age: Floats) -> Floats:
    """Rates by age band with a share for those that have none."""
    none = by_age <= 0
    if none.any() and not none.all():
        return np.where(none, by_age.sum() * SPARE_SHARE / none.sum(), by_age)
    return by_age


def is_rate(source: Arrivals) -> bool:
    """Whether patients of a source come at a rate, not at given times."""
    return source.timetable is None and source.trace is None


def sources(model: Model, rates: Rates) -> Iterable[tuple[str, int, Arrivals, str, str]]:
    """(pathway, number of the source, source, stream, place of residence) of every stream of arrivals."""
    for pathway, content in model.pathways.items():
        for number, source in enumerate(content.arrivals, start=1):
            begin = pathway if number == 1 else f"{pathway} | {number}"
            for place in rates.places(source):
                yield pathway, number, source, f"{begin} | {place}", place


class Streams:
    """All streams of a model in the order of their names, with the times between which rates are constant."""

    def __init__(self, model: Model, base: Model, marks: Marks, graph: Graph, units: Units, window: Window) -> None:
        self.model, self.marks, self.graph, self.units, self.window = model, marks, graph, units, window
        self.rates = Rates(model, marks)
        self.offers = offers(self.rates if base is model else Rates(base, marks))
        first, last = window.origin, window.last_day + timedelta(days=1)
        self.segments = [first, *self.rates.changes(first, last)]
        found = [self._arrivals(*one) for one in sources(model, self.rates)]
        self._by_pathway: dict[str, list[Offer]] = {}
        for offer in self.offers.values():
            self._by_pathway.setdefault(offer.pathway, []).append(offer)
        self._mixes: dict[tuple[str, str], list[float]] = {}
        named: set[str] = set()
        for number, there in enumerate(model.first_day, start=1):
            found.extend(self._first_day(number, there, named))
        self.all = sorted(found, key=lambda stream: stream.name)
        for one, other in zip(self.all, self.all[1:], strict=False):
            if one.name == other.name:
                self._refuse("streams", one.name, "is there twice: name pathways and places so that they differ")

    def _refuse(self, field: str, value: object, message: str) -> Any:
        refuse_field(self.model, field, value, message)

    def _arrivals(self, pathway: str, number: int, source: Arrivals, name: str, place: str) -> Stream:
        field = f"pathways: {pathway}: arrivals[{number}]"
        steps = self.graph.number[pathway]
        enters = source.enters or next(iter(self.model.pathways[pathway].steps))
        if steps.get(enters, -1) < 0:
            self._refuse(field, enters, "is no step of this pathway")
        if is_rate(source):
            return self._thinned(field, pathway, source, name, place, steps[enters])
        if len(self.rates.places(source)) > 1:
            self._refuse(field, "residence", "given times have one place of residence: write one source for each")
        times, marks = self._timetable(field, source, place) if source.timetable else self._trace(field, source, place)
        mix = cumulative(self.rates.ages(source))
        return Stream(
            name, StreamKind.LISTED, pathway, place, steps[enters], mix, times=times, marks=marks,
        )  # fmt: skip

    def _thinned(self, field: str, pathway: str, source: Arrivals, name: str, place: str, step: int) -> Stream:
        profiles = self.rates.profiles(source)
        by_segment = np.array([self.rates.at(source, place, day) for day in self.segments]) * profiles.peak
        offer = self.offers[name].by_age if name in self.offers else np.zeros(by_segment.shape[1])
        if not offer.any():  # nobody came before any lever, so nobody's luck is to be kept
            first_year = [self.rates.at(source, place, day) for day in self.rates.first_year()]
            offer = with_spare(np.max(first_year, axis=0) * profiles.peak)
        if not offer.any():
            offer = with_spare(by_segment.max(axis=0))
        if not offer.any():
            mix = [1.0] * len(offer)
            return Stream(name, StreamKind.RATE, pathway, place, step, mix, ratio=by_segment, profiles=profiles)
        total = float(offer.sum())
        ratio = by_segment / offer
        planned = self.window.horizon_ms * total
        if not planned < CANDIDATES:
            self._refuse(field, name, f"would bring {planned:.3g} patients in the run, at most {CANDIDATES:.3g} can be")
        needs = [y for one in self.model.responses.values() if one.changes.need == pathway for _, y in one.points]
        layers = math.ceil(float(ratio.max()) * max([1.0, *needs]) - 1e-12)
        if layers > LAYERS:
            self._refuse(field, name, f"grows {layers}-fold over the model before levers, at most {LAYERS}-fold can be")
        mix = cumulative([float(one / total) for one in offer])
        return Stream(name, StreamKind.RATE, pathway, place, step, mix, layers, 1 / total, ratio, profiles)

    def _timetable(self, field: str, source: Arrivals, place: str) -> tuple[Sequence[int], Any]:
        table = source.timetable
        if table is None or table.every <= 0:
            return self._refuse(field, "every", "must be above 0")  # type: ignore[no-any-return]
        often = max(-(-(self.window.horizon_ms - table.first) // table.every), 0)
        if often * table.batch > LISTED:
            self._refuse(field, "timetable", f"has {often * table.batch} patients in the run, at most {LISTED} can be")
        times = np.repeat(table.first + table.every * np.arange(often, dtype=np.int64), table.batch)
        return times.tolist(), [marks_with_place(self.marks.count, self.marks.values["place"][place])] * len(times)

    def _trace(self, field: str, source: Arrivals, place: str) -> tuple[Sequence[int], Any]:
        columns = {} if source.trace is None else source.trace.columns
        marks = np.full((len(columns["at"]), self.marks.count), -1, np.int64)
        marks[:, PLACE] = self.marks.values["place"][place]
        for name, values in columns.items():
            if name == "at":
                continue
            if name not in self.marks.number:
                self._refuse(field, name, "is no mark of a patient, and a trace has no other columns")
            known = self.marks.values[name]
            for row, value in enumerate(values):
                if value is not None:
                    if value not in known:
                        self._refuse(field, value, f"is no value of {name}")
                    marks[row, self.marks.number[name]] = known[value]
        at = np.array([datetime_ms(moment, self.window.origin) for moment in columns["at"]], np.int64)
        order = np.argsort(at, kind="stable")
        order = order[(at[order] >= 0) & (at[order] < self.window.horizon_ms)]
        if len(order) < len(at):
            warnings.warn(f"{field}: {len(at) - len(order)} rows of the trace lie outside the run", stacklevel=2)
        return at[order].tolist(), marks[order].tolist()

    def _first_day(self, number: int, there: FirstDay, named: set[str]) -> Iterable[Stream]:
        """Those inside and waiting of one entry. Streams have the place in their names where others of the step and
        unit, who live elsewhere, are listed before; `named` are the names so far.
        """
        field = f"first_day[{number}]"
        if self.graph.number.get(there.pathway, {}).get(there.step, -1) < 0:
            self._refuse(field, f"{there.pathway}: {there.step}", "is no step of a pathway")
        step = self.graph.number[there.pathway][there.step]
        unit = self.units.find(field, self.graph.steps[step][2].in_, there.at)
        place = there.residence or self.units.all[unit].place
        if place not in self.marks.values["place"]:
            self._refuse(field, place, "is no place of the model")
        where = marks_with_place(self.marks.count, self.marks.values["place"][place])
        if (there.pathway, place) not in self._mixes:
            self._mixes[there.pathway, place] = self._mix(there.pathway, place)
        mix = self._mixes[there.pathway, place]
        kinds = (
            (StreamKind.INSIDE, "inside at", there.inside),
            (StreamKind.WAITING, "waiting at", there.waiting),
        )
        for kind, word, count in kinds:
            if count > LISTED:
                self._refuse(field, count, f"are too many patients: at most {LISTED} can be")
            if count:
                name = f"{there.pathway} | {there.step} | {word} {self.units.all[unit].name}"
                name = f"{name} | {place}" if name in named else name
                named.add(name)
                waited = there.waited_up_to if kind == StreamKind.WAITING else 0
                times = [-((2 * (count - i) - 1) * waited) // (2 * count) for i in range(count)]
                yield Stream(name, kind, there.pathway, place, step, mix, times=times, marks=[where] * count, unit=unit)

    def _mix(self, pathway: str, place: str) -> list[float]:
        """Age shares of people found on the first day: of those who arrive from there, else of all of the
        pathway.
        """
        of_pathway = self._by_pathway.get(pathway, [])
        local = [offer for offer in of_pathway if offer.place == place] or of_pathway
        rates = np.sum([offer.by_age for offer in local], axis=0) if local else np.zeros(1)
        if rates.any():
            return cumulative([float(rate / rates.sum()) for rate in rates])
        arrivals = self.model.pathways[pathway].arrivals
        return cumulative(self.rates.ages(arrivals[0] if arrivals else Arrivals(per_day=0.0)))

    def refuse_short_lists(self) -> None:
        """Refuse a listed stay or patience that has no value for some patient who may come to its step."""
        listed = [
            (step, self.graph.field(step), kind, len(law.listed))
            for step, (_, _, content) in enumerate(self.graph.steps)
            for kind, law in (("stay", content.stay), ("patience", content.patience))
            if law is not None and law.listed is not None
        ]
        for stream in self.all if listed else ():
            reached = {stream.step} | self.graph.entered([stream.step])
            for step, field, kind, values in listed:
                if step in reached and stream.kind == StreamKind.RATE:
                    self._refuse(
                        f"{field}: {kind}",
                        f"{values} listed",
                        f"'{stream.name}' comes at a rate: list times for given times or the first day only",
                    )
                if step in reached and len(stream.times) > values:
                    self._refuse(
                        f"{field}: {kind}",
                        f"{values} listed",
                        f"'{stream.name}' has {len(stream.times)} patients: list a time for each",
                    )

    def entries(self) -> set[tuple[int, int]]:
        """(place, step) of everyone who arrives, not counting the first day."""
        found: set[tuple[int, int]] = set()
        for stream in self.all:
            if stream.kind in (StreamKind.RATE, StreamKind.LISTED):
                places = {self.marks.values["place"][stream.place], *(row[PLACE] for row in stream.marks)}
                found.update((place, stream.step) for place in places)
        return found

    def first_day(self) -> set[tuple[int, int, int, bool]]:
        """(place, step, unit, whether waiting) of everyone there on the first day."""
        return {
            (self.marks.values["place"][stream.place], stream.step, stream.unit, stream.kind == StreamKind.WAITING)
            for stream in self.all
            if stream.kind in (StreamKind.INSIDE, StreamKind.WAITING)
        }

    def arrays(self, pathways: dict[str, int]) -> dict[str, Any]:
        """The arrays of a Network about streams."""
        listed, day = Ragged(), Ragged()
        ages, segments = len(self.marks.age_bands), len(self.segments)
        for stream in self.all:
            listed.add(stream.times)
            day.add(stream.profiles.day)
        marks = [np.array(stream.marks, np.int64) for stream in self.all if len(stream.times)]
        none = np.zeros((segments, ages))
        ratio = [none if stream.ratio is None else stream.ratio for stream in self.all]
        return {
            "stream_kind": ints(stream.kind for stream in self.all),
            "stream_pathway": ints(pathways[stream.pathway] for stream in self.all),
            "stream_place": ints(self.marks.values["place"][stream.place] for stream in self.all),
            "stream_step": ints(stream.step for stream in self.all),
            "stream_layers": ints(stream.layers for stream in self.all),
            "stream_gap_ms": floats(stream.gap_ms for stream in self.all),
            "stream_mix": floats(share for stream in self.all for share in stream.mix),
            "stream_ratio_first": ints(i * segments * ages for i in range(len(self.all))),
            "segment_starts": ints(date_ms(segment, self.window.origin) for segment in self.segments),
            "ratio": frozen(np.array(ratio, np.float64).reshape(len(self.all), segments, ages)),
            "day_profile_first": ints(day.first),
            "day_profile": floats(day.flat),
            "week_profile": floats(weight for stream in self.all for weight in stream.profiles.week),
            "year_profile": floats(weight for stream in self.all for weight in stream.profiles.year),
            "listed_first": ints(listed.first),
            "listed_at": ints(listed.flat),
            "listed_marks": frozen(np.concatenate(marks) if marks else np.zeros((0, self.marks.count), np.int64)),
            "listed_unit": ints(stream.unit for stream in self.all),
            "mark_count": self.marks.count,
        }
