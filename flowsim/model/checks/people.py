"""Checks of people: age bands, marks, and sources of patients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

from flowsim.model.ages import by_age, limits
from flowsim.model.arrivals import Arrivals
from flowsim.model.checks.report import Report
from flowsim.model.names import near
from flowsim.model.parts import ByMark, Priority, Shares
from flowsim.model.pathways import Step
from flowsim.model.prevention import fault_of
from flowsim.model.reading import KeyPath
from flowsim.model.tables import Table
from flowsim.model.units import named

PERIODS = {"hour": "day", "minute": "day", "weekday": "week", "month": "year"}
"""What a profile describes, by its kind; a source has at most one of each."""


def check_people(report: Report) -> None:
    """Bands, groups, sources of patients, and what depends on a mark."""
    bands = _age_bands(report)
    if bands is None:
        return
    for name, shares in report.model.groups.items():
        _by_mark(report, ("groups", name), shares, bands)
        if shares.by is not None and shares.by not in ("age_band", "place"):
            report.say(("groups", name, "by"), shares.by, "a group may depend on age_band or place only")
    if not report.model.first_day and not any(one.arrivals for one in report.model.pathways.values()):
        message = "no patient ever comes: give a pathway `arrivals`, such as {per_day: 10}"
        report.say(("pathways",), None, message)
    for name, pathway in report.model.pathways.items():
        if not pathway.arrivals and all(first.pathway != name for first in report.model.first_day):
            report.warnings.append(f"pathway {name!r} has no arrivals: it stays empty")
        for number, source in enumerate(pathway.arrivals):
            _source(report, ("pathways", name, "arrivals", number), source, bands)
    for path, _, step, _ in report.steps():
        for inner, part in _marked(step):
            _by_mark(report, (*path, *inner), part, bands)
    for key in ("shifts", "prevention"):
        for number, one in enumerate(getattr(report.model, key)):
            for place, band in enumerate(one.age_bands):
                if band not in bands:
                    message = f"there is no age band of this name{near(band, bands)}"
                    report.say((key, number, "age_bands", place), band, message)
    for number, prevented in enumerate(report.model.prevention):
        if (fault := fault_of(report.model.pathways[prevented.pathway], prevented)) is not None:
            report.say(("prevention", number), prevented.enters or prevented.pathway, fault)


# ---- age bands ----


def _band_sources(report: Report) -> Iterator[tuple[KeyPath, list[str], bool]]:
    """Every list of age bands with its field, and whether all bands must stand there."""
    if report.model.population is not None:
        yield ("population", "table"), list(report.model.population.table.columns["age_band"]), True
    for name, pathway in report.model.pathways.items():
        for number, source in enumerate(pathway.arrivals):
            path = ("pathways", name, "arrivals", number)
            if source.ages:
                yield (*path, "ages"), list(source.ages), False
            if source.need is not None:
                rows = [source.need.by_age, *source.need.by_place.values()]
                yield from (((*path, "need"), list(row), True) for row in rows if row)
            if source.trace is not None and "age_band" in source.trace.columns:
                yield (*path, "trace"), list(source.trace.columns["age_band"]), False


def _age_bands(report: Report) -> list[str] | None:
    """The age bands of the model, or None if they are not sound; tells lists that do not fit them."""
    known: list[str] = []
    for path, found, must_be_all in _band_sources(report):
        bands = list(dict.fromkeys(found))
        malformed = [band for band in bands if not _is_band(band)]
        if malformed:
            report.say(path, malformed[0], "must be an age band, written like 65-69 or 90+")
            continue
        if not known:
            known = sorted(bands, key=by_age)
            if not _are_sound(report, path, known):
                return None
            continue
        for band in bands:
            if band not in known:
                low, _ = limits(band)
                inside = next((one for one in known if limits(one)[0] < low <= (limits(one)[1] or 200)), None)
                cause = f": {low} lies inside {inside}" if inside else near(band, known)
                message = f"is not one of the age bands used before ({named(known)}){cause}"
                report.say(path, band, message)
        missing = [band for band in known if band not in bands]
        if missing and must_be_all and set(bands) <= set(known):
            report.say(path, None, f"leaves out {named(missing)}: write 0 where there are none")
    return known


def _is_band(band: str) -> bool:
    low, _, high = band.removesuffix("+").partition("-")
    return low.isdecimal() and (high.isdecimal() or "-" not in band)


def _are_sound(report: Report, path: KeyPath, bands: list[str]) -> bool:
    """Whether bands follow each other up to an open one; tells where they do not."""
    before = len(report.faults)
    table = report.model.population.table if report.model.population is not None else None

    def say(band: str, message: str) -> None:
        if table is not None and path[0] == "population":
            row = table.columns["age_band"].index(band)
            report.say_row(table, row, "age_band", band, message)
        else:
            report.say(path, band, message)

    if path[0] == "population" and limits(bands[0])[0] != 0:
        say(bands[0], "the first age band must start at 0")
    for one, other in pairwise(bands):
        last, first = limits(one)[1], limits(other)[0]
        if last is None or first <= last:
            say(other, f"overlaps with {one}: age bands follow each other, such as 0-17, 18-64, 65+")
        elif first > last + 1:
            say(other, f"ages {last + 1} to {first - 1} are missing before it")
    if limits(bands[-1])[1] is not None:
        low = limits(bands[-1])[0]
        say(bands[-1], f"the last age band must be open, such as {low}+")
    return len(report.faults) == before


# ---- what depends on a mark ----


def _marked(step: Step) -> Iterator[tuple[KeyPath, ByMark | Priority | Shares]]:
    """Every part of a step that may depend on a mark, with its path."""
    yield ("priority",), step.priority
    yield ("then",), step.then
    for field, part in (("stay", step.stay), ("patience", step.patience)):
        if part is None:
            continue
        for family in ("fixed", "exponential"):
            if (by_mark := getattr(part, family)) is not None:
                yield (field, family), by_mark
        for family in ("lognormal", "gamma", "weibull", "hyperexponential"):
            spread = getattr(part, family)
            if spread is not None and spread.mean is not None:
                yield (field, family, "mean"), spread.mean


def _by_mark(report: Report, path: KeyPath, part: ByMark | Priority | Shares, bands: list[str]) -> None:
    """Whether there is an entry for every value of the mark, and none for others."""
    if part.by is None:
        return
    values, what = _values(report, part.by, bands), f"value of {part.by}"
    if part.by == "age_band" and not bands:
        report.say((*path, "by"), part.by, "no patient has an age: give arrivals `ages`, or a population")
        return
    for name in part.of:
        if name not in values:
            report.say((*path, name), name, f"there is no {what} of this name{near(name, values)}")
    if part.by == "place":
        homes = _all_homes(report)
        missing = [home for home in homes if not report.geography.is_within(home, part.of)]
    else:
        missing = [value for value in values if value not in part.of]
    if missing:
        report.say(path, None, f"leaves out {named(missing)}: every {what} needs an entry")


def _values(report: Report, mark: str, bands: list[str]) -> list[str]:
    if mark == "age_band":
        return bands
    if mark == "place":
        return list(report.geography.places)
    return list(dict.fromkeys(value for row in report.model.groups[mark].rows() for value in row))


def _all_homes(report: Report) -> Iterable[str]:
    pathways = report.model.pathways.values()
    return dict.fromkeys(home for pathway in pathways for home in report.homes_of(pathway))


# ---- sources of patients ----


def _source(report: Report, path: KeyPath, source: Arrivals, bands: list[str]) -> None:
    if source.from_ is not None:
        if report.model.population is None:
            report.say((*path, "from"), source.from_, "the model has no population: name its table at the top")
        for key, given in (("residence", source.residence), ("ages", source.ages)):
            if given:
                report.say((*path, key), None, "comes from the population here: leave it out")
    kinds: dict[str, str] = {}
    for number, name in enumerate(source.profile):
        period = PERIODS[report.model.profiles[name].by]
        if period in kinds:
            message = f"a second profile of the {period} ({kinds[period]!r} is the first): one of each at most"
            report.say((*path, "profile", number), name, message)
        kinds.setdefault(period, name)
    if source.trace is not None:
        if source.profile or source.growth:
            report.say(path, None, "a trace has its own times: leave profile and growth out")
        _trace_groups(report, source.trace, report.model.groups)
    if source.timetable is not None and (source.profile or source.growth):
        report.say(path, None, "a timetable has its own times: leave profile and growth out")


def _trace_groups(report: Report, table: Table, groups: Mapping[str, Shares]) -> None:
    for name, values in table.columns.items():
        if name in ("at", "place", "age_band"):
            continue
        if name not in groups:
            message = f"is neither at, place, age_band nor a group{near(name, groups)}"
            report.faults.add(table.file, 1, name, None, message)
            continue
        known = list(dict.fromkeys(value for row in groups[name].rows() for value in row))
        told = set(known)
        for row, value in enumerate(values):
            if value not in told:
                told.add(value)
                message = f"there is no value of {name} of this name{near(value, known)}"
                report.say_row(table, row, name, value, message)
