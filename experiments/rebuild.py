"""Writes two pages of this folder from results: what was asked, expected and printed, and what each lever moved.

    python experiments/rebuild.py          runs in full what has not been run (results/NAME), then writes
    python experiments/rebuild.py --check  says which experiments have changed since, and ends with 1 if any has

README.md has the lines that `flowsim run NAME` prints, moved.md those of `flowsim moved NAME`: nothing is typed.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import io
import json
import sys
from pathlib import Path

from flowsim import load_experiment
from flowsim.show import cli

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
MOVED = HERE / "moved.md"
RESULTS = HERE.parent / "results"
INTRODUCTION = (HERE / "introduction.md").read_text(encoding="utf-8")
MARK = "<!-- {} {} -->"
MOVED_INTRODUCTION = """# What each lever moved

Each lever of a scenario is run after those before it, one replication with every visit logged, and compared with
the run without it patient by patient: visits and days removed here and added there, and what became of those removed.
The sums balance to the visit and the millisecond, or the command stops.
`python experiments/rebuild.py` writes this page."""


def experiments() -> list[Path]:
    """The experiments of this folder, by name; lessons and evidence have their own pages."""
    return sorted(HERE.glob("*.yaml"))


def digest(file: Path) -> str:
    """What tells whether an experiment's file has changed since it was run."""
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16]


def section(file: Path) -> str:
    """What there is to say of one experiment, run in full if it has not been."""
    experiment = load_experiment(file).experiment
    folder = RESULTS / experiment.name
    printed = said("run", str(file), "--out", str(folder), "--quiet")
    lines = [line for line in printed.splitlines() if not line.startswith("Figures and table:")]
    lines[2] = lines[2].partition(f", in {folder}")[0]  # where it lies, and whether it was finished before
    fingerprint = json.loads(said("audit", str(folder), "--json"))["fingerprint"]
    parts = [
        f"## `{experiment.name}`",
        MARK.format(experiment.name, digest(file)),
        f"**{experiment.title}.** {' '.join(experiment.question.split())}",
        f"*Expected:* {' '.join(experiment.expectation.split())}",
        f"`flowsim run {experiment.name}`, {datetime.date.today():%-d %B %Y}, fingerprint `{fingerprint[:16]}`:",
        "```\n" + "\n".join(lines).strip() + "\n```",
    ]
    return "\n\n".join(parts)


def moved(file: Path) -> str:
    """What the levers of one experiment moved; nothing for one of many years, whose visits would fill the memory."""
    experiment = load_experiment(file).experiment
    if len(experiment.years) > 1:
        return f"## `{experiment.name}`\n\nChanges who comes, over {len(experiment.years)} years; not listed here."
    printed = said("moved", str(file)).strip()
    return f"## `flowsim moved {experiment.name}`\n\n```\n{printed}\n```"


def said(*words: str) -> str:
    """What a command prints. Raises SystemExit if it fails."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = cli.run(list(words))
    if code != 0:
        raise SystemExit(f"flowsim {' '.join(words)}: exit code {code}")
    return output.getvalue()


def changed() -> list[str]:
    """Experiments whose section is missing, or older than their file."""
    written = README.read_text(encoding="utf-8")
    return [file.stem for file in experiments() if MARK.format(file.stem, digest(file)) not in written]


def main() -> int:
    """Write the page, or check it."""
    if "--check" in sys.argv[1:]:
        stale = changed()
        print("\n".join(f"{name}: not as in README.md" for name in stale) or "README.md is current")
        return 1 if stale else 0
    sections = [section(file) for file in experiments()]
    README.write_text("\n\n".join([INTRODUCTION.strip(), *sections]) + "\n", encoding="utf-8")
    tables = [moved(file) for file in experiments()]
    MOVED.write_text("\n\n".join([MOVED_INTRODUCTION, *tables]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
