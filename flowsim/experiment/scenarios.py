"""An experiment as a person writes it: a question, a model, scenarios as lists of levers, measures, and an answer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from flowsim.errors import Fault, Faults, InputError, refusal
from flowsim.experiment.kinds import kind_of
from flowsim.measure.catalogue import MEASURES
from flowsim.measure.times import TIMES
from flowsim.model import shipped
from flowsim.model.calendar import Period, Window
from flowsim.model.explaining import tell
from flowsim.model.levers import Lever, LeverError, parse_lever
from flowsim.model.loading import LoadedModel, frozen, read_model
from flowsim.model.names import near
from flowsim.model.parts import Name, Number, Part, Share, Text, WholeDuration
from flowsim.model.reading import KeyPath, Tree, field_name, read_yaml
from flowsim.model.schema import Model

if TYPE_CHECKING:
    from flowsim.engine.running import Engine
    from flowsim.experiment.results import ExperimentResults

MOST_CELLS = 100_000
MOST_NAME_BYTES = 100
LONGEST_YEARS = 100
DAY_MS = 86_400_000
RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?")


def parse_scenario_name(value: object) -> str:
    """A scenario's name: it becomes part of file names everywhere, Windows too."""
    from flowsim.model.quantities import parse_name

    name = parse_name(value)
    if len(name.encode()) > MOST_NAME_BYTES:
        raise ValueError(f"is too long for a file name: at most {MOST_NAME_BYTES} bytes")
    if set(name) & set('/\\:*?"<>|') or name.strip(".") != name or RESERVED.fullmatch(name):
        raise ValueError('must be fit for a file name: no / \\ : * ? " < > |, no dot at an end, not CON or NUL')
    return name


def parse_year(value: object) -> int:
    """`2018/19`, or `2001` in quotes: the calendar year in which a model year begins."""
    if isinstance(value, str) and (found := re.fullmatch(r"(\d{4})(?:/(\d{2}))?", value)):
        year = int(found[1])
        if found[2] is None or int(found[2]) == (year + 1) % 100:
            return year
    raise ValueError("must be a year such as 2018/19, or '2001' in quotes")


def parse_whole(least: int, most: int) -> Any:
    """A whole number in a range."""

    def parse(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise ValueError(f"must be a whole number from {least} to {most}")
        return value

    return BeforeValidator(parse)


ScenarioName = Annotated[str, BeforeValidator(parse_scenario_name)]
Year = Annotated[int, BeforeValidator(parse_year)]
Replications = Annotated[int, parse_whole(1, 1_000_000)]
Seed = Annotated[int, parse_whole(0, 2**64 - 1)]


class Tips(Part):
    """A bound in what a measure is measured in: a scenario tips in the first year (or part) that is beyond it."""

    below: Number | None = Field(None, description="it tips when the measure is less than this; of shares 0.7 is 70%")
    above: Number | None = Field(None, description="it tips when the measure is more than this")

    @model_validator(mode="after")
    def _one_bound(self) -> Tips:
        if (self.below is None) == (self.above is None):
            raise ValueError("give exactly one of below and above")
        return self


class Wanted(Part):
    """A measure an experiment asks for, and how to speak of its change in the answer.

    `less`, `more` and `same` are phrases; in them `{n}` stands for the size of the change and
    its interval, `{it}` for the label.
    """

    measure: Name = Field(description="name of a measure")
    label: Text = Field("", description="how tables and figures call it")
    by: Name = Field("all", description="attribute to tell it apart by; all in one if left out")
    of: dict[Name, tuple[Name, ...]] = Field(
        default_factory=dict, description="only rows with these: {setting: [ward]}"
    )
    less: Text = Field("lowers {it} by {n}", description="what is said of a clear fall")
    more: Text = Field("raises {it} by {n}", description="what is said of a clear rise")
    same: Text = Field("makes no clear difference to {it}", description="what is said when the interval spans zero")
    tips: Tips | None = Field(None, description="of a measure by year, quarter or month: says when it goes beyond this")

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, data: Any) -> Any:
        data = {"measure": data} if isinstance(data, str) else data
        return with_lists(data, "of")

    @model_validator(mode="after")
    def _known(self) -> Wanted:
        refuse_unknown(self.measure, (self.by, *self.of))
        if self.tips is not None and self.by not in TIMES:
            raise ValueError(f"tips: needs `by: year`, quarter or month, and this is by {self.by}")
        return self


