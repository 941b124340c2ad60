"""What the London model is fitted to, and what it is compared with that nobody fitted. Used by rebuild.py."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import hospitals
import people
from hospitals import A_AND_E
from parts import GENERAL_AND_ACUTE, TRUSTS, quoted, with_a_and_e
from people import STPS

ADMITTED_CLOCKS = ("A&E four hours: may need a bed", "A&E four hours: admitted without a night")
WINTER = ("2018-12", "2019-01", "2019-02")
EYES = "RP6"
"""Moorfields: attendances at eye casualty, none of type 1."""
TARGETS, KH03 = "sources/baseline_targets_2018_19.csv", "sources/trust_beds_quarterly_kh03.csv"
ANNUAL = "NHS England A&E return 2018/19, sources/trust_ae_annual.csv; an input of the model"
MONTHLY = "attendances of the month / its days x 365, sources/trust_ae_monthly_2018_19.csv"
CENSUS = (
    "census of 23 London hospitals, October and November 2017: 12 to 43 of 100 inpatients, Marinova et al., "
    "J R Coll Physicians Edinb 2020;50:365"
)
CANCELLED = (
    "last-minute cancellations of all causes, sources/trust_cancelled_operations_2018_19.csv; "
    "the model's are for want of a bed"
)
HEAD = """\
# Written by rebuild.py (targets.py): what London is fitted to, and what it is compared with that nobody fitted.
flowsim: 1
title: London in 2018/19, fitted and checked
years: [2018/19]
warm_up: 120 days
replications: 3
rounds: 8
confirmation: 8
kind: read
"""
BY_RULE = {
    "escalation": (
        "0.115 of medical and surgical beds at each site, as at Croydon, for those who have waited 6 hours, not in KH03"
    ),
    "patience": "35 days for care after hospital, 36 hours for a ward; who waits longer goes without, or elsewhere",
    "ring-fences": (
        "planned and orthopaedic beds for a load of 0.8 of them; 0.03 of ward beds kept from medical patients"
    ),
    "responses": "1 at the baseline's share of beds in use, by site",
    "stay": "one London stay by age",
}


REASONS = {
    "over twelve hours from decision to admit": (
        "almost all at King's (313 of 466 in truth), whose beds are 97 of 100 full, and at the smallest site of a "
        "full trust: beds of a trust are split over its sites by rule, and nobody is taken to another hospital "
        "before 36 hours"
    ),
    "operations cancelled on the day": (
        "the model cancels for want of a bed alone, where wards are fullest; last-minute cancellations are for "
        "all reasons (staff, lists that overrun, equipment) and hardly go by occupancy: Kingston cancelled 60, "
        "University College, a quarter empty, 887"
    ),
    "critical care occupancy in winter": (
        "critical care has no season of its own here, and a trust's beds are shared with its STP after two hours, "
        "which draws full and empty ones together; planned patients of each trust are what is left of its "
        "occupied beds"
    ),
    "beds in use at midnight by quarter": (
        "beds are those of the mean of the year: trusts opened some 440 more in the last quarter than in the "
        "third, and longer stays in winter are not in the model"
    ),
    "beds with stays over 7 days in winter": ("winter's longer stays are not in the model"),
}
"""Why a comparison may be out of tolerance; told where it is."""


class Compared(NamedTuple):
    """One comparison with published figures, each field as YAML; empty fields are left out."""

    name: str
    measure: str
    of: str
    published: str
    tolerance: str
    source: str
    by: str = ""
    less: str = ""
    kind: str = "read"

    def lines(self) -> list[str]:
        """Its lines in calibration.yaml."""
        fields = {"measure": self.measure, "of": self.of, "by": self.by, "published": self.published, "less": self.less}
        return [
            f"  {quoted(self.name)}:",
            *(f"    {field}: {value}" for field, value in fields.items() if value),
            f"    {self.tolerance}",
            f"    kind: {self.kind}",
            f"    source: {quoted(self.source)}",
            *([f"    reason: {quoted(REASONS[self.name])}"] if self.name in REASONS else []),
        ]


def calibration() -> str:
    """Targets of the calibration, by trust, with what is compared and not fitted."""
    lines = [HEAD, "fitted:", *fitted(), "", "by_rule:"]
    lines += [f"  {name}: {rule}" for name, rule in BY_RULE.items()]
    lines += ["", "checked:"]
    for some in (of_the_year, of_beds, by_month, by_quarter, of_delays, of_beds_by_quarter, of_long_stays):
        lines += [line for one in some() for line in one.lines()]
    return "\n".join(lines) + "\n"


# --- published figures ---


def target(measure: str, **where: str) -> float:
    """A figure in the table of targets."""
    return float(people.rows("baseline_targets_2018_19", measure=measure, **where)[0]["value"])


def stp_sums(of_trust: dict[str, float]) -> dict[str, float]:
    """Figures of trusts summed by STP."""
    found = dict.fromkeys(STPS, 0.0)
    for code, value in of_trust.items():
        found[hospitals.trusts()[code]] += value
    return found


def monthly(codes: Iterable[str]) -> dict[str, float]:
    """Attendances of all types at some trusts by month, as a year's at that rate."""
    wanted = set(codes)
    found: dict[str, float] = {}
    for row in people.source("trust_ae_monthly_2018_19"):
        if row["trust_code"] in wanted:
            found[row["month"]] = found.get(row["month"], 0.0) + float(row["attendances"] or 0)
    return {m: n / monthrange(int(m[:4]), int(m[5:]))[1] * 365 for m, n in sorted(found.items())}


