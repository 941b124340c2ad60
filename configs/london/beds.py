"""What London's hospitals have: beds, cubicles, doctors, lists, and how full each is meant to be. Used by rebuild.py.

Loads are patients a day times days of stay (Little). The beds of a trust are read; how they are split is by rule:
beds set apart for some patients are as many as their load asks for, medical and surgical wards have the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import ceil, sqrt
from typing import NamedTuple

import numpy as np
from hospitals import (
    A_AND_E,
    DIRECT_SHARE,
    ORTHOPAEDIC,
    ORTHOPAEDIC_SHARE,
    PLANNED,
    SAME_DAY_SHARE,
    SPECIALIST,
    SPECIALIST_TRUSTS,
    TEACHING,
    THEATRE_DAY_SHARE,
    URGENT,
    Sites,
    at_sites,
    attendances,
    beds,
    births,
    by_site,
    critical_care,
    emergencies,
    emergency_prior,
    fitted,
    kh03,
    london,
    occupied,
    planned_by_trust,
    stroke_sites,
    trauma_sites,
)
from people import (
    ADULTS,
    BANDS,
    CHILDREN,
    NEEDS_CARE,
    SAME_DAY_CHILD_SHARE,
    Rates,
    emergency_stay,
    everybody,
    people_of,
    residences,
)

# --- assumed: general knowledge, no source read; stays as in configs/croydon ---
WARD_DAYS = 6.6  # in a medical or surgical bed of an adult who stays, until gone, mean: what the model comes to
CHILD_DAYS = 1.75  # in a children's bed, rounds included
PLANNED_DAYS, ORTHOPAEDIC_DAYS = 2.9, 4.2  # ordinary planned stays, rounds included
HYPER_ACUTE_DAYS, STROKE_DAYS, STROKE_GOES_ON = 3.0, 35.0, 0.452
TRAUMA_DAYS, TRAUMA_GOES_ON, AFTER_TRAUMA_DAYS = 9.0, 0.5, 13.5
SPECIALIST_DAYS, SPECIALIST_GOES_ON, AFTER_SPECIALIST_DAYS = 12.0, 0.2, 7.5
SPECIALIST_A_YEAR = 40_000  # about: what the shares below come to, without children
MATERNITY_DAYS = 2.2
WAIT_FOR_CARE_DAYS = 9.0  # in a ward bed, of those who need care first
CRITICAL_SHARE, CRITICAL_DAYS = 0.026, 4.5  # of adult emergency admissions, same-day ones included
LEAST_SPECIALIST = {"teaching": 0.15, "general": 0.04}  # of beds in use, for specialist and other patients
SAME_DAY_LIMITS = (0.20, 0.58)  # of admissions through A&E, by trust
FULL = {  # of beds set apart, meant to be in use
    "children": 0.6, "planned": 0.8, "orthopaedic": 0.8, "hyper-acute": 0.8, "trauma": 0.84, "stroke": 0.87,
}  # fmt: skip
ESCALATION_SHARE = 0.115  # of medical and surgical beds: the most a site can open at short notice
SURGICAL_SPLIT = {"medical ward": 302, "surgical ward": 78, "kept surgical beds": 12}  # as at Croydon
PER_CROYDON = {"attendances": 80_682.0, "urgent": 133_773.0, "same day": 14_500.0}  # what Croydon's numbers are for
DOCTORS, CUBICLES, URGENT_STAFF, SAME_DAY_TROLLEYS = 8.6, 60, 10, 24  # at Croydon; doctors and staff at the peak
WEEKDAYS = 261
CRITICAL = {
    "RYJ": {"St Mary's Hospital": 0.4, "Charing Cross Hospital": 0.25, "Hammersmith Hospital": 0.35},
    "R1H": {"Royal London Hospital": 0.6, "St Bartholomew's Hospital": 0.4},
    "RJ1": {"St Thomas' Hospital": 0.7, "Guy's Hospital": 0.3},
    "RJZ": {"King's College Hospital (Denmark Hill)": 1.0},
    "RF4": {"Queen's Hospital Romford": 1.0},
    "RAL": {"Royal Free Hospital": 1.0},
}
"""Critical care for planned and specialist patients, by site, where not as A_AND_E."""


def days_by_age() -> Rates:
    """Days in a ward bed of an adult who stays by age: the clinical stay, getting ready, and waiting for care."""
    shape = emergency_stay()
    weight = {band: emergencies()[band] * everybody()[band] for band in ADULTS}
    mean = sum(shape[band] * one for band, one in weight.items()) / sum(weight.values())
    needs = dict(zip(BANDS, NEEDS_CARE, strict=True))
    days = {band: 0.65 * shape[band] / mean * WARD_DAYS + 1.2 + WAIT_FOR_CARE_DAYS * needs[band] for band in BANDS}
    whole = sum(days[band] * one for band, one in weight.items()) / sum(weight.values())
    return {band: one / whole for band, one in days.items()}


@cache
def age_index() -> Sites:
    """How long the adults of each site stay for their ages, relative to London's: older boroughs fill more beds."""
    admitted = by_site(A_AND_E, {trust: attendances()[trust]["admitted"] for trust in A_AND_E})
    names = list(admitted)
    flow = fitted(emergency_prior(names), emergencies(), admitted)
    relative = []
    for place in residences():
        weight = {band: emergencies()[band] * people_of(place)[band] for band in ADULTS}
        relative.append(sum(days_by_age()[band] * one for band, one in weight.items()) / sum(weight.values()))
    found = (flow * np.array(relative)[:, None]).sum(axis=0) / flow.sum(axis=0)
    return {name: float(one) for name, one in zip(names, found, strict=True)}


