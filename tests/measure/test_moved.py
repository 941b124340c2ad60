"""Moved work balances to the patient, whatever two runs did."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flowsim.measure.moved import BEGUN, ENDED, GONE, MORE, NEW, STILL, Care, moved

NAMES = ("A&E", "ward", "home care", "clinic")
STREAMS = ("even", "odd")
"""A patient's stream is even or odd as its number."""
Visit = tuple[int, int, int, int, str]
"""Patient, kind, minute joined, minutes of stay, and what became of it."""
VISITS = st.lists(
    st.tuples(
        st.integers(0, 12), st.integers(0, len(NAMES) - 1), st.integers(0, 9), st.integers(1, 9),
        st.sampled_from(("done", "done", "done", "turned away", "waiting", "inside")),
    ),
    max_size=40,
)  # fmt: skip


def care_of(visits: list[Visit]) -> Care:
    """Visits as a run tells them."""
    patient, kind, joined, stay = (np.array([visit[n] for visit in visits], np.int64) for n in range(4))
    what = np.array([visit[4] for visit in visits], dtype="U12")
    started = (what == "done") | (what == "inside")
    hashes = np.array([hash(visit[1:]) % 2**64 for visit in visits], np.uint64)
    return Care(
        patient, patient % 2, kind, hashes, joined, np.where(started, stay, 0), started,
        (what == "waiting") | (what == "inside"), what == "turned away", np.where(kind == 0, 2.0, np.nan),
    )  # fmt: skip


def started(visits: list[Visit]) -> Counter[tuple[int, int]]:
    return Counter((patient, kind) for patient, kind, _, _, what in visits if what in ("done", "inside"))


@given(VISITS, VISITS)
def test_every_visit_of_every_patient_is_accounted_for(before: list[Visit], after: list[Visit]) -> None:
    found = moved(care_of(before), care_of(after), NAMES, STREAMS)
    assert found.faults() == []
    was, now = started(before), started(after)
    for number, row in enumerate(found.rows):
        assert row["visits_before"] == sum(n for (_, kind), n in was.items() if kind == number)
        assert row["visits_after"] == sum(n for (_, kind), n in now.items() if kind == number)
        assert row["visits_removed"] == sum(n for (_, kind), n in (was - now).items() if kind == number)
        assert row["visits_added"] == sum(n for (_, kind), n in (now - was).items() if kind == number)
    patients = [{visit[0] for visit in run} for run in (before, after)]
    counts = found.patients
    assert counts["both"] == len(patients[0] & patients[1])
    assert counts["same"] + counts["other_times"] + counts["other_care"] == counts["both"]
    assert (counts["only_before"], counts["only_after"]) == (
        len(patients[0] - patients[1]), len(patients[1] - patients[0]),
    )  # fmt: skip
    for number, one in enumerate(found.arrivals):
        was_there, is_there = ({patient for patient in run if patient % 2 == number} for run in patients)
        assert one == {
            "stream": STREAMS[number], "before": len(was_there), "gone": len(was_there - is_there),
            "new": len(is_there - was_there), "after": len(is_there),
        }  # fmt: skip


@given(VISITS, st.randoms(use_true_random=False))
def test_a_run_beside_itself_moves_nothing_in_whatever_order_it_is_told(visits: list[Visit], luck: object) -> None:
    shuffled = sorted(visits, key=lambda visit: luck.random())  # type: ignore[attr-defined]
    found = moved(care_of(visits), care_of(shuffled), NAMES, STREAMS)
    assert found.flows == []
    assert found.patients["same"] == found.patients["both"] == len({visit[0] for visit in visits})


@given(VISITS, VISITS)
def test_the_other_way_round_what_was_removed_is_added(before: list[Visit], after: list[Visit]) -> None:
    there, back = (
        moved(care_of(before), care_of(after), NAMES, STREAMS),
        moved(care_of(after), care_of(before), NAMES, STREAMS),
    )
    for one, other in zip(there.rows, back.rows, strict=True):
        assert (one["visits_removed"], one["days_ms_removed"]) == (other["visits_added"], other["days_ms_added"])
    turned = {GONE: NEW, STILL: BEGUN, ENDED: MORE}
    flows = {(flow["from"], flow["to"]): flow["visits"] for flow in there.flows}
    for flow in back.flows:
        mirrored = {value: key for key, value in turned.items()} | turned
        key = (mirrored.get(flow["to"], flow["to"]), mirrored.get(flow["from"], flow["from"]))
        assert flows[key] == flow["visits"]


def test_a_visit_that_moved_is_told_where_to_and_one_that_did_not_arrive_why() -> None:
    before: list[Visit] = [(p, kind, 1, 5, "done") for p, kind in ((1, 1), (2, 1), (3, 1), (4, 1), (5, 0))]
    after: list[Visit] = [
        (1, 2, 1, 5, "done"),  # cared for at home
        (2, 2, 1, 0, "waiting"),  # still waits for it
        (3, 2, 1, 0, "turned away"),  # nobody came, and nothing else
        (5, 0, 1, 5, "done"), (5, 1, 7, 5, "done"),  # comes back to a ward
        (6, 0, 2, 5, "done"),  # a patient more; patient 4 is one fewer
    ]  # fmt: skip
    found = moved(care_of(before), care_of(after), NAMES, STREAMS)
    assert {(flow["from"], flow["to"]): flow["visits"] for flow in found.flows} == {
        ("ward", "home care"): 1, ("ward", STILL): 1, ("ward", ENDED): 1, ("ward", GONE): 1, (MORE, "ward"): 1,
        (NEW, "A&E"): 1,
    }  # fmt: skip
    home_care = found.rows[2]
    assert (home_care["turned_away_after"], home_care["waiting_after"], home_care["km_after"]) == (1, 1, None)
    assert found.rows[0]["km_before"] == 2.0


def test_a_sum_that_does_not_balance_is_told() -> None:
    found = moved(care_of([(1, 1, 1, 5, "done")]), care_of([(1, 2, 1, 5, "done")]), NAMES, STREAMS)
    wrong = found._replace(
        arrivals=[found.arrivals[0], {**found.arrivals[1], "new": 2}],
        flows=found.flows[1:], rows=[{**found.rows[0], "visits_after": 1}, *found.rows[1:]],
    )  # fmt: skip
    assert wrong.faults() == [
        "odd: patients do not balance by 2", "0 patients new, 2 accounted for by stream",
        "A&E: visits do not balance by -1", "ward: 1 visits removed, 0 accounted for",
        "home care: 1 visits added, 0 accounted for",
    ]  # fmt: skip