def quarterly(column: str) -> dict[str, float]:
    """Sums over trusts by quarter of 2018/19."""
    found: dict[str, float] = {}
    for row in people.rows("trust_beds_quarterly_kh03", financial_year="2018-19"):
        name = f"2018/19 {row['fy_quarter']}"
        found[name] = found.get(name, 0.0) + float(row[column] or 0)
    return found


def four_hours_by_quarter() -> dict[str, float]:
    """Share of London's type 1 attendances within four hours, by quarter."""
    seen: dict[str, float] = {}
    every: dict[str, float] = {}
    for row in people.rows("trust_beds_quarterly_kh03", financial_year="2018-19"):
        if row["ae_type1_attendances"] and row["ae_type1_pct_4hr"]:
            name = f"2018/19 {row['fy_quarter']}"
            number = float(row["ae_type1_attendances"])
            every[name] = every.get(name, 0.0) + number
            seen[name] = seen.get(name, 0.0) + number * float(row["ae_type1_pct_4hr"])
    return {name: seen[name] / every[name] for name in every}


# --- as YAML ---


def one_of(names: Iterable[str]) -> str:
    """A list in YAML."""
    return "[" + ", ".join(quoted(name) for name in names) + "]"


def figures(of: dict[str, float], digits: int = 4) -> str:
    """Published figures by name, in YAML."""
    return "{" + ", ".join(f"{quoted(name)}: {value:.{digits}g}" for name, value in of.items()) + "}"


def named(of_trust: dict[str, float]) -> dict[str, float]:
    """Figures by the trusts' names."""
    return {TRUSTS[code]: value for code, value in of_trust.items()}


WARDS = f"{{setting: {one_of(GENERAL_AND_ACUTE)}}}"


# --- what is fitted ---


def fitted() -> Iterator[str]:
    """Lines of what each fitted factor is fitted to."""
    for code, trust in with_a_and_e():
        yield from (
            f"  {quoted(f'time in A&E at {trust}')}:",
            "    measure: within_standard",
            f"    of: {{clock: A&E four hours, trust: {quoted(trust)}}}",
            f"    target: {target('four_hour_share_type1', code=code):.4f}",
            "    within: 0.05",
            f"    label: {quoted(f'{trust}, type 1 within four hours')}",
            f"    source: {quoted(f'NHS England A&E return 2018/19, {TARGETS}')}",
        )
    for code, trust in with_a_and_e():
        beds, used = hospitals.beds()[code], hospitals.occupied()[code]
        yield from (
            f"  {quoted(f'admissions that stay at {trust}')}:",
            "    measure: beds_at_midnight",
            f"    of: {{trust: {quoted(trust)}, setting: {one_of(GENERAL_AND_ACUTE)}}}",
            f"    target: {used:.1f}",
            f"    within: {0.02 * beds:.1f}",
            f"    label: {quoted(f'{trust}, beds in use at midnight ({used / beds:.1%} of {beds:.1f})')}",
            f"    source: {quoted(f'KH03 2018/19, mean of four quarters, {KH03}')}",
        )
    yield from (
        "  complex discharge:",
        "    measure: ready_share",
        f"    of: {WARDS}",
        "    target: 0.24",
        "    within: 0.03",
        "    label: share of beds in use whose patient is fit to leave",
        f"    source: {quoted(CENSUS)}",
    )


# --- what is compared ---


def of_the_year() -> Iterator[Compared]:
    """Attendances and admissions by trust, and how many are seen within four hours."""
    year = hospitals.attendances()
    other = {code: one["other"] for code, one in year.items() if one["other"]}
    for name, measure, of, published in (
        ("type 1 attendances", "arrivals_a_year", "{setting: A&E doctors}", {c: year[c]["type 1"] for c in A_AND_E}),
        ("other attendances", "arrivals_a_year", "{setting: urgent treatment}", other),
        (
            "admissions through A&E",
            "clocks_a_year",
            f"{{clock: {one_of(ADMITTED_CLOCKS)}}}",
            {c: year[c]["admitted"] for c in A_AND_E},
        ),
    ):
        yield Compared(name, measure, of, figures(named(published), 6), "within_share: 0.03", ANNUAL, by="trust")
    london = people.rows("baseline_targets_2018_19", level="london", measure="four_hour_share_type1")[0]["value"]
    yield Compared(
        name="type 1 within four hours, London",
        measure="within_standard",
        of="{clock: A&E four hours}",
        published=london,
        tolerance="within: 0.02",
        source=TARGETS,
    )
    yield Compared(
        name="all types within four hours",
        measure="within_standard",
        of="{clock: all urgent care four hours}",
        by="stp",
        published=figures({stp: target("four_hour_share_all", level="stp", name=stp) for stp in STPS}),
        tolerance="within: 0.05",
        source=TARGETS,
    )


