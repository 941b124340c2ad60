"""Care near home, by borough: how much is asked for, and how much there is. Used by rebuild.py."""

from __future__ import annotations

from functools import cache
from statistics import median
from typing import NamedTuple

from beds import CRITICAL_SHARE, patients
from hospitals import DIRECT_SHARE, RETURN_SHARE, SAME_DAY_SHARE, emergencies
from people import (
    ADULTS,
    BANDS,
    CHILDREN,
    NEEDS_CARE,
    SAME_DAY_CHILD_SHARE,
    Rates,
    boroughs,
    everybody,
    in_bands,
    people_of,
    residences,
    rows,
    scaled,
    shaped,
    source,
    total,
)

# --- assumed: general knowledge, no source read; as in configs/croydon ---
SURGICAL_SHARE = 0.22  # of adult emergency admissions that stay a night
RAPID_RESPONSE_SHARE = 0.02  # of adults who would be admitted to stay, already cared for at home instead
GP_RAPID_RESPONSE_PER_1000 = 25.0  # referrals a year to rapid response by general practice, ages 65+
REABLED_SHARE = 0.9  # of those who need care at home: reablement first
REABLEMENT_DAYS, GOES_ON_SHARE = 34.0, 0.1876  # stay; share that needs home care afterwards (read)
INTERMEDIATE_DAYS, RAPID_RESPONSE_DAYS = 30.0, 5.0
HOME_CARE_DAYS, CARE_HOME_DAYS = 547.5, 584.0
COUNCIL_SHARE = 0.45  # of those who need a care home from hospital, paid by the council
HOME_CARE_PACKAGES = 42_000  # in London
CARE_HOME_PER_75 = 0.07  # places for each person of 75 and over, all payers
COUNCIL_PER_75 = 0.028  # outside London: residents the council pays for, for each person of 75 and over
ASKED = {  # of what there is, before anybody gives up, as in the fitted model of Croydon
    "reablement": 1.07, "home care": 1.21, "intermediate care": 1.14, "care home": 1.16, "care home of others": 0.90,
    "rapid response": 0.78,
}  # fmt: skip
REABLEMENT_RANGE = (0.8, 1.2)  # how far hours reported move a borough's places from what its load asks for
NURSING_PER_PERSON = {"0-4": 0.2, "5-16": 0.2, "17-64": 0.25, "65-74": 1.3, "75-84": 3.6, "85+": 9.0}
CARE_HOME_SHAPE = {"0-4": 0.0, "5-16": 0.0, "17-64": 0.0, "65-74": 0.1, "75-84": 0.5, "85+": 2.0}
WAITING = {"reablement": 0.11, "home care": 0.012, "intermediate care": 0.2, "care home": 0.012}
"""Of what there is, waiting on the first day."""


class Care(NamedTuple):
    """One kind of care in one place: places or packages, load, and people a year who come for it from home."""

    capacity: int
    load: float
    from_home: float


def same_day_shares() -> Rates:
    """Share of emergency admissions without a night by age: children's as assumed, adults' to match London's."""
    admitted, people = emergencies(), everybody()
    children = sum(admitted[band] * people[band] for band in CHILDREN)
    every = sum(admitted[band] * people[band] for band in BANDS)
    adults = (SAME_DAY_SHARE * every - SAME_DAY_CHILD_SHARE * children) / (every - children)
    return dict.fromkeys(BANDS, adults) | dict.fromkeys(CHILDREN, SAME_DAY_CHILD_SHARE)


@cache
def emergency_rates() -> dict[str, Rates]:
    """New emergency admissions per 1,000 a year: through A&E to stay or not, and not through A&E."""
    none, every, year = same_day_shares(), emergencies(), patients()
    stay = {band: every[band] * (1 - none[band]) for band in BANDS}
    same = {band: every[band] * none[band] for band in BANDS}
    return {
        "admitted": {band: every[band] * (1 - DIRECT_SHARE) for band in BANDS},
        "stay": scaled(stay, sum(year["stay"].values()) * (1 - RETURN_SHARE)),
        "same day": scaled(same, sum(year["same day"].values())),
        "direct": {band: every[band] * DIRECT_SHARE for band in BANDS},
    }


def needing_care(place: str) -> float:
    """People of a place a year who need care before they can leave hospital."""
    rates, none = emergency_rates(), same_day_shares()
    stays = {
        band: rates["stay"][band] / (1 - RETURN_SHARE) + rates["direct"][band] * (1 - none[band]) for band in BANDS
    }
    needs = shaped(NEEDS_CARE)
    return total({band: stays[band] * needs[band] for band in BANDS}, people_of(place))


@cache
def split_of_care() -> dict[str, float]:
    """How care after hospital splits: Bristol's pathways 1 to 3 (2023)."""
    flow = {
        name: sum(float(row["mean_arrivals_per_day"]) for row in rows("d2a_pathway_parameters_bnssg", pathway=pathway))
        for name, pathway in (("home care", "P1"), ("intermediate care", "P2"), ("care home", "P3"))
    }
    return {name: one / sum(flow.values()) for name, one in flow.items()}


def older(place: str, age: int) -> float:
    """People of a place from an age on."""
    return sum(n for band, n in people_of(place).items() if int(band.rstrip("+").split("-")[0]) >= age)


