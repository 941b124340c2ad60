"""The steps of all pathways and the classes of patients that queue for them, as arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from flowsim.engine.building.choices import Choices, Chosen
from flowsim.engine.building.distributions import Distributions
from flowsim.engine.building.graph import Graph
from flowsim.engine.building.marks import GROUPS, Marks, Ragged, Rows, floats, ints, numbered, refuse, words
from flowsim.engine.building.reach import Reach
from flowsim.engine.building.units import Pools, Units
from flowsim.model.calendar import DAY_MS
from flowsim.model.pathways import Step

FIXED_ROUND, WINDOW_ROUND = 1, 2


def choice_arrays(choices: Choices, chosen: Sequence[Chosen]) -> dict[str, Any]:
    """The arrays of a Network about choosing a unit."""
    return {
        "choice": ints(one.kind for one in chosen),
        "choice_first": ints(one.first for one in chosen),
        "choice_unit": ints(choices.by_place.flat),
        "share_row": ints(choices.share_row.flat),
        "share_first": ints(choices.shares.first),
        "share_cumulative": floats(choices.shares.flat),
        "share_unit": ints(choices.share_unit),
    }


class Classes:
    """Classes of patients by own unit, priority and pre-emption, and the class of each step's patients."""

    def __init__(self, graph: Graph, units: Units, pools: Pools, marks: Marks, reach: Reach) -> None:
        self.units, self.pools = units, pools
        size = len(units.all)
        self.levels: list[list[int]] = []
        self.priority_by: list[int] = []
        wanted: list[tuple[int, int, int]] = []
        for step, (_, _, content) in enumerate(graph.steps):
            priority, field = content.priority, f"{graph.field(step)}: priority"
            by = marks.by(field, priority.by)
            levels = [priority.value or 0] if priority.by is None else marks.in_order(field, priority.by, priority.of)
            self.levels.append(levels)
            self.priority_by.append(by)
            wanted.extend((own, level, int(content.preempts)) for own in reach.own_units(step) for level in levels)
        self.all = sorted(set(wanted))
        number = {key: i for i, key in enumerate(self.all)}
        self.row: list[int] = []
        self.of: list[int] = []
        for step, (_, _, content) in enumerate(graph.steps):
            levels = self.levels[step]
            table = np.full((size, len(levels)), -1, np.int64)
            for own in reach.own_units(step):
                table[own] = [number[own, level, int(content.preempts)] for level in levels]
            self.row.append(len(self.of))
            self.of.extend(table.ravel().tolist())
        self.lanes = [(i, unit, after) for i, key in enumerate(self.all) for unit, after in pools.lanes(key[0])]

    def labels(self) -> tuple[str, ...]:
        """Names of the classes: the own unit, and the priority where the unit has several classes."""
        classes_of = Counter(own for own, _, _ in self.all)
        names = []
        for own, priority, preempts in self.all:
            name = self.units.all[own].name
            if classes_of[own] > 1:
                name += f", priority {priority}" + (", pre-empting" if preempts else "")
            names.append(name)
        return tuple(names)

    def arrays(self) -> dict[str, Any]:
        """The arrays of a Network about classes."""
        first = [0]
        for own, _, _ in self.all:
            first.append(first[-1] + len(self.pools.lanes(own)))
        return {
            "class_pool": ints(self.pools.of_unit[own] for own, _, _ in self.all),
            "class_own": ints(own for own, _, _ in self.all),
            "class_priority": ints(priority for _, priority, _ in self.all),
            "class_preempts": ints(preempts for _, _, preempts in self.all),
            "lane_first": ints(first),
            "lane_unit": ints(unit for _, unit, _ in self.lanes),
            "lane_after": ints(after for _, _, after in self.lanes),
            "class_row": ints(self.row),
            "class_levels": ints(len(levels) for levels in self.levels),
            "class_of": ints(self.of),
            "priority_by": ints(self.priority_by),
        }