def of_beds() -> Iterator[Compared]:
    """Beds in use by STP."""
    yield Compared(
        name="beds in use at midnight by STP",
        measure="beds_at_midnight",
        of=WARDS,
        by="stp",
        published=figures(stp_sums(hospitals.occupied()), 5),
        tolerance="within_share: 0.0112",
        source="KH03 2018/19, sums of trusts; 0.0112 of beds in use is 1 point of occupancy",
        kind="derived",
    )


def by_month() -> Iterator[Compared]:
    """Attendances of all types by month, of London and of each STP."""
    attended = "attendances of all types a year"
    everywhere = [*A_AND_E, EYES]
    yield Compared(
        name=f"{attended}, by month",
        measure="arrivals_a_year",
        of="{setting: [A&E doctors, urgent treatment]}",
        by="month",
        published=figures(monthly(everywhere), 7),
        tolerance="within_share: 0.05",
        source=f"{MONTHLY}; its months are inputs",
        kind="derived",
    )
    for stp in STPS:
        yield Compared(
            name=f"{attended}, {stp}, by month",
            measure="arrivals_a_year",
            of=f"{{setting: [A&E doctors, urgent treatment], stp: {stp}}}",
            by="month",
            published=figures(monthly(code for code in everywhere if hospitals.trusts()[code] == stp), 7),
            tolerance="within_share: 0.05",
            source=f"{MONTHLY}; London's months are inputs",
            kind="derived",
        )


def by_quarter() -> Iterator[Compared]:
    """Type 1 within four hours by quarter, and how much fewer they are in winter than in spring."""
    quarters = four_hours_by_quarter()
    yield Compared(
        name="type 1 within four hours by quarter",
        measure="within_standard",
        of="{clock: A&E four hours}",
        by="quarter",
        published=figures(quarters),
        tolerance="within: 0.05",
        source=f"{KH03}, weighted by attendances",
        kind="derived",
    )
    yield Compared(
        name="type 1 within four hours, Q1 less Q4",
        measure="within_standard",
        of="{clock: A&E four hours, quarter: 2018/19 Q1}",
        published=f"{quarters['2018/19 Q1'] - quarters['2018/19 Q4']:.4f}",
        less="{quarter: 2018/19 Q4}",
        tolerance="within: 0.05",
        source=KH03,
        kind="derived",
    )


def of_delays() -> Iterator[Compared]:
    """Waits of twelve hours, cancelled operations, critical care in winter."""
    waits = sum(target("waits_over_12h_from_decision_to_admit", code=code) for code in A_AND_E)
    admitted = sum(hospitals.attendances()[code]["admitted"] for code in A_AND_E)
    yield Compared(
        name="over twelve hours from decision to admit",
        measure="beyond_standard_a_year",
        of="{clock: twelve hours from decision to admit}",
        published=f"{waits:.0f}",
        tolerance=f"at_most: {0.005 * admitted:.0f}",
        source=f"{TARGETS}; at most 0.005 of admissions",
    )
    cancelled = {code: target("last_minute_cancelled_elective_operations", code=code) for code in A_AND_E}
    yield Compared(
        name="operations cancelled on the day",
        measure="reneged_a_year",
        of="{setting: [elective ward, orthopaedic ward]}",
        by="trust",
        published=figures(named(cancelled)),
        tolerance="within_times: 2",
        source=CANCELLED,
    )
    critical = {code: used / opened for code, (opened, used) in hospitals.critical_care().items()}
    yield Compared(
        name="critical care occupancy in winter",
        measure="occupancy",
        of=f"{{setting: critical care, month: {one_of(WINTER)}}}",
        by="trust",
        published=figures(named(critical)),
        tolerance="within: 0.05",
        source="adult critical care, winter daily return of 2018/19, sources/trust_winter_sitrep_2018_19.csv",
    )


def of_beds_by_quarter() -> Iterator[Compared]:
    """Beds in use by quarter."""
    yield Compared(
        name="beds in use at midnight by quarter",
        measure="beds_at_midnight",
        of=WARDS,
        by="quarter",
        published=figures(quarterly("kh03_occ_ga_avg_beds"), 6),
        tolerance="within_share: 0.0223",
        source="KH03 2018/19, sums of trusts; 0.0223 of beds in use are 2 points",
        kind="derived",
    )


def of_long_stays() -> Iterator[Compared]:
    """Beds in use by patients who have stayed long, in winter."""
    for days, clock in ((7, "over seven days"), (21, "over twenty-one days")):
        yield Compared(
            name=f"beds with stays over {days} days in winter",
            measure="running_beyond_standard",
            of=f"{{clock: stay on the wards {clock}, month: {one_of(WINTER)}}}",
            published=f"{target(f'share_of_occupied_beds_over_{days}_days_winter', level='london')}",
            tolerance="within: 0.04",
            source=f"winter daily return of 2018/19, {TARGETS}; the model's at the ends of three months",
        )
