"""Clocks and responses as arrays."""

from __future__ import annotations

from typing import Any

from flowsim.engine.building.graph import Graph
from flowsim.engine.building.marks import Ragged, floats, ints, numbered, refuse
from flowsim.engine.building.units import Pools, Units
from flowsim.engine.network import Change, Follow
from flowsim.model.calendar import DAY_MS
from flowsim.model.pathways import POINTS, Clock
from flowsim.model.responses import Response
from flowsim.model.units import responses_of


def clock_arrays(graph: Graph) -> dict[str, Any]:
    """The arrays of a Network about clocks: those that start and stop at each moment of each step."""
    starts: list[dict[int, None]] = [{} for _ in range(len(graph.steps) * len(POINTS))]
    stops: list[dict[int, None]] = [{} for _ in starts]
    for number, (name, clock) in enumerate(graph.model.clocks.items()):
        for pathway in _pathways(graph, name, clock):
            for points, rows in ((clock.from_, starts), (clock.to, stops)):
                for point in points:
                    step = graph.number[pathway].get(point.step, -1)
                    if step >= 0:
                        rows[step * len(POINTS) + POINTS.index(point.moment)][number] = None
    start, stop = Ragged(), Ragged()
    for started, stopped in zip(starts, stops, strict=True):
        start.add(started)
        stop.add(stopped)
    return {
        "clock_standard": ints(clock.standard for clock in graph.model.clocks.values()),
        "clock_start_first": ints(start.first),
        "clock_start": ints(start.flat),
        "clock_stop_first": ints(stop.first),
        "clock_stop": ints(stop.flat),
    }


def _pathways(graph: Graph, name: str, clock: Clock) -> list[str]:
    """The pathways on which a clock both starts and stops."""
    pathways = graph.model.pathways
    if clock.pathway is not None and clock.pathway not in pathways:
        refuse(graph.model, f"clocks: {name}", clock.pathway, "is no pathway of the model")
    among = [clock.pathway] if clock.pathway is not None else list(pathways)
    found = [
        pathway
        for pathway in among
        if any(point.step in pathways[pathway].steps for point in clock.from_)
        and any(point.step in pathways[pathway].steps for point in clock.to)
    ]
    if not found:
        refuse(graph.model, f"clocks: {name}", None, "no pathway has the steps at which it starts and stops")
    return found


def response_arrays(graph: Graph, units: Units, pools: Pools) -> dict[str, Any]:
    """The arrays of a Network about responses."""
    follows, changes, targets, days = [], [], [], []
    watched, points = Ragged(), Ragged()
    for name, response in all_responses(units, pools).items():
        field = f"responses: {name}"
        kind, what = _followed(graph, field, response)
        if response.follows.over < DAY_MS or response.follows.over % DAY_MS:
            refuse(graph.model, field, "over", "must be whole days, at least 1 day")
        change, target = _changed(graph, units, field, response)
        values = [y for _, y in response.points]
        if min(values) < 0 or (change == Change.SHARE and max(values) > 1):
            refuse(graph.model, field, "points", "a share lies from 0 to 1, a factor is 0 or more")
        follows.append(kind)
        watched.add(_watched(units, pools, field, what))
        days.append(response.follows.over // DAY_MS)
        changes.append(change)
        targets.append(target)
        points.add(response.points)
    return {
        "response_follows": ints(follows),
        "response_unit_first": ints(watched.first),
        "response_units": ints(watched.flat),
        "response_days": ints(days),
        "response_changes": ints(changes),
        "response_target": ints(targets),
        "response_point_first": ints(points.first),
        "response_x": floats(x for x, _ in points.flat),
        "response_y": floats(y for _, y in points.flat),
    }


def all_responses(units: Units, pools: Pools) -> dict[str, Response]:
    """The responses of a model, one for each site or unit where one is written for several."""
    found: dict[str, Response] = {}
    for name, written in units.model.responses.items():
        for here, response in responses_of(name, written, units.number, pools.number, units.geography).items():
            word = response.changes.stay_in
            several = [] if word is None else units.named(f"responses: {here}", word)
            for unit in several if len(several) > 1 else ():
                named = units.all[unit].name
                changes = response.changes.model_copy(update={"stay_in": named})
                found[f"{here} ({named})"] = response.model_copy(update={"changes": changes})
            if len(several) < 2:
                found[here] = response
    return found


def _followed(graph: Graph, field: str, response: Response) -> tuple[Follow, str]:
    one = response.follows
    given = [
        (kind, what)
        for kind, what in (
            (Follow.OCCUPANCY, one.occupancy),
            (Follow.MEAN_WAIT, one.mean_wait),
            (Follow.QUEUE, one.queue),
        )
        if what is not None
    ]
    if len(given) != 1:
        refuse(graph.model, field, None, "follows exactly one of occupancy, mean_wait and queue")
    return given[0]


def _watched(units: Units, pools: Pools, field: str, name: str) -> list[int]:
    """The units of a pool, one unit, or all units of a setting."""
    if name in pools.number:
        return list(pools.all[pools.number[name]].units)
    return list(units.named(field, name))


def _changed(graph: Graph, units: Units, field: str, response: Response) -> tuple[Change, int]:
    one, model = response.changes, graph.model
    if sum(what is not None for what in (one.share, one.stay, one.need, one.capacity, one.stay_in)) != 1:
        refuse(model, field, None, "changes exactly one of share, stay, need, capacity and stay_in")
    if one.share is not None:
        step = graph.find(field, one.share)
        if any(len(row) < 2 for row in graph.shares(step).rows()):
            refuse(model, field, one.share, "has one way only: a share needs two")
        return Change.SHARE, step
    if one.stay is not None:
        return Change.STAY, graph.find(field, one.stay)
    if one.need is not None:
        if one.need not in model.pathways:
            refuse(model, field, one.need, "is no pathway of the model")
        return Change.NEED, numbered(model.pathways)[one.need]
    if one.stay_in is not None:
        return Change.STAY_IN, units.named(field, one.stay_in)[0]
    found = units.named(field, one.capacity or "")
    if len(found) != 1:
        refuse(model, field, one.capacity, "has several units: name one")
    if units.all[found[0]].capacity.unlimited:
        refuse(model, field, one.capacity, "is unlimited: there is nothing to change")
    return Change.CAPACITY, found[0]
