"""Patients keep who they are and their luck: a change touches those it should, and nobody else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
from small import Played, model_of, play

BASE = """
settings:
  triage: {capacity: 2 beds}
  ward: {capacity: WARD beds}
  home care: {capacity: 6 beds}
groups: {urgency: {red: 0.3, green: 0.7}}
growth: {a lot: {a_year: GROWTH, from: 2000-01-01}}
GLOBAL
pathways:
  emergency:
    arrivals: {per_day: 30, growth: a lot, ages: {0-64: 0.6, 65+: 0.4}}
    steps:
      triage: {in: triage, stay: {exponential: 1 hours}, priority: {by: urgency, red: 0, green: 1}, then: {ward: 0.4, leave: 0.6}}
      ward: {in: ward, stay: {lognormal: {mean: 30 hours, cv: 1}}, patience: {exponential: 20 hours}, then: {home care: 0.3, leave: 0.7}}
      home care: {in: home care, holds: ward, stay: {exponential: 40 hours}}
  planned:
    arrivals: {per_day: 3}
    steps:
      admission: {in: ward, stay: {gamma: {mean: 20 hours, cv: 0.5}}, priority: 2}
  apart:
    arrivals: {per_day: 5}
    steps: {visit: {in: lab, stay: {exponential: 3 hours}}}
