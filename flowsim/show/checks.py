"""A check in words, and as a document."""

from __future__ import annotations

from typing import Any, Protocol

from flowsim.show import sentences
from flowsim.show.numbers import listed, told
from flowsim.show.output import table_text


class Checked(Protocol):
    """What `flowsim.check` gives."""

    kind: Any
    name: str
    title: str
    file: Any
    model: str
    counts: dict[str, int]
    years: tuple[str, ...]
    patients_a_year: float
    load: list[dict[str, Any]]
    tips: list[dict[str, Any]]
    warnings: tuple[str, ...]
    assumptions: list[dict[str, Any]]
    question: str
    scenarios: dict[str, list[str]]
    cells: int
    moved: list[dict[str, Any]]

    @property
    def assumptions_by_kind(self) -> dict[str, int]:
        """How many numbers of each kind."""
