"""Rebuilds every derived table of the Croydon model from the rows in `sources/`, and the model with general practice.

    python configs/croydon/rebuild.py          writes tables/ and with_general_practice.yaml
    python configs/croydon/rebuild.py --check  says which of these are not current, and ends with 1 if any is

What is assumed stands in the constants at the top; everything else is read from `sources/` or computed here.
`profiles()` and `bed_steps()` give the figures that stand in `model.yaml` itself.
"""

from __future__ import annotations

import csv
import io
import sys
from calendar import monthrange
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import practice

HERE = Path(__file__).resolve().parent
Row = dict[str, str]
Lines = list[Sequence[object]]

YEARS = range(2018, 2032)
NEIGHBOURHOODS = tuple(f"Croydon {number}" for number in range(1, 9))
NEIGHBOURS = "Neighbouring boroughs"
BANDS = (*(f"{age}-{age + 4}" for age in range(0, 90, 5)), "90+")
CHILDREN = BANDS[:3]
AS_IN_2018 = "as in 2018"  # nobody more, nobody older
VARIANTS = ("principal", "high migration", "low migration", AS_IN_2018)
MONTHS = (*(f"2018-{month:02d}" for month in range(4, 13)), "2019-01", "2019-02", "2019-03")

# --- assumed: general knowledge, no source read ---
TYPE_1_CHILD_PER_1000 = {"0-4": 520.0, "5-16": 240.0}  # A&E type 1 attendances a year
ALL_TYPES_CHILD_PER_1000 = {"0-4": 800.0, "5-16": 380.0}  # A&E attendances of all types
ADMITTED_CHILD_PER_1000 = {"0-4": 150.0, "5-16": 35.0}  # emergency admissions
DIRECT_SHARE = 0.22  # of emergency admissions, not through A&E
SAME_DAY_SHARE = 0.32  # of emergency admissions, no night in a bed
SAME_DAY_CHILD_SHARE = 0.60  # of emergency admissions at ages 0-14
CRITICAL_SHARE = 0.036  # of adult emergency admissions, same-day ones included
SURGICAL_SHARE = 0.22  # of adult emergency admissions that stay a night
RAPID_RESPONSE_SHARE = 0.02  # of adults who would be admitted to stay, already cared for at home instead
RETURNS_A_YEAR = 2150  # admissions by people who come back, which the model makes itself (see README)
MEDICAL_STAY_DAYS = 5.5  # clinical stay of an adult medical admission that stays a night, mean over ages
ELECTIVE_A_YEAR = 3300  # ordinary elective admissions at Croydon University Hospital
THEATRE_DAY_SHARE = 0.40  # of day cases; the others are endoscopies, injections, infusions
FOLLOW_UPS_PER_FIRST = 2.2  # outpatient attendances
CHILD_FIRST_ATTENDANCE_PER_1000 = 250.0  # outpatients, shape only
TURNED_AWAY_A_YEAR = 10_000  # who find no appointment in general practice and come to the hospital's door instead
TURNED_AWAY_TO_URGENT_SHARE = 0.85  # of these, the door sends so many to urgent treatment
NURSING_PER_PERSON = {"0-4": 0.2, "5-16": 0.2, "17-64": 0.25, "65-74": 1.3, "75-84": 3.6, "85+": 9.0}  # contacts a year
CONTACTS_PER_EPISODE = 16  # of community nursing: two a week for eight weeks
CARE_HOME_SHAPE = {"0-4": 0.0, "5-16": 0.0, "17-64": 0.0, "65-74": 0.1, "75-84": 0.5, "85+": 2.0}
HOME_CARE_A_YEAR = 980  # people of Croydon who ask the council for home care from home
CARE_HOME_COUNCIL_A_YEAR, CARE_HOME_OTHERS_A_YEAR = 190, 190  # who enter a care home from home
SPECIALIST_A_YEAR = 260  # people of Croydon taken to St George's for specialist care
GP_RAPID_RESPONSE_PER_1000 = 25.0  # referrals a year to rapid response by general practice, ages 65+
STROKE_SHAPE = dict(zip(BANDS, [0.01] * 8 + [0.1, 0.25, 0.5, 0.9, 1.3, 2.0, 3.2, 5.0, 8.0, 11.0, 14.0], strict=True))
TRAUMA_SHAPE = dict(zip(BANDS, [0.1] * 3 + [0.4] * 10 + [0.4, 0.4, 0.6, 0.8, 1.2, 1.2], strict=True))
TRAUMA_A_YEAR = 150  # people of Croydon taken to the major trauma centre
NEEDS_CARE = dict(
    zip(BANDS, [0.0] * 3 + [0.05] * 7 + [0.06, 0.07, 0.09, 0.14, 0.19, 0.27, 0.35, 0.42, 0.48], strict=True)
)  # share of those discharged who need home care, intermediate care or a care home first

