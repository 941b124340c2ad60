"""Rebuilds every derived table of the London model from the rows in `sources/`, and the models from their parts.

    python configs/london/rebuild.py          writes tables/, the three models and calibration.yaml
    python configs/london/rebuild.py --check  says which of these are not current, and ends with 1 if any is

people.py, hospitals.py, beds.py and community.py say what is read, derived and assumed, each in its field; parts.py
makes what there is one of for each site or trust, targets.py what the model is fitted to, forms.py its larger forms.
"""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import beds
import community
import forms
import hospitals
import numpy as np
import parts
import people
import targets
from numpy.typing import NDArray
from people import BANDS, CHILDREN, Rates, boroughs, people_of, residences

HERE = Path(__file__).resolve().parent
Lines = list[Sequence[object]]
MEDICAL_STAY_DAYS = 4.35  # clinical stay of an adult medical admission that stays a night, mean over ages


def places_table() -> Lines:
    """London, its STPs, boroughs and neighbourhoods, and where patients from outside come from."""
    lines: Lines = [("name", "level", "within", "latitude", "longitude", "share", "kind", "source")]
    lines.append(("London", "root", "", 51.5074, -0.1278, "", "assumed", "general knowledge: centre of London"))
    middle = "mean of its boroughs' centres"
    for stp in people.STPS:
        mine = [row for row in boroughs().values() if row["stp"] == stp]
        lat, lon = (round(sum(float(row[key]) for row in mine) / len(mine), 5) for key in ("lat", "lon"))
        lines.append((stp, "stp", "London", lat, lon, "", "derived", middle))
    lines.append(("Outside London", "stp", "London", 51.5074, -0.1278, "", "assumed", "general knowledge"))
    for name, row in boroughs().items():
        said = "centroid of the ONS boundary, sources/borough_geography.csv"
        lines.append((name, "borough", row["stp"], row["lat"], row["lon"], "", "derived", said))
    for name, lat, lon in people.OUTSIDE.values():
        lines.append((name, "borough", "Outside London", lat, lon, "", "assumed", "a point on the way into the STP"))
    said = "an equal part of its borough, without a boundary of its own; points spread over the borough's area"
    for borough in boroughs():
        for name, share, lat, lon in people.neighbourhoods(borough):
            lines.append((name, "neighbourhood", borough, lat, lon, share, "assumed", said))
    return lines


def sites_table() -> Lines:
    """Every site with its trust, within its STP."""
    said = "humaniverse/geographr points_hospitals22, sources/acute_sites.csv"
    used = {str(line[1]) for line in unit_lines()}
    rows = [
        (name, row["stp"], row["lat"], row["lon"], parts.TRUSTS[row["trust_code"]], "read", said)
        for name, row in hospitals.sites().items()
        if name in used
    ]
    return [("name", "within", "latitude", "longitude", "trust", "kind", "source"), *rows]


def population_table() -> Lines:
    """People by borough, and those outside who look to London's hospitals."""
    lines: Lines = [("place", "age_band", "year", "people", "variant")]
    for variant in people.VARIANTS:
        for place in residences():
            for year in people.YEARS:
                mine = people_of(place, year, variant)
                lines += [(place, band, year, round(mine[band], 1), variant) for band in BANDS]
    return lines


# --- flows ---


def shares_table(names: list[str], flow: NDArray[np.float64]) -> Lines:
    """Shares of each place's patients by site, in millionths; every row sums to 1."""
    lines: Lines = [("place", "at", "share")]
    for place, row in zip(residences(), flow, strict=True):
        if row.sum() <= 0:
            continue
        exact = row / row.sum() * 1_000_000
        counts = np.floor(exact).astype(int)
        for i in np.argsort(counts - exact, kind="stable")[: 1_000_000 - counts.sum()]:
            counts[i] += 1
        lines += [(place, name, f"{one / 1_000_000:.6f}") for name, one in zip(names, counts, strict=True) if one]
    return lines