def with_lists(data: Any, *keys: str) -> Any:
    """What was written, with a list of one where under these keys a name stands alone: {setting: ward}."""
    if not isinstance(data, dict):
        return data
    lists = {
        key: {name: (value,) if isinstance(value, str) else value for name, value in data[key].items()}
        for key in keys
        if isinstance(data.get(key), dict)
    }
    return {**data, **lists}


def refuse_unknown(measure: str, attributes: Iterable[str]) -> None:
    """Raises ValueError unless there is such a measure and it can be told apart by all of these."""
    if measure not in MEASURES:
        raise ValueError(f"there is no measure '{measure}'" + near(measure, MEASURES))
    MEASURES[measure].told_by(attributes)


class Quick(Part):
    """The small form of an experiment: what it has less of, and what it says where it cannot say all."""

    years: tuple[Year, ...] = ()
    days: Annotated[int, parse_whole(1, 36_500)] | None = Field(None, description="days measured, instead of years")
    warm_up: WholeDuration | None = None
    replications: Replications = 3
    measures: tuple[Name, ...] = Field((), description="only these of the measures; all if left out")
    answer: Text = Field("", description="its own sentence; that of the experiment if left out")

    @model_validator(mode="after")
    def _one_window(self) -> Quick:
        if self.years and self.days is not None:
            raise ValueError("give years or days, not both")
        return self


class Experiment(Part):
    """An experiment file. Exactly one of `years` and `days`; both begin after the warm-up."""

    flowsim: Literal[1] = Field(description="version of the language")
    name: ScenarioName
    title: Text
    question: Text
    debate: Text = Field("", description="the statement of the debate that it examines, with its source")
    expectation: Text = Field("", description="what was expected, written before the first run")
    model: Text = Field(description="name of a model that ships, or a path from this file's folder")
    years: tuple[Year, ...] = Field((), description="model years measured, such as [2018/19]")
    days: Annotated[int, parse_whole(1, 36_500)] | None = Field(None, description="days measured")
    warm_up: WholeDuration = Field(0, description="whole days run before, and not measured")
    replications: Replications
    seed: Seed = 1
    period: Literal["day", "week", "month"] | None = Field(None, description="of the ledger; by the size if left out")
    visits: Share = Field(0.0, description="share of patients whose visits are logged")
    scenarios: dict[ScenarioName, tuple[dict[Name, Any], ...]]
    baseline: Name
    measures: dict[Name, Wanted]
    answer: Text = Field("", description="sentence with {scenario: measure}, filled in from the run")
    quick: Quick = Field(default_factory=Quick)

    @model_validator(mode="after")
    def _whole(self) -> Experiment:
        refuse_window(self.years, self.days, self.warm_up)
        if not self.scenarios:
            raise ValueError("scenarios: there must be at least one")
        if self.baseline not in self.scenarios:
            raise ValueError(f"baseline '{self.baseline}' is no scenario" + near(self.baseline, self.scenarios))
        folded: dict[str, str] = {}
        for name in self.scenarios:
            if folded.setdefault(name.casefold(), name) != name:
                raise ValueError(f"scenarios '{folded[name.casefold()]}' and '{name}' differ by case only")
        if len(self.scenarios) * self.replications > MOST_CELLS:
            raise ValueError(
                f"{len(self.scenarios)} scenarios x {self.replications} replications are "
                f"{len(self.scenarios) * self.replications} cells, one file each: at most {MOST_CELLS}"
            )
        if not self.measures:
            raise ValueError("measures: there must be at least one")
        for name in self.quick.measures:
            if name not in self.measures:
                raise ValueError(f"quick: '{name}' is no measure" + near(name, self.measures))
        return self

    def as_quick(self) -> Experiment:
        """The small form: the first year (or fewer days) and few replications."""
        quick = self.quick
        small: dict[str, Any] = {"replications": quick.replications}
        if quick.days is not None or not self.years:
            small |= {"years": (), "days": quick.days or self.days}
        else:
            small["years"] = quick.years or self.years[:1]
        if quick.warm_up is not None:
            small["warm_up"] = quick.warm_up
        if quick.measures:
            small["measures"] = {name: wanted for name, wanted in self.measures.items() if name in quick.measures}
        if quick.answer:
            small["answer"] = quick.answer
        return self.model_copy(update=small)

    def window(self, start: dt.date) -> Window:
        """When a run begins, how long it warms up and when it ends, for a model with this first day."""
        return window_of(start, self.years, self.days, self.warm_up, self.period)


