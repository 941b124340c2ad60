"""What one model says otherwise than another of the same patients: where a change may begin before anybody is changed.

Two runs are told in the same numbers, so that what levers add or leave out renumbers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flowsim.engine.network import Change, Ints, Labels, Network, StreamKind, UnitKind
from flowsim.model.pathways import CareShift, Step
from flowsim.model.schema import Model
from flowsim.model.units import geography_of

FAR = int(np.iinfo(np.int64).max)
"""A time that never comes."""
Flags = NDArray[np.bool_]
ROUTE = ("in_", "at", "divert", "then", "luck_of")
WAIT = ("in_", "at", "priority", "preempts", "patience", "queue_limit", "divert", "luck_of")
STAY = ("in_", "stay", "rounds", "luck_of")
"""Of what is written of a step: what says where its patients go and come from, how they wait, how long they stay."""


class Names:
    """Numbers for names that several runs share."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def of(self, names: Iterable[str]) -> Ints:
        """The numbers of names, new ones where they are new."""
        return np.array([self.number.setdefault(name, len(self.number)) for name in names], np.int64)

    def flags(self, names: Iterable[str]) -> Flags:
        """Of each name known, whether it is one of these."""
        found = np.zeros(len(self.number), np.bool_)
        found[[self.number[name] for name in names if name in self.number]] = True
        return found


class Numbers:
    """The numbers in which the runs of one comparison are told."""

    def __init__(self) -> None:
        self.streams, self.units, self.pools, self.steps = Names(), Names(), Names(), Names()
        self.pathways, self.stps = Names(), Names()

    def side(self, model: Model, network: Network, labels: Labels) -> Side:
        """A model as it runs, with the common number of each of its rows."""
        geography = geography_of(model)
        root = next(name for name, place in geography.places.items() if place.within is None)
        homes = [
            next((above.name for above in geography.upwards(place) if above.level == "stp"), root)
            for place in labels.places
        ]
        return Side(
            model, network, labels, self.streams.of(labels.streams), self.units.of(unit.name for unit in labels.units),
            self.pools.of(labels.pools), self.steps.of(": ".join(step) for step in labels.steps),
            self.pathways.of(labels.pathways), self.stps.of(homes),
        )  # fmt: skip


class Side(NamedTuple):
    """One of two models that are compared; arrays have the common number of each row of its Network."""

    model: Model
    network: Network
    labels: Labels
    stream: Ints
    unit: Ints
    pool: Ints
    step: Ints
    pathway: Ints
    home: Ints  # STP of each place of residence


class Feedback(NamedTuple):
    """A response, in common numbers: the pools it watches, what it changes, and since when it is another one itself."""

    watches: Ints
    change: int
    target: int
    since: int


class Touched(NamedTuple):
    """Where the second of two models may change a patient whom no other has met, in common numbers.

    Flags stand for all rows of a kind. `pools` has the millisecond from which a pool has other places, or FAR.
    """

    sent: Flags  # [steps] their patients may be sent elsewhere, on the way there or from there
    waits: Flags  # [steps] patients wait there by other rules
    stays: Flags  # [steps] and stay otherwise
    pathways: Flags  # any of this is otherwise at a step of theirs
    streams: Flags  # other patients come
    units: Flags  # another factor on stays
    pools: Ints
    feedback: tuple[Feedback, ...]
    step_pathway: Ints
    stream_pathway: Ints
    unit_pool: Ints
    unit_stp: Ints
    pool_stp: Ints
    diverts: Flags  # [steps]
    preempts: Flags  # [pools]
    midnights: Ints
    horizon_ms: int
    origin: date  # of time 0
    pool_names: tuple[str, ...]
    stps: tuple[str, ...]