def by_age(trust: str) -> dict[str, float]:
    """How the adults on the wards of a trust lie at its sites, in beds: its split of patients, times stay by age."""
    parts = {site: part * age_index()[site] for site, part in A_AND_E[trust].items()}
    return {site: part / sum(parts.values()) for site, part in parts.items()}


def index_of(trust: str) -> float:
    """How long the adults of a trust stay for their ages, relative to London's."""
    return sum(part * age_index()[site] for site, part in A_AND_E[trust].items())


class Work(NamedTuple):
    """A year of a trust, in patients, and beds in use by its specialist and other patients."""

    same_day_share: float
    stays: float  # admissions through A&E that stay a night
    direct: float  # emergencies that do not come through A&E
    specialist_beds: float


def adult_share(of_same_day: bool) -> float:
    """Share of adults among emergency admissions without (or with) a night."""
    people, rate = everybody(), emergencies()
    children = sum(rate[band] * people[band] for band in CHILDREN)
    children *= SAME_DAY_CHILD_SHARE if of_same_day else 1 - SAME_DAY_CHILD_SHARE
    everyone = sum(rate[band] * people[band] for band in BANDS)
    everyone *= SAME_DAY_SHARE if of_same_day else 1 - SAME_DAY_SHARE
    return 1 - children / everyone


@cache
def direct_admissions() -> float:
    """Emergencies of London a year that do not come through A&E."""
    return london()["admitted"] * DIRECT_SHARE / (1 - DIRECT_SHARE)


def set_apart(trust: str) -> dict[str, float]:
    """Beds in use in a trust by patients other than emergencies on the wards and specialist ones."""
    hyper, units = stroke_sites()
    mine = set(A_AND_E[trust])
    strokes = london()["strokes"] * STROKE_GOES_ON
    planned = planned_by_trust(london()["ordinary"])[trust]
    return {
        "planned": planned * (1 - ORTHOPAEDIC_SHARE) * PLANNED_DAYS / 365,
        "orthopaedic": planned * ORTHOPAEDIC_SHARE * ORTHOPAEDIC_DAYS / 365,
        "hyper-acute": sum(load for site, load in hyper.items() if site in mine) * HYPER_ACUTE_DAYS / 365,
        "trauma": sum(load for site, load in trauma_sites().items() if site in mine) * TRAUMA_DAYS / 365,
        "stroke": strokes * STROKE_DAYS / 365
        * sum(one for site, one in units.items() if site in mine) / sum(units.values()),
    }  # fmt: skip


