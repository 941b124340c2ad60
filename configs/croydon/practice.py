"""General practice of the Croydon model: what is assumed of it, its appointments, and how it is put into the model.

Used by rebuild.py. The model that ships as `croydon` has only those whom general practice turned away.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

# --- assumed: general knowledge, no source read but where it says so ---
PER_PERSON = {"0-4": 6.0, "5-16": 2.7, "17-64": 4.8, "65-74": 8.4, "75-84": 11.5, "85+": 13.4}  # contacts a year
KINDS = {
    "GP on the day": 0.28,
    "nurse on the day": 0.15,
    "GP booked": 0.24,
    "nurse booked": 0.17,
    "other staff booked": 0.16,
}  # of contacts: 0.52 with a GP and 0.43 on the same day are read
SLOTS = {"GP on the day": 1.0, "nurse on the day": 1.0}  # appointments a weekday for each asked for; else 1.02


def in_bands(per_person: dict[str, float], bands: Sequence[str]) -> dict[str, float]:
    """Five-year bands with the figures of six broad ones; 15-19 is two fifths a child and three fifths an adult."""
    lows = {0: "0-4", 5: "5-16", 15: "17-64", 65: "65-74", 75: "75-84", 85: "85+"}
    ages = {band: int(band.rstrip("+").split("-")[0]) for band in bands}
    rates = {band: per_person[lows[max(low for low in lows if low <= age)]] for band, age in ages.items()}
    return rates | {"15-19": 0.4 * per_person["5-16"] + 0.6 * per_person["17-64"]}


def units(table: Path, contacts: float, places: Sequence[str], others: str) -> list[Sequence[object]]:
    """Rows of the table of units and of slots: a weekday's for so many contacts a year in each place."""
    said = "contacts asked for on 261 weekdays, times 1.00 on the day and 1.02 booked: general knowledge"
    with table.open(encoding="utf-8", newline="") as file:
        lines: list[Sequence[object]] = list(csv.reader(file))
    for kind, share in KINDS.items():
        slots = round(contacts * share / 261 * SLOTS.get(kind, 1.02))
        lines += [(kind, place, slots, "slots", "assumed", said) for place in places]
        lines.append((kind, others, 0, "slots", "assumed", "not modelled: nobody comes"))
    return lines


def merged(model: str, part: str) -> str:
    """A model with general practice: each of the three parts is put where the model has that part.

    Of the pathway that stands for general practice in the model only the door and what follows it are kept.
    """
    settings, profiles, pathway = re.split(r"^(?:settings|profiles|pathways):\n", part, flags=re.MULTILINE)[1:]
    before, _, after = model.partition("  general practice:")
    model = before + pathway + after[after.index("      door:") :]
    for old, new in (
        (
            "# Tables are",
            "# Written by rebuild.py from model.yaml and general_practice.yaml: edit those.\n# Tables are",
        ),
        ("name: croydon\n", "name: croydon-with-general-practice\n"),
        ("teaching hospital\ndesc", "teaching hospital, with general practice\ndesc"),
        ("  Of general practice only those are here who find no appointment and come to the\n  hospital's door.\n", ""),
        ("units: tables/units.csv\n", "units: tables/units_with_general_practice.csv\n"),
        ("settings:\n", "settings:\n" + settings),
        ("profiles:\n", "profiles:\n" + profiles),
    ):
        if old not in model:
            raise SystemExit(f"model.yaml has no {old!r}")
        model = model.replace(old, new, 1)
    return model
