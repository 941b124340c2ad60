"""Outpatient clinics by site and community nursing by neighbourhood: what is asked for, and how much there is.

Used by forms.py for the larger forms of the model. Operations and day cases are those of the model that ships: here
they come from referrals, in the same numbers and to the same sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import ceil

import numpy as np
import parts
from beds import WEEKDAYS, Line, patients
from hospitals import (
    ORTHOPAEDIC_SHARE,
    REACH_KM,
    SPECIALIST,
    THEATRE_DAY_SHARE,
    Sites,
    by_site,
    catchment,
    fitted,
    london,
    near,
    sites,
)
from numpy.typing import NDArray
from people import (
    DAY_CASE_CHILD_PER_1000,
    OUTSIDE_PLACES,
    Rates,
    adult_rates,
    boroughs,
    everybody,
    in_bands,
    neighbourhoods,
    people_of,
    residences,
    rows,
    scaled,
    total,
    with_children,
)

Flow = tuple[list[str], NDArray[np.float64]]
"""Sites, and patients from each residence to each of them."""

ENGLAND = 55_980_000  # people, mid-2018, sources/national_reference_2018_19.csv
# --- assumed: general knowledge, no source read ---
CHILD_FIRST_ATTENDANCE_PER_1000 = {"0-4": 250.0, "5-16": 250.0}  # outpatients, as at Croydon
FOLLOW_UPS_PER_FIRST = 2.2  # outpatient attendances
ORTHOPAEDIC_REFERRALS = 0.10  # of referrals
TESTED, TESTS_WEEKS = 0.4, 6.0  # of referrals: tests and a results clinic before it is decided; how long that takes
COURSES = {
    "referred": 0.25,
    "results": 0.5,
    "other": 0.6,
}  # of follow-up: after a first clinic, tests, another
SPECIALIST_CLINICS = {"RP6": 0.037, "RP4": 0.015, "RPY": 0.014, "RT3": 0.012, "RAN": 0.008}
"""Of first attendances, at specialist trusts: from some 600,000 attendances of all kinds a year at Moorfields down."""
TO_SPARE = {"first clinics": 1.01, "results clinics": 1.05, "follow-up clinics": 1.01}
WAIT_WEEKS = {
    "first clinics": (7.0, 2.0), "follow-up clinics": (1.0, 1.0),
    "theatre lists": (10.0, 5.0), "orthopaedic lists": (10.0, 5.0), "day surgery": (8.0, 4.0),
}  # fmt: skip
"""Mean wait at which there are as many clinics and lists as planned; how far from it there is a tenth more or less."""
AGAIN, SIX_DAYS = 1.03, 313  # operations, with those booked again; days of operations a year
NOTICE_WEEKS = (0.15 * 7 + 0.85 * 21) / 7  # from the day a date is given to the operation, mean
NURSING_PER_PERSON = {"0-4": 0.2, "5-16": 0.2, "17-64": 0.25, "65-74": 1.3, "75-84": 3.6, "85+": 9.0}  # shape
CONTACTS_PER_PERSON = 0.76  # of community nursing a year, England 2019/20 (read)
CONTACTS_PER_EPISODE, EPISODE_DAYS = 16, 56.0  # two a week for eight weeks
CASELOAD_FOR_LOAD = 300 / 287  # as at Croydon


@cache
def planned() -> dict[str, float]:
    """A year's planned care in London, in patients.

    Pathways completed are England's for each person; ordinary operations, day cases and first attendances are by
    London's rates of 2022.
    """
    everyone = sum(everybody().values())
    admitted, rest = (12 * completed(kind) / ENGLAND * everyone for kind in ("admitted", "not admitted"))
    ordinary, day_cases = london()["ordinary"], london()["day cases"]
    theatre = THEATRE_DAY_SHARE * day_cases
    first = total(first_attendances(), everybody())
    referrals = admitted + rest
    found = {
        "first attendances": first,
        "referrals": referrals * (1 - ORTHOPAEDIC_REFERRALS),
        "orthopaedic referrals": referrals * ORTHOPAEDIC_REFERRALS,
        "other first attendances": first - referrals,
        "operations": ordinary * (1 - ORTHOPAEDIC_SHARE),
        "orthopaedics": ordinary * ORTHOPAEDIC_SHARE,
        "day surgery": theatre,
        "day treatment": admitted - ordinary - theatre,
        "repeated day treatment": day_cases - (admitted - ordinary),
        "results": referrals * TESTED,
    }
    found["courses"] = (
        referrals * COURSES["referred"] + found["results"] * COURSES["results"]
        + found["other first attendances"] * COURSES["other"]
    )  # fmt: skip
    found["visits a course"] = (FOLLOW_UPS_PER_FIRST * first - found["results"]) / found["courses"]
    return found


def completed(kind: str) -> float:
    """Pathways completed in England in September 2018."""
    (row,) = rows("national_reference_2018_19", measure=f"completed pathways, {kind}", group="England")
    return float(row["value"])


def first_attendances() -> Rates:
    """First outpatient attendances per 1,000 a year: London's rates of 2022, children as assumed."""
    return with_children(adult_rates("surg_first", "non-surg_first"), CHILD_FIRST_ATTENDANCE_PER_1000)


