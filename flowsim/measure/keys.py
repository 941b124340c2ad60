"""What the rows of a book are, in words: by which a measure can be told apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flowsim.engine.ledger import Row, sites_of
from flowsim.engine.network import Ints, Labels, Network

Keys = dict[str, list[str]]
UNIT_KEYS = ("unit", "setting", "at", "level", "stp", "trust")
LEAVES = "leaves"
NOT_SAID = "not said"
NO_SITE = "at no site"

ATTRIBUTES: dict[Row, tuple[str, ...]] = {
    Row.UNIT: (*UNIT_KEYS, "payer"),
    Row.CLASS: (*UNIT_KEYS, "priority"),
    Row.CLASS_BIN: (*UNIT_KEYS, "priority"),
    Row.LANE: (*UNIT_KEYS, "own_unit", "own_setting"),
    Row.BLOCK: (*UNIT_KEYS, "cause", "awaited_unit", "awaited_setting", "awaited_level"),
    Row.MOVE: ("pathway", "from", "to", "from_level", "to_level"),
    Row.STREAM: ("stream", "pathway", "area"),
    Row.AREA: ("setting", "level", "area", "age_band"),
    Row.AREA_BIN: ("setting", "level", "area", "age_band"),
    Row.CLOCK: ("clock",),
    Row.CLOCK_BIN: ("clock",),
    Row.CLOCK_AREA: ("clock", "area", "age_band"),
    Row.CLOCK_SITE: ("clock", "at", "stp", "trust"),
    Row.RUN: ("run",),
}
"""The attributes that rows of each kind have."""


def keys_of(row: Row, network: Network, labels: Labels) -> Keys:
    """Attributes of the rows of a kind of book (bins are axes of their own, not rows): attribute -> text a row."""
    areas, ages = len(labels.areas), len(labels.age_bands)
    match row:
        case Row.UNIT:
            payers = dict(zip(labels.settings, labels.payers, strict=True))
            return {
                **_units(labels, range(len(labels.units))),
                "payer": [payers[unit.setting] or NOT_SAID for unit in labels.units],
            }
        case Row.CLASS | Row.CLASS_BIN:
            return {**_units(labels, network.class_own.tolist()), "priority": [str(p) for p in network.class_priority]}
        case Row.LANE:
            own = network.class_own[_class_of_lane(network)]
            return {
                **_units(labels, network.lane_unit.tolist()),
                "own_unit": [labels.units[u].name for u in own],
                "own_setting": [labels.units[u].setting for u in own],
            }
        case Row.BLOCK:
            awaited = [labels.units[u] for u in network.block_awaited]
            return {
                **_units(labels, network.block_unit.tolist()),
                "cause": [labels.causes[c] for c in network.block_cause],
                "awaited_unit": [u.name for u in awaited],
                "awaited_setting": [u.setting for u in awaited],
                "awaited_level": [u.level for u in awaited],
            }
        case Row.MOVE:
            names = [": ".join(step) for step in labels.steps]
            levels = [labels.setting_levels[s] for s in network.step_setting]
            pairs = [(a, b) for a in range(len(names)) for b in range(-1, len(names))]
            return {
                "pathway": [labels.steps[a][0] for a, _ in pairs],
                "from": [labels.steps[a][1] for a, _ in pairs],
                "to": [labels.steps[b][1] if b >= 0 else LEAVES for _, b in pairs],
                "from_level": [levels[a] for a, _ in pairs],
                "to_level": [levels[b] if b >= 0 else LEAVES for _, b in pairs],
            }
        case Row.STREAM:
            return {
                "stream": list(labels.streams),
                "pathway": [labels.pathways[p] for p in network.stream_pathway],
                "area": [labels.areas[network.place_area[p]] for p in network.stream_place],
            }
        case Row.AREA | Row.AREA_BIN:
            settings = range(len(labels.settings))
            return {
                "setting": [labels.settings[s] for s in settings for _ in range(areas * ages)],
                "level": [labels.setting_levels[s] for s in settings for _ in range(areas * ages)],
                **_areas(labels, len(settings)),
            }
        case Row.CLOCK | Row.CLOCK_BIN:
            return {"clock": list(labels.clocks)}
        case Row.CLOCK_AREA:
            return {
                "clock": [c for c in labels.clocks for _ in range(areas * ages)],
                **_areas(labels, len(labels.clocks)),
            }
        case Row.CLOCK_SITE:
            known = {unit.at: (unit.at, unit.stp, unit.trust or NOT_SAID) for unit in labels.units}
            nowhere = (NO_SITE,) * 3
            sites = [nowhere, *(known.get(name, nowhere) for name in labels.sites[: sites_of(network)])]
            at, stp, trust = (list(names) * len(labels.clocks) for names in zip(*sites, strict=True))
            return {"clock": [c for c in labels.clocks for _ in sites], "at": at, "stp": stp, "trust": trust}
        case Row.RUN:
            return {"run": ["run"]}


def _units(labels: Labels, numbers: Sequence[int] | range) -> Keys:
    units = [labels.units[u] for u in numbers]
    return {
        "unit": [u.name for u in units],
        "setting": [u.setting for u in units],
        "at": [u.at for u in units],
        "level": [u.level for u in units],
        "stp": [u.stp for u in units],
        "trust": [u.trust or NOT_SAID for u in units],
    }


def _areas(labels: Labels, times: int) -> Keys:
    pairs = [(area, age) for area in labels.areas for age in labels.age_bands] * times
    return {"area": [area for area, _ in pairs], "age_band": [age for _, age in pairs]}


def _class_of_lane(network: Network) -> Ints:
    return np.repeat(np.arange(len(network.class_own)), np.diff(network.lane_first))