def round_of(graph: Graph, step: int) -> tuple[int, list[int]]:
    """(kind, times since Monday) of a step's rounds: fixed times, rising, or from and to for each weekday."""
    content: Step = graph.steps[step][2]
    fixed: set[int] = set()
    window = [-1] * 14
    for one in content.rounds:
        if bool(one.at) == (one.between is not None):
            refuse(graph.model, f"{graph.field(step)}: rounds", None, "give exactly one of at and between")
        for day in one.days:
            fixed.update(day * DAY_MS + at for at in one.at)
            if one.between is not None:
                if window[2 * day] >= 0:
                    refuse(graph.model, f"{graph.field(step)}: rounds", None, "has two windows on one weekday")
                window[2 * day : 2 * day + 2] = [day * DAY_MS + at for at in one.between]
    if fixed and max(window) >= 0:
        refuse(graph.model, f"{graph.field(step)}: rounds", None, "has fixed times and windows: keep one kind")
    if fixed:
        return FIXED_ROUND, sorted(fixed)
    return (WINDOW_ROUND, window) if max(window) >= 0 else (0, [])


def causes_of(graph: Graph) -> tuple[str, ...]:
    """Causes to which blocked hours are booked, in written order."""
    return tuple(dict.fromkeys(content.waits_for or content.in_ for _, _, content in graph.steps))


def step_arrays(graph: Graph, laws: Distributions, choices: Choices, settings: Sequence[str]) -> dict[str, Any]:
    """The arrays of a Network about stays, patiences, limits, diverts, rounds and holds."""
    pathways, setting, cause = numbered(graph.number), numbered(settings), numbered(causes_of(graph))
    columns: dict[str, list[int]] = {
        name: [] for name in (
            "step_pathway", "step_setting", "stay_distribution", "stay_by", "stay_scale_first",
            "patience_distribution", "patience_by", "patience_scale_first", "patience_to", "limit",
            "limit_to", "divert_at", "divert_first", "round_kind", "cause", "conditional",
        )
    }  # fmt: skip
    rounds, holds = Ragged(), Ragged()
    for step, (pathway, _, content) in enumerate(graph.steps):
        field = graph.field(step)
        stay = laws.add(f"{field}: stay", content.stay)
        patience, to = (-1, -1, -1), -1
        if content.patience is not None:
            patience = laws.add(f"{field}: patience", content.patience)
            to = graph.target(step, "patience", content.patience.otherwise)
        limit, limit_to = -1, -1
        if content.queue_limit is not None:
            limit = content.queue_limit.waiting
            limit_to = graph.target(step, "queue_limit", content.queue_limit.otherwise)
        divert_at, divert_first, _ = choices.divert(f"{field}: divert", content)
        kind, times = round_of(graph, step)
        rounds.add(times)
        holds.add(graph.holds(step))
        row = (
            pathways[pathway], setting[content.in_], *stay, *patience, to, limit, limit_to, divert_at,
            divert_first, kind, cause[content.waits_for or content.in_], int(limit >= 0 or divert_at >= 0),
        )  # fmt: skip
        for values, value in zip(columns.values(), row, strict=True):
            values.append(value)
    return {
        **{name: ints(values) for name, values in columns.items()},
        "step_word": ints(graph.word),
        "stay_scale": floats(laws.scale.flat),
        "divert_unit": ints(choices.diverted.flat),
        "round_first": ints(rounds.first),
        "round_ms": ints(rounds.flat),
        "hold_first": ints(holds.first),
        "hold_step": ints(holds.flat),
        "keeps": graph.keeps(),
        "family": ints(laws.family),
        "parameter_first": ints(laws.parameters.first),
        "parameters": floats(laws.parameters.flat),
    }


def share_arrays(graph: Graph, marks: Marks) -> dict[str, Any]:
    """The arrays of a Network about routing and groups."""
    rows = Rows(marks)
    route = [
        rows.add(f"{graph.field(k)}: then", graph.shares(k), graph.number[graph.steps[k][0]])
        for k in range(len(graph.steps))
    ]
    groups = []
    for place, (name, shares) in enumerate(graph.model.groups.items()):
        field = f"groups: {name}"
        by, row = rows.add(field, shares, marks.values[name])
        if by >= GROUPS + place:
            refuse(graph.model, field, shares.by, "is drawn later: write it before this group")
        groups.append((by, row))
    return {
        "route_by": ints(by for by, _ in route),
        "route_row": ints(row for _, row in route),
        "group_by": ints(by for by, _ in groups),
        "group_row": ints(row for _, row in groups),
        "group_word": ints(words(graph.model, "groups", graph.model.groups)),
        "row_first": ints(rows.rows.first),
        "row_cumulative": floats(rows.rows.flat),
        "row_to": ints(rows.to),
    }
