"""The models `clinic` (m1) and `emergency` (m2) in cimba, a C engine with a Python front, in two ways each.

`clinic` and `emergency_by_server` have a process a server, `emergency` a process a patient, as the other peers do.
`clinic_by_event` has no process at all and counts who waits itself: the fastest that cimba can be made to go.
The wait for a ward in `emergency_by_server` is that of the cubicle's process, which sleeps until a bed takes the
patient over. In cimba the higher priority goes first.
"""

from __future__ import annotations

import math
from typing import Any

import cimba as cb
import numpy as np
from cimba import random

from flowsim.bench.bare_simpy import CLINIC_GAP_MS, PER_DAY
from flowsim.bench.outcome import DAY_MS, HOUR_MS, Outcome, Stopwatch, Waits
from flowsim.bench.shapes import A_DAY_IN_EMERGENCY

CLINIC_STAY_MS = HOUR_MS / 2
PEAK = max(A_DAY_IN_EMERGENCY)
KEPT = np.array(A_DAY_IN_EMERGENCY) / PEAK
GAP_MS = DAY_MS / PER_DAY * (sum(A_DAY_IN_EMERGENCY) / 24) / PEAK


def _lognormal(mean_hours: float, cv: float) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm of a stay in milliseconds."""
    variance = math.log1p(cv * cv)
    return math.log(mean_hours * HOUR_MS) - variance / 2, math.sqrt(variance)


TRIAGE_MU, TRIAGE_SIGMA = _lognormal(0.18, 0.5)
CUBICLE_MU, CUBICLE_SIGMA = _lognormal(2.0, 0.8)
WARD_MU, WARD_SIGMA = _lognormal(120.0, 1.0)
HOME_MU, HOME_SIGMA = _lognormal(1008.0, 1.0)


class Clinic(cb.Model):
    """Ten servers, each a process that takes the next patient from a store."""

    patients: cb.Param[int] = 1
    queue: cb.Store[float]
    sum_ms: float = 0.0
    waited_ms: cb.Output[float]

    @cb.process
    def arrivals(self):
        """Send in one patient after the other."""
        for _ in range(self.patients):
            cb.hold(random.exponential(CLINIC_GAP_MS))
            self.queue.put(cb.now())

    @cb.process(copies=10)
    def server(self):
        """Serve whoever has waited longest."""
        while True:
            joined = self.queue.get()
            self.sum_ms += cb.now() - joined
            cb.hold(random.exponential(CLINIC_STAY_MS))

    @cb.on_end
    def measure(self):
        """Hand over the sum of waits."""
        self.waited_ms = self.sum_ms


class ClinicByEvent(cb.Model):
    """Ten servers as a number, and an event for each arrival and each end of a stay.

    Only the sum of waits is kept: that of starts less that of arrivals, for those who wait.
    """

    patients: cb.Param[int] = 1
    left: int = 0
    free: int = 10
    waiting: int = 0
    sum_ms: float = 0.0
    waited_ms: cb.Output[float]

    @cb.on_start
    def begin(self):
        """Expect the first patient."""
        self.left = self.patients
        cb.schedule(self.arrival, random.exponential(CLINIC_GAP_MS))

    @cb.event
    def arrival(self):
        """A patient starts at once or waits; expect the next one."""
        self.left -= 1
        if self.left > 0:
            cb.schedule(self.arrival, random.exponential(CLINIC_GAP_MS))
        if self.free > 0:
            self.free -= 1
            cb.schedule(self.end, random.exponential(CLINIC_STAY_MS))
        else:
            self.waiting += 1
            self.sum_ms -= cb.now()

    @cb.event
    def end(self):
        """A stay is over: one who waits starts."""
        if self.waiting > 0:
            self.waiting -= 1
            self.sum_ms += cb.now()
            cb.schedule(self.end, random.exponential(CLINIC_STAY_MS))
        else:
            self.free += 1

    @cb.on_end
    def measure(self):
        """Hand over the sum of waits."""
        self.waited_ms = self.sum_ms


class Tally(cb.Model):
    """Events, patients, and the waits of each unit from `since_ms` on."""

    since_ms: cb.Param[float] = 0.0
    arrived: int = 0
    ended: int = 0
    sums: cb.Array[float] = cb.Array(4)
    starts: cb.Array[float] = cb.Array(4)
    events: cb.Output[int]
    patients: cb.Output[int]
    waited_0: cb.Output[float]
    waited_1: cb.Output[float]
    waited_2: cb.Output[float]
    waited_3: cb.Output[float]
    starts_0: cb.Output[float]
    starts_1: cb.Output[float]
    starts_2: cb.Output[float]
    starts_3: cb.Output[float]

    @cb.function
    def start(self, unit: int, joined: float) -> None:
        """A patient who joined then starts now."""
        if cb.now() >= self.since_ms:
            self.sums[unit] += cb.now() - joined
            self.starts[unit] += 1.0

    @cb.on_end
    def measure(self):
        """Hand over what was counted."""
        self.events = self.arrived + self.ended
        self.patients = self.arrived
        self.waited_0, self.starts_0 = self.sums[0], self.starts[0]
        self.waited_1, self.starts_1 = self.sums[1], self.starts[1]
        self.waited_2, self.starts_2 = self.sums[2], self.starts[2]
        self.waited_3, self.starts_3 = self.sums[3], self.starts[3]


class Wards(cb.Model):
    """The units of m2, and what is counted."""

    tally: Tally
    triage: cb.Resource = cb.Resource(capacity=2)
    cubicle: cb.Resource = cb.Resource(capacity=24)
    ward: cb.Resource = cb.Resource(capacity=325)
    home_care: cb.Resource = cb.Resource(capacity=525)


class Patient(cb.Model):
    """One patient of m2, a process of its own."""

    wards: cb.Ref[Wards]

    @cb.process
    def story(self):
        """The whole pathway."""
        wards = self.wards
        tally = wards.tally
        joined = cb.now()
        wards.triage.acquire()
        tally.start(0, joined)
        cb.hold(random.lognormal(TRIAGE_MU, TRIAGE_SIGMA))
        tally.ended += 1
        wards.triage.release()
        joined = cb.now()
        wards.cubicle.acquire(1, 1 if random.uniform() < 0.3 else 0)
        tally.start(1, joined)
        cb.hold(random.lognormal(CUBICLE_MU, CUBICLE_SIGMA))
        tally.ended += 1
        if random.uniform() < 0.25:
            joined = cb.now()
            wards.ward.acquire()
            wards.cubicle.release()
            tally.start(2, joined)
            cb.hold(random.lognormal(WARD_MU, WARD_SIGMA))
            tally.ended += 1
            if random.uniform() < 0.2:
                joined = cb.now()
                wards.home_care.acquire()
                wards.ward.release()
                tally.start(3, joined)
                cb.hold(random.lognormal(HOME_MU, HOME_SIGMA))
                tally.ended += 1
                wards.home_care.release()
            else:
                wards.ward.release()
        else:
            wards.cubicle.release()


class Emergency(cb.Model):
    """m2 with a process a patient."""

    wards: Wards

    @cb.process
    def arrivals(self):
        """Send in patients by hour of the day."""
        while True:
            cb.hold(random.exponential(GAP_MS))
            if random.uniform() < KEPT[int(cb.now() / HOUR_MS) % 24]:
                self.wards.tally.arrived += 1
                cb.spawn(Patient, wards=self.wards)


class EmergencyByServer(cb.Model):
    """m2 with a process a server: who must wait for a ward sleeps with the cubicle until a bed wakes it."""

    tally: Tally
    triage: cb.Store[float]
    cubicle: cb.PriorityStore[float]
    ward: cb.Store[int]
    home_care: cb.Store[int]

    @cb.process
    def arrivals(self):
        """Send in patients by hour of the day."""
        while True:
            cb.hold(random.exponential(GAP_MS))
            if random.uniform() < KEPT[int(cb.now() / HOUR_MS) % 24]:
                self.tally.arrived += 1
                self.triage.put(cb.now())

    @cb.process(copies=2)
    def nurse(self):
        """Serve at triage."""
        while True:
            self.tally.start(0, self.triage.get())
            cb.hold(random.lognormal(TRIAGE_MU, TRIAGE_SIGMA))
            self.tally.ended += 1
            self.cubicle.put(cb.now(), 1 if random.uniform() < 0.3 else 0)

    @cb.process(copies=24)
    def bay(self):
        """Serve in a cubicle, and keep who is admitted until a bed is free."""
        while True:
            self.tally.start(1, self.cubicle.get())
            cb.hold(random.lognormal(CUBICLE_MU, CUBICLE_SIGMA))
            self.tally.ended += 1
            if random.uniform() < 0.25:
                joined = cb.now()
                self.ward.put(cb.this_process().pointer)
                cb.suspend()
                self.tally.start(2, joined)

    @cb.process(copies=325)
    def bed(self):
        """Take over from a cubicle, and keep who needs it until home care can start."""
        while True:
            sleeper = self.ward.get()
            cb.Process(sleeper).resume()
            cb.hold(random.lognormal(WARD_MU, WARD_SIGMA))
            self.tally.ended += 1
            if random.uniform() < 0.2:
                joined = cb.now()
                self.home_care.put(cb.this_process().pointer)
                cb.suspend()
                self.tally.start(3, joined)

    @cb.process(copies=525)
    def package(self):
        """Take over from a ward."""
        while True:
            sleeper = self.home_care.get()
            cb.Process(sleeper).resume()
            cb.hold(random.lognormal(HOME_MU, HOME_SIGMA))
            self.tally.ended += 1


def clinic(seed: int, patients: int) -> Outcome:
    """m1 with a process a server, from empty until all have left."""
    return _clinic(Clinic(), seed, patients)


def clinic_by_event(seed: int, patients: int) -> Outcome:
    """m1 with events alone, from empty until all have left."""
    return _clinic(ClinicByEvent(), seed, patients)


def emergency(seed: int, days: int, since_day: int = 0) -> Outcome:
    """m2 with a process a patient, from empty for some days."""
    model = Emergency()
    model.wards = Wards()
    model.wards.tally = tally = Tally()
    return _emergency(model, tally, seed, days, since_day)


def emergency_by_server(seed: int, days: int, since_day: int = 0) -> Outcome:
    """m2 with a process a server, from empty for some days."""
    model = EmergencyByServer()
    model.tally = tally = Tally()
    return _emergency(model, tally, seed, days, since_day)


def _clinic(model: Any, seed: int, patients: int) -> Outcome:
    model.patients = patients
    experiment = cb.Experiment(model, seed=seed, window=cb.Window.until_idle())
    watch = Stopwatch()
    results = experiment.run(workers=1)
    seconds = watch.seconds()
    waits = Waits()
    waits.add_sum("clinic", float(results[model].waited_ms.values[0, 0]), patients)
    return Outcome(2 * patients, patients, waits, seconds)


def _emergency(model: Any, tally: Any, seed: int, days: int, since_day: int) -> Outcome:
    tally.since_ms = float(since_day * DAY_MS)
    experiment = cb.Experiment(model, seed=seed, window=cb.Window(0.0, float(days * DAY_MS)))
    watch = Stopwatch()
    results = experiment.run(workers=1)
    seconds = watch.seconds()

    def counted(name: str) -> float:
        return float(getattr(results[tally], name).values[0, 0])

    waits = Waits()
    for number, unit in enumerate(("triage", "cubicle", "ward", "home care")):
        waits.add_sum(unit, counted(f"waited_{number}"), int(counted(f"starts_{number}")))
    return Outcome(int(counted("events")), int(counted("patients")), waits, seconds)
