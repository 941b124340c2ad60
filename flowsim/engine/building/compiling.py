"""A Model becomes a Network: names become integers, everything a read-only array.

Units, pools and streams are numbered by sorted name, since their numbers break ties; settings, pathways,
steps and places as written.
"""

from __future__ import annotations

from typing import Any

from flowsim.engine.building.choices import Choices
from flowsim.engine.building.distributions import Distributions
from flowsim.engine.building.graph import Graph
from flowsim.engine.building.marks import Marks, frozen, ints, numbered, refuse
from flowsim.engine.building.reach import Reach
from flowsim.engine.building.responses import all_responses, clock_arrays, response_arrays
from flowsim.engine.building.steps import Classes, causes_of, choice_arrays, share_arrays, step_arrays
from flowsim.engine.building.streams import Streams
from flowsim.engine.building.units import Pools, Units, cost_labels, unit_arrays
from flowsim.engine.network import Labels, Network
from flowsim.model.calendar import DAY_MS, Window, coarse_of, date_at, date_ms, month_starts
from flowsim.model.fitting import with_fitted
from flowsim.model.places import Geography
from flowsim.model.schema import Model

UNITS_BY_DAY = 200
"""A ledger of more units than this is kept by month, unless a period is asked for."""
MOST_AREAS = 40
"""A ledger of patients of more places than this tells their boroughs apart, not the places."""


def compile_network(model: Model, window: Window, base: Model | None = None) -> tuple[Network, Labels]:
    """The Network of a model in a window of time, and the names of its rows.

    `base` is the model before any lever, from which candidates are offered; the model itself if left out.
    Raises InputError, one line, for what shows only here: a capacity below 0, a year without population, a
    step some patients reach and that has no unit for them, hashes that collide, more patients than can be
    numbered.
    """
    try:
        fitted = with_fitted(model)
        base = fitted if base is None or base is model else with_fitted(base)
        model = fitted
    except ValueError as error:
        refuse(model, "fitted", None, str(error))
    geography = Geography.of(model.name, model.places, model.sites)
    marks = Marks(model, base, geography)
    units = Units(model, geography)
    pools = Pools(units)
    graph = Graph(model, marks)
    choices = Choices(units)
    chosen = [choices.add(graph.field(k), content) for k, (_, _, content) in enumerate(graph.steps)]
    diverts = [choices.divert(f"{graph.field(k)}: divert", step)[2] for k, (_, _, step) in enumerate(graph.steps)]
    streams = Streams(model, base, marks, graph, units, window)
    streams.refuse_short_lists()
    reach = Reach(graph, units, pools, chosen, diverts, streams.entries(), streams.first_day())
    classes = Classes(graph, units, pools, marks, reach)
    areas, place_area = areas_of(geography, marks, streams)

    arrays: dict[str, Any] = {
        **time_arrays(window, len(units.all)),
        **unit_arrays(units, pools, window),
        **choice_arrays(choices, chosen),
        **classes.arrays(),
        **step_arrays(graph, Distributions(marks), choices, list(model.settings)),
        **share_arrays(graph, marks),
        **graph.shift_arrays(window.origin),
        **streams.arrays(numbered(model.pathways)),
        **clock_arrays(graph),
        **response_arrays(graph, units, pools),
        "place_area": ints(place_area),
    }
    causes = causes_of(graph)
    sizes = (
        units.all, pools.all, classes.all, classes.lanes, graph.steps, model.settings, areas, marks.age_bands,
        causes, model.clocks,
    )  # fmt: skip
    arrays["counts"] = ints(len(one) for one in sizes)
    blocks = reach.blocks(arrays["keeps"], arrays["cause"].tolist())
    for name, column in zip(("block_unit", "block_awaited", "block_cause"), blocks, strict=True):
        arrays[name] = frozen(column)
    _refuse_long_times(model, arrays)
    labels = Labels(
        model=model.name,
        units=units.labels(),
        pools=tuple(pools.number),
        classes=classes.labels(),
        lanes=tuple((number, unit) for number, unit, _ in classes.lanes),
        settings=tuple(model.settings),
        setting_levels=tuple(setting.level for setting in model.settings.values()),
        pathways=tuple(model.pathways),
        steps=tuple((pathway, step) for pathway, step, _ in graph.steps),
        streams=tuple(stream.name for stream in streams.all),
        places=marks.places,
        sites=tuple(geography.sites),
        areas=areas,
        age_bands=marks.age_bands,
        groups=marks.groups,
        causes=causes,
        clocks=tuple(model.clocks),
        responses=tuple(all_responses(units, pools)),
        **time_labels(window, arrays["period_starts"].tolist()),
        **cost_labels(units, window),
    )
    return Network(**arrays), labels


def time_arrays(window: Window, units: int) -> dict[str, Any]:
    """The arrays of a Network about time; days by default, months for many units."""
    fine = window.periods(window.period or ("day" if units <= UNITS_BY_DAY else "month"))
    coarse = set(window.months())
    months = month_starts(window.origin, window.last_day)
    return {
        "horizon_ms": window.horizon_ms,
        "period_starts": ints(fine),
        "period_closes_month": ints(int(end in coarse) for end in fine[1:]),
        "day_starts": ints(window.day_starts()),
        "month_starts": ints(date_ms(month, window.origin) for month in months),
        "month_of_year": ints(month.month - 1 for month in months),
        "week_offset_ms": window.origin.weekday() * DAY_MS,
    }


def time_labels(window: Window, fine: list[int]) -> dict[str, Any]:
    """Dates of the fine and coarse periods, as in `Labels`."""
    coarse = window.months()
    return {
        "origin": window.origin.isoformat(),
        "data_start_ms": window.warm_up_ms,
        "period_dates": tuple(date_at(at, window.origin).isoformat() for at in fine[:-1]),
        "month_of_period": tuple(coarse_of(fine, coarse)),
        "month_dates": tuple(date_at(at, window.origin).isoformat() for at in coarse[:-1]),
    }


def areas_of(geography: Geography, marks: Marks, streams: Streams) -> tuple[tuple[str, ...], list[int]]:
    """Areas that patients live in, and the area of each place, -1 where nobody does.

    The places themselves, such as neighbourhoods; boroughs where there are more than `MOST_AREAS`.
    """
    lived_in = {place for place, _ in streams.entries()} | {place for place, *_ in streams.first_day()}
    area = dict(enumerate(marks.places))
    if len(lived_in) > MOST_AREAS:
        area = {place: geography.area(name, "borough") for place, name in area.items()}
    areas = tuple(dict.fromkeys(area[place] for place in sorted(lived_in)))
    number = numbered(areas)
    return areas, [number[area[place]] if place in lived_in else -1 for place in area]


def _refuse_long_times(model: Model, arrays: dict[str, Any]) -> None:
    longest = 2**53
    for name in ("horizon_ms", "lane_after", "clock_standard", "listed_at", "shift_start", "shift_ramp"):
        values = ints([arrays[name]]) if isinstance(arrays[name], int) else arrays[name]
        if len(values) and abs(values).max() > longest:
            refuse(model, name, int(abs(values).max()), "ms is too long a time: at most 2**53")
