"""Clocks told apart by the site where they stopped, against the same figures counted visit by visit."""

from __future__ import annotations

import pytest

from flowsim.errors import InputError
from flowsim.experiment.simulating import Run, simulate

PLACES = "name,level,within\nTown,root,\nNorth,stp,Town\nSouth,stp,Town\n"
SITES = "name,within,trust\nAlpha,North,Greek\nBeta,South,Greek\nGamma,South,\n"
UNITS = """\
setting,at,capacity,of
doctors,Alpha,2,beds
doctors,Beta,2,beds
doctors,Gamma,1,beds
ward,Alpha,12,beds
ward,Beta,8,beds
ward,Gamma,9,beds
"""
MODEL = """\
flowsim: 1
name: two-towns
title: Three sites, a doctor and a ward at each
start: 2018-04-01
kind: assumed
source: made up for tests
places: places.csv
sites: sites.csv
units: units.csv
settings:
  doctors: {level: stp}
  ward: {level: stp}
  home: {capacity: unlimited}
pathways:
  emergency:
    arrivals: {per_day: 60, residence: {North: 0.5, South: 0.5}}
    steps:
      doctor:
        in: doctors
        at: {shares: {North: {Alpha: 0.6, Beta: 0.4}, South: {Beta: 0.5, Gamma: 0.5}}}
        stay: {exponential: 1.5 hours}
        patience: {exponential: 5 hours, otherwise: unseen}
        then: {ward: 0.1, leave: 0.9}
      unseen: {in: home, stay: 0 minutes}
      ward: {in: ward, at: same site, holds: doctor, stay: {exponential: 4 days}}
clocks:
  four hours: {from: doctor joined, to: [doctor left, unseen started], standard: 4 hours}
"""
CLOCK = {"clock": "four hours"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("towns")
    for name, text in (("places.csv", PLACES), ("sites.csv", SITES), ("units.csv", UNITS), ("m.yaml", MODEL)):
        (folder / name).write_text(text, encoding="utf-8")
    return simulate(folder / "m.yaml", days=60, seed=3, log=True)


def test_a_clock_stops_at_the_site_whose_unit_was_asked_for_last(run: Run) -> None:
    """Those who leave unseen count at the doctors they waited for, those admitted at the doctors they saw."""
    visits = run.visits
    asked = visits[visits.step == "doctor"].set_index("patient").unit
    seen = visits[(visits.step == "doctor") & visits.left_hours.notna() & (visits.outcome == "completed")]
    unseen = visits[visits.step == "unseen"]
    stopped = list(seen.patient) + list(unseen.patient)
    counted = asked.loc[stopped].str.removeprefix("doctors at ").value_counts()
    measured = run.measure("clocks_a_year", by="at", of=CLOCK) * 60 / 365
    for site in ("Alpha", "Beta", "Gamma"):
        assert measured[site] == pytest.approx(counted[site], abs=1e-6)
    assert measured["at no site"] == 0
    assert len(unseen) > 20


def test_sites_add_up_to_their_trust_and_stp_and_both_to_all(run: Run) -> None:
    every = run.measure("clocks_a_year", by="all", of=CLOCK)["all"]
    by_site = run.measure("clocks_a_year", by="at", of=CLOCK)
    by_trust = run.measure("clocks_a_year", by="trust", of=CLOCK)
    by_stp = run.measure("clocks_a_year", by="stp", of=CLOCK)
    assert by_trust["Greek"] == pytest.approx(by_site["Alpha"] + by_site["Beta"])
    assert by_trust["not said"] == pytest.approx(by_site["Gamma"])
    assert by_stp["South"] == pytest.approx(by_site["Beta"] + by_site["Gamma"])
    assert by_site.sum() == pytest.approx(every)
    assert run.measure("clocks_a_year", by="area", of=CLOCK).sum() == pytest.approx(every)


def test_units_are_told_apart_by_trust(run: Run) -> None:
    by_site = run.measure("starts_a_year", by="at", of={"setting": "ward"})
    by_trust = run.measure("starts_a_year", by="trust", of={"setting": "ward"})
    assert dict(by_trust) == {
        "Greek": pytest.approx(by_site["Alpha"] + by_site["Beta"]),
        "not said": pytest.approx(by_site["Gamma"]),
    }


def test_residence_and_site_of_a_clock_are_not_told_apart_together(run: Run) -> None:
    with pytest.raises(InputError, match="not told apart by trust and area together"):
        run.measure("within_standard", by="trust", of={"area": "North"})
