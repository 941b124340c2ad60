"""What a run hands over as it goes: pages of the ledger, rows of the visit log, and what it says when it is stopped."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import DAY, play

from flowsim.engine import reference, running
from flowsim.engine.building import compile_network
from flowsim.engine.ledger import BOOK, BOOKS, entries_of, rows_of
from flowsim.engine.network import Ints, Network
from flowsim.engine.totals import Totals
from flowsim.engine.visits import COLUMNS, VisitEnd
from flowsim.errors import CannotFinish, FlowsimError, Gridlock
from flowsim.model.calendar import Window
from flowsim.model.loading import load_model

NUMBER = {book.name: number for number, book in enumerate(BOOKS)}
STEPS = """
      cubicle: {in: cubicle, stay: {exponential: 2 hours}, patience: {exponential: 4 hours, otherwise: leave}, then: ward}
      ward: {in: ward, stay: {exponential: 9 hours}, then: home}
      home: {in: home care, holds: [cubicle, ward], stay: {exponential: 12 hours}}
"""
TOWN = f"""
settings: {{cubicle: {{capacity: 2 beds}}, ward: {{capacity: 3 beds}}, home care: {{capacity: 2 beds}}}}
pathways:
  one:
    arrivals: {{per_day: 9}}
    steps: {STEPS}
  other:
    arrivals: {{per_day: 9}}
    steps: {STEPS}
"""


class Handed:
    """A run that keeps what it is handed, page by page and batch by batch."""

    def __init__(self) -> None:
        self.pages: list[Ints] = []
        self.batches: list[Ints] = []
        self.stopped: FlowsimError | None = None

    def __call__(self, network: Network, labels: Any, seed: int, replication: int, write: Any, log: Any) -> Any:
        def both(page: Ints) -> None:
            self.pages.append(page.copy())
            write(page)

        try:
            return running.run_once(
                network,
                labels,
                seed,
                replication,
                both,
                lambda rows: self.batches.append(rows.copy()),
                engine="simpy",
            )
        except FlowsimError as stopped:
            self.stopped = stopped

    @property
    def rows(self) -> list[tuple[int, ...]]:
        return [tuple(row) for batch in self.batches for row in batch.tolist()]


def handed(text: str, tables: dict[str, Any] | None = None, **options: Any) -> Handed:
    found = Handed()
    play(text, tables, run=found, **options)
    return found


# --- pages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("period", ["day", "week"])
def test_each_period_that_closes_is_one_page_in_the_order_of_books_and_rows_without_zeros(period: str) -> None:
    model = load_model("emergency")
    network, labels = compile_network(model, Window(model.start, 0, 40 * DAY, period))
    pages: list[Ints] = []
    running.run_once(network, labels, 1, 1, lambda page: pages.append(page.copy()), engine="simpy")
    assert [set(page[:, 0].tolist()) for page in pages] == [{p} for p in range(len(network.period_starts) - 1)]
    for page in pages:
        assert page.dtype == np.int64
        keys = [tuple(key) for key in page[:, :3].tolist()]
        assert keys == sorted(set(keys))
        assert page[:, 3].all()
        months = {BOOKS[book].by_month for book in page[:, 1].tolist()}
        assert months == {False, True} if network.period_closes_month[page[0, 0]] else {False}


PAGES = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 6), st.integers(1, 9)))


@given(PAGES)
def test_the_entries_of_a_page_are_its_rows_book_by_book(rows: list[tuple[int, ...]]) -> None:
    page = np.array(sorted(rows), np.int64).reshape(-1, 4)
    entries = list(entries_of(page))
    assert [(p, NUMBER[b], r, v) for p, b, at, values in entries for r, v in zip(at, values, strict=True)] == sorted(
        rows
    )
    assert len({one[:2] for one in entries}) == len(entries) == len({one[:2] for one in rows})


@pytest.fixture(scope="module")
def network() -> Network:
    model = load_model("emergency")
    return compile_network(model, Window(model.start, 0, 3 * DAY))[0]


@given(pages=st.lists(PAGES, max_size=5))
def test_totals_are_the_sums_over_pages_and_of_a_state_what_the_last_period_says(
    pages: list[list[tuple[int, ...]]], network: Network
) -> None:
    books = ("in_use_ms", "gridlock_spells", "wait_bins", "clock_running", "clock_running_over")
    totals, expected = Totals(network), {name: np.zeros(rows_of(network, BOOK[name].row), np.int64) for name in NUMBER}
    for rows in pages:
        found = [(p, books[b], r % len(expected[books[b]]), v) for p, b, r, v in rows]
        totals.add(np.array([(p, NUMBER[b], r, v) for p, b, r, v in found], np.int64).reshape(-1, 4))
        for period, book, row, value in found:
            if period == 2 or not book.startswith("clock_running"):
                expected[book][row] += value
    sums = totals.books()
    assert list(sums) == list(NUMBER)
    for name, ours in sums.items():
        assert np.array_equal(ours, expected[name])


@pytest.mark.parametrize("wrong", [("in_use_ms", -1), ("in_use_ms", 10**6), ("gridlock_spells", 1)])
def test_a_row_that_its_book_has_not_is_never_booked_elsewhere(wrong: tuple[str, int], network: Network) -> None:
    book, row = wrong
    with pytest.raises(IndexError, match="row"):
        Totals(network).add(np.array([[0, NUMBER[book], row, 1]]))
    for number in (-1, len(BOOKS)):
        with pytest.raises(IndexError, match="row"):
            Totals(network).add(np.array([[0, number, 0, 1]]))


# --- the visit log ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rows", [1, 7, 10**6])
def test_the_visit_log_does_not_depend_on_how_many_rows_are_handed_over_at_a_time(
    rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = handed(TOWN, hours=72)
    monkeypatch.setattr(reference, "ROWS_A_BATCH", rows)
    found = handed(TOWN, hours=72)
    assert found.rows == usual.rows
    assert len(found.rows) > 50
    assert all(batch.shape == (min(rows, len(found.rows)), len(COLUMNS)) for batch in found.batches[:-1])
    assert 0 < len(found.batches[-1]) <= rows


def test_those_still_there_at_the_horizon_are_logged_by_number_what_they_hold_before_where_they_are() -> None:
    held = mixed = 0
    for seed in range(1, 6):
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in handed(TOWN, hours=72, seed=seed).rows]
        unfinished = [row for row in rows if row["outcome"] == VisitEnd.UNFINISHED]
        assert rows[-len(unfinished) :] == unfinished
        order = [(row["stream"], row["layer"], row["index"], row["visit"]) for row in unfinished]
        assert order == sorted(order)
        streams = [row["stream"] for row in sorted(unfinished, key=lambda row: row["joined_ms"])]
        mixed += streams != sorted(streams)  # they came in another order
        held += len(order) - len({one[:3] for one in order})
    assert held > 5
    assert mixed > 1


def test_a_run_that_is_stopped_hands_over_the_visits_until_then() -> None:
    text = """
    settings: {one: {capacity: 1 beds}, two: {capacity: 1 beds}}
    pathways:
      a: {arrivals: {trace: a.csv}, steps: {first: {in: one, stay: 9 minutes, then: second}, second: {in: two, holds: first, stay: 1 minutes}}}
      b: {arrivals: {trace: b.csv}, steps: {first: {in: two, stay: 9 minutes, then: second}, second: {in: one, holds: first, stay: 1 minutes}}}
      c: {arrivals: {trace: c.csv}, steps: {only: {in: one, stay: 5 minutes}}}
    """
    found = handed(text, {"a": [7], "b": [7], "c": [1]})
    assert isinstance(found.stopped, Gridlock)
    assert [row[COLUMNS.index("left_ms")] for row in found.rows] == [6 * 60_000]


# --- going round for ever ---------------------------------------------------------------------------------------


def stopped_by(steps: str, more: str = "") -> CannotFinish:
    text = f"""
