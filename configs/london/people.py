"""People of London: places, population, and need by age, from the rows in `sources/`. Used by rebuild.py."""

from __future__ import annotations

import csv
from functools import cache
from math import cos, pi, radians, sin, sqrt
from pathlib import Path

HERE = Path(__file__).resolve().parent
Row = dict[str, str]
Rates = dict[str, float]
"""A figure for each five-year band of age."""

YEARS = range(2018, 2042)
BANDS = (*(f"{age}-{age + 4}" for age in range(0, 90, 5)), "90+")
CHILDREN = BANDS[:3]
ADULTS = BANDS[3:]
VARIANTS = ("principal", "high migration", "low migration")
WIDE = {0: "0-4", 5: "5-16", 15: "17-64", 65: "65-74", 75: "75-84", 85: "85+"}
"""First age of six broad bands."""

# --- assumed: general knowledge, no source read ---
TYPE_1_CHILD_PER_1000 = {"0-4": 520.0, "5-16": 240.0}  # A&E type 1 attendances a year
ALL_TYPES_CHILD_PER_1000 = {"0-4": 800.0, "5-16": 380.0}  # A&E attendances of all types
ADMITTED_CHILD_PER_1000 = {"0-4": 150.0, "5-16": 35.0}  # emergency admissions
PLANNED_CHILD_PER_1000 = {"0-4": 4.0, "5-16": 4.0}  # ordinary planned admissions
DAY_CASE_CHILD_PER_1000 = {"0-4": 26.0, "5-16": 26.0}
SAME_DAY_CHILD_SHARE = 0.60  # of emergency admissions at ages 0-14 have no night
OUTSIDE = {  # where the patients from beyond London come from: a point on the way into each STP
    "North West London": ("Outside, north west", 51.655, -0.42),
    "North Central London": ("Outside, north", 51.71, -0.12),
    "North East London": ("Outside, north east", 51.60, 0.28),
    "South East London": ("Outside, south east", 51.40, 0.21),
    "South West London": ("Outside, south west", 51.33, -0.30),
}
STPS = tuple(OUTSIDE)
OUTSIDE_PLACES = tuple(name for name, _, _ in OUTSIDE.values())
STROKE_SHAPE = [0.01] * 8 + [0.1, 0.25, 0.5, 0.9, 1.3, 2.0, 3.2, 5.0, 8.0, 11.0, 14.0]
TRAUMA_SHAPE = [0.1] * 3 + [0.4] * 10 + [0.4, 0.4, 0.6, 0.8, 1.2, 1.2]
BIRTH_SHAPE = [0.0] * 3 + [0.02, 0.12, 0.25, 0.32, 0.22, 0.06, 0.01] + [0.0] * 9
NEEDS_CARE = [0.0] * 3 + [0.05] * 7 + [0.06, 0.07, 0.09, 0.14, 0.19, 0.27, 0.35, 0.42, 0.48]
"""Share of those discharged who need home care, intermediate care or a care home first."""


@cache
def source(name: str) -> tuple[Row, ...]:
    """Rows of `sources/name.csv`."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def rows(name: str, /, **where: str) -> list[Row]:
    """Rows of a table whose columns have the values given; there must be some."""
    found = [row for row in source(name) if all(row[key] == value for key, value in where.items())]
    if not found:
        raise SystemExit(f"sources/{name}.csv has no row with {where}")
    return found


# --- places ---


@cache
def boroughs() -> dict[str, Row]:
    """London's boroughs by name, with stp, lat, lon and number of neighbourhoods."""
    return {row["borough"]: row for row in source("borough_geography")}


def neighbourhoods(borough: str) -> list[tuple[str, float, float, float]]:
    """(name, share of the borough's people, latitude, longitude): equal parts of some 50,000.

    They have no boundaries of their own: their points lie evenly in a disc of the borough's area (assumed).
    """
    row = boroughs()[borough]
    count = int(row["suggested_neighbourhoods_50k"])
    radius = sqrt(float(row["area_km2_approx"]) / pi) / 111.2  # degrees of latitude
    share = round(1 / count, 4)
    found = []
    for i in range(count):
        angle, away = i * pi * (3 - sqrt(5)), radius * sqrt((i + 0.5) / count) if count > 1 else 0.0
        lat = float(row["lat"]) + away * sin(angle)
        lon = float(row["lon"]) + away * cos(angle) / cos(radians(float(row["lat"])))
        part = share if i < count - 1 else round(1 - share * (count - 1), 4)
        found.append((f"{borough} {i + 1}", part, round(lat, 5), round(lon, 5)))
    return found


# --- population ---


def low_age(band: str) -> int:
    """The first age of a band."""
    return int(band.rstrip("+").split("-")[0])


def wide(band: str) -> str:
    """The broad band in which a five-year band begins."""
    return WIDE[max(low for low in WIDE if low <= low_age(band))]


def in_bands(per_person: Rates) -> Rates:
    """Five-year bands with the figures of six broad ones; 15-19 is two fifths a child and three fifths an adult."""
    rates = {band: per_person[wide(band)] for band in BANDS}
    return rates | {"15-19": 0.4 * per_person["5-16"] + 0.6 * per_person["17-64"]}


