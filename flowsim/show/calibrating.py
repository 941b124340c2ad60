"""A calibration in words: tables of targets and of figures that nobody fitted, for the terminal and in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flowsim.show.numbers import decimals, told
from flowsim.show.output import table_text

Document = Mapping[str, Any]
Entry = Mapping[str, Any]
FITTED = ("fitted factor", "value", "fitted to", "in", "published", "tolerance", "model", "95% interval", "")
CHECKED = ("not fitted", "in", "published", "tolerance", "model", "95% interval", "")


def lines(document: Document) -> list[str]:
    """The tables for the terminal."""
    found = []
    for title, columns, rows in _tables(document):
        plain = [[cell.replace("**", "") for cell in row] for row in rows]
        found += [title, *table_text(columns, plain, numbers=0), ""]
    return [*found, *_rules(document, "  "), *_outside(document, "  "), _how(document)]


def markdown(document: Document) -> str:
    """The tables as a page."""
    found = [f"# {document['title']}", "", _how(document), ""]
    for title, columns, rows in _tables(document):
        found += [f"## {title}", "", _line(columns), _line(["---"] * len(columns)), *map(_line, rows), ""]
    rules, outside = _rules(document, "* "), _outside(document, "* ")
    for part in (rules, outside):
        if part:
            found += [f"## {part[0].rstrip(':')}", "", *part[1:]]
    every = (*document["fitted"], *document["checked"])
    sources = dict.fromkeys(f"* {one['label']}: {one['source']}" for one in every)
    found += ["## Sources", "", *sources]
    return "\n".join(found).rstrip() + "\n"


def _tables(document: Document) -> list[tuple[str, Sequence[str], list[list[str]]]]:
    fitted = [[one["name"], _factor(one), _name(one), *_figures(one)] for one in document["fitted"]]
    checked = [[_name(one), *_figures(one)] for one in document["checked"]]
    tables = (("What is fitted", FITTED, fitted), ("What nobody fitted", CHECKED, checked))
    return [(title, columns, rows) for title, columns, rows in tables if rows]


def _name(one: Entry) -> str:
    return f"{one['label']}, {one['part']}" if one["part"] else str(one["label"])


def _factor(one: Entry) -> str:
    error = one["factor_error"]
    return f"{one['factor']:.4g}" + (f" (standard error {error:.2g})" if error is not None and error == error else "")


def _figures(one: Entry) -> list[str]:
    """What it is in, the published figure, its tolerance, the model's with its interval, and whether it is within."""
    unit = "%" if one["measured_in"] == "share" else one["measured_in"]
    scale = 100.0 if one["measured_in"] == "share" else 1.0
    low, high, mean = one["low"], one["high"], one["mean"] * scale
    width = None if low is None else (high - low) / 2 * scale
    places = decimals(width or None, mean)
    interval = "" if low is None else f"{told(low * scale, places)} to {told(high * scale, places)}"
    least, most = one["tolerance_low"], one["tolerance_high"] * scale
    fine = max(0, decimals(None, most))
    tolerance = f"at most {told(most, fine)}" if least is None else f"{told(least * scale, fine)} to {told(most, fine)}"
    published = told(one["published"] * scale, max(0, decimals(None, one["published"] * scale)))
    verdict = "within" if one["is_within"] else "**out**"
    return [unit, published, tolerance, told(mean, places), interval, verdict]


def _rules(document: Document, mark: str) -> list[str]:
    rules = document["by_rule"]
    return ["Fixed by rule:", *(f"{mark}{name}: {rule}" for name, rule in rules.items()), ""] if rules else []


def _outside(document: Document, mark: str) -> list[str]:
    out = [one for one in (*document["fitted"], *document["checked"]) if not one["is_within"]]
    if not out:
        return ["Out of tolerance:", f"{mark}nothing", ""]
    reasons = dict.fromkeys(f"{mark}{one['label']}: {one['reason'] or 'no reason is given yet'}" for one in out)
    return ["Out of tolerance:", *reasons, ""]


def _how(document: Document) -> str:
    count = document["replications"]
    found = f"Model {document['model']} ({document['digest'][:12]}); the model's figures are means over {count} "
    found += f"replication{'' if count == 1 else 's'} that nothing was fitted to"
    if document["rounds"]:
        found += f", after {document['rounds']} rounds of fitting and {document['runs']} runs in all"
    return f"{found}."


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
