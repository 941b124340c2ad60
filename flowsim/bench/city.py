"""The bench model `city` (m3) in any size, as a model file with its tables."""

from __future__ import annotations

import csv
import io
import math
import tempfile
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from flowsim.bench import shapes
from flowsim.bench.city_parts import (
    AE,
    AT_SITES,
    CARE,
    CONTACTS,
    ELECTIVE_SURGERY,
    ELECTIVES,
    EMERGENCIES,
    GP,
    HOME,
    INTERMEDIATE,
    RAPID,
    URGENT_SHARE,
    UTILISATION,
    Area,
    Floats,
    area,
    capacities,
    onward,
)
from flowsim.model.loading import load_model
from flowsim.model.schema import Model

DIGITS = 9
"""Decimals of shares in tables; they sum to 1 exactly."""
SIZES = {1.0: "A made-up city", 0.1: "A tenth of a made-up city", 0.01: "A hundredth of a made-up city"}
LEVELS = {GP: "neighbourhood", RAPID: "borough", HOME: "borough", INTERMEDIATE: "borough"}
PROFILES = {
    "a day in A&E": ("hour", shapes.A_DAY_IN_EMERGENCY),
    "a week in A&E": ("weekday", shapes.WEEK_IN_EMERGENCY),
    "a year in A&E": ("month", shapes.MONTHS_IN_EMERGENCY),
    "daytime": ("hour", shapes.DAYTIME),
    "a week of planned care": ("weekday", shapes.ELECTIVE_WEEK),
    "a year of planned care": ("month", shapes.ELECTIVE_MONTHS),
    "a week of general practice": ("weekday", shapes.GP_WEEK),
    "a year of general practice": ("month", shapes.GP_MONTHS),
}
PATHWAYS = {
    "emergency": (EMERGENCIES, "a day in A&E, a week in A&E, a year in A&E", "boroughs", AE),
    "planned": (ELECTIVES, "daytime, a week of planned care, a year of planned care", "boroughs", ELECTIVE_SURGERY),
    "neighbourhood": (
        CONTACTS, "daytime, a week of general practice, a year of general practice", "neighbourhoods", GP,
    ),
}  # fmt: skip
"""Arrivals a year at scale 1, profiles, table of residence, and first step."""


def city(scale: float, mult: int, folder: str | Path) -> Path:
    """Write the model's files into a folder, made where it is not there; the path of the model file.

    `scale` multiplies arrivals (1 is ten million a year), `mult` the number of places. Raises ValueError unless
    both are above 0, and at most 100.
    """
    if not 0 < scale <= 100 or not 1 <= mult <= 100:
        raise ValueError(f"scale {scale:g} and mult {mult} must be above 0 and at most 100")
    where = area(mult)
    boroughs, sites = _names("Borough", len(where.boroughs)), _names("Site", where.catchment.shape[1])
    near = _names("Neighbourhood", len(where.neighbourhoods))
    places = [
        ("City", "root", ""),
        *((name, "borough", "City") for name in boroughs),
        *((name, "neighbourhood", boroughs[where.borough_of(n)]) for n, name in enumerate(near)),
    ]
    catchment = [
        (home, site, share)
        for home, row in zip(boroughs, where.catchment, strict=True)
        for site, share in zip(sites, _decimals(row), strict=True)
        if float(share) > 0
    ]
    at = {setting: sites if setting in AT_SITES else near if setting == GP else boroughs for setting in UTILISATION}
    units = [
        (setting, name, beds)
        for setting, all_beds in capacities(scale, where).items()
        for name, beds in zip(at[setting], all_beds, strict=True)
    ]
    folder = Path(folder)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    for name, columns, rows in (
        ("places", ("name", "level", "within"), places),
        ("sites", ("name", "within"), [(name, "City") for name in sites]),
        ("boroughs", ("place", "share"), zip(boroughs, _decimals(where.boroughs), strict=True)),
        ("neighbourhoods", ("place", "share"), zip(near, _decimals(where.neighbourhoods), strict=True)),
        ("catchment", ("place", "at", "share"), catchment),
        ("units", ("setting", "at", "capacity"), units),
    ):
        (folder / "tables" / f"{name}.csv").write_text(_table(columns, rows), encoding="utf-8", newline="\n")
    main = folder / "model.yaml"
    main.write_text(_text(scale, mult, where, len(units)), encoding="utf-8", newline="\n")
    return main


def city_model(scale: float, mult: int = 1) -> Model:
    """The city in any size, through its files and the loader that every model goes through."""
    with tempfile.TemporaryDirectory(prefix="flowsim-city-") as folder:
        return load_model(city(scale, mult, folder))


def _names(what: str, count: int) -> list[str]:
    """Numbered names that sort in their order."""
    return [f"{what} {number:0{len(str(count - 1))}d}" for number in range(count)]


