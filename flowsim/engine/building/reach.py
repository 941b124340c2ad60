"""Who may be where: the units that patients of each place may choose at each step, and what may be blocked by
what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from flowsim.engine.building.choices import Chosen
from flowsim.engine.building.graph import Graph
from flowsim.engine.building.marks import refuse
from flowsim.engine.building.units import Pools, Units
from flowsim.engine.network import Choice, Ints

NO_SITE = 1
"""Bit of a patient who has not been at any site; site s has bit s + 1."""


class Found(NamedTuple):
    """The units that patients of a place may choose at a step, and where they may be when they go on."""

    own: frozenset[int]
    goes: int


class Reach:
    """Own units by step and place of residence, followed from the steps that patients enter.

    Sites are kept as the bits of a number: at each step, where its patients may be when they come, and when
    they go on. Refuses a step that some patient can reach and that has no unit for it.
    """

    def __init__(
        self, graph: Graph, units: Units, pools: Pools, choices: list[Chosen], diverts: list[list[int]],
        entries: Iterable[tuple[int, int]], first_day: Iterable[tuple[int, int, int, bool]],
    ) -> None:  # fmt: skip
        self.graph, self.units, self.pools, self.choices, self.diverts = graph, units, pools, choices, diverts
        self.places = list(units.geography.places)
        self.own: list[dict[int, frozenset[int]]] = [{} for _ in graph.steps]
        """By step and place; places that have the same units share one set of them."""
        self._moves = [self._sites_of(own) for own in range(len(units.all))]
        self._known: dict[tuple[int, int, tuple[int, ...]], Found] = {}
        self._comes: dict[tuple[int, int], int] = {}
        ahead = [(place, to, NO_SITE) for place, step in entries for to in graph.instead(step)]
        for place, step, unit, is_waiting in first_day:
            self._add(step, place, frozenset((unit,)))
            goes = self._goes((unit,), NO_SITE)
            ahead.extend((place, to, goes) for to in graph.onward[step])
            if is_waiting:
                ahead.extend((place, to, NO_SITE) for to in graph.turned[step])
        while ahead:
            place, step, sites = ahead.pop()
            known = self._comes.get((step, place), 0)
            if sites & ~known:
                self._comes[step, place] = sites = sites | known
                found = self._visit(step, place, sites)
                self._add(step, place, found.own)
                ahead.extend((place, to, found.goes) for to in graph.onward[step])
                ahead.extend((place, to, sites) for to in graph.turned[step])
        self._own_units = [sorted(set[int]().union(*set(by_place.values()))) for by_place in self.own]

    def _add(self, step: int, place: int, own: frozenset[int]) -> None:
        before = self.own[step].get(place, frozenset())
        self.own[step][place] = own if before <= own else before | own

    def _visit(self, step: int, place: int, sites: int) -> Found:
        """The units a step may choose; where its patients may be when they go on."""
        chosen = self.choices[step]
        field = self.graph.field(step)
        units: tuple[int, ...] = ()
        if chosen.kind == Choice.SAME_SITE:
            if sites & NO_SITE:
                message = f"cannot be told: patients from '{self.places[place]}' may come from no site"
                refuse(self.units.model, field, "same site", message)
        else:
            units = chosen.units[place]
            if not units:
                setting = self.graph.steps[step][2].in_
                message = f"has no unit of '{setting}', and patients who live there come: give it one, or shares"
                refuse(self.units.model, field, self.places[place], message)
        key = (step, sites, units)
        if key not in self._known:
            found = self._diverted(step, units or self._at_sites(step, sites))
            self._known[key] = Found(frozenset(found), self._goes(found, sites))
        return self._known[key]

    def _diverted(self, step: int, chosen: Iterable[int]) -> set[int]:
        """Units chosen for a step, with those to which its patients may divert from them."""
        found = set(chosen)
        if self.diverts[step]:
            found |= {to for to in [self.diverts[step][unit] for unit in found] if to >= 0}
        return found

    def _at_sites(self, step: int, sites: int) -> list[int]:
        """The units of a step at some sites."""
        found: list[int] = []
        for name, site in self.units.sites.items():
            if sites >> (site + 1) & 1:
                here = self.choices[step].units[site]
                if not here:
                    message = f"has no unit of '{self.graph.steps[step][2].in_}', and patients come from there"
                    refuse(self.units.model, self.graph.field(step), name, message)
                found.extend(here)
        return found

    def _sites_of(self, own: int) -> tuple[int, bool]:
        """Sites to which a visit with this own unit may bring patients; whether it may leave them where they are."""
        found, stays = 0, False
        for unit, _ in self.pools.lanes(own):
            site = self.units.site[unit]
            found |= 0 if site < 0 else 1 << (site + 1)
            stays |= site < 0
        return found, stays

    def _goes(self, owns: Iterable[int], sites: int) -> int:
        """Where patients who come from these sites may be after a visit with one of these own units."""
        goes = 0
        for own in owns:
            to, stays = self._moves[own]
            goes |= to | (sites if stays else 0)
        return goes

    def own_units(self, step: int) -> list[int]:
        """All units that patients of a step may have as their own."""
        return self._own_units[step]

    # ---- what may be blocked by what ----

    def blocks(self, keeps: Any, cause: Sequence[int]) -> tuple[Ints, Ints, Ints]:
        """Held units, awaited own units and causes of every hour that may be blocked, in this order.

        `keeps` [next, held] is that of the Network.
        """
        causes, size = max(cause, default=0) + 1, len(self.units.all)
        holds = [self.graph.holds(step) for step in range(len(self.graph.steps))]
        leaves_site = [self._leaves_site(step) for step in range(len(self.graph.steps))]
        found = [np.zeros(0, np.int64)]
        for held in range(len(self.graph.steps)):
            after = self._while_held(held, keeps, holds)
            is_moved = any(leaves_site[step] for step in after if held not in holds[step])
            for awaited in after:
                follows = self.choices[awaited].kind == Choice.SAME_SITE and not is_moved
                found.append(self._pairs(held, awaited, follows) * causes + cause[awaited])
        rows = np.sort(np.concatenate(found))
        rows = rows[np.diff(rows, prepend=-1) > 0]
        return rows // causes // size, rows // causes % size, rows % causes

    def _while_held(self, held: int, keeps: Any, holds: list[list[int]]) -> list[int]:
        """Steps that patients may come to with the unit of an earlier step: it is let go of on the way to a step that
        does not keep it, or when one starts that holds it.
        """
        found: set[int] = set()
        ahead = list(self.graph.onward[held])
        while ahead:
            here = ahead.pop()
            if keeps[here, held] and here not in found:
                found.add(here)
                ahead.extend(self.graph.turned[here])
                if held not in holds[here]:
                    ahead.extend(self.graph.onward[here])
        return sorted(found)

    def _leaves_site(self, step: int) -> bool:
        """Whether a visit to a step may bring patients to another site than the one they are at."""
        same = self.choices[step].kind == Choice.SAME_SITE
        for own in self.own_units(step):
            sites = {self.units.site[unit] for unit, _ in self.pools.lanes(own)}
            if sites != {-1} and not (same and sites == {self.units.site[own]} and not self.diverts[step]):
                return True
        return False

    def _pairs(self, held: int, awaited: int, follows: bool) -> Ints:
        """Rising held unit x units + awaited own unit, of every pair that patients of some place may have; where a
        step `follows`, it is awaited at the site of the unit that is held.
        """
        awaits: dict[frozenset[int], set[int]] = {}
        for place, own in self.own[held].items():
            awaits.setdefault(own, set()).update(self.own[awaited].get(place, ()))
        lanes = {own: sorted({unit for one in own for unit, _ in self.pools.lanes(one)}) for own in awaits}
        rows = np.array(sorted(set[int]().union(*lanes.values())), np.int64)
        at_site: dict[int, set[int]] = {}
        for row, unit in enumerate(rows.tolist() if follows else ()):
            if self.units.site[unit] >= 0:
                at_site[row] = self._diverted(awaited, self.choices[awaited].units[self.units.site[unit]])
        columns = np.array(sorted(set[int]().union(*awaits.values(), *at_site.values())), np.int64)
        found = np.zeros((len(rows), len(columns)), np.bool_)
        for own, awaited_by in awaits.items():
            here = np.array([unit for unit in lanes[own] if not follows or self.units.site[unit] < 0], np.int64)
            there = np.array(list(awaited_by), np.int64)
            found[np.searchsorted(rows, here)[:, None], np.searchsorted(columns, there)] = True
        for row, here_too in at_site.items():
            found[row, np.searchsorted(columns, list(here_too))] = True
        held_row, awaited_row = np.nonzero(found)
        pairs: Ints = rows[held_row] * len(self.units.all) + columns[awaited_row]
        return pairs
