"""Parts of the London model that are one for each site or trust: responses, critical care's pools, fitted factors.

Used by rebuild.py, which puts them into written.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import beds
import community
import hospitals
from hospitals import A_AND_E
from people import HERE, STPS, boroughs

Lines = list[Sequence[object]]
CHILDREN_AT = "Great Ormond Street Hospital"
FULLER = ((-0.10, 1.8), (0.0, 1.0))
FULLEST, ROOM = 0.1, 0.58
"""Discharge planning by yesterday's share of beds in use less that of the baseline: times as long, as at Croydon; and a
tenth as long where so much of the room that the baseline leaves is used."""
TRUSTS = {
    "RYJ": "Imperial College Healthcare", "RQM": "Chelsea and Westminster", "R1K": "London North West",
    "RAS": "Hillingdon Hospitals", "RT3": "Royal Brompton and Harefield", "RRV": "University College London Hospitals",
    "RAL": "Royal Free London", "RKE": "Whittington Health", "RAP": "North Middlesex", "RP4": "Great Ormond Street",
    "RP6": "Moorfields", "RAN": "Royal National Orthopaedic", "R1H": "Barts Health",
    "RF4": "Barking, Havering and Redbridge Hospitals", "RQX": "Homerton", "RJ1": "Guy's and St Thomas'",
    "RJZ": "King's College Hospitals", "RJ2": "Lewisham and Greenwich Hospitals", "RJ7": "St George's Hospitals",
    "RVR": "Epsom and St Helier", "RJ6": "Croydon Health Services", "RAX": "Kingston Hospitals", "RPY": "Royal Marsden",
}  # fmt: skip
"""Trusts by code, as tables call them."""
WITH_A_AND_E = tuple(A_AND_E)
GENERAL_AND_ACUTE = (
    "medical ward", "surgical ward", "kept surgical beds", "elective ward", "orthopaedic ward", "children's ward",
    "stroke unit", "hyper-acute stroke unit", "major trauma ward", "specialist and other beds", "escalation beds",
)  # fmt: skip
INSIDE = {  # of beds, in use on the first day
    "medical ward": 0.92, "surgical ward": 0.85, "elective ward": 0.7, "orthopaedic ward": 0.7, "children's ward": 0.6,
    "stroke unit": 0.85, "hyper-acute stroke unit": 0.7, "major trauma ward": 0.75, "specialist and other beds": 0.9,
    "critical care": 0.8, "maternity ward": 0.6,
}  # fmt: skip
STEPS = {  # pathway and step of those in a setting on the first day
    "medical ward": ("emergency admission", "medical ward"),
    "surgical ward": ("emergency admission", "surgical ward"),
    "elective ward": ("planned operation", "elective ward"),
    "orthopaedic ward": ("planned orthopaedics", "orthopaedic ward"),
    "children's ward": ("emergency admission", "children's ward"),
    "stroke unit": ("emergency admission", "stroke unit"),
    "hyper-acute stroke unit": ("emergency admission", "hyper-acute stroke"),
    "major trauma ward": ("emergency admission", "major trauma"),
    "specialist and other beds": ("emergency admission", "specialist care"),
    "critical care": ("emergency admission", "critical care"),
    "maternity ward": ("maternity", "maternity ward"),
}


def quoted(name: str) -> str:
    """A name as YAML."""
    return f'"{name}"'


def general_sites() -> list[str]:
    """The sites with a type 1 A&E, trust by trust."""
    return [site for split in A_AND_E.values() for site in split]


def capacity_at(units: Sequence[beds.Line]) -> dict[tuple[str, str], int]:
    """Beds of each setting and site."""
    return {(setting, at): amount for setting, at, amount, *_ in units}


def base_of(site: str, units: Sequence[beds.Line]) -> float:
    """Share of the beds of a site's pool, escalation included, in use at the baseline."""
    trust = next(one for one, split in A_AND_E.items() if site in split)
    have, year = capacity_at(units), beds.patients()
    wards = beds.on_the_wards(trust)[site]
    elective = year["operations"].get(site, 0.0) * beds.PLANNED_DAYS / 365
    pool = ("medical ward", "surgical ward", "kept surgical beds", "elective ward", "escalation beds")
    return (wards + elective) / sum(have.get((setting, site), 0) for setting in pool)


