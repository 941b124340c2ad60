"""The models `clinic` (m1) and `emergency` (m2) in salabim: a component a patient, monitors off."""

from __future__ import annotations

from typing import Any

import numpy as np
import salabim as sim

from flowsim.bench.bare_simpy import Story, emergency_stays, exponentials, thinning
from flowsim.bench.outcome import DAY_MS, HOUR_MS, Outcome, Stopwatch, Waits


def _environment() -> tuple[Any, Any]:
    """An environment whose processes are generators, and a maker of its resources."""
    env = sim.Environment(trace=False, yieldless=False, random_seed=None)
    return env, lambda capacity: sim.Resource(capacity=capacity, monitor=False, env=env)


def clinic(seed: int, patients: int) -> Outcome:
    """m1, from empty until all have left."""
    rng = np.random.default_rng(seed)
    gaps, stays = exponentials(rng)
    env, resource = _environment()
    servers = resource(10)
    waits = Waits()

    class Patient(sim.Component):
        """Waits for a server, and is served."""

        def process(self) -> Story:
            """The whole visit."""
            joined = env.now()
            yield self.request(servers)
            waits.add("clinic", joined, env.now())
            yield self.hold(next(stays))
            self.release()

    class Arrivals(sim.Component):
        """Sends in one patient after the other."""

        def process(self) -> Story:
            """Until all have come."""
            for _ in range(patients):
                yield self.hold(next(gaps))
                Patient(env=env)

    Arrivals(env=env)
    watch = Stopwatch()
    env.run()
    return Outcome(2 * patients, patients, waits, watch.seconds())


def emergency(seed: int, days: int, since_day: int = 0) -> Outcome:
    """m2, from empty for some days."""
    rng = np.random.default_rng(seed)
    gaps, uniforms, kept = thinning(rng)
    stay_triage, stay_cubicle, stay_ward, stay_home = emergency_stays(rng)
    env, resource = _environment()
    triage, cubicle, ward, home_care = resource(2), resource(24), resource(325), resource(525)
    waits = Waits(since_day * DAY_MS)
    events = entered = 0

    class Patient(sim.Component):
        """Goes through all the care it needs."""

        def process(self) -> Story:
            """The whole pathway."""
            nonlocal events
            joined = env.now()
            yield self.request(triage)
            waits.add("triage", joined, env.now())
            yield self.hold(next(stay_triage))
            events += 1
            self.release(triage)
            joined = env.now()
            yield self.request((cubicle, 1, 0 if next(uniforms) < 0.3 else 1))
            waits.add("cubicle", joined, env.now())
            yield self.hold(next(stay_cubicle))
            events += 1
            if next(uniforms) >= 0.25:
                self.release(cubicle)
                return
            joined = env.now()
            yield self.request(ward)
            self.release(cubicle)
            waits.add("ward", joined, env.now())
            yield self.hold(next(stay_ward))
            events += 1
            if next(uniforms) >= 0.2:
                self.release(ward)
                return
            joined = env.now()
            yield self.request(home_care)
            self.release(ward)
            waits.add("home care", joined, env.now())
            yield self.hold(next(stay_home))
            events += 1
            self.release(home_care)

    class Arrivals(sim.Component):
        """Sends in patients by hour of the day."""

        def process(self) -> Story:
            """For ever."""
            nonlocal events, entered
            while True:
                yield self.hold(next(gaps))
                if next(uniforms) < kept[int(env.now()) // HOUR_MS % 24]:
                    events += 1
                    entered += 1
                    Patient(env=env)

    Arrivals(env=env)
    watch = Stopwatch()
    env.run(till=days * DAY_MS)
    return Outcome(events, entered, waits, watch.seconds())
