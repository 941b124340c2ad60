"""Traffic equations: the load offered to each unit before any run, by year, and which unit tips over first.

Visits to steps solve the linear equations of routing, loops and all: with F = (I - P)^-1, patients who enter
at step e pay F[e, k] visits to step k (Jackson, Networks of waiting lines, 1957). They are solved for each
kind of patient whose routing or stay differs (age band, groups, place) and weighted with how many there are.
Queues that are left, full or passed on, responses, and units of a pool other than the own one are not looked
at: it is the load that is offered to the own units.

Hours count in two ways. A unit's capacity is its mean over time. A step where nobody may wait turns patients away
while its unit has no beds: of those who enter the model in these hours, by their arrival profile, as if they came to
the step at once (so closing a service at night moves the patients of the night).
"""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.destinations import CLOSE_ENOUGH, MOST_ROUNDS, Destinations
from flowsim.engine.distributions import mean_and_sd
from flowsim.engine.network import LEAVE, Floats, Labels, Network, UnitKind
from flowsim.engine.spans import AGE, DAY_MS, PLACE, WEEK_MS, Part, arrival_rates

YEAR_MS = 365 * DAY_MS
GROUPS = 2
ENDLESS = 1e6
"""More visits to a step than this, by one patient, count as a loop that is hardly ever left."""


class LoadRow(NamedTuple):
    """Load of one unit in one year.

    `load` and `capacity` are mean beds, for slots starts a day; `capacity` is infinite for unlimited units.
    `arrivals_a_year` are visits in 365 days. `utilisation` is load / capacity: from 1 on a queue grows
    without end.
    """

    unit: str
    setting: str
    at: str
    level: str
    year: str
    arrivals_a_year: float
    load: float
    capacity: float
    utilisation: float


class Kinds(NamedTuple):
    """Patients of one pathway by what their routing and stays depend on: N kinds, K steps."""

    ages: Any  # [N] age band
    chances: Floats  # [N] share of the kind among the patients of its age band
    routing: Floats  # [N, K, K] chance of going from one step to another
    visits: Floats  # [N, K, K] visits to a step by a patient who enters at another
    stay: Floats  # [N, K] mean stay in milliseconds
    hold: Floats  # [N, K] mean time its unit is held while later steps are served


def offered_load(network: Network, labels: Labels, years: Sequence[tuple[str, int, int]]) -> list[LoadRow]:
    """Load of every unit in each year, which is (name, from, to) in milliseconds within the run.

    Rows by year and then unit. Warns, naming the steps, if patients hardly ever leave a loop of steps.
    """
    rows = []
    destinations: dict[tuple[int, bytes], Destinations] = {}
    for year, first, last in years:
        arrivals, busy = _loads(network, labels, destinations, first, last)
        for number, unit in enumerate(labels.units):
            kind = network.unit_kind[number]
            load = arrivals[number] * DAY_MS if kind == UnitKind.SLOTS else busy[number]
            capacity = mean_capacity(network, number, first, last)
            used = load / capacity if capacity > 0 else math.inf if load > 0 else 0.0
            rows.append(
                LoadRow(
                    unit.name, unit.setting, unit.at, unit.level, year,
                    float(arrivals[number] * YEAR_MS), float(load), capacity, float(used),
                )
            )  # fmt: skip
    return rows


def first_to_tip(rows: Iterable[LoadRow]) -> LoadRow | None:
    """The most loaded unit of the first year in which one has a utilisation of 1 or more; else of all years.

    None if no unit has a limit. Of equals the first is taken.
    """
    limited = [row for row in rows if math.isfinite(row.capacity)]
    tipped = [row for row in limited if row.utilisation >= 1]
    among = [row for row in tipped if row.year == tipped[0].year] or limited
    return max(among, key=lambda row: row.utilisation, default=None)


def mean_capacity(network: Network, unit: int, first: int, last: int) -> float:
    """Mean beds, or slots a day, of a unit in [first, last); infinite if it is unlimited."""
    kind = network.unit_kind[unit]
    if kind == UnitKind.UNLIMITED:
        return math.inf
    if kind == UnitKind.SLOTS:
        rows = slice(int(network.session_first[unit]), int(network.session_first[unit + 1]))
        within = (network.session_open[rows] >= first) & (network.session_open[rows] < last)
        return float(network.session_slots[rows][within].sum()) * DAY_MS / (last - first)
    rows = slice(int(network.capacity_first[unit]), int(network.capacity_first[unit + 1]))
    starts = np.clip(network.capacity_at[rows], first, last)
    return float((network.capacity_beds[rows] * np.diff(np.append(starts, last))).sum()) / (last - first)


