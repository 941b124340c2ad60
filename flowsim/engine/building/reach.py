"""Who may be where: the units that patients of each place may choose at each step, and what may be blocked by
what.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flowsim.engine.building.choices import Chosen
from flowsim.engine.building.graph import Graph
from flowsim.engine.building.marks import refuse
from flowsim.engine.building.units import Pools, Units
from flowsim.engine.network import Choice

NO_SITE = 1
"""Bit of a patient who has not been at any site; site s has bit s + 1."""


class Reach:
    """Own units by step and place of residence, followed from the steps that patients enter.

    Sites are kept as the bits of a number: at each step, where its patients may be when they come, and when
    they go on. Refuses a step that some patient can reach and that has no unit for it.
    """

    def __init__(
        self, graph: Graph, units: Units, pools: Pools, choices: list[Chosen], diverts: list[list[int]],
        entries: Iterable[tuple[int, int]], first_day: Iterable[tuple[int, int, int]],
    ) -> None:  # fmt: skip
        self.graph, self.units, self.pools, self.choices, self.diverts = graph, units, pools, choices, diverts
        self.places = list(units.geography.places)
        self.own: list[dict[int, set[int]]] = [{} for _ in graph.steps]
        self._comes: dict[tuple[int, int], int] = {}
        ahead = [(place, to, NO_SITE) for place, step in entries for to in graph.instead(step)]
        for place, step, unit in first_day:
            self.own[step].setdefault(place, set()).add(unit)
            ahead.extend((place, to, self._sites_of(unit, NO_SITE)) for to in graph.onward[step])
            ahead.extend((place, to, NO_SITE) for to in graph.turned[step])
        while ahead:
            place, step, sites = ahead.pop()
            known = self._comes.get((step, place), 0)
            if sites & ~known:
                self._comes[step, place] = sites = sites | known
                goes = self._visit(step, place, sites)
                ahead.extend((place, to, goes) for to in graph.onward[step])
                ahead.extend((place, to, sites) for to in graph.turned[step])

    def _visit(self, step: int, place: int, sites: int) -> int:
        """Note the units a step may choose; where its patients may be when they go on."""
        found = set(self._chosen(step, place, sites))
        for unit in list(found):
            if self.diverts[step] and self.diverts[step][unit] >= 0:
                found.add(self.diverts[step][unit])
        self.own[step].setdefault(place, set()).update(found)
        goes = 0
        for unit in found:
            goes |= self._sites_of(unit, sites)
        return goes

    def _chosen(self, step: int, place: int, sites: int) -> Sequence[int]:
        chosen = self.choices[step]
        setting, field = self.graph.steps[step][2].in_, self.graph.field(step)
        if chosen.kind != Choice.SAME_SITE:
            if not chosen.units[place]:
                message = f"has no unit of '{setting}', and patients who live there come: give it one, or shares"
                refuse(self.units.model, field, self.places[place], message)
            return chosen.units[place]
        if sites & NO_SITE:
            message = f"cannot be told: patients from '{self.places[place]}' may come from no site"
            refuse(self.units.model, field, "same site", message)
        found: list[int] = []
        for name, site in self.units.sites.items():
            if sites >> (site + 1) & 1:
                if not chosen.units[site]:
                    refuse(
                        self.units.model,
                        field,
                        name,
                        f"has no unit of '{setting}', and patients come from there",
                    )
                found.extend(chosen.units[site])
        return found

    def _sites_of(self, own: int, sites: int) -> int:
        """Where patients are after a visit with this own unit; unmoved if a unit is at no site."""
        found = 0
        for unit, _ in self.pools.lanes(own):
            site = self.units.site[unit]
            found |= sites if site < 0 else 1 << (site + 1)
        return found

    def own_units(self, step: int) -> list[int]:
        """All units that patients of a step may have as their own."""
        return sorted({unit for units in self.own[step].values() for unit in units})

    def blocks(self, keeps: list[list[int]], cause: list[int]) -> list[tuple[int, int, int]]:
        """Sorted (held unit, awaited own unit, cause) of every hour that may be blocked."""
        found: set[tuple[int, int, int]] = set()
        done: set[tuple[int, int, frozenset[int], frozenset[int]]] = set()
        for awaited, row in enumerate(keeps):
            for held in (step for step, kept in enumerate(row) if kept):
                follows = self.choices[awaited].kind == Choice.SAME_SITE and self._stays_at_site(held, keeps)
                for place, units in self.own[awaited].items():
                    here = self.own[held].get(place)
                    key = (held, awaited, frozenset(here or ()), frozenset(units))
                    if here and key not in done:
                        done.add(key)
                        found.update((a, b, cause[awaited]) for a, b in self._pairs(here, units, awaited, follows))
        return sorted(found)

    def _pairs(self, held: set[int], awaited: set[int], step: int, follows: bool) -> Iterable[tuple[int, int]]:
        for unit in {unit for own in held for unit, _ in self.pools.lanes(own)}:
            site = self.units.site[unit]
            if follows and site >= 0:
                for own in self.choices[step].units[site]:
                    yield unit, own
                    if self.diverts[step] and self.diverts[step][own] >= 0:
                        yield unit, self.diverts[step][own]
            else:
                yield from ((unit, own) for own in awaited)

    def _stays_at_site(self, held: int, keeps: list[list[int]]) -> bool:
        """Whether patients who keep the unit of a step cannot be served at another site meanwhile."""
        for step, row in enumerate(keeps):
            if row[held]:
                same = self.choices[step].kind == Choice.SAME_SITE
                for own in self.own_units(step):
                    sites = {self.units.site[unit] for unit, _ in self.pools.lanes(own)}
                    if sites != {-1} and not (same and sites == {self.units.site[own]} and not self.diverts[step]):
                        return False
        return True