def _decimals(shares: Floats) -> list[str]:
    """Shares in decimals that sum to 1 exactly: what rounding down leaves goes to the largest."""
    whole = [math.floor(share * 10**DIGITS) for share in shares.tolist()]
    whole[int(shares.argmax())] += 10**DIGITS - sum(whole)
    return [f"{number / 10**DIGITS:.{DIGITS}f}" for number in whole]


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    paper = io.StringIO()
    writer = csv.writer(paper, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return paper.getvalue()


def _text(scale: float, mult: int, where: Area, units: int) -> str:
    """The model file."""
    patients = round((EMERGENCIES + ELECTIVES + CONTACTS) * scale)
    size = SIZES.get(scale, f"A made-up city at scale {scale:g}") + (f" of {mult} times the places" if mult > 1 else "")
    sites, boroughs, near = where.catchment.shape[1], len(where.boroughs), len(where.neighbourhoods)
    description = (
        f"Scale {scale:g}, mult {mult}: {patients:,} patients a year of a city that has "
        f"{EMERGENCIES + ELECTIVES + CONTACTS:,} at scale 1. {sites} hospital sites, {boroughs} boroughs and "
        f"{near} neighbourhoods, made up to measure speed on something of a large city's size. "
        "Patients of A&E and of planned surgery go to sites by the catchment of their borough, those of general "
        "practice to the unit of their neighbourhood. A bed is kept until the next care can start, so that home care "
        "fills the wards, and the wards A&E. Every unit is as large as its load asks for. "
        "README.md says how to make another size."
    )
    wrapped = textwrap.fill(description, 108, initial_indent="  ", subsequent_indent="  ")
    settings = "\n".join(f"  {setting}: {{level: {LEVELS.get(setting, 'stp')}}}" for setting in UTILISATION)
    profiles = "\n".join(f"  {name}:\n    by: {by}\n" + _weights(weights) for name, (by, weights) in PROFILES.items())
    return f"""\
# Written by rebuild.py: another size is made there, and what the city is stands in flowsim/bench/city_parts.py.
flowsim: 1
name: city
title: "{size}: {units:,} units, {patients:,} patients a year"
description: >
{wrapped}
source: bench model
kind: assumed
start: 2001-01-01               # a Monday

places: tables/places.csv
sites: tables/sites.csv
settings:
{settings}
units: tables/units.csv

profiles:
{profiles}

groups:                         # a mark that every patient draws once
  urgency: {{urgent: {URGENT_SHARE:g}, other: {1 - URGENT_SHARE:g}}}

pathways:
{"".join(_pathway(name, scale, *PATHWAYS[name]) for name in PATHWAYS)}"""


def _pathway(name: str, scale: float, arrivals: int, profiles: str, residence: str, first: str) -> str:
    steps = onward(first)
    return f"""\
  {name}:
    arrivals:
      per_year: {arrivals * scale:.12g}
      profile: [{profiles}]
      residence: tables/{residence}.csv
    steps:
{"".join(_step(step, steps) for step in sorted(steps, key=lambda step: step != first))}"""


def _step(name: str, steps: Sequence[str]) -> str:
    """One step of a pathway that has these."""
    care = CARE[name]
    lines = [f"in: {care.setting}"]
    if name in (AE, ELECTIVE_SURGERY):
        lines.append("at: {shares: tables/catchment.csv}")
    elif care.setting in AT_SITES:
        lines.append("at: same site")
    if name == AE:
        lines.append("priority: {by: urgency, urgent: 0, other: 1}")
    elif name == ELECTIVE_SURGERY:
        lines.append("priority: 1               # after emergencies")
    holds = [step for step in care.holds if step in steps]
    if holds:
        lines.append(f"holds: {holds[0]}" if len(holds) == 1 else f"holds: [{', '.join(holds)}]")
        lines.append(f"waits_for: {care.waits_for}")
    lines.append(f"stay: {{lognormal: {{mean: {_hours(care.hours)}, cv: {care.cv:g}}}}}")
    if sum(care.then.values()) == 1:
        lines.append(f"then: {next(iter(care.then))}")
    elif care.then:
        shares = ", ".join(f"{then}: {share:g}" for then, share in care.then.items())
        lines.append(f"then: {{{shares}, leave: rest}}")
    return f"      {name}:\n" + "".join(f"        {line}\n" for line in lines)


def _weights(weights: Sequence[float]) -> str:
    half = (len(weights) + 1) // 2 if len(weights) > 12 else len(weights)
    rows = [", ".join(f"{weight:g}" for weight in weights[at : at + half]) for at in range(0, len(weights), half)]
    return f"    weights: [{(',' + chr(10) + ' ' * 14).join(rows)}]"


def _hours(hours: float) -> str:
    return f"{hours:g} hour" + ("" if hours == 1 else "s")
