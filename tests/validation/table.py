"""The validation table: `python -m tests.validation.table [--slow] [--times=N] [--simpy] [--write] [case ...]`.

Runs the compiled engine, or with `--simpy` the other. `--times=N` takes N times the replications that a case suggests,
and no more; it ends with a test of all z values against the standard normal. Without it and `--slow` each case has the few replications of CI; with it those that the case suggests, and twice or four times as many where the 95% interval is wider than 5% of the value (0.02 for a share)
on either side. `--write` keeps the spread of one replication of each measure in
`tests/fixtures/validation_spreads.json`, by which CI judges its few.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from scipy.stats import kstest

from flowsim.engine.running import Engine
from tests.validation.judging import Study, Verdict
from tests.validation.translation import Json, case_names, read_case

SEED = 2018
MOST = 4
"""Times the suggested replications that a full study may have."""
SPREADS = Path(__file__).parent.parent / "fixtures" / "validation_spreads.json"
HEAD = ("case", "measure", "where, who", "theory", "flowsim", "standard error", "z", "replications")


def in_ci(case: Json) -> int:
    """Replications of a case in CI, so that all cases together take some three minutes."""
    suggested: int = case["model"]["run"]["replications"]
    return {1: 1, 30: 5, 60: 6, 150: 20, 2000: 250}[suggested]


def spreads_of(case: str) -> list[float] | None:
    """Spread of one replication of each measure of a case, if a full study has been kept."""
    if not SPREADS.exists():
        return None
    return json.loads(SPREADS.read_text(encoding="utf-8")).get(case)  # type: ignore[no-any-return]


def ci_study(case: Json, engine: Engine = "compiled") -> list[Verdict]:
    """The few replications of CI, judged by the kept spreads."""
    return Study(case, SEED, engine).run(in_ci(case)).verdicts(spreads_of(case["id"]))


def long_study(case: Json, engine: Engine, times: int) -> list[Verdict]:
    """So many times the suggested replications; one of what cannot vary."""
    suggested = case["model"]["run"]["replications"]
    return Study(case, SEED, engine).run(1 if case["kind"] == "trace" else times * suggested).verdicts()


def full_study(case: Json, engine: Engine, most: int = MOST) -> list[Verdict]:
    """The suggested replications, then as many again until every interval is narrow, at most `most` times."""
    suggested = case["model"]["run"]["replications"]
    study = Study(case, SEED, engine).run(suggested)
    while not all(one.is_narrow for one in study.verdicts()) and study.replications < most * suggested:
        study.run(study.replications)
    return study.verdicts()


def row(one: Verdict) -> str:
    """One line of the table."""
    if isinstance(one.theory, float):
        found = f"{one.theory:.6g} | {one.found:.6g} | {one.error:.2g} | {one.z:+.2f}"
        note = "" if one.passes else " **fails**"
        note += "" if one.is_narrow else " (wide)"
    else:
        is_long = isinstance(one.theory, list) and len(one.theory) > 2
        theory = f"{len(one.theory)} values" if is_long else one.theory
        found, note = f"{theory} | {'equal' if one.passes else '**differs**'} | exact | ", ""
    return f"| {one.case} | {one.measure} | {one.at} | {found}{note} | {one.replications} |"


def main(arguments: list[str]) -> int:
    """Run cases and print their table as it grows; 1 if a measure fails."""
    is_slow, is_kept = "--slow" in arguments, "--write" in arguments
    times = next((int(one.removeprefix("--times=")) for one in arguments if one.startswith("--times=")), 0)
    engine: Engine = "simpy" if "--simpy" in arguments else "compiled"
    names = [name for name in arguments if not name.startswith("--")] or case_names()
    print("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD), flush=True)
    failed, most, measures, wide, zs = 0, 0.0, 0, 0, list[float]()
    for name in names:
        case = read_case(name)
        if times:
            verdicts = long_study(case, engine, times)
        else:
            verdicts = full_study(case, engine) if is_slow else ci_study(case, engine)
        for one in verdicts:
            print(row(one), flush=True)
        failed += sum(not one.passes for one in verdicts)
        most = max(most, *(abs(one.z) for one in verdicts))
        measures += len(verdicts)
        zs += [one.z for one in verdicts if isinstance(one.theory, float) and one.error > 0.0]
        wide += sum(not one.is_narrow for one in verdicts)
        if is_kept and case["kind"] != "trace":
            kept = json.loads(SPREADS.read_text(encoding="utf-8")) if SPREADS.exists() else {}
            kept[name] = [float(f"{one.error * math.sqrt(one.replications):.4g}") for one in verdicts]
            SPREADS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"\n{len(names)} cases, {measures} measures: {failed} fail, {wide} wide, largest |z| {most:.2f}")
    if zs:
        test = kstest(zs, "norm")
        print(
            f"{len(zs)} z values against the standard normal: Kolmogorov-Smirnov {test.statistic:.3f}, p {test.pvalue:.3f}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