def refuse_window(years: tuple[int, ...], days: int | None, warm_up: int) -> None:
    """Raises ValueError unless these say what is measured: years that follow each other, or days."""
    if bool(years) == (days is not None):
        raise ValueError("give exactly one of years and days")
    if list(years) != list(range(years[0], years[0] + len(years)) if years else []):
        raise ValueError("years must follow each other")
    if warm_up % DAY_MS:
        raise ValueError("warm_up must be whole days")


def window_of(
    start: dt.date, years: tuple[int, ...], days: int | None, warm_up: int, period: Period | None = None
) -> Window:
    """The window that measures whole model years, or days, after a warm-up in milliseconds."""
    if days is not None:
        return Window(start, warm_up, warm_up + days * DAY_MS, period)
    first, last = start.replace(year=years[0]), start.replace(year=years[-1] + 1)
    measured = (last - first).days * DAY_MS
    return Window(first - dt.timedelta(milliseconds=warm_up), warm_up, warm_up + measured, period)


@dataclass(frozen=True)
class Scenario:
    """A scenario made concrete: its levers, and the model they make."""

    name: str
    levers: tuple[Lever, ...]
    model: Model


@dataclass(frozen=True)
class LoadedExperiment:
    """An experiment, the model it starts from, and its scenarios; `files` are all that it was read from."""

    experiment: Experiment
    tree: Tree
    file: Path
    base: LoadedModel
    scenarios: tuple[Scenario, ...]

    def altered(
        self, quick: bool = False, replications: int | None = None, seed: int | None = None
    ) -> LoadedExperiment:
        """The same experiment in its small form, or with other replications or another seed. Raises InputError."""
        experiment = self.experiment.as_quick() if quick else self.experiment
        most = MOST_CELLS // len(self.scenarios)
        changes: dict[str, Any] = {"name": f"{experiment.name}-quick"} if quick else {}
        for name, value, least, largest in (
            ("replications", replications, 1, most),
            ("seed", seed, 0, 2**64 - 1),
        ):
            if value is not None:
                if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= largest:
                    message = f"must be a whole number from {least} to {largest}"
                    if name == "replications":
                        message += f": {len(self.scenarios)} scenarios make at most {MOST_CELLS} cells, one file each"
                    raise refusal(f"--{name}", value, message)
                changes[name] = value
        return replace(self, experiment=experiment.model_copy(update=changes))

    def run(
        self,
        out: str | Path | None = None,
        *,
        workers: int | None = 1,
        engine: Engine = "compiled",
        precision: float | None = None,
        quick: bool = False,
        progress: Callable[[Any, int, int], None] | None = None,
        note: Callable[[str], None] = lambda line: None,
    ) -> ExperimentResults:
        """Run the experiment into the folder `out` (`results/` and its name), or go on with what was begun there.

        See `conduct.conduct`; a script that wants more than one worker needs `if __name__ == "__main__":`.
        """
        from flowsim.experiment.conduct import conduct

        loaded = self.altered(quick=quick) if quick else self
        folder = Path("results") / loaded.experiment.name if out is None else Path(out)
        return conduct(
            loaded, folder, workers=workers, engine=engine, precision=precision, progress=progress, note=note
        )

    def moved(
        self,
        scenario: str | None = None,
        by: str = "setting",
        replication: int = 1,
        days: int | None = None,
        note: Callable[[str], None] = lambda line: None,
    ) -> Iterator[dict[str, Any]]:
        """What each lever of a scenario (of all if none is named) removed here and added there, patient by patient.

        Each is run after those before it, in one replication of the same patients from the warm-up to the end (or to
        so many days after it), and compared with the run before. Keys scenario, lever, patients, care (told apart by
        setting, level, unit, at or stp) and flows; and reached with the last lever of each scenario, in a model of
        several STPs: whose histories it changed, and through which pools. Raises InputError for names that are not
        known, DamagedError if a sum does not balance or a history changed that nothing had reached.
        """
        from flowsim.experiment.moving import levers_moved

        return (one.document() for one in levers_moved(self, scenario, by, replication, days, note=note))


