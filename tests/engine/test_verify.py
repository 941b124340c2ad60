"""Comparing two engines: equal means every number is, and what differs is named where it first shows.

One engine stands for two here: the second is overheard on its way out, or made to behave in another way.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small import DAY, HOUR, MINUTE, model_of

from flowsim.engine import reference, verify
from flowsim.engine.building import compile_network
from flowsim.engine.ledger import BOOKS
from flowsim.engine.network import Ints, Labels, Network
from flowsim.engine.pools import Pool
from flowsim.engine.reference import City
from flowsim.engine.rules import Stuck
from flowsim.engine.verify import Comparison, EndDifference, LedgerDifference, Run, VisitDifference, compare
from flowsim.engine.visits import COLUMNS
from flowsim.engine.warming import compile_ahead
from flowsim.model.calendar import Window
from flowsim.show import cli

BUSY = """
settings: {triage: {capacity: 2 beds}, ward: {capacity: 3 beds}, home care: {capacity: 2 beds}}
pathways:
  a:
    arrivals: {per_day: 30}
    steps:
      triage: {in: triage, stay: 1 hours, patience: {exponential: 3 hours, otherwise: ward}, then: {ward: 0.5, leave: 0.5}}
      ward: {in: ward, holds: triage, stay: {gamma: {mean: 3 hours, cv: 1}}, then: {care: 0.5, triage: 0.2, leave: rest}}
      care: {in: home care, holds: ward, stay: 5 hours}
clocks: {whole: {from: triage joined, to: ward ended, standard: 4 hours}}
"""
RING = """
settings: {red: {capacity: 1 beds}, blue: {capacity: 1 beds}}
pathways:
  a:
    arrivals: {timetable: {first: 5 hours, every: 100 days}}
    steps: {one: {in: red, stay: 2 hours, then: two}, two: {in: blue, holds: one, stay: 1 hours}}
  b:
    arrivals: {timetable: {first: 6 hours, every: 100 days}}
    steps: {three: {in: blue, stay: 1 hours, then: four}, four: {in: red, holds: three, stay: 1 hours}}
"""
ROUND = """
settings: {ward: {capacity: 1 beds}}
groups: {urgency: {red: 0.5, green: rest}}
pathways:
  a:
    arrivals: {timetable: {first: 0 hours, every: 1 hours, batch: 3}}
    steps:
      stay: {in: ward, stay: 3 hours, patience: {fixed: {by: urgency, red: 0 hours, green: 9 hours}, otherwise: stay}}