def nursing() -> dict[str, float]:
    """Episodes of community nursing a year by place; nobody outside London."""
    shape = in_bands(NURSING_PER_PERSON)
    residents = {place: people_of(place) for place in boroughs()}
    asked = {place: total(shape, people) for place, people in residents.items()}
    episodes = CONTACTS_PER_PERSON * sum(sum(one.values()) for one in residents.values()) / CONTACTS_PER_EPISODE
    return {
        place: episodes * asked[place] / sum(asked.values()) if place in residents else 0.0 for place in residences()
    }


def needs() -> dict[str, Rates]:
    """Need per 1,000 a year by band, alike everywhere."""
    year, first = planned(), first_attendances()
    day = with_children(adult_rates("daycase_n"), DAY_CASE_CHILD_PER_1000)
    return {
        "referrals": scaled(first, year["referrals"]),
        "orthopaedic_referrals": scaled(first, year["orthopaedic referrals"]),
        "other_clinics": scaled(first, year["other first attendances"]),
        "repeated_day_treatment": scaled(day, year["repeated day treatment"]),
    }


def needs_by_place() -> dict[str, tuple[Rates, dict[str, float]]]:
    """Shape by band, and patients a year by place."""
    return {"community_nursing": (in_bands(NURSING_PER_PERSON), nursing())}


# --- flows ---


@cache
def firsts() -> dict[str, Sites]:
    """First attendances a year by site and kind: referrals where operations are, others at specialist trusts too."""
    year, done = planned(), patients()
    special = by_site(
        SPECIALIST, {trust: part * year["first attendances"] for trust, part in SPECIALIST_CLINICS.items()}
    )
    left = year["other first attendances"] - sum(special.values())

    def alike(operations: Sites, number: float) -> Sites:
        return {site: number * one / sum(operations.values()) for site, one in operations.items()}

    return {
        "referrals": alike(done["operations"], year["referrals"]),
        "orthopaedic referrals": alike(done["orthopaedics"], year["orthopaedic referrals"]),
        "other clinics": alike(done["operations"], left) | special,
    }


def flows() -> dict[str, Flow]:
    """Flows by kind, fitted to both margins: by distance, and to specialist trusts by their catchment."""
    found: dict[str, Flow] = {}
    for kind, of_site in firsts().items():
        prior = near(list(of_site), REACH_KM["planned"])
        for i, site in enumerate(of_site):
            trust = sites()[site]["trust_code"]
            if trust in SPECIALIST_CLINICS:
                prior[:, i] = [catchment(trust)[place] for place in residences()]
        found[kind.replace(" ", "_")] = list(of_site), fitted(prior, first_attendances(), of_site)
    return found


# --- units ---


def loads() -> dict[str, Sites]:
    """Patients a year by setting and site: first and results clinics, courses of follow-up."""
    found: dict[str, Sites] = {"first clinics": {}, "results clinics": {}, "follow-up clinics": {}}

    def add(setting: str, site: str, number: float) -> None:
        if number:
            found[setting][site] = found[setting].get(site, 0.0) + number

    for kind, of_site in firsts().items():
        for site, number in of_site.items():
            add("first clinics", site, number)
            referred = 0.0 if kind == "other clinics" else number
            add("results clinics", site, referred * TESTED)
            add(
                "follow-up clinics", site,
                referred * (COURSES["referred"] + TESTED * COURSES["results"]) + (number - referred) * COURSES["other"],
            )  # fmt: skip
    return found