"""
DAYS = 12


def run(ward: int = 16, growth: float = 0.0, more: str = "", extra: dict[str, str] | None = None) -> Played:
    text = BASE.replace("WARD", str(ward)).replace("GLOBAL", more)
    text = text.replace("settings:", "settings:\n  lab: {capacity: 1 beds}", 1)
    for old, new in (extra or {}).items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    base, model = (model_of(text.replace("GROWTH", str(one))) for one in (0.0, growth))
    return play(model, hours=24 * DAYS, base=base)


def stories(played: Played) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for visit in played.visits:
        found[visit.patient].append(visit)
    return found


def differing(one: Played, other: Played) -> set[str]:
    a, b = stories(one), stories(other)
    return {patient for patient in set(a) | set(b) if a.get(patient) != b.get(patient)}


def test_the_same_seed_gives_the_same_run_and_another_gives_another() -> None:
    one = run()
    assert run().rows == one.rows
    assert run().written == one.written
    text = BASE.replace("WARD", "16").replace("GLOBAL", "").replace("GROWTH", "0").replace("lab", "triage")
    assert play(text, hours=48).rows != play(text, hours=48, seed=2).rows


def test_one_more_bed_changes_nobody_until_somebody_has_queued_for_it() -> None:
    few, more = run(ward=14), run(ward=15)
    changed = differing(few, more)
    before = stories(few)
    waits = [
        visit.joined for story in before.values() for visit in story
        if visit.own == "ward" and (visit.started is None or visit.started > visit.joined)
    ]  # fmt: skip
    assert waits
    assert changed
    first_wait = min(waits)
    for patient in changed:
        times = [visit.joined for visit in before.get(patient, ())]
        assert max(times) >= first_wait  # those who had left by then are as they were
    assert not any(patient.startswith("apart") for patient in changed)
    unmoved = [p for p, story in before.items() if all(v.own == "triage" for v in story)]
    assert len(unmoved) > 100
    assert not changed & set(unmoved)


def test_a_bed_that_nobody_ever_needs_changes_nobody() -> None:
    plenty = run(ward=500)
    assert differing(plenty, run(ward=501)) == set()


def test_stays_and_ways_are_the_patients_own_whenever_it_starts() -> None:
    few, plenty = stories(run(ward=14)), stories(run(ward=500))
    later = 0
    for patient in few.keys() & plenty.keys():
        for one, other in zip(few[patient], plenty[patient], strict=False):
            if one.step != other.step:
                break  # one gave up
            if one.ready is not None and other.ready is not None:
                assert one.ready - one.started == pytest.approx(other.ready - other.started, abs=1e-9)
                later += one.started != other.started
    assert later > 20


def test_growth_adds_patients_and_leaves_everybody_else_as_they_were() -> None:
    one, other = stories(run(ward=500, growth=0.0)), stories(run(ward=500, growth=0.4))
    assert set(one) < set(other)
    assert 0.15 < len(other) / len(one) - 1 < 0.6
    assert {v[0].patient[0] for p, v in other.items() if p not in one} == {"e"}
    alone = BASE.replace("triage: {capacity: 2 beds}", "triage: {capacity: 500 beds}")
    assert alone != BASE
    extra = {
        "triage: {capacity: 2 beds}": "triage: {capacity: 500 beds}",
        "home care: {capacity: 6 beds}": "home care: {capacity: 500 beds}",
    }
    one, other = (stories(run(ward=500, growth=g, extra=extra)) for g in (0.0, 0.4))
    assert all(other[patient] == story for patient, story in one.items())


def test_prevention_takes_patients_away_and_leaves_everybody_else_as_they_were() -> None:
    extra = {
        "triage: {capacity: 2 beds}": "triage: {capacity: 500 beds}",
        "home care: {capacity: 6 beds}": "home care: {capacity: 500 beds}",
    }
    one, fewer = (stories(run(ward=500, growth=g, extra=extra)) for g in (0.0, -0.3))
    assert set(fewer) < set(one)
    assert all(one[patient] == story for patient, story in fewer.items())


def test_a_shift_of_care_touches_only_patients_on_their_way_to_its_step_and_of_its_ages() -> None:
    extra = {
        "triage: {capacity: 2 beds}": "triage: {capacity: 500 beds}",
        "home care: {capacity: 6 beds}": "home care: {capacity: 500 beds}",
    }
    shift = "shifts: [{from: ward, to: home care, share: 0.5, start: 2001-01-04, age_bands: [65+]}]"
    before = stories(run(ward=500, extra=extra))
    played = run(ward=500, more=shift, extra=extra)
    after = stories(played)
    changed = {patient for patient in before if before[patient] != after[patient]}
    assert set(before) == set(after)
    went = {p: v for p, story in before.items() for v in story if v.step == "ward"}
    assert changed <= set(went)
    assert all(went[patient].joined >= 3 * 1440 for patient in changed)
    old = {
        f"emergency{row[2]}"
        for row in played.rows
        if played.labels.streams[row[0]].startswith("emergency") and row[3] == 1
    }
    could = {p for p in went if p in old and went[p].joined >= 3 * 1440}
    assert changed <= could
    assert 0.25 < len(changed) / len(could) < 0.75
    for patient in changed:
        assert after[patient][1].step == "home care"
        assert after[patient][0][:-1] == before[patient][0][:-1]  # triage as it was


def test_a_shift_of_care_that_grows_moves_the_same_patients_and_more() -> None:
    extra = {
        "triage: {capacity: 2 beds}": "triage: {capacity: 500 beds}",
        "home care: {capacity: 6 beds}": "home care: {capacity: 500 beds}",
    }
    moved = []
    for share in (0.2, 0.6):
        shift = f"shifts: [{{from: ward, to: home care, share: {share}, start: 2001-01-01}}]"
        found = stories(run(ward=500, more=shift, extra=extra))
        moved.append({p for p, story in found.items() if [v.step for v in story[:2]] == ["triage", "home care"]})
    assert moved[0] < moved[1]


def shown(played: Played, without: Iterable[str] = ()) -> list[tuple[Any, ...]]:
    """Visits in names, so that numbers of units, steps and streams do not matter."""
    return sorted(
        tuple(map(str, visit)) for visit in played.visits if visit.patient.rstrip("0123456789") not in without
    )


def test_units_streams_and_pathways_that_nobody_uses_change_nothing() -> None:
    more = {
        "  triage: {capacity: 2 beds}": "  a unit before: {capacity: 3 beds}\n  triage: {capacity: 2 beds}\n  zoo: {capacity: 1 slots}",
        "  planned:\n": "  a path before: {arrivals: {per_day: 0}, steps: {triage: {in: zoo, stay: 1 hours}}}\n  planned:\n",
    }
    assert shown(run(extra=more)) == shown(run())


def test_a_stream_that_shares_no_unit_changes_nothing() -> None:
    more = {"  planned:\n": "  busy: {arrivals: {per_day: 20}, steps: {triage: {in: gate, stay: 1 hours}}}\n  planned:\n",
            "  triage: {capacity: 2 beds}": "  gate: {capacity: 1 beds}\n  triage: {capacity: 2 beds}"}  # fmt: skip
    assert shown(run(extra=more), without=("busy",)) == shown(run())


def test_the_order_of_keys_changes_nothing() -> None:
    """Settings, pathways and steps after the first in another order; shares of `then` and groups stay as written."""
    text = BASE.replace("WARD", "15").replace("GLOBAL", "").replace("GROWTH", "0").replace("lab", "triage")
    head, paths = text.split("pathways:\n")
    blocks = ["  " + block for block in ("\n" + paths).split("\n  ") if block.strip()]
    starts = [i for i, block in enumerate(blocks) if not block.startswith("    ")]
    whole = ["\n".join(blocks[a:b]) for a, b in zip(starts, [*starts[1:], None], strict=True)]
    settings = head.split("settings:\n")[1].split("groups:")[0].rstrip("\n").split("\n")
    head = head.replace("\n".join(settings), "\n".join(reversed([line for line in settings if line])))
    other = head + "pathways:\n" + "\n".join(reversed(whole)) + "\n"
    lines = other.split("\n")
    ward, home = (
        next(i for i, line in enumerate(lines) if line.startswith(f"      {s}: {{in")) for s in ("ward", "home care")
    )
    lines[ward], lines[home] = lines[home], lines[ward]
    one, two = play(text, hours=24 * DAYS), play("\n".join(lines), hours=24 * DAYS)
    assert one.labels.steps != two.labels.steps
    assert shown(one) == shown(two)


def test_the_length_of_the_run_changes_nothing_before_its_end() -> None:
    text = BASE.replace("WARD", "15").replace("GLOBAL", "").replace("GROWTH", "0").replace("lab", "triage")
    short, long = play(text, hours=100), play(text, hours=200)
    done = [visit for visit in short.visits if visit.outcome != "unfinished"]
    assert set(map(str, done)) <= set(map(str, long.visits))
    assert short.book("arrivals", 2) == long.book("arrivals", 2)
