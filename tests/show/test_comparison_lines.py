"""A comparison as text: whole measures in one table, one table of each that is told apart; nothing that happened is
left out.
"""

from __future__ import annotations

from typing import Any

from flowsim.show.comparison_lines import lines


def record(key: str, place: str, scenario: str, mean: float | None, difference: float | None = None) -> dict[str, Any]:
    low, high = (None, None) if mean is None else (mean - 0.04, mean + 0.04)
    record = {
        "key": key, "label": f"The {key}", "measured_in": "share", "scenario": scenario, "baseline": "as it is",
        "place": place, "setting": "ward", "by": "all" if place == "all" else "at", "mean": mean, "low": low, "high": high, "difference": difference,
        "difference_low": None if difference is None else difference - 0.02,
        "difference_high": None if difference is None else difference + 0.02,
    }  # fmt: skip
    return record


def block(key: str, place: str, mean: float | None, difference: float | None) -> list[dict[str, Any]]:
    return [record(key, place, "as it is", mean), record(key, place, "fewer", mean, difference)]


def test_a_measure_that_is_told_apart_has_a_table_with_a_row_a_place() -> None:
    said = lines(
        block("share", "all", 0.5, -0.1) + block("by_place", "Alpha", 0.5, 0.1) + block("by_place", "Beta", 0.25, 0.0)
    )
    assert [" ".join(line.split()) for line in said if line][3:] == [
        "The by_place, in %: 'as it is', and the change from it in percentage points",
        "as it is fewer",
        "Alpha 50.0 (46.0 to 54.0) +10.0 (8.0 to 12.0)",
        "Beta 25.0 (21.0 to 29.0) 0.0 (-2.0 to 2.0)",
    ]
    assert said[3] == ""


def test_places_where_nothing_ever_happened_are_left_out_and_no_others() -> None:
    said = "\n".join(
        lines(
            block("by_place", "Alpha", 0.5, 0.1) + block("by_place", "Quiet", 0.0, 0.0)
            + block("by_place", "Nobody", None, None) + block("by_place", "Beta", 0.0, 0.0)[:1]
            + [record("by_place", "Beta", "fewer", 0.1, 0.1)]
        )
    )  # fmt: skip
    assert "Alpha" in said and "Beta" in said
    assert "Quiet" not in said and "Nobody" not in said


def test_a_measure_of_nothing_but_zeros_is_told_where_it_is_whole_and_has_no_table_where_it_is_told_apart() -> None:
    assert "The share" in "\n".join(lines(block("share", "all", 0.0, 0.0)))
    assert lines(block("by_place", "Alpha", 0.5, 0.0))[2].split()[0] == "Alpha"
    assert lines(block("by_place", "Alpha", 0.0, 0.0) + block("by_place", "Beta", 0.0, 0.0)) == []
