"""Checks of fitted factors: the value that has the rest, and shares that stay below 1."""

from __future__ import annotations

from flowsim.model.checks.report import Report
from flowsim.model.fitted import most
from flowsim.model.names import near


def check_fitted(report: Report) -> None:
    """Every factor on shares: its names of groups and steps are known to be there."""
    for name, factor in report.model.fitted.items():
        if factor.shares_of is None:
            continue
        group = factor.shares_of
        values = dict.fromkeys(value for row in report.model.groups[group].rows() for value in row)
        if factor.except_ not in values:
            message = f"is no value of {group!r}{near(factor.except_ or '', values)}"
            report.say(("fitted", name, "except"), factor.except_, message)
            continue
        largest = most(report.model, factor)
        if largest is None:
            report.say(("fitted", name, "shares_of"), group, f"nobody has another value than {factor.except_!r}")
        elif factor.times > largest * (1 + 1e-9):
            message = f"shares of {group!r} other than {factor.except_!r} would exceed 1: at most {largest:.6g}"
            report.say(("fitted", name, "times"), factor.times, message)
