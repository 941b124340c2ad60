"""How many more beds demographic change alone asks for in five years, and what was published by the same definition.

    python configs/london/extra_beds.py          writes extra_beds.md
    python configs/london/extra_beds.py --check  says whether it is of the model as it stands, and ends with 1 if not

Use by age and stay are constant: other growth is 0, nothing else changes. The load of the general and acute beds comes
from the traffic equations, with the people of 2018 and with those of five years later in the same calendar year, so
that leap days and weekdays play no part; the load is scaled to the beds in use in the model's 2018/19.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import hospitals
import parts
import people
import runs
from runs import LONDON, STP

from flowsim.engine.building import compile_network
from flowsim.engine.traffic import LoadRow, offered_load
from flowsim.measure.estimate import estimate
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.levers import parse_lever
from flowsim.model.loading import read_model
from flowsim.model.schema import Model

TEXT = runs.HERE / "extra_beds.md"
FITTED, LATER = "2018/19", "2023/24"
AS_IN = 2018
OCCUPANCIES = (0.85, 0.80)
KINDS = {
    "medical and surgical wards": ("medical ward", "surgical ward", "kept surgical beds", "escalation beds"),
    "planned and orthopaedic wards": ("elective ward", "orthopaedic ward"),
    "children's wards": ("children's ward",),
    "stroke and trauma": ("stroke unit", "hyper-acute stroke unit", "major trauma ward"),
    "specialist and other beds": ("specialist and other beds",),
}
KINGS_FUND = (1360, 1600, 1700)
"""More beds in use, at 85% and at 80%: King's Fund and Nuffield Trust, 2017, London 2015/16 to 2020/21."""
BED_DAYS = ("emer_bds", "ordelec_bds")
PAGE = """\
# More beds by {later}: demographic change alone, beside what was published

**Definition,** as the King's Fund and the Nuffield Trust had it: use by age and length of stay are constant, only the
number and age of people change; more beds in use, divided by an occupancy. Here it is five years on from {fitted}, by
the traffic equations, with other growth at 0. The load is scaled to the {in_use} general and acute beds in use at
midnight in the model's {fitted}: {occupancy} of {beds} (escalation beds are counted when in use, not as beds).

{provenance}

{variants}

* Model: load in {later} against that of the people of 2018. People as in 2018 are the check: no bed more.
* Bed days by age: London's bed days of 2022 by five-year age band, ages 17 and over, emergency and ordinary planned
  admissions (sources/activity_rates_by_age_2022.csv), times the people of 2018 and 2023
  (sources/borough_population_snpp2018_5yr_bands_annual.csv), as a share of the same beds in use.
* King's Fund and Nuffield Trust: Ham and others, Sustainability and transformation plans in London, September 2017:
  {kings_fund_range} more beds by 2020/21 from 2015/16; beds in use are both times the occupancy.

## By STP, principal projection

{stps}

Scaled STP by STP, to the beds in use at its own trusts; bed days by age are of its residents, by its own rates.

## By kind of bed, principal projection

{kinds}

## Why they differ

* **Children.** Without the children's wards, whose load changes by {childrens}, the model's growth is {adults}. The
  bed days by age are of adults alone. What the published figure did with children was not found.
* **Age bands.** Both have five-year bands. In the model medical and surgical patients have one London stay by age,
  specialist and planned patients the same stay at all ages; the bed days by age have the stays of 2022 at every age.
* **Planned care.** Planned and orthopaedic beds change by {planned}, specialist beds by {specialist}, medical and
  surgical beds by {wards}: the published sums may weigh them otherwise.
* **Years.** The published five years begin three earlier, on projections made before 2017, which had more people in
  London than those of 2018 (general knowledge).
* **STPs.** The model uses London's rates by age for all, and its hospitals have patients from everywhere; so its STPs
  lie closer together.
* **Waits in bed.** The load leaves out patients who wait in bed for care near home. Scaled to beds in use, these waits
  grow as the load does; in a run with the packages of {fitted} they grow faster.
"""


