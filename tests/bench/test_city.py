"""The made-up city: as large as it says, loaded as it should be, and the same as its plain SimPy program."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from flowsim.bench import bare_city, city_parts
from flowsim.bench.agreement import Sample, agreement
from flowsim.bench.city import city, city_model
from flowsim.bench.peers import COMPILED, PEERS, Form
from flowsim.engine.building import compile_network
from flowsim.engine.traffic import offered_load
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.loading import load_model

CITY = Path(__file__).parents[2] / "configs" / "city"


def rebuild() -> ModuleType:
    spec = importlib.util.spec_from_file_location("rebuild_city", CITY / "rebuild.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_city_that_ships_is_what_its_generator_writes() -> None:
    assert rebuild().stale() == []


def test_traffic_equations_of_the_engine_find_the_loads_that_capacities_were_made_for() -> None:
    model = load_model("city")
    network, labels = compile_network(model, Window(model.start, 0, 365 * DAY_MS))
    rows = offered_load(network, labels, [("2001", 0, 365 * DAY_MS)])
    found: dict[str, list[float]] = {}
    for row in sorted(rows, key=lambda row: row.unit):
        found.setdefault(row.setting, []).append(row.load)
    wanted = city_parts.loads(0.1, city_parts.area(1))
    assert set(found) == set(wanted)
    for setting, loads in wanted.items():
        assert found[setting] == pytest.approx(loads.tolist(), rel=2e-3)  # months are not equally long


@pytest.mark.parametrize(("scale", "mult"), [(1.0, 1), (0.01, 1), (0.1, 2)])
def test_a_city_of_any_size_has_the_units_and_streams_it_should(scale: float, mult: int) -> None:
    model = city_model(scale, mult)
    network, labels = compile_network(model, Window(model.start, 0, DAY_MS))
    assert len(labels.units) == 399 * mult
    assert len(labels.streams) == (2 * 33 + 180) * mult
    where = city_parts.area(mult)
    for setting, beds in city_parts.capacities(scale, where).items():
        loads = city_parts.loads(scale, where)[setting]
        assert all(b >= load / city_parts.UTILISATION[setting] and b >= 1 for b, load in zip(beds, loads, strict=True))
        units = [u for u, unit in enumerate(labels.units) if unit.setting == setting]
        assert [int(network.capacity_beds[network.capacity_first[u]]) for u in units] == beds


def test_mult_leaves_arrivals_as_they_are_and_shares_them_among_more_places() -> None:
    for mult in (1, 3):
        where = city_parts.area(mult)
        assert where.catchment.shape == (33 * mult, 30 * mult)
        assert np.allclose(where.catchment.sum(axis=1), 1) and where.boroughs.sum() == pytest.approx(1)
    one, three = (city_parts.loads(1.0, city_parts.area(mult)) for mult in (1, 3))
    for setting, loads in one.items():
        assert three[setting].sum() == pytest.approx(loads.sum(), rel=2e-3)


def test_shares_in_tables_sum_to_1_exactly(tmp_path: Path) -> None:
    city(0.01, 2, tmp_path)
    lines = (tmp_path / "tables" / "catchment.csv").read_text(encoding="utf-8").splitlines()[1:]
    sums: dict[str, int] = {}
    for line in lines:
        borough, _, share = line.split(",")
        sums[borough] = sums.get(borough, 0) + round(float(share) * 10**9)
    assert set(sums.values()) == {10**9} and len(sums) == 66


@pytest.mark.parametrize(("scale", "mult"), [(0.0, 1), (-1.0, 1), (1.0, 0), (1e6, 1)])
def test_a_size_that_cannot_be_is_refused(tmp_path: Path, scale: float, mult: int) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        city(scale, mult, tmp_path)


def test_plain_simpy_and_the_engine_run_the_same_city() -> None:
    form = Form("m3", days=40, since=10, scale=0.01)
    bare = [bare_city.city(seed, form.scale, form.days, form.since) for seed in range(6)]
    run = next(peer for peer in PEERS if peer.name == COMPILED).runner(form)
    ours = [run(seed) for seed in range(60)]
    samples = [Sample(PEERS[2], form, [one.waits.hours() for one in bare])]
    assert {row["unit"] for row in agreement(samples, 60)} == set(city_parts.UTILISATION)
    assert all(row["z"] is None or abs(row["z"]) < 4 for row in agreement(samples, 60))
    for count in ("patients", "events"):
        mine, theirs = (np.array([getattr(one, count) for one in many]) for many in (ours, bare))
        error = mine.std(ddof=1) * np.sqrt(1 / len(mine) + 1 / len(theirs))
        assert abs(mine.mean() - theirs.mean()) < 4 * error


def test_plain_simpy_runs_at_most_the_year_that_its_profiles_span() -> None:
    with pytest.raises(ValueError, match="at most a year"):
        bare_city.city(1, 0.001, 366)
