"""Both engines give the same on any network: random ones, and those on which they once did not.

More on demand: `python tests/studies/two_engines.py --count 10000`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_models import Case, Kept
from two_engines import CASES, Different, Tally, agree, try_out

from flowsim.engine import reference
from flowsim.engine.building import compile_network

NETWORKS = 300
KEPT = sorted(path.parent for path in CASES.glob("*/model.yaml"))


@pytest.fixture(scope="module")
def tried() -> tuple[Any, Tally]:
    tally = Tally()
    return try_out(NETWORKS, tally=tally), tally


def test_both_engines_agree_on_random_networks(tried: tuple[Any, Tally]) -> None:
    failed, tally = tried
    if failed is not None:
        case, error = failed
        raise AssertionError(f"kept as {CASES / case.name()}: {case}") from error
    assert tally.networks == NETWORKS


def test_random_networks_have_all_that_the_language_has(tried: tuple[Any, Tally]) -> None:
    failed, tally = tried
    assert failed is None
    assert [name for name, number in tally.has.items() if number == 0] == []
    assert [name for name, number in tally.happened.items() if number == 0] == []


@pytest.mark.parametrize("folder", KEPT, ids=lambda folder: folder.name)
def test_both_engines_agree_where_they_once_did_not(folder: Path) -> None:
    assert agree(Kept(folder))


# --- how a failure is kept ----------------------------------------------------------------------------------------


def counts_one_more_if_anybody_waits(*given: Any) -> Any:
    network, keys, replication, write, log = given
    waited: list[bool] = []

    def look(rows: Any) -> None:
        waited.append(bool((rows[:, 10] > rows[:, 9]).any()))
        log(rows)

    events, patients, inside = reference.run(network, keys, replication, write, look)
    return events + any(waited), patients, inside


def test_a_failure_is_shrunk_and_kept_as_a_model_that_fails_again(tmp_path: Path) -> None:
    engines = (reference.run, counts_one_more_if_anybody_waits)
    failed = try_out(50, engines=engines, folder=tmp_path)
    assert failed is not None
    case, error = failed
    assert isinstance(error, Different)
    assert [path.name for path in tmp_path.iterdir()] == [case.name()]
    assert {"model.yaml", "run.json"} <= {path.name for path in (tmp_path / case.name()).iterdir()}
    with pytest.raises(Different):
        agree(Kept(tmp_path / case.name()), engines)
    assert len(case.data["settings"]) == len(case.data["pathways"]) == 1


@pytest.mark.filterwarnings("ignore:.*rows of the trace lie outside the run")
def test_a_kept_case_is_the_same_model_in_the_same_window(tmp_path: Path) -> None:
    seen: list[Case] = []

    class Watching(Tally):
        def count(self, case: Any, network: Any, found: Any) -> None:
            seen.append(case)

    try_out(15, engines=(reference.run, reference.run), tally=Watching(), folder=None)
    assert len(seen) == 15
    for case in seen:
        case.keep(tmp_path / case.name())
        kept = Kept(tmp_path / case.name())
        assert kept.seed == case.seed
        (network, labels), (same_network, same_labels) = (compile_network(*one.build()) for one in (case, kept))
        assert labels == same_labels
        assert all(np.array_equal(a, b) for a, b in zip(network, same_network, strict=True))
