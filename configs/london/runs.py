"""The runs that forecast.py, ranks.py and extra_beds.py read, and what is measured in them.

All three are of one experiment, forecast.yaml: 2018/19 and 2019/20 in some replications on two processes. Its results
folder is gone on with if it is there, so only the first of them takes long.
"""

from __future__ import annotations

import argparse
import re
import sys
from calendar import monthrange
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import parts
import people

import flowsim
from flowsim.measure.estimate import Estimate
from flowsim.model.digest import digest
from flowsim.model.loading import read_model

HERE = Path(__file__).resolve().parent
EXPERIMENT = HERE / "forecast.yaml"
RESULTS = Path("results") / "london-forecast"
WORKERS = 2
LONDON, STP, TRUST = "London", "STP", "trust"
DIGEST = re.compile(r"^\| digest of the model \| ([0-9a-f]{64}) \|$", re.MULTILINE)
OF_A_AND_E = ("type_1", "admissions", "four_hours", "twelve_hours")
"""What only trusts with a type 1 A&E have."""
Lines = list[str]


class Spot(NamedTuple):
    """What a figure is of: a measure of the experiment, London or the name of an STP or trust, and a period.

    A period is `2019/20`, `2018/19 Q1` or `2019-04`.
    """

    key: str
    level: str
    name: str
    period: str


Samples = dict[Spot, list[float]]
"""Values by replication."""


def parser(about: str) -> argparse.ArgumentParser:
    """What all three can be asked for: check, results."""
    found = argparse.ArgumentParser(description=about.splitlines()[0])
    found.add_argument("--check", action="store_true", help="say whether the table is of the model as it stands")
    found.add_argument("--results", type=Path, default=RESULTS, help=f"folder of the runs ({RESULTS})")
    return found


def conduct(results: Path, quick: bool = False) -> flowsim.ExperimentResults:
    """The experiment's results, run as far as they are missing."""
    loaded = flowsim.load_experiment(EXPERIMENT)
    return loaded.run(results, workers=WORKERS, quick=quick, progress=_progress, note=tell)


def _progress(outcome: object, done: int, of: int) -> None:
    tell(f"{done} of {of} runs")


def tell(line: str) -> None:
    """A line on standard error."""
    print(line, file=sys.stderr, flush=True)


def ended(main: Callable[[], int]) -> int:
    """What a script ends with; a line for what is refused, such as results of another model, and for runs that stop."""
    try:
        return main()
    except flowsim.FlowsimError as error:
        tell(str(error))
        return error.exit_code


# --- what is measured ---


def months(period: str) -> list[str]:
    """The months of a financial year (`2019/20`), of one of its quarters (`2019/20 Q1`) or a month itself."""
    if "/" not in period:
        return [period]
    first = int(period[:4])
    year = [f"{first + (month > 12)}-{(month - 1) % 12 + 1:02d}" for month in range(4, 16)]
    return year[3 * int(period[-1]) - 3 : 3 * int(period[-1])] if "Q" in period else year


def days_in(period: str) -> int:
    """Days of a financial year, quarter or month."""
    return sum(monthrange(int(month[:4]), int(month[5:]))[1] for month in months(period))


def samples(
    results: flowsim.ExperimentResults, periods: Iterable[str], keys: Iterable[str] = (), levels: Iterable[str] = ()
) -> Samples:
    """Measures by London, STP and trust in some periods; patients as they are counted in the period, not a year."""
    own = results.experiment.measures
    by = {LONDON: "all", STP: "stp", TRUST: "trust"}
    spots, wanted = {}, {}
    for period in periods:
        for key in keys or own:
            for level in levels or by:
                ask = f"{key}, {level}, {period}"
                of = {**own[key].of, "month": tuple(months(period))}
                wanted[ask] = own[key].model_copy(update={"by": by[level], "of": of})
                spots[ask] = (key, level, period)
    found: Samples = {}
    for value in results.values(wanted):
        key, level, period = spots[value.key]
        name = LONDON if level == LONDON else value.row
        if is_told(key, level, name):
            times = days_in(period) / 365 if is_count(value.measure) else 1.0
            found.setdefault(Spot(key, level, name, period), []).append(value.value * times)
    return found


def is_count(measure: str) -> bool:
    """Whether a measure counts patients: it is then of a year of 365 days."""
    return measure.endswith("_a_year")


def is_told(key: str, level: str, name: str) -> bool:
    """Whether a place has a measure: trusts without a type 1 A&E have none of A&E's, and some sites have no trust."""
    if level == LONDON:
        return True
    if level == STP:
        return name in people.STPS
    return name in ({of for _, of in parts.with_a_and_e()} if key in OF_A_AND_E else parts.TRUSTS.values())


def places() -> list[tuple[str, str, str]]:
    """(level, code, name) of London, its STPs and trusts, in the order of tables."""
    return [(LONDON, "", LONDON), *((STP, "", name) for name in people.STPS),
            *((TRUST, code, name) for code, name in parts.TRUSTS.items())]  # fmt: skip


# --- what is written ---


def number(value: float, is_share: bool, digits: int = 0) -> str:
    """A share as percent with one decimal, or a number."""
    return f"{100 * value:.1f}%" if is_share else f"{value:,.{digits}f}"


def interval(of: Estimate, is_share: bool, digits: int = 0) -> str:
    """A mean, with its interval if there is one."""
    mean = number(of.mean, is_share, digits)
    if of.low is None or of.high is None:
        return mean
    return f"{mean} ({number(of.low, is_share, digits)} to {number(of.high, is_share, digits)})"


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Lines:
    """A table in Markdown."""
    titles = list(header)
    return [f"| {' | '.join(row)} |" for row in (titles, ["---"] * len(titles), *rows)]


def provenance(results: flowsim.ExperimentResults, command: str) -> Lines:
    """What a table was made of: model, seed, replications, window, versions, command."""
    identity, about = results.folder.identity, results.folder.about
    experiment = results.experiment
    rows = {
        "digest of the model": identity["model_digest"],
        "runs": f"{EXPERIMENT.name}: {results.replications} replications, seed {experiment.seed}, "
        f"{experiment.warm_up // 86_400_000} days of warm-up before April {experiment.years[0]}",
        "versions": ", ".join(f"{name} {version}" for name, version in about["versions"].items()),
        "command": f"`python configs/london/{command}`",
    }
    return table(("", ""), rows.items())


def check(file: Path) -> int:
    """Says whether a table is of the model as it stands; 1 if it is not, or not there."""
    said = DIGEST.search(file.read_text(encoding="utf-8")) if file.exists() else None
    now = digest(read_model(HERE))
    if said is None:
        print(f"{file.name}: is not there, or does not say of which model it is")
    elif said[1] != now:
        print(f"{file.name}: is of the model {said[1][:12]}, which now is {now[:12]}")
    else:
        print(f"{file.name}: is of the model as it stands, {now[:12]}")
    return int(said is None or said[1] != now)


def page(about: str, file: Path, write: Callable[[Path], None]) -> int:
    """Writes or checks a page, as the command line asks."""
    asked = parser(about).parse_args()
    if asked.check:
        return check(file)
    write(asked.results)
    return 0
