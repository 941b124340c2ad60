"""What a run ends with: the comparison, the answer in words, what grows, who is unfinished, what moved, the
figures.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flowsim.show import comparison_lines, sentences, tipping_lines
from flowsim.show.numbers import Record

if TYPE_CHECKING:
    from flowsim import ExperimentResults

MOST_GROWING = 6
FEWEST_YEARS = 4
"""Years measured from which growth is told: its first and last quarter are compared, which must be whole years."""
HIDDEN = ("key", "label", "less_is_better", "by")


@dataclass(frozen=True)
class Summary:
    """What there is to say of finished results, for people (`lines`) and for programs (`document`)."""

    title: str
    question: str
    folder: str
    scenarios: tuple[str, ...]
    baseline: str
    replications: int
    measured: tuple[dt.date, dt.date]
    ran: int
    records: list[dict[str, Any]]
    sentence: str
    tips: list[dict[str, Any]]
    growing: list[dict[str, Any]]
    growth_is_told: bool
    unfinished: list[dict[str, Any]]
    more_replications: int | None
    moved: list[dict[str, Any]]
    figures: tuple[str, ...]

    @classmethod
    def of(cls, results: ExperimentResults, records: list[dict[str, Any]], ran: int, figures: Sequence[str]) -> Summary:
        """Read it off results and their records; `ran` cells were run now, the others were finished before."""
        experiment = results.experiment
        names = list(experiment.scenarios)
        tips = results.tips()
        when = {(one["scenario"], one["measure"]): tipping_lines.phrase(one) for one in tips}
        return cls(
            title=experiment.title,
            question=" ".join(experiment.question.split()),
            folder=str(results.folder.path),
            scenarios=tuple(experiment.scenarios),
            baseline=experiment.baseline,
            replications=results.replications,
            measured=results.measured,
            ran=ran,
            records=records,
            sentence=sentences.answer(experiment.answer, records, experiment.measures, names, when),
            tips=tips,
            growing=[
                {
                    "scenario": scenario,
                    "unit": unit,
                    "patients_more_a_year": grown.per_year.mean,
                    "low": grown.per_year.low,
                    "high": grown.per_year.high,
                }
                for scenario, unit, grown in results.growing_queues()
            ],
            growth_is_told=(len(experiment.years) or (experiment.days or 0) / 365) >= FEWEST_YEARS,
            unfinished=[
                {"scenario": scenario, "in_care": served, "waiting": waiting}
                for scenario, (served, waiting) in results.inside_at_end().items()
            ],
            more_replications=results.more_replications(),
            moved=results.moved_work(),
            figures=tuple(figures),
        )

    def document(self) -> dict[str, Any]:
        """The summary for programs; `comparison` has the records of `flowsim compare --json`."""
        return {
            "title": self.title,
            "question": self.question,
            "folder": self.folder,
            "scenarios": self.scenarios,
            "replications": self.replications,
            "measured": [day.isoformat() for day in self.measured],
            "cells_run_now": self.ran,
            "comparison": plain(self.records),
            "sentence": self.sentence,
            "tips": self.tips,
            "growing": self.growing if self.growth_is_told else [],
            "unfinished": self.unfinished,
            "replications_more_to_halve_intervals": self.more_replications,
            "moved": self.moved,
            "figures": self.figures,
        }

    def lines(self) -> list[str]:
        """The summary for people."""
        count = len(self.scenarios)
        size = f"{count} scenario{'s' * (count != 1)} x {_counted(self.replications, 'replication')}"
        days = " to ".join(f"{day.day} {day:%B %Y}" for day in self.measured)
        state = "" if self.ran else ": all were finished before, nothing was run"
        lines = [
            self.title,
            self.question,
            f"{size} of {days}, in {self.folder}{state}",
            "",
            *comparison_lines.lines(self.records),
            "",
        ]
        lines += [self.sentence, ""] if self.sentence else []
        lines += [*tipping_lines.lines(self.tips), ""] if self.tips else []
        lines += sentences.growing(self.growing, self.growth_is_told, MOST_GROWING)
        lines.append(sentences.unfinished(self.unfinished, self.baseline))
        if self.more_replications is None:
            lines.append("One replication has no interval: run with --replications 2 or more.")
        else:
            lines.append(f"{_counted(self.more_replications, 'replication')} more would halve the intervals.")
        if self.moved:
            lines.append("Visits a year that the levers moved, by the traffic equations, before any queue:")
            lines += [f"  {line}" for line in sentences.moved(self.moved)]
        if self.figures:
            lines.append("Figures and table: " + ", ".join(self.figures))
        return lines


def plain(records: Sequence[Record]) -> list[dict[str, Any]]:
    """Records without what is only there to tell and draw them."""
    return [{name: value for name, value in one.items() if name not in HIDDEN} for one in records]


def _counted(number: int, word: str) -> str:
    return f"{number:,} {word}{'' if number == 1 else 's'}"
