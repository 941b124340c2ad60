"""Runs the small experiments beside this file and writes the table "published, flowsim, agree or not" into README.md.

    python experiments/evidence/rebuild.py             all of it
    python experiments/evidence/rebuild.py --quick     the small form of each, printed and not written

What was published, and what counts as agreement, stands in `published.csv`: a `number` agrees if the 95% interval of
flowsim meets low to high (the published figure as far as it is rounded), a `shape` if the whole interval lies in it.
`remarks.csv` says where the expectation was wrong.
`against` names a scenario to take the paired difference from, `times` a factor (0.2 makes five years one).
"""

from __future__ import annotations

import csv
import datetime as dt
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from math import exp, isclose, isnan, lgamma, log
from pathlib import Path

from flowsim import load_experiment
from flowsim.experiment.results import ExperimentResults
from flowsim.measure.catalogue import MEASURES
from flowsim.measure.estimate import Estimate, estimate, paired_difference
from flowsim.show.sentences import answer

HERE = Path(__file__).resolve().parent
COMMAND = "python experiments/evidence/rebuild.py"
Row = Mapping[str, str]

HEAD = """# Evidence: what is known of patient flow, and whether flowsim shows it

<!-- Written by `{command}` from runs, published.csv and remarks.csv. Do not edit. -->

{day}, `{command}`, compiled engine, one processor, {seconds} s of processor time.
Small models in `configs/evidence/`, experiments here; `flowsim run NAME` runs one, `--quick` its small form.

Sign and shape are tested first, numbers only where the setting is published or exact. `agree` is decided by the run:
a number agrees if the 95% interval meets the published figure as far as it is rounded, a shape if the whole interval
lies within the bounds of `published.csv`, which are ours where the source has words only. One interval in twenty
misses by chance. Of {claims} claims {agreed} agree.
"""


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a table beside this file."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def published() -> list[dict[str, str]]:
    """The rows of `published.csv`; a source left out is that of the row before."""
    rows = rows_of("published.csv")
    for before, row in pairwise(rows):
        row["source"] = row["source"] or before["source"]
    return rows


def experiments() -> list[str]:
    """Names of the experiments that the table needs, in its order."""
    return list(dict.fromkeys(row["experiment"] for row in published()))


def run(name: str, folder: Path, quick: bool = False, replications: int | None = None) -> ExperimentResults:
    """An experiment run on one processor, in full or in its small form."""
    return load_experiment(name).altered(quick, replications).run(folder / name)


def found(row: Row, results: ExperimentResults) -> tuple[Estimate, str]:
    """What flowsim has for a row of the table, and in what it is measured."""

    def values(scenario: str) -> list[float]:
        wanted = (row["measure"], scenario, row["at"] or "all")
        one_each = {v.replication: v.value for v in results.values() if (v.key, v.scenario, v.row) == wanted}
        if not one_each:
            raise SystemExit(f"published.csv: {row['experiment']} has no {wanted}")
        return [one_each[replication] * float(row["times"]) for replication in sorted(one_each)]

    own = values(row["scenario"])
    measured_in = MEASURES[results.experiment.measures[row["measure"]].measure].measured_in
    return (paired_difference(own, values(row["against"])) if row["against"] else estimate(own)), measured_in


def agrees(row: Row, result: Estimate) -> bool:
    """Whether a result is what was published."""
    low, high = (float(row[end] or f"{sign}inf") for end, sign in (("low", "-"), ("high", "+")))
    if result.low is None or result.high is None or isnan(result.mean):
        return False
    if row["rule"] == "shape":
        return low <= result.low and result.high <= high
    return result.low <= high and low <= result.high


def in_words(result: Estimate, row: Row, measured_in: str) -> str:
    """Mean and interval: shares in percent, their differences in points."""
    is_share = measured_in == "share"
    unit = "" if not is_share else " points" if row["against"] else "%"
    low, high = (result.mean if end is None else end for end in (result.low, result.high))

    def number(value: float) -> str:
        value *= 100 if is_share else 1
        if isclose(value, 0, abs_tol=1e-12):
            return "0"
        return f"{float(f'{value:.3g}'):,.0f}" if abs(value) >= 100 else f"{value:.3g}"

    return f"{number(result.mean)}{unit} ({number(low)} to {number(high)})"


