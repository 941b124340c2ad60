"""What the visit log says must be what the ledger says, and what the rules allow: all recomputed from the log, exactly.

Where a pool pre-empts, the log does not tell when a patient was put back in the queue: there only what holds of queue
and unit together is compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from small import DAY, HOUR, Played

from flowsim.engine.addresses import Purpose, stream_key
from flowsim.engine.ledger import BINS, bin_start, sites_of
from flowsim.engine.network import LEAVE, Change, Follow, StreamKind, UnitKind
from flowsim.engine.sampling import stay_ms, uniform
from flowsim.engine.visits import COLUMNS, VisitEnd

WEEK = 7 * DAY
EVER = 1 << 60
STARTS = [bin_start(k) for k in range(BINS)]
JOINED, STARTED, READY, ENDED, LEFT = range(5)
Steps = list[tuple[int, int]]
"""A level over time: (from when, level), rising in time, the first at 0."""


class Visit(NamedTuple):
    """A row of the log. `until` is when it was vacated or given up, the horizon if that was not reached."""

    patient: tuple[int, int, int]
    age: int
    place: int
    number: int
    step: int
    own: int
    unit: int
    joined: int
    started: int
    ready: int
    ended: int
    left: int
    outcome: int
    blocked: int
    block: int
    until: int
    is_first: bool  # there on the first day
    occurrence: int  # how often the patient has been at the step before

    def waiting(self) -> tuple[int, int]:
        return max(self.joined, 0), self.started if self.started >= 0 else self.until

    def served(self, horizon: int) -> tuple[int, int]:
        return self.started, self.ended if self.ended >= 0 else horizon


class Log:
    """The visits of a run, and its ledger as sums by (book, row, period)."""

    def __init__(self, played: Played, seed: int) -> None:
        self.n, self.labels, self.seed = played.network, played.labels, seed
        self.horizon = int(self.n.horizon_ms)
        self.edges = self.n.period_starts.tolist()
        closes = self.n.period_closes_month.tolist()
        self.months = [0, *(end for end, closed in zip(self.edges[1:], closes, strict=True) if closed)]
        self.books: dict[str, Counter[tuple[int, int]]] = defaultdict(Counter)
        for period, book, rows, values in played.written:
            for row, value in zip(rows, values, strict=True):
                self.books[book][row, period] += value
        self.of_patient: dict[tuple[int, int, int], list[Visit]] = defaultdict(list)
        kinds = self.n.stream_kind.tolist()
        rows = [dict(zip(COLUMNS, map(int, row), strict=True)) for row in played.rows]
        been: Counter[tuple[Any, ...]] = Counter()
        for r in sorted(rows, key=lambda r: (r["stream"], r["layer"], r["index"], r["visit"])):
            patient = (r["stream"], r["layer"], r["index"])
            is_first = r["visit"] == 0 and kinds[r["stream"]] in (StreamKind.INSIDE, StreamKind.WAITING)
            until = self.horizon if r["outcome"] == VisitEnd.UNFINISHED else r["left_ms"]
            self.of_patient[patient].append(Visit(
                patient, r["age"], r["place"], r["visit"], r["step"], r["own_unit"], r["unit"], r["joined_ms"],
                r["started_ms"], r["ready_ms"], r["ended_ms"], r["left_ms"], r["outcome"], r["blocked_ms"],
                r["waited_for"], until, is_first, been[patient, r["step"]],
            ))  # fmt: skip
            been[patient, r["step"]] += 1
        self.visits = [visit for visits in self.of_patient.values() for visit in visits]
        self.pool = self.n.unit_pool.tolist()
        self.preempting = {int(p) for p, yes in zip(self.n.class_pool, self.n.class_preempts, strict=True) if yes}
        self.plain = [u for u, pool in enumerate(self.pool) if pool not in self.preempting]
        self.factors = dict(self._factors())

    # --- periods ----------------------------------------------------------------------------------------------

    def period(self, at: int) -> int:
        return bisect_right(self.edges, max(at, 0)) - 1

    def month_close(self, at: int) -> int:
        """The fine period at whose end what is kept by month is written."""
        return self.edges.index(self.months[bisect_right(self.months, max(at, 0))]) - 1

    def spread(self, found: Counter[tuple[int, int]], row: int, since: int, until: int, level: int = 1) -> None:
        """Add level x the time of [since, until) that falls into each period."""
        if until > since and level:
            for period in range(self.period(since), len(self.edges) - 1):
                first, last = max(since, self.edges[period]), min(until, self.edges[period + 1])
                if last <= first:
                    break
                found[row, period] += level * (last - first)

    # --- capacity ---------------------------------------------------------------------------------------------

    def _factors(self) -> Iterator[tuple[int, Steps]]:
        """Thousandths by which a response scales each unit, over time."""
        n = self.n
        if any(end - start > DAY for start, end in zip(self.edges, self.edges[1:], strict=False)):
            return  # a response looks at days
        for r, (change, target) in enumerate(zip(n.response_changes.tolist(), n.response_target.tolist(), strict=True)):
            if change == Change.CAPACITY:
                yield target, [(at, int(value * 1000.0 + 0.5)) for at, value in self.response(r)]

    def response(self, r: int) -> list[tuple[int, float]]:
        """(midnight, value) of a response from the days before it; no entry before there is anything to follow."""
        n, found = self.n, [(0, 1.0)]
        units = set(n.response_units[n.response_unit_first[r] : n.response_unit_first[r + 1]].tolist())
        classes = [c for c, own in enumerate(n.class_own.tolist()) if own in units]
        lanes = [i for c in classes for i in range(int(n.lane_first[c]), int(n.lane_first[c + 1]))]
        match int(n.response_follows[r]):
            case Follow.OCCUPANCY:
                above, below = ("in_use_ms", units), ("available_ms", units)
            case Follow.MEAN_WAIT:
                above, below = ("wait_ms", classes), ("starts", lanes)
            case _:
                above, below = ("queue_ms", classes), ("", [])
        first, last = int(n.response_point_first[r]), int(n.response_point_first[r + 1])
        for day in range(1, len(self.edges) - 1):
            since = max(day - int(n.response_days[r]), 0)
            top, bottom = (
                sum(self.books[book][row, d] for d in range(since, day) for row in rows)
                for book, rows in (above, below)
            )
            if not below[0]:
                bottom = self.edges[day] - self.edges[since]
            if bottom:
                followed = top / bottom / (HOUR if n.response_follows[r] == Follow.MEAN_WAIT else 1.0)
                found.append((self.edges[day], _on_line(followed, n.response_x[first:last], n.response_y[first:last])))
        return found

    def capacity(self, unit: int) -> Steps | None:
        """Beds in force over time; None where a response scales them and the days are not known."""
        n = self.n
        followed = Change.CAPACITY in n.response_changes and unit in n.response_target.tolist()
        if followed and unit not in self.factors:
            return None
        first, last = int(n.capacity_first[unit]), int(n.capacity_first[unit + 1])
        base = list(zip(n.capacity_at[first:last].tolist(), n.capacity_beds[first:last].tolist(), strict=True))
        factors = self.factors.get(unit, [(0, 1000)])
        times = sorted({at for at, _ in (*base, *factors)})
        return [(at, (_level(base, at) * _level(factors, at) + 500) // 1000) for at in times]

    def in_use(self, unit: int) -> Steps:
        changes: Counter[int] = Counter({0: 0})
        for visit in self.visits:
            if visit.unit == unit:
                changes[visit.started] += 1
                changes[visit.until if visit.left >= 0 else EVER] -= 1
        level, found = 0, []
        for at in sorted(changes):
            level += changes[at]
            found.append((at, level))
        return found


def _on_line(x: float, xs: Any, ys: Any) -> float:
    """As `choices.response_value`, written again."""
    if x <= xs[0]:
        return float(ys[0])
    for (a, b), (left, right) in zip(zip(xs, ys, strict=True), zip(xs[1:], ys[1:], strict=True), strict=False):
        if x < left:
            return float(b + (right - b) * ((x - a) / (left - a)))
    return float(ys[-1])


def _level(steps: Steps, at: int) -> int:
    """The level in force from `at` on."""
    return steps[max(bisect_right(steps, (at, EVER)) - 1, 0)][1]


def _before(steps: Steps, at: int) -> int:
    """The level in force just before `at`."""
    return _level(steps, at - 1)


def disagreements(played: Played, seed: int = 1) -> list[str]:
    """One line for each thing that the log tells otherwise than the ledger or the rules."""
    log = Log(played, seed)
    checks = (
        _counts,
        _integrals,
        _midnights,
        _holds,
        _ways,
        _clocks,
        _capacity,
        _sessions,
        _order,
        _draws,
        _routes,
        _rounds,
    )
    return [line for check in checks for line in check(log)]


def _compare(log: Log, book: str, found: Counter[tuple[int, int]], rows: Container[int]) -> Iterator[str]:
    ours = {key: value for key, value in found.items() if value and key[0] in rows}
    theirs = {key: value for key, value in log.books[book].items() if value and key[0] in rows}
    for row, period in sorted(set(ours) | set(theirs)):
        if ours.get((row, period), 0) != theirs.get((row, period), 0):
            yield (
                f"{book} row {row} period {period}: log {ours.get((row, period), 0)},"
                f" ledger {theirs.get((row, period), 0)}"
            )


def _by_own(log: Log, book: str) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for (row, period), value in log.books[book].items():
        found[int(log.n.class_own[row]), period] += value
    return found


def _by_unit(log: Log, book: str) -> Counter[tuple[int, int]]:
    found: Counter[tuple[int, int]] = Counter()
    for (row, period), value in log.books[book].items():
        found[int(log.n.lane_unit[row]), period] += value
    return found


def _counts(log: Log) -> Iterator[str]:
    """Arrivals, starts, waits, ends, gave up, turned away, and who is where at the end."""
    n, sums = log.n, defaultdict(Counter)
    areas, ages = int(n.counts[6]), int(n.counts[7])
    last = len(log.edges) - 2
    for v in log.visits:
        if not v.is_first:
            sums["own arrivals"][v.own, log.period(v.joined)] += 1
        if v.outcome in (VisitEnd.RENEGED, VisitEnd.BALKED):
            name = "reneged" if v.outcome == VisitEnd.RENEGED else "balked"
            sums[f"own {name}"][v.own, log.period(v.left)] += 1
        is_inside = v.is_first and n.stream_kind[v.patient[0]] == StreamKind.INSIDE
        if v.started >= 0 and not is_inside:
            wait, when = v.started - v.joined, log.month_close(v.started)
            bin_ = bisect_right(STARTS, wait) - 1
            row = (int(n.step_setting[v.step]) * areas + int(n.place_area[v.place])) * ages + v.age
            sums["unit starts"][v.unit, log.period(v.started)] += 1
            sums["own wait_ms"][v.own, log.period(v.started)] += wait
            sums["bin wait_bins"][v.own * BINS + bin_, when] += 1
            sums["area_wait_ms"][row, when] += wait
            sums["area_wait_bins"][row * BINS + bin_, when] += 1
        if v.ended >= 0:
            sums["unit ends"][v.unit, log.period(v.ended)] += 1
        if v.outcome == VisitEnd.COMPLETED:
            sums["unit stay_ms"][v.unit, log.period(v.left)] += v.left - v.started
        if v.outcome == VisitEnd.UNFINISHED:
            name = "own waiting" if v.started < 0 else "unit inside" if v.ended < 0 else "holding"
            sums[name][v.own if v.started < 0 else v.unit, last] += 1
            if v.started >= 0:
                sums["present_ms"][v.unit, last] += log.horizon - v.started
    bins: Counter[tuple[int, int]] = Counter()
    for (row, period), value in log.books["wait_bins"].items():
        bins[int(n.class_own[row // BINS]) * BINS + row % BINS, period] += value
    everywhere = range(len(n.unit_kind))
    for kept, mine, rows in (
        (_by_own(log, "arrivals"), "own arrivals", everywhere),
        (_by_own(log, "reneged"), "own reneged", everywhere),
        (_by_own(log, "balked"), "own balked", everywhere),
        (_by_own(log, "wait_ms"), "own wait_ms", everywhere),
        (_by_unit(log, "starts"), "unit starts", log.plain),
        (_by_unit(log, "ends"), "unit ends", everywhere),
        (_by_unit(log, "stay_ms"), "unit stay_ms", log.plain),
        (_by_own(log, "waiting"), "own waiting", log.plain),
        (_by_unit(log, "inside"), "unit inside", log.plain),
        (log.books["holding"], "holding", everywhere),
        (log.books["present_ms"], "present_ms", log.plain),
        (bins, "bin wait_bins", range(len(n.unit_kind) * BINS)),
        (log.books["area_wait_ms"], "area_wait_ms", range(EVER)),
        (log.books["area_wait_bins"], "area_wait_bins", range(EVER)),
    ):
        for key in sorted(set(kept) | set(sums[mine])):
            if key[0] in rows and kept[key] != sums[mine][key]:
                yield f"{mine} {key}: log {sums[mine][key]}, ledger {kept[key]}"
    entered = Counter(patient[0] for patient in log.of_patient)
    kept = Counter()
    for (stream, _), value in log.books["entered"].items():
        kept[stream] += value
    if entered != kept:
        yield f"patients of each stream: log {entered}, ledger {kept}"


def _integrals(log: Log) -> Iterator[str]:
    """Time in use and in the queue; where a pool pre-empts, of both together."""
    in_use, queue, together, kept = Counter(), Counter(), Counter(), Counter()
    for v in log.visits:
        if v.outcome != VisitEnd.BALKED:
            log.spread(queue, v.own, *v.waiting())
            log.spread(together, log.pool[v.own], max(v.joined, 0), v.until)
        if v.started >= 0:
            log.spread(in_use, v.unit, v.started, v.until)
    yield from _compare(log, "in_use_ms", in_use, log.plain)
    own = _by_own(log, "queue_ms")
    for key in sorted(set(queue) | set(own)):
        if key[0] in log.plain and queue[key] != own[key]:
            yield f"queue_ms {key}: log {queue[key]}, ledger {own[key]}"
    for sums in (log.books["in_use_ms"], own):
        for (unit, period), value in sums.items():
            kept[log.pool[unit], period] += value
    for key in sorted(set(together) | set(kept)):
        if together[key] != kept[key]:
            yield f"queue and units of pool {key}: log {together[key]}, ledger {kept[key]}"


def _midnights(log: Log) -> Iterator[str]:
    found: Counter[tuple[int, int]] = Counter()
    available: Counter[tuple[int, int]] = Counter()
    beds = [u for u, kind in enumerate(log.n.unit_kind) if kind == UnitKind.BEDS and log.capacity(u) is not None]
    for midnight in log.n.day_starts.tolist()[1:]:
        period = log.period(midnight - 1)
        for v in log.visits:
            if 0 <= v.started < midnight and (v.left < 0 or v.until >= midnight):
                found[v.unit, period] += 1
        for unit in beds:
            available[unit, period] += _before(log.capacity(unit) or [], midnight)
    yield from _compare(log, "midnight_in_use", found, log.plain)
    yield from _compare(log, "midnight_available", available, beds)


def _holds(log: Log) -> Iterator[str]:
    """Time that units are kept: blocked while the patient waits, held while it is served elsewhere."""
    n = log.n
    rows = {
        (int(a), int(b), int(c)): i
        for i, (a, b, c) in enumerate(zip(n.block_unit, n.block_awaited, n.block_cause, strict=True))
    }
    blocked, held = Counter(), Counter()
    for visits in log.of_patient.values():
        for h in visits:
            if h.ended < 0:
                continue
            until, sums, lasts = h.until, 0, [-1]
            for v in visits[h.number + 1 :]:
                if v.joined > until or v.outcome == VisitEnd.BALKED:
                    continue
                first, end = max(v.waiting()[0], h.ended), min(v.waiting()[1], until)
                row = rows.get((h.unit, v.own, int(n.cause[v.step])))
                if row is None and v.joined < until:
                    yield f"{h}: blocked by {v}, but there is no row for it"
                if row is None:
                    continue
                log.spread(blocked, row, first, end)
                sums += end - first
                lasts = [row] if end > first else [*lasts, row]  # a wait of no time may be the last
                if v.started >= 0:
                    log.spread(held, h.unit, max(v.started, h.ended), min(v.served(log.horizon)[1], until))
            if not log.preempting and (sums != h.blocked or h.block not in lasts):
                yield f"{h}: blocked {sums} ms, last by row {lasts}"
    if not log.preempting:
        yield from _compare(log, "blocked_ms", blocked, range(len(rows)))
        yield from _compare(log, "held_ms", held, range(len(n.unit_kind)))
    total: Counter[int] = Counter()
    for v in log.visits:
        if v.ended >= 0:
            total[v.unit] += v.until - v.ended
    for (row, _), value in log.books["blocked_ms"].items():
        total[int(n.block_unit[row])] -= value
    for (unit, _), value in log.books["held_ms"].items():
        total[unit] -= value
    if any(total.values()):
        yield f"kept after the stay, log less ledger, by unit: {dict(total)}"


def _ways(log: Log) -> Iterator[str]:
    """From which step to which, and that nobody is at two places, or nowhere."""
    steps, found = len(log.n.step_word), Counter()
    for patient, visits in log.of_patient.items():
        if [v.number for v in visits] != list(range(len(visits))):
            yield f"{patient}: visits {[v.number for v in visits]}"
        for v, following in zip(visits, [*visits[1:], None], strict=True):
            gone_on = v.ended if v.ended >= 0 else v.left
            if gone_on < 0 or (v.outcome == VisitEnd.UNFINISHED and v.ended < 0):
                if following is not None:
                    yield f"{following}: begun before {v} was over"
                continue
            to = LEAVE if following is None else following.step
            if following is not None and following.joined != gone_on:
                yield f"{following}: joined at another time than {v} went on"
            found[v.step * (steps + 1) + to + 1, log.month_close(gone_on)] += 1
            times = [at for at in (v.joined, v.started, v.ready, v.ended, v.left) if at != -1]
            if times != sorted(times):
                yield f"{v}: its times do not rise"
    yield from _compare(log, "moves", found, range(steps * (steps + 1)))


def _clocks(log: Log) -> Iterator[str]:
    """Every clock of every patient, step by step."""
    n, found = log.n, defaultdict(Counter)
    areas, ages, last = int(n.counts[6]), int(n.counts[7]), len(log.edges) - 2
    for visits in log.of_patient.values():
        running: dict[int, tuple[int, int]] = {}
        asked = -1  # the site asked for last
        for when, at, v, moment in _moments(log, visits):
            if v is None:
                for clock, (since, began) in running.items():
                    found["clock_lost"][clock, log.month_close(when)] += 1
                    _note_running(log, found, clock, since, began, when)
                running.clear()
                continue
            if moment != LEFT and n.unit_site[v.own] >= 0:
                asked = int(n.unit_site[v.own])
            row = v.step * 5 + moment
            for clock in n.clock_stop[n.clock_stop_first[row] : n.clock_stop_first[row + 1]].tolist():
                if clock in running:
                    since, began = running.pop(clock)
                    ran, month = at - began, log.month_close(when)
                    found["clock_ms"][clock, month] += ran
                    found["clock_bins"][clock * BINS + bisect_right(STARTS, ran) - 1, month] += 1
                    met = "met" if ran <= n.clock_standard[clock] else "missed"
                    found[f"clock_{met}"][(clock * areas + int(n.place_area[v.place])) * ages + v.age, month] += 1
                    found[f"clock_site_{met}"][clock * (sites_of(n) + 1) + asked + 1, month] += 1
                    _note_running(log, found, clock, since, began, when)
            for clock in n.clock_start[n.clock_start_first[row] : n.clock_start_first[row + 1]].tolist():
                if clock not in running:
                    running[clock] = (when, at)
                    found["clock_started"][clock, log.month_close(when)] += 1
        for clock, (since, began) in running.items():
            _note_running(log, found, clock, since, began, EVER)
    assert last >= 0
    for book in (
        "clock_started", "clock_ms", "clock_bins", "clock_met", "clock_missed", "clock_site_met", "clock_site_missed",
        "clock_lost", "clock_running", "clock_running_over",
    ):  # fmt: skip
        yield from _compare(log, book, found[book], range(EVER))


def _note_running(log: Log, found: Any, clock: int, since: int, began: int, until: int) -> None:
    """At each month's end that a clock was running: what happens at that instant has not happened yet."""
    for end in log.months[1:]:
        if since < end <= until:
            period = log.edges.index(end) - 1
            found["clock_running"][clock, period] += 1
            found["clock_running_over"][clock, period] += end - began > log.n.clock_standard[clock]