@cache
def social_care() -> dict[str, dict[str, float]]:
    """Council-supported residents and hours of reablement a person of 65 and over, by borough, 2018/19."""
    return {
        row["borough"]: {
            "residents": float(row["residential_residents_mean"]) + float(row["nursing_residents_mean"]),
            "hours": float(row["reablement_hours_per_person_65plus"] or 0),
        }
        for row in source("borough_social_care_2018_19")
    }


@cache
def care() -> dict[str, dict[str, Care]]:
    """Care near home by kind and place."""
    found: dict[str, dict[str, Care]] = {kind: {} for kind in ASKED}
    parts = split_of_care()
    middle = median(one["hours"] for one in social_care().values() if one["hours"] > 0)
    for place in residences():
        needing, known = needing_care(place), social_care().get(place)
        at_home = needing * parts["home care"]
        reabled = at_home * REABLED_SHARE * REABLEMENT_DAYS / 365
        low, high = REABLEMENT_RANGE
        ratio = min(max(known["hours"] / middle, low), high) if known and known["hours"] > 0 else 1.0
        found["reablement"][place] = Care(round(reabled / ASKED["reablement"] * ratio), reabled, 0.0)
        resting = needing * parts["intermediate care"] * INTERMEDIATE_DAYS / 365
        found["intermediate care"][place] = Care(round(resting / ASKED["intermediate care"]), resting, 0.0)
        packages = HOME_CARE_PACKAGES * older(place, 65) / sum(older(one, 65) for one in boroughs())
        served = REABLED_SHARE * GOES_ON_SHARE / ASKED["reablement"] + 1 - REABLED_SHARE
        found["home care"][place] = _long("home care", packages, at_home * served, HOME_CARE_DAYS)
        to_homes = needing * parts["care home"]
        council = known["residents"] / 0.99 if known else COUNCIL_PER_75 * older(place, 75)
        found["care home"][place] = _long("care home", council, to_homes * COUNCIL_SHARE, CARE_HOME_DAYS)
        others = max(CARE_HOME_PER_75 * older(place, 75) - council, 0.3 * council)
        found["care home of others"][place] = _long(
            "care home of others", others, to_homes * (1 - COUNCIL_SHARE), CARE_HOME_DAYS
        )
        stays = emergency_rates()["stay"]
        instead = total({band: 0.0 if band in CHILDREN else stays[band] for band in BANDS}, people_of(place))
        visited = GP_RAPID_RESPONSE_PER_1000 * older(place, 65) / 1000 + RAPID_RESPONSE_SHARE * instead
        load = visited * RAPID_RESPONSE_DAYS / 365
        found["rapid response"][place] = Care(max(2, round(load / ASKED["rapid response"])), load, 0.0)
    return found


def _long(kind: str, capacity: float, from_hospital: float, days: float) -> Care:
    """Care for long: as many people come from home as make the load that is asked for, if hospitals leave room."""
    wanted = ASKED[kind] * capacity
    from_home = max(wanted * 365 / days - from_hospital, 0.0)
    return Care(round(capacity), (from_home + from_hospital) * days / 365, from_home)


def needs_table() -> list[tuple[object, ...]]:
    """What people need after hospital, by age."""
    lines: list[tuple[object, ...]] = [("age_band", "to", "share")]
    for band, needs in shaped(NEEDS_CARE).items():
        parts = {name: round(needs * part, 4) for name, part in split_of_care().items()}
        lines.append((band, "nothing", round(1 - sum(parts.values()), 4)))
        lines += [(band, name, share) for name, share in parts.items()]
    return lines


def routes_table(leave: bool) -> list[tuple[object, ...]]:
    """Where those go who need a bed: critical care, surgery, rapid response, medicine, the children's ward.

    With `leave`, those without a night leave first.
    """
    none = same_day_shares() if leave else dict.fromkeys(BANDS, 0.0)
    people, every = everybody(), emergencies()
    admitted = sum(every[band] * people[band] for band in ADULTS)
    staying = sum(every[band] * (1 - same_day_shares()[band]) * people[band] for band in ADULTS)
    critical = CRITICAL_SHARE * admitted / staying
    if not leave:  # through A&E, where trusts differ in what they do without a night
        year = patients()
        stays, days = sum(year["stay"].values()), sum(year["same day"].values())
        critical = CRITICAL_SHARE * (stays + days) / stays
    lines: list[tuple[object, ...]] = [("age_band", "to", "share")]
    for band in BANDS:
        left = round(none[band], 4)
        if band in CHILDREN:
            parts = {"children's ward": 1 - left}
        else:
            parts = {"critical care": critical, "surgical ward": SURGICAL_SHARE, "rapid response": RAPID_RESPONSE_SHARE}
            parts = {step: round(share * (1 - left), 4) for step, share in parts.items()}
            parts["medical ward"] = 1 - left - sum(parts.values())
        if leave:
            parts["leave"] = left
        lines += [(band, step, round(share, 4)) for step, share in parts.items()]
    return lines


def nursing_rates(contacts_per_episode: int) -> Rates:
    """Episodes of community nursing per 1,000 a year by band."""
    return {band: 1000 * rate / contacts_per_episode for band, rate in in_bands(NURSING_PER_PERSON).items()}


def care_home_shape() -> Rates:
    """Who enters a care home from home, by band."""
    return in_bands(CARE_HOME_SHAPE)
