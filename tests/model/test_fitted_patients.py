"""Laws of factors on patients at some sites, and on the stays of units there: who is more, and who is less for it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flowsim.engine.building import compile_network
from flowsim.errors import InputError
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.fitted import Fitted
from flowsim.model.fitting import most, with_fitted
from flowsim.model.levers import parse_lever
from flowsim.model.loading import read_model
from flowsim.model.people import homes_of, people_of
from flowsim.model.schema import Model
from flowsim.model.units import geography_of

TABLES = {
    "places": """name,level,within,share
        City,root,,
        East,borough,City,
        West,borough,City,
        East 1,neighbourhood,East,0.25
        East 2,neighbourhood,East,0.75""",
    "sites": "name,within,latitude,longitude\nKing's,East,51.5,0\nGuy's,West,51.5,-0.1\nBart's,West,51.6,-0.1",
    "population": """place,age_band,year,people
        East,0-64,2018,9000
        East,65+,2018,3000
        West,0-64,2018,20000
        West,65+,2018,2000""",
    "units": """setting,at,capacity,stay_factor
        A&E,King's,20,1.5
        A&E,Guy's,20,1
        A&E,Bart's,20,1
        ward,King's,90,2
        ward,Guy's,90,1
        clinic,King's,10,1
        clinic,Guy's,10,1
        clinic,Bart's,10,1""",
    "catchment": """place,at,share
        East,King's,0.8
        East,Guy's,0.2
        West,King's,0.1
        West,Guy's,0.5
        West,Bart's,0.4""",
}
TOWN = """\
flowsim: 1
name: town
title: three hospitals
start: 2018-04-01
places: places.csv
sites: sites.csv
population: population.csv
units: units.csv
growth: {more: {a_year: 0.1, from: 2016-04-01}}
settings: {A&E: {}, ward: {}, clinic: {}, advice: {capacity: 9 beds}}
pathways:
  emergency:
    arrivals: [{from: population, need: {0-64: 20, 65+: 90}}, {from: population, growth: more, need: {0-64: 1, 65+: 2}}]
    steps:
      A&E doctor: {in: A&E, at: {shares: catchment.csv}, stay: 3 hours, then: {ward: 0.5, leave: rest}}
      ward: {in: ward, at: {shares: {City: {King's: 0.5, Guy's: 0.5}}}, stay: 3 days}
  same day:
    arrivals: {from: population, need: {by_place: {East: {0-64: 60, 65+: 100}, West: {0-64: 90, 65+: 120}}}}
    steps: {clinic: {in: clinic, at: {shares: catchment.csv}, stay: 5 hours}}
  visitors:
    arrivals: {per_day: 4, residence: {East 1: 0.5, West: 0.5}, ages: {0-64: 1}}
    steps: {clinic: {in: clinic, at: {shares: catchment.csv}, stay: 5 hours}}
  advice: {arrivals: {per_day: 1, residence: West}, steps: {advice: {in: advice, at: King's, stay: 1 hour}}}
fitted: {}
"""
SITES = ("King's", "Guy's", "Bart's")
ADMITTED, SAME_DAY = "emergency: A&E doctor", "same day: clinic"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town")
    for name, rows in TABLES.items():
        lines = [line.strip() for line in rows.splitlines()]
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def town(folder: Path) -> Callable[[str], Model]:
    def read(fitted: str) -> Model:
        file = folder / "town.yaml"
        file.write_text(TOWN.replace("fitted: {}", f"fitted: {fitted}").replace("at: King's,", ""), encoding="utf-8")
        return read_model(file).model

    return read


@pytest.fixture(scope="module")
def plain(town: Callable[[str], Model]) -> Model:
    return town("{}")


def fitted(model: Model, *factors: dict[str, object]) -> Model:
    """The model with factors, as it is run."""
    of = {str(number): Fitted.model_validate(one) for number, one in enumerate(factors)}
    return with_fitted(model.model_copy(update={"fitted": of}))


Flows = dict[tuple[str, str, str], float]