def _moments(log: Log, visits: list[Visit]) -> Iterator[tuple[int, int, Visit | None, int]]:
    """(when it is booked, when it was, visit, moment) of all moments of a patient in order; no visit: it leaves."""
    n, held = log.n, []
    keeps = n.keeps.reshape(len(n.step_word), -1)
    for v, following in zip(visits, [*visits[1:], None], strict=True):
        is_inside = v.is_first and n.stream_kind[v.patient[0]] == StreamKind.INSIDE
        if v.outcome != VisitEnd.BALKED and not is_inside:
            yield max(v.joined, 0), v.joined, v, JOINED
        if v.started >= 0 and not is_inside:
            holds = n.hold_step[n.hold_first[v.step] : n.hold_first[v.step + 1]].tolist()
            for h in [h for h in held if h.step in holds]:
                held.remove(h)
                yield v.started, v.started, h, LEFT
            yield v.started, v.started, v, STARTED
        if v.ended >= 0:
            yield v.ended, v.ready, v, READY
            yield v.ended, v.ended, v, ENDED
            held.append(v)
        at = v.ended if v.ended >= 0 else v.left
        if at >= 0 and not (v.outcome == VisitEnd.UNFINISHED and v.ended < 0):
            for h in [h for h in held if following is None or not keeps[following.step, h.step]]:
                held.remove(h)
                yield at, at, h, LEFT
            if following is None:
                yield at, at, None, LEFT