settings: {{desk: {{capacity: unlimited}}, shut: {{capacity: 0 beds}}}}
{more}
pathways:
  a:
    arrivals: {{trace: a.csv}}
    steps:
      first: {{in: desk, stay: 0 minutes, then: x}}
{steps}
      last: {{in: desk, stay: 0 minutes, then: {{last but one: 0.5, leave: 0.5}}}}
      last but one: {{in: desk, stay: 0 minutes, then: last}}
"""
    found = handed(text, {"a": [5]}, hours=1).stopped
    assert isinstance(found, CannotFinish)
    return found


ROUNDS = {
    "routing": """
      x: {in: desk, stay: 0 minutes, then: y}
      y: {in: desk, stay: 0 minutes, then: {x: 0.999999999, last: rest}}
""",
    "a queue limit": """
      x: {in: shut, stay: 0 minutes, queue_limit: {waiting: 0, otherwise: y}, then: last}
      y: {in: desk, stay: 0 minutes, then: x}
""",
    "a patience": """
      x: {in: shut, stay: 0 minutes, patience: {fixed: 0 minutes, otherwise: y}, then: last}
      y: {in: desk, stay: 0 minutes, then: x}
""",
}


@pytest.mark.parametrize("steps", ROUNDS.values(), ids=ROUNDS)
def test_of_a_patient_that_goes_round_for_ever_the_loop_is_named_and_no_other_step(steps: str) -> None:
    assert stopped_by(steps).steps == ("a: x", "a: y")


def test_a_loop_that_a_shift_of_care_closes_is_named() -> None:
    steps = """
      x: {in: desk, stay: 0 minutes, then: z}
      y: {in: desk, stay: 0 minutes, then: x}
      z: {in: desk, stay: 0 minutes, then: {y: 0.000000001, last: rest}}
"""
    more = "shifts: [{from: z, to: y, share: 1, start: 2000-01-01}]"
    assert {"a: x", "a: y"} <= set(stopped_by(steps, more).steps) <= {"a: x", "a: y", "a: z"}


def test_a_step_to_itself_is_a_loop_of_one() -> None:
    assert stopped_by("      x: {in: desk, stay: 0 minutes, then: {x: 0.999999999, last: rest}}").steps == ("a: x",)
