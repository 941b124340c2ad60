"""Hospitals of London: sites, what each does in a year, and from where its patients come. Used by rebuild.py."""

from __future__ import annotations

from functools import cache
from math import cos, exp, hypot, radians

import numpy as np
from numpy.typing import NDArray
from people import (
    ADMITTED_CHILD_PER_1000,
    ALL_TYPES_CHILD_PER_1000,
    BANDS,
    DAY_CASE_CHILD_PER_1000,
    OUTSIDE,
    PLANNED_CHILD_PER_1000,
    TYPE_1_CHILD_PER_1000,
    Rates,
    adult_rates,
    boroughs,
    everybody,
    people_of,
    residences,
    rows,
    scaled,
    source,
    total,
    with_children,
)

Sites = dict[str, float]
"""A figure for each site."""

# --- assumed: how the work of a trust lies at its sites; no source read ---
A_AND_E = {
    "RYJ": {"St Mary's Hospital": 0.55, "Charing Cross Hospital": 0.45},
    "RQM": {"Chelsea and Westminster Hospital": 0.47, "West Middlesex University Hospital": 0.53},
    "R1K": {"Northwick Park Hospital": 0.68, "Ealing Hospital": 0.32},
    "RAS": {"Hillingdon Hospital": 1.0},
    "RRV": {"University College Hospital": 1.0},
    "RAL": {"Royal Free Hospital": 0.48, "Barnet Hospital": 0.52},
    "RKE": {"Whittington Hospital": 1.0},
    "RAP": {"North Middlesex University Hospital": 1.0},
    "R1H": {"Royal London Hospital": 0.38, "Whipps Cross Hospital": 0.34, "Newham University Hospital": 0.28},
    "RF4": {"Queen's Hospital Romford": 0.68, "King George Hospital": 0.32},
    "RQX": {"Homerton University Hospital": 1.0},
    "RJ1": {"St Thomas' Hospital": 1.0},
    "RJZ": {"King's College Hospital (Denmark Hill)": 0.58, "Princess Royal University Hospital": 0.42},
    "RJ2": {"University Hospital Lewisham": 0.5, "Queen Elizabeth Hospital Woolwich": 0.5},
    "RJ7": {"St George's Hospital": 1.0},
    "RVR": {"St Helier Hospital": 0.58, "Epsom Hospital (Surrey)": 0.42},
    "RJ6": {"Croydon University Hospital": 1.0},
    "RAX": {"Kingston Hospital": 1.0},
}
"""Type 1 attendances and admissions of each trust with a type 1 A&E, by site."""
URGENT = {
    "RYJ": {
        "Western Eye Hospital": 0.29,
        "St Mary's Hospital": 0.25,
        "Charing Cross Hospital": 0.25,
        "Hammersmith Hospital": 0.21,
    },
    "RQM": {"Chelsea and Westminster Hospital": 0.45, "West Middlesex University Hospital": 0.55},
    "R1K": {"Northwick Park Hospital": 0.4, "Ealing Hospital": 0.3, "Central Middlesex Hospital": 0.3},
    "RAS": {"Hillingdon Hospital": 0.7, "Mount Vernon Hospital": 0.3},
    "RAL": {"Royal Free Hospital": 0.3, "Barnet Hospital": 0.2, "Chase Farm Hospital": 0.5},
    "RAP": {"North Middlesex University Hospital": 1.0},
    "RP6": {"Moorfields Eye Hospital": 1.0},
    "R1H": {"Royal London Hospital": 0.4, "Whipps Cross Hospital": 0.3, "Newham University Hospital": 0.3},
    "RF4": {"Queen's Hospital Romford": 0.55, "King George Hospital": 0.45},
    "RJ1": {"St Thomas' Hospital": 0.45, "Guy's Hospital": 0.55},
    "RJZ": {"King's College Hospital (Denmark Hill)": 0.45, "Princess Royal University Hospital": 0.55},
    "RJ2": {"University Hospital Lewisham": 0.45, "Queen Elizabeth Hospital Woolwich": 0.55},
    "RJ7": {"Queen Mary's Hospital Roehampton": 1.0},
    "RVR": {"St Helier Hospital": 0.6, "Epsom Hospital (Surrey)": 0.4},
    "RJ6": {"Croydon University Hospital": 1.0},
    "RAX": {"Kingston Hospital": 1.0},
}
"""Attendances that are not of type 1, by site: urgent treatment, minor injuries, eyes."""
PLANNED = {
    "RYJ": {"Charing Cross Hospital": 0.6, "Hammersmith Hospital": 0.4},
    "RQM": {"Chelsea and Westminster Hospital": 0.6, "West Middlesex University Hospital": 0.4},
    "R1K": {"Northwick Park Hospital": 0.5, "Central Middlesex Hospital": 0.5},
    "RAS": {"Hillingdon Hospital": 0.5, "Mount Vernon Hospital": 0.5},
    "RAL": {"Royal Free Hospital": 0.5, "Barnet Hospital": 0.2, "Chase Farm Hospital": 0.3},
    "R1H": {"Royal London Hospital": 0.5, "Whipps Cross Hospital": 0.3, "Newham University Hospital": 0.2},
    "RF4": {"Queen's Hospital Romford": 0.6, "King George Hospital": 0.4},
    "RJ1": {"St Thomas' Hospital": 0.4, "Guy's Hospital": 0.6},
    "RJZ": {"King's College Hospital (Denmark Hill)": 0.6, "Princess Royal University Hospital": 0.4},
    "RVR": {"St Helier Hospital": 0.6, "Epsom Hospital (Surrey)": 0.4},
}
"""Planned operations and day cases by site, where not as A_AND_E."""
ORTHOPAEDIC = {
    "RYJ": {"Charing Cross Hospital": 1.0},
    "R1K": {"Central Middlesex Hospital": 1.0},
    "RAS": {"Mount Vernon Hospital": 1.0},
    "RAL": {"Chase Farm Hospital": 0.7, "Royal Free Hospital": 0.3},
    "RF4": {"King George Hospital": 1.0},
    "RJ1": {"Guy's Hospital": 0.8, "St Thomas' Hospital": 0.2},
    "RJZ": {
        "Orpington Hospital": 0.6,
        "King's College Hospital (Denmark Hill)": 0.2,
        "Princess Royal University Hospital": 0.2,
    },
    "RVR": {"Epsom Hospital (Surrey)": 1.0},
}
"""Planned orthopaedic operations by site, where not as A_AND_E."""
SPECIALIST = {
    "RYJ": {"Hammersmith Hospital": 0.6, "Charing Cross Hospital": 0.2, "St Mary's Hospital": 0.2},
    "RRV": {"University College Hospital": 0.55, "National Hospital for Neurology and Neurosurgery": 0.45},
    "RAL": {"Royal Free Hospital": 1.0},
    "R1H": {"St Bartholomew's Hospital": 0.6, "Royal London Hospital": 0.4},
    "RF4": {"Queen's Hospital Romford": 1.0},
    "RJ1": {"Guy's Hospital": 0.5, "St Thomas' Hospital": 0.5},
    "RJZ": {"King's College Hospital (Denmark Hill)": 1.0},
    "RT3": {"Royal Brompton Hospital": 0.6, "Harefield Hospital": 0.4},
    "RP4": {"Great Ormond Street Hospital": 1.0},
    "RP6": {"Moorfields Eye Hospital": 1.0},
    "RAN": {"Royal National Orthopaedic Hospital": 1.0},
    "RPY": {"Royal Marsden Chelsea": 0.55, "Royal Marsden Sutton": 0.45},
}
"""Specialist and other beds by site, where not as A_AND_E."""
TEACHING = {"RYJ", "RRV", "RAL", "R1H", "RJ1", "RJZ", "RJ7"}
SPECIALIST_TRUSTS = ("RT3", "RP4", "RP6", "RAN", "RPY")
PLANNED_WEIGHT = {"teaching": 1.2, "general": 0.6}  # planned operations for each bed of a trust, relative
ORTHOPAEDIC_SHARE = 0.22  # of ordinary planned operations
THEATRE_DAY_SHARE = 0.40  # of day cases; the others are endoscopies, injections, infusions
DIRECT_SHARE = 0.22  # of emergency admissions, not through A&E
SAME_DAY_SHARE = 0.32  # of emergency admissions, no night in a bed: London
RETURN_SHARE = 0.137  # of admissions through A&E that stay, by people who come back: the model makes these itself
TRAUMA_PER_1000 = 0.39  # of people, a year, taken to a major trauma centre
LEAST_SHARE = 0.0015  # of a place: smaller flows are left out, as the published ones are
REACH_KM = {"A&E": 3.5, "planned": 6.0, "network": 6.0}  # how fast flows fade with distance, where no flow is read