def _capacity(log: Log) -> Iterator[str]:
    """Beds available and over capacity; and that at no instant more are let in than there are."""
    n, available, over, known = log.n, Counter(), Counter(), []
    for unit in range(len(n.unit_kind)):
        capacity = log.capacity(unit) if n.unit_kind[unit] == UnitKind.BEDS else None
        if capacity is None:
            continue
        known.append(unit)
        for (at, beds), (end, _) in zip(capacity, [*capacity[1:], (log.horizon, 0)], strict=True):
            log.spread(available, unit, at, end, beds)
        if unit not in log.plain:
            continue
        in_use = log.in_use(unit)
        times = sorted({at for at, _ in (*in_use, *capacity) if at < log.horizon})
        starting = {v.started for v in log.visits if v.unit == unit and v.until > v.started and not v.is_first}
        for at, end in zip(times, [*times[1:], log.horizon], strict=True):
            level, beds = _level(in_use, at), _level(capacity, at)
            log.spread(over, unit, at, end, max(level - beds, 0))
            if at in starting and level > beds:
                yield f"unit {unit} at {at}: somebody started, and {level} are in {beds} beds"
    yield from _compare(log, "available_ms", available, known)
    yield from _compare(log, "over_ms", over, [u for u in known if u in log.plain])
    yield from _idle(log)


