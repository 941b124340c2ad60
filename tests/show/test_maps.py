"""Maps: every place on a tile of its own, no doubtful change in colour, zero in the middle of the scale."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import flowsim as fs
from flowsim.experiment.scenarios import Wanted
from flowsim.show import maps, placing, plots
from flowsim.show.maps import Mapped, Panel, Reading
from flowsim.show.placing import Ground
from flowsim.show.tiles import BOROUGHS, Spot, codes_of, tiles_of

LONDON = tuple(Spot(name, None, None) for name in BOROUGHS.values())


def test_every_borough_of_london_has_a_tile_of_its_own() -> None:
    tiles = tiles_of(LONDON)
    assert len(tiles) == 33
    assert len({tile[:2] for tile in tiles.values()}) == 33
    assert tiles["Enfield"].row < tiles["Camden"].row < tiles["Croydon"].row < tiles["Sutton"].row
    assert tiles["Hillingdon"].column < tiles["Camden"].column < tiles["Havering"].column


def test_boroughs_are_known_by_their_other_names() -> None:
    usual, formal = "Kensington and Chelsea", "Royal Borough of Kensington & Chelsea"
    assert tiles_of([Spot(formal, None, None)])[formal] == tiles_of(LONDON)[usual]
    assert tiles_of([Spot("City of Westminster", None, None)])["City of Westminster"].code == "WST"


def test_a_place_beside_london_is_left_out_of_its_layout() -> None:
    assert "Surrey" not in tiles_of([*LONDON, Spot("Surrey", 51.3, -0.3)])


degrees = st.floats(-1.0, 1.0)


@given(st.lists(st.tuples(degrees, degrees), min_size=1, max_size=30))
def test_other_places_stand_by_their_coordinates_no_two_on_one_tile(spots: list[tuple[float, float]]) -> None:
    places = [Spot(f"town of {n}", 52 + y, x) for n, (x, y) in enumerate(spots)]
    tiles = tiles_of(places)
    assert list(tiles) == [one.name for one in places]
    assert max(Counter(tile[:2] for tile in tiles.values()).values()) == 1
    assert len({tile.code for tile in tiles.values()}) == len(places)


def test_north_is_up_and_west_is_left() -> None:
    corners = {"NW": (53.0, -1.0), "NE": (53.0, 1.0), "SW": (51.0, -1.0), "SE": (51.0, 1.0)}
    tiles = tiles_of([Spot(name, *at) for name, at in corners.items()])
    assert tiles["NW"].row == tiles["NE"].row < tiles["SW"].row == tiles["SE"].row
    assert tiles["NW"].column == tiles["SW"].column < tiles["NE"].column == tiles["SE"].column


def test_places_without_coordinates_that_are_not_london_have_no_tile() -> None:
    assert tiles_of([Spot(f"Borough {n}", None, None) for n in range(12)]) == {}


def test_codes_are_short_and_no_two_the_same() -> None:
    names = ["Leeds", "Leek", "Lee", "Lichfield", "Ely", "A"]
    codes = codes_of(names)
    assert len(set(codes.values())) == len(names)
    assert all(len(code) <= 3 for code in codes.values())
    assert codes_of(["Borough 00", "Borough 07"]) == {"Borough 00": "00", "Borough 07": "07"}


@given(st.lists(st.tuples(st.floats(0, 4), st.floats(0, 4)), min_size=2, max_size=12))
def test_circles_are_moved_apart_until_none_overlaps(spots: list[tuple[float, float]]) -> None:
    radii = [0.1 + 0.01 * n for n in range(len(spots))]
    moved = maps.apart(spots, radii)
    for i, j in combinations(range(len(spots)), 2):
        assert math.dist(moved[i], moved[j]) > 0.9 * (radii[i] + radii[j])
    far = [(float(3 * n), 0.0) for n in range(3)]
    assert maps.apart(far, radii[:3] + [0.1] * 3) == far


def mapped(**more: Any) -> Mapped:
    level = {one.name: Reading(0.5 + n / 100, 0.4, 0.9) for n, one in enumerate(LONDON)}
    change = {one.name: Reading(n / 1000 - 0.01, n / 1000 - 0.02, n / 1000) for n, one in enumerate(LONDON)}
    return Mapped(
        "within four hours", "share", False, Panel("Level", level), (Panel("Change", change),), LONDON, **more
    )


def test_a_map_is_the_same_bytes_each_time() -> None:
    first, second = maps.drawn("map", "A title", mapped()), maps.drawn("map", "A title", mapped())
    assert first == second
    assert list(first) == ["map.svg", "map.png"]


def test_what_cannot_be_placed_is_no_map() -> None:
    nowhere = mapped()
    nowhere = Mapped(nowhere.label, "share", False, nowhere.level, nowhere.changes, (Spot("Atlantis", None, None),))
    assert maps.drawn("map", "A title", nowhere) == {}


def test_only_a_change_whose_interval_is_clear_of_zero_has_a_colour() -> None:
    _, _, scale = maps._scales(mapped(), [one.name for one in LONDON])
    assert "hatch" in maps._look(Reading(-1.0, -3.0, 1.0), scale)
    assert "hatch" in maps._look(Reading(-1.0, None, None), scale)
    assert "hatch" not in maps._look(Reading(-1.0, -3.0, -0.5), scale)
    assert maps._look(Reading(None, None, None), scale)["facecolor"] == "white"


def test_zero_is_in_the_middle_and_better_is_blue_on_either_side() -> None:
    names = [one.name for one in LONDON]
    _, level, scale = maps._scales(mapped(), names)
    assert scale.low == -scale.high
    assert not level.is_change
    more_is_better = scale.colour(scale.high)
    less = mapped()
    less = Mapped(less.label, "share", True, less.level, less.changes, LONDON)
    assert maps._scales(less, names)[2].colour(-scale.high) == more_is_better
    assert scale.told(0.0) == "0.0"
    assert scale.told(1.25)[0] == "+"


def test_a_measure_by_place_is_a_map_only_with_enough_places_where_something_happens() -> None:
    names = list(BOROUGHS.values())
    spots = {name: Spot(name, None, None) for name in names}
    ground = Ground(spots, dict.fromkeys(names, "borough"), {}, {})
    wanted = Wanted(measure="residents_mean_wait_hours", by="area")
    found = placing.mapped(records(names), wanted, ground)
    assert found is not None
    assert [one.name for one in found.places] == names
    assert found.changes[0].readings["Croydon"] == Reading(0.1, 0.1, 0.1)
    assert found.level.readings["Croydon"] == Reading(2.0, 2.0, 2.0)
    assert placing.mapped(records(names[:9]), wanted, ground) is None
    assert placing.mapped(records(names, 0.0), wanted, ground) is None
    assert placing.mapped(records(names), Wanted(measure="residents_mean_wait_hours"), ground) is None
    assert "map_wait.png" in plots.figures("A title", records(names), {"wait": wanted}, ground)


def test_sites_are_sized_by_the_beds_that_the_measure_is_of() -> None:
    names = [f"Site {n}" for n in range(6)]
    sites = {name: Spot(name, 51.5 + n / 10, -0.1) for n, name in enumerate(names)}
    beds = {(name, setting): 10 * n for n, name in enumerate(names) for setting in ("ward", "theatre")}
    ground = Ground({}, {}, sites, beds)
    for of, size in (({"setting": ("ward",)}, 50), ({}, 100)):
        found = placing.mapped(records(names), Wanted(measure="occupancy", by="at", of=of), ground)
        assert found is not None and not found.places
        assert found.sites[5].size == size
    unlocated = Ground({}, {}, {name: Spot(name, None, None) for name in names}, beds)
    assert placing.mapped(records(names), Wanted(measure="occupancy", by="at"), unlocated) is None


def test_a_model_without_places_has_no_ground_for_a_map(here: Path) -> None:
    ground = Ground.of(fs.open_results("wards"))
    assert (ground.places, ground.sites) == ({}, {})
    assert sum(ground.beds.values()) > 0


def records(places: list[str], value: float = 2.0) -> list[dict[str, Any]]:
    return [
        {
            "key": "wait", "label": "wait", "measured_in": "hours", "less_is_better": True, "replications": 3,
            "baseline": "as it is", "scenario": scenario, "place": place, "setting": "all", "mean": value,
            "low": value, "high": value, "baseline_mean": value, "difference": difference,
            "difference_low": difference, "difference_high": difference,
        }
        for place in places
        for scenario, difference in (("as it is", None), ("more", 0.1))
    ]  # fmt: skip