"""
AT = {name: place for place, name in enumerate(COLUMNS)}
BOOK = {book.name: number for number, book in enumerate(BOOKS)}
Change = Callable[[Ints], Any]


def network_of(text: str, days: int = 3) -> tuple[Network, Labels]:
    model = model_of(text)
    return compile_network(model, Window(model.start, 0, days * DAY, "day"))


@pytest.fixture(scope="module")
def busy() -> tuple[Network, Labels]:
    return network_of(BUSY)


def overheard(visits: Change = lambda rows: rows, ledger: Change = lambda rows: rows, page: int = 10**9) -> Run:
    """The engine, with all its rows changed on their way out, in pages of a size, one array filled again and again."""

    def run(network: Network, keys: Any, replication: int, write: Any, log: Any) -> Any:
        kept: tuple[list[Ints], list[Ints]] = ([], [])
        ended = reference.run(
            network,
            keys,
            replication,
            lambda rows: kept[0].append(rows.copy()),
            lambda rows: kept[1].append(rows.copy()),
        )
        for take, rows, change in ((write, np.concatenate(kept[0]), ledger), (log, np.concatenate(kept[1]), visits)):
            changed = change(rows)
            again = np.empty((min(page, len(changed)), changed.shape[1]), np.int64)
            for first in range(0, len(changed), page):
                part = changed[first : first + page]
                again[: len(part)] = part
                take(again[: len(part)])
                again[:] = -7
        return ended

    return run


def against(second: Run, of: tuple[Network, Labels], first: Run = reference.run) -> Comparison:
    return compare(*of, 1, 1, (first, second))


def found(kind: type, second: Run, of: tuple[Network, Labels]) -> Any:
    difference = against(second, of).difference
    assert type(difference) is kind
    return difference


def setting(row: int, **values: int) -> Change:
    """Change some columns of one row."""

    def change(rows: Ints) -> Ints:
        rows[row, [AT[name] for name in values]] = list(values.values())
        return rows

    return change


def shuffled(rows: Ints) -> Ints:
    return np.random.default_rng(1).permutation(rows)


# --- equal ----------------------------------------------------------------------------------------------------


def test_an_engine_equals_itself_and_everything_is_counted(busy: tuple[Network, Labels]) -> None:
    pages: list[Ints] = []
    rows: list[Ints] = []
    keys = [verify.stream_key(1, name) for name in busy[1].streams]
    end = reference.run(busy[0], keys, 1, lambda page: pages.append(page.copy()), lambda some: rows.append(some.copy()))
    result = against(reference.run, busy)
    assert result.is_equal and result.difference is None and result.stopped == ""
    assert result.end[:3] == tuple(end)
    assert (result.visits, result.entries) == (sum(map(len, rows)), sum(map(len, pages)))
    assert result.visits > 100 and result.entries > 100
    assert all(seconds > 0 for seconds in result.seconds)


@pytest.mark.parametrize("page", [1, 7, 10**6])
def test_pages_may_be_of_any_size_and_filled_again(busy: tuple[Network, Labels], page: int) -> None:
    assert against(overheard(page=page), busy).is_equal


def test_rows_may_come_in_another_order(busy: tuple[Network, Labels]) -> None:
    assert against(overheard(shuffled, shuffled), busy).is_equal


def test_tables_longer_than_a_block_are_equal_and_compared_to_the_last_row(busy: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(verify, "BLOCK", 16)
    assert against(overheard(page=5), busy).is_equal
    assert against(overheard(shuffled, shuffled, page=37), busy).is_equal
    last = found(LedgerDifference, overheard(ledger=lambda rows: rows[:-1], page=5), busy)
    assert last.values[1] is None


# --- visits ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", COLUMNS)
def test_no_column_of_a_visit_is_left_out(busy: tuple[Network, Labels], column: str) -> None:
    def change(rows: Ints) -> Ints:
        rows[50, AT[column]] += 1 if column != "outcome" else (1 if rows[50, AT[column]] < 3 else -1)
        return rows

    difference = found(VisitDifference, overheard(change), busy)
    assert difference.columns in ((column,), ())  # another patient or visit is a visit that only one engine has
    assert (difference.columns == ()) == (column in ("stream", "layer", "index", "visit"))


def test_the_first_difference_in_time_is_told_with_both_scenes(busy: tuple[Network, Labels]) -> None:
    def later(rows: Ints) -> Ints:
        # the last patient first in the log differs too, but later
        care = np.flatnonzero((rows[:, AT["visit"]] == 1) & (rows[:, AT["started_ms"]] > DAY))
        for row, more in ((care[9], 5 * MINUTE), (care[3], 3 * MINUTE)):
            rows[row, [AT["ended_ms"], AT["left_ms"]]] += more
        return rows[::-1]

    kept: list[Ints] = []

    def keep(rows: Ints) -> Ints:
        kept.append(rows.copy())
        return rows

    against(overheard(keep), busy)
    rows = kept[0]
    care = np.flatnonzero((rows[:, AT["visit"]] == 1) & (rows[:, AT["started_ms"]] > DAY))
    first = min((care[9], care[3]), key=lambda row: rows[row, AT["ended_ms"]])
    difference = found(VisitDifference, overheard(later), busy)
    assert difference.at_ms == rows[first, AT["ended_ms"]]
    assert difference.patient == f"a | small #{rows[first, AT['index']]}"
    assert set(difference.columns) == {"ended_ms", "left_ms"}
    one, two = difference.scenes
    assert one.before == two.before is not None and one.before["visit"] == 0
    assert one.next == two.next
    assert one.now is not None and two.now is not None
    assert {name for name in one.now if one.now[name] != two.now[name]} == {"ended", "left"}
    assert one.now["ended"] == difference.at
    assert one.now["unit"] == difference.place


def test_a_time_is_told_as_a_date_and_one_not_reached_as_nothing(busy: tuple[Network, Labels]) -> None:
    def change(rows: Ints) -> Ints:
        rows[0, AT["started_ms"]] = 26 * HOUR + 61_001
        rows[0, AT["ended_ms"]] = -1
        return rows

    now = found(VisitDifference, overheard(change), busy).scenes[1].now
    assert now["started"] == "2001-01-02 02:01:01.001"
    assert now["ended"] is None


def test_a_visit_that_one_engine_has_alone_is_told_at_its_joining(busy: tuple[Network, Labels]) -> None:
    joined: list[int] = []

    def change(rows: Ints) -> Ints:
        joined.append(int(rows[40, AT["joined_ms"]]))
        return np.delete(rows, 40, axis=0)

    difference = found(VisitDifference, overheard(change), busy)
    assert difference.at_ms == joined[0]
    assert difference.columns == ()
    assert difference.scenes[0].now is not None and difference.scenes[1].now is None


def test_a_visit_written_twice_is_a_difference(busy: tuple[Network, Labels]) -> None:
    found(VisitDifference, overheard(lambda rows: np.concatenate([rows, rows[30:31]])), busy)


MOMENTS = ("joined_ms", "started_ms", "ready_ms", "ended_ms", "left_ms")


def plainly_first(a: Ints, b: Ints, horizon: int) -> int | None:
    """When two logs first differ, by a plain search."""
    whose = [{(*row[:3], row[AT["visit"]]): row for row in rows.tolist()} for rows in (a, b)]
    times = []
    for key in whose[0].keys() | whose[1].keys():
        x, y = (rows.get(key) for rows in whose)
        if x is None or y is None:
            times.append((x or y)[AT["joined_ms"]])
            continue
        for column, name in enumerate(COLUMNS):
            if x[column] != y[column]:
                moment = name if name in MOMENTS else "left_ms"
                moment = {"unit": "started_ms"}.get(name, moment)
                moment = "joined_ms" if name in ("age", "place", "step", "own_unit") else moment
                reached = [row[AT[moment]] for row in (x, y) if row[AT[moment]] >= 0 or moment == "joined_ms"]
                times.append(min(reached, default=horizon))
    return min(times, default=None)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from(COLUMNS), st.integers(-2, HOUR)), max_size=4),
    st.booleans(),
)
def test_what_is_told_is_the_earliest_of_all_that_differs(changes: list[tuple[int, str, int]], loses: bool) -> None:
    kept: list[Ints] = []

    def change(rows: Ints) -> Ints:
        kept[:] = [rows.copy(), rows]
        for row, column, value in changes:
            rows[row % len(rows), AT[column]] = value % 3 if not column.endswith("_ms") else value
        if loses:
            kept[1] = np.delete(rows, 17, axis=0)
        return kept[1]

    of = _busy()
    result = against(overheard(change), of)
    who = kept[1][:, [0, 1, 2, AT["visit"]]]
    if len(np.unique(who, axis=0)) < len(who):
        return  # a change made two visits one: the plain search cannot tell
    expected = plainly_first(kept[0], kept[1], int(of[0].horizon_ms))
    if expected is None:
        assert result.is_equal
    else:
        assert isinstance(result.difference, VisitDifference)
        assert result.difference.at_ms == expected


_BUSY: list[tuple[Network, Labels]] = []


def _busy() -> tuple[Network, Labels]:
    if not _BUSY:
        _BUSY.append(network_of(BUSY, days=1))
    return _BUSY[0]


# --- the ledger and the end -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "book", ["in_use_ms", "blocked_ms", "starts", "moves", "wait_bins", "area_wait_ms", "clock_bins"]
)
def test_a_row_of_the_ledger_is_named_with_both_values(busy: tuple[Network, Labels], book: str) -> None:
    changed: list[tuple[int, ...]] = []

    def change(rows: Ints) -> Ints:
        row = np.flatnonzero(rows[:, 1] == BOOK[book])[0]
        changed.append(tuple(rows[row].tolist()))
        rows[row, 3] += 5
        rows[-1, 3] += 1  # a later one
        return rows

    difference = found(LedgerDifference, overheard(ledger=change), busy)
    period, _, _, value = changed[0]
    assert (difference.period, difference.book) == (busy[1].period_dates[period], book)
    assert difference.values == (value, value + 5)
    name = {
        "in_use_ms": "home care",
        "moves": "a: triage -> ",
        "area_wait_ms": "triage, small, ",
        "clock_bins": "whole, waits",
    }
    assert difference.row.startswith(name.get(book, ""))


def test_a_row_that_one_engine_did_not_write_has_no_value(busy: tuple[Network, Labels]) -> None:
    lost = found(LedgerDifference, overheard(ledger=lambda rows: rows[1:]), busy)
    assert lost.values[0] is not None and lost.values[1] is None
    added = found(
        LedgerDifference, overheard(ledger=lambda rows: np.concatenate([rows, [[0, BOOK["exceeded"], 0, 3]]])), busy
    )
    assert (added.book, added.values) == ("exceeded", (None, 3))


def test_visits_are_told_before_the_ledger(busy: tuple[Network, Labels]) -> None:
    found(VisitDifference, overheard(setting(9, blocked_ms=1), ledger=lambda rows: rows[1:]), busy)


def test_counts_at_the_end_are_compared(busy: tuple[Network, Labels]) -> None:
    def counts_one_more(*given: Any) -> Any:
        events, patients, inside = reference.run(*given)
        return events + 1, patients, inside

    ends = found(EndDifference, counts_one_more, busy).ends
    assert ends[0] != ends[1] and all("horizon" in one for one in ends)


# --- runs that are stopped ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "named"), [(RING, "gridlock at 2001-01-01 07:00:00: blue, red"), (ROUND, "a: stay")])
def test_runs_stopped_in_the_same_way_are_equal(text: str, named: str) -> None:
    result = against(reference.run, network_of(text))
    assert result.is_equal
    assert named in result.stopped


def test_a_run_that_one_engine_stops_and_the_other_does_not_is_told_by_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    of = network_of(RING)

    def goes_on(*given: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(City, "look_for_gridlock", lambda self: None)
            return reference.run(*given)

    one, two = found(EndDifference, goes_on, of).ends
    assert one == "gridlock at 2001-01-01 07:00:00: blue, red"
    assert two.startswith("at the horizon")


def test_what_differs_before_one_of_them_stops_is_told_first() -> None:
    of = network_of(BUSY)
    stops_at = DAY

    def stops(network: Network, keys: Any, replication: int, write: Any, log: Any) -> Any:
        def until(rows: Ints) -> None:
            rows = rows[(rows[:, AT["left_ms"]] >= 0) & (rows[:, AT["left_ms"]] <= stops_at)].copy()
            rows[(rows[:, AT["index"]] == 7) & (rows[:, AT["visit"]] == 0), AT["left_ms"]] += 1
            log(rows)

        reference.run(network, keys, replication, lambda page: None, until)
        raise Stuck((0,), (), stops_at)

    assert found(VisitDifference, stops, of).patient == "a | small #7"


# --- engines that behave in another way ---------------------------------------------------------------------------


def with_patch(owner: Any, name: str, value: Any) -> Run:
    def run(*given: Any) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, name, value)
            return reference.run(*given)

    return run


def test_an_engine_that_lets_in_the_last_to_join_is_found_at_the_first_wrong_start(
    busy: tuple[Network, Labels],
) -> None:
    number = City.new_patient

    def backwards(self: City, stream: int, layer: int, index: int, given: Any) -> Any:
        patient = number(self, stream, layer, index, given)
        patient.number ^= (1 << 32) - 1
        return patient

    tied = network_of(
        "settings: {ward: {capacity: 1 beds}}\npathways: {a: {arrivals: {timetable: {first: 3 hours, every: 8 hours, batch: 2}},"
        " steps: {stay: {in: ward, stay: 1 hours}}}}"
    )
    difference = found(VisitDifference, with_patch(City, "new_patient", backwards), tied)
    assert (difference.at, difference.patient) == ("2001-01-01 03:00:00", "a | small #0")
    assert difference.columns[0] == "started_ms"


def test_an_engine_that_lets_nobody_in_is_found_at_the_first_who_should_start(busy: tuple[Network, Labels]) -> None:
    difference = found(VisitDifference, with_patch(Pool, "touch", lambda self, _=None: None), busy)
    assert difference.patient == "a | small #0" and "started_ms" in difference.columns
    assert difference.scenes[1].now is not None and difference.scenes[1].now["unit"] == ""


# --- memory -----------------------------------------------------------------------------------------------------


def test_memory_is_that_of_the_rows(busy: tuple[Network, Labels]) -> None:
    number, page = 400_000, 10_000
    of_both = 2 * number * len(COLUMNS) * 8

    def many(last: int) -> Run:
        def run(network: Network, keys: Any, replication: int, write: Any, log: Any) -> Any:
            rows = np.zeros((page, len(COLUMNS)), np.int64)
            for first in range(0, number, page):
                rows[:, AT["index"]] = np.arange(first, first + page)
                rows[-1, AT["blocked_ms"]] = last if first + page == number else 0
                log(rows)
            return 0, 0, 0

        return run

    def peak(second: Run) -> tuple[Comparison, int]:
        tracemalloc.start()
        try:
            return against(second, busy, many(0)), tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    result, bytes_equal = peak(many(0))
    assert result.is_equal and result.visits == number
    assert bytes_equal < 1.3 * of_both
    result, bytes_different = peak(many(9))
    assert not result.is_equal
    assert bytes_different < 2.5 * of_both


# --- the command line -------------------------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    for engine in verify.NAMES:  # else the first command after an edit says that it compiles
        compile_ahead(engine, lambda line: None)

    def run(*arguments: str, second: Run = reference.run) -> tuple[int, str, str]:
        monkeypatch.setattr(verify, "run_of", {"simpy": reference.run, "compiled": second}.get)
        code = cli.run(["verify", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_the_command_says_equal_with_counts_model_days_and_times(command: Any) -> None:
    code, out, err = command("clinic", "--days", "2", "--seed", "5", "--replication", "3")
    assert (code, err) == (0, "")
    first, second, third = out.splitlines()
    assert first.startswith("equal: ") and " events, " in first and first.endswith(" patients")
    assert second.startswith("clinic, 2 days, seed 5, replication 3; simpy ") and "compiled" in second
    assert "visits" in third and "rows of the ledger" in third


def test_the_command_shows_both_scenes_and_ends_with_3(command: Any) -> None:
    code, out, _ = command("clinic", "--days", "1", second=overheard(setting(60, left_ms=0)))
    assert code == 3
    lines = out.splitlines()
    assert lines[0].startswith("different: clinic, 1 day,")
    assert lines[1].startswith("first event that differs: 20") and "differs in left_ms" in lines[1]
    assert [line for line in lines[2:] if not line.startswith(" ")] == ["simpy:", "compiled:"]
    assert [line.split()[0] for line in lines[2:] if line.startswith(" ")] == ["before", "now", "next"] * 2


@pytest.mark.parametrize(
    ("second", "kind", "keys"),
    [
        (overheard(setting(60, left_ms=0)), "visit", {"at_ms", "at", "patient", "place", "columns", "scenes"}),
        (overheard(ledger=lambda rows: rows[1:]), "ledger", {"period", "book", "row", "values"}),
        (lambda *given: (0, 0, reference.run(*given)[2]), "end", {"ends"}),
    ],
)
def test_the_document_has_its_keys(command: Any, second: Run, kind: str, keys: set[str]) -> None:
    always = {
        "model", "days", "seed", "replication", "equal", "events", "patients", "inside", "stopped", "visits", "ledger_rows",
        "seconds", "difference",
    }  # fmt: skip
    code, out, _ = command("clinic", "--days", "1", "--json")
    document = json.loads(out)
    assert code == 0 and document["equal"] is True and document["difference"] is None
    assert set(document) == always and set(document["seconds"]) == {"simpy", "compiled"}
    code, out, _ = command("clinic", "--days", "1", "--json", second=second)
    document = json.loads(out)
    assert code == 3 and document["equal"] is False and set(document) == always
    assert set(document["difference"]) == {"kind", *keys} and document["difference"]["kind"] == kind
    for by_engine in {"scenes", "values", "ends"} & keys:
        assert set(document["difference"][by_engine]) == {"simpy", "compiled"}


def test_runs_that_stop_alike_are_told_as_equal_with_what_stopped_them(command: Any, tmp_path: Any) -> None:
    (tmp_path / "ring.yaml").write_text("flowsim: 1\nname: ring\ntitle: a ring\nstart: 2001-01-01\n" + RING)
    code, out, _ = command(str(tmp_path / "ring.yaml"), "--days", "2")
    assert code == 0
    assert out.startswith("equal, both stopped by gridlock at 2001-01-01 07:00:00: blue, red")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["croydon-beds"], ["croydon-beds", "experiment", "model"]),
        (["clinik"], ["clinik", "did you mean 'clinic'"]),
        (["clinic", "--days", "0"], ["days = 0", "1 to 36525"]),
        (["clinic", "--days", "two"], ["--days", "whole number"]),
        (["clinic", "--seed", "-1"], ["seed = -1"]),
        (["clinic", "--replication", "1000001"], ["replication"]),
    ],
)
def test_what_cannot_be_verified_is_refused_by_name(command: Any, arguments: list[str], named: list[str]) -> None:
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert all(word in err for word in named)
    assert len(err.splitlines()) == 1