# --- sites and trusts ---


@cache
def sites() -> dict[str, dict[str, str]]:
    """Every site by name: trust, stp, lat, lon, role."""
    return {row["site"]: row for row in source("acute_sites")}


@cache
def trusts() -> dict[str, str]:
    """STP of each trust."""
    return {row["trust_code"]: row["stp"] for row in source("acute_trusts")}


def at_sites(split: dict[str, dict[str, float]], trust: str) -> dict[str, float]:
    """How some work of a trust lies at its sites; as A&E does if nothing else is said."""
    return split.get(trust) or A_AND_E[trust]


def by_site(split: dict[str, dict[str, float]], of_trust: dict[str, float]) -> Sites:
    """Figures of trusts put at their sites."""
    found: Sites = {}
    for trust, figure in of_trust.items():
        for site, part in at_sites(split, trust).items():
            if figure * part > 0:
                found[site] = found.get(site, 0.0) + figure * part
    return found


@cache
def attendances() -> dict[str, dict[str, float]]:
    """Attendances and admissions through A&E of 2018/19 by trust: type 1, other, admitted."""
    found: dict[str, dict[str, float]] = {}
    for row in source("trust_ae_annual"):
        mine = found.setdefault(row["trust_code"], {"type 1": 0.0, "other": 0.0, "admitted": 0.0})
        mine["type 1" if row["type"] == "1" else "other"] += float(row["attendances"])
        mine["admitted"] += float(row["admissions"] or 0)
    return found


