"""General practice by neighbourhood: contacts by skill, appointments, and the walk-ins that it accounts for.

Used by forms.py for the largest form of the model. The model that ships as `london` has no general practice: those whom
it turns away are among the walk-ins of urgent treatment and A&E there.
"""

from __future__ import annotations

from functools import cache

from beds import WEEKDAYS, Line
from hospitals import walk_ins
from people import OUTSIDE_PLACES, Rates, boroughs, in_bands, neighbourhoods, people_of, residences, total

CONTACTS_PER_PERSON = 5.5  # a year, with all staff, England, year to October 2018 (read)
# --- assumed: general knowledge, no source read but where it says so ---
PER_PERSON = {"0-4": 6.0, "5-16": 2.7, "17-64": 4.8, "65-74": 8.4, "75-84": 11.5, "85+": 13.4}  # shape by age
KINDS = {
    "GP on the day": 0.28,
    "nurse on the day": 0.15,
    "GP booked": 0.24,
    "nurse booked": 0.17,
    "other staff booked": 0.16,
}  # of contacts: 0.52 with a GP and 0.43 on the same day are read
SLOTS = {"GP on the day": 1.0, "nurse on the day": 1.0}  # appointments a weekday for each asked for; else 1.02
TURNED_AWAY = {"urgent": 187_000.0, "attendance": 33_000.0}
"""Who come to urgent treatment and to A&E a year because they found no appointment: what the model comes to."""


@cache
def contacts() -> dict[str, float]:
    """Contacts a year by place; nobody outside London."""
    shape = in_bands(PER_PERSON)
    residents = {place: people_of(place) for place in boroughs()}
    asked = {place: total(shape, people) for place, people in residents.items()}
    every = CONTACTS_PER_PERSON * sum(sum(people.values()) for people in residents.values())
    return {place: every * asked[place] / sum(asked.values()) if place in residents else 0.0 for place in residences()}


def needs_by_place() -> dict[str, tuple[Rates, dict[str, float]]]:
    """Shape by band, and patients a year by place: contacts by kind, and the walk-ins that are left."""
    found = {
        f"general_practice_{kind.replace(' ', '_')}": (
            in_bands(PER_PERSON), {place: share * number for place, number in contacts().items()}
        )
        for kind, share in KINDS.items()
    }  # fmt: skip
    for kind, name, rates in zip(TURNED_AWAY, ("urgent_treatment", "attendance"), walk_ins(), strict=True):
        every = {place: total(rates, people_of(place)) for place in residences()}
        left = 1 - TURNED_AWAY[kind] / sum(every[place] for place in boroughs())
        found[f"{name}_with_general_practice"] = (
            rates, {place: number * left if place in boroughs() else number for place, number in every.items()}
        )  # fmt: skip
    return found


def units() -> list[Line]:
    """Rows of the table of units: a weekday's appointments in each neighbourhood."""
    said = "contacts asked for on 261 weekdays, times 1.00 on the day and 1.02 booked: general knowledge"
    lines: list[Line] = []
    for kind, part in KINDS.items():
        for borough in boroughs():
            for name, share, _, _ in neighbourhoods(borough):
                slots = round(contacts()[borough] * share * part / WEEKDAYS * SLOTS.get(kind, 1.02))
                lines.append((kind, name, slots, "slots", "assumed", said))
        lines += [(kind, place, 0, "slots", "assumed", "not modelled: nobody comes") for place in OUTSIDE_PLACES]
    return lines
