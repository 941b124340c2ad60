"""A case of `tests/fixtures/validation` in flowsim's own language: its model, and when it is run."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from flowsim.model.calendar import DAY_MS, Window
from flowsim.model.reading import Provenance
from flowsim.model.schema import Model
from flowsim.model.tables import Table

CASES = Path(__file__).parent.parent / "fixtures" / "validation"
ORIGIN = date(2018, 1, 1)
"""A Monday, so that a week of a case is a week of the model."""
UNIT_MS = {"ms": 1, "minute": 60_000, "hour": 3_600_000, "day": DAY_MS}
WORDS = {1: "milliseconds", 60_000: "minutes", 3_600_000: "hours", DAY_MS: "days"}
PER = {60_000: ("per_hour", 60), 3_600_000: ("per_hour", 1), DAY_MS: ("per_day", 1)}
SINE_STEPS = 1440

Json = dict[str, Any]


class Translated(NamedTuple):
    """A case as a model, when it is run, and how many milliseconds one unit of the case's time has become."""

    model: Model
    window: Window
    unit_ms: int

    def ms(self, time: float) -> int:
        """A time of the case in milliseconds."""
        return round(Fraction(str(time)) * self.unit_ms)


def read_case(name: str) -> Json:
    """A case by its id."""
    return json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def case_names() -> list[str]:
    """Ids of all cases, sorted."""
    return sorted(path.stem for path in CASES.glob("*.json"))


def translate(case: Json) -> Translated:
    """The model of a case and its run.

    Dated changes of capacity come at midnight, so the hours of a case whose capacity steps become days:
    nothing in it knows how long a unit is. Warm-ups are rounded up to whole days.
    """
    told = case["model"]
    steps_in_time = any(isinstance(one.get("capacity"), list) for one in told["settings"])
    unit_ms = DAY_MS if steps_in_time else UNIT_MS[told["time_unit"]]
    horizon = math.ceil(Fraction(str(told["run"]["horizon"])) * unit_ms)
    warm_up = math.ceil(Fraction(str(told["run"]["warm_up"])) * unit_ms / DAY_MS) * DAY_MS
    settings, changes = {}, []
    for one in told["settings"]:
        settings[one["name"]] = _setting(one, unit_ms)
        if isinstance(one.get("capacity"), list):
            for step in one["capacity"][1:]:
                day = ORIGIN + timedelta(days=_whole(step["from"]))
                changes.append({"setting": one["name"], "from": day.isoformat(), "set": step["capacity"]})
    profiles: Json = {}
    arrivals: dict[str, list[Json]] = {}
    for stream in told["arrivals"]:
        arrivals.setdefault(stream["pathway"], []).append(_arrivals(stream, unit_ms, profiles))
    queues = {one["name"]: one for one in told["settings"]}
    pathways = {
        name: {"arrivals": tuple(arrivals[name]), "steps": _steps(pathway, queues, unit_ms)}
        for name, pathway in told["pathways"].items()
    }
    tree = {
        "flowsim": 1,
        "name": case["id"],
        "title": case["title"],
        "start": ORIGIN.isoformat(),
        "profiles": profiles,
        "settings": settings,
        "capacity_changes": tuple(changes),
        "pools": {
            pool["name"]: {"units": tuple(pool["settings"]), "tries": _tries(told, pool)}
            for pool in told.get("pools", ())
        },
        "pathways": pathways,
    }
    model = Model.model_validate(tree, by_alias=True, by_name=False)
    return Translated(model, Window(ORIGIN, warm_up, horizon, "month"), unit_ms)


def _whole(number: float) -> int:
    assert number == int(number), f"{number} is not whole"
    return int(number)


def _time(value: float, unit_ms: int) -> str:
    """A length of time in words, exactly."""
    return f"{Decimal(repr(value)):f} {WORDS[unit_ms]}"


def _setting(one: Json, unit_ms: int) -> Json:
    if one["kind"] == "unlimited":
        return {"capacity": "unlimited"}
    if one["kind"] == "slots":
        assert one["period"] * unit_ms == DAY_MS, "sessions come once a day"
        assert one["first_opening"] == 0
        minutes = _whole(one["opening"] * unit_ms / 60_000)
        hours = f"00:00-{minutes // 60:02d}:{minutes % 60:02d}"
        return {"capacity": f"{one['starts_per_opening']} slots", "opens": ({"hours": hours},)}
    beds = one["capacity"][0]["capacity"] if isinstance(one["capacity"], list) else one["capacity"]
    return {"capacity": f"{beds} beds"}