@cache
def population(variant: str) -> dict[tuple[str, int, str], float]:
    """People by borough, year and band.

    The principal projection is read. High and low migration are published for broad bands in some years only: their
    ratio to the principal one, straight lines between those years and 1 in 2018, is put on its five-year bands.
    """
    principal = {
        (row["borough"], int(row["year"]), row["age_band"]): float(row["population"])
        for row in source("borough_population_snpp2018_5yr_bands_annual")
        if int(row["year"]) in YEARS
    }
    if variant == "principal":
        return principal
    known: dict[tuple[str, str, int, str], float] = {}
    for row in source("borough_population_by_age"):
        basis = row["basis"].partition("projection (")[2].rstrip(")")
        if basis in ("principal", variant):
            known[row["borough"], basis, int(row["year"]), row["age_band"]] = float(row["population"])
    years = sorted({year for _, basis, year, _ in known if basis == variant})

    def ratio(borough: str, year: int, band: str) -> float:
        def at(one: int) -> float:
            return known[borough, variant, one, band] / known[borough, "principal", one, band] if one > 2018 else 1.0

        before = max(one for one in (2018, *years) if one <= year)
        after = min(one for one in (2018, *years) if one >= year)
        weight = (year - before) / (after - before) if after > before else 0.0
        return at(before) * (1 - weight) + at(after) * weight

    found = {}
    for borough in boroughs():
        for year in YEARS:
            ratios = in_bands({band: ratio(borough, year, band) for band in WIDE.values()})
            for band in BANDS:
                found[borough, year, band] = principal[borough, year, band] * ratios[band]
    return found


@cache
def outside_factor(stp: str) -> float:
    """People outside who look to an STP's hospitals, as a share of the STP's own people.

    As many as give the part of its trusts' admissions through A&E that comes from outside London (read, of all
    admissions; A&E's part is likely smaller), with the STP's ages and London's need (assumed).
    """
    outside = {row["trust_code"]: float(row["share_from_outside_london"]) for row in source("trust_patient_origin")}
    admitted = {row["trust_code"]: float(row["admissions"]) for row in source("trust_ae_annual") if row["type"] == "1"}
    of_stp = {row["trust_code"] for row in source("acute_trusts") if row["stp"] == stp} & set(admitted)
    coming = sum(outside[code] * admitted[code] for code in of_stp)
    return coming / (sum(admitted[code] for code in of_stp) - coming)


def people_of(place: str, year: int = 2018, variant: str = "principal") -> Rates:
    """People of a borough, or of a place outside who look to London's hospitals, by band."""
    if place in boroughs():
        return {band: population(variant)[place, year, band] for band in BANDS}
    stp = next(stp for stp, (name, _, _) in OUTSIDE.items() if name == place)
    factor = outside_factor(stp)
    of_stp = [borough for borough, row in boroughs().items() if row["stp"] == stp]
    return {band: factor * sum(population(variant)[one, year, band] for one in of_stp) for band in BANDS}


@cache
def residences() -> tuple[str, ...]:
    """Boroughs and places outside, in the order of every table."""
    return (*sorted(boroughs()), *OUTSIDE_PLACES)


@cache
def everybody() -> Rates:
    """All who look to London's hospitals in 2018, by band."""
    return {band: sum(people_of(place)[band] for place in residences()) for band in BANDS}


# --- need ---


@cache
def adult_rates(*groups: str) -> Rates:
    """London's rates of 2022 per 1,000 a year by five-year band, groups summed; 15-19 has those of 17-19."""
    rates = dict.fromkeys(ADULTS, 0.0)
    for row in source("activity_rates_by_age_2022"):
        if row["geography_level"] == "London" and row["banding"] == "5yr" and row["group"] in groups:
            rates["15-19" if row["age_band"] == "17-19" else row["age_band"]] += float(row["rate_per_1000"])
    return rates


@cache
def emergency_stay() -> Rates:
    """London's mean emergency stay of 2022 in days by five-year band; children and 15-19 have that of 17-19."""
    days = {
        row["age_band"]: float(row["mean_los_emergency_days"])
        for row in rows("mean_los_by_age_2022", geography_level="London", banding="5yr")
    }
    return {band: days.get(band, days["17-19"]) for band in BANDS}


def with_children(adults: Rates, children: Rates) -> Rates:
    """Rates of all bands: 15-19 is two fifths a child of 5-16 and three fifths an adult."""
    rates = {"0-4": children["0-4"], "5-9": children["5-16"], "10-14": children["5-16"], **adults}
    rates["15-19"] = 0.4 * children["5-16"] + 0.6 * adults["15-19"]
    return rates


def total(rates: Rates, people: Rates) -> float:
    """Patients a year of rates per 1,000."""
    return sum(rates[band] * people[band] / 1000 for band in BANDS)


def scaled(shape: Rates, patients: float, people: Rates | None = None) -> Rates:
    """The rates of a shape that make so many patients a year of these people, of everybody if left out."""
    people = people or everybody()
    now = total(shape, people)
    return {band: shape[band] * patients / now for band in BANDS}


def shaped(values: list[float]) -> Rates:
    """A shape by band."""
    return dict(zip(BANDS, values, strict=True))