def touched(before: Side, after: Side, numbers: Numbers) -> Touched:
    """What the second model says otherwise than the first. Both run in one window."""
    n, sides = numbers, (before, after)
    sent, waits, stays = _steps(before.model, after.model)
    sent |= set(_shifted(before.model, after.model))
    waits |= set(_holding(before, after))
    unit_pool = _merged(sides, "unit", lambda side: side.pool[side.network.unit_pool], len(n.units.number))
    unit_stp = _merged(sides, "unit", lambda side: n.stps.of(unit.stp for unit in side.labels.units), len(unit_pool))
    pool_stp = _merged(sides, "pool", lambda side: unit_stp[side.unit[_first(side)]], len(n.pools.number))
    steps = [n.steps.flags(": ".join(step) for step in some) for some in (sent, waits, stays)]
    return Touched(
        steps[0],
        steps[1],
        steps[2],
        n.pathways.flags(pathway for pathway, _ in sent | waits | stays),
        n.streams.flags(_streams(before, after)),
        n.units.flags(_factors(before, after)),
        _pools(before, after, n),
        tuple(_feedback(before, after, n)),
        _merged(sides, "step", lambda side: side.pathway[side.network.step_pathway], len(n.steps.number)),
        _merged(sides, "stream", lambda side: side.pathway[side.network.stream_pathway], len(n.streams.number)),
        unit_pool, unit_stp, pool_stp,
        _merged(sides, "step", lambda side: side.network.divert_at >= 0, len(n.steps.number)) > 0,
        n.pools.flags(
            side.labels.pools[pool]
            for side in sides for pool in side.network.class_pool[side.network.class_preempts == 1].tolist()
        ),
        before.network.day_starts, before.network.horizon_ms,
        date.fromisoformat(before.labels.origin), tuple(n.pools.number), tuple(n.stps.number),
    )  # fmt: skip


def _merged(sides: Sequence[Side], kind: str, values: Any, size: int) -> Ints:
    """Values of rows of both models, those of the second where they have a row in common."""
    found = np.full(size, -1, np.int64)
    for side in sides:
        found[getattr(side, kind)] = values(side)
    return found


def _steps(before: Model, after: Model) -> tuple[set[tuple[str, str]], ...]:
    """(pathway, step) of steps whose patients are sent on, wait or stay by other rules; new ones in all three."""
    found: tuple[set[tuple[str, str]], ...] = (set(), set(), set())
    for name in dict.fromkeys((*before.pathways, *after.pathways)):
        steps = [model.pathways[name].steps if name in model.pathways else {} for model in (before, after)]
        for step in dict.fromkeys((*steps[0], *steps[1])):
            was, now = (one.get(step) for one in steps)
            for some, parts in zip(found, (ROUTE, WAIT, STAY), strict=True):
                if was is None or now is None or any(_part(was, part) != _part(now, part) for part in parts):
                    some.add((name, step))
            if was is not None and now is not None and _ways(was) != _ways(now):
                found[0].add((name, step))
    return found


def _part(step: Step, name: str) -> Any:
    """A part of a step, without where those go who do not wait: that is a way on."""
    part = getattr(step, name)
    return part.model_copy(update={"otherwise": ""}) if name in ("patience", "queue_limit") and part else part


def _ways(step: Step) -> list[str]:
    return [part.otherwise for part in (step.patience, step.queue_limit) if part is not None]


def _shifted(before: Model, after: Model) -> Iterator[tuple[str, str]]:
    """(pathway, step) of what shifts of care lead from and to, where their lists differ."""
    for name, pathway in after.pathways.items():
        for step in pathway.steps:
            was, now = ([shift for shift in model.shifts if _is_from(shift, name, step)] for model in (before, after))
            if [_meaning(shift) for shift in was] != [_meaning(shift) for shift in now]:
                yield name, step
                yield from ((name, shift.to) for shift in (*was, *now))


def _is_from(shift: CareShift, pathway: str, step: str) -> bool:
    return shift.from_ == step and shift.pathway in (None, pathway)


def _meaning(shift: CareShift) -> tuple[Any, ...]:
    return tuple(getattr(shift, name) for name in CareShift.model_fields if name != "pathway")