def _free(log: Log, unit: int) -> list[tuple[int, int]] | None:
    """Stretches of time in which a unit has a free place for all of the stretch; None if not known."""
    n = log.n
    if n.unit_kind[unit] == UnitKind.BEDS:
        capacity = log.capacity(unit)
        if capacity is None or unit not in log.plain:
            return None
        in_use = log.in_use(unit)
        times = sorted({at for at, _ in (*in_use, *capacity) if at < log.horizon})
        ends = [*times[1:], log.horizon]
        return [(a, b) for a, b in zip(times, ends, strict=True) if _level(in_use, a) < _level(capacity, a)]
    if n.unit_kind[unit] == UnitKind.UNLIMITED:
        return [(0, log.horizon)]
    if Change.CAPACITY in n.response_changes and unit in n.response_target.tolist() and unit not in log.factors:
        return None
    found = []
    for opens, closes, slots in _open(log, unit):
        starts = sorted(v.started for v in log.visits if v.unit == unit and opens <= v.started < closes)
        found.append((opens, starts[slots - 1] if 0 < slots <= len(starts) else closes if slots else opens))
    return found


def _idle(log: Log) -> Iterator[str]:
    """Nobody waits for a unit that has a free place."""
    n = log.n
    free = {unit: _free(log, unit) for unit in log.plain}
    lanes = {own: range(int(n.lane_first[c]), int(n.lane_first[c + 1])) for c, own in enumerate(n.class_own.tolist())}
    for v in log.visits:
        if v.own not in log.plain or v.outcome == VisitEnd.BALKED:
            continue
        first, last = v.waiting()
        for lane in lanes[v.own]:
            unit, after = int(n.lane_unit[lane]), int(n.lane_after[lane])
            if unit == v.unit and v.started - v.joined < after:
                yield f"{v}: started before it might"
            since = max(first, v.joined + after)
            for a, b in free[unit] or ():
                if max(a, since) < min(b, last):
                    yield f"{v}: waited while unit {unit} was free"
                    return