def ward_load(trust: str, same_day: float, direct: float) -> float:
    """Beds in use on a trust's medical, surgical and children's wards by emergencies."""
    admitted = attendances()[trust]["admitted"]
    through, straight = admitted * (1 - same_day), direct * (1 - SAME_DAY_SHARE)
    adults = adult_share(of_same_day=False)
    return (through + straight) * (adults * WARD_DAYS * index_of(trust) + (1 - adults) * CHILD_DAYS) / 365


def sent_on() -> float:
    """Beds in use on wards near home by those whom trauma and specialist centres send on, for each admission."""
    trauma = london()["trauma"] * TRAUMA_GOES_ON * AFTER_TRAUMA_DAYS
    return (trauma + SPECIALIST_A_YEAR * SPECIALIST_GOES_ON * AFTER_SPECIALIST_DAYS) / 365 / london()["admitted"]


@cache
def work() -> dict[str, Work]:
    """What each trust with an A&E does in a year.

    The share of admissions without a night is set so that specialist and other patients have the least share of the
    beds in use that is assumed for its kind, within limits; they have the rest.
    """
    found = {}
    for trust in A_AND_E:
        admitted = attendances()[trust]["admitted"]
        direct = direct_admissions() * admitted / london()["admitted"]
        apart = sum(set_apart(trust).values()) + sent_on() * admitted
        least = LEAST_SPECIALIST["teaching" if trust in TEACHING else "general"] * occupied()[trust]
        wanted = occupied()[trust] - apart - least
        every, none = ward_load(trust, 0.0, direct), ward_load(trust, 1.0, direct)
        share = min(max((every - wanted) / (every - none), SAME_DAY_LIMITS[0]), SAME_DAY_LIMITS[1])
        rest = occupied()[trust] - apart - ward_load(trust, share, direct)
        found[trust] = Work(share, admitted * (1 - share), direct, max(rest, 2.0))
    return found


# --- patients a year, by site ---


def patients() -> dict[str, Sites]:
    """Patients a year by site, for each kind of flow."""
    year, done = attendances(), work()
    adults = adult_share(of_same_day=False)
    critical = {}
    for trust, (_, used) in critical_care().items():
        emergency = year[trust]["admitted"] / (1 - DIRECT_SHARE) * adults * CRITICAL_SHARE * CRITICAL_DAYS / 365
        critical[trust] = max(used - emergency, 0.0) * 365 / CRITICAL_DAYS
    specialist = {trust: one.specialist_beds for trust, one in done.items()}
    specialist |= {trust: occupied()[trust] for trust in SPECIALIST_TRUSTS}
    planned = planned_by_trust(london()["ordinary"])
    day = planned_by_trust(london()["day cases"])
    hyper, units = stroke_sites()
    strokes = london()["strokes"] * STROKE_GOES_ON
    return {
        "urgent": by_site(URGENT, {trust: one["other"] for trust, one in year.items()}),
        "attendance": by_site(A_AND_E, {trust: year[trust]["type 1"] - year[trust]["admitted"] for trust in A_AND_E}),
        "same day": by_site(A_AND_E, {t: year[t]["admitted"] * done[t].same_day_share for t in A_AND_E}),
        "stay": by_site(A_AND_E, {trust: one.stays for trust, one in done.items()}),
        "direct": by_site(A_AND_E, {trust: one.direct for trust, one in done.items()}),
        "operations": by_site(PLANNED, {trust: one * (1 - ORTHOPAEDIC_SHARE) for trust, one in planned.items()}),
        "orthopaedics": by_site(ORTHOPAEDIC, {trust: one * ORTHOPAEDIC_SHARE for trust, one in planned.items()}),
        "day cases": by_site(PLANNED, day),
        "hyper-acute stroke": hyper,
        "stroke": {site: strokes * one / sum(units.values()) for site, one in units.items()},
        "trauma": trauma_sites(),
        "specialist": by_site(SPECIALIST, {trust: one * 365 / SPECIALIST_DAYS for trust, one in specialist.items()}),
        "critical": by_site(CRITICAL, critical),
        "maternity": by_site({}, {trust: used * 365 / MATERNITY_DAYS for trust, used in births().items()}),
    }


