"""A Network as plain Python objects, for the SimPy engine: numbers out of arrays are slow, and hard to read.

Units, classes and steps carry what the Network says of them and, for units and classes, their state.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from flowsim.engine.network import Choice, Network, UnitKind

ENDLESS = 1 << 62
"""Places in an unlimited unit."""

Drawn = tuple[int, int, int, list[float]]
"""A distribution: its family, the place of its parameters, the mark that scales it (-1: none), and the scales."""


Shares = list[list[tuple[float, int]]]
"""Rows of (cumulative share, what it leads to)."""


class UnitView:
    """A unit and its state: patients who occupy it, patients served in it, and what is free."""

    __slots__ = (
        "base", "capacity", "factor", "held", "in_use", "is_beds", "is_open", "is_slots", "is_unlimited", "left",
        "next_change", "number", "pool", "response_factor", "serving", "session", "site", "stay_factor",
    )  # fmt: skip

    def __init__(self, network: Network, number: int) -> None:
        kind = int(network.unit_kind[number])
        self.number = number
        self.is_beds, self.is_slots = kind == UnitKind.BEDS, kind == UnitKind.SLOTS
        self.is_unlimited = kind == UnitKind.UNLIMITED
        self.pool = int(network.unit_pool[number])
        self.site = int(network.unit_site[number])
        self.stay_factor = float(network.unit_stay_factor[number])
        self.response_factor = 1.0
        self.in_use = self.serving = self.held = 0
        self.base = self.capacity = 0  # beds of the calendar, and in force
        self.factor = 1000  # of a response, in thousandths
        self.next_change = self.session = 0
        self.left, self.is_open = 0, False  # slots of the open session

    def is_free(self) -> bool:
        """Whether one more patient may start here."""
        if self.is_beds:
            return self.in_use < self.capacity
        return self.is_unlimited or (self.is_open and self.left > 0)

    def places(self) -> int:
        """How many more patients may start here now."""
        if self.is_beds:
            return max(self.capacity - self.in_use, 0)
        return ENDLESS if self.is_unlimited else self.left


class ClassView:
    """A class of patients of one pool: the units they may use, and those waiting, in order."""

    __slots__ = (
        "count",
        "lanes",
        "later",
        "number",
        "others",
        "own",
        "pool",
        "preempts",
        "priority",
        "waiting",
    )

    def __init__(self, network: Network, number: int, units: list[UnitView]) -> None:
        first, last = int(network.lane_first[number]), int(network.lane_first[number + 1])
        self.number = number
        self.pool = int(network.class_pool[number])
        self.own = units[int(network.class_own[number])]
        self.priority = int(network.class_priority[number])
        self.preempts = bool(network.class_preempts[number])
        lanes = [(units[int(network.lane_unit[n])], int(network.lane_after[n]), n) for n in range(first, last)]
        self.lanes = {unit.number: lane for unit, _, lane in lanes}
        self.others = [(unit, after) for unit, after, _ in lanes[1:]]
        self.later = sorted({after for _, after in self.others if after > 0})
        # (joined, patient, visit's number, visit); may hold some who left
        self.waiting: deque[tuple[int, int, int, Any]] = deque()
        self.count = 0

    def free_unit(self, waited: int) -> UnitView | None:
        """The unit that the head, having waited so long, may start in now: the own, else the first free in order."""
        if self.own.is_free():
            return self.own
        for unit, after in self.others:
            if waited >= after and unit.is_free():
                return unit
        return None

    def places(self) -> int:
        """Free places in the units they may use at once."""
        usable = [self.own, *(unit for unit, after in self.others if after == 0)]
        return sum(unit.places() for unit in usable)

    def units(self) -> list[UnitView]:
        """All units these patients may ever use."""
        return [self.own, *(unit for unit, _ in self.others)]


class StepView:
    """A step, as the Network describes it."""

    __slots__ = (
        "cause",
        "choice",
        "clocks",
        "divert_at",
        "divert_to",
        "holds",
        "is_conditional",
        "keeps",
        "levels",
        "limit",
        "limit_to",
        "lines",
        "moves",
        "number",
        "pathway",
        "patience",
        "patience_to",
        "place_units",
        "priority_by",
        "response_factor",
        "round_first",
        "round_kind",
        "round_last",
        "route_by",
        "route_row",
        "setting",
        "shares",
        "shifts",
        "stay",
        "word",
    )  # fmt: skip

    def __init__(self, network: Network, number: int, classes: list[ClassView]) -> None:
        n, k = network, number
        self.number = k
        self.pathway, self.setting, self.word = (
            int(n.step_pathway[k]),
            int(n.step_setting[k]),
            int(n.step_word[k]),
        )
        self.choice = Choice(int(n.choice[k]))
        first = int(n.choice_first[k])
        if self.choice == Choice.SHARES:
            rows = n.share_row[first : first + len(n.place_area)].tolist()
            shares = {
                row: list(zip(n.share_cumulative[a:b].tolist(), n.share_unit[a:b].tolist(), strict=True))
                for row, a, b in ((row, int(n.share_first[row]), int(n.share_first[row + 1])) for row in set(rows))
            }
            self.shares: Shares = [shares[row] for row in rows]
        elif self.choice == Choice.BY_PLACE:
            self.place_units: list[int] = n.choice_unit[first : first + len(n.place_area)].tolist()
        else:
            self.place_units = n.choice_unit[first:].tolist()
        self.levels = int(n.class_levels[k])
        row, size = int(n.class_row[k]), len(n.unit_kind) * self.levels
        # -1 stands where no patient can come: the last class then, and never looked up.
        self.lines: list[ClassView] = [classes[c] for c in n.class_of[row : row + size].tolist()]
        self.priority_by = int(n.priority_by[k])
        self.stay = _drawn(n, n.stay_distribution[k], n.stay_by[k], n.stay_scale_first[k])
        self.response_factor = 1.0
        self.patience: Drawn | None = None
        if n.patience_distribution[k] >= 0:
            self.patience = _drawn(n, n.patience_distribution[k], n.patience_by[k], n.patience_scale_first[k])
        self.patience_to = int(n.patience_to[k])
        self.limit, self.limit_to = int(n.limit[k]), int(n.limit_to[k])
        self.divert_at = int(n.divert_at[k])
        row = int(n.divert_first[k])
        self.divert_to = n.divert_unit[row : row + len(n.unit_kind)].tolist() if row >= 0 else []
        self.is_conditional = bool(n.conditional[k])
        self.round_kind = int(n.round_kind[k])
        self.round_first, self.round_last = int(n.round_first[k]), int(n.round_first[k + 1])
        self.holds = frozenset(n.hold_step[int(n.hold_first[k]) : int(n.hold_first[k + 1])].tolist())
        steps = len(n.step_word)
        self.keeps = n.keeps.reshape(steps, steps)[k].tolist()
        self.cause = int(n.cause[k])
        self.route_by, self.route_row = int(n.route_by[k]), int(n.route_row[k])
        self.moves = k * (steps + 1) + 1
        self.shifts = [
            (
                int(n.shift_to[i]),
                float(n.shift_share[i]),
                int(n.shift_start[i]),
                int(n.shift_ramp[i]),
                n.shift_ages[i].tolist(),
                n.shift_places[i].tolist(),
            )
            for i in range(int(n.shift_first[k]), int(n.shift_first[k + 1]))
        ]
        self.clocks = [_clocks(n, k * 5 + moment) for moment in range(5)]


def _drawn(n: Network, distribution: Any, by: Any, scale_first: Any) -> Drawn:
    d, first = int(distribution), int(scale_first)
    return (
        int(n.family[d]),
        int(n.parameter_first[d]),
        int(by),
        n.stay_scale[first:].tolist() if by >= 0 else [float(n.stay_scale[first])],
    )


def _clocks(n: Network, row: int) -> tuple[list[int], list[int]] | None:
    """Clocks that stop and that start at a moment of a step; None if there are none."""
    stops = n.clock_stop[int(n.clock_stop_first[row]) : int(n.clock_stop_first[row + 1])].tolist()
    starts = n.clock_start[int(n.clock_start_first[row]) : int(n.clock_start_first[row + 1])].tolist()
    return (stops, starts) if stops or starts else None


def views(network: Network) -> tuple[list[UnitView], list[ClassView], list[StepView]]:
    """All units, classes and steps of a Network."""
    units = [UnitView(network, u) for u in range(len(network.unit_kind))]
    classes = [ClassView(network, c, units) for c in range(len(network.class_pool))]
    return units, classes, [StepView(network, k, classes) for k in range(len(network.step_word))]