ASSUMED = "general knowledge, no source read; see configs/croydon/README.md"


@cache
def source(name: str, **where: str) -> list[Row]:
    """Rows of `sources/name.csv` whose columns have the values given."""
    with (HERE / "sources" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if all(row[key] == value for key, value in where.items())]
    if not rows:
        raise SystemExit(f"sources/{name}.csv has no row with {where}")
    return rows


# --- people ---


def projection(variant: str) -> dict[tuple[int, str], float]:
    """People of Croydon by year and five-year band.

    The principal projection is read. High and low migration are published for broad bands in 2021, 2026
    and 2031 only: their ratio to the principal one, straight lines between those years and 1 in 2018, is put
    on its five-year bands (15-19 is two fifths 5-16 and three fifths 17-64).
    """
    principal = {
        (int(row["year"]), row["age_band"]): float(row["population"])
        for row in source("borough_population_snpp2018_5yr_bands_annual")
    }
    if variant == "principal":
        return {key: people for key, people in principal.items() if key[0] in YEARS}
    if variant == AS_IN_2018:
        return {(year, band): principal[YEARS[0], band] for year in YEARS for band in BANDS}
    wide: dict[tuple[str, int, str], float] = {}
    for row in source("borough_population_by_age"):
        basis = row["basis"].partition("projection (")[2].rstrip(")")
        if basis:
            wide[basis, int(row["year"]), row["age_band"]] = float(row["population"])

    def ratio(year: int, band: str) -> float:
        known = {2018: 1.0} | {y: wide[variant, y, band] / wide["principal", y, band] for y in (2021, 2026, 2031)}
        before = max(y for y in known if y <= year)
        after = min(y for y in known if y >= year)
        weight = (year - before) / (after - before) if after > before else 0.0
        return known[before] * (1 - weight) + known[after] * weight

    def of_band(year: int, band: str) -> float:
        age = int(band.rstrip("+").split("-")[0])
        if age == 15:
            return 0.4 * ratio(year, "5-16") + 0.6 * ratio(year, "17-64")
        names = ((0, "0-4"), (5, "5-16"), (20, "17-64"), (65, "65-74"), (75, "75-84"), (85, "85+"))
        return ratio(year, [name for low, name in names if low <= age][-1])

    return {(year, band): principal[year, band] * of_band(year, band) for year in YEARS for band in BANDS}


def croydon_share() -> float:
    """Share of the hospital's catchment that lives in Croydon; the published shares, made to sum to 1."""
    rows = source("trust_catchment_by_borough")
    shares = {row["ltla_code"]: float(row["share_of_trust_catchment"]) for row in rows}
    return shares["E09000008"] / sum(shares.values())


