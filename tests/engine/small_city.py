"""A small city of three hospitals on which levers are tried, and what its patients went through."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from small import DAY, Played, Seen, model_of, play_model

from flowsim.engine import running
from flowsim.engine.visits import COLUMNS
from flowsim.model.calendar import Window
from flowsim.model.levers import parse_lever
from flowsim.model.schema import Model

DAYS = 16
CITY = """
places: places.csv
sites: sites.csv
units: units.csv
settings:
  A&E: {{level: stp}}
  cubicle: {{level: stp}}
  ward: {{level: stp}}
  home care: {{level: borough, capacity: {home_care} beds}}
  team: {{level: borough, capacity: {team} beds}}
  clinic: {{level: stp, capacity: {team} beds}}
  home: {{capacity: unlimited}}
growth:
  more people: {{a_year: 0, from: 2000-01-01}}
pathways:
  emergency:
    arrivals:
      {{per_day: 40, residence: {{West: 0.4, Middle: 0.3, East: 0.3}}, ages: {{0-64: 0.5, 65+: 0.5}}, growth: more people}}
    steps:
      doctor:
        in: A&E
        at: {at}
        stay: {{exponential: 30 minutes}}
        patience: {{fixed: 6 hours, otherwise: gone}}
        then: cubicle
      cubicle: {{in: cubicle, at: same site, stay: {{exponential: 2 hours}}, then: {{ward: 0.3, leave: 0.7}}}}
      ward:
        in: ward
        at: same site
        holds: cubicle
        stay: {{gamma: {{mean: 2 days, cv: 1}}}}
        then: {{home care: 0.3, doctor: 0.05, leave: rest}}
      home care:
        {{in: home care, holds: ward, stay: {{exponential: 5 days}}, patience: {{fixed: 10 days, otherwise: without}}}}
      without: {{in: home, holds: ward, stay: 2 days, then: {{doctor: 0.2, leave: 0.8}}}}
      gone: {{in: home, stay: 0 minutes}}
      at home:
        {{in: team, holds: cubicle, stay: {{exponential: 4 days}}, patience: {{fixed: 4 hours, otherwise: doctor}}}}
  planned:
    arrivals: {{per_day: 15, residence: East, ages: {{65+: 1}}}}
    steps:
      visit: {{in: clinic, stay: {{exponential: 1 days}}, patience: {{fixed: 1 days, otherwise: leave}}}}
shifts:
  - {{from: ward, to: at home, share: 0.02, start: 2001-01-01}}
"""
TABLES = {
    "places.csv": "name,level,within,latitude,longitude\nCity,root,,51.5,-0.1\nWest,borough,City,51.5,-0.3\n"
    "Middle,borough,City,51.5,-0.1\nEast,borough,City,51.5,0.1\n",
    "sites.csv": "name,within,latitude,longitude\nA,West,51.5,-0.31\nB,Middle,51.5,-0.1\nC,East,51.5,0.11\n",
}
SHARES = "{shares: {West: {A: 0.7, B: 0.3}, Middle: {A: 0.2, B: 0.5, C: 0.3}, East: {C: 1}}}"
AMPLE = {"A&E": 500, "cubicle": 500, "ward": 500, "home_care": 500, "team": 500}
SCARCE = {"A&E": 2, "cubicle": 4, "ward": 10, "home_care": 12, "team": 12}


@cache
def city(at: str, is_scarce: bool) -> Model:
    """The small city; `at` is how patients choose their hospital."""
    beds = SCARCE if is_scarce else AMPLE
    rows = "".join(f"{setting},{site},{beds[setting]}\n" for setting in ("A&E", "cubicle", "ward") for site in "ABC")
    text = CITY.format(at=at, home_care=beds["home_care"], team=beds["team"])
    return model_of(text, {**TABLES, "units.csv": "setting,at,capacity\n" + rows})


@cache
def base_run(at: str, is_scarce: bool) -> Played:
    return played(city(at, is_scarce), city(at, is_scarce))


def played(model: Model, base: Model, run: Any = running.run_once) -> Played:
    return play_model(model, Window(model.start, 0, DAYS * DAY, "day"), 1, base, run)


def histories(run: Played) -> dict[str, list[Seen]]:
    """Visits in which something is done, by patient."""
    found: dict[str, list[Seen]] = defaultdict(list)
    order = [COLUMNS.index(name) for name in ("stream", "layer", "index", "visit")]
    rows = sorted([row[place] for place in order] for row in run.rows)
    for (stream, layer, index, _), visit in zip(rows, run.visits, strict=True):
        if not visit.own.startswith(("door of ", "way to ")):
            found[f"{run.labels.streams[stream]} #{layer}.{index}"].append(visit)
    return found


def care(visits: Sequence[Seen]) -> list[tuple[Any, ...]]:
    """What is equal if nothing moved: units and times."""
    return [(v.own, v.unit, v.joined, v.started, v.ended, v.left, v.outcome) for v in visits]


def both(
    at: str, is_scarce: bool, lever: tuple[str, dict[str, Any]]
) -> tuple[dict[str, list[Seen]], dict[str, list[Seen]]]:
    """Histories of the same patients without a lever and with it."""
    model, (name, spec) = city(at, is_scarce), lever
    return histories(base_run(at, is_scarce)), histories(played(parse_lever(name, spec, model).apply(model), model))
