"""Which trusts are fullest and slowest, published and in the model, and how they change from Q1 to Q4.

    python configs/london/ranks.py          writes ranks.md
    python configs/london/ranks.py --check  says whether it is of the model as it stands, and ends with 1 if not

Over the 18 trusts with a type 1 A&E. The levels of 2018/19 were fitted trust by trust, so their order is an echo of the
fit; the change from quarter to quarter was not.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import parts
import people
import runs
from runs import TRUST, Samples, Spot
from scipy.stats import pearsonr, spearmanr

from flowsim.measure.estimate import estimate

TEXT = runs.HERE / "ranks.md"
YEAR, FIRST, LAST = "2018/19", "2018/19 Q1", "2018/19 Q4"
RECLASSIFIED = "RF4"
"""Barking, Havering and Redbridge: moved patients from type 1 to other types in July and August 2018."""
PAGE = """\
# Trusts in order, and their change from the first quarter to the last

{provenance}

18 trusts with a type 1 A&E, 2018/19. Occupancy is beds in use at midnight / beds available (KH03's mean of the year);
four-hour is the share of type 1 attendances within four hours. Published: sources/trust_beds_quarterly_kh03.csv, beds
as means of quarters, four-hour weighted by attendances. Model: means over replications.

## Occupancy and four-hour share: an echo of the fit

{echo}

Both levels were fitted for each trust (calibration.yaml): that the model has the published correlation says that the
fit holds, **not** that the model knows how occupancy makes people wait. Only the next table was held out.

## Change from Q1 to Q4: held out

{correlations}

Correlation of the published change with the model's, over trusts; of beds in use for each 100 beds available. Where an
interval spans 0 the model **does not** tell which trusts change more than others, whatever it says of London. The
published change of a trust holds chance, its own seasons, and beds opened and closed; the model has London's months of
arrivals for all and the same beds all year, and knows trusts apart only by how full and how quick they are.
Barking, Havering and Redbridge had a quarter fewer type 1 patients in Q4 than in Q1, since many became other types
(sources/trust_ae_monthly_2018_19.csv): told without it too.

## By trust

{trusts}
"""


class Figures(NamedTuple):
    """Of a trust: occupancy and four-hour share in the year; changes of beds in use (of all) and of the share."""

    occupancy: float
    four_hours: float
    beds_change: float
    four_hours_change: float


def beds_available(code: str) -> float:
    """General and acute beds of a trust, mean of the quarters."""
    rows = quarters(code)
    return math.fsum(float(row["kh03_avail_ga_avg_beds"]) for row in rows) / len(rows)


def quarters(code: str) -> list[dict[str, str]]:
    """KH03 and A&E of a trust in the four quarters of 2018/19, in order."""
    found = people.rows("trust_beds_quarterly_kh03", trust_code=code, financial_year="2018-19")
    return sorted(found, key=lambda row: row["fy_quarter"])


def published(code: str) -> Figures:
    """What was published of a trust."""
    rows = quarters(code)
    used = [float(row["kh03_occ_ga_avg_beds"]) for row in rows]
    came = [float(row["ae_type1_attendances"]) for row in rows]
    within = [float(row["ae_type1_pct_4hr"]) for row in rows]
    beds = beds_available(code)
    share = math.fsum(a * b for a, b in zip(came, within, strict=True)) / math.fsum(came)
    return Figures(math.fsum(used) / len(used) / beds, share, (used[-1] - used[0]) / beds, within[-1] - within[0])


def modelled(found: Samples, code: str) -> Figures:
    """What the model has of a trust."""

    def of(key: str, period: str) -> float:
        return estimate(found[Spot(key, TRUST, parts.TRUSTS[code], period)]).mean

    beds = beds_available(code)
    return Figures(
        of("beds", YEAR) / beds,
        of("four_hours", YEAR),
        (of("beds", LAST) - of("beds", FIRST)) / beds,
        of("four_hours", LAST) - of("four_hours", FIRST),
    )


class Correlation(NamedTuple):
    """A coefficient over trusts with its 95% interval."""

    value: float
    low: float
    high: float


def correlation(these: Sequence[float], those: Sequence[float], by_rank: bool = True) -> Correlation:
    """Spearman's coefficient, or Pearson's, with Fisher's interval; at least four pairs."""
    value = float((spearmanr if by_rank else pearsonr)(these, those).statistic)
    # Of ranks the variance is a little larger: Bonett and Wright, Psychometrika 2000;65:23-28.
    variance = (1 + value * value / 2 if by_rank else 1.0) / (len(these) - 3)
    middle, half = math.atanh(max(min(value, 1 - 1e-12), 1e-12 - 1)), 1.96 * math.sqrt(variance)
    return Correlation(value, math.tanh(middle - half), math.tanh(middle + half))


def told(of: Correlation) -> str:
    """A coefficient with its interval."""
    return f"{of.value:+.2f} ({of.low:+.2f} to {of.high:+.2f})"


def page(found: Samples, provenance: list[str]) -> str:
    """The tables."""
    seen = {code: published(code) for code in parts.WITH_A_AND_E}
    made = {code: modelled(found, code) for code in parts.WITH_A_AND_E}
    echo = [
        (name, told(correlation([one.occupancy for one in of.values()], [one.four_hours for one in of.values()])))
        for name, of in (("published", seen), ("model", made))
    ]
    rows = []
    same = tuple(code for code in parts.WITH_A_AND_E if code != RECLASSIFIED)
    for name, field in (("beds in use", "beds_change"), ("four-hour share", "four_hours_change")):
        for codes in (parts.WITH_A_AND_E, same):
            these, those = ([getattr(of[code], field) for code in codes] for of in (seen, made))
            means = (f"{100 * math.fsum(some) / len(some):+.1f}" for some in (these, those))
            rows.append((name, str(len(codes)), *means, told(correlation(these, those)),
                         told(correlation(these, those, by_rank=False))))  # fmt: skip
    trusts = []
    for code in sorted(parts.WITH_A_AND_E, key=lambda code: -seen[code].occupancy):
        pairs = list(zip(seen[code], made[code], strict=True))
        levels = (f"{100 * one:.1f}" for pair in pairs[:2] for one in pair)
        changes = (f"{100 * one:+.1f}" for pair in pairs[2:] for one in pair)
        trusts.append((parts.TRUSTS[code], *levels, *changes))
    columns = ("occupancy %", "four-hour %", "beds in use Q1 to Q4", "four-hour Q1 to Q4")
    headers = [f"{column}, {whose}" for column in columns for whose in ("published", "model")]
    return PAGE.format(
        provenance="\n".join(provenance),
        echo="\n".join(runs.table(("occupancy and four-hour share over trusts", "Spearman, 95% interval"), echo)),
        correlations="\n".join(runs.table(
            ("change", "trusts", "published, mean in points", "model, mean in points", "Spearman", "Pearson"), rows)),
        trusts="\n".join(runs.table(("trust, fullest first", *headers), trusts)),
    )  # fmt: skip


def write(results: Path) -> None:
    """Runs what is missing and writes the page."""
    opened = runs.conduct(results)
    found = runs.samples(opened, [YEAR, FIRST, LAST], ["beds", "four_hours"], [TRUST])
    TEXT.write_text(page(found, runs.provenance(opened, "ranks.py")), encoding="utf-8")
    runs.tell(f"{TEXT.name} written")


if __name__ == "__main__":
    sys.exit(runs.ended(lambda: runs.page(__doc__ or "", TEXT, write)))