def population_table() -> Lines:
    """Croydon's people spread evenly over its neighbourhoods, and the neighbours who look to its hospital."""
    neighbours = (1 - croydon_share()) / croydon_share()
    lines: Lines = [("place", "age_band", "year", "people", "variant")]
    for variant in VARIANTS:
        people = projection(variant)
        for place in (*NEIGHBOURHOODS, NEIGHBOURS):
            part = neighbours if place == NEIGHBOURS else 1 / len(NEIGHBOURHOODS)
            lines += [
                (place, band, year, round(people[year, band] * part, 3), variant) for year in YEARS for band in BANDS
            ]
    return lines


def catchment() -> dict[str, float]:
    """People who look to Croydon University Hospital in 2018: Croydon and its neighbours' part."""
    return {band: people / croydon_share() for (year, band), people in projection("principal").items() if year == 2018}


# --- need ---


def published() -> dict[str, float]:
    """Attendances and admissions through A&E of the year 2018/19."""
    type_1, other = (
        source("trust_ae_annual", trust_code="RJ6", type="1")[0],
        source("trust_ae_annual", trust_code="RJ6", type="other")[0],
    )
    return {
        "type 1": float(type_1["attendances"]),
        "urgent": float(other["attendances"]),
        "admitted": float(type_1["admissions"]),
    }


def adult_rates(*groups: str) -> dict[str, float]:
    """London's rates of 2022 per 1,000 a year by five-year band, groups summed; 15-19 has those of 17-19."""
    rates = dict.fromkeys(BANDS[3:], 0.0)
    for row in source("activity_rates_by_age_2022"):
        if row["group"] in groups:
            rates["15-19" if row["age_band"] == "17-19" else row["age_band"]] += float(row["rate_per_1000"])
    return rates


def wide_rates(per_person: dict[str, float]) -> dict[str, float]:
    """Five-year bands with the figures of six broad ones."""
    return practice.in_bands(per_person, BANDS)


def reference(measure: str) -> float:
    """A figure of `sources/national_reference_2018_19.csv`, for England."""
    return float(source("national_reference_2018_19", measure=measure, group="England")[0]["value"])


@cache
def planned_care() -> dict[str, float]:
    """A year's planned care at Croydon University Hospital.

    Its share of its catchment's planned care is what the assumed ordinary elective admissions are of those that
    London's rates would give; day cases and outpatients go by the same share.
    """
    people, england = catchment(), 55_980_000  # people in England, mid-2018, sources/national_reference_2018_19.csv
    everybody = sum(people.values())
    ordinary, day = adult_rates("ordelec_n"), adult_rates("daycase_n")
    share = ELECTIVE_A_YEAR / sum(ordinary[band] * people[band] / 1000 for band in ordinary)
    day_cases = share * sum(day[band] * people[band] / 1000 for band in day)
    admitted = 12 * reference("completed pathways, admitted") / england * everybody * share
    not_admitted = 12 * reference("completed pathways, not admitted") / england * everybody * share
    first = reference("attendances") / england * everybody * share / (1 + FOLLOW_UPS_PER_FIRST)
    theatre = THEATRE_DAY_SHARE * day_cases
    return {
        "share": share,
        "referrals": admitted + not_admitted,
        "first attendances": first,
        "other first attendances": first - admitted - not_admitted,
        "ordinary": ELECTIVE_A_YEAR,
        "day surgery": theatre,
        "day treatment": admitted - ELECTIVE_A_YEAR - theatre,
        "repeated day treatment": day_cases - (admitted - ELECTIVE_A_YEAR),
    }


def with_children(adults: dict[str, float], children: dict[str, float]) -> dict[str, float]:
    """Rates of all bands: 15-19 is two fifths a child of 5-16 and three fifths an adult."""
    rates = {"0-4": children["0-4"], "5-9": children["5-16"], "10-14": children["5-16"], **adults}
    rates["15-19"] = 0.4 * children["5-16"] + 0.6 * adults["15-19"]
    return rates


def scaled(shape: dict[str, float], total: float, people: dict[str, float]) -> dict[str, float]:
    """The rates of a shape that make so many patients a year of these people."""
    now = sum(shape[band] * people[band] / 1000 for band in BANDS)
    return {band: shape[band] * total / now for band in BANDS}