def _open(log: Log, unit: int) -> list[tuple[int, int, int]]:
    """Sessions of a unit with the slots they opened with."""
    n, factors = log.n, log.factors.get(unit, [(0, 1000)])
    first, last = int(n.session_first[unit]), int(n.session_first[unit + 1])
    return [
        (int(o), int(c), (int(s) * _level(factors, int(o)) + 500) // 1000)
        for o, c, s in zip(
            n.session_open[first:last], n.session_close[first:last], n.session_slots[first:last], strict=True
        )
        if o < log.horizon
    ]


def _sessions(log: Log) -> Iterator[str]:
    n, offered, lost = log.n, Counter(), Counter()
    units = [u for u, kind in enumerate(n.unit_kind) if kind == UnitKind.SLOTS]
    units = [u for u in units if log.factors.get(u) or Change.CAPACITY not in n.response_changes]
    for unit in units:
        starts = [v.started for v in log.visits if v.unit == unit and v.started >= 0 and not _was_inside(log, v)]
        for opens, closes, slots in _open(log, unit):
            used = sum(opens <= at < closes for at in starts)
            if used > slots:
                yield f"unit {unit}: {used} starts in {slots} slots from {opens}"
            offered[unit, log.period(opens)] += slots
            if closes < log.horizon:
                lost[unit, log.period(closes)] += slots - used
            starts = [at for at in starts if not opens <= at < closes]
        if starts:
            yield f"unit {unit}: starts outside its sessions at {starts[:3]}"
    yield from _compare(log, "slots_offered", offered, units)
    yield from _compare(log, "slots_lost", lost, units)


def _was_inside(log: Log, v: Visit) -> bool:
    return v.is_first and log.n.stream_kind[v.patient[0]] == StreamKind.INSIDE


def _order(log: Log) -> Iterator[str]:
    """Of one own unit nobody starts before someone who comes first by priority and joining, and may use that unit by then."""
    n = log.n
    after = {
        (int(n.class_own[c]), int(n.lane_unit[lane])): int(n.lane_after[lane])
        for c in range(len(n.class_own))
        for lane in range(int(n.lane_first[c]), int(n.lane_first[c + 1]))
    }
    by_own = defaultdict(list)
    for v in log.visits:
        levels = _priorities(log, v.step)
        by = int(n.priority_by[v.step])
        if v.outcome != VisitEnd.BALKED and v.own in log.plain and by in (-1, 0, 1):
            mark = 0 if by < 0 else v.age if by == 0 else v.place
            by_own[v.own].append((levels(v.own, mark), v.joined, v.patient, v))
    for entries in by_own.values():
        for priority, joined, patient, v in entries:
            if v.started < 0 or _was_inside(log, v):
                continue
            for other in entries:
                w = other[3]
                waited_on = w.joined < v.started < (w.started if w.started >= 0 else w.until)
                may_too = v.started - w.joined >= after[v.own, v.unit]
                if waited_on and may_too and other[:3] < (priority, joined, patient):
                    yield f"{v}: started before {w}"
                    return


def _priorities(log: Log, step: int) -> Any:
    n, levels = log.n, int(log.n.class_levels[step])

    def priority(own: int, mark: int) -> int:
        return int(n.class_priority[n.class_of[int(n.class_row[step]) + own * levels + mark]])

    return priority


def _draws(log: Log) -> Iterator[str]:
    """Stays and patiences are those of the patient's address."""
    n = log.n
    changes = list(zip(n.response_target.tolist(), n.response_changes.tolist(), strict=True))
    stays = {target for target, change in changes if change == Change.STAY}
    stays_in = {target for target, change in changes if change == Change.STAY_IN}
    for v in log.visits:
        key = stream_key(log.seed, log.labels.streams[v.patient[0]])
        address = (key, 1, v.patient[1], v.patient[2])

        def drawn(
            purpose: Purpose, kind: str, factor: float, v: Visit = v, address: tuple[int, ...] = address
        ) -> int | None:
            law = int(getattr(n, f"{kind}_distribution")[v.step])
            by = int(getattr(n, f"{kind}_by")[v.step])
            if law < 0 or by > 1:
                return None
            mark = 0 if by < 0 else v.age if by == 0 else v.place
            scale = float(n.stay_scale[int(getattr(n, f"{kind}_scale_first")[v.step]) + mark]) * factor
            return int(stay_ms(
                *address, int(purpose), int(n.step_word[v.step]), v.occurrence, int(n.family[law]),
                int(n.parameter_first[law]), scale, n.parameters,
            ))  # fmt: skip

        follows = v.step in stays or v.unit in stays_in
        if v.ready >= 0 and not follows and log.pool[v.own] not in log.preempting and not _was_inside(log, v):
            stay = drawn(Purpose.STAY, "stay", float(n.unit_stay_factor[v.unit]))
            if stay is not None and v.ready - v.started != stay:
                yield f"{v}: stays {v.ready - v.started} ms, drew {stay}"
        if v.outcome != VisitEnd.BALKED and not _was_inside(log, v):
            patience = drawn(Purpose.PATIENCE, "patience", 1.0)
            end = EVER if patience is None else max(v.joined, 0) + patience
            if v.outcome == VisitEnd.RENEGED and patience is not None and v.left != end:
                yield f"{v}: gave up at {v.left}, not at {end}"
            if max(v.started, 0) > end or (v.outcome == VisitEnd.UNFINISHED and v.started < 0 and end < log.horizon):
                yield f"{v}: waited longer than it would"


def _routes(log: Log) -> Iterator[str]:
    """The next step is that of the patient's address, unless a response sets a share or a group that is not in the log."""
    n = log.n
    shares = {int(t) for t, c in zip(n.response_target, n.response_changes, strict=True) if c == Change.SHARE}
    for visits in log.of_patient.values():
        on_the_way: Counter[int] = Counter()
        if not visits[0].is_first:
            on_the_way[int(n.stream_step[visits[0].patient[0]])] += 1
        for v, following in zip(visits, [*visits[1:], None], strict=True):
            by = int(n.route_by[v.step])
            if v.ended < 0:
                continue
            if by > 1 or v.step in shares:
                break
            key = stream_key(log.seed, log.labels.streams[v.patient[0]])
            row = int(n.route_row[v.step]) + (0 if by < 0 else v.age if by == 0 else v.place)
            first, last = int(n.row_first[row]), int(n.row_first[row + 1])
            u = uniform(key, 1, *v.patient[1:], int(Purpose.ROUTE), int(n.step_word[v.step]), v.occurrence)
            to = int(n.row_to[first + int((u >= n.row_cumulative[first:last]).sum())])
            if to != LEAVE:
                u = uniform(key, 1, *v.patient[1:], int(Purpose.SHIFT), int(n.step_word[to]), on_the_way[to])
                if n.shift_first[to] < n.shift_first[to + 1]:
                    on_the_way[to] += 1
                for i in range(int(n.shift_first[to]), int(n.shift_first[to + 1])):
                    since, ramp = int(n.shift_start[i]), int(n.shift_ramp[i])
                    part = 0.0 if v.ended < since else 1.0 if v.ended >= since + ramp else (v.ended - since) / ramp
                    share = float(n.shift_share[i]) * part * bool(n.shift_ages[i, v.age] and n.shift_places[i, v.place])
                    if u < share:
                        to = int(n.shift_to[i])
                        break
                    u = (u - share) / (1.0 - share)
            if to != (LEAVE if following is None else following.step):
                yield f"{v}: goes on to {following}, drew {to}"


def _rounds(log: Log) -> Iterator[str]:
    n = log.n
    for v in log.visits:
        if v.ended < 0:
            continue
        kind, first = int(n.round_kind[v.step]), int(n.round_first[v.step])
        since = (v.ready + int(n.week_offset_ms)) % WEEK
        let_go = since + v.ended - v.ready
        if kind == 0 and v.ended != v.ready:
            yield f"{v}: there is no round to wait for"
        if kind == 1:
            times = n.round_ms[first : int(n.round_first[v.step + 1])].tolist()
            if let_go != min(t for t in (*times, *(t + WEEK for t in times)) if t >= since):
                yield f"{v}: let go at no round, or not at the first"
        if kind == 2:
            windows = n.round_ms[first : first + 14].tolist()
            spans = [
                (a + w, b + w) for w in (0, WEEK) for a, b in zip(windows[::2], windows[1::2], strict=True) if a >= 0
            ]
            inside = [i for i, (a, b) in enumerate(spans) if a <= let_go <= b]
            if not inside or any(a > since for a, _ in spans[: inside[0]] if a > since):
                yield f"{v}: let go outside the windows, or not in the first"