def _holding(before: Side, after: Side) -> Iterator[tuple[str, str]]:
    """(pathway, step) of steps whose patients keep other units of earlier steps: those that both models have."""
    _, was, now = np.intersect1d(before.step, after.step, return_indices=True)
    kept = []
    for side, rows in ((before, was), (after, now)):
        n = side.network
        holds = np.zeros((len(side.step),) * 2, np.uint8)
        holds[np.repeat(np.arange(len(side.step)), np.diff(n.hold_first)), n.hold_step] = 1
        keeps = n.keeps.reshape(holds.shape)
        kept.append(np.stack([part[np.ix_(rows, rows)] for part in (holds, keeps)]))
    yield from (before.labels.steps[row] for row in was[(kept[0] != kept[1]).any(axis=(0, 2))].tolist())


def _streams(before: Side, after: Side) -> Iterator[str]:
    """Streams whose patients come at other rates or times."""
    rows = [{name: row for row, name in enumerate(side.labels.streams)} for side in (before, after)]
    starts = np.union1d(before.network.segment_starts, after.network.segment_starts)
    for name in dict.fromkeys((*rows[0], *rows[1])):
        if name not in rows[0] or name not in rows[1]:
            yield name
            continue
        was, now = (_arrivals(side.network, row[name], starts) for side, row in zip((before, after), rows, strict=True))
        if any(not np.array_equal(one, other) for one, other in zip(was, now, strict=True)):
            yield name


def _arrivals(n: Network, stream: int, starts: Ints) -> list[Any]:
    """All that makes the patients of a stream come; rates at common times."""
    listed = slice(int(n.listed_first[stream]), int(n.listed_first[stream + 1]))
    found: list[Any] = [n.stream_kind[stream], n.stream_place[stream], n.listed_at[listed], n.listed_marks[listed]]
    if n.stream_kind[stream] == StreamKind.RATE:
        ages, segments = int(n.counts[7]), len(n.segment_starts)
        first = int(n.stream_ratio_first[stream])
        ratio = n.ratio.reshape(-1)[first : first + segments * ages].reshape(segments, ages)
        day = slice(int(n.day_profile_first[stream]), int(n.day_profile_first[stream + 1]))
        found += [
            n.stream_gap_ms[stream], ratio[np.maximum(np.searchsorted(n.segment_starts, starts, "right") - 1, 0)],
            n.stream_mix[stream * ages : (stream + 1) * ages], n.day_profile[day],
            n.week_profile[stream * 7 : (stream + 1) * 7], n.year_profile[stream * 12 : (stream + 1) * 12],
        ]  # fmt: skip
    return found


def _factors(before: Side, after: Side) -> Iterator[str]:
    """Units with another factor on stays."""
    was = {unit.name: before.network.unit_stay_factor[row] for row, unit in enumerate(before.labels.units)}
    for row, unit in enumerate(after.labels.units):
        if was.get(unit.name) != after.network.unit_stay_factor[row]:
            yield unit.name


def _pools(before: Side, after: Side, numbers: Numbers) -> Ints:
    """Since when each pool has other places, in milliseconds."""
    found = np.full(len(numbers.pools.number), FAR, np.int64)
    rows = [{unit.name: row for row, unit in enumerate(side.labels.units)} for side in (before, after)]
    lanes = [_lanes(side) for side in (before, after)]
    units = [_pool_units(side) for side in (before, after)]
    for name, number in numbers.pools.number.items():
        was, now = (one.get(name) for one in units)
        if was != now:
            found[number] = 0
            continue
        for unit in was or ():
            since = _since(before.network, rows[0][unit], after.network, rows[1][unit])
            if lanes[0].get(unit, lanes[1].get(unit)) != lanes[1].get(unit, lanes[0].get(unit)):
                since = 0
            found[number] = min(int(found[number]), since)
    return found


