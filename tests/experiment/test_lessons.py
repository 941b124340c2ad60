"""The lessons for students: their experiments load and run, and what they teach is so."""

import re
import sys
from pathlib import Path

import pytest

import flowsim as fs

LESSONS = Path(__file__).parents[2] / "experiments" / "lessons"
sys.path.insert(0, str(LESSONS))

import ladder  # noqa: E402
import swing  # noqa: E402

EXPERIMENTS = sorted(path.stem for path in LESSONS.glob("*.yaml"))


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_lesson_s_experiment_ships_under_its_own_name(name: str) -> None:
    assert fs.load_experiment(name).experiment.name == name


@pytest.mark.parametrize("name", ["lesson-ladder", "lesson-report"])
def test_small_form_of_a_lesson_runs_to_its_answer(name: str, tmp_path: Path) -> None:
    results = fs.load_experiment(name).altered(quick=True, replications=2).run(tmp_path / name, workers=1)
    assert set(results.compare()["scenario"]) == set(results.experiment.scenarios)


def test_erlang_s_formula_gives_the_published_wait_of_the_clinic() -> None:
    assert ladder.erlang_wait(10, 9, 30) == pytest.approx(20 + 4 / 60, abs=0.01)
    assert ladder.erlang_wait(1, 0.5, 1) == pytest.approx(1)


def test_waits_at_70_90_and_95_percent_are_erlang_s(tmp_path: Path) -> None:
    results = fs.load_experiment("lesson-ladder").altered(replications=6).run(tmp_path / "ladder", workers=1)
    waits: dict[str, list[float]] = {}
    for value in results.values(
        {"wait": results.experiment.measures["wait_70"].model_copy(update={"by": "setting", "of": {}})}
    ):
        if value.scenario == "as it is":
            waits.setdefault(value.row, []).append(value.value)
    for share in (70, 90, 95):
        found = waits[f"clinic {share}% full"]
        mean = sum(found) / len(found)
        error = (sum((x - mean) ** 2 for x in found) / (len(found) - 1) / len(found)) ** 0.5
        assert abs(mean - ladder.erlang_wait(10, share / 10, 0.5)) < 4 * error


@pytest.mark.parametrize("replication", [1, 2, 3])
def test_old_news_swings_a_ward_and_fresh_or_gentle_news_does_not(replication: int) -> None:
    def sd(ward: str) -> float:
        model = swing.ward(swing.WARDS[ward])
        run = fs.simulate(model, days=1825, warm_up=365, replication=replication)
        return float(swing.midnights(run).std())

    none, fresh, old, weak = map(sd, ("no report", "yesterday, strong", "28 days, strong", "28 days, weak"))
    assert fresh < 0.8 * none < 1.2 * none < old
    assert weak < 0.8 * old


def test_every_block_of_a_lesson_was_printed_by_its_command() -> None:
    for page in LESSONS.glob("*.md"):
        for block in re.findall(
            r"<!-- printed: .+? -->\n(.*?)<!-- end -->", page.read_text(encoding="utf-8"), re.DOTALL
        ):
            assert re.match(r"`.+`, \d+ \w+ \d{4}:\n\n```\n.+\n```\n", block, re.DOTALL), f"{page.name}: run rebuild.py"