def responses(units: Sequence[beds.Line]) -> str:
    """Fuller wards send people home sooner, site by site, each against its own baseline."""
    lines = []
    for site in general_sites():
        base = base_of(site, units)
        fuller = (*FULLER, (ROOM * (1 - base), FULLEST))
        points = ", ".join(f"[{base + more:.3f}, {times}]" for more, times in fuller)
        lines += [
            f"  {quoted(f'fuller wards at {site} send people home sooner')}:",
            "    kind: assumed",
            "    source: as at Croydon, where it was set by hand; 1 at the baseline's share of beds in use",
            f"    follows: {{occupancy: {quoted(f'beds at {site}')}, over: 1 days}}",
            f"    changes: {{stay_in: {quoted(f'discharge planning at {site}')}}}",
            f"    points: [{points}]",
        ]
    return "\n".join(lines) + "\n"


def critical_pools(units: Sequence[beds.Line]) -> str:
    """Critical care of each STP as one pool: another unit's bed after two hours.

    Units at sites without wards are not in it: who is there could go to no ward.
    """
    lines = []
    general = general_sites()
    for stp in STPS:
        at_sites = [at for setting, at, *_ in units if setting == "critical care" and at in general]
        mine = [f"critical care at {at}" for at in at_sites if hospitals.sites()[at]["stp"] == stp]
        lines.append(f"  critical care in {stp}:")
        lines.append(f"    units: [{', '.join(quoted(one) for one in mine)}]")
        lines += ["    overflow_after:", "      kind: assumed", "      source: general knowledge"]
        lines += [f"      {quoted(one)}: 2 hours" for one in mine]
    return "\n".join(lines) + "\n"


def with_a_and_e() -> list[tuple[str, str]]:
    """Code and name of trusts with a type 1 A&E."""
    return [(code, TRUSTS[code]) for code in WITH_A_AND_E]


def fitted_factors() -> str:
    """The fitted factors as `flowsim calibrate` left them in model.yaml; 1 where they are not there yet."""
    before = HERE / "model.yaml"
    text = before.read_text("utf-8") if before.exists() else ""
    known = dict(re.findall(r'^  "(.+)": {times: ([0-9.]+),', text, re.MULTILINE))
    lines = []

    def add(name: str, rest: str) -> None:
        lines.append(f"  {quoted(name)}: {{times: {known.get(name, '1')}, {rest}}}")

    for code, trust in with_a_and_e():
        at = ", ".join(quoted(site) for site in A_AND_E[code])
        add(f"time in A&E at {trust}", f"stay_in: A&E cubicles, at: [{at}]")
    for code, trust in with_a_and_e():
        at = ", ".join(quoted(site) for site in A_AND_E[code])
        add(
            f"admissions that stay at {trust}",
            f'patients_of: "emergency admission: A&E doctor", at: [{at}], instead_of: "same-day emergency: A&E doctor"',
        )
    add("complex discharge", "shares_of: needs after hospital, except: nothing")
    return "\n".join(lines) + "\n"


def first_day_table(units: Sequence[beds.Line]) -> Lines:
    """Who is there on the first day: near what the model comes to, so that 120 days of warm-up are enough."""
    lines: Lines = [("pathway", "step", "at", "inside", "waiting", "waited_up_to", "residence", "kind", "source")]
    said = "near what the model comes to"
    general = general_sites()
    for setting, at, amount, *_ in units:
        inside = round(INSIDE.get(setting, 0.0) * amount)
        if inside:
            pathway, step = STEPS[setting]
            if setting == "specialist and other beds" and at == CHILDREN_AT:
                step = "specialist care for children"
            if setting == "critical care" and at not in general:
                step = "critical care after operations"
            home = nearest(at)
            lines.append((pathway, step, at, inside, 0, "0 days", home, "assumed", said))
    for kind, of_place in community.care().items():
        for place, one in of_place.items():
            inside = round(min(one.load, 0.99 * one.capacity))
            waiting = round(community.WAITING.get(kind, 0.0) * one.capacity)
            step = "rapid response from general practice" if kind == "rapid response" else kind
            lines.append(("emergency admission", step, place, inside, waiting, "21 days", place, "assumed", said))
    return lines


def nearest(site: str) -> str:
    """The borough whose centre is nearest to a site."""
    return min(boroughs(), key=lambda borough: hospitals.distance(borough, site))


def model(written: str, units: Sequence[beds.Line]) -> str:
    """The model: what is written, with the parts that are one for each site or trust."""
    for mark, part in (
        ("  # ... critical care, by rebuild.py\n", critical_pools(units)),
        ("  # ... fitted factors, by rebuild.py\n", fitted_factors()),
        ("  # ... responses, by rebuild.py\n", responses(units)),
    ):
        if mark not in written:
            raise SystemExit(f"written.yaml has no {mark!r}")
        written = written.replace(mark, part)
    return written.replace("# London", "# Written by rebuild.py from written.yaml: edit that.\n# London", 1)
