"""Any small model that the language allows, drawn by Hypothesis: half of them full of ties.

`cases()` gives models as plain data with their tables, a horizon and a seed; `Case.build` the Model and its Window.
Several people of a pathway may then come, start, end and give up at one instant, while beds open and sessions close.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from small import DAY, HOUR, model_of

from flowsim.errors import InputError
from flowsim.model.calendar import Window
from flowsim.model.schema import Model

START = date(2001, 1, 29)  # a Monday, so that a month ends within the run
PLACES = """
name,level,within,latitude,longitude
city,root,,51.5,0
north,borough,city,51.6,0
south,borough,city,51.4,0
"""
SITES = """
name,within,latitude,longitude
abbey,north,51.6,0.1
bridge,south,51.4,0.1
"""
SETTINGS = ("ward", "cubicle", "home care", "clinic")
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
        return model, Window(model.start, self.warm_up_ms, self.horizon_ms, self.period)


class _Drawing:
    """What is drawn for one model, part by part; later parts look at earlier ones."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.tied = draw(st.booleans())
        self.has_sites, self.has_ages = self.some(3), self.some(5)
        self.kind: dict[str, str] = {}
        self.twice: set[str] = set()  # settings with a unit at each of the two sites
        self.parting: set[str] = set()  # steps after which there is more than one way
        self.beds: dict[str, int] = {}
        self.steps: dict[str, list[str]] = {}

    def some(self, in_ten: int) -> bool:
        """True for so many in ten."""
        return int(self.draw(st.integers(0, 9))) < in_ten

    def one(self, *of: Any) -> Any:
        return self.draw(st.sampled_from(of))

    def whole(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    # --- time -------------------------------------------------------------------------------------------------

    def length(self, longest: int = 20) -> Any:
        """A length of time: whole hours, often 0, where there are to be ties."""
        if self.tied:
            return f"{self.one(0, 1, 1, 2, 3, 6, longest)} hours"
        mean = f"{self.one(0.2, 1, 3, longest)} hours"
        return self.one(
            mean, {"exponential": mean}, {"lognormal": {"mean": mean, "cv": 1}}, {"gamma": {"mean": mean, "cv": 0.7}},
            {"uniform": {"low": "0 hours", "high": mean}}, {"hyperexponential": {"mean": mean, "cv": 2}},
            {"weibull": {"mean": mean, "cv": 1.3}},
            {"empirical": {"percentiles": [0, 50, 100], "values": ["0 hours", "0.1 hours", mean]}},
        )  # fmt: skip

    def day(self) -> str:
        return (START + timedelta(days=self.whole(0, 5))).isoformat()

    # --- settings and pools -----------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in SETTINGS[: self.whole(1, 4)]:
            kind = self.kind[name] = self.one("beds", "beds", "beds", "beds", "slots", "unlimited")
            if self.has_sites and self.some(5):
                self.twice.add(name)
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
        number = self.one(0, 1, 1, 2, 2, 3)
        if kind == "beds":
            self.beds[name] = number
        if kind == "beds" and self.some(3):
            return {
                "shifts": [{"hours": "06:00-12:00", "beds": number}, {"hours": "12:00-18:00", "beds": self.whole(0, 3)}]
            }
        if self.some(2):
            return {kind: number, "staffed_share": 0.5}
        return f"{number} {kind}"

    def least(self, setting: str) -> int:
        """How many may be inside on the first day."""
        return 2 if self.kind[setting] != "beds" else self.beds.get(setting, 0)

    def units(self) -> str:
        rows = ["setting,at,capacity,of,stay_factor"]
        for name in sorted(self.twice):
            for site in ("abbey", "bridge"):
                number = 0 if self.kind[name] == "unlimited" else self.whole(0, 2)
                rows.append(f"{name},{site},{number},{self.kind[name]},{self.one(1, 1, 2)}")
        return "\n".join(rows) + "\n"

    def names(self, setting: str) -> list[str]:
        return [f"{setting} at abbey", f"{setting} at bridge"] if setting in self.twice else [setting]

    def pools(self) -> dict[str, Any]:
        beds = [name for name, kind in self.kind.items() if kind == "beds"]
        units = [unit for name in beds for unit in self.names(name)]
        if len(units) < 2 or not self.some(6):
            return {}
        chosen = self.draw(st.permutations(units))[: self.whole(2, min(3, len(units)))]
        pool: dict[str, Any] = {"units": chosen}
        if self.some(4):
            pool["tries"] = {chosen[0]: self.draw(st.permutations(chosen[1:]))[: self.whole(0, 2)]}
        if self.some(5):
            pool["overflow_after"] = {chosen[-1]: f"{self.one(0, 1, 2)} hours"}
        return {"shared": pool}

    def changes(self) -> list[dict[str, Any]]:
        found = []
        for name in (name for name, kind in self.kind.items() if kind != "unlimited" and self.some(3)):
            change: dict[str, Any] = {"setting": name, "from": self.day()}
            if name in self.twice:
                change["at"] = self.one("abbey", "bridge")
            key, value = self.one(("add", 1), ("add", 2), ("times", 0.5), ("times", 0), ("staffed_share", 0.6))
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
        return {"arrivals": [self.arrivals() for _ in range(self.whole(1, 2))], "steps": steps}

    def step(self, name: str, names: list[str], i: int) -> dict[str, Any]:
        setting = self.one(*self.kind)
        step: dict[str, Any] = {"in": setting, "stay": self.length()}
        if setting in self.twice:
            step["at"] = self.one("own place", "nearest", "abbey", "same site", {"shares": self.shares_of_sites()})
            if self.some(3):
                step["divert"] = {"waiting": self.whole(0, 2)}
        following = names[i + 1] if i + 1 < len(names) else "leave"
        step["then"] = following
        if self.some(4):
            other = self.one(*names, "leave")
            if other != following:
                self.parting.add(name)
                step["then"] = {following: self.one(0.5, 0.75), other: "rest"}
        if self.some(3):
            step["priority"] = self.one(
                1,
                -1,
                {"by": "urgency", "red": 0, "green": 2},
                {"by": "age_band", "0-64": 1, "65+": 0} if self.has_ages else 3,
            )
        if self.some(3):
            step["patience"] = self.with_otherwise(self.length(), following)
        if self.some(3):
            step["queue_limit"] = {"waiting": self.one(0, 1, 3), "otherwise": self.one("leave", "leave", following)}
        if self.some(2):
            step["rounds"] = self.one(
                [{"at": ["06:00", "12:00"]}], [{"days": "mon-fri", "at": ["09:00"]}], [{"between": "09:00-11:00"}],
                [{"days": "mon", "between": "00:00-01:00"}, {"days": "tue-sun", "between": "12:00-24:00"}],
            )  # fmt: skip
        if i and self.some(6):
            step["holds"] = [names[i - 1]] + ([names[0]] if i > 1 and self.some(4) else [])
        if self.some(2):
            step["waits_for"] = self.one("social care", "a bed")
        if self.kind[setting] == "beds" and self.some(3) and not {"holds", "rounds"} & set(step):
            step["preempts"], step["priority"] = True, {"by": "urgency", "red": -2, "green": 1}
        return step

    def with_otherwise(self, law: Any, following: str) -> dict[str, Any]:
        law = {"fixed": law} if isinstance(law, str) else law
        return {**law, "otherwise": self.one("leave", following)}

    def shares_of_sites(self) -> dict[str, Any]:
        return {"city": {"abbey": 0.5, "bridge": 0.5}, "north": {"abbey": 1.0}}

    def arrivals(self) -> dict[str, Any]:
        source: dict[str, Any] = {}
        if self.tied or self.some(3):
            source["timetable"] = {
                "first": f"{self.one(0, 1, 6)} hours", "every": f"{self.one(1, 2, 3, 6)} hours", "batch": self.whole(1, 3),
            }  # fmt: skip
            home = self.one("north", "south")
            if self.has_sites:
                source["residence"] = home
        else:
            source["per_day"] = self.one(2, 8, 15)
            if self.some(3):
                source["profile"] = ["a day"]
            if self.has_sites:
                source["residence"] = {"north": 0.4, "south": 0.6}
        if self.has_ages:
            source["ages"] = {"0-64": 0.5, "65+": 0.5}
        return source

    # --- what looks at pathways ---------------------------------------------------------------------------------

    def shifts(self) -> list[dict[str, Any]]:
        for names in self.steps.values():
            if len(names) > 1 and self.some(3):
                pair = self.draw(st.permutations(names))[:2]
                shift = {"from": pair[0], "to": pair[1], "share": self.one(0.3, 1.0), "start": self.day()}
                return [{**shift, "ramp": "1 days"} if self.some(5) else shift]
        return []

    def clocks(self) -> dict[str, Any]:
        found = {}
        for names in self.steps.values():
            for _ in range(self.whole(0, 2)):
                first, last = sorted((self.whole(0, len(names) - 1), self.whole(0, len(names) - 1)))
                moments = ("joined", "started", "ready", "ended", "left")
                begin = [f"{names[first]} {self.one(*(moments if first < last else moments[:2]))}"]
                end = [f"{names[last]} {self.one(*moments[2:])}"]
                found[f"clock {len(found)}"] = {"from": begin, "to": end, "standard": f"{self.one(0, 1, 4)} hours"}
        return found

    def responses(self, pools: dict[str, Any]) -> dict[str, Any]:
        found = {}
        finite = [unit for name, kind in self.kind.items() if kind != "unlimited" for unit in self.names(name)]
        for key in ("share", "stay", "need", "capacity") if finite else ():
            if not self.some(1):
                continue
            follows = {
                self.one("occupancy", "mean_wait", "queue"): self.one(*finite, *pools),
                "over": f"{self.whole(1, 2)} days",
            }
            name = self.one(*self.steps)
            target = {"need": name, "capacity": self.one(*finite)}.get(key, self.one(*self.steps[name]))
            high = 1 if key == "share" else self.one(0.5, 1.5, 2)
            if key == "share" and target not in self.parting:
                continue
            found[f"response of {key}"] = {
                "follows": follows,
                "changes": {key: target},
                "points": [[0, 0.4], [1, high]],
            }
        return found

    def first_day(self, pathways: dict[str, Any]) -> list[dict[str, Any]]:
        found = []
        for name, names in self.steps.items():
            if self.some(3):
                step = self.one(*names)
                setting = pathways[name]["steps"][step]["in"]
                there: dict[str, Any] = {"pathway": name, "step": step}
                if setting in self.twice:
                    there["at"] = self.one("abbey", "bridge")
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
        "flowsim": 1, "name": "random", "title": "a random model", "start": START.isoformat(), "settings": settings,
        "groups": {"urgency": {"red": 0.3, "green": "rest"}},
        "profiles": {"a day": {"by": "hour", "weights": [0.0] * 6 + [1.0] * 12 + [2.0] * 6}},
        "pathways": pathways, "pools": pools, "capacity_changes": d.changes(), "shifts": d.shifts(), "clocks": d.clocks(),
        "responses": d.responses(pools), "first_day": d.first_day(pathways),
    }  # fmt: skip
    tables = {}
    if d.has_sites:
        data.update(places="places.csv", sites="sites.csv")
        tables = {"places.csv": PLACES, "sites.csv": SITES}
    if d.twice:
        data["units"] = tables_name = "units.csv"
        tables[tables_name] = d.units()
    horizon = d.one(1, 3, 3, 7) * DAY + d.one(0, 0, 5) * HOUR
    warm_up = DAY if horizon > 2 * DAY and d.some(2) else 0
    return Case(data, tables, horizon, warm_up, d.one("day", "day", "day", "week", "month"), d.whole(0, 5))
