"""What tips, and when, in words: the records of `ExperimentResults.tips`."""

from __future__ import annotations

from collections.abc import Sequence

from flowsim.show.numbers import Record, scale_of, with_unit

HEAD = "What tips, and when, first to last; in brackets from when to when over the replications:"


def phrase(record: Record) -> str:
    """What is said of one: `falls below 70% in 2022/23 (2021/22 to 2023/24)`."""
    times, is_below = record["times"], record["below"] is not None
    side = f"{'below' if is_below else 'above'} {_bound(record)}"
    if record["median"] is None:
        part = f" in {record['replications'] - record['tipped']} of {record['replications']} replications"
        return f"does not {'fall' if is_below else 'rise'} {side} by {times[-1]}" + part * bool(record["tipped"])
    if record["latest"] == times[0] and record["tipped"] == record["replications"]:
        return f"is {side} already in {times[0]}"
    return f"{'falls' if is_below else 'rises'} {side} in {_when(record)}"


def lines(found: Sequence[Record]) -> list[str]:
    """What tips under each scenario, the first before the others, then in one line what does not."""
    said = [HEAD] if found else []
    for scenario in dict.fromkeys(one["scenario"] for one in found):
        mine = [one for one in found if one["scenario"] == scenario]
        said.append(f"  {scenario}")
        said += [f"    {one['label']}: {phrase(one)}" for one in mine if one["median"] is not None]
        if calm := [one["label"] for one in mine if one["median"] is None]:
            said.append(f"    not by {mine[0]['times'][-1]}: {'; '.join(calm)}")
    return said


def _when(record: Record) -> str:
    if never := record["replications"] - record["tipped"]:
        part = f"in {never} of {record['replications']} replications not at all"
        return f"{record['median']} (from {record['earliest']} on; {part})"
    if record["earliest"] == record["latest"]:
        return str(record["median"])
    return f"{record['median']} ({record['earliest']} to {record['latest']})"


def _bound(record: Record) -> str:
    bound = record["below"] if record["below"] is not None else record["above"]
    return with_unit(f"{bound * scale_of(record['measured_in']):,.10g}", record["measured_in"])