def emergencies() -> dict[str, float]:
    """Emergency admissions per 1,000 a year by band, whether through A&E or not."""
    shape = with_children(adult_rates("emer_n"), ADMITTED_CHILD_PER_1000)
    return scaled(shape, published()["admitted"] / (1 - DIRECT_SHARE), catchment())


@cache
def attendances() -> dict[str, tuple[float, float]]:
    """Walk-in attendances per 1,000 a year by band: for urgent treatment, and seen in A&E and sent home.

    Those whom general practice turned away are not among them: they are a stream of their own.
    """
    people, totals, admitted = catchment(), published(), emergencies()
    minor = {age: ALL_TYPES_CHILD_PER_1000[age] - TYPE_1_CHILD_PER_1000[age] for age in TYPE_1_CHILD_PER_1000}
    turned_away = TURNED_AWAY_A_YEAR * TURNED_AWAY_TO_URGENT_SHARE
    urgent = scaled(with_children(adult_rates("walkin"), minor), totals["urgent"] - turned_away, people)
    type_1 = scaled(with_children(adult_rates("amb", "walkin"), TYPE_1_CHILD_PER_1000), totals["type 1"], people)
    home = {band: type_1[band] - admitted[band] * (1 - DIRECT_SHARE) for band in BANDS}
    home = scaled(home, totals["type 1"] - totals["admitted"] - (TURNED_AWAY_A_YEAR - turned_away), people)
    return {band: (urgent[band], home[band]) for band in BANDS}


def streaming_table() -> Lines:
    """Where the door sends a walk-in, by age: urgent treatment or the doctors of A&E."""
    lines: Lines = [("age_band", "to", "share")]
    for band, (urgent, home) in attendances().items():
        share = round(urgent / (urgent + home), 4)
        lines += [(band, "urgent treatment", share), (band, "A&E doctor", round(1 - share, 4))]
    return lines


@cache
def need_rates() -> dict[str, dict[str, float]]:
    """Need per 1,000 people a year by band, for each stream; scaled to the published totals of 2018/19."""
    people, admitted, attending = catchment(), emergencies(), attendances()
    same_day = same_day_shares(admitted, people)
    through = {band: admitted[band] * (1 - DIRECT_SHARE) for band in BANDS}
    stays = {band: through[band] * (1 - same_day[band]) for band in BANDS}
    new = 1 - RETURNS_A_YEAR / sum(stays[band] * people[band] / 1000 for band in BANDS)
    croydon = {band: number * croydon_share() for band, number in people.items()}
    stroke = float(source("stroke_units_london", Unit="Croydon SU")[0]["catchment_stroke_admissions_per_year"])
    first = with_children(
        adult_rates("surg_first", "non-surg_first"), dict.fromkeys(("0-4", "5-16"), CHILD_FIRST_ATTENDANCE_PER_1000)
    )
    day_case, planned = {**dict.fromkeys(CHILDREN, 0.0), **adult_rates("daycase_n")}, planned_care()
    contacts, nursing = wide_rates(practice.PER_PERSON), wide_rates(NURSING_PER_PERSON)
    older = {band: 0.0 if band in CHILDREN else rate for band, rate in nursing.items()}
    homes = wide_rates(CARE_HOME_SHAPE)
    return {
        "attendance": {band: sum(attending[band]) for band in BANDS},
        "turned_away": scaled(contacts, TURNED_AWAY_A_YEAR, croydon),
        "admitted_to_stay": {band: stays[band] * new for band in BANDS},
        "same_day": {band: through[band] * same_day[band] for band in BANDS},
        "referred_directly": {band: admitted[band] * DIRECT_SHARE for band in BANDS},
        "referrals": scaled(first, planned["referrals"], people),
        "other_clinics": scaled(first, planned["other first attendances"], people),
        "repeated_day_treatment": scaled(day_case, planned["repeated day treatment"], people),
        "community_nursing": {band: 1000 * rate / CONTACTS_PER_EPISODE for band, rate in nursing.items()},
        "home_care": scaled(older, HOME_CARE_A_YEAR, croydon),
        "care_home": scaled(homes, CARE_HOME_COUNCIL_A_YEAR, croydon),
        "care_home_of_others": scaled(homes, CARE_HOME_OTHERS_A_YEAR, croydon),
        "specialist_care": scaled(older, SPECIALIST_A_YEAR, croydon),
        "stroke": scaled(STROKE_SHAPE, stroke, croydon),
        "major_trauma": scaled(TRAUMA_SHAPE, TRAUMA_A_YEAR, croydon),
        "rapid_response": {band: GP_RAPID_RESPONSE_PER_1000 if band in BANDS[13:] else 0.0 for band in BANDS},
        "care_after_other_hospitals": care_after_other_hospitals(admitted, same_day),
    }