# --- kinds of patients ---


class Pathway:
    """The steps of one pathway in a part of a span, with the kinds of patients that go through them."""

    def __init__(self, network: Network, labels: Labels, pathway: int, part: Part) -> None:
        self.network, self.labels, self.part = network, labels, part
        self.steps = np.flatnonzero(network.step_pathway == pathway)
        self.marks = self._marks()
        self.ages = range(int(network.counts[7]))
        self.values = [len(values) for _, values in labels.groups]
        self.keeps = network.keeps[np.ix_(self.steps, self.steps)].astype(bool)
        self.means = [self._mean_stay(int(step)) for step in self.steps]
        self.rounds = [self._round(int(step)) for step in self.steps]
        self.turns = network.limit_to[self.steps] - self.steps[0]
        self.in_part = part.within(1)[:, 0]
        self._kinds: dict[tuple[int, bytes], Kinds] = {}
        rules = slice(int(network.shift_first[self.steps[0]]), int(network.shift_first[self.steps[-1] + 1]))
        self.alike = np.unique(network.shift_places[rules], axis=1, return_inverse=True)[1].reshape(-1).tolist()
        """For each place a number: those of the same number have the same shifts of care."""
        self._entered: dict[tuple[int, int], Floats] = {}
        self._onward: dict[tuple[int, int, int], Floats] = {}
        self._instead: dict[tuple[int, int, int], Floats] = {}

    def _marks(self) -> set[int]:
        """Marks on which routing or stays depend, and those on which these depend."""
        n = self.network
        found = {int(by) for name in (n.route_by, n.stay_by) for by in name[self.steps]}
        ahead = [mark for mark in found if mark >= GROUPS]
        while ahead:
            by = int(n.group_by[ahead.pop() - GROUPS])
            if by not in found:
                found.add(by)
                if by >= GROUPS:
                    ahead.append(by)
        return found - {-1}

    def _mean_stay(self, step: int) -> float:
        """Mean of a stay before its mark scales it."""
        n = self.network
        distribution = int(n.stay_distribution[step])
        first, last = int(n.parameter_first[distribution]), int(n.parameter_first[distribution + 1])
        return mean_and_sd(int(n.family[distribution]), n.parameters[first:last].tolist(), 0)[0]

    def kinds(self, place: int, turned: Floats) -> Kinds:
        """All kinds of patients from a place; the same for places alike unless something depends on the place itself.

        `turned` is the share of those who come to each step that are turned away.
        """
        key = (place if PLACE in self.marks else -1 - self.alike[place], turned.tobytes())
        if key not in self._kinds:
            self._kinds[key] = self._solve(list(self._combinations(place)), turned)
        return self._kinds[key]

    def _combinations(self, place: int) -> Iterable[tuple[list[int], float]]:
        """(marks, chance among patients of the age band) of each kind; groups that nothing depends on stand
        still.
        """
        n = self.network
        varies = [range(count) if GROUPS + g in self.marks else range(1) for g, count in enumerate(self.values)]
        for age in self.ages:
            for values in itertools.product(*varies):
                marks, chance = [age, place, *values], 1.0
                for group, value in enumerate(values):
                    if GROUPS + group in self.marks:
                        by = int(n.group_by[group])
                        row = int(n.group_row[group]) + (marks[by] if by >= 0 else 0)
                        chance *= dict(_shares(n, row)).get(value, 0.0)
                if chance > 0:
                    yield marks, chance

    def _solve(self, combinations: list[tuple[list[int], float]], turned: Floats) -> Kinds:
        size = len(self.steps)
        routing = np.zeros((len(combinations), size, size))
        stay = np.zeros((len(combinations), size))
        n = self.network
        for kind, (marks, _) in enumerate(combinations):
            for k, step in enumerate(self.steps.tolist()):
                by, row = int(n.stay_by[step]), int(n.stay_scale_first[step])
                stay[kind, k] = self.means[k] * n.stay_scale[row + (marks[by] if by >= 0 else 0)] + self.rounds[k]
                by, row = int(n.route_by[step]), int(n.route_row[step])
                routing[kind, k] = self._after(row + (marks[by] if by >= 0 else 0), marks[AGE], marks[PLACE])
        for k in np.flatnonzero(turned).tolist():
            routing[:, k] *= 1 - turned[k]
            routing[:, k, self.turns[k]] += turned[k]
        return Kinds(
            np.array([marks[AGE] for marks, _ in combinations]),
            np.array([chance for _, chance in combinations]),
            routing,
            self._visits(routing),
            stay,
            self._hold(routing, stay * (1 - turned)),
        )

    def _after(self, row: int, age: int, place: int) -> Floats:
        """Chances of the next step by a row of shares, with shifts of care."""
        key = (row, age, self.alike[place])
        if key not in self._onward:
            found = np.zeros(len(self.steps))
            for to, share in _shares(self.network, row):
                if to != LEAVE:
                    found += share * self.instead(to, age, place)
            self._onward[key] = found
        return self._onward[key]

    def instead(self, step: int, age: int, place: int) -> Floats:
        """Chances of the steps that patients on the way to a step go to, with shifts of care one after the other.

        Means over the days, each as it is at noon: of what shifts leave to those after them too.
        """
        key = (step, age, self.alike[place])
        if key not in self._instead:
            n = self.network
            found = np.zeros(len(self.steps))
            left = self.in_part
            for rule in range(int(n.shift_first[step]), int(n.shift_first[step + 1])):
                if n.shift_ages[rule, age] and n.shift_places[rule, place]:
                    start, ramp = int(n.shift_start[rule]), int(n.shift_ramp[rule])
                    done = np.clip((self.part.days + DAY_MS / 2 - start) / max(ramp, 1), 0.0, 1.0)
                    gone = left * (float(n.shift_share[rule]) * done)
                    found[n.shift_to[rule] - self.steps[0]] += gone.sum()
                    left = left - gone
            found[step - self.steps[0]] += left.sum()
            self._instead[key] = found / self.in_part.sum()
        return self._instead[key]

    def entered(self, step: int, place: int) -> Floats:
        """[A, K] chances of the steps that patients of a place who enter at a step go to, by age band."""
        key = (step, self.alike[place])
        if key not in self._entered:
            self._entered[key] = np.array([self.instead(step, age, place) for age in self.ages])
        return self._entered[key]

    def _round(self, step: int) -> float:
        """Mean wait for the round of a step, of stays that end at any time of the week."""
        n = self.network
        times = n.round_ms[int(n.round_first[step]) : int(n.round_first[step + 1])]
        if n.round_kind[step] == 2:
            times = times.reshape(7, 2)
            times = times[times[:, 0] >= 0].mean(axis=1)
        if not len(times):
            return 0.0
        gaps = np.diff(np.append(times, times[0] + WEEK_MS))
        return float((gaps * gaps).sum()) / (2 * WEEK_MS)

    def _visits(self, routing: Floats) -> Any:
        """(I - P)^-1 of each kind; loops that are never left are left once in a thousand million times."""
        identity = np.eye(len(self.steps))
        with np.errstate(all="ignore"):
            try:
                visits = np.linalg.inv(identity - routing)
                is_sound = bool(np.isfinite(visits).all() and np.abs(visits).max(initial=0) < ENDLESS)
            except np.linalg.LinAlgError:
                is_sound = False
        if not is_sound:
            visits = np.linalg.inv(identity - routing * (1 - 1e-9))
            often = np.abs(visits).max(axis=(0, 1)) >= ENDLESS
            names = ", ".join(": ".join(self.labels.steps[step]) for step in self.steps[often])
            warnings.warn(f"patients hardly ever leave a loop of steps: {names}", stacklevel=2)
        return visits

    def _hold(self, routing: Floats, stay: Floats) -> Floats:
        """Mean time a unit is held while later steps that do not release it are served."""
        n = self.network
        hold = np.zeros_like(stay)
        for k, step in enumerate(self.steps):
            releases = np.array(
                [step in n.hold_step[n.hold_first[to] : n.hold_first[to + 1]] for to in self.steps], bool
            )
            through = self.keeps[:, k] & ~releases
            if through.any():
                kept = routing * through[None, None, :]
                served = np.linalg.solve(
                    np.eye(len(self.steps)) - kept * through[None, :, None], (stay * through)[..., None]
                )
                hold[:, k] = (kept[:, k, :] * served[..., 0]).sum(axis=1)
        return hold