def flows(model: Model, pathway: str) -> Flows:
    """Patients a year by home, age band and site, on the first day."""
    content = model.pathways[pathway]
    geography = geography_of(model)
    homes = homes_of(model.population, geography)
    people = people_of(model.population, homes, 2018)
    step = next(iter(content.steps.values()))
    found: Flows = defaultdict(float)
    for source in content.arrivals:
        if source.need is None:
            rates = {(home, "0-64"): (source.per_day or 0) * 365 * share for home, share in source.residence.items()}
        else:
            growth = 1.1**2 if source.growth else 1.0
            rates = {}
            for home in homes:
                above = [place.name for place in geography.upwards(home)]
                need = next((source.need.by_place[one] for one in above if one in source.need.by_place), None)
                for band, rate in (need or source.need.by_age).items():
                    rates[home, band] = rate / 1000 * people[home][band] * growth
        for (home, band), rate in rates.items():
            row = next(step.at.shares[p.name] for p in geography.upwards(home) if p.name in step.at.shares)
            for at, share in row.items():
                found[home, band, at] += rate * share
    return found


def together(found: Flows, *parts: int) -> dict[tuple[str, ...], float]:
    """Sums of flows by some of home (0), age band (1) and site (2)."""
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    for key, number in found.items():
        sums[tuple(key[part] for part in parts)] += number
    return sums


some_sites = st.lists(st.sampled_from(SITES), min_size=0, max_size=3, unique=True).map(tuple)
quickly = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.floats(0.1, 3), some_sites, st.sampled_from(["emergency", "same day", "visitors"]))
@quickly
def test_patients_at_the_sites_are_multiplied_and_nobody_else(
    plain: Model, times: float, at: tuple[str, ...], pathway: str
) -> None:
    step = next(iter(plain.pathways[pathway].steps))
    model = fitted(plain, {"times": times, "patients_of": f"{pathway}: {step}", "at": at})
    was, now = flows(plain, pathway), flows(model, pathway)
    for home, band, site in was | now:
        factor = times if not at or site in at else 1
        assert now[home, band, site] == pytest.approx(factor * was[home, band, site])
    others = set(plain.pathways) - {pathway}
    assert all(model.pathways[other] is plain.pathways[other] for other in others)


@given(st.floats(0, 1), some_sites)
@quickly
def test_as_many_of_each_age_and_place_and_at_each_site_come_the_less_of_others(
    plain: Model, part: float, at: tuple[str, ...]
) -> None:
    given = {"times": 1.0, "patients_of": ADMITTED, "instead_of": SAME_DAY, "at": at}
    largest = most(plain, Fitted.model_validate(given))
    assert largest is not None and largest > 1.3
    model = fitted(plain, {**given, "times": 0.2 + part * (largest - 0.2)})
    for parts in ((0, 1), (0, 2)):
        before, after = (
            {key: sum(sums[key] for sums in found) for key in found[0] | found[1]}
            for found in ([together(flows(one, name), *parts) for name in ("emergency", "same day")]
                          for one in (plain, model))
        )  # fmt: skip
        assert after == pytest.approx(before)
    assert all(rate >= 0 for rate in flows(model, "same day").values())
    factor = 0.2 + part * (largest - 0.2)
    sites = at or SITES
    assert sum(n for (_, _, site), n in flows(model, "emergency").items() if site in sites) == pytest.approx(
        factor * sum(n for (_, _, site), n in flows(plain, "emergency").items() if site in sites)
    )


@given(st.floats(0.3, 1.2), st.floats(0.3, 1.2))
@quickly
def test_factors_at_different_sites_do_not_depend_on_their_order(plain: Model, one: float, other: float) -> None:
    both = [
        {"times": one, "patients_of": ADMITTED, "instead_of": SAME_DAY, "at": "King's"},
        {"times": other, "patients_of": ADMITTED, "instead_of": SAME_DAY, "at": ("Guy's", "Bart's")},
    ]
    for pathway in ("emergency", "same day"):
        forth, back = flows(fitted(plain, *both), pathway), flows(fitted(plain, *both[::-1]), pathway)
        assert dict(forth) == pytest.approx(dict(back))


def test_the_largest_factor_is_said_and_takes_all_there_are(town: Callable[[str], Model]) -> None:
    text = f'{{swap: {{times: TIMES, patients_of: "{ADMITTED}", instead_of: "{SAME_DAY}"}}}}'
    largest = 1 + 100 / (90 + 2 * 1.1**2)  # of those of 65 and over in East, where the catchments are the same
    model = town(text.replace("TIMES", f"{largest - 1e-9:.12f}"))
    assert flows(with_fitted(model), "same day")["East 1", "65+", "King's"] < 0.1
    with pytest.raises(InputError, match=rf"fitted.swap.times = 2.2.*more than all who enter.*at most {largest:.5f}"):
        town(text.replace("TIMES", "2.2"))