def load(model: Model, variant: str = "principal", people_as_in: int | None = None) -> list[LoadRow]:
    """Load of general and acute units in the later year, other growth being 0."""
    said = {"variant": variant, "growth": dict.fromkeys(model.growth, 0), "people_as_in": people_as_in}
    lever = parse_lever("demand growth", {key: one for key, one in said.items() if one is not None}, model)
    end = model.start.replace(year=int(LATER[:4]) + 1)
    window = Window(model.start, 0, (end - model.start) // dt.timedelta(days=1) * DAY_MS, "month")
    network, labels = compile_network(lever.apply(model), window, model)
    years = [year for year in window.years(model.start) if year[0] == LATER]
    return [row for row in offered_load(network, labels, years) if row.setting in parts.GENERAL_AND_ACUTE]


def total(rows: Iterable[LoadRow], settings: Sequence[str] = parts.GENERAL_AND_ACUTE) -> float:
    """Mean beds that the patients of some settings ask for."""
    return math.fsum(row.load for row in rows if row.setting in settings)


def more_in_use(now: float, later: float, in_use: float) -> float:
    """More beds in use, if those in use grow as the load does."""
    return in_use * (later / now - 1)


def more_beds(in_use: float, occupancy: float) -> float:
    """Beds that so many more in use ask for at an occupancy, above 0 and at most 1."""
    return in_use / occupancy


def stp_of(row: LoadRow) -> str:
    """The STP of a unit's site."""
    return str(hospitals.sites()[row.at]["stp"])


def by_age(area: str) -> float:
    """Growth over five years of the bed days of an area's people aged 17 and over, by its own rates of 2022."""
    homes = [name for name, row in people.boroughs().items() if area in (LONDON, row["stp"])]
    days = {AS_IN: 0.0, AS_IN + 5: 0.0}
    for row in people.rows("activity_rates_by_age_2022", area=area, banding="5yr"):
        if row["group"] in BED_DAYS:
            band, part = ("15-19", 0.6) if row["age_band"] == "17-19" else (row["age_band"], 1.0)
            for year in days:
                living = math.fsum(people.population("principal")[home, year, band] for home in homes)
                days[year] += float(row["rate_per_1000"]) * part * living
    return days[AS_IN + 5] / days[AS_IN] - 1


# --- the page ---


def figures(growth: float, more: float, occupancies: Sequence[float]) -> list[str]:
    """Growth, more beds in use, and beds at each occupancy."""
    return [f"{growth:+.1%}", *(f"{one:,.0f}" for one in (more, *(more_beds(more, at) for at in occupancies)))]


def page(model: Model, in_use: dict[str, float], provenance: list[str]) -> str:
    """The tables, for the beds in use in London and in each STP."""
    now = load(model, people_as_in=AS_IN)
    later = {variant: load(model, variant) for variant in people.VARIANTS}
    beds = math.fsum(row.capacity for row in now if row.setting != "escalation beds")
    used = in_use[LONDON]
    occupancies = (*OCCUPANCIES, used / beds)
    header = ("growth", "more in use", *(f"beds at {one:.1%}" for one in occupancies))
    rows = []
    for name, then in {"people as in 2018": load(model, "high migration", AS_IN), **later}.items():
        growth = total(then) / total(now) - 1
        rows.append((f"model, {name}", *figures(growth, more_in_use(total(now), total(then), used), occupancies)))
    sums = by_age(LONDON)
    rows.append(("bed days by age, without a model", *figures(sums, sums * used, occupancies)))
    rows.append(("King's Fund and Nuffield Trust", "-", *(f"{one:,}" for one in KINGS_FUND), "-"))
    then = later["principal"]
    stps = []
    for stp in people.STPS:
        before, after = (total(row for row in some if stp_of(row) == stp) for some in (now, then))
        more = more_in_use(before, after, in_use[stp])
        stps.append((stp, *figures(after / before - 1, more, OCCUPANCIES), f"{by_age(stp):+.1%}"))
    kinds = []
    for kind, settings in KINDS.items():
        before, after = total(now, settings), total(then, settings)
        kinds.append((kind, f"{before:,.0f}", f"{after:,.0f}", f"{after / before - 1:+.1%}",
                      f"{(after - before) * used / total(now):+,.0f}"))  # fmt: skip
    grown = {name: f"{total(then, one) / total(now, one) - 1:+.1%}" for name, one in KINDS.items()}
    adults = [one for one in parts.GENERAL_AND_ACUTE if one not in KINDS["children's wards"]]
    return PAGE.format(
        fitted=FITTED, later=LATER, in_use=f"{used:,.0f}", occupancy=f"{used / beds:.1%}", beds=f"{beds:,.0f}",
        provenance="\n".join(provenance),
        variants="\n".join(runs.table(("more beds", *header), rows)),
        stps="\n".join(runs.table(("STP of the hospital", *header[:4], "bed days by age"), stps)),
        kinds="\n".join(runs.table(("beds", "load, people of 2018", f"load {LATER}", "growth", "more in use"), kinds)),
        adults=f"{total(then, adults) / total(now, adults) - 1:+.1%}",
        childrens=grown["children's wards"], wards=grown["medical and surgical wards"],
        planned=grown["planned and orthopaedic wards"], specialist=grown["specialist and other beds"],
        kings_fund_range=f"{KINGS_FUND[1]:,} to {KINGS_FUND[2]:,}",
    )  # fmt: skip


def write(results: Path) -> None:
    """Runs what is missing and writes the page."""
    opened = runs.conduct(results)
    found = runs.samples(opened, [FITTED], ["beds"], [LONDON, STP])
    in_use = {spot.name: estimate(values).mean for spot, values in found.items()}
    TEXT.write_text(page(read_model(runs.HERE).model, in_use, runs.provenance(opened, "extra_beds.py")), "utf-8")
    runs.tell(f"{TEXT.name} written")


if __name__ == "__main__":
    sys.exit(runs.ended(lambda: runs.page(__doc__ or "", TEXT, write)))
