"""Writes two pages of this folder from results: what was asked, expected and printed, and what each lever moved.

    python experiments/rebuild.py          what has changed since, or is not there: runs it in full, then writes
    python experiments/rebuild.py --all    the same for all, whether they have changed or not
    python experiments/rebuild.py --check  says which experiments have changed since, and ends with 1 if any has

An experiment has changed if its file has, or the meaning of its model. What was run is kept in results/NAME.

README.md has the lines that `flowsim run NAME` prints, moved.md those of `flowsim moved NAME`: nothing is typed.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import io
import json
import shlex
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from flowsim import load_experiment
from flowsim.model.digest import digest_of_model
from flowsim.show import cli

HERE = Path(__file__).resolve().parent
README = HERE / "README.md"
MOVED = HERE / "moved.md"
FIGURES = HERE / "figures"
RESULTS = HERE.parent / "results"
INTRODUCTION = (HERE / "introduction.md").read_text(encoding="utf-8")
MARK = "<!-- {} {} -->"
WEEKS = ("--days", "28", "--quick")
OF_LONDON = {
    "community-shift": ("--scenario", "10 of 100 in South West London, with places", *WEEKS),
    "king-george": ("--scenario", "with staff and beds moved", *WEEKS),
    "social-care": ("--scenario", "a tenth fewer packages", *WEEKS),
    "south-west-five-to-four": ("--by", "area", *WEEKS),
}
"""Of experiments on all London, whose visits of a year are too many to keep: what is printed of those on the page.
Of closed sites how much further those who live by them have to go."""
MOVED_INTRODUCTION = """# What each lever moved

Each lever of a scenario is run after those before it, one replication with every visit logged, and compared with
the run without it patient by patient: visits and days removed here and added there, and what became of those removed.
The sums balance to the patient, the visit and the millisecond, or the command stops. Of an experiment of several years
the last is run. Growth moves nobody: it changes who comes, and the visits of others only through queues.
`python experiments/rebuild.py` writes this page."""


def experiments() -> list[Path]:
    """The experiments of this folder, by name; lessons and evidence have their own pages."""
    return sorted(HERE.glob("*.yaml"))


@cache
def about(file: Path) -> tuple[str, str]:
    """An experiment's model by name, and a digest that tells whether its file or its model has changed since."""
    loaded = load_experiment(file)
    model = digest_of_model(loaded.base.model)
    return loaded.experiment.model, hashlib.sha256(file.read_bytes() + model.encode()).hexdigest()[:16]


def mark(file: Path) -> str:
    """What stands in the sections that were made of an experiment as it is."""
    return MARK.format(file.stem, about(file)[1])


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
        mark(file),
        f"**{experiment.title}.** {' '.join(experiment.question.split())}",
        *([f"*The debate:* {' '.join(experiment.debate.split())}"] if experiment.debate else []),
        f"*Expected:* {' '.join(experiment.expectation.split())}",
        f"`flowsim run {experiment.name}`, {datetime.date.today():%-d %B %Y}, fingerprint `{fingerprint[:16]}`:",
        "```\n" + "\n".join(lines).strip() + "\n```",
        *figures_of(folder, experiment.name),
    ]
    return "\n\n".join(parts)


def figures_of(folder: Path, name: str) -> list[str]:
    """The chart through the years and the maps that a run drew, copied beside the page."""
    FIGURES.mkdir(exist_ok=True)
    for old in FIGURES.glob(f"{name}.*"):
        old.unlink()
    links = []
    for file in [*folder.glob("over_time.svg"), *sorted(folder.glob("map_*.svg"))]:
        shutil.copyfile(file, FIGURES / f"{name}.{file.name}")
        links.append(f"![{name}: {file.stem.replace('_', ' ')}](figures/{name}.{file.name})")
    return links


def moved(file: Path) -> str:
    """What the levers of one experiment moved; on all London, those of one scenario in some weeks."""
    name = load_experiment(file).experiment.name
    options = OF_LONDON.get(name, ())
    printed = said("moved", str(file), *options).strip()
    command = shlex.join(["flowsim", "moved", name, *options])
    return f"## `{name}`\n\n{mark(file)}\n\n`{command}`:\n\n```\n{printed}\n```"


def said(*words: str) -> str:
    """What a command prints. Raises SystemExit if it fails."""
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        code = cli.run(list(words))
    if code != 0:
        raise SystemExit(f"flowsim {' '.join(words)}: exit code {code}")
    return output.getvalue()


def kept(page: Path) -> dict[str, str]:
    """The sections of a page by experiment, of those that have not changed since."""
    parts = page.read_text(encoding="utf-8").split("\n## `")[1:] if page.exists() else []
    sections = {part.partition("`")[0]: f"## `{part.strip()}" for part in parts}
    return {file.stem: sections[file.stem] for file in experiments() if mark(file) in sections.get(file.stem, "")}


def pages() -> tuple[tuple[Path, str, Callable[[Path], str], list[Path]], ...]:
    """Both pages: file, introduction, what makes a section, and the experiments that have one."""
    of_moved = [file for file in experiments() if file.stem in OF_LONDON or about(file)[0] != "london"]
    return (README, INTRODUCTION, section, experiments()), (MOVED, MOVED_INTRODUCTION, moved, of_moved)


def changed() -> list[str]:
    """Experiments of which a section is missing, or older than their file or model."""
    found = {page: kept(page) for page in (README, MOVED)}
    return sorted({file.stem for page, _, _, files in pages() for file in files if file.stem not in found[page]})


def main() -> int:
    """Write the pages, or check them."""
    if "--check" in sys.argv[1:]:
        stale = changed()
        print("\n".join(f"{name}: not as in README.md or moved.md" for name in stale) or "both pages are current")
        return 1 if stale else 0
    for page, introduction, make, files in pages():
        found = {} if "--all" in sys.argv[1:] else kept(page)
        for file in files:
            if file.stem not in found:
                found[file.stem] = make(file)
            whole = [found[one.stem] for one in files if one.stem in found]
            page.write_text("\n\n".join([introduction.strip(), *whole]) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
