"""Measures are sums divided once; percentiles come from summed histograms."""

import math
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.engine.building import compile_network
from flowsim.engine.ledger import BINS, BOOKS, bin_of, bin_start
from flowsim.engine.running import run_once
from flowsim.measure.catalogue import FAMILIES, MEASURES
from flowsim.measure.keys import ATTRIBUTES, keys_of
from flowsim.measure.ledgers import Columns, read_ledger
from flowsim.measure.measures import measured, percentile, share_within
from flowsim.measure.times import spans
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.loading import load_model
from flowsim.model.settings import Costs


@pytest.fixture(scope="module")
def ledger():
    model = load_model("emergency")
    network, labels = compile_network(model, Window(date(2001, 1, 1), 5 * DAY_MS, 25 * DAY_MS, "day"))
    pages = []
    run_once(network, labels, 1, 1, lambda page: pages.append(page.copy()))
    return read_ledger(Columns.of(pages), network, labels)


@given(st.integers(0, 2**40))
def test_every_wait_lies_in_its_bin(wait):
    number = bin_of(wait)
    assert bin_start(number) <= wait
    assert number == BINS - 1 or wait < bin_start(number + 1)


@given(st.integers(1, BINS - 2))
def test_bins_are_at_most_a_sixteenth_wide(number):
    start, end = bin_start(number), bin_start(number + 1)
    assert number == 1 or end - start <= start / 16


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_percentile_of_a_histogram_is_within_a_bin_of_the_exact_one(waits, share):
    histogram = np.bincount([bin_of(w) for w in waits], minlength=BINS).astype(float)
    exact = sorted(waits)[max(math.ceil(share * len(waits) - 1e-9) - 1, 0)]
    first = bin_of(exact)
    assert bin_start(first) <= percentile(histogram, share) <= bin_start(min(first + 1, BINS - 1)) or exact == 0


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200))
def test_share_within_rises_from_the_share_of_zeros_to_one(waits):
    histogram = np.bincount([bin_of(w) for w in waits], minlength=BINS).astype(float)
    shares = [share_within(histogram, limit) for limit in (0, 10**5, 10**7, 10**10)]
    assert shares == sorted(shares)
    assert shares[0] >= sum(w == 0 for w in waits) / len(waits) - 1e-12
    assert shares[-1] == pytest.approx(1)


def test_an_empty_histogram_has_no_percentile():
    assert math.isnan(percentile(np.zeros(BINS), 0.5))
    assert math.isnan(share_within(np.zeros(BINS), 1.0))


@pytest.mark.parametrize("name", MEASURES)
def test_a_measure_has_one_value_for_each_value_of_every_attribute(ledger, name):
    measure = MEASURES[name]
    keys = keys_of(measure.row, ledger.network, ledger.labels)
    assert set(keys) == set(ATTRIBUTES[measure.row])
    for attribute in (*ATTRIBUTES[measure.row], "all"):
        values = measured(measure, ledger, attribute)
        wanted = set(keys[attribute]) if attribute != "all" else {"all"}
        assert set(values) == wanted or not len(next(iter(keys.values())))


def test_names_are_not_given_twice():
    assert sum(len(family) for family in FAMILIES.values()) == len(MEASURES)


def test_occupancy_of_all_is_bed_days_over_bed_days_not_a_mean_of_shares(ledger):
    every = measured(MEASURES["occupancy"], ledger, "all")["all"]
    used, there = ledger.book("in_use_ms").sum(), ledger.book("available_ms").sum()
    assert every == pytest.approx(used / there)
    assert every != pytest.approx(np.nanmean([*measured(MEASURES["occupancy"], ledger, "unit").values()]), rel=1e-3)


def test_beds_in_use_is_occupancy_times_beds(ledger):
    of = {"setting": frozenset({"ward"})}
    beds = measured(MEASURES["beds_in_use"], ledger, "all", of)["all"]
    assert beds == pytest.approx(measured(MEASURES["occupancy"], ledger, "all", of)["all"] * 325)


def test_little_s_law_joins_queue_wait_and_arrivals(ledger):
    of = {"setting": frozenset({"triage"})}  # nobody leaves this queue but by starting
    queue = measured(MEASURES["queue"], ledger, "all", of)["all"]
    wait = measured(MEASURES["mean_wait_hours"], ledger, "all", of)["all"]
    starts = measured(MEASURES["starts_a_year"], ledger, "all", of)["all"]
    assert queue == pytest.approx(wait * starts / 8760, rel=0.02)


def test_warm_up_is_left_out(ledger):
    starts = measured(MEASURES["starts_a_year"], ledger, "all", {"setting": frozenset({"triage"})})["all"]
    assert starts == pytest.approx(240 * 365, rel=0.05)
    assert ledger.window.days == 20


