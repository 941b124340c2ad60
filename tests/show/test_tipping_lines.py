"""When something tips is said with the range over the replications, and what does not tip is said too."""

from __future__ import annotations

from typing import Any

import pytest

from flowsim.show.tipping_lines import lines, phrase

YEARS = ("2018/19", "2019/20", "2020/21")


def record(median: str | None, earliest: str | None, latest: str | None, tipped: int, **more: Any) -> dict[str, Any]:
    return {
        "scenario": "as projected", "measure": "four_hour", "label": "Within four hours", "measured_in": "share",
        "below": 0.7, "above": None, "median": median, "earliest": earliest, "latest": latest, "tipped": tipped,
        "replications": 10, "times": YEARS, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("one", "said"),
    [
        (record("2019/20", "2019/20", "2019/20", 10), "falls below 70% in 2019/20"),
        (record("2019/20", "2018/19", "2020/21", 10), "falls below 70% in 2019/20 (2018/19 to 2020/21)"),
        (
            record("2020/21", "2020/21", "2020/21", 7),
            "falls below 70% in 2020/21 (from 2020/21 on; in 3 of 10 replications not at all)",
        ),
        (record("2018/19", "2018/19", "2018/19", 10), "is below 70% already in 2018/19"),
        (record(None, None, None, 0), "does not fall below 70% by 2020/21"),
        (
            record(None, "2020/21", "2020/21", 2),
            "does not fall below 70% by 2020/21 in 8 of 10 replications",
        ),
        (
            record("2020/21", "2020/21", "2020/21", 10, below=None, above=13000.0, measured_in="patients a year"),
            "rises above 13,000 patients a year in 2020/21",
        ),
    ],
)
def test_what_is_said_of_tipping_is_when_and_in_how_many_replications(one: dict[str, Any], said: str) -> None:
    assert phrase(one) == said


def test_what_tips_stands_before_what_does_not() -> None:
    calm = record(None, None, None, 0, label="Beds")
    assert lines([record("2019/20", "2019/20", "2019/20", 10), calm])[1:] == [
        "  as projected",
        "    Within four hours: falls below 70% in 2019/20",
        "    not by 2020/21: Beds",
    ]
    assert lines([]) == []
