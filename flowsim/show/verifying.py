"""Two engines compared, in words: equal, or the first event that differs with both scenes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowsim.errors import escape

Document = Mapping[str, Any]
MOMENTS = ("joined", "started", "ready", "ended", "left")


def lines(document: Document) -> list[str]:
    """A verification (its `document`) for people; the first line says whether the engines agree."""
    took = ", ".join(f"{name} {seconds:,.2f} s" for name, seconds in document["seconds"].items())
    days = document["days"]
    what = f"{document['model']}, {days:,} day{'' if days == 1 else 's'}, seed {document['seed']}"
    what += f", replication {document['replication']}; {took}"
    difference = document["difference"]
    if difference is not None:
        return [f"different: {what}", *_difference(difference)]
    compared = f"{document['visits']:,} visits and {document['ledger_rows']:,} rows of the ledger compared"
    if document["stopped"] is not None:
        return [f"equal, both stopped by {document['stopped']}", what, compared]
    return [f"equal: {document['events']:,} events, {document['patients']:,} patients", what, compared]


def _difference(found: Document) -> list[str]:
    if found["kind"] == "end":
        return [f"  {name}: ended {text}" for name, text in found["ends"].items()]
    if found["kind"] == "ledger":
        head = f"all visits are equal; first row of the ledger that differs: period from {found['period']}, "
        values = "; ".join(
            f"{name} {'nothing' if value is None else f'{value:,}'}" for name, value in found["values"].items()
        )
        return [f"{head}book {found['book']}, {escape(found['row'])}: {values}"]
    columns = f"differs in {', '.join(found['columns'])}" if found["columns"] else "one engine only has this visit"
    told = [f"first event that differs: {found['at']}, {escape(found['patient'])}, {escape(found['place'])}; {columns}"]
    for name, scene in found["scenes"].items():
        told.append(f"{name}:")
        told += [f"  {when:6}  {_visit(scene[when])}" for when in ("before", "now", "next")]
    return told


def _visit(visit: Document | None) -> str:
    if visit is None:
        return "-"
    place = visit["unit"] or f"{visit['own_unit']} (never started)"
    if visit["unit"] not in ("", visit["own_unit"]):
        place += f" (own unit {visit['own_unit']})"
    parts = [f"{moment} {visit[moment]}" for moment in MOMENTS if visit[moment] is not None]
    if visit["blocked_ms"] or visit["waited_for"]:
        parts.append(f"blocked {visit['blocked_ms']:,} ms, waited for {visit['waited_for'] or 'nothing'}")
    return escape(f"{visit['step']} in {place}: {', '.join(parts)}, {visit['outcome']}")
