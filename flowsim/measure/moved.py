"""Moved work: what one run did and another, with the same patients and the same luck, did not. Balanced patient by
patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.network import Floats, Ints

DAY_MS = 86_400_000
PREVENTED = "prevented"
"""What became of the visits of patients who no longer come because of prevention."""
GONE, STILL, ENDED = "no longer comes", "not yet: still in care or waiting at the end", "nothing: care ended without it"
NEW, BEGUN, MORE = "did not come before", "was not yet done before", "further care: came back, or went on to it"


class Care(NamedTuple):
    """The visits of a run, one a row and in any order.

    `patient` names the patient the same way in every run, `stream` what it came with; `kind` is the number of what
    visits are told apart by; `times` is a hash of the unit and every time of the visit; `km` is from home, NaN where
    it is not known.
    """

    patient: Ints
    stream: Ints
    kind: Ints
    times: Any
    joined_ms: Ints
    stay_ms: Ints  # in the unit, up to the end of the run
    is_started: Any
    is_unfinished: Any  # the patient is still waiting or in care there at the end
    is_turned_away: Any  # did not wait, or found the queue full
    km: Floats


class Moved(NamedTuple):
    """What moved between two runs.

    `patients` counts those in both runs, of these those whose care is the same at the same times, the same at other
    times, or other care; and those in one run only. `arrivals` has for each stream the patients before, no longer
    coming, new and after; `rows` has for each kind of care visits and days before, removed,
    added and after; `flows` what each visit removed became, and what each visit added came from.
    """

    patients: dict[str, int]
    arrivals: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    flows: list[dict[str, Any]]

    def faults(self) -> list[str]:
        """Where it does not balance; empty if it does."""
        found = []
        for one in self.arrivals:
            if left := one["before"] - one["gone"] + one["new"] - one["after"]:
                found.append(f"{one['stream']}: patients do not balance by {left}")
        for side, only in (("gone", "only_before"), ("new", "only_after")):
            if (told := sum(one[side] for one in self.arrivals)) != self.patients[only]:
                found.append(f"{self.patients[only]} patients {side}, {told} accounted for by stream")
        for row in self.rows:
            for what in ("visits", "days_ms"):
                left = row[f"{what}_before"] - row[f"{what}_removed"] + row[f"{what}_added"] - row[f"{what}_after"]
                if left:
                    found.append(f"{row['name']}: {what} do not balance by {left}")
            for side, end in (("removed", "from"), ("added", "to")):
                told = sum(flow["visits"] for flow in self.flows if flow[end] == row["name"])
                if told != row[f"visits_{side}"]:
                    found.append(f"{row['name']}: {row[f'visits_{side}']} visits {side}, {told} accounted for")
        return found


def moved(before: Care, after: Care, names: Sequence[str], streams: Sequence[str], gone: str = GONE) -> Moved:
    """What moved from one run to another. `names` are those of the kinds of care; no row or stream is left out.

    `gone` is what is said of visits whose patient does not come.
    """
    patients, first, where = np.unique(
        np.concatenate((before.patient, after.patient)), return_index=True, return_inverse=True
    )
    stream = np.concatenate((before.stream, after.stream))[first]
    ours, theirs = where[: len(before.patient)], where[len(before.patient) :]
    count, kinds = len(patients), len(names)
    had, has = (np.bincount(one, minlength=count) > 0 for one in (ours, theirs))
    changed = (had != has) | (_sums(before.times, ours, count) != _sums(after.times, theirs, count))
    was = _Told.of(before, ours, changed, kinds)
    now = _Told.of(after, theirs, changed, kinds)
    codes = np.union1d(was.codes, now.codes)
    visits, days = (np.stack((getattr(was, what)(codes), getattr(now, what)(codes))) for what in ("visits", "days"))
    other = np.zeros(count, np.bool_)
    other[codes[visits[0] != visits[1]] // kinds] = True
    both = had & has
    unfinished = (_unfinished(before, ours), _unfinished(after, theirs))
    sides = [_totals(one, kinds) for one in (before, after)]
    kind = codes % kinds
    rows = [
        {"name": name, **_row(sides, number, visits[:, kind == number], days[:, kind == number])}
        for number, name in enumerate(names)
    ]
    return Moved(
        {
            "both": int(both.sum()),
            "same": int((both & ~changed).sum()),
            "other_times": int((both & changed & ~other).sum()),
            "other_care": int((both & changed & other).sum()),
            "only_before": int((had & ~has).sum()),
            "only_after": int((has & ~had).sum()),
        },
        _arrivals(stream, had, has, streams),
        rows,
        _flows(codes, visits, was, now, (had, has), unfinished, names, gone),
    )


def _arrivals(stream: Ints, had: Any, has: Any, streams: Sequence[str]) -> list[dict[str, Any]]:
    sides = {"before": had, "gone": had & ~has, "new": has & ~had, "after": has}
    counts = {side: np.bincount(stream[those], minlength=len(streams)).tolist() for side, those in sides.items()}
    return [{"stream": name, **{side: counts[side][number] for side in sides}} for number, name in enumerate(streams)]


class _Told(NamedTuple):
    """Visits of changed patients by code, which is patient times the number of kinds, plus kind; rising."""

    codes: Ints
    started: Ints
    stay_ms: Ints
    first_ms: Ints

    @classmethod
    def of(cls, care: Care, where: Ints, changed: Any, kinds: int) -> _Told:
        kept = changed[where] & care.is_started
        codes, back = np.unique(where[kept] * kinds + care.kind[kept], return_inverse=True)
        stay, first = np.zeros(len(codes), np.int64), np.full(len(codes), np.iinfo(np.int64).max)
        np.add.at(stay, back, care.stay_ms[kept])
        np.minimum.at(first, back, care.joined_ms[kept])
        return cls(codes, np.bincount(back, minlength=len(codes)), stay, first)

    def visits(self, codes: Ints) -> Ints:
        """Visits by each of some codes that include all of these."""
        return self._spread(codes, self.started)

    def days(self, codes: Ints) -> Ints:
        """Milliseconds of stay, in the same way."""
        return self._spread(codes, self.stay_ms)

    def _spread(self, codes: Ints, values: Ints) -> Ints:
        found = np.zeros(len(codes), np.int64)
        found[np.searchsorted(codes, self.codes)] = values
        return found


def _sums(times: Any, where: Ints, count: int) -> Any:
    found = np.zeros(count, np.uint64)
    np.add.at(found, where, times)
    return found


def _unfinished(care: Care, where: Ints) -> Any:
    return np.unique(where[care.is_unfinished])


def _totals(care: Care, kinds: int) -> dict[str, Any]:
    started, known = care.is_started, care.is_started & ~np.isnan(care.km)
    stay = np.zeros(kinds, np.int64)
    np.add.at(stay, care.kind[started], care.stay_ms[started])
    return {
        "visits": np.bincount(care.kind[started], minlength=kinds),
        "days_ms": stay,
        "turned_away": np.bincount(care.kind[care.is_turned_away], minlength=kinds),
        "waiting": np.bincount(care.kind[care.is_unfinished & ~started], minlength=kinds),
        "km": np.bincount(care.kind[known], care.km[known], kinds),
        "with_km": np.bincount(care.kind[known], minlength=kinds),
    }


def _row(sides: Sequence[dict[str, Any]], number: int, visits: Ints, days: Ints) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for when, side in zip(("before", "after"), sides, strict=True):
        for what in ("visits", "days_ms", "turned_away", "waiting"):
            row[f"{what}_{when}"] = int(side[what][number])
        row[f"km_{when}"] = float(side["km"][number] / side["with_km"][number]) if side["with_km"][number] else None
    for what, (was, now) in (("visits", visits), ("days_ms", days)):
        row[f"{what}_removed"] = int(np.maximum(was - now, 0).sum())
        row[f"{what}_added"] = int(np.maximum(now - was, 0).sum())
    return row


def _flows(
    codes: Ints, visits: Ints, was: _Told, now: _Told, there: tuple[Any, Any], unfinished: tuple[Any, Any],
    names: Sequence[str], gone: str,
) -> list[dict[str, Any]]:  # fmt: skip
    """Each patient's removed and added visits, paired in the order of time; what has no other half by why."""
    kinds = len(names)
    removed = _items(codes, visits[0] - visits[1], was, kinds)
    added = _items(codes, visits[1] - visits[0], now, kinds)
    paired, left, right = np.intersect1d(removed[1], added[1], return_indices=True)
    found: dict[tuple[str, str], int] = {}

    def count(sources: Sequence[str], targets: Sequence[str]) -> None:
        for pair in zip(sources, targets, strict=True):
            found[pair] = found.get(pair, 0) + 1

    count([names[kind] for kind in removed[0][left]], [names[kind] for kind in added[0][right]])
    for (kind, place, patient), (_, is_there), (other, still, ended), turn in (
        (removed, there, (gone, STILL, ENDED), False), (added, there[::-1], (NEW, BEGUN, MORE), True),
    ):  # fmt: skip
        alone = ~np.isin(place, paired)
        late = np.isin(patient[alone], unfinished[0 if turn else 1])
        why = [
            (still if is_late else ended) if is_there[one] else other
            for one, is_late in zip(patient[alone].tolist(), late.tolist(), strict=True)
        ]
        care = [names[one] for one in kind[alone]]
        count(why, care) if turn else count(care, why)
    return [{"from": source, "to": to, "visits": number} for (source, to), number in sorted(found.items())]


def _items(codes: Ints, more: Ints, told: _Told, kinds: int) -> tuple[Ints, Ints, Ints]:
    """(kind, patient and place in its order, patient) of every visit that one run has more than the other."""
    kept = more > 0
    code, times = codes[kept], more[kept]
    first = told.first_ms[np.searchsorted(told.codes, code)]
    order = np.lexsort((first, code // kinds))
    code = np.repeat(code[order], times[order])
    patient = code // kinds
    starts = np.r_[True, patient[1:] != patient[:-1]] if len(patient) else np.zeros(0, np.bool_)
    place = np.arange(len(patient)) - np.maximum.accumulate(np.where(starts, np.arange(len(patient)), 0))
    return code % kinds, patient << 16 | place, patient
