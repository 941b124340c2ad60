"""The evidence: small models against theory and against the shapes that were published, and the page of the table."""

from __future__ import annotations

import importlib.util
import math
import sys
from pathlib import Path
from types import ModuleType

import pytest

from flowsim import load_experiment, load_model
from flowsim.experiment.results import ExperimentResults
from flowsim.measure.estimate import estimate
from flowsim.model import shipped
from flowsim.model.assumptions import assumptions
from flowsim.model.loading import read_model

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "experiments" / "evidence"
REPLICATIONS = 8
STANDARD_ERRORS = 4


def load_rebuild() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild_evidence", FOLDER / "rebuild.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


REBUILD = load_rebuild()
TABLE: list[dict[str, str]] = REBUILD.published()
NAMES: list[str] = REBUILD.experiments()


class Runs(dict[str, ExperimentResults]):
    """Experiments in few replications, each run when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder

    def __missing__(self, name: str) -> ExperimentResults:
        self[name] = REBUILD.run(name, self.folder, quick=True, replications=REPLICATIONS)
        return self[name]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Runs:
    return Runs(tmp_path_factory.mktemp("evidence"))


def erlang_b(load: float, beds: int) -> float:
    """Share refused by `beds` beds at a load of `load`."""
    refused = 1.0
    for n in range(1, beds + 1):
        refused = load * refused / (n + load * refused)
    return refused


def erlang_c(load: float, beds: int) -> float:
    """Share who wait for one of `beds` beds at a load of `load`."""
    refused = erlang_b(load, beds)
    return refused / (1 - load / beds * (1 - refused))


def samples(results: ExperimentResults, key: str, scenario: str | None = None, at: str = "all") -> list[float]:
    """A measure in each replication."""
    scenario = scenario or results.experiment.baseline
    found = {v.replication: v.value for v in results.values() if (v.key, v.scenario, v.row) == (key, scenario, at)}
    assert len(found) == REPLICATIONS, (key, scenario, at)
    return [found[n] for n in sorted(found)]


def assert_near(values: list[float], theory: float) -> None:
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))
    assert abs(mean - theory) <= STANDARD_ERRORS * spread / math.sqrt(len(values)), (mean, theory, spread)


def number_in(name: str) -> int:
    return int("".join(letter for letter in name if letter.isdigit()))


# --- what ships ---


def test_every_experiment_beside_the_table_is_in_it_and_ships_by_its_plain_name() -> None:
    there = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    assert sorted(NAMES) == there
    for name in there:
        loaded = load_experiment(name)
        assert loaded.experiment.name == name
        assert loaded.file == FOLDER / f"{name}.yaml"
        assert loaded.experiment.expectation.startswith("Written before the first run.")
        assert loaded.experiment.answer


def test_no_two_things_that_ship_have_one_name() -> None:
    for kind in ("configs", "experiments"):
        found = [name for name, _ in shipped._inside(shipped.folder_of(kind), shipped.MAIN_FILE[kind])]
        assert len(found) == len(set(found))


def test_every_number_of_the_models_has_a_source() -> None:
    models = [name for name, file in shipped.files_of("configs").items() if "evidence" in file.parts]
    assert len(models) == 11
    for name in models:
        rows = assumptions(read_model(name))
        assert rows
        assert [row["field"] for row in rows if not row["source"] or not row["kind"]] == [], name


# --- theory: rows 3, 5, 6, 7 and 30 ---


def loads(setting: str) -> dict[int, float]:
    """Load in beds of each ward of a setting of `ward-sizes`, by its beds; stays are 5 days."""
    (arrivals,) = load_model("ward-sizes").pathways[setting].arrivals
    assert arrivals.per_day is not None
    return {number_in(place): 5 * arrivals.per_day * share for place, share in arrivals.residence.items()}


@pytest.mark.parametrize("stays", ["exponential", "lognormal", "fixed"])
def test_wards_refuse_a_twentieth_whatever_the_stays(ran: Runs, stays: str) -> None:
    for beds, load in loads(f"{stays} stays").items():
        assert erlang_b(load, beds) == pytest.approx(0.05, abs=1e-5)
        assert_near(samples(ran["occupancy-by-ward-size"], f"refused_{stays}", at=f"{beds} beds"), 0.05)
        assert_near(samples(ran["occupancy-by-ward-size"], f"occupancy_{stays}", at=f"{beds} beds"), 0.95 * load / beds)


def test_one_occupancy_means_other_refusals_in_wards_of_other_sizes(ran: Runs) -> None:
    for beds, load in loads("wards 90% full").items():
        refused = erlang_b(load, beds)
        assert load * (1 - refused) / beds == pytest.approx(0.9, abs=1e-5)
        assert_near(samples(ran["occupancy-by-ward-size"], "refused_full", at=f"{beds} beds"), refused)


@pytest.mark.parametrize(("roots", "key"), [(0.5, "half"), (1, "one"), (1.5, "more")])
def test_square_root_rule_gives_the_same_chance_to_wait_at_any_size(ran: Runs, roots: float, key: str) -> None:
    for load in (25, 100, 400, 900):
        beds = round(load + roots * math.sqrt(load))
        assert_near(samples(ran["square-root-rule"], f"waiting_{key}", at=f"load {load}"), erlang_c(load, beds))


def test_pooling_five_wards_does_what_the_formulas_say(ran: Runs) -> None:
    results = ran["one-pool-or-five-wards"]
    for scenario, load, beds in (("five wards", 17, 20), ("one pool", 85, 100)):
        assert_near(samples(results, "refused", scenario), erlang_b(load, beds))
        assert_near(samples(results, "waiting", scenario), erlang_c(load, beds))


def test_stroke_patients_are_delayed_as_a_loss_model_says(ran: Runs) -> None:
    results = ran["stroke-beds-and-pooling"]
    for scenario, beds in (("10 acute beds", 10), ("14 acute beds", 14)):
        assert_near(samples(results, "acute", scenario), erlang_b(8.14549, beds))
        assert_near(samples(results, "rehabilitation", scenario), erlang_b(9.71822, 12))


# --- shapes: rows 1, 10, 13, 14, 20, 22 and 31 ---


@pytest.mark.parametrize("row", [row for row in TABLE if row["rule"] == "shape"], ids=lambda row: row["claim"][:60])
def test_means_lie_where_the_literature_says(ran: Runs, row: dict[str, str]) -> None:
    result, _ = REBUILD.found(row, ran[row["experiment"]])
    low, high = float(row["low"] or "-inf"), float(row["high"] or "inf")
    is_known_to_differ = row["row"] == "13" and row["claim"] == "hours in A&E, 15% fewer beds"
    assert (low <= result.mean <= high) is not is_known_to_differ


def test_risk_bends_upward_with_occupancy_and_larger_hospitals_bear_more(ran: Runs) -> None:
    results = ran["occupancy-and-bed-crises"]

    def short(size: int) -> list[float]:
        fills = (75, 80, 85, 90, 95)
        return [estimate(samples(results, f"short_{size}", f"{fill}% full")).mean for fill in fills]

    small, middle, large = short(50), short(200), short(800)
    assert middle == sorted(middle)
    assert middle[3] - middle[2] > 2 * (middle[2] - middle[1])
    for fill in (1, 2, 3):
        assert small[fill] > middle[fill] > large[fill] or large[fill] == 0


def test_acute_beds_in_use_grow_by_what_is_blocked(ran: Runs) -> None:
    """Little's law: beds in use = rate x stay. The ends of the period, and an acute ward full at times, make 0.01."""
    results = ran["blocked-stages"]
    for scenario in ("110 long-stay beds", "105 long-stay beds"):
        more = {
            key: [a - b for a, b in zip(samples(results, key, scenario), samples(results, key), strict=True)]
            for key in ("acute_blocked", "acute_in_use")
        }
        assert more["acute_in_use"] == pytest.approx(more["acute_blocked"], abs=0.01)