@cache
def kh03(column: str) -> dict[str, float]:
    """Mean of the four quarters of 2018/19 by trust."""
    found: dict[str, list[float]] = {}
    for row in rows("trust_beds_quarterly_kh03", financial_year="2018-19"):
        if row[column]:
            found.setdefault(row["trust_code"], []).append(float(row[column]))
    return {trust: sum(values) / len(values) for trust, values in found.items()}


def beds() -> dict[str, float]:
    """General and acute beds by trust."""
    return kh03("kh03_avail_ga_avg_beds")


def occupied() -> dict[str, float]:
    """General and acute beds in use at midnight by trust."""
    return kh03("kh03_occ_ga_avg_beds")


@cache
def critical_care() -> dict[str, tuple[float, float]]:
    """(beds open, beds in use) of adult critical care in winter by trust."""
    return {
        row["trust_code"]: (
            float(row["adult_critical_care_beds_open_mean"]),
            float(row["adult_critical_care_beds_occupied_mean"]),
        )
        for row in source("trust_winter_sitrep_2018_19")
        if row["trust_code"] in trusts()
    }


# --- need of London, by age ---


@cache
def london() -> dict[str, float]:
    """A year of London's hospitals: patients by kind."""
    found = {kind: sum(one[kind] for one in attendances().values()) for kind in ("type 1", "other", "admitted")}
    ordinary = with_children(adult_rates("ordelec_n"), PLANNED_CHILD_PER_1000)
    day = with_children(adult_rates("daycase_n"), DAY_CASE_CHILD_PER_1000)
    found["ordinary"] = total(ordinary, everybody())
    found["day cases"] = total(day, everybody())
    strokes = [float(row["catchment_stroke_admissions_per_year"] or 0) for row in source("stroke_units_london")]
    found["strokes"] = sum(strokes)
    found["trauma"] = TRAUMA_PER_1000 / 1000 * sum(everybody().values())
    return found


@cache
def emergencies() -> Rates:
    """Emergency admissions per 1,000 a year by band, whether through A&E or not."""
    shape = with_children(adult_rates("emer_n"), ADMITTED_CHILD_PER_1000)
    return scaled(shape, london()["admitted"] / (1 - DIRECT_SHARE))


@cache
def walk_ins() -> tuple[Rates, Rates]:
    """Attendances per 1,000 a year by band: not of type 1; of type 1 and sent home."""
    year, minor = london(), {}
    for age, every in ALL_TYPES_CHILD_PER_1000.items():
        minor[age] = every - TYPE_1_CHILD_PER_1000[age]
    urgent = scaled(with_children(adult_rates("walkin"), minor), year["other"])
    type_1 = scaled(with_children(adult_rates("amb", "walkin"), TYPE_1_CHILD_PER_1000), year["type 1"])
    home = {band: type_1[band] - emergencies()[band] * (1 - DIRECT_SHARE) for band in BANDS}
    return urgent, scaled(home, year["type 1"] - year["admitted"])


# --- flows ---


def distance(place: str, site: str) -> float:
    """Kilometres as the crow flies from a borough's centre, or a point outside, to a site."""
    if place in boroughs():
        lat, lon = float(boroughs()[place]["lat"]), float(boroughs()[place]["lon"])
    else:
        lat, lon = next((one, other) for name, one, other in OUTSIDE.values() if name == place)
    there = sites()[site]
    north = (float(there["lat"]) - lat) * 111.2
    east = (float(there["lon"]) - lon) * 111.2 * cos(radians(51.5))
    return hypot(north, east)