def on_the_wards(trust: str) -> Sites:
    """Medical and surgical beds in use by site: those of the trust less all others, by its patients and their ages."""
    done = work()[trust]
    adults, ward_days = adult_share(of_same_day=False), WARD_DAYS * index_of(trust)
    of_children = (1 - adults) * CHILD_DAYS / (adults * ward_days + (1 - adults) * CHILD_DAYS)
    children = ward_load(trust, done.same_day_share, done.direct) * of_children
    wards = occupied()[trust] - sum(set_apart(trust).values()) - done.specialist_beds - children
    return {site: wards * part for site, part in by_age(trust).items()}


# --- units ---

Line = tuple[str, str, int, str, str, str]
"""Of the table of units: setting, at, capacity, of, kind, source."""


def line(setting: str, site: str, amount: int, said: str, of: str = "beds", kind: str = "derived") -> Line:
    """A row of the table of units."""
    return setting, site, amount, of, kind, said


def whole(beds_wanted: float, least: int = 1) -> int:
    """A whole number of beds, with at least some."""
    return max(least, round(beds_wanted))


def units() -> list[Line]:
    """Every unit at a hospital."""
    year = patients()
    wards = [one for trust in A_AND_E for one in general_wards(trust, year)]
    wards += [one for trust in SPECIALIST_TRUSTS for one in specialist_beds(trust)]
    return [*urgent(year), *a_and_e(year), *wards, *critical_units(year), *operations(year), *maternity(year)]


def urgent(year: dict[str, Sites]) -> Iterator[Line]:
    """Staff of urgent treatment."""
    said = "staff at the peak, as Croydon's for each attendance and one more"
    for site, number in year["urgent"].items():
        staff = URGENT_STAFF * number / PER_CROYDON["urgent"]
        yield line("urgent treatment", site, ceil(staff + 1), said)


def a_and_e(year: dict[str, Sites]) -> Iterator[Line]:
    """Doctors and cubicles of A&E, same-day emergency care, and where discharges are planned."""
    for site, number in year["attendance"].items():
        every = number + year["stay"][site] + year["same day"][site]
        part = every / PER_CROYDON["attendances"]
        early = (year["same day"][site] + year["direct"][site]) / PER_CROYDON["same day"]
        trolleys = whole(SAME_DAY_TROLLEYS * early, 6)
        said = "as Croydon's for each type 1 attendance"
        yield line("A&E doctors", site, whole(DOCTORS * part, 3), f"at the peak, {said}")
        yield line("A&E cubicles", site, whole(CUBICLES * part, 15), said)
        yield line("same-day emergency care", site, trolleys, "as Croydon's for each patient")
        yield line("discharge planning", site, 0, "no limit", "unlimited", "assumed")


