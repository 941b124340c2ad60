"""What a cell logs of its visits: all of them, or those of a share of the patients that depends on nothing else."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowsim.engine.addresses import Purpose, stream_key
from flowsim.engine.building import compile_network
from flowsim.engine.logged import are_logged
from flowsim.engine.network import Labels, Network
from flowsim.engine.sampling import uniform
from flowsim.engine.visits import COLUMNS
from flowsim.experiment.audit import read_results
from flowsim.experiment.cells import Cell
from flowsim.experiment.store import Store
from flowsim.experiment.work import Work, run_cell
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.loading import load_model


@pytest.fixture(scope="module")
def ready() -> tuple[Network, Labels]:
    model = load_model("emergency")
    return compile_network(model, Window(model.start, 0, 4 * DAY_MS))


def logged(folder: Path, ready: tuple[Network, Labels], share: float) -> tuple[str, Any]:
    """Digest of the ledger, and the visits that were logged, of one cell."""
    cell = Cell("as now", 3)
    with Store(folder, {"seed": 7}, {}) as store:
        store.plan(["as now"], 3)
        outcome = run_cell(Work({"as now": ready}, 7, "simpy", share), cell, store.cells)
        store.record(outcome)
    if not share:
        assert [file.name for file in outcome.files] == [f"cells/{cell.id}.parquet"]
        return outcome.ledger, None
    table = read_results(folder).read_visits(cell.id)
    assert tuple(table.column_names) == COLUMNS
    return outcome.ledger, np.array(table.columns).T


def test_a_share_logs_every_visit_of_the_patients_whose_address_says_so(
    ready: tuple[Network, Labels], tmp_path: Path
) -> None:
    none, all_, some = (logged(tmp_path / str(share), ready, share) for share in (0.0, 1.0, 0.3))
    assert none[0] == all_[0] == some[0]
    keys = [stream_key(7, name) for name in ready[1].streams]
    is_wanted = [
        uniform(keys[stream], 3, layer, index, int(Purpose.LOG), 0, 0) < 0.3 for stream, layer, index in all_[1][:, :3].tolist()
    ]  # fmt: skip
    assert len(all_[1]) > 1500
    assert 0.2 < np.mean(is_wanted) < 0.4
    assert np.array_equal(some[1], all_[1][is_wanted])


def test_the_greater_share_has_all_patients_of_the_smaller() -> None:
    keys = np.array([stream_key(1, name) for name in ("a", "b")], np.int64)
    patients = np.stack(np.meshgrid([0, 1], [0, 5], [*range(500), 2**32 - 1]), axis=-1).reshape(-1, 3)
    shares = [are_logged(keys, 2, patients, share) for share in (0.0, 0.1, 0.5, 1.0)]
    assert not shares[0].any()
    assert shares[-1].all()
    for fewer, more in itertools.pairwise(shares):
        assert (fewer <= more).all()
        assert not np.array_equal(fewer, more)
