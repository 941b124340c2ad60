"""How far a change reached: two runs of the same patients compared visit by visit, and each difference traced to where
it came from.

A history differs if any visit, unit or time does. It can begin to differ in three ways only: the scenario itself acts
on the patient (its way, its stay, the rules by which it waits); a response does; or it meets, in the queue or the
units of a pool, a patient whose history differs already, or places that the scenario added or took away. Whatever
else is found breaks the law, and is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.network import Change, Ints
from flowsim.engine.visits import COLUMNS
from flowsim.measure.touched import FAR, Flags, Side, Touched
from flowsim.model.calendar import date_at
from flowsim.model.units import DOORS

COLUMN = {name: place for place, name in enumerate(COLUMNS)}
MIX = np.uint64(0x9E3779B97F4A7C15)
ABSENT = -FAR
"""Stands in every column of a visit that only the other run has."""
SAME, LEFT, STAYED, WAITED, WENT = range(5)
"""How a visit first differs: not at all; when its unit is vacated; in the stay; in the wait or the unit; in being
made."""
NO, DIRECTLY, RESPONSE, QUEUE = range(4)
"""By what a history begins to differ; NO where nothing explains it."""


class Visits(NamedTuple):
    """The visits of a run but those in which nothing is done, one a row and in any order, in common numbers."""

    patient: Ints  # the same number in every run
    stream: Any
    home: Any  # STP of residence
    visit: Any  # how manieth of the patient
    step: Any
    own: Any
    unit: Any
    joined: Ints
    started: Ints
    ready: Ints
    ended: Ints
    left: Ints
    outcome: Any

    @classmethod
    def of(cls, rows: Ints, patient: Ints, side: Side) -> Visits:
        """Some rows of a visit log, and the patient of each."""
        is_door = np.array([unit.setting.startswith(DOORS) for unit in side.labels.units], np.bool_)
        is_kept = ~is_door[rows[:, COLUMN["own_unit"]]]
        rows, patient = rows[is_kept], patient[is_kept]
        column = {name: rows[:, place] for name, place in COLUMN.items()}
        unit = np.where(column["unit"] >= 0, side.unit[column["unit"]], -1)
        stream = side.stream[column["stream"]]
        small = (stream, side.home[column["place"]], column["visit"], side.step[column["step"]])
        return cls._make((
            patient,
            *(one.astype(np.int32) for one in (*small, side.unit[column["own_unit"]], unit)),
            *(column[f"{name}_ms"].copy() for name in ("joined", "started", "ready", "ended", "left")),
            column["outcome"].astype(np.int8),
        ))  # fmt: skip

    @classmethod
    def all_of(cls, parts: Sequence[Visits]) -> Visits:
        """Parts of a log as one."""
        return cls(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def hashes(self) -> Any:
        """One number for all of a visit that is compared."""
        found = np.zeros(len(self.patient), np.uint64)
        for column in (self.own, self.unit, *self[7:]):
            found = (found ^ column.astype(np.int64).view(np.uint64)) * MIX
            found ^= found >> np.uint64(29)
        return found


class Reached(NamedTuple):
    """How far a change reached.

    `patients` counts those of either run by what became of them; `homes` has the same by STP of residence, with
    `care`: those changed by the STP in which their care first differed; `pools` has for each pool in which changes
    began how many, by what, and the day of the first. `unexplained` are changes that break the law.
    """

    patients: dict[str, int]
    homes: list[dict[str, Any]]
    pools: list[dict[str, Any]]
    pools_entered: int
    pools_all: int
    unexplained: list[str]

    def document(self) -> dict[str, Any]:
        """It as plain data."""
        return {
            "patients": self.patients, "homes": self.homes, "pools": self.pools, "pools_entered": self.pools_entered,
            "pools_all": self.pools_all,
        }  # fmt: skip

    def faults(self) -> list[str]:
        """Where the law is broken or a sum misses; empty if all is well."""
        found = list(self.unexplained)
        if left := self.patients["changed"] - sum(pool["changes"] for pool in self.pools):
            found.append(f"{left} changes began in no pool")
        if wrong := self.patients["changed_and_met_nobody"]:
            found.append(f"{wrong} patients met no changed patient, and differ all the same")
        return found


def reached(before: Visits, after: Visits, touched: Touched) -> Reached:
    """How far a change reached from one run to another; both are told in the numbers of `touched`."""
    both = (before, after)
    _, first, where = np.unique(np.concatenate((before.patient, after.patient)), return_index=True, return_inverse=True)
    wheres = (where[: len(before.patient)], where[len(before.patient) :])
    home, stream = (np.concatenate([getattr(one, name) for one in both])[first] for name in ("home", "stream"))
    sums = np.zeros((2, len(first)), np.uint64)
    for run, (visits, rows) in enumerate(zip(both, wheres, strict=True)):
        np.add.at(sums[run], rows, visits.hashes())
    is_changed = sums[0] != sums[1]
    pairs = _Pairs.of(both, wheres, is_changed, touched)
    spread = _Spread(pairs, stream[is_changed], touched)
    has_met = np.zeros(len(first), np.bool_)
    for visits, rows in zip(both, wheres, strict=True):
        until = np.where(visits.left >= 0, visits.left, touched.horizon_ms)
        has_met[rows[spread.since[touched.unit_pool[visits.own]] <= until]] = True
    return _told(home, is_changed, has_met, pairs, spread, touched)


class _Pairs(NamedTuple):
    """Visits of changed patients that differ: side by side the run before and after, [2, rows], by patient and place.

    `at` is the first moment at which a visit differs; `start` the row of each patient at which it begins, and
    `previous` the step before that, or -1.
    """

    who: Ints  # number of the changed patient, rising
    how: Ints
    at: Ints
    step: Ints
    own: Ints
    unit: Ints
    joined: Ints
    started: Ints
    start: Ints
    previous: Ints
    since: Ints  # of each changed patient: when its history begins to differ
    is_seen: Flags  # of each changed patient: in more than when it was ready to leave

    @classmethod
    def of(cls, both: Sequence[Visits], wheres: Sequence[Ints], is_changed: Flags, touched: Touched) -> _Pairs:
        number = np.cumsum(is_changed) - 1
        sides = [_ordered(visits, where, is_changed, number) for visits, where in zip(both, wheres, strict=True)]
        width = max((int(keys.max(initial=0)) for _, keys, _ in sides), default=0) + 1
        codes = [who * width + keys for who, keys, _ in sides]
        union = np.union1d(*codes)
        runs = list(zip(codes, (one for _, _, one in sides), strict=True))
        columns = {
            name: np.stack([_beside(union, code, getattr(one, name)) for code, one in runs])
            for name in Visits._fields[4:]
        }
        who, how = union // width, _how(columns)
        # Who is interrupted may go on in another unit, and is ready anew: that is seen for good when let go.
        may_pause = touched.preempts[_of(touched.unit_pool, columns["own"][0], 0)]
        goes_on = (columns["started"][0] == columns["started"][1]) & (columns["started"][0] >= 0)
        how[(how == WAITED) & goes_on & may_pause] = STAYED
        at = _when(columns, how, may_pause, touched.horizon_ms)
        step_before = np.r_[-1, np.where(columns["step"][0] != ABSENT, columns["step"][0], columns["step"][1])[:-1]]
        step_before[union % width == 0] = -1
        kept = np.flatnonzero(how != SAME)
        order = kept[np.lexsort((kept, how[kept] == LEFT, at[kept], who[kept]))]
        _, firsts = np.unique(who[order], return_index=True)
        start = np.searchsorted(kept, order[firsts])
        return cls._make((
            who[kept], how[kept], at[kept],
            *(columns[name][:, kept] for name in ("step", "own", "unit", "joined", "started")),
            start, step_before[order[firsts]], at[order[firsts]],
            np.bincount(who[_is_seen(columns)], minlength=len(firsts)) > 0,
        ))  # fmt: skip


def _ordered(visits: Visits, where: Ints, is_changed: Flags, number: Ints) -> tuple[Ints, Ints, Visits]:
    """Number and place of each visit of changed patients, and these visits in that order."""
    rows = np.flatnonzero(is_changed[where])
    rows = rows[np.lexsort((visits.visit[rows], where[rows]))]
    who = number[where[rows]]
    places = np.arange(len(rows))
    starts = np.r_[True, who[1:] != who[:-1]] if len(rows) else np.zeros(0, np.bool_)
    return who, places - np.maximum.accumulate(np.where(starts, places, 0)), Visits(*(one[rows] for one in visits))


def _beside(union: Ints, codes: Ints, values: Any) -> Ints:
    found = np.full(len(union), ABSENT, np.int64)
    found[np.searchsorted(union, codes)] = values
    return found


def _how(columns: dict[str, Ints]) -> Ints:
    """How each pair of visits first differs."""
    differs = {name: one[0] != one[1] for name, one in columns.items()}
    never = (columns["started"] == -1).all(axis=0)
    tests = (
        (WENT, differs["own"] | differs["joined"]),
        (WAITED, differs["started"] | differs["unit"] | (never & (differs["left"] | differs["outcome"]))),
        (STAYED, differs["ready"] | differs["ended"]),
        (LEFT, differs["left"] | differs["outcome"]),
    )
    return np.select([test for _, test in tests], [how for how, _ in tests], SAME)


def _is_seen(columns: dict[str, Ints]) -> Flags:
    """Which pairs of visits differ in more than when the patient was ready to leave or let go."""
    names = ("own", "unit", "joined", "started", "left", "outcome")
    found: Flags = np.any([columns[name][0] != columns[name][1] for name in names], axis=0)
    return found


def _when(columns: dict[str, Ints], how: Ints, may_pause: Flags, horizon_ms: int) -> Ints:
    """The first moment at which each pair of visits differs: that of the run in which something happens sooner."""

    def sooner(*names: str) -> Ints:
        found: Ints = np.min([np.where(columns[name] >= 0, columns[name], horizon_ms) for name in names], axis=(0, 1))
        return found

    joined = np.where(columns["joined"] == ABSENT, FAR, columns["joined"]).min(axis=0)
    started, left, ready = (columns[name] for name in ("started", "left", "ready"))
    waited = np.where(started >= 0, started, np.where(left >= 0, left, horizon_ms)).min(axis=0)
    changed_ready = np.where((ready[0] != ready[1]) & ~may_pause, sooner("ready"), horizon_ms)
    return np.select(
        [how == WENT, how == WAITED, how == STAYED],
        [joined, waited, np.minimum(changed_ready, sooner("ended"))],
        sooner("left"),
    )


class _Spread:
    """By what each changed history begins to differ, and since when each pool has changed patients in it.

    It spreads from those whom the scenario touches itself, round by round, until nobody more is explained.
    """

    def __init__(self, pairs: _Pairs, stream: Ints, touched: Touched) -> None:
        self.pairs, self.touched = pairs, touched
        self.since = touched.pools.copy()
        self.is_entered = np.zeros(len(self.since), np.bool_)
        self.answers = np.array([one.since for one in touched.feedback], np.int64)
        first = pairs.start
        self.how, self.at = pairs.how[first], pairs.at[first]
        self.step, self.own, self.unit = (part[:, first] for part in (pairs.step, pairs.own, pairs.unit))
        self.started = pairs.started[0][first]
        self.pool = _of(touched.unit_pool, self.own, -1)
        self.stream = stream
        self.is_new = (self.step == ABSENT).any(axis=0) & (pairs.previous < 0)
        self.cause = np.where(self._directly(), DIRECTLY, NO)
        self._enter(self.cause == DIRECTLY)
        while True:
            self._answer()
            unknown = self.cause == NO
            queue = unknown & self._through_queue()
            response = unknown & ~queue & self._through_response()
            if not (queue | response).any():
                break
            self.cause[queue], self.cause[response] = QUEUE, RESPONSE
            self._enter(queue | response)

    def _directly(self) -> Flags:
        """Those whom the scenario itself sends elsewhere, lets wait or stay otherwise, or has come."""
        touched, how = self.touched, self.how
        steps = np.vstack((self.step, self.pairs.previous))
        went = np.where(self.is_new, touched.streams[self.stream], _any(touched.sent, steps))
        pathway = touched.step_pathway[self.step.max(axis=0)]  # of the two, the one that is there
        found: Flags = np.select(
            [how == WENT, how == WAITED, how == STAYED],
            [went, _any(touched.waits, self.step), _any(touched.stays, self.step) | _any(touched.units, self.unit)],
            touched.pathways[pathway],
        )
        return found

    def _enter(self, who: Flags) -> None:
        """These patients change every pool they are in, or come to, from when their histories differ."""
        pairs = self.pairs
        rows = np.flatnonzero(who[pairs.who])
        for run in range(2):
            here = rows[pairs.own[run][rows] >= 0]
            since = np.maximum(pairs.since[pairs.who[here]], pairs.joined[run][here])
            since = np.where(pairs.how[here] == LEFT, pairs.at[here], since)
            pool = self.touched.unit_pool[pairs.own[run][here]]
            np.minimum.at(self.since, pool, since)
            self.is_entered[pool] = True

    def _answer(self) -> None:
        """Responses that watch a changed pool give another answer from the next midnight on."""
        midnights, touched = self.touched.midnights, self.touched
        is_moving = True
        while is_moving:
            is_moving = False
            for number, one in enumerate(touched.feedback):
                watched = int(self.since[one.watches].min(initial=FAR))
                after = int(np.searchsorted(midnights, watched, "right"))
                answer = int(midnights[after]) if after < len(midnights) else FAR
                self.answers[number] = min(int(self.answers[number]), answer)
                if one.change == Change.CAPACITY:
                    pool = touched.unit_pool[one.target]
                    if self.answers[number] < self.since[pool]:
                        self.since[pool], is_moving = self.answers[number], True

    def _through_queue(self) -> Flags:
        """Those who differ first in the wait or the unit, in a pool that was changed by then; who turn to another
        unit, or are interrupted, too."""
        touched = self.touched
        is_there = (_of(self.since, self.pool, FAR) <= self.at).any(axis=0)
        turns = (self.how == WENT) & _any(touched.diverts, self.step)
        pauses = (self.how == STAYED) & touched.preempts[self.pool[0]]
        found: Flags = is_there & ((self.how == WAITED) | turns | pauses)
        return found

    def _through_response(self) -> Flags:
        found = np.zeros(len(self.how), np.bool_)
        went, stayed = self.how == WENT, self.how == STAYED
        for one, since in zip(self.touched.feedback, self.answers.tolist(), strict=True):
            if since == FAR:
                continue
            match one.change:
                case Change.STAY_IN:
                    found |= stayed & (self.unit[0] == one.target) & (self.started >= since)
                case Change.STAY:
                    found |= stayed & (self.step[0] == one.target) & (self.started >= since)
                case Change.SHARE:
                    found |= went & (self.pairs.previous == one.target) & (self.at >= since)
                case Change.NEED:
                    pathway = self.touched.stream_pathway[self.stream]
                    found |= self.is_new & (pathway == one.target) & (self.at >= since)
        return found


def _any(flags: Flags, numbers: Ints) -> Flags:
    """Of each column of numbers, whether any of them has its flag."""
    found: Flags = np.any(_of(flags, numbers, False), axis=0)
    return found


def _of(values: Any, numbers: Ints, fill: Any) -> Any:
    """The values at these numbers, and `fill` at those below 0."""
    return np.where(numbers >= 0, values[np.maximum(numbers, 0)], fill)


def _told(home: Ints, is_changed: Flags, has_met: Flags, pairs: _Pairs, spread: _Spread, touched: Touched) -> Reached:
    """All of it in names."""
    own = np.where(spread.own[0] >= 0, spread.own[0], spread.own[1])
    care, pool, homes = touched.unit_stp[own], touched.unit_pool[own], home[is_changed]
    causes = {"directly": DIRECTLY, "by_response": RESPONSE, "by_queue": QUEUE}

    def counts(those: Flags, changed: Flags) -> dict[str, int]:
        return {
            "patients": int(those.sum()),
            "changed": int(changed.sum()),
            "only_readiness": int((changed & ~pairs.is_seen).sum()),
            **{name: int((spread.cause[changed] == cause).sum()) for name, cause in causes.items()},
            "met_and_same": int((those & has_met & ~is_changed).sum()),
            "met_nobody": int((those & ~has_met & ~is_changed).sum()),
            "changed_and_met_nobody": int((those & ~has_met & is_changed).sum()),
        }

    by_home = []
    for number, name in enumerate(touched.stps):
        if (home == number).any():
            here = np.bincount(care[homes == number], minlength=len(touched.stps)).tolist()
            where = {stp: count for stp, count in zip(touched.stps, here, strict=True) if count}
            by_home.append({"home": name, **counts(home == number, homes == number), "care": where})
    pools = []
    for number in np.unique(pool).tolist():
        here = pool == number
        pools.append({
            "pool": touched.pool_names[number], "stp": touched.stps[touched.pool_stp[number]],
            "changes": int(here.sum()),
            **{name: int((spread.cause[here] == cause).sum()) for name, cause in causes.items()},
            "first_on": str(date_at(int(spread.at[here].min()), touched.origin)),
            "has_other_places": bool(touched.pools[number] < FAR),
        })  # fmt: skip
    odd = np.flatnonzero(spread.cause == NO)
    return Reached(
        counts(np.ones(len(home), np.bool_), np.ones(len(homes), np.bool_)),
        by_home,
        sorted(pools, key=lambda one: (-one["changes"], one["pool"])),
        int(spread.is_entered.sum()),
        len(np.unique(touched.unit_pool[touched.unit_pool >= 0])),
        [f"a patient's history differs in {touched.pool_names[pool[one]]} from {spread.at[one]} ms on, and no changed "
         "patient had come there" for one in odd[:5].tolist()],
    )  # fmt: skip