def same_day_shares(admitted: dict[str, float], people: dict[str, float]) -> dict[str, float]:
    """Share of emergency admissions without a night: children's as assumed, adults' to match the whole."""
    children = sum(admitted[band] * people[band] for band in CHILDREN)
    everybody = sum(admitted[band] * people[band] for band in BANDS)
    adults = (SAME_DAY_SHARE * everybody - SAME_DAY_CHILD_SHARE * children) / (everybody - children)
    return dict.fromkeys(BANDS, adults) | dict.fromkeys(CHILDREN, SAME_DAY_CHILD_SHARE)


def care_after_other_hospitals(admitted: dict[str, float], same_day: dict[str, float]) -> dict[str, float]:
    """People who leave other hospitals and need care first: as at Croydon, times patients there to here."""
    flows = source("borough_to_trust_emergency_flow")
    share = {row["trust_code"]: float(row["share_of_borough_emergency_admissions"]) for row in flows}
    here, there = share["RJ6"], sum(share.values()) - share["RJ6"]
    return {band: admitted[band] * (1 - same_day[band]) * NEEDS_CARE[band] * there / here for band in BANDS}


def need_table(rates: dict[str, float], of_croydon: bool = False) -> Lines:
    """Need per 1,000 people a year by age band; by place if it is of Croydon's people alone."""
    if not of_croydon:
        return [("age_band", "per_1000_a_year"), *((band, round(rates[band], 4)) for band in BANDS)]
    rows = [(place, band, round(rates[band], 4)) for place in NEIGHBOURHOODS for band in BANDS]
    return [("place", "age_band", "per_1000_a_year"), *rows, *((NEIGHBOURS, band, 0) for band in BANDS)]


# --- stays, routes, marks by age ---


def ages_table(name: str) -> Lines:
    """Shares of the age bands among the patients of a stream."""
    rates, people = need_rates()[name], catchment()
    total = sum(rates[band] * people[band] for band in BANDS)
    shares = {band: round(rates[band] * people[band] / total, 4) for band in BANDS}
    shares[BANDS[-1]] = round(1 - sum(shares[band] for band in BANDS[:-1]), 4)
    return [("age_band", "share"), *shares.items()]


def stay_table(mean_days: float) -> Lines:
    """Mean stay by age: the shape of London's mean emergency stay in 2022, with the mean given."""
    shape = {row["age_band"]: float(row["mean_los_emergency_days"]) for row in source("mean_los_by_age_2022")}
    shape = {band: shape.get(band, shape["17-19"]) for band in BANDS}
    rates, people = need_rates(), catchment()
    adults = [band for band in BANDS if band not in CHILDREN]
    weight = {band: rates["admitted_to_stay"][band] * people[band] for band in adults}
    mean = sum(shape[band] * weight[band] for band in adults) / sum(weight.values())
    return [("age_band", "mean_days"), *((band, round(shape[band] / mean * mean_days, 3)) for band in BANDS)]