def flows() -> dict[str, tuple[list[str], NDArray[np.float64]]]:
    """Flows by kind: sites, and patients from each residence to each site."""
    year, rates = beds.patients(), community.emergency_rates()
    urgent, home = hospitals.walk_ins()
    found: dict[str, tuple[list[str], NDArray[np.float64]]] = {}

    def near(kind: str, need: Rates, reach: str) -> None:
        names = list(year[kind])
        prior = hospitals.near(names, hospitals.REACH_KM[reach])
        found[kind] = names, hospitals.fitted(prior, need, year[kind])

    for kind, need in (
        ("attendance", home),
        ("direct", rates["direct"]),
        ("maternity", people.shaped(people.BIRTH_SHAPE)),
    ):
        names = list(year[kind])
        found[kind] = names, hospitals.fitted(hospitals.emergency_prior(names), need, year[kind])
    # One need of admission everywhere; whether it is without a night is what its trust makes of it.
    names = list(year["stay"])
    every = {name: year["stay"][name] + year["same day"][name] for name in names}
    admitted = hospitals.fitted(hospitals.emergency_prior(names), rates["admitted"], every)
    without = np.array([year["same day"][name] / every[name] for name in names])
    found["same day"], found["stay"] = (names, admitted * without), (names, admitted * (1 - without))
    ordinary = people.with_children(people.adult_rates("ordelec_n"), people.PLANNED_CHILD_PER_1000)
    near("urgent", urgent, "A&E")
    near("operations", ordinary, "planned")
    near("orthopaedics", ordinary, "planned")
    near("hyper-acute stroke", people.shaped(people.STROKE_SHAPE), "network")
    near("stroke", people.shaped(people.STROKE_SHAPE), "A&E")
    near("trauma", people.shaped(people.TRAUMA_SHAPE), "network")
    for kind in ("specialist", "critical"):
        names = [name for name in year[kind] if name != parts.CHILDREN_AT]
        flow = np.zeros((len(residences()), len(names)))
        for j, name in enumerate(names):
            shares = hospitals.catchment(hospitals.sites()[name]["trust_code"])
            flow[:, j] = [year[kind][name] * shares[place] for place in residences()]
        found[kind] = names, flow
    return found


# --- need ---


def need_table(rates: Rates) -> Lines:
    """Need per 1,000 people a year by age band, alike everywhere."""
    return [("age_band", "per_1000_a_year"), *((band, round(rates[band], 5)) for band in BANDS)]


def need_by_place(shape: Rates, patients: dict[str, float]) -> Lines:
    """Need per 1,000 by place and age band: of one shape, so many patients a year from each place."""
    lines: Lines = [("place", "age_band", "per_1000_a_year")]
    for place, number in patients.items():
        rates = people.scaled(shape, number, people_of(place)) if number > 0 else dict.fromkeys(BANDS, 0.0)
        lines += [(place, band, round(rates[band], 5)) for band in BANDS]
    return lines


def needs() -> dict[str, Lines]:
    """Every table of need by name."""
    rates, year = community.emergency_rates(), beds.patients()
    urgent, home = hospitals.walk_ins()
    older = {band: rate if band not in CHILDREN else 0.0 for band, rate in community.nursing_rates(1).items()}
    ordinary = people.with_children(people.adult_rates("ordelec_n"), people.PLANNED_CHILD_PER_1000)
    adults = {band: 0.0 if band in CHILDREN else ordinary[band] for band in BANDS}
    day = people.with_children(people.adult_rates("daycase_n"), people.DAY_CASE_CHILD_PER_1000)
    share = {"orthopaedics": hospitals.ORTHOPAEDIC_SHARE, "operations": 1 - hospitals.ORTHOPAEDIC_SHARE}
    theatre = {"day_surgery": hospitals.THEATRE_DAY_SHARE, "day_treatment": 1 - hospitals.THEATRE_DAY_SHARE}
    planned = hospitals.london()["ordinary"]
    tables = {
        "urgent_treatment": need_table(urgent),
        "attendance": need_table(home),
        "referred_directly": need_table(rates["direct"]),
        "stroke": need_table(
            people.scaled(people.shaped(people.STROKE_SHAPE), sum(year["hyper-acute stroke"].values()))
        ),
        "major_trauma": need_table(people.scaled(people.shaped(people.TRAUMA_SHAPE), sum(year["trauma"].values()))),
        "maternity": need_table(people.scaled(people.shaped(people.BIRTH_SHAPE), sum(year["maternity"].values()))),
        "rapid_response": need_table(
            {band: community.GP_RAPID_RESPONSE_PER_1000 if people.low_age(band) >= 65 else 0.0 for band in BANDS}
        ),
        "childrens_specialist": need_table(
            people.scaled({b: float(b in CHILDREN) for b in BANDS}, year["specialist"][parts.CHILDREN_AT])
        ),
    }
    for kind, part in share.items():
        tables[kind] = need_table(people.scaled(ordinary, planned * part))
    for kind, part in theatre.items():
        tables[kind] = need_table({band: day[band] * part for band in BANDS})
    every = flows()
    for kind, name in (("specialist", "specialist_care"), ("critical", "planned_critical_care")):
        tables[name] = need_by_place(adults, dict(zip(residences(), every[kind][1].sum(axis=1), strict=True)))
    for kind, name, part in (
        ("stay", "admitted_to_stay", 1 - hospitals.RETURN_SHARE),
        ("same day", "same_day", 1.0),
    ):
        patients = every[kind][1].sum(axis=1) * part
        tables[name] = need_by_place(rates[kind], dict(zip(residences(), patients, strict=True)))
    shapes = {
        "home care": older,
        "care home": community.care_home_shape(),
        "care home of others": community.care_home_shape(),
    }
    for kind, shape in shapes.items():
        from_home = {place: one.from_home for place, one in community.care()[kind].items()}
        tables[kind.replace(" ", "_")] = need_by_place(shape, from_home)
    return {f"need_{name}": lines for name, lines in tables.items()}