def _shares(n: Network, row: int) -> list[tuple[int, float]]:
    rows = slice(int(n.row_first[row]), int(n.row_first[row + 1]))
    return list(zip(n.row_to[rows].tolist(), np.diff(n.row_cumulative[rows], prepend=0.0).tolist(), strict=True))


# --- units ---


def _loads(
    n: Network, labels: Labels, known: dict[tuple[int, bytes], Destinations], first: int, last: int
) -> tuple[Floats, Floats]:
    """(arrivals per millisecond, mean number in service or held) of each unit in [first, last).

    `known` keeps the destinations of a pathway's patients from one span to the next.
    """
    arrivals, busy = np.zeros(len(n.unit_kind)), np.zeros(len(n.unit_kind))
    for part in Part.whole(n, first, last).split(n, _may_shut(n)):
        entering: dict[int, dict[tuple[int, int], Floats]] = {}
        for (number, step, place), by_age in arrival_rates(n, part).items():
            entering.setdefault(number, {})[step, place] = by_age
        for number, entries in entering.items():
            places = np.unique([place for _, place in entries])
            key = number, places.tobytes()
            if key not in known:
                known[key] = Destinations(n, np.flatnonzero(n.step_pathway == number), places)
            served, stays, held = _flow(Pathway(n, labels, number, part), known[key], entries)
            arrivals += served
            busy += stays * n.unit_stay_factor + held
    return arrivals, busy