def _pool_units(side: Side) -> dict[str, list[str]]:
    n, units = side.network, side.labels.units
    edges = zip(side.labels.pools, n.pool_first[:-1].tolist(), n.pool_first[1:].tolist(), strict=True)
    return {name: [units[unit].name for unit in n.pool_units[first:last].tolist()] for name, first, last in edges}


def _first(side: Side) -> Ints:
    """The first unit of each pool."""
    return side.network.pool_units[side.network.pool_first[:-1]]


def _lanes(side: Side) -> dict[str, set[tuple[Any, ...]]]:
    """Of each unit that patients ask for, the units they may use, and after how long."""
    n, found = side.network, dict[str, set[tuple[Any, ...]]]()
    for own, first, last in zip(
        n.class_own.tolist(), n.lane_first[:-1].tolist(), n.lane_first[1:].tolist(), strict=True
    ):
        lanes = [
            (side.labels.units[int(n.lane_unit[lane])].name, int(n.lane_after[lane])) for lane in range(first, last)
        ]
        found.setdefault(side.labels.units[own].name, set()).add(tuple(lanes))
    return found


def _since(n: Network, unit: int, m: Network, other: int) -> int:
    """Since when a unit has other beds or sessions."""
    if n.unit_kind[unit] != m.unit_kind[other]:
        return 0
    if n.unit_kind[unit] == UnitKind.BEDS:
        (at, beds), (at_other, beds_other) = _beds(n, unit), _beds(m, other)
        times = np.union1d(at, at_other)
        had, has = (
            b[np.searchsorted(a, times, "right") - 1] for a, b in ((at, beds), (at_other, beds_other))
        )  # fmt: skip
        return int(times[had != has].min(initial=FAR))
    return min((opens for opens, _, _ in _sessions(n, unit) ^ _sessions(m, other)), default=FAR)


def _beds(n: Network, unit: int) -> tuple[Ints, Ints]:
    rows = slice(int(n.capacity_first[unit]), int(n.capacity_first[unit + 1]))
    return n.capacity_at[rows], n.capacity_beds[rows]


def _sessions(n: Network, unit: int) -> set[tuple[int, int, int]]:
    rows = slice(int(n.session_first[unit]), int(n.session_first[unit + 1]))
    columns = (n.session_open[rows].tolist(), n.session_close[rows].tolist(), n.session_slots[rows].tolist())
    return set(zip(*columns, strict=True))


def _feedback(before: Side, after: Side, numbers: Numbers) -> Iterator[Feedback]:
    """All responses of both models; those that differ are others from the first midnight on."""
    was, now = (_responses(side, numbers) for side in (before, after))
    first = int(before.network.day_starts[1])
    for name in dict.fromkeys((*was, *now)):
        (watches, change, target, _) = now.get(name) or was[name]
        yield Feedback(
            np.array(sorted(watches), np.int64), change, target, FAR if was.get(name) == now.get(name) else first
        )


def _responses(side: Side, numbers: Numbers) -> dict[str, tuple[frozenset[int], int, int, Any]]:
    n, found = side.network, {}
    target_of = {
        Change.SHARE: side.step, Change.STAY: side.step, Change.NEED: side.pathway, Change.CAPACITY: side.unit,
        Change.STAY_IN: side.unit,
    }  # fmt: skip
    for row, name in enumerate(side.labels.responses):
        units = n.response_units[int(n.response_unit_first[row]) : int(n.response_unit_first[row + 1])]
        points = slice(int(n.response_point_first[row]), int(n.response_point_first[row + 1]))
        change = Change(int(n.response_changes[row]))
        pools = frozenset(side.pool[n.unit_pool[units]].tolist())
        what = (
            side.unit[units].tolist(), int(n.response_follows[row]), int(n.response_days[row]),
            n.response_x[points].tolist(), n.response_y[points].tolist(),
        )  # fmt: skip
        found[name] = (pools, int(change), int(target_of[change][n.response_target[row]]), what)
    return found