def stroke_theory() -> dict[str, str]:
    """Who is delayed with 9 + 9 + 8 shared beds, by the formulas of units without a limit, and of a loss network.

    Loads are those of the model `stroke-monks`; both units see Poisson arrivals.
    """
    load = {"acute": 8.14549, "rehabilitation": 9.71822}
    here = {unit: [exp(n * log(a) - a - lgamma(n + 1)) for n in range(80)] for unit, a in load.items()}
    total, lost, delayed = 0.0, dict.fromkeys(load, 0.0), dict.fromkeys(load, 0.0)
    for acute, one in enumerate(here["acute"]):
        for rehabilitation, other in enumerate(here["rehabilitation"]):
            chance, shared = one * other, max(acute - 9, 0) + max(rehabilitation - 9, 0)
            total += chance * (shared <= 8)
            for unit, inside in (("acute", acute), ("rehabilitation", rehabilitation)):
                if inside >= 9 and shared >= 8:
                    delayed[unit] += chance
                    lost[unit] += chance * (shared == 8)
    return {f"unlimited_{unit}": f"{delayed[unit]:.1%}" for unit in load} | {
        f"loss_{unit}": f"{lost[unit] / total:.1%}" for unit in load
    }


def full_share(need: int) -> str:
    """Share of time that a unit without a limit holds 145% of its mean need or more."""
    return f"{1 - sum(exp(n * log(need) - need - lgamma(n + 1)) for n in range(round(1.45 * need))):.1%}"


def table(all_results: Mapping[str, ExperimentResults]) -> list[str]:
    """The lines of the table."""
    theory = stroke_theory() | {f"full_{need}": full_share(need) for need in (22, 30)}
    lines = ["| row | source | claim | published | flowsim (95%) | agree | why |", "|---|---|---|---|---|---|---|"]
    before = ""
    for row in published():
        result, measured_in = found(row, all_results[row["experiment"]])
        source = row["source"] if row["source"] != before else ""
        before = row["source"]
        cells = (
            row["row"], source, row["claim"], row["published"], in_words(result, row, measured_in),
            "yes" if agrees(row, result) else "**no**", row["why"].format(**theory),
        )  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def sentence(results: ExperimentResults) -> str:
    """The experiment's answer, in words."""
    experiment = results.experiment
    return answer(experiment.answer, results.records(), experiment.measures, list(experiment.scenarios))


def page(all_results: Mapping[str, ExperimentResults], seconds: float) -> str:
    """README.md."""
    lines = table(all_results)
    head = HEAD.format(
        command=COMMAND,
        day=f"{dt.date.today():%-d %B %Y}",
        seconds=round(seconds),
        claims=len(lines) - 2,
        agreed=sum("| yes |" in line for line in lines),
    )
    text = [head, *lines]
    remarks = {row["experiment"]: row["remark"] for row in rows_of("remarks.csv")}
    for name, results in all_results.items():
        one = results.experiment
        text += ["", f"## `{name}`", "", " ".join(one.question.split()), ""]
        text += [f"*Expected.* {' '.join(one.expectation.split())}", ""]
        text += [f"*Found* ({results.replications} replications). {sentence(results)}"]
        text += ["", f"*Against what was expected.* {remarks[name]}"] if name in remarks else []
    return "\n".join(text) + "\n"


def main(arguments: list[str], write: Callable[[str], object]) -> None:
    """Run all, and write the page."""
    is_quick = arguments == ["--quick"]
    if arguments and not is_quick:
        raise SystemExit(__doc__)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        all_results = {}
        for name in experiments():
            at = time.perf_counter()
            all_results[name] = run(name, Path(folder), is_quick)
            print(f"{name}: {time.perf_counter() - at:.1f} s", file=sys.stderr)
        text = page(all_results, time.process_time() - began)
    write(text)


if __name__ == "__main__":
    is_kept = "--quick" not in sys.argv
    main(sys.argv[1:], (lambda text: (HERE / "README.md").write_text(text, encoding="utf-8")) if is_kept else print)