def _may_shut(n: Network) -> list[int]:
    """Units without beds at times, in settings of a step where nobody may wait."""
    in_these = np.isin(n.unit_setting, n.step_setting[n.limit == 0])
    beds = [n.capacity_beds[a:b] for a, b in itertools.pairwise(n.capacity_first.tolist())]
    return [unit for unit in np.flatnonzero(in_these).tolist() if 0 in beds[unit]]


def _flow(pathway: Pathway, to: Destinations, entries: dict[tuple[int, int], Floats]) -> tuple[Floats, Floats, Floats]:
    """[U] visits per millisecond, stays and time held of the patients of one pathway.

    `entries` has arrivals per millisecond by age band for each (step, place). Who is turned away depends on the site
    they are at, and the site on the way they came: found step by step.
    """
    shut = pathway.part.shut
    entering = np.zeros((len(to.places), len(pathway.ages), len(to.steps)))
    for (step, place), by_age in entries.items():
        entering[np.searchsorted(to.places, place)] += by_age[:, None] * pathway.entered(step, place)
    turned = to.turned(to.chosen, shut)
    for _ in range(MOST_ROUNDS):
        visits, stays, held, flows = _moves(pathway, to, entering, turned)
        sent = np.zeros_like(flows)
        at, away = np.nonzero(turned)
        sent[at, away, pathway.turns[away]] = (visits * turned)[at, away]
        shares = to.shares(flows - sent, sent, shut)
        before, turned = turned, to.turned(shares, shut)
        if np.abs(turned - before).max(initial=0.0) < CLOSE_ENOUGH:
            break
    served, staying, holding = (to.let_in(some, shares, shut) for some in (visits, stays, held))
    return served, staying, holding


def _moves(
    pathway: Pathway, to: Destinations, entering: Floats, turned: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """[L, K] visits per millisecond, stays and time held by place and step; [L, K, K] visits from step to step.

    `entering` is [L, A, K], who come to their first step; `turned` [L, K] the shares that are turned away.
    """
    visits, stays, held = (np.zeros(turned.shape) for _ in range(3))
    flows = np.zeros((*turned.shape, len(to.steps)))
    kinds_of = [pathway.kinds(place, turned[i]) for i, place in enumerate(to.places.tolist())]
    for kinds in {id(one): one for one in kinds_of}.values():
        mine = [i for i, one in enumerate(kinds_of) if one is kinds]
        into = entering[mine][:, kinds.ages] * kinds.chances[:, None]
        by_kind = into.transpose(1, 0, 2) @ kinds.visits
        visits[mine] = by_kind.sum(axis=0)
        stays[mine] = (by_kind * kinds.stay[:, None]).sum(axis=0)
        held[mine] = (by_kind * kinds.hold[:, None]).sum(axis=0)
        leaving = np.ascontiguousarray(by_kind.transpose(2, 1, 0))  # in one piece: several times as fast
        flows[mine] = (leaving @ np.ascontiguousarray(kinds.routing.transpose(1, 0, 2))).transpose(1, 0, 2)
    return visits, stays, held, flows
