"""Results are read back cell by cell, each once, whoever asks and however often."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_one_model_one_result import write_experiment

from flowsim.experiment.audit import Results
from flowsim.experiment.results import ExperimentResults, open_results
from flowsim.experiment.scenarios import LoadedExperiment, load_experiment


@pytest.fixture
def loaded(tmp_path: Path) -> LoadedExperiment:
    return load_experiment(write_experiment(tmp_path, days=3))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids of the cells read, as they are read."""
    found: list[str] = []
    read_cell = Results.read_cell

    def noted(self: Results, cell_id: str) -> object:
        found.append(cell_id)
        return read_cell(self, cell_id)

    monkeypatch.setattr(Results, "read_cell", noted)
    return found


def told(results: ExperimentResults) -> tuple[object, ...]:
    return results.records(), results.growing_queues(), results.inside_at_end(), results.replications


def test_one_pass_serves_all_that_a_run_tells(loaded: LoadedExperiment, tmp_path: Path, read: list[str]) -> None:
    results = loaded.run(tmp_path / "out")
    told(results)
    told(results)
    assert sorted(read) == sorted(outcome.cell.id for outcome in results.folder.outcomes)


def test_results_of_a_run_are_those_of_the_folder_opened_again(loaded: LoadedExperiment, tmp_path: Path) -> None:
    assert told(loaded.run(tmp_path / "out")) == told(open_results(tmp_path / "out"))


def test_looking_again_reads_only_what_is_new(loaded: LoadedExperiment, tmp_path: Path, read: list[str]) -> None:
    results = loaded.altered(replications=1).run(tmp_path / "out")
    told(results)
    loaded.altered(replications=3).run(tmp_path / "out")
    read.clear()
    results.look_again()
    assert told(results)[-1] == 3
    assert len(read) == 4 and not any(cell.endswith("r0001") for cell in read)
    assert told(results) == told(open_results(tmp_path / "out"))