def routes_table(steps: tuple[str, str, str, str], leave: bool) -> Lines:
    """Where those go who need a bed: critical care, surgery, rapid response or medicine; children's ward.

    With `leave`, those without a night leave first.
    """
    rates, people = need_rates(), catchment()
    same_day = dict.fromkeys(BANDS, 0.0)
    if leave:
        total = {band: rates["same_day"][band] + rates["admitted_to_stay"][band] for band in BANDS}
        same_day = {band: rates["same_day"][band] / total[band] for band in BANDS}
    adults = [band for band in BANDS if band not in CHILDREN]
    days = sum((rates["same_day"][band]) * people[band] for band in adults)
    stay = sum(rates["admitted_to_stay"][band] * people[band] for band in adults)
    critical = CRITICAL_SHARE * (days + stay) / stay
    critical_step, surgical_step, rapid_step, medical_step = steps
    lines: Lines = [("age_band", "to", "share")]
    for band in BANDS:
        left = round(same_day[band], 4)
        if band in CHILDREN:
            rows = {"children's ward": 1 - left}
        else:
            rows = {critical_step: critical, surgical_step: SURGICAL_SHARE, rapid_step: RAPID_RESPONSE_SHARE}
            rows = {step: round(share * (1 - left), 4) for step, share in rows.items()}
            rows[medical_step] = 1 - left - sum(rows.values())
        if leave:
            rows["leave"] = left
        lines += [(band, step, round(share, 4)) for step, share in rows.items()]
    return lines


def needs_table() -> Lines:
    """What people need after hospital, by age: the assumed share, split as Bristol's pathways 1 to 3."""
    rows = source("d2a_pathway_parameters_bnssg")
    flow = {p: sum(float(r["mean_arrivals_per_day"]) for r in rows if r["pathway"] == p) for p in ("P1", "P2", "P3")}
    names = {"P1": "home care", "P2": "intermediate care", "P3": "care home"}
    lines: Lines = [("age_band", "to", "share")]
    for band in BANDS:
        parts = {names[p]: round(NEEDS_CARE[band] * flow[p] / sum(flow.values()), 4) for p in flow}
        lines.append((band, "nothing", round(1 - sum(parts.values()), 4)))
        lines += [(band, name, share) for name, share in parts.items()]
    return lines


# --- figures in model.yaml ---


def days_in(month: str) -> int:
    """Days of a month written 2018-04."""
    return monthrange(int(month[:4]), int(month[5:]))[1]


def profiles() -> dict[str, list[float]]:
    """Month profiles from January, patients a day against the mean day of 2018/19; day and week profiles.

    Admissions that stay follow London's index. What Croydon's own admissions do beyond that is same-day care:
    they swing from 0.87 to 1.17 against the number of beds, which stays a night could not do.
    """
    daily = {
        (row["type"], row["month"], kind): float(row[kind]) / days_in(row["month"])
        for row in source("trust_ae_monthly_2018_19")
        for kind in ("attendances", "admissions")
    }
    index = {int(row["month"]): float(row["adm_per_day_index"]) for row in source("ae_monthly_seasonality_london")}
    admitted = published()["admitted"] / 365
    rates, people = need_rates(), catchment()
    same_day = sum(rates["same_day"][band] * people[band] for band in BANDS) / 1000 / 365
    mean_index = sum(index[int(month[5:])] * days_in(month) for month in MONTHS) / 365
    stays = {month: (admitted - same_day) * index[int(month[5:])] / mean_index for month in MONTHS}
    same = {month: daily["1", month, "admissions"] - stays[month] for month in MONTHS}
    walk_ins = {
        month: daily["1", month, "attendances"] - daily["1", month, "admissions"] + daily["other", month, "attendances"]
        for month in MONTHS
    }

    def relative(values: dict[str, float]) -> list[float]:
        mean = sum(values[month] * days_in(month) for month in MONTHS) / 365
        return [round(values[month] / mean, 4) for month in sorted(MONTHS, key=lambda month: month[5:])]

    shares = {
        (row["series"][:8], row["unit"][:4], int(row["key"])): float(row["share"])
        for row in source("arrival_time_profiles")
    }
    return {
        "months of attendances": relative(walk_ins),
        "months of those who stay": relative(stays),
        "months of same-day care": relative(same),
        "day of attendances": [shares["all A&E ", "hour", hour] for hour in range(24)],
        "week of attendances": [shares["all A&E ", "week", day] for day in range(7)],
        "day of those admitted": [shares["arrivals", "hour", hour] for hour in range(24)],
        "week of those admitted": [shares["arrivals", "week", day] for day in range(7)],
    }