def stay_table(mean_days: float) -> Lines:
    """Mean stay by age: the shape of London's mean emergency stay in 2022, with the mean given over adults who stay."""
    shape = people.emergency_stay()
    stays = community.emergency_rates()["stay"]
    weight = {band: stays[band] * people.everybody()[band] for band in BANDS if band not in CHILDREN}
    mean = sum(shape[band] * one for band, one in weight.items()) / sum(weight.values())
    return [("age_band", "mean_days"), *((band, round(shape[band] / mean * mean_days, 3)) for band in BANDS)]


# --- units, first day ---


def unit_lines() -> list[beds.Line]:
    """Every unit of hospitals and boroughs."""
    lines = beds.units()
    said = {
        "reablement": (
            "room for 1 of each 1.07 asked for, as in the fitted Croydon, moved by the hours reported (community.py)"
        ),
        "home care": "42,000 packages in London (assumed), by people of 65 and over",
        "intermediate care": "room for 1 of each 1.14 asked for, as in the fitted Croydon (community.py)",
        "care home": "residents paid by the council 2018/19, 0.99 full (assumed)",
        "care home of others": "7.0 places for 100 people of 75 and over (assumed), less those of the council",
        "rapid response": "room for 1 of each 0.78 asked for, as in the fitted Croydon (community.py)",
    }
    for kind, of_place in community.care().items():
        lines += [(kind, place, one.capacity, "beds", "derived", said[kind]) for place, one in of_place.items()]
    return lines


def units_table() -> Lines:
    """Units: setting, at, capacity, of, kind, source."""
    return [("setting", "at", "capacity", "of", "kind", "source"), *unit_lines()]


def tables() -> dict[str, Lines]:
    """Every derived table by name."""
    made: dict[str, Lines] = {
        "places": places_table(),
        "sites": sites_table(),
        "population": population_table(),
        "units": units_table(),
        "first_day": parts.first_day_table(unit_lines()),
        "medical_stay": stay_table(MEDICAL_STAY_DAYS),
        "surgical_stay": stay_table(0.75 * MEDICAL_STAY_DAYS),
        "needs_after_hospital": list(community.needs_table()),
        "routes_from_emergency": list(community.routes_table(leave=False)),
        "routes_from_assessment": list(community.routes_table(leave=True)),
    }
    made |= needs() | forms.tables(made["units"], made["first_day"])
    made |= {f"need_{name}": need_table(rates) for name, rates in forms.needs().items()}
    made |= {f"need_{name}": need_by_place(*one) for name, one in forms.needs_by_place().items()}
    every = flows() | forms.flows()
    return made | {f"flows_{kind.replace(' ', '_')}": shares_table(*flow) for kind, flow in every.items()}


# --- writing ---


def text(lines: Iterable[Sequence[object]]) -> str:
    """Lines as a CSV file."""
    csv.writer(buffer := io.StringIO(), lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    """Writes or checks the tables and models; 1 if `--check` finds one that is not current."""
    stale = []
    wanted = {HERE / "tables" / f"{name}.csv": text(lines) for name, lines in tables().items()}
    wanted[HERE / "model.yaml"] = parts.model((HERE / "written.yaml").read_text("utf-8"), unit_lines())
    wanted |= {HERE / f"{name}.yaml": one for name, one in forms.models(wanted[HERE / "model.yaml"]).items()}
    wanted[HERE / "calibration.yaml"] = targets.calibration()
    for path, content in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(path.name)
            if "--check" not in arguments:
                path.write_text(content, encoding="utf-8")
    sys.stdout.write(f"{len(stale)} files changed: {', '.join(stale)}\n" if stale else "all files are current\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
