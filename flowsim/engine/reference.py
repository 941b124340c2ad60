"""The SimPy engine: one process a patient, written to be read beside the pathway diagram.

A patient's story is `City.story`: choose a unit, ask for it, wait to be let in, stay, go on. Whatever changes the state
happens at an event of `rules.Kind`, in the order written there. This is the second part, what patients do: the story,
arriving, joining, starting, ending, holding, the run. `premises` has the units on their calendar, `pools` the queues.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import simpy

from flowsim.engine import arrivals, choices
from flowsim.engine.addresses import OCCURRENCES, Purpose
from flowsim.engine.ledger import BINS, Log, Write, bin_of, sites_of
from flowsim.engine.network import LEAVE, Change, Choice, Network, StreamKind
from flowsim.engine.pools import Patient, Pool, Visit
from flowsim.engine.premises import Happening, Premises
from flowsim.engine.rules import JOINS_AT_ONE_INSTANT, Kind, Outcome, Stuck, patient_number
from flowsim.engine.sampling import residual_ms, stay_ms, uniform
from flowsim.engine.views import ClassView, Drawn, Shares, StepView, UnitView
from flowsim.engine.visits import VisitEnd

Story = Generator[simpy.Event, Any, None]
ROWS_A_BATCH = 10_000
"""Rows of the visit log that are handed over together."""

# Plain integers: numba takes the members of an enum a slow way.
UNIT, GROUP, STAY, PATIENCE = int(Purpose.UNIT), int(Purpose.GROUP), int(Purpose.STAY), int(Purpose.PATIENCE)
ROUTE, ROUND, SHIFT, RESIDUAL = (
    int(Purpose.ROUTE),
    int(Purpose.ROUND),
    int(Purpose.SHIFT),
    int(Purpose.RESIDUAL),
)
CLOSE, END, ARRIVAL, JOIN = int(Kind.CLOSE), int(Kind.END), int(Kind.ARRIVAL), int(Kind.JOIN)
START, RENEGE = int(Kind.START), int(Kind.RENEGE)
JOINED, STARTED, READY, ENDED, LEFT = range(5)


class City(Premises):
    """Everything that happens in one replication, on SimPy's clock."""

    def __init__(self, network: Network, keys: Sequence[int], replication: int, write: Write, log: Log | None) -> None:
        super().__init__(network, write)
        self.keys, self.replication, self.log = list(keys), replication, log
        self.logged: list[tuple[int, ...]] = []
        self.pools = [
            Pool(self, p, [line for line in self.lines if line.pool == p]) for p in range(len(network.pool_first) - 1)
        ]
        self.parameters = network.parameters
        self.rows: Shares = [
            list(zip(network.row_cumulative[a:b].tolist(), network.row_to[a:b].tolist(), strict=True))
            for a, b in zip(network.row_first[:-1].tolist(), network.row_first[1:].tolist(), strict=True)
        ]
        self.groups = list(
            zip(
                network.group_by.tolist(),
                network.group_row.tolist(),
                network.group_word.tolist(),
                strict=True,
            )
        )
        self.ages = int(network.counts[7])
        self.area_size = int(network.counts[6]) * self.ages
        self.site_size = sites_of(network) + 1
        self.areas = network.place_area.tolist()
        blocks = zip(
            network.block_unit.tolist(),
            network.block_awaited.tolist(),
            network.block_cause.tolist(),
            strict=True,
        )
        self.blocks = {block: row for row, block in enumerate(blocks)}
        self.events = self.entered = 0

    # --- the story --------------------------------------------------------------------------------------------

    def story(self, patient: Patient, step: int, visit: Visit | None = None) -> Story:
        """A patient's way through the model: choose a unit, ask for it, wait to be let in, stay, and go on."""
        while step != LEAVE:
            if visit is None:
                unit = self.choose(patient, step)
                if self.steps[step].is_conditional:
                    yield Happening(self, self._now, JOIN, unit.pool, patient.number)
                visit, step = self.join(patient, step, unit)
                if visit is None:
                    continue
            if (yield visit):
                yield visit.end
                step = self.finish(visit)
            else:
                step = self.give_up(visit)
            visit = None
        self.leave(patient)

    # --- arriving ---------------------------------------------------------------------------------------------

    def enter(self, patient: Patient, step: int) -> None:
        """ARRIVAL: a new patient begins its story."""
        self.events += 1
        self.admit(patient)
        simpy.Process(self, self.story(patient, self.instead_of(patient, step)))

    def admit(self, patient: Patient) -> None:
        """Count a patient who is now in the model."""
        self.inside[patient] = None
        self.entered += 1
        self.books.entered[patient.stream] += 1

    def new_patient(self, stream: int, layer: int, index: int, given: Sequence[int]) -> Patient:
        """A patient with its marks: those given, and the groups drawn by its address where -1 is given."""
        key, replication, marks = self.keys[stream], self.replication, list(given)
        for group, (by, row, word) in enumerate(self.groups):
            if marks[2 + group] < 0:
                u = uniform(key, replication, layer, index, GROUP, word, 0)
                marks[2 + group] = self.pick(row + (marks[by] if by >= 0 else 0), u)
        return Patient(key, stream, layer, index, marks, self.areas[marks[1]] * self.ages + marks[0])

    def pick(self, row: int, u: float) -> int:
        """Where a uniform falls in a row of cumulative shares."""
        for cumulative, value in self.rows[row]:
            if u < cumulative:
                return value
        return self.rows[row][-1][1]

    def arrive_at_rate(self, stream: int, layer: int) -> Story:
        """Patients of one layer of a stream: candidates thinned by age, growth and profile."""
        n, key, replication, horizon = self.network, self.keys[stream], self.replication, self.horizon
        thinning = arrivals.Thinning.of(n, stream)
        gap, step, pathway = (
            float(n.stream_gap_ms[stream]),
            int(n.stream_step[stream]),
            int(n.stream_pathway[stream]),
        )
        follows_response = any(
            change == Change.NEED and target == pathway
            for change, target in zip(n.response_changes.tolist(), n.response_target.tolist(), strict=True)
        )
        given = [0, int(n.stream_place[stream])] + [-1] * len(self.groups)
        number = patient_number(stream, layer, 0)
        index, at = -1, 0
        while True:
            if follows_response:
                index, at, age = arrivals.next_candidate(
                    key, replication, layer, index, at, gap, thinning.ages, thinning.weights
                )
            else:
                index, at, age = arrivals.next_arrival(key, replication, layer, index, at, gap, horizon, *thinning)
            if at >= horizon:
                return
            yield Happening(self, at, ARRIVAL, stream, number + index)
            if follows_response:
                factor = self.needs.get(pathway, 1.0)
                if not arrivals.is_kept(key, replication, layer, index, at, age, factor, *thinning):
                    continue
            given[0] = age
            self.enter(self.new_patient(stream, layer, index, given), step)

    def arrive_as_listed(self, stream: int) -> Story:
        """Patients of a timetable or a trace."""
        n = self.network
        first, last = int(n.listed_first[stream]), int(n.listed_first[stream + 1])
        for index, row in enumerate(range(first, last)):
            yield Happening(self, int(n.listed_at[row]), ARRIVAL, stream, patient_number(stream, 0, index))
            self.enter(
                self.new_patient(stream, 0, index, self.listed_marks(stream, index, row)),
                int(n.stream_step[stream]),
            )

    def listed_marks(self, stream: int, index: int, row: int) -> list[int]:
        """The marks given for a listed patient; the age band is drawn where none is given."""
        marks: list[int] = self.network.listed_marks[row].tolist()
        if marks[0] < 0:
            mix = self.network.stream_mix[stream * self.ages : (stream + 1) * self.ages]
            marks[0] = int(arrivals.age_of(self.keys[stream], self.replication, 0, index, self.ages, 0, mix))
        return marks

    def begin(self, stream: int, is_inside: bool) -> None:
        """People there on the first day: in a unit with the rest of their stay, or in its queue."""
        n, step = self.network, self.steps[int(self.network.stream_step[stream])]
        unit = self.units[int(n.listed_unit[stream])]
        first, last = int(n.listed_first[stream]), int(n.listed_first[stream + 1])
        for index, row in enumerate(range(first, last)):
            patient = self.new_patient(stream, 0, index, self.listed_marks(stream, index, row))
            self.admit(patient)
            patient.times[step.number] = 1
            visit = self.request(patient, step, unit, int(n.listed_at[row]))
            if is_inside:
                self.settle(visit)
            else:
                self.books.first_waiting[visit.line.number] += 1
                if step.clocks[JOINED]:
                    self.tick(patient, step, JOINED, visit.joined)
            simpy.Process(self, self.story(patient, step.number, visit))

    # --- joining ----------------------------------------------------------------------------------------------

    def choose(self, patient: Patient, number: int) -> UnitView:
        """The patient's own unit for a step: by place of residence, drawn by shares, or at the site it is at."""
        step, place = self.steps[number], patient.marks[1]
        occurrence = patient.times.get(number, 0)
        if occurrence >= OCCURRENCES:
            raise Stuck((), (number,), self._now)
        patient.times[number] = occurrence + 1
        if step.choice == Choice.BY_PLACE:
            return self.units[step.place_units[place]]
        if step.choice == Choice.SAME_SITE:
            return self.units[step.place_units[patient.site]]
        u = uniform(patient.key, self.replication, patient.layer, patient.index, UNIT, step.word, occurrence)
        shares = step.shares[place]
        return self.units[next((unit for cumulative, unit in shares if u < cumulative), shares[-1][1])]

    def join(self, patient: Patient, number: int, unit: UnitView) -> tuple[Visit | None, int]:
        """Ask for the unit, unless its queue sends the patient elsewhere: the visit, or none and the next step."""
        step, now = self.steps[number], self._now
        if patient.instant != now:
            patient.instant, patient.joins = now, 0
        patient.joins += 1
        if patient.joins > JOINS_AT_ONE_INSTANT:
            raise Stuck((), (number,), now)
        if step.is_conditional:
            if step.divert_at >= 0 and self.waiting_for(unit) >= step.divert_at and step.divert_to[unit.number] >= 0:
                self.books.diverted[self.line_of(patient, step, unit).number] += 1
                unit = self.units[step.divert_to[unit.number]]
            line = self.line_of(patient, step, unit)
            if step.limit >= 0 and self.waiting_for(unit) >= step.limit + line.places():
                return None, self.turn_away(patient, step, line)
        visit = self.request(patient, step, unit, now)
        self.books.arrivals[visit.line.number] += 1
        if step.clocks[JOINED]:
            self.tick(patient, step, JOINED, now)
        return visit, number

    def waiting_for(self, unit: UnitView) -> int:
        """Patients in the queue of a unit's pool."""
        return sum(line.count for line in self.pools[unit.pool].lines)

    def line_of(self, patient: Patient, step: StepView, unit: UnitView) -> ClassView:
        """The class of a patient who wants this unit."""
        level = patient.marks[step.priority_by] if step.priority_by >= 0 else 0
        return step.lines[unit.number * step.levels + level]

    def request(self, patient: Patient, step: StepView, unit: UnitView, joined: int) -> Visit:
        """Join the queue: the patience begins, and what the patient holds is blocked from now on."""
        now, line = self._now, self.line_of(patient, step, unit)
        pool = self.pools[line.pool]
        visit = Visit(pool, patient, step, line, joined)
        patient.visit = visit
        patient.visits += 1
        if unit.site >= 0:
            patient.asked_site = unit.site
        self.books.queue_ms[line.number] -= now
        for after in line.later:
            Happening(self, max(joined + after, now), START, pool.number, 0, pool.let_in)
        if step.patience is not None:
            patience = self.draw(visit, PATIENCE, step.patience, 1.0)
            visit.reneging = Happening(
                self, now + patience, RENEGE, pool.number, patient.number, lambda _: self.renege(visit)
            )
        if patient.held:
            self.block(visit)
        return visit

    def draw(self, visit: Visit, purpose: int, drawn: Drawn, factor: float) -> int:
        """Milliseconds drawn at the visit's address from a distribution scaled by the patient's mark and a factor."""
        patient, (family, first, by, scale) = visit.patient, drawn
        scale_ = scale[patient.marks[by] if by >= 0 else 0] * factor
        return stay_ms(
            patient.key, self.replication, patient.layer, patient.index, purpose, visit.step.word, visit.occurrence,
            family, first, scale_, self.parameters,
        )  # fmt: skip

    def renege(self, visit: Visit) -> None:
        """RENEGE: the patience ends, and the patient has not started yet."""
        visit.resource.put_queue.remove(visit)
        self.unqueue(visit)
        self.books.reneged[visit.line.number] += 1
        visit.succeed(False)

    def unqueue(self, visit: Visit) -> None:
        """The patient is no longer in the queue."""
        self.books.queue_ms[visit.line.number] += self._now
        self.books.queued_ms[visit.line.number] += self._now - max(visit.queued, 0)

    def give_up(self, visit: Visit) -> int:
        """After a patience: the next step."""
        patient, step = visit.patient, visit.step
        self.unblock(patient)
        self.write_visit(visit, VisitEnd.RENEGED)
        return self.go_on(patient, step, step.patience_to)

    def turn_away(self, patient: Patient, step: StepView, line: ClassView) -> int:
        """The queue is full: the next step."""
        self.books.arrivals[line.number] += 1
        self.books.balked[line.number] += 1
        if self.log is not None:
            now, own = self._now, line.own.number
            self.note((*self.who(patient), step.number, own, -1, now, -1, -1, -1, now, int(VisitEnd.BALKED), 0, -1))
        patient.visits += 1
        return self.go_on(patient, step, step.limit_to)

    # --- starting ---------------------------------------------------------------------------------------------

    def start(self, visit: Visit, unit: UnitView) -> None:
        """START of one patient in a unit: what was held for this is released, and the end of the stay is posted."""
        now, patient, step, line, books = self._now, visit.patient, visit.step, visit.line, self.books
        line.waiting.popleft()
        line.count -= 1
        self.unqueue(visit)
        if patient.held:
            self.unblock(patient)
            self.release_held(patient, [held for held in patient.held if held.step.number in step.holds])
            self.hold(patient)
        if unit.in_use >= unit.capacity if unit.is_beds else unit.is_slots and unit.left <= 0:
            books.exceeded[unit.number] += 1
        self.occupy(visit, unit)
        books.starts[visit.lane] += 1
        if unit.is_slots:
            unit.left -= 1
        if visit.started >= 0:  # goes on after an interruption
            callbacks = visit.end.callbacks
            self.post_end(visit, visit.remaining)
            visit.end.callbacks = callbacks
            return
        visit.started = now
        wait = now - visit.joined
        row = step.setting * self.area_size + patient.area_row
        bin_ = bin_of(wait)
        books.wait_ms[line.number] += wait
        books.wait_bins[line.number * BINS + bin_] += 1
        books.area_wait_ms[row] += wait
        books.area_wait_bins[row * BINS + bin_] += 1
        if step.clocks[STARTED]:
            self.tick(patient, step, STARTED, now)
        factor = step.response_factor * unit.response_factor * unit.stay_factor
        self.post_end(visit, self.draw(visit, STAY, step.stay, factor))
        visit.succeed(True)

    def occupy(self, visit: Visit, unit: UnitView) -> None:
        """The patient is in the unit from now on."""
        visit.is_waiting = False
        if visit.reneging is not None:  # the event stays where it is, but calls nobody
            visit.reneging.callbacks, visit.reneging = [], None
        visit.unit, visit.lane, visit.segment = unit, visit.line.lanes[unit.number], self._now
        unit.in_use += 1
        unit.serving += 1
        self.books.in_use_ms[unit.number] -= self._now
        if unit.site >= 0:
            visit.patient.site = unit.site
        pool = self.pools[unit.pool]
        if pool.preempts:
            pool.served.add(visit)

    def post_end(self, visit: Visit, stay: int) -> None:
        """The END of a stay: when it is over, or at the first round after that."""
        step, patient = visit.step, visit.patient
        visit.ready = at = self._now + stay
        if step.round_kind:
            week_ms = (at + int(self.network.week_offset_ms)) % choices.WEEK_MS
            if step.round_kind == 1:
                at += int(choices.fixed_round(week_ms, step.round_first, step.round_last, self.network.round_ms))
            else:
                u = uniform(
                    patient.key,
                    self.replication,
                    patient.layer,
                    patient.index,
                    ROUND,
                    step.word,
                    visit.occurrence,
                )
                at += int(choices.window_round(week_ms, u, step.round_first, self.network.round_ms))
        visit.end = Happening(self, at, END, visit.unit.number, patient.number)

    def settle(self, visit: Visit) -> None:
        """Someone found inside on the first day: in the unit already, with what remains of a stay."""
        patient, step, unit = visit.patient, visit.step, visit.unit
        visit.resource.put_queue.remove(visit)
        visit.line.waiting.pop()
        self.occupy(visit, unit)
        visit.started = 0
        self.books.first_inside[visit.lane] += 1
        family, first, by, scale = step.stay
        factor = scale[patient.marks[by] if by >= 0 else 0] * unit.stay_factor
        rest = residual_ms(
            patient.key,
            self.replication,
            0,
            patient.index,
            RESIDUAL,
            step.word,
            0,
            family,
            first,
            factor,
            self.parameters,
        )
        self.post_end(visit, rest)
        visit.succeed(True)

    def interrupt(self, visit: Visit) -> None:
        """A patient is put back in the queue, keeps when it joined, and will later serve what remained."""
        now, unit = self._now, visit.unit
        visit.remaining = max(visit.ready - now, 0)  # a patient who waits for its round has none
        # The story waits for the end of this stay: hand what it waits with to a new event when the stay goes on.
        waiting, visit.end.callbacks = visit.end.callbacks, []
        visit.end = simpy.Event(self)  # type: ignore[assignment]
        visit.end.callbacks = waiting
        self.books.interrupted[visit.lane] += 1
        self.books.stay_ms[visit.lane] += now - visit.segment
        self.vacate(visit)
        unit.serving -= 1
        self.pools[unit.pool].served.discard(visit)
        self.unhold(visit.patient)
        visit.is_waiting, visit.queued = True, now
        self.books.queue_ms[visit.line.number] -= now
        visit.resource.put_queue.append(visit)
        if visit.patient.held:
            self.block(visit)

    # --- ending -----------------------------------------------------------------------------------------------

    def finish(self, visit: Visit) -> int:
        """END: the stay is over. Choose the next step, and keep the unit or release it: the next step."""
        now, patient, step, unit = self._now, visit.patient, visit.step, visit.unit
        self.events += 1
        self.books.ends[visit.lane] += 1
        unit.serving -= 1
        visit.ended = now
        pool = self.pools[unit.pool]
        if pool.preempts:
            pool.served.discard(visit)
        if step.clocks[READY]:
            self.tick(patient, step, READY, visit.ready)
        if step.clocks[ENDED]:
            self.tick(patient, step, ENDED, now)
        self.unhold(patient)
        following = self.instead_of(patient, self.route(visit))
        patient.held.append(visit)
        return self.go_on(patient, step, following)

    def route(self, visit: Visit) -> int:
        """The next step, by one uniform against the cumulative shares in written order."""
        patient, step = visit.patient, visit.step
        row = step.route_row + (patient.marks[step.route_by] if step.route_by >= 0 else 0)
        if len(self.rows[row]) == 1:
            return self.rows[row][0][1]
        u = uniform(patient.key, self.replication, patient.layer, patient.index, ROUTE, step.word, visit.occurrence)
        if step.number in self.shares:
            u = choices.first_share_set(u, self.rows[row][0][0], self.shares[step.number])
        return self.pick(row, u)

    def instead_of(self, patient: Patient, number: int) -> int:
        """The step a patient on the way to a step goes to: another, for the share that a shift of care moves."""
        if number == LEAVE or not self.steps[number].shifts:
            return number
        times = patient.times.get(-1 - number, 0)
        patient.times[-1 - number] = times + 1
        word = self.steps[number].word
        u = uniform(patient.key, self.replication, patient.layer, patient.index, SHIFT, word, times)
        for to, share, start, ramp, ages, places in self.steps[number].shifts:
            is_for = ages[patient.marks[0]] and places[patient.marks[1]]
            now_share = choices.ramped(share, start, ramp, self._now) if is_for else 0.0
            if u < now_share:
                return to
            if now_share > 0.0:
                u = (u - now_share) / (1.0 - now_share)
        return number

    def go_on(self, patient: Patient, step: StepView, following: int) -> int:
        """On the way to the next step: units that it cannot need are released."""
        self.books.moves[step.moves + following] += 1
        if patient.held:
            if following == LEAVE:
                self.release_held(patient, list(patient.held))
            else:
                keeps = self.steps[following].keeps
                self.release_held(patient, [held for held in patient.held if not keeps[held.step.number]])
        return following

    def leave(self, patient: Patient) -> None:
        """The patient leaves the model."""
        del self.inside[patient]
        self.books.left[patient.stream] += 1
        for clock in patient.clocks:
            self.books.clock_lost[clock] += 1
        patient.visit = None  # type: ignore[assignment]  # undo the circle, so that both are let go of at once

    # --- holding ----------------------------------------------------------------------------------------------

    def block(self, visit: Visit) -> None:
        """The patient waits: what it holds is blocked, by the unit it waits for and under the step's cause."""
        now, awaited = self._now, visit.line.own.number
        for held in visit.patient.held:
            held.blocked_row = row = self.blocks[held.unit.number, awaited, visit.step.cause]
            held.blocked_since = now
            self.books.blocked_ms[row] -= now
            self.blocked[row] += 1
        if not any(unit.serving or unit.is_free() for unit in visit.line.units()):
            self.look_for_gridlock()

    def unblock(self, patient: Patient) -> None:
        """The patient waits no longer."""
        now = self._now
        for held in patient.held:
            self.books.blocked_ms[held.blocked_row] += now
            self.blocked[held.blocked_row] -= 1
            held.blocked_ms += now - held.blocked_since

    def hold(self, patient: Patient) -> None:
        """The patient is served elsewhere while it holds units for later."""
        for held in patient.held:
            self.books.held_ms[held.unit.number] -= self._now
            held.unit.held += 1

    def unhold(self, patient: Patient) -> None:
        """It is served no longer."""
        for held in patient.held:
            self.books.held_ms[held.unit.number] += self._now
            held.unit.held -= 1

    def release_held(self, patient: Patient, released: list[Visit]) -> None:
        """Release some of the units a patient holds."""
        for visit in released:
            patient.held.remove(visit)
            self.vacate(visit)
            self.books.stay_ms[visit.lane] += self._now - visit.segment
            if visit.step.clocks[LEFT]:
                self.tick(patient, visit.step, LEFT, self._now)
            self.write_visit(visit, VisitEnd.COMPLETED)

    def vacate(self, visit: Visit) -> None:
        """A place in a unit falls free."""
        unit, now = visit.unit, self._now
        if unit.is_beds and unit.in_use > unit.capacity:
            self.books.over_ms[unit.number] += now
            self.look_for_gridlock()  # the last one served may have been all that kept others from being stuck
        unit.in_use -= 1
        self.books.in_use_ms[unit.number] += now
        if self.waiting_for(unit):
            self.pools[unit.pool].touch()

    def tick(self, patient: Patient, step: StepView, moment: int, at: int) -> None:
        """Clocks that stop, and then clocks that start, at a moment of a visit."""
        books = self.books
        stops, starts = step.clocks[moment] or ((), ())
        for clock in stops:
            if clock in patient.clocks:
                ran = at - patient.clocks.pop(clock)
                books.clock_ms[clock] += ran
                books.clock_bins[clock * BINS + bin_of(ran)] += 1
                row = clock * self.area_size + patient.area_row
                at_site, is_met = clock * self.site_size + patient.asked_site + 1, ran <= self.standards[clock]
                (books.clock_met if is_met else books.clock_missed)[row] += 1
                (books.clock_site_met if is_met else books.clock_site_missed)[at_site] += 1
        for clock in starts:
            if clock not in patient.clocks:
                patient.clocks[clock] = at
                books.clock_started[clock] += 1

    def who(self, patient: Patient) -> tuple[int, ...]:
        """The patient's part of a row of the visit log."""
        return (
            patient.stream,
            patient.layer,
            patient.index,
            patient.marks[0],
            patient.marks[1],
            patient.visits,
        )

    def write_visit(self, visit: Visit, outcome: VisitEnd) -> None:
        """A row of the visit log, if one is kept."""
        if self.log is not None:
            patient = visit.patient
            unit = visit.unit.number if visit.started >= 0 else -1
            left = -1 if outcome == VisitEnd.UNFINISHED else self._now
            is_ready = visit.ended >= 0 or (not visit.is_waiting and visit.ready < self._now)
            self.note((
                *self.who(patient)[:-1], visit.number, visit.step.number, visit.line.own.number, unit, visit.joined,
                visit.started, visit.ready if is_ready else -1, visit.ended, left, int(outcome), visit.blocked_ms,
                visit.blocked_row,
            ))  # fmt: skip

    def note(self, row: tuple[int, ...]) -> None:
        """Keep a row of the visit log until there are enough of them."""
        self.logged.append(row)
        if len(self.logged) >= ROWS_A_BATCH:
            self.hand_over()

    def hand_over(self) -> None:
        """Hand over the rows of the visit log that were kept."""
        if self.log is not None and self.logged:
            self.log(np.array(self.logged, np.int64))
            self.logged.clear()

    # --- the run ----------------------------------------------------------------------------------------------

    def live(self) -> Outcome:
        """From the first day to the horizon.

        Objects are let go of without Python's search for circles, which would take a sixth of the time.
        """
        searches = gc.isenabled()
        gc.disable()
        try:
            return self._live()
        finally:
            if searches:
                gc.enable()

    def _live(self) -> Outcome:
        n = self.network
        kinds = n.stream_kind.tolist()
        self.open_units()
        for wanted in (StreamKind.INSIDE, StreamKind.WAITING):
            for stream, kind in enumerate(kinds):
                if kind == wanted:
                    self.begin(stream, wanted == StreamKind.INSIDE)
        for stream, kind in enumerate(kinds):
            if kind == StreamKind.LISTED:
                simpy.Process(self, self.arrive_as_listed(stream))
            elif kind == StreamKind.RATE:
                for layer in range(int(n.stream_layers[stream])):
                    simpy.Process(self, self.arrive_at_rate(stream, layer))
        for at in n.day_starts[1:-1].tolist():
            Happening(self, at, CLOSE, 0, 0, self.midnight)
        try:
            self.run()
        except Stuck:
            self.hand_over()
            raise
        self._now = self.horizon
        self.count_inside()
        self.hand_over()
        self.close_day(self.horizon)
        return Outcome(self.events, self.entered, len(self.inside))

    def midnight(self, _: Any) -> None:
        """CLOSE of a day before the last."""
        self.close_day(self._now)
        self.respond()

    def count_inside(self) -> None:
        """Patients still there at the horizon, by number; their visits stay in the log as unfinished."""
        books = self.books
        for patient in sorted(self.inside, key=lambda patient: patient.number):
            books.present[patient.stream] += 1
            visit = patient.visit
            if visit.is_waiting:
                books.waiting[visit.line.number] += 1
                books.queued_ms[visit.line.number] += self._now - max(visit.queued, 0)
                self.unblock(patient)
            else:
                books.inside[visit.lane] += 1
                books.present_ms[visit.unit.number] += self._now - visit.segment
            for held in patient.held:
                books.holding[held.unit.number] += 1
                books.present_ms[held.unit.number] += self._now - held.segment
                self.write_visit(held, VisitEnd.UNFINISHED)
            self.write_visit(visit, VisitEnd.UNFINISHED)


def run(network: Network, keys: Sequence[int], replication: int, write: Write, log: Log | None = None) -> Outcome:
    """One replication of a Network on SimPy.

    `keys` are the 64-bit keys of the streams under the run's seed; `write` takes a page for each period as it closes,
    `log` (if given) rows of the visit log, many at a time. Raises `rules.Stuck` in gridlock, or when a patient goes
    round for ever.
    """
    return City(network, keys, replication, write, log).live()
