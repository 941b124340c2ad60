"""What ships as an experiment can be run, was run, and is told as it was run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from flowsim.experiment.scenarios import load_experiment

FOLDER = Path(__file__).parents[2] / "experiments"
FILES = sorted(FOLDER.glob("*.yaml"))
PAGE = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_pages_of_answers_and_of_what_moved_are_of_the_experiments_as_they_stand():
    checked = subprocess.run([sys.executable, FOLDER / "rebuild.py", "--check"], capture_output=True, text=True)
    assert (checked.returncode, checked.stdout) == (0, "both pages are current\n")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_experiment_says_what_was_expected_before_its_run(file):
    experiment = load_experiment(file).experiment
    assert re.match(r"Written (after a look at [^.]+, )?before the first run\.", experiment.expectation)
    assert " ".join(experiment.expectation.split()) in PAGE
    assert re.search(r"\{[^{}]+: [^{}]+\}", experiment.answer)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_small_form_of_every_experiment_has_what_its_answer_speaks_of(file):
    loaded = load_experiment(file)
    small = loaded.experiment.as_quick()
    assert small.replications >= 2
    for measure in small.measures.values():
        years = measure.of.get("year", ())
        assert {str(year)[:4] for year in years} <= {str(year) for year in small.years or loaded.experiment.years[:1]}