def test_prevention_lowers_occupancy_in_proportion(ran: Runs) -> None:
    results = ran["five-years-of-prevention"]
    as_it_is, less, more = (
        estimate(samples(results, "occupancy", scenario)).mean
        for scenario in ("as it is", "prevention of 3%", "prevention of 6%")
    )
    ratio = (1 - 0.94**5) / (1 - 0.97**5)
    assert (as_it_is - more) / (as_it_is - less) == pytest.approx(ratio, rel=0.05)


# --- the page ---


def test_page_has_every_claim_in_order_and_every_experiment() -> None:
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"`{REBUILD.COMMAND}`" in page
    lines = [line for line in page.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [(c[0], c[2], c[3]) for c in cells] == [(row["row"], row["claim"], row["published"]) for row in TABLE]
    assert all(c[5] in ("yes", "**no**") for c in cells)
    assert all(c[6] for c in cells if c[5] == "**no**"), "what does not agree has a reason"
    claims = f"Of {len(TABLE)} claims {sum(c[5] == 'yes' for c in cells)} agree"
    assert claims in " ".join(page.split())
    assert [line[4:-1] for line in page.splitlines() if line.startswith("## `")] == NAMES


def test_table_covers_the_rows_that_small_models_can_show() -> None:
    assert {row["row"] for row in TABLE} == {"1", "3", "5", "6", "7", "10", "13", "14", "20", "22", "30", "31"}
    assert {row["experiment"] for row in REBUILD.rows_of("remarks.csv")} <= set(NAMES)