def near(names: list[str], reach: float) -> NDArray[np.float64]:
    """Weights that fade with distance, residences x sites."""
    return np.array([[exp(-distance(place, site) / reach) for site in names] for place in residences()])


@cache
def known_flows() -> dict[tuple[str, str], float]:
    """Shares of each borough's emergencies by trust; of each place outside, by the trusts of its STP."""
    found = {
        (row["borough"], row["trust_code"]): float(row["share_of_borough_emergency_admissions"])
        for row in source("borough_to_trust_emergency_flow")
    }
    origin = {row["trust_code"]: float(row["share_from_outside_london"]) for row in source("trust_patient_origin")}
    for trust, stp in trusts().items():
        if trust in A_AND_E:
            found[OUTSIDE[stp][0], trust] = origin[trust] * attendances()[trust]["admitted"]
    return found


def emergency_prior(names: list[str]) -> NDArray[np.float64]:
    """Where emergencies go before fitting: trusts as read, sites within a trust by size and distance."""
    weights = near(names, REACH_KM["A&E"])
    found = np.zeros_like(weights)
    for trust, split in A_AND_E.items():
        mine = [names.index(site) for site in split if site in names]
        for i, place in enumerate(residences()):
            parts = weights[i, mine] * np.array([split[names[j]] for j in mine])
            found[i, mine] = known_flows().get((place, trust), 0.0) * parts / parts.sum()
    return found


def fitted(prior: NDArray[np.float64], need: Rates, of_sites: Sites) -> NDArray[np.float64]:
    """Flows, residences x sites, with both margins: the need of each place and the patients of each site.

    Iterative proportional fitting, 150 rounds. Both margins are made to sum to the patients of the sites.
    """
    names = list(of_sites)
    wanted = np.array([of_sites[name] for name in names])
    place = np.array([total(need, people_of(one)) for one in residences()])
    place *= wanted.sum() / place.sum()
    flow = balanced(prior, place, wanted)
    flow[flow < LEAST_SHARE * flow.sum(axis=1, keepdims=True)] = 0.0
    return balanced(flow, place, wanted)


def balanced(flow: NDArray[np.float64], place: NDArray[np.float64], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """Flows with these sums by place and by site, as near to those given as they can be."""
    flow = flow.copy()
    for _ in range(150):
        flow *= (place / flow.sum(axis=1))[:, None]
        flow *= (wanted / flow.sum(axis=0))[None, :]
    return flow


@cache
def catchment(trust: str) -> dict[str, float]:
    """Shares of a trust's patients by place of residence; of all its admissions, those outside in one point."""
    codes = {row["borough_code"]: name for name, row in boroughs().items()}
    found = dict.fromkeys(residences(), 0.0)
    known = [row for row in source("trust_catchment_by_borough") if row["trust_code"] == trust]
    for row in known:
        place = codes.get(row["ltla_code"], OUTSIDE[trusts()[trust]][0])
        found[place] += float(row["share_of_trust_catchment"])
    if not known:  # Royal Brompton and Harefield: not in the catchments; as all of London's people (assumed)
        found = {place: sum(people_of(place).values()) for place in residences()}
    everyone = sum(found.values())
    return {place: share / everyone for place, share in found.items()}


# --- what each kind of flow comes to ---


def planned_by_trust(patients: float) -> dict[str, float]:
    """Planned patients by trust with an A&E: by its beds, teaching trusts more for each (assumed)."""
    weight = {
        trust: beds()[trust] * PLANNED_WEIGHT["teaching" if trust in TEACHING else "general"] for trust in A_AND_E
    }
    return {trust: patients * one / sum(weight.values()) for trust, one in weight.items()}


def stroke_sites() -> tuple[Sites, Sites]:
    """Strokes a year at hyper-acute units, alike; planned beds of the units near home."""
    hyper = [name for name, row in sites().items() if "HASU" in row["role"]]
    units = {
        row["site"]: float(row["planned_asu_beds"]) for row in source("stroke_units_london") if row["planned_asu_beds"]
    }
    return {name: london()["strokes"] / len(hyper) for name in hyper}, units


def trauma_sites() -> Sites:
    """Major trauma a year at the four centres, alike."""
    centres = [name for name, row in sites().items() if "major trauma" in row["role"]]
    return {name: london()["trauma"] / len(centres) for name in centres}


def births() -> dict[str, float]:
    """Maternity beds in use by trust."""
    return {trust: used for trust, used in kh03("kh03_occ_mat_avg_beds").items() if trust in A_AND_E and used > 0}
