"""Laws of faults and exceptions: one readable line each, in order, and whole across processes."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.errors import (
    CannotFinish,
    DamagedError,
    Fault,
    Faults,
    FlowsimError,
    Gridlock,
    InputError,
    StoppedError,
    show,
)


@given(st.text(), st.text(), st.text(), st.text(), st.none() | st.integers(1, 10**6))
def test_every_fault_is_one_line_that_a_terminal_prints_as_it_stands(
    file: str, field: str, value: str, message: str, line: int | None
) -> None:
    text = str(Fault(file, line, field, value, message))
    assert "\n" not in text
    assert text.encode("utf-8").decode("utf-8") == text
    assert all(c == " " or c.isprintable() for c in text)


def test_a_fault_names_file_line_field_value_and_what_would_be_right() -> None:
    fault = Fault("units.csv", 212, "available_beds", "-4", "must be 0 or more")
    assert str(fault) == "units.csv:212: available_beds = -4: must be 0 or more"
    assert str(Fault("m.yaml", None, "", "", "is empty")) == "m.yaml: is empty"


@pytest.mark.parametrize(
    "value", ["z" * 50_000, "\u202e" * 5000, ["x" * 1000] * 1000, {"k" * 99: 1}, 10**5000], ids=type
)
def test_a_long_value_is_shortened_to_a_readable_width(value: object) -> None:
    assert len(show(value)) <= 62


def test_characters_that_cannot_be_seen_are_shown_as_escapes() -> None:
    assert show("a\u200bb\x1b\n\u00a0") == "'a\\u200bb\\x1b\\n\\xa0'"
    assert show("King’s 🏥") == "'King’s 🏥'"


def test_faults_come_sorted_by_file_and_line_and_the_same_counts_once() -> None:
    faults = Faults()
    faults.add("b", 1, "x", 1, "m")
    faults.add("a", 9, "x", True, "m")
    faults.add("a", 2, "x", "s", "m")
    faults.add("a", 2, "x", "s", "m")
    with pytest.raises(InputError) as caught:
        faults.raise_if_any()
    assert str(caught.value).splitlines() == ["a:2: x = 's': m", "a:9: x = true: m", "b:1: x = 1: m"]


def test_no_fault_raises_nothing() -> None:
    Faults().raise_if_any()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError((Fault("a", 1, "f", "v", "m"),)), 2),
        (Gridlock(("ward", "home care"), 90_061_007), 3),
        (CannotFinish(("a", "b"), "ten million events at one instant"), 3),
        (StoppedError("disk full"), 3),
        (DamagedError("cell 3 was changed"), 3),
    ],
)
def test_an_error_crosses_processes_whole_and_knows_its_exit_code(error: FlowsimError, code: int) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert error.exit_code == code


def test_gridlock_names_the_ring_and_the_moment() -> None:
    assert str(Gridlock(("A", "B"), 90_061_007)) == "gridlock on day 2 at 01:01:01.007: A waits for B waits for A"
