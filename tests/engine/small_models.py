"""Small models for tests: text and tables -> Model, and what a test wants to know of its Network by name."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from flowsim.engine.building import compile_network
from flowsim.engine.network import Labels, Network
from flowsim.errors import InputError
from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.loading import load_model
from flowsim.model.schema import Model

HEAD = """flowsim: 1
name: town
title: A town
source: made up
kind: assumed
"""


def model_of(text: str, start: str = "2001-01-01", **tables: str) -> Model:
    """A model from the YAML below its head; `units="..."` is the table `units.csv`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.yaml"
        path.write_text(f"{HEAD}start: {start}\n{text}", encoding="utf-8")
        for name, rows in tables.items():
            lines = [line.strip() for line in rows.strip().splitlines()]
            path.with_name(f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return load_model(path)


def window_of(model: Model, days: int = 30, warm_up: int = 0, origin: date | None = None, period: Any = None) -> Window:
    """The first days of a model, or days from another origin."""
    return Window(origin or model.start, warm_up * DAY_MS, days * DAY_MS, period)


def network_of(text: str, days: int = 30, start: str = "2001-01-01", **tables: str) -> tuple[Network, Labels]:
    """The Network of the first days of a model."""
    model = model_of(text, start, **tables)
    return compile_network(model, window_of(model, days))


def row(first: Any, flat: Any, number: int) -> list[Any]:
    """Row `number` of a list of lists stored flat."""
    return flat[first[number] : first[number + 1]].tolist()  # type: ignore[no-any-return]


def unit(labels: Labels, name: str) -> int:
    """Number of a unit."""
    return [one.name for one in labels.units].index(name)


def step(labels: Labels, name: str) -> int:
    """Number of a step of the only pathway that has it."""
    return [one for _, one in labels.steps].index(name)


def routes(network: Network, labels: Labels, name: str, value: int = 0) -> dict[str, float]:
    """Cumulative shares of the next steps."""
    number = int(network.route_row[step(labels, name)]) + value
    names = ["leave" if to < 0 else labels.steps[to][1] for to in row(network.row_first, network.row_to, number)]
    return dict(zip(names, row(network.row_first, network.row_cumulative, number), strict=True))


def beds(network: Network, labels: Labels, name: str) -> dict[float, int]:
    """Beds of a unit by the day from which they are there."""
    number = unit(labels, name)
    at = row(network.capacity_first, network.capacity_at, number)
    return {
        ms / DAY_MS: n for ms, n in zip(at, row(network.capacity_first, network.capacity_beds, number), strict=True)
    }


def classes_of(network: Network, labels: Labels, name: str) -> dict[tuple[str, int], int]:
    """Class by own unit and level of a step."""
    k = step(labels, name)
    levels = int(network.class_levels[k])
    table = network.class_of[network.class_row[k] : network.class_row[k] + levels * len(labels.units)]
    return {(labels.units[i // levels].name, i % levels): int(c) for i, c in enumerate(table) if c >= 0}


PLACES = """
    name,level,within,latitude,longitude
    City,root,,51.5,-0.1
    North,stp,City,51.6,-0.1
    East,borough,North,51.5,0.0
    West,borough,North,51.5,-0.2
    East 1,neighbourhood,East,51.5,0.01
    East 2,neighbourhood,East,51.5,-0.09
    West 1,neighbourhood,West,51.5,-0.21
"""
SITES = """
    name,within,latitude,longitude
    Easthouse,East,51.5,0.0
    Westhouse,West,51.5,-0.2
"""
UNITS = """
    setting,at,capacity,of,staffed_share,stay_factor
    medical,Easthouse,10,beds,1,1
    medical,Westhouse,12,beds,0.29,1.5
    surgical,Easthouse,5,beds,1,1
    surgical,Westhouse,6,beds,1,1
    home care,East,20,beds,1,1
    home care,West,30,beds,1,1
    help,North,0,unlimited,1,1
"""
CITY = """
places: places.csv
sites: sites.csv
units: units.csv
settings: {medical: {level: stp}, surgical: {level: stp}, home care: {level: borough}, help: {}}
pools:
  "beds at {site}": {units: [medical, surgical], overflow_after: {surgical: 6 hours}}
pathways:
  p:
    arrivals: {per_day: 10, residence: {East 1: 0.5, East 2: 0.25, West 1: 0.25}}
    steps:
      door: {in: medical, at: nearest, stay: 2 hours, then: {ward: 0.5, help: 0.5}}
      ward: {in: surgical, at: same site, holds: door, stay: 1 day, then: care, waits_for: a bed}
      care: {in: home care, holds: ward, stay: 10 days}
      help: {in: help, stay: 1 hour}
"""


def city(text=CITY, days=30, units=UNITS):
    return network_of(text, days, places=PLACES, sites=SITES, units=units)


def one_unit(capacity="{capacity: 10 beds}", more="", days=30, start="2001-01-01", **step_keys):
    """A model of one unit and one step."""
    extra = "".join(f", {key}: {value}" for key, value in step_keys.items())
    return network_of(
        f"settings: {{one: {capacity}}}\n{more}\n"
        f"pathways: {{p: {{arrivals: {{per_day: 24}}, steps: {{s: {{in: one, stay: 1 hour{extra}}}}}}}}}\n",
        days,
        start,
    )


def refused(text, match, days=30, **tables):
    with pytest.raises(InputError, match=match) as told:
        model = model_of(text, **tables)
        compile_network(model, window_of(model, days))
    assert len(str(told.value).splitlines()) == 1
