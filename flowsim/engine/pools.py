"""The SimPy engine's patients and pools: requests that touch a pool, and STARTs that let patients in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simpy.resources.base import BaseResource, Put

from flowsim.engine.premises import Happening
from flowsim.engine.rules import Kind, patient_number
from flowsim.engine.views import ClassView, StepView

if TYPE_CHECKING:
    from flowsim.engine.reference import City

START = int(Kind.START)


class Patient:
    """A patient: who it is, its marks (age band, place, groups), the visit it is on, and those it holds units of."""

    __slots__ = (
        "area_row", "asked_site", "clocks", "held", "index", "instant", "joins", "key", "layer", "marks", "number",
        "site", "stream", "times", "visit", "visits",
    )  # fmt: skip

    def __init__(self, key: int, stream: int, layer: int, index: int, marks: list[int], area_row: int) -> None:
        self.key, self.stream, self.layer, self.index, self.marks = key, stream, layer, index, marks
        self.number = patient_number(stream, layer, index)
        self.area_row = area_row
        self.site = -1
        self.asked_site = -1  # of the unit last asked for, of those that are at a site
        self.times: dict[int, int] = {}  # how often at each step; at -1 - step, how often on the way to it
        self.held: list[Visit] = []
        self.clocks: dict[int, int] = {}
        self.visit: Visit
        self.visits = 0
        self.instant, self.joins = -1, 0


class Visit(Put):  # type: ignore[type-arg]
    """A patient's request for a unit of a pool, and the visit that comes of it.

    As an event it fires with True when the patient is let in, and with False if the patience ends first.
    """

    lane = -1
    is_waiting = True
    started = ready = ended = -1
    segment = remaining = 0  # of a stay that may be interrupted: start of the present stretch, what is left
    blocked_row, blocked_since, blocked_ms = -1, 0, 0
    reneging: Happening | None = None  # the end of the patience
    end: Happening  # of the stay

    def __init__(self, pool: Pool, patient: Patient, step: StepView, line: ClassView, joined: int) -> None:
        self.patient, self.step, self.line, self.joined = patient, step, line, joined
        self.occurrence = patient.times[step.number] - 1
        self.number = patient.visits
        self.unit = line.own
        self.queued = joined  # since when it waits: later than joined after an interruption
        super().__init__(pool)


class Queue(list[Visit]):
    """SimPy's queue of requests, kept as one line for each class in the order (joined, patient)."""

    def append(self, visit: Visit) -> None:
        """A patient joins its line, or comes back to it after an interruption."""
        # Who gives up and comes back at once may find the entry it left: the visit's number tells them apart.
        entry = (visit.joined, visit.patient.number, visit.number, visit)
        line, passed = visit.line.waiting, []
        visit.line.count += 1
        if visit.started < 0:
            while line and line[-1] > entry:
                passed.append(line.pop())
            line.append(entry)
            line.extend(reversed(passed))
        else:  # interrupted: its place is near the head
            while line and line[0] < entry:
                passed.append(line.popleft())
            line.appendleft(entry)
            line.extendleft(reversed(passed))

    def remove(self, visit: Visit) -> None:
        """A patient leaves its line unserved."""
        visit.is_waiting = False  # the line drops the entry when it reaches the head
        visit.line.count -= 1


class Pool(BaseResource):  # type: ignore[type-arg]
    """Units that share one queue, as a SimPy resource. Requests touch it; who is let in is decided at START."""

    PutQueue = Queue

    def __init__(self, city: City, number: int, lines: list[ClassView]) -> None:
        super().__init__(city, capacity=1)
        self.city, self.number, self.lines = city, number, lines
        self.preempts = any(line.preempts for line in lines)
        self.served: set[Visit] = set()  # kept only where a class may pre-empt
        self.is_touched = False

    def _trigger_put(self, _: Any) -> None:
        self.touch()

    def _trigger_get(self, _: Any) -> None:
        """Units are given back by `City.release`."""

    def touch(self, _: Any = None) -> None:
        """Somebody may be able to start at this instant."""
        if not self.is_touched:
            self.is_touched = True
            Happening(self.city, self.city._now, START, self.number, 0, self.let_in)

    def let_in(self, _: Any) -> None:
        """START: let in the best of the heads that have a free unit, again and again until nobody can start."""
        self.is_touched = False
        now = self.city._now
        while True:
            best = None
            for line in self.lines:
                if line.count:
                    waiting = line.waiting
                    while not waiting[0][3].is_waiting:
                        waiting.popleft()
                    joined, number, _, visit = waiting[0]
                    if best is None or (line.priority, joined, number) < best[:3]:
                        unit = line.free_unit(now - joined)
                        if unit is not None:
                            best = (line.priority, joined, number, visit, unit)
            if best is not None:
                self.city.start(best[3], best[4])
            elif not self.preempts or not self.make_room():
                return

    def make_room(self) -> bool:
        """The best who may pre-empt takes the place of the worst of those served; False if nobody gives way."""
        heads = [line for line in self.lines if line.preempts and line.count]
        for line in sorted(heads, key=lambda line: (line.priority, line.waiting[0][:2])):
            waited = self.city._now - line.waiting[0][0]
            usable = [line.own, *(unit for unit, after in line.others if waited >= after)]
            worse = [
                visit for visit in self.served
                if visit.line.priority > line.priority
                and visit.unit in usable and visit.unit.in_use <= visit.unit.capacity
            ]  # fmt: skip
            if worse:
                last = max(worse, key=lambda v: (v.line.priority, v.segment, v.patient.number))
                self.city.interrupt(last)
                self.city.start(line.waiting[0][3], last.unit)
                return True
        return False
