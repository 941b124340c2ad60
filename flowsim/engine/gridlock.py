"""Gridlock: beds whose patients all wait for each other's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flowsim.engine.views import UnitView


def stuck_units(units: list[UnitView], patients: Iterable[Any], may_rise: set[int] | None) -> list[int]:
    """Units in use that are not live: none of their patients can ever move again.

    A unit is live if it is unlimited, has a free place, serves anyone, is in `may_rise` (capacity will rise above
    what is in use, or follows a response), or is held by a live patient. A patient is live if it is served, if its
    wait has a limit, or if any unit it may ever use is live.
    With `may_rise` None neither capacity to come nor patience counts.
    """
    live = {u.number for u in units if u.serving > 0 or u.is_free() or (may_rise is not None and u.number in may_rise)}
    if all(u.number in live for u in units if u.in_use > 0):
        return []
    waiting = [p for p in patients if p.held]
    found = True
    while found:
        found = False
        still = []
        for patient in waiting:
            visit = patient.visit
            # Who was interrupted has no patience any more.
            has_limit = visit.step.patience is not None and visit.started < 0
            is_live = not visit.is_waiting or (may_rise is not None and has_limit)
            if is_live or any(unit.number in live for unit in visit.line.units()):
                found = True
                live.update(held.unit.number for held in patient.held)
            else:
                still.append(patient)
        waiting = still
    return [u.number for u in units if u.in_use > 0 and u.number not in live]