def general_wards(trust: str, year: dict[str, Sites]) -> list[Line]:
    """General and acute beds of a trust with an A&E, and escalation beds beside them."""
    said = "general and acute beds of KH03 2018/19, split by rule (beds.py)"
    fullness = occupied()[trust] / beds()[trust]
    adults = adult_share(of_same_day=False)
    lines = []
    for setting, split, kind, days, full in (
        ("specialist and other beds", SPECIALIST, "specialist", SPECIALIST_DAYS, fullness),
        ("elective ward", PLANNED, "operations", PLANNED_DAYS, FULL["planned"]),
        ("orthopaedic ward", ORTHOPAEDIC, "orthopaedics", ORTHOPAEDIC_DAYS, FULL["orthopaedic"]),
        ("hyper-acute stroke unit", A_AND_E, "hyper-acute stroke", HYPER_ACUTE_DAYS, FULL["hyper-acute"]),
        ("major trauma ward", A_AND_E, "trauma", TRAUMA_DAYS, FULL["trauma"]),
        ("stroke unit", A_AND_E, "stroke", STROKE_DAYS, FULL["stroke"]),
    ):
        for site in at_sites(split, trust):
            if site in year[kind]:
                wanted = year[kind][site] * days / 365 / min(full, 0.97)
                lines.append(line(setting, site, whole(wanted, 2), said))
    for site in A_AND_E[trust]:
        through = year["stay"][site] + year["direct"][site] * (1 - SAME_DAY_SHARE)
        children = through * (1 - adults) * CHILD_DAYS / 365 / FULL["children"]
        lines.append(line("children's ward", site, whole(children, 4), said))
    left = beds()[trust] - sum(amount for _, _, amount, *_ in lines)
    extra = f"{ESCALATION_SHARE} of medical and surgical beds, as at Croydon, not in KH03"
    used = on_the_wards(trust)
    roots = {site: sqrt(one) for site, one in used.items()}
    for site, one in used.items():  # what is spare is shared so that all sites are as safe (square-root staffing)
        here = one + (left - sum(used.values())) * roots[site] / sum(roots.values())
        for setting, of_croydon in SURGICAL_SPLIT.items():
            lines.append(line(setting, site, whole(here * of_croydon / sum(SURGICAL_SPLIT.values())), said))
        lines.append(line("escalation beds", site, whole(ESCALATION_SHARE * here), extra, kind="assumed"))
    return lines


def specialist_beds(trust: str) -> Iterator[Line]:
    """General and acute beds of a trust without an A&E."""
    for site, part in SPECIALIST[trust].items():
        said = "general and acute beds of KH03 2018/19, split by rule (beds.py)"
        yield line("specialist and other beds", site, whole(beds()[trust] * part), said)


def critical_units(year: dict[str, Sites]) -> Iterator[Line]:
    """Critical care beds of each trust, by the load of its sites."""
    adults = adult_share(of_same_day=False)
    for trust, (opened, _) in critical_care().items():
        admitted = {site: year["stay"][site] + year["same day"][site] for site in A_AND_E[trust]}
        load = {site: one * CRITICAL_SHARE / (1 - DIRECT_SHARE) * adults for site, one in admitted.items()}
        for site in CRITICAL.get(trust, A_AND_E[trust]):
            load[site] = load.get(site, 0.0) + year["critical"].get(site, 0.0)
        for site, one in load.items():
            amount = whole(opened * one / sum(load.values()), 3)
            yield line("critical care", site, amount, "adult beds open in winter 2018/19 by trust, by load")


def operations(year: dict[str, Sites]) -> Iterator[Line]:
    """Day cases and operations a day."""
    for site, number in year["day cases"].items():
        theatre, other = (number * part / WEEKDAYS * 1.03 for part in (THEATRE_DAY_SHARE, 1 - THEATRE_DAY_SHARE))
        said = "day cases in theatre, on 261 weekdays, with 0.03 to spare"
        yield line("day surgery", site, ceil(theatre), said, "slots")
        yield line("day treatment", site, ceil(other), "other day cases, on 261 weekdays, with 0.03 to spare", "slots")
    for kind, setting in (("operations", "theatre lists"), ("orthopaedics", "orthopaedic lists")):
        for site, number in year[kind].items():
            said = "ordinary operations and those booked again, six days a week"
            yield line(setting, site, ceil(number / 313 * 1.04), said, "slots")


def maternity(year: dict[str, Sites]) -> Iterator[Line]:
    """Maternity beds of each trust, at the sites of its A&E."""
    available = kh03("kh03_avail_mat_avg_beds")
    for site in year["maternity"]:
        trust = next(one for one, split in A_AND_E.items() if site in split)
        said = "maternity beds of KH03 2018/19, by A&E's split of the trust"
        yield line("maternity ward", site, whole(available[trust] * A_AND_E[trust][site]), said)
