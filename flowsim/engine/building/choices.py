"""Which unit a step takes: by place of residence, by shares, or at the site the patient is at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flowsim.engine.building.marks import Ragged, Shared, cumulative, refuse
from flowsim.engine.building.units import Units
from flowsim.engine.network import Choice
from flowsim.model.pathways import Step

NEAREST_OTHER = "nearest other"


class Chosen(NamedTuple):
    """How a step chooses: the kind, the row in the Network, and the units it may lead to.

    `units` has for each place (BY_PLACE, SHARES) or site (SAME_SITE) the units with a share above 0.
    """

    kind: Choice
    first: int
    units: list[tuple[int, ...]]


class Choices:
    """How all steps of a model choose their units."""

    def __init__(self, units: Units) -> None:
        self.units, self.geography = units, units.geography
        self.places = list(units.geography.places)
        self.by_place = Shared()
        self.share_row = Shared()
        self.shares = Ragged()
        self.share_unit: list[int] = []
        self.diverted = Shared()
        self._near: dict[tuple[str, tuple[str, ...]], list[int]] = {}
        self._rows: dict[tuple[str, tuple[tuple[str, float], ...]], tuple[int, tuple[int, ...]]] = {}

    def add(self, field: str, step: Step) -> Chosen:
        """The choice of a step. What has only one unit leads there by every rule."""
        members = self.units.of_setting[step.in_]
        if not members:
            refuse(self.units.model, field, step.in_, "has no units: give it a capacity or rows in `units`")
        if len(members) == 1 and not step.at.without:
            return self._of_places([members[0]] * len(self.places))
        match step.at.rule:
            case "own place":
                return self._of_places([self._own(field, step.in_, place) for place in self.places])
            case "nearest":
                near = [unit for unit in members if self.units.all[unit].at not in step.at.without]
                if not near:
                    refuse(self.units.model, field, ", ".join(step.at.without), f"has all units of '{step.in_}'")
                key = (step.in_, step.at.without)
                if key not in self._near:
                    self._near[key] = [self._nearest(field, place, near) for place in self.places]
                return self._of_places(self._near[key])
            case "fixed":
                return self._of_places([self.units.find(field, step.in_, step.at.name)] * len(self.places))
            case "same site":
                found = [self.units.at.get((step.in_, site), -1) for site in self.units.sites]
                return Chosen(Choice.SAME_SITE, self.by_place.add(found), [_one(unit) for unit in found])
            case _:
                return self._drawn(field, step.in_, step.at.shares)

    def _of_places(self, found: Sequence[int]) -> Chosen:
        return Chosen(Choice.BY_PLACE, self.by_place.add(found), [_one(unit) for unit in found])

    def _own(self, field: str, setting: str, place: str) -> int:
        """The unit at a place or at the nearest place above it; -1 if there is none."""
        for above in self.geography.upwards(place):
            here = self.units.within.get((setting, above.name), ())
            if len(here) > 1:
                names = ", ".join(self.units.all[unit].at for unit in here)
                refuse(
                    self.units.model, field, above.name,
                    f"has several units of '{setting}' ({names}): choose by shares, nearest or a name",
                )  # fmt: skip
            if here:
                return here[0]
        return -1

    def _nearest(self, field: str, place: str, members: Sequence[int]) -> int:
        """The unit at the least great-circle distance, ties by name; -1 for a place without coordinates."""
        if self.geography.location(place) is None:
            return -1
        try:
            return min(members, key=lambda unit: (self.geography.distance_km(place, self.units.all[unit].at), unit))
        except ValueError as error:
            refuse(self.units.model, field, "nearest", f"cannot be told: {error}")

    def _drawn(self, field: str, setting: str, shares: Mapping[str, Mapping[str, float]]) -> Chosen:
        for name in shares:
            if name not in self.geography.places:
                refuse(self.units.model, field, name, "is no place of the model")
        known = {
            "": self._row(field, setting, {}),
            **{name: self._row(field, setting, shares[name]) for name in shares},
        }
        found = [known[self.geography.holder(place, shares) or ""] for place in self.places]
        return Chosen(Choice.SHARES, self.share_row.add([row for row, _ in found]), [units for _, units in found])

    def _row(self, field: str, setting: str, shares: Mapping[str, float]) -> tuple[int, tuple[int, ...]]:
        """The row of shares in the Network, and the units with a share above 0."""
        key = (setting, tuple(shares.items()))
        if key not in self._rows:
            units = [self.units.find(field, setting, at) for at in shares]
            self.share_unit.extend(units)
            some = tuple(unit for unit, share in zip(units, shares.values(), strict=True) if share > 0)
            self._rows[key] = self.shares.add(cumulative(list(shares.values()))), some
        return self._rows[key]

    def divert(self, field: str, step: Step) -> tuple[int, int, list[int]]:
        """(queue at which patients divert, row in the Network, unit they divert to for each own unit); -1 for
        none.
        """
        if step.divert is None:
            return -1, -1, []
        members = self.units.of_setting[step.in_]
        to = [-1] * len(self.units.all)
        for own in members:
            others = [unit for unit in members if unit != own]
            if step.divert.to != NEAREST_OTHER:
                target = self.units.find(field, step.in_, step.divert.to)
                to[own] = target if target != own else -1
            elif len(others) == 1:
                to[own] = others[0]
            elif others:
                here = self.units.all[own].at
                try:
                    to[own] = min(
                        others,
                        key=lambda unit: (self.geography.distance_km(here, self.units.all[unit].at), unit),
                    )
                except ValueError as error:
                    refuse(self.units.model, field, NEAREST_OTHER, f"cannot be told: {error}")
        return step.divert.waiting, self.diverted.add(to), to


def _one(unit: int) -> tuple[int, ...]:
    return (unit,) if unit >= 0 else ()