def caseloads() -> dict[str, float]:
    """Patients of community nursing at a time by neighbourhood."""
    return {
        name: nursing()[borough] * share * EPISODE_DAYS / 365
        for borough in boroughs()
        for name, share, _, _ in neighbourhoods(borough)
    }


def units() -> list[Line]:
    """Rows of the table of units: clinics, and caseloads of community nursing."""
    said = {
        "first clinics": "first attendances (clinics.py) on 261 weekdays, with 0.01 to spare",
        "results clinics": "0.4 of referrals (assumed) on 261 weekdays, with 0.05 to spare",
        "follow-up clinics": "courses of follow-up (clinics.py) on 261 weekdays, with 0.01 to spare",
    }
    lines: list[Line] = []
    for setting, of_site in loads().items():
        for site, number in of_site.items():
            slots = ceil(number / WEEKDAYS * TO_SPARE[setting])
            lines.append((setting, site, slots, "slots", "derived", said[setting]))
    lines += [("tests and results", site, 0, "unlimited", "assumed", "no limit") for site in loads()["results clinics"]]
    for name, load in caseloads().items():
        caseload = round(load * CASELOAD_FOR_LOAD)
        lines.append(("community nursing", name, caseload, "beds", "derived", "300 for a load of 287, as at Croydon"))
    lines += [
        ("community nursing", place, 0, "beds", "assumed", "not modelled: nobody comes") for place in OUTSIDE_PLACES
    ]
    return lines


# --- the first day ---


def weeks_waited(setting: str, a_day: float, slots: int) -> float:
    """Mean wait at which the response makes the slots of a day as many as are asked for; a week at least."""
    middle, spread = WAIT_WEEKS[setting]
    return max(1.0, middle + (a_day / slots - 1) * 10 * spread)


def first_day(capacities: Sequence[Line]) -> list[Sequence[object]]:
    """Who waits for clinics, tests and operations on the first day, and who is cared for by community nursing."""
    lines: list[Sequence[object]] = []
    have, year = parts.capacity_at([*capacities, *units()]), patients()
    first, courses = loads()["first clinics"], loads()["follow-up clinics"]
    operations, orthopaedics = year["operations"], year["orthopaedics"]
    day_surgery = {site: THEATRE_DAY_SHARE * number for site, number in year["day cases"].items()}

    def add(step: str, site: str, inside: float, waiting: float = 0.0, days: float = 0.0) -> None:
        row = (round(inside), round(waiting), f"{round(days)} days", parts.nearest(site))
        lines.append(("planned care", step, site, *row, "assumed", "near what the model comes to"))

    def again(operations: Sites) -> Sites:
        return {site: AGAIN * number for site, number in operations.items()}

    for step, setting, of_step, of_setting, days, notice_weeks in (
        ("first clinic", "first clinics", firsts()["referrals"], first, WEEKDAYS, 0.0),
        ("orthopaedic clinic", "first clinics", firsts()["orthopaedic referrals"], first, WEEKDAYS, 0.0),
        ("other first clinic", "first clinics", firsts()["other clinics"], first, WEEKDAYS, 0.0),
        ("follow-up", "follow-up clinics", courses, courses, WEEKDAYS, 0.0),
        ("theatre list", "theatre lists", operations, again(operations), SIX_DAYS, NOTICE_WEEKS),
        ("orthopaedic list", "orthopaedic lists", orthopaedics, again(orthopaedics), SIX_DAYS, NOTICE_WEEKS),
        ("day surgery list", "day surgery", day_surgery, day_surgery, WEEKDAYS, NOTICE_WEEKS),
    ):  # fmt: skip
        for site, number in of_step.items():
            weeks = weeks_waited(setting, of_setting[site] / days, have[setting, site])
            add(step, site, number / 52 * notice_weeks, number / 52 * weeks, 14 * weeks)
    for step, kind in (("tests", "referrals"), ("orthopaedic tests", "orthopaedic referrals")):
        for site, number in firsts()[kind].items():
            add(step, site, number / 52 * TESTED * TESTS_WEEKS)
    for name, load in caseloads().items():
        row = (name, round(load * 0.995), 0, "0 days", name, "assumed", "near what the model comes to")
        lines.append(("emergency admission", "community nursing", *row))
    return lines
