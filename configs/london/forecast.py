"""What the model fitted to 2018/19 says of 2019/20, by trust and month, before anyone compares it with what happened.

    python configs/london/forecast.py          runs forecast.yaml and writes forecast_2019_20.md and .csv, once
    python configs/london/forecast.py --check  says whether they are of the model as it stands, and ends with 1 if not
    python configs/london/forecast.py --quick  runs 2019/20 twice, prints the year, and writes no table

Nothing of 2019/20 is read. What is written stays: the two files must be taken away by hand before others are made.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import re
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import runs
from runs import LONDON, Samples, Spot

from flowsim.measure.estimate import Estimate, estimate

TEXT = runs.HERE / "forecast_2019_20.md"
TABLE = runs.HERE / "forecast_2019_20.csv"
FITTED, YEAR = "2018/19", "2019/20"
MEASURES = {
    "type_1": "type 1 attendances",
    "other_types": "attendances of other types",
    "admissions": "admissions through A&E",
    "four_hours": "type 1 within four hours",
    "beds": "beds in use at midnight",
    "twelve_hours": "over twelve hours",
}
IN = {"four_hours": "share", "beds": "beds"}
"""What a measure is in; patients in the period where it is not said."""
COLUMNS = ("level", "code", "name", "period", "measure", "measured_in", "mean", "low", "high", "sd")
PAGE = """\
# London in 2019/20, as the model said beforehand

Frozen on {day}. The model was fitted to 2018/19 alone (calibration.md) and then run on through 2019/20 on two things
only: people by age as projected (ONS 2018-based, principal), and other growth (A&E 1.3% a year, emergency admissions
-0.1%, planned care 0.6%; NHP, variant 2). Beds, staff, packages, flows and stays are held as in 2018/19. It is here to
be compared with what happened, and is not changed when that is done.

{provenance}

**What was read.** No figure of 2019/20: every table of trusts in `sources/` ends with March 2019. Of later date are
shapes only: rates and stays by age and the catchments of trusts (calendar 2022), rescaled to 2018/19, and what follows
a stay in hospital (2022/23). Growth other than of population is England's trend of 2011 to 2019.

**What is measured,** as in the calibration: attendances and admissions of the A&E return (type 1; other types; those
admitted with and without a night), type 1 within four hours, general and acute beds in use at midnight as in KH03
(escalation beds too), waits of over twelve hours from the decision to admit. Patients are those of the period, beds its
mean.

**How to compare.** Intervals are 95% of the mean over replications; a single year varies more, by the standard
deviation in the CSV. Waits over twelve hours are skewed: a few bad weeks make most of them, and an interval may reach
below 0. Trusts differ from what was published for 2018/19 already (calibration.md): the CSV has the model's 2018/19
too, so that changes can be compared with changes. The months of each trust follow London's of 2018/19, so a trust's
own seasons are not foretold. Imperial, and Chelsea and Westminster, tested other standards from May 2019: their
four-hour share cannot be compared. The pandemic of March 2020 is not in the model: compare April to February.

## By trust

{year}

## London by month

{months}