def test_residents_waits_add_up_to_the_waits_of_settings(ledger):
    assert ledger.book("area_wait_ms").sum() == ledger.book("wait_ms").sum()
    assert ledger.book("area_wait_bins").sum() == ledger.book("wait_bins").sum()


def test_a_cause_of_blocking_names_what_was_waited_for(ledger):
    by_cause = measured(MEASURES["blocked_beds"], ledger, "cause")
    assert {"a ward bed", "home care"} <= set(by_cause)


YEAR = date(2001, 1, 1), 31 * DAY_MS, (31 + 365) * DAY_MS


@pytest.fixture(scope="module")
def year():
    """From February 2001 to January 2002, after a January to warm up."""
    model = load_model("emergency")
    network, labels = compile_network(model, Window(*YEAR, "week"))
    pages = []
    run_once(network, labels, 1, 1, lambda page: pages.append(page.copy()))
    return read_ledger(Columns.of(pages), network, labels)


@pytest.mark.parametrize("time", ["year", "quarter", "month"])
@pytest.mark.parametrize("book", [book.name for book in BOOKS])
def test_parts_of_the_time_add_up_to_the_whole(year, book, time):
    parts = spans(year.labels, year.window.months, time)
    assert sum((year.during(months).book(book) for months in parts.values()), 0) == pytest.approx(year.book(book))
    assert sum(year.during(months).window.days for months in parts.values()) == year.window.days == 365


def test_months_are_named_by_the_calendar_and_quarters_by_the_year_of_the_run(year):
    assert list(measured(MEASURES["starts_a_year"], year, "month"))[::11] == ["2001-02", "2002-01"]
    assert list(measured(MEASURES["starts_a_year"], year, "quarter")) == [f"2001/02 Q{n}" for n in (1, 2, 3, 4)]
    assert list(measured(MEASURES["starts_a_year"], year, "year")) == ["2001/02"]


def test_a_measure_of_a_part_is_that_of_a_run_of_this_part_alone(year):
    """The same weeks, kept by a run that warms up until they begin."""
    model = load_model("emergency")
    network, labels = compile_network(model, Window(YEAR[0], (31 + 28) * DAY_MS, (31 + 28 + 31) * DAY_MS, "week"))
    pages = []
    run_once(network, labels, 1, 1, lambda page: pages.append(page.copy()))
    march = read_ledger(Columns.of(pages), network, labels)
    only = {"month": frozenset({"2001-03"})}
    for name, measure in MEASURES.items():
        if name.endswith("_at_end"):
            continue  # the longer run does not end with March
        alone = measured(measure, march, "all")
        assert measured(measure, year, "all", only) == pytest.approx(alone, nan_ok=True), name


def test_a_mark_and_a_part_of_the_time_may_be_asked_for_together(year):
    of = {"quarter": frozenset({"2001/02 Q2", "2001/02 Q3"}), "setting": frozenset({"ward"})}
    both = measured(MEASURES["starts_a_year"], year, "month", of)
    assert list(both) == ["2001-05", "2001-06", "2001-07", "2001-08", "2001-09", "2001-10"]
    only = measured(MEASURES["starts_a_year"], year, "setting", {"month": frozenset({"2001-06"})})
    assert only["ward"] == both["2001-06"]


def test_nothing_is_measured_in_a_time_that_was_not_run(year):
    assert measured(MEASURES["starts_a_year"], year, "all", {"month": frozenset({"2001-01"})}) == {}


def test_costs_are_told_apart_by_who_pays():
    model = load_model("emergency")
    paid = {
        "ward": {"payer": "NHS", "costs": Costs(per_day_of_capacity=100)},
        "cubicle": {"payer": "NHS", "costs": Costs(per_visit=10)},
        "home care": {"payer": "council", "costs": Costs(per_day_of_stay=41)},
        "triage": {"costs": Costs(per_visit=1)},
    }
    settings = {name: one.model_copy(update=paid[name]) for name, one in model.settings.items()}
    network, labels = compile_network(
        model.model_copy(update={"settings": settings}), Window(date(2001, 1, 1), 5 * DAY_MS, 15 * DAY_MS)
    )
    pages = []
    run_once(network, labels, 1, 1, lambda page: pages.append(page.copy()))
    found = read_ledger(Columns.of(pages), network, labels)
    by_payer, by_setting = (measured(MEASURES["cost_a_year"], found, by) for by in ("payer", "setting"))
    assert by_payer == {
        "not said": pytest.approx(by_setting["triage"]),
        "NHS": pytest.approx(by_setting["ward"] + by_setting["cubicle"]),
        "council": pytest.approx(by_setting["home care"]),
    }
    assert by_setting["ward"] == pytest.approx(325 * 100 * 365)
    assert sum(by_payer.values()) == pytest.approx(measured(MEASURES["cost_a_year"], found, "all")["all"])