def _arrivals(stream: Json, unit_ms: int, profiles: Json) -> Json:
    process = stream["process"]
    match process["kind"]:
        case "poisson":
            return _rate(process["rate"], unit_ms)
        case "poisson_steps":
            weights, by = _pieces(process, unit_ms)
        case "poisson_sine":
            assert process["period"] * unit_ms == DAY_MS
            weights, by = _sine(process), "minute"
        case "timetable":
            times = {key: _time(process[key], unit_ms) for key in ("first", "every")}
            return {"timetable": {**times, "batch": process["batch"]}}
        case "at":
            return {"trace": _trace(process["times"], unit_ms)}
        case other:
            raise AssertionError(f"no translation of arrivals {other}")
    profiles[f"profile of {stream['stream']}"] = {"by": by, "weights": tuple(weights)}
    return {**_rate(sum(weights) / len(weights), unit_ms), "profile": f"profile of {stream['stream']}"}


def _rate(rate: float, unit_ms: int) -> Json:
    """Profiles have a mean of 1, so this is the mean rate."""
    key, factor = PER[unit_ms]
    return {key: rate * factor}


def _pieces(process: Json, unit_ms: int) -> tuple[list[float], str]:
    """Rates of the hours of a day, or of the days of a week from Monday."""
    period = process["period"]
    by = {(24, 3_600_000): "hour", (7, DAY_MS): "weekday"}[period, unit_ms]
    rates = []
    for piece in range(period):
        rates.extend(row["rate"] for row in process["table"] if row["from"] <= piece < row["to"])
    assert len(rates) == period
    return rates, by


def _sine(process: Json) -> list[float]:
    """Mean rate over each minute of base + amplitude sin(2 pi t / period)."""
    turn = 2 * math.pi / SINE_STEPS
    return [
        process["base"] + process["amplitude"] * (math.cos(turn * i) - math.cos(turn * (i + 1))) / turn
        for i in range(SINE_STEPS)
    ]


def _trace(times: list[int], unit_ms: int) -> Table:
    assert unit_ms == 1
    midnight = datetime(ORIGIN.year, ORIGIN.month, ORIGIN.day)
    at = tuple(midnight + timedelta(milliseconds=time) for time in times)
    return Table("trace", {"at": at}, tuple(range(2, len(at) + 2)), (Provenance(),) * len(at))


def _steps(pathway: Json, queues: dict[str, Json], unit_ms: int) -> Json:
    """The steps, the first taken first. Who waits for a step holds what the step before it keeps."""
    order = [pathway["first"], *(name for name in pathway["steps"] if name != pathway["first"])]
    holds: dict[str, list[str]] = {name: [] for name in order}
    for name, step in pathway["steps"].items():
        if step.get("hold_until_next_starts"):
            for following in step["next"]:
                if following["to"] != "leave":
                    holds[following["to"]].append(name)
    return {name: _step(pathway["steps"][name], holds[name], queues, unit_ms) for name in order}


def _step(step: Json, holds: list[str], queues: dict[str, Json], unit_ms: int) -> Json:
    told: Json = {
        "in": step["setting"],
        "stay": _distribution(step["stay"], unit_ms),
        "then": {one["to"]: one["p"] for one in step["next"]},
        "holds": tuple(holds),
    }
    queue = queues[step["setting"]]
    if "priority" in step:
        told["priority"] = step["priority"]
        told["preempts"] = queue["queue"] == "priority_preemptive_resume"
    if "patience" in step:
        told["patience"] = {**_distribution(step["patience"], unit_ms), "otherwise": "leave"}
    if step.get("if_full") == "lost":
        told["queue_limit"] = {"waiting": 0, "otherwise": "leave"}
    elif queue.get("max_waiting") is not None:
        told["queue_limit"] = {"waiting": queue["max_waiting"], "otherwise": "leave"}
    return told


def _distribution(law: Json, unit_ms: int) -> Json:
    def time(value: float) -> str:
        return _time(value, unit_ms)

    match law["dist"]:
        case "exponential":
            return {"exponential": time(law["mean"])}
        case "deterministic":
            return {"fixed": time(law["value"])}
        case "lognormal" | "gamma" | "weibull":
            return {law["dist"]: {"mean": time(law["mean"]), "sd": time(law["sd"])}}
        case "hyperexponential":
            return {
                "hyperexponential": {
                    "shares": tuple(law["p"]),
                    "means": tuple(time(mean) for mean in law["means"]),
                }
            }
        case "uniform":
            return {"uniform": {"low": time(law["low"]), "high": time(law["high"])}}
        case "listed":
            return {"listed": tuple(time(value) for value in law["values"])}
        case other:
            raise AssertionError(f"no translation of {other}")


def _tries(told: Json, pool: Json) -> dict[str, tuple[str, ...]]:
    """For each own unit of a pool the others in the order in which its patients try them."""
    steps = [step for pathway in told["pathways"].values() for step in pathway["steps"].values()]
    return {step["setting"]: tuple(step["else"]) for step in steps if step["setting"] in pool["settings"]}