def load_experiment(path: str | Path, model: str | Path | None = None) -> LoadedExperiment:
    """Read and check an experiment, its model, and every lever of every scenario.

    `path` is a file, or the name of one that ships; `model` takes the place of the model it names. Raises InputError
    with all faults of all files.
    """
    if kind_of(path) == "model":
        message = "is a model, and an experiment is wanted: look at it with `flowsim check`"
        raise InputError([Fault(str(path), None, "", "", message)])
    file = shipped.find(path, "experiments")
    faults = Faults()
    tree = read_yaml(file, faults)
    experiment: Experiment | None = None
    if tree is not None:
        try:
            experiment = Experiment.model_validate(frozen(tree.data))
        except ValidationError as error:
            tell(error, tree, Experiment, faults)
    faults.raise_if_any()
    assert tree is not None and experiment is not None
    base = read_model(model or _model_path(file, experiment.model))
    scenarios = tuple(_scenario(name, experiment, base.model, tree, faults) for name in experiment.scenarios)
    _check_answer(experiment, tree, faults)
    faults.raise_if_any()
    return LoadedExperiment(experiment, tree, file, base, scenarios)


def _model_path(file: Path, model: str) -> str | Path:
    """A path from the experiment's folder if there is such a file, else the name of a shipped model."""
    beside = file.parent / model
    return beside if beside.exists() else model


def _scenario(name: str, experiment: Experiment, model: Model, tree: Tree, faults: Faults) -> Scenario:
    """The model after the scenario's levers, in listed order."""
    levers: list[Lever] = []
    window = experiment.window(model.start)
    end = window.origin + dt.timedelta(milliseconds=window.horizon_ms)
    for place, entry in enumerate(experiment.scenarios[name]):
        path = ("scenarios", name, place)
        for kind, data in entry.items():
            where = (*path, kind)
            try:
                lever = parse_lever(kind, data, model)
                if lever.start is not None and lever.start >= end:
                    raise LeverError(f"starts on {lever.start}, after the run has ended on {end}")
                model = lever.apply(model)
                levers.append(lever)
            except ValidationError as error:
                tell(error, tree, Part, faults, where)
            except ValueError as error:
                faults.add(tree.file, tree.line(where), field_name(where), data, str(error))
    return Scenario(name, tuple(levers), model)


PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def _check_answer(experiment: Experiment, tree: Tree, faults: Faults) -> None:
    """Every {scenario: measure} of the answers names a scenario and a measure in one piece, of the small form too."""
    quick, every = experiment.quick, tuple(experiment.measures)
    _check_blanks(experiment, experiment.answer, every, ("answer",), tree, faults)
    small = quick.answer or (experiment.answer if quick.measures else "")
    _check_blanks(experiment, small, quick.measures or every, ("quick", "answer"), tree, faults)


def _check_blanks(
    experiment: Experiment, answer: str, measures: tuple[str, ...], path: KeyPath, tree: Tree, faults: Faults
) -> None:
    for found in PLACEHOLDER.finditer(answer):
        scenario, _, key = (part.strip() for part in found[1].partition(":"))
        message = ""
        if scenario not in experiment.scenarios:
            message = f"'{scenario}' is no scenario" + near(scenario, experiment.scenarios)
        elif key not in measures:
            form = "its quick form" if path[0] == "quick" or key in experiment.measures else "this experiment"
            message = f"'{key}' is no measure of {form}" + near(key, measures)
        elif (one := experiment.measures[key]).by != "all" and one.tips is None:
            message = f"'{key}' is told apart by {one.by}: an answer needs one number, or when it tips"
        if message:
            faults.add(tree.file, tree.line(path), field_name(path), found[0], message)
