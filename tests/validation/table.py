"""The validation table: `python -m tests.validation.table [--slow] [--once] [--write] [case ...]`.

Without `--slow` each case has the few replications of CI; with it those that the case suggests, and (but for
`--once`) twice or four times as many where the 95% interval is wider than 5% of the value (0.02 for a share)
on either side. `--write` keeps the spread of one replication of each measure in
`tests/fixtures/validation_spreads.json`, by which CI judges its few.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

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


def ci_study(case: Json, engine: Engine = "simpy") -> list[Verdict]:
    """The few replications of CI, judged by the kept spreads."""
    return Study(case, SEED, engine).run(in_ci(case)).verdicts(spreads_of(case["id"]))


def full_study(case: Json, most: int = MOST) -> list[Verdict]:
    """The suggested replications, then as many again until every interval is narrow, at most `most` times."""
    suggested = case["model"]["run"]["replications"]
    study = Study(case, SEED).run(suggested)
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
    times = 1 if "--once" in arguments else MOST
    names = [name for name in arguments if not name.startswith("--")] or case_names()
    print("| " + " | ".join(HEAD) + " |\n|" + " --- |" * len(HEAD), flush=True)
    failed, most, measures, wide = 0, 0.0, 0, 0
    for name in names:
        case = read_case(name)
        verdicts = full_study(case, times) if is_slow else ci_study(case)
        for one in verdicts:
            print(row(one), flush=True)
        failed += sum(not one.passes for one in verdicts)
        most = max(most, *(abs(one.z) for one in verdicts))
        measures += len(verdicts)
        wide += sum(not one.is_narrow for one in verdicts)
        if is_kept and case["kind"] != "trace":
            kept = json.loads(SPREADS.read_text(encoding="utf-8")) if SPREADS.exists() else {}
            kept[name] = [float(f"{one.error * math.sqrt(one.replications):.4g}") for one in verdicts]
            SPREADS.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    print(f"\n{len(names)} cases, {measures} measures: {failed} fail, {wide} wide, largest |z| {most:.2f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
