"""The ledger of moved work as tables: what each lever removed here and added there, balanced to the patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flowsim.show import reached_lines
from flowsim.show.numbers import told
from flowsim.show.output import table_text

MOST_FLOWS = 25
CARE = ("visits", "removed", "added", "then", "days", "removed", "added", "then")


def lines(found: Mapping[str, Any], by: str) -> list[str]:
    """What one lever moved, for people."""
    counts = found["patients"]
    text = [
        f"{found['scenario']}: {found['lever']}",
        f"Patients in both runs{_when(found)}: {counts['both']:,}, of whom {counts['same']:,} have the same care at "
        f"the same times, {counts['other_times']:,} the same at other times, {counts['other_care']:,} other care; "
        f"{counts['only_before']:,} no longer come, {counts['only_after']:,} come who did not.",
    ]
    if found["arrivals"]:
        text += ["", *_arrivals(found["arrivals"])]
    if found["care"]:
        text += ["", *_care(found["care"], by), "", *(_flows(found["flows"]) if found["flows"] else [])]
        visits = sum(flow["visits"] for flow in found["flows"])
        text += [f"Balanced: every visit removed or added, {visits:,} in all, is accounted for patient by patient."]
    else:
        text += ["Nothing moved."]
    return [*text, "", *reached_lines.lines(found["reached"])] if "reached" in found else text


def _when(found: Mapping[str, Any]) -> str:
    days = f" of the first {found['days']} days" if found["days"] is not None else ""
    return days + (f" of {found['year']}" if found["year"] else "")


def _arrivals(streams: list[Mapping[str, Any]]) -> list[str]:
    sides = ("before", "gone", "new", "after")
    rows = []
    for name in dict.fromkeys(one["pathway"] for one in streams):
        mine = [one for one in streams if one["pathway"] == name]
        rows.append([name, f"{len(mine):,}", *(f"{sum(one[side] for one in mine):,}" for side in sides)])
    columns = ["arrivals (by stream with --json)", "streams changed", "before", "gone", "new", "then"]
    return table_text(columns, rows, numbers=5)


def _care(rows: list[Mapping[str, Any]], by: str) -> list[str]:
    columns, kept = [by, *CARE], []
    has_turned = any(row["turned_away_before"] or row["turned_away_after"] for row in rows)
    has_km = any(row["km_before"] is not None or row["km_after"] is not None for row in rows)
    columns += ["turned away", "then"] if has_turned else []
    columns += ["km from home", "then"] if has_km else []
    for row in rows:
        sides = ("before", "removed", "added", "after")
        cells = [row["name"], *(f"{row[f'visits_{side}']:,}" for side in sides)]
        cells += [told(row[f"days_{side}"], 1) for side in sides]
        cells += [f"{row[f'turned_away_{side}']:,}" for side in ("before", "after")] if has_turned else []
        cells += [told(row[f"km_{side}"], 1) for side in ("before", "after")] if has_km else []
        kept.append(cells)
    return table_text(columns, kept, numbers=len(columns) - 1)


def _flows(flows: list[Mapping[str, Any]]) -> list[str]:
    ordered = sorted(flows, key=lambda flow: -flow["visits"])
    rows = [[flow["from"], flow["to"], f"{flow['visits']:,}"] for flow in ordered[:MOST_FLOWS]]
    if len(ordered) > MOST_FLOWS:
        rest = sum(flow["visits"] for flow in ordered[MOST_FLOWS:])
        rows.append([f"{len(ordered) - MOST_FLOWS} more ways (all with --json)", "", f"{rest:,}"])
    return table_text(["visits removed from", "became", "visits"], rows, numbers=1)