def test_a_factor_is_refused_only_where_it_takes_too_many(plain: Model) -> None:
    given = {"patients_of": ADMITTED, "instead_of": SAME_DAY, "at": "King's"}
    with pytest.raises(ValueError, match="more patients of 'same day: clinic' than there are"):
        fitted(plain, {**given, "times": 9})


def test_patients_stay_together_when_a_lever_has_drawn_their_site_first(plain: Model) -> None:
    """A closed A&E puts a step before the doctor at which the site is drawn: the factor is on that draw."""
    lever = parse_lever("close service", {"setting": "A&E", "at": "Bart's", "from": "2019-04-01", "to": "Guy's"}, plain)
    closed = lever.apply(plain)
    factor = {"times": 2, "patients_of": ADMITTED, "at": "King's"}
    was, now = flows(plain, "emergency"), flows(fitted(closed, factor), "emergency")
    assert now["West", "65+", "King's"] == pytest.approx(2 * was["West", "65+", "King's"])
    assert now["West", "65+", "Bart's"] == pytest.approx(was["West", "65+", "Bart's"])


@pytest.mark.parametrize(
    ("factor", "message"),
    [
        (f'{{times: 2, patients_of: "{ADMITTED}", at: West}}', "'A&E' has no unit there: it has units at King's"),
        (f'{{times: 2, patients_of: "{ADMITTED}", instead_of: "{ADMITTED}"}}', "the same step: name another"),
        (f'{{times: 2, patients_of: "{ADMITTED}", instead_of: "visitors: clinic"}}', "do not all come from the popul"),
        (f'{{times: 2, patients_of: "{ADMITTED}", instead_of: "{SAME_DAY}", at: Kings}}', "there is no place or site"),
        ('{times: 2, patients_of: "emergency: ward"}', "no patient enters it on arrival: those of 'emergency' enter"),
        ("{times: 2, patients_of: clinic}", "several pathways: write one of `same day: clinic`, `visitors: clinic`"),
        ("{times: 2, stay_in: ward, at: [King's, Bart's]}", "'ward' has no unit there: it has units at King's, Guy's"),
    ],
)
def test_factor_that_does_not_fit_is_refused_in_one_line(
    town: Callable[[str], Model], factor: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        town(f"\n  a factor: {factor}")
    assert len(caught.value.faults) == 1
    assert message in str(caught.value) and f":{TOWN.count(chr(10)) + 1}: fitted.a factor" in str(caught.value)


def test_factor_on_the_stays_of_units_is_on_top_of_their_own(plain: Model) -> None:
    def factors(model: Model) -> dict[str, float]:
        network, labels = compile_network(model, Window(dt.date(2018, 4, 1), 0, 30 * DAY_MS))
        return {unit.name: network.unit_stay_factor[number] for number, unit in enumerate(labels.units)}

    was = factors(plain)
    now = factors(
        fitted(
            plain,
            {"times": 1.25, "stay_in": "A&E", "at": ("King's", "Guy's")},
            {"times": 3, "stay_in": ("ward", "A&E"), "at": "King's"},
            {"times": 0.5, "stay_in": "advice"},
        )
    )
    assert now == {
        **was, "A&E at King's": 1.5 * 1.25 * 3, "A&E at Guy's": 1.25, "ward at King's": 6, "advice": 0.5,
    }  # fmt: skip


def test_same_people_come_when_factors_are_fitted_and_more_are_new_ones(plain: Model) -> None:
    """Candidates are those of the model before: a trial of a calibration thins them more or less."""
    window = Window(dt.date(2018, 4, 1), 0, 30 * DAY_MS)
    before, labels = compile_network(plain, window)
    model = plain.model_copy(
        update={"fitted": {"a": Fitted.model_validate({"times": 1.5, "patients_of": ADMITTED, "at": "King's"})}}
    )
    after, names = compile_network(model, window, plain)
    assert names == labels
    assert np.array_equal(before.stream_gap_ms, after.stream_gap_ms)
    assert np.array_equal(before.stream_mix, after.stream_mix)
    row = labels.streams.index("emergency | East 1")
    assert after.ratio[row] == pytest.approx(before.ratio[row] * (1 + 0.5 * 0.8))