All trusts and STPs by month: [{table}]({table}), with the columns {columns}.
"""
CSV_DIGEST = re.compile(r"^\| SHA-256 of the CSV \| ([0-9a-f]{64}) \|$", re.MULTILINE)


def periods() -> list[str]:
    """The periods of the table: months of the year, the year, and the fitted year to compare it with."""
    return [*runs.months(YEAR), YEAR, FITTED]


def csv_text(found: Samples) -> str:
    """The table as CSV: a row for each place, period and measure."""
    rows: list[Sequence[object]] = [COLUMNS]
    for level, code, name in runs.places():
        for period in periods():
            for key in MEASURES:
                values = found.get(Spot(key, level, name, period))
                if values:
                    digits = 4 if IN.get(key) == "share" else 1
                    of, sd = estimate(values), statistics.stdev(values) if len(values) > 1 else None
                    figures = ("" if one is None else f"{one:.{digits}f}" for one in (of.mean, of.low, of.high, sd))
                    rows.append((level, code, name, period, key, IN.get(key, "patients"), *figures))
    csv.writer(buffer := io.StringIO(), lineterminator="\n").writerows(rows)
    return buffer.getvalue()


def cell(key: str, of: Estimate | None) -> str:
    """A figure of a table."""
    return "-" if of is None else runs.interval(of, IN.get(key) == "share")


def figure(found: Samples, key: str, level: str, name: str, period: str) -> Estimate | None:
    """A measure of a place in a period; None where the place has none."""
    values = found.get(Spot(key, level, name, period))
    return estimate(values) if values else None


def change(found: Samples, key: str) -> str:
    """London's change from the fitted year, by replication: in percent of its mean, or points of a share."""
    before, after = (found[Spot(key, LONDON, LONDON, period)] for period in (FITTED, YEAR))
    is_share = IN.get(key) == "share"
    per = 1.0 if is_share else statistics.fmean(before)
    of = estimate([100 * (b - a) / per for a, b in zip(before, after, strict=True)])
    words = f"{of.mean:+.1f}" if of.low is None else f"{of.mean:+.1f} ({of.low:+.1f} to {of.high:+.1f})"
    return f"{words} {'points' if is_share else '%'}"


def year_table(found: Samples) -> list[str]:
    """The year by London, STP and trust."""
    header = ("2019/20", *MEASURES.values())
    rows = [(name, *(cell(key, figure(found, key, level, name, YEAR)) for key in MEASURES))
            for level, _, name in runs.places()]  # fmt: skip
    return runs.table(header, rows)


def months_table(found: Samples) -> list[str]:
    """London by month, with the year before and what changes."""
    header = ("London", *MEASURES.values())
    rows = [(period, *(cell(key, figure(found, key, LONDON, LONDON, period)) for key in MEASURES))
            for period in periods()]  # fmt: skip
    return runs.table(header, [*rows, ("2019/20 against 2018/19", *(change(found, key) for key in MEASURES))])


def text(found: Samples, provenance: list[str], day: dt.date, csv_digest: str) -> str:
    """The page: what it is, when it was frozen, of what, and the figures."""
    return PAGE.format(
        day=f"{day.day} {day:%B %Y}",
        provenance="\n".join([*provenance, f"| SHA-256 of the CSV | {csv_digest} |"]),
        year="\n".join(year_table(found)),
        months="\n".join(months_table(found)),
        table=TABLE.name,
        columns=", ".join(COLUMNS),
    )


def write(results: Path) -> int:
    """Runs what is missing and writes the two files, unless they are there."""
    for file in (TEXT, TABLE):
        if file.exists():
            runs.tell(f"{file.name}: is frozen; take {TEXT.name} and {TABLE.name} away to make others")
            return 2
    opened = runs.conduct(results)
    found = runs.samples(opened, periods())
    table = csv_text(found).encode("utf-8")
    page = text(found, runs.provenance(opened, "forecast.py"), dt.date.today(), hashlib.sha256(table).hexdigest())
    TABLE.write_bytes(table)
    TEXT.write_text(page, encoding="utf-8")
    runs.tell(f"{TEXT.name} and {TABLE.name} written")
    return 0


def check() -> int:
    """Says whether the files are of the model as it stands, and the CSV as it was written; 1 if not."""
    stale = runs.check(TEXT)
    said = CSV_DIGEST.search(TEXT.read_text(encoding="utf-8")) if TEXT.exists() else None
    if said and (not TABLE.exists() or hashlib.sha256(TABLE.read_bytes()).hexdigest() != said[1]):
        print(f"{TABLE.name}: is not what was frozen")
        return 1
    return stale


def main() -> int:
    """Runs, checks or tries the forecast."""
    parser = runs.parser(__doc__ or "")
    parser.add_argument("--quick", action="store_true", help="run 2019/20 twice and print it; write no table")
    asked = parser.parse_args()
    if asked.check:
        return check()
    if not asked.quick:
        return write(asked.results)
    found = runs.samples(runs.conduct(asked.results.with_name(f"{asked.results.name}-quick"), quick=True), [YEAR])
    print("\n".join(year_table(found)))
    return 0


if __name__ == "__main__":
    sys.exit(runs.ended(main))
