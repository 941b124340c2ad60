"""Any small model that the language allows, drawn by Hypothesis: half of them full of ties.

`cases()` gives models as plain data with their tables, a horizon and a seed; `Case.build` the Model and its Window.
Several people of a pathway may then come, start, end and give up at one instant, while beds open and sessions close.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from ruamel.yaml import YAML
from small import DAY, HOUR, model_of

from flowsim.errors import InputError
from flowsim.model.calendar import Window
from flowsim.model.loading import load_model
from flowsim.model.schema import Model

START = date(2001, 1, 29)  # a Monday, so that a month ends within the run
EARLIER = ("1999-01-31", "1997-02-01")
"""Starts of models whose rates have grown by the time of the run, and grow again within it."""
PLACES = """
name,level,within,latitude,longitude
city,root,,51.5,0
north,borough,city,51.6,0
south,borough,city,51.4,0
north end,neighbourhood,north,51.65,0
"""
SITES = """
name,within,latitude,longitude
abbey,north,51.6,0.1
bridge,south,51.4,0.1
"""
SETTINGS = ("ward", "cubicle", "home care", "clinic")
PROFILES = {
    "a day": {"by": "hour", "weights": [0.0] * 6 + [1.0] * 12 + [2.0] * 6},
    "minutes": {"by": "minute", "weights": [0.0, 1.0, 3.0] * 480},
    "a week": {"by": "weekday", "weights": [1.0, 2.0, 0.0, 1.0, 1.0, 0.5, 0.0]},
    "a year": {"by": "month", "weights": [1.0, 3.0] + [1.0] * 10},
}
MOMENTS = ("joined", "started", "ready", "ended", "left")
Draw = Callable[[st.SearchStrategy[Any]], Any]


@dataclass(frozen=True)
class Case:
    """A drawn model, how long it runs, and its seed."""

    data: dict[str, Any]
    tables: dict[str, str]
    horizon_ms: int
    warm_up_ms: int
    period: Any
    seed: int

    def build(self) -> tuple[Model, Window]:
        """The model and its window. Rejects the example if the language does not allow the model after all."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = model_of(self.data, self.tables)
        except InputError:
            assume(False)
            raise
        return model, self.window()

    def window(self) -> Window:
        """When it runs: from the same day whenever the model starts."""
        return Window(START, self.warm_up_ms, self.horizon_ms, self.period)

    def name(self) -> str:
        """A name that tells this case from others."""
        text = json.dumps([self.data, self.tables, self.horizon_ms, self.warm_up_ms, self.period, self.seed])
        return f"case-{hashlib.sha256(text.encode()).hexdigest()[:10]}"

    def keep(self, folder: Path) -> None:
        """Write it as a model that `Kept` finds again: model.yaml, its tables, and run.json."""
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "model.yaml").open("w", encoding="utf-8") as file:
            YAML().dump({key: value for key, value in self.data.items() if value or key == "pathways"}, file)
        for name, table in self.tables.items():
            (folder / name).write_text(table.lstrip(), encoding="utf-8")
        run = {"horizon_ms": self.horizon_ms, "warm_up_ms": self.warm_up_ms, "period": self.period, "seed": self.seed}
        (folder / "run.json").write_text(json.dumps(run) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Kept:
    """A case that was kept in a folder."""

    folder: Path

    @property
    def seed(self) -> int:
        return int(self._run["seed"])

    def build(self) -> tuple[Model, Window]:
        """The model and its window."""
        run = self._run
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = load_model(self.folder / "model.yaml")
        return model, Window(START, run["warm_up_ms"], run["horizon_ms"], run["period"])

    @property
    def _run(self) -> dict[str, Any]:
        return dict(json.loads((self.folder / "run.json").read_text(encoding="utf-8")))


class _Drawing:
    """What is drawn for one model, part by part; later parts look at earlier ones."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.tied = not draw(st.booleans())
        self.has_sites, self.has_ages = self.some(5), self.some(5)
        self.keeps_to_sites = self.some(5)
        self.kind: dict[str, str] = {}
        self.tables: dict[str, str] = {}
        self.spots: dict[str, tuple[str, str]] = {}  # settings with a unit at each of two sites, or of two boroughs
        self.shifted: set[str] = set()  # settings whose beds have shifts
        self.has_lists = self.some(2)
        self.limited: set[str] = set()  # steps with a queue limit
        self.parting: set[str] = set()  # steps after which there is more than one way
        self.beds: dict[str, int] = {}
        self.steps: dict[str, list[str]] = {}

    def some(self, in_ten: int) -> bool:
        """True for so many in ten. A small model has little, so what shrinks is False."""
        return int(self.draw(st.integers(0, 9))) >= 10 - in_ten

    def one(self, *of: Any) -> Any:
        return self.draw(st.sampled_from(of))

    def whole(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    # --- time -------------------------------------------------------------------------------------------------

    def length(self, longest: int = 20) -> Any:
        """A length of time: whole hours, often 0, where there are to be ties."""
        if self.tied:
            return f"{self.one(1, 1, 2, 3, 6, longest, 0)} hours"
        mean = f"{self.one(0.2, 1, 3, longest)} hours"
        return self.one(
            mean, {"exponential": mean}, {"lognormal": {"mean": mean, "cv": 1}}, {"gamma": {"mean": mean, "cv": 0.7}},
            {"uniform": {"low": "0 hours", "high": mean}}, {"hyperexponential": {"mean": mean, "cv": 2}},
            {"weibull": {"mean": mean, "cv": 1.3}},
            {"empirical": {"percentiles": [0, 50, 100], "values": ["0 hours", "0.1 hours", mean]}}, "0 hours",
        )  # fmt: skip

    def law(self, longest: int = 20) -> dict[str, Any]:
        """A distribution of a stay or a patience: sometimes scaled by a mark, sometimes a list."""
        if self.some(2):
            by = self.by_mark(lambda: f"{self.one(0, 1, 2, 6)} hours")
            return {"fixed": by} if self.some(5) or "0 hours" in by.values() else {"exponential": by}
        if self.has_lists and self.some(2):
            return {"listed": [f"{self.one(0, 1, 2, 5)} hours" for _ in range(3)] * 200}
        law = self.length(longest)
        return {"fixed": law} if isinstance(law, str) else law

    def by_mark(self, value: Callable[[], Any]) -> dict[str, Any]:
        """Something for each value of a mark that patients have."""
        marks = {"urgency": ("red", "green"), "need of help": ("yes", "no")}
        if self.has_ages:
            marks["age_band"] = ("0-64", "65+")
        if self.has_sites:
            marks["place"] = ("city", "north", "south")
        mark = self.one(*marks)
        return {"by": mark, **{one: value() for one in marks[mark]}}

    def day(self) -> str:
        return (START + timedelta(days=self.whole(0, 5))).isoformat()

    # --- settings and pools -----------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in SETTINGS[: self.whole(1, 4)]:
            kind = self.kind[name] = self.one("beds", "beds", "beds", "beds", "slots", "unlimited")
            if self.has_sites and self.some(7 if self.keeps_to_sites else 5):
                others = ("abbey", "bridge") if self.keeps_to_sites else ("north", "south")
                self.spots[name] = self.one(("abbey", "bridge"), others)
                found[name] = {}
            else:
                found[name] = {"capacity": self.capacity(name, kind)}
            if kind == "slots" and self.some(6):
                found[name]["opens"] = self.one(
                    [{"hours": "00:00-06:00"}, {"hours": "06:00-12:00", "slots": 1}],
                    [{"days": "mon-wed", "hours": "09:00-10:00", "slots": 3}], [{"hours": "00:00-24:00"}],
                )  # fmt: skip
        return found

    def capacity(self, name: str, kind: str) -> Any:
        if kind == "unlimited":
            return "unlimited"
        number = self.one(1, 1, 2, 2, 3, 0)
        if kind == "beds":
            self.beds[name] = number
        if kind == "beds" and self.some(3):
            self.shifted.add(name)
            days = {"days": "mon-thu"} if self.some(3) else {}
            return {
                "shifts": [
                    {"hours": "06:00-12:00", "beds": number},
                    {"hours": self.one("12:00-18:00", "12:00-24:00"), "beds": self.whole(0, 3), **days},
                ]
            }
        if self.some(2):
            return {kind: number, "staffed_share": 0.5}
        return f"{number} {kind}"

    def least(self, setting: str) -> int:
        """How many may be inside on the first day."""
        return 2 if self.kind[setting] != "beds" else self.beds.get(setting, 0)

    def units(self) -> str:
        rows = ["setting,at,capacity,of,stay_factor"]
        for name in sorted(self.spots):
            for site in self.spots[name]:
                number = 0 if self.kind[name] == "unlimited" else self.whole(0, 2)
                rows.append(f"{name},{site},{number},{self.kind[name]},{self.one(1, 1, 2)}")
        return "\n".join(rows) + "\n"

    def names(self, setting: str) -> list[str]:
        return [f"{setting} at {spot}" for spot in self.spots[setting]] if setting in self.spots else [setting]

    def pools(self) -> dict[str, Any]:
        of = self.one("beds", "beds", "beds", "slots")
        units = [unit for name, kind in self.kind.items() if kind == of for unit in self.names(name)]
        if len(units) < 2 or not self.some(7):
            return {}
        chosen = self.draw(st.permutations(units))[: self.whole(2, min(3, len(units)))]
        pool: dict[str, Any] = {"units": chosen}
        if self.some(4):
            pool["tries"] = {chosen[0]: self.draw(st.permutations(chosen[1:]))[: self.whole(0, 2)]}
        if self.some(5):
            pool["overflow_after"] = {one: f"{self.one(0, 1, 2)} hours" for one in chosen[self.whole(0, 1) :]}
        return {"shared": pool}

    def changes(self) -> list[dict[str, Any]]:
        found = []
        for name in (name for name, kind in self.kind.items() if kind != "unlimited" and self.some(3)):
            change: dict[str, Any] = {"setting": name, "from": self.day()}
            if name in self.spots:
                change["at"] = self.one(*self.spots[name])
            to = ("add", 3) if name in self.shifted else ("set", self.whole(0, 3))
            key, value = self.one(("add", 1), ("add", 2), ("times", 0.5), ("times", 0), ("staffed_share", 0.6), to)
            change[key] = value
            if self.some(3):
                change["ramp"] = "2 days"
            found.append(change)
        return found

    # --- pathways ---------------------------------------------------------------------------------------------

    def pathway(self, name: str) -> dict[str, Any]:
        names = [f"{word} {name}" for word in ("first", "second", "third", "fourth")][: self.whole(1, 4)]
        self.steps[name] = names
        steps = {step: self.step(step, names, i) for i, step in enumerate(names)}
        return {"arrivals": [self.arrivals(names[: 1 + 9 * i]) for i in range(self.whole(1, 2))], "steps": steps}

    def step(self, name: str, names: list[str], i: int) -> dict[str, Any]:
        setting = self.one(*self.kind)
        step: dict[str, Any] = {"in": setting, "stay": self.law()}
        if setting in self.spots:
            first, second = self.spots[setting]
            shares = {"shares": {"city": {first: 0.5, second: 0.5}, "north": {first: 1.0}}}
            rules = ["own place", "nearest", first, shares, shares]
            if i and first == "abbey" and (self.keeps_to_sites or self.some(1)):
                rules += ["same site"] * 6
            step["at"] = self.one(*rules)
            if self.some(3):
                step["divert"] = {"waiting": self.whole(0, 2), **({"to": second} if self.some(3) else {})}
        following = names[i + 1] if i + 1 < len(names) else "leave"
        step["then"] = following
        if self.some(4):
            other = self.one(*names, "leave")
            if other != following:
                self.parting.add(name)
                step["then"] = {following: self.one(0.5, 0.75), other: "rest"}
                if self.some(3):
                    step["then"] = self.by_mark(
                        lambda: self.one({following: self.one(0.5, 0.9), other: "rest"}, following)
                    )
                    self.parting.discard(name)
        if self.some(4):
            step["priority"] = self.one(1, -1, self.by_mark(lambda: self.whole(-1, 2)))
        if self.some(3):
            step["patience"] = {**self.law(), "otherwise": self.one("leave", following, *names)}
            if self.whole(0, 19) == 11:  # some may go round for ever
                step["patience"] = {"fixed": {"by": "urgency", "red": "0 hours", "green": "2 hours"}, "otherwise": name}
        if self.some(3):
            self.limited.add(name)
            others = [one for one in names[: i + 1] if one not in self.limited]  # else full queues lead round and round
            otherwise = self.one("leave", "leave", following, *names[i + 1 :], *others)
            step["queue_limit"] = {"waiting": self.one(0, 1, 3), "otherwise": otherwise}
        if self.some(2):
            step["rounds"] = self.one(
                [{"at": ["06:00", "12:00"]}], [{"days": "mon-fri", "at": ["09:00"]}], [{"between": "09:00-11:00"}],
                [{"days": "mon", "between": "00:00-01:00"}, {"days": "tue-sun", "between": "12:00-24:00"}],
            )  # fmt: skip
        if i and self.some(6):
            step["holds"] = self.one([names[i - 1]], [names[i - 1]], sorted({names[i - 1], names[0]}), [names[0]])
        if self.some(2):
            step["waits_for"] = self.one("social care", "a bed")
        if self.kind[setting] == "beds" and self.some(3) and not {"holds", "rounds"} & set(step):
            step["preempts"], step["priority"] = True, {"by": "urgency", "red": -2, "green": 1}
        return step

    def arrivals(self, steps: list[str]) -> dict[str, Any]:
        source: dict[str, Any] = {}
        if self.some(2):
            source["trace"] = self.trace()
        elif self.some(7 if self.tied else 1):
            source["timetable"] = {
                "first": f"{self.one(0, 1, 6)} hours", "every": f"{self.one(1, 2, 3, 6)} hours", "batch": self.whole(1, 3),
            }  # fmt: skip
            home = self.one("north", "south")
            if self.has_sites:
                source["residence"] = home
        else:
            source["per_day"] = self.one(2, 8, 15)
            profiles = (
                [self.one(*["a day"] * 9, "minutes")] * self.some(4)
                + ["a week"] * self.some(2)
                + ["a year"] * self.some(2)
            )
            source.update({"profile": profiles} if profiles else {}, **({"growth": ["more"]} if self.some(5) else {}))
            if self.has_sites:
                source["residence"] = {self.one("north", "north end"): 0.4, "south": 0.6}
        if self.has_ages:
            source["ages"] = {"0-64": 0.5, "65+": 0.5}
        if len(steps) > 1 and self.some(5):
            source["enters"] = self.one(*steps)
        return source

    def trace(self) -> str:
        """A table of arrivals in the first days, several of them at one instant."""
        marks = (
            ["urgency"] * self.some(5) + ["age_band"] * (self.has_ages and self.some(5)) + ["place"] * self.has_sites
        )
        values = {"urgency": ("red", "green"), "age_band": ("0-64", "65+"), "place": ("north", "north end", "south")}
        rows = [",".join(["at", *marks])]
        for at in sorted(self.whole(0, 60) for _ in range(self.whole(1, 12))):
            moment = f"{START + timedelta(days=at // 24)} {at % 24:02d}:{0 if self.tied else self.whole(0, 59):02d}"
            rows.append(",".join([moment, *(self.one(*values[mark]) for mark in marks)]))
        name = f"trace {len(self.tables)}.csv"
        self.tables[name] = "\n".join(rows) + "\n"
        return name

    def urgency(self) -> dict[str, Any]:
        """Shares of a group that every patient belongs to: for all, or by age or place."""
        if self.has_ages and self.some(4):
            return {"by": "age_band", "0-64": {"red": 0.2, "green": "rest"}, "65+": {"red": 1}}
        if self.has_sites and self.some(4):
            return {"by": "place", "city": {"red": 0.2, "green": "rest"}, "north end": {"green": 1}}
        return {"red": 0.3, "green": "rest"}

    def seed(self) -> int:
        return self.whole(0, 5) if self.some(9) else 2**64 - 1

    # --- what looks at pathways ---------------------------------------------------------------------------------

    def shifts(self) -> list[dict[str, Any]]:
        found = []
        for names in self.steps.values():
            several = self.draw(st.permutations(names))
            for one, other in list(pairwise(several))[: self.one(0, 0, 1, 2)]:
                shift = {"from": one, "to": other, "share": self.one(0.3, 0.5, 1.0), "start": self.day()}
                shift.update({"ramp": "1 days"} if self.some(5) else {})
                shift.update({"age_bands": ["65+"]} if self.has_ages and self.some(3) else {})
                places = (
                    self.one(["north"], ["south"], ["north end", "south"]) if self.has_sites and self.some(3) else []
                )
                found.append({**shift, "places": places} if places else shift)
        return found

    def clocks(self) -> dict[str, Any]:
        found = {}
        for names in self.steps.values():
            for _ in range(self.whole(0, 2)):
                first, last = sorted((self.whole(0, len(names) - 1), self.whole(0, len(names) - 1)))
                begin = [f"{names[first]} {self.one(*(MOMENTS if first < last else MOMENTS[:2]))}"]
                end = [f"{names[last]} {self.one(*(MOMENTS if first < last else MOMENTS[2:]))}"]
                if self.some(3):
                    self.one(begin, end).append(f"{self.one(*names)} {self.one(*MOMENTS)}")
                found[f"clock {len(found)}"] = {"from": begin, "to": end, "standard": f"{self.one(0, 1, 4)} hours"}
        return found

    def responses(self, pools: dict[str, Any]) -> dict[str, Any]:
        found = {}
        finite = [unit for name, kind in self.kind.items() if kind != "unlimited" for unit in self.names(name)]
        for key in ("share", "stay", "need", "capacity") if finite else ():
            if not self.some(4 if key == "share" else 2):
                continue
            follows = {
                self.one("occupancy", "mean_wait", "queue"): self.one(*finite, *pools),
                "over": f"{self.whole(1, 3)} days",
            }
            name = self.one(*self.steps)
            if key == "share" and self.parting.isdisjoint(self.steps[name]):
                continue
            target = {"need": name, "capacity": self.one(*finite)}.get(key, self.one(*self.steps[name]))
            if key == "stay" and self.some(2):
                key, target = "stay_in", self.one(*finite, *self.kind)
            high = 1 if key == "share" else self.one(0.5, 1.5, 2)
            if key == "share":
                target = self.one(*(step for step in self.steps[name] if step in self.parting))
            found[f"response of {key}"] = {
                "follows": follows,
                "changes": {key: target},
                "points": self.one([[0, 0.4], [1, high]], [[0, high], [0.5, 0], [2, 0.3]]),
            }
        return found

    def first_day(self, pathways: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for name, names in self.steps.items():
            if self.some(3):
                step = self.one(*names)
                setting = pathways[name]["steps"][step]["in"]
                there: dict[str, Any] = {"pathway": name, "step": step}
                if setting in self.spots:
                    there["at"] = self.one(*self.spots[setting])
                if self.has_sites:
                    there["residence"] = self.one("north", "south")
                there.update(
                    inside=self.whole(0, self.least(setting)),
                    waiting=self.whole(0, 2),
                    waited_up_to=f"{self.one(0, 4)} hours",
                )
                found.append(there)
        return found


@st.composite
def cases(draw: Draw) -> Case:
    """Any small model, with a horizon of a day to a week."""
    d = _Drawing(draw)
    settings = d.settings()
    pools = d.pools()
    pathways = {name: d.pathway(name) for name in ("emergency", "planned")[: d.whole(1, 2)]}
    data: dict[str, Any] = {
        "flowsim": 1, "name": "random", "title": "a random model", "settings": settings,
        "start": START.isoformat() if d.some(5) else d.one(*EARLIER),
        "groups": {"urgency": d.urgency(), "need of help": {"yes": 0.6, "no": "rest"}},
        "profiles": {name: PROFILES[name] for name in PROFILES if name in str(pathways)},
        "growth": {"more": {"a_year": d.one(0.5, 0.9, -0.4), "from": d.one(*EARLIER)}},
        "pathways": pathways, "pools": pools, "capacity_changes": d.changes(), "shifts": d.shifts(), "clocks": d.clocks(),
        "responses": d.responses(pools), "first_day": d.first_day(pathways),
    }  # fmt: skip
    tables = d.tables
    if d.has_sites:
        data.update(places="places.csv", sites="sites.csv")
        tables.update({"places.csv": PLACES, "sites.csv": SITES})
    if d.spots:
        data["units"] = tables_name = "units.csv"
        tables[tables_name] = d.units()
    horizon = d.one(1, 3, 3, 7) * DAY + d.one(0, 0, 5) * HOUR
    warm_up = DAY if horizon > 2 * DAY and d.some(2) else 0
    return Case(data, tables, horizon, warm_up, d.one("day", "day", "day", "week", "month"), d.seed())
