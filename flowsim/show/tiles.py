"""Where the tile of a place stands: boroughs of London in their usual layout, other places by coordinates."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Spot(NamedTuple):
    """A place or site to be drawn; degrees, or None; `size` is what the area of its mark stands for."""

    name: str
    latitude: float | None
    longitude: float | None
    size: float | None = None


class Tile(NamedTuple):
    """Column from the west, row from the north, and the code written in the tile."""

    column: int
    row: int
    code: str


LONDON = """
.   .   .   .   ENF .   .   .
.   .   HRW BRN HGY WTH .   .
HDN ELN BRT CMD ISL HCK RDB HVG
HNS HMS KNS WST CTY TWR NWH BAR
.   RCH WNS LAM SWR LSH GRN BXL
.   .   KNG MRT CRD BRM .   .
.   .   .   STN .   .   .   .
"""
"""The 33 boroughs as tiles, each next to most of its neighbours. General knowledge: the layout in common use."""

BOROUGHS = {
    "BAR": "Barking and Dagenham", "BRN": "Barnet", "BXL": "Bexley", "BRT": "Brent", "BRM": "Bromley",
    "CMD": "Camden", "CTY": "City of London", "CRD": "Croydon", "ELN": "Ealing", "ENF": "Enfield",
    "GRN": "Greenwich", "HCK": "Hackney", "HMS": "Hammersmith and Fulham", "HGY": "Haringey", "HRW": "Harrow",
    "HVG": "Havering", "HDN": "Hillingdon", "HNS": "Hounslow", "ISL": "Islington", "KNS": "Kensington and Chelsea",
    "KNG": "Kingston upon Thames", "LAM": "Lambeth", "LSH": "Lewisham", "MRT": "Merton", "NWH": "Newham",
    "RDB": "Redbridge", "RCH": "Richmond upon Thames", "SWR": "Southwark", "STN": "Sutton",
    "TWR": "Tower Hamlets", "WTH": "Waltham Forest", "WNS": "Wandsworth", "WST": "Westminster",
}  # fmt: skip
ALSO = {"city of westminster": "westminster", "city": "city of london"}
"""Other names of boroughs."""
SPARE = 1.4
"""Cells of a grid for each place on it, so that a coast or a gap can be seen."""


def tiles_of(places: Sequence[Spot]) -> dict[str, Tile]:
    """A tile for each place, no two on one; places that cannot be placed are left out.

    London's layout if at least half of the places are boroughs of London, else a grid by coordinates.
    """
    known = _london()
    found = {one.name: known[_plain(one.name)] for one in places if _plain(one.name) in known}
    if len(set(found.values())) == len(found) >= max(len(places) / 2, 1):
        return found
    return _by_coordinates(places)


def codes_of(names: Iterable[str]) -> dict[str, str]:
    """A code of at most three characters for each name, no two the same: its number if it ends in one."""
    names = list(names)
    numbers = {name: name.rpartition(" ")[2] for name in names}
    if all(number.isdigit() and len(number) <= 3 for number in numbers.values()) and len(set(numbers.values())) == len(
        names
    ):
        return numbers
    codes: dict[str, str] = {}
    for place, name in enumerate(names):
        letters = [sign for sign in name.upper() if sign.isalnum()]
        tries = (
            letters[0] + letters[i] + letters[j] for i in range(1, len(letters)) for j in range(i + 1, len(letters))
        )
        codes[name] = next((code for code in tries if code not in codes.values()), str(place + 1))
    return codes


def _london() -> dict[str, Tile]:
    grid = [line.split() for line in LONDON.split("\n") if line]
    return {
        _plain(BOROUGHS[code]): Tile(column, row, code)
        for row, codes in enumerate(grid)
        for column, code in enumerate(codes)
        if code in BOROUGHS
    }


def _plain(name: str) -> str:
    """A borough's name as the layout has it, however formal."""
    name = name.casefold().replace("&", "and").replace("-", " ").strip()
    for title in ("london borough of ", "royal borough of "):
        name = name.removeprefix(title)
    return ALSO.get(name, name)


def _by_coordinates(places: Sequence[Spot]) -> dict[str, Tile]:
    """Each place on a cell of a grid, near to where it lies: the sum of squared moves is the least there is."""
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    located = [(one.name, one.latitude, one.longitude) for one in places]
    names = [name for name, latitude, longitude in located if latitude is not None and longitude is not None]
    spots = np.array([(x, y) for _, y, x in located if x is not None and y is not None], dtype=float)
    if not names:
        return {}
    spots[:, 0] *= math.cos(math.radians(float(spots[:, 1].mean())))
    spots[:, 1] *= -1
    spots -= spots.min(axis=0)
    width, height = (max(float(extent), 1e-6) for extent in spots.max(axis=0))
    cells = SPARE * len(names)
    columns = min(max(round(math.sqrt(cells * width / height)), 1), len(names))
    rows = max(math.ceil(cells / columns), 1)
    spots *= ((columns - 1) / width, (rows - 1) / height)
    grid = np.array([(column, row) for row in range(rows) for column in range(columns)])
    _, chosen = linear_sum_assignment(((spots[:, None] - grid[None]) ** 2).sum(axis=2))
    corner = grid[chosen].min(axis=0)
    codes = codes_of(names)
    return {
        name: Tile(int(grid[cell][0] - corner[0]), int(grid[cell][1] - corner[1]), codes[name])
        for name, cell in zip(names, chosen, strict=True)
    }