def bed_steps() -> list[int]:
    """General and acute beds in the quarters of 2018/19 against the mean of the year, in whole beds."""
    beds = [float(row["kh03_avail_ga_avg_beds"]) for row in source("trust_beds_quarterly_kh03", trust_code="RJ6")]
    return [round(quarter - sum(beds) / len(beds)) for quarter in beds]


# --- writing ---


def tables() -> dict[str, Lines]:
    """Every derived table by name."""
    contacts = wide_rates(practice.PER_PERSON)
    appointments = {
        f"general_practice_{kind.replace(' ', '_')}": {band: 1000 * share * rate for band, rate in contacts.items()}
        for kind, share in practice.KINDS.items()
    }
    made = {f"need_{name}": need_table(rates, name == "turned_away") for name, rates in need_rates().items()}
    made |= {f"need_{name}": need_table(rates, of_croydon=True) for name, rates in appointments.items()}
    return made | {
        "population": population_table(),
        "ages_of_stroke": ages_table("stroke"),
        "ages_of_major_trauma": ages_table("major_trauma"),
        "ages_of_specialist_care": ages_table("specialist_care"),
        "medical_stay": stay_table(MEDICAL_STAY_DAYS),
        "surgical_stay": stay_table(0.75 * MEDICAL_STAY_DAYS),
        "routes_from_emergency": routes_table(
            ("critical care", "surgical ward", "rapid response", "medical ward"), leave=False
        ),
        "routes_from_assessment": routes_table(
            ("critical care", "surgical ward", "rapid response", "medical ward"), leave=True
        ),
        "needs_after_hospital": needs_table(),
        "streaming": streaming_table(),
        "units_with_general_practice": practice_units(),
    }


def practice_units() -> Lines:
    """The units of the model, and appointments of general practice: a weekday's slots in each neighbourhood."""
    people, rates = projection("principal"), wide_rates(practice.PER_PERSON)
    contacts = sum(people[YEARS[0], band] * rates[band] for band in BANDS) / len(NEIGHBOURHOODS)
    return practice.units(HERE / "tables" / "units.csv", contacts, NEIGHBOURHOODS, NEIGHBOURS)


def practice_model() -> str:
    """The model with general practice, made of `model.yaml` and `general_practice.yaml`."""
    model, part = ((HERE / name).read_text("utf-8") for name in ("model.yaml", "general_practice.yaml"))
    return practice.merged(model, part)


def text(lines: Iterable[Sequence[object]]) -> str:
    """Lines as a CSV file."""
    csv.writer(buffer := io.StringIO(), lineterminator="\n").writerows(lines)
    return buffer.getvalue()


def main(arguments: list[str]) -> int:
    """Writes or checks the tables; 1 if `--check` finds one that is not current."""
    stale = []
    wanted = {HERE / "tables" / f"{name}.csv": text(lines) for name, lines in tables().items()}
    wanted[HERE / "with_general_practice.yaml"] = practice_model()
    for path, content in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != content:
            stale.append(path.name)
            if "--check" not in arguments:
                path.write_text(content, encoding="utf-8")
    sys.stdout.write(f"{len(stale)} files changed: {', '.join(stale)}\n" if stale else "all files are current\n")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
