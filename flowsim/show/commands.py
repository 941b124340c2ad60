"""The commands: parse, call, print. They use only names that `flowsim` exports; heavy imports wait for their
command.
"""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from collections.abc import Callable
from importlib.metadata import version as version_of
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast, get_args

import typer
from typer.core import TyperCommand

import flowsim
from flowsim.errors import refusal
from flowsim.show.output import say, say_json, tell

if TYPE_CHECKING:
    from flowsim import ExperimentResults

DONE, DAMAGED = 0, 3
Engine = Literal["compiled", "simpy"]


class Command(TyperCommand):
    """A command that refuses an option given twice, where the parser would silently keep the last."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The parser's own reading, after a look for repeated options."""
        _, _, order = self.make_parser(ctx).parse_args(args=list(args))
        for name, times in Counter(one.name for one in order if one.param_type_name == "option").items():
            if times > 1:
                spelt = next(one.opts[0] for one in order if one.name == name)
                values = _values_of(spelt, args)
                raise refusal(spelt, ", ".join(values), f"is given {times} times: give it once")
        return super().parse_args(ctx, args)


app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    help="Simulates patient flow through every level of a city's health and care.\n\n"
    "MODEL and EXPERIMENT are a path or the name of one that ships (see `flowsim list`).",
)  # fmt: skip

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, and nothing else there.")]


def _noting(quiet: bool) -> Callable[[str], None]:
    """Tells notes as they come, or does not."""
    return (lambda line: None) if quiet else tell


def _version(is_wanted: bool) -> None:
    if is_wanted:
        say(f"flowsim {version_of('flowsim')}")
        raise typer.Exit


@app.callback()
def flowsim_itself(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="The version.")] = False,
) -> None:
    """Options before any command."""


@app.command("list", cls=Command)
def list_(json: Json = False) -> int:
    """What ships: models to look at and copy, experiments to run."""
    found = {
        "models": [{"name": one.name, "title": one.title} for one in flowsim.list_shipped("configs")],
        "experiments": [{"name": one.name, "title": one.title} for one in flowsim.list_shipped("experiments")],
    }
    if json:
        say_json(found)
        return DONE
    width = max((len(one["name"]) for kind in found.values() for one in kind), default=0)
    for kind, rows in found.items():
        say(f"{kind}:")
        for one in rows:
            say(f"  {one['name']:{width}}  {one['title']}")
    return DONE


@app.command(cls=Command)
def copy(
    name: Annotated[str, typer.Argument(help="A model or experiment that ships.")],
    directory: Annotated[str, typer.Argument(metavar="DIR", help="A folder that is empty or not there yet.")],
    json: Json = False,
) -> int:
    """A copy of a shipped model or experiment, to edit."""
    file = flowsim.copy_shipped(name, directory)
    is_model = file.name == "model.yaml"
    if json:
        say_json({"name": name, "kind": "model" if is_model else "experiment", "file": str(file)})
        return DONE
    say(f"'{name}' is now in {file.parent}; its main file is {file}.")
    folder = shlex.quote(str(file.parent))
    if is_model:
        say(f"Next: edit it, then `flowsim check {folder}`.")
    else:
        say(f"Next: edit it, then `flowsim check {folder}` and `flowsim run {folder}`.")
        say("Its `model:` still names the shipped one; to change that too, copy it and write its path there.")
    return DONE


@app.command(cls=Command)
def check(
    path: Annotated[str, typer.Argument(help="A model or an experiment.")],
    assumptions: Annotated[bool, typer.Option("--assumptions", help="Every number with its source.")] = False,
    json: Json = False,
) -> int:
    """Reads a model or experiment, and refuses it or says what it is and what would tip over first."""
    from flowsim.show import checks

    found = flowsim.check(path)
    if json:
        say_json({"assumptions": found.assumptions} if assumptions else checks.document(found))
    elif assumptions:
        for line in checks.assumption_lines(found):
            say(line)
    else:
        for line in checks.lines(found):
            say(line)
    return DONE


@app.command(cls=Command)
def run(
    experiment: Annotated[str, typer.Argument(help="An experiment: a path or the name of one that ships.")],
    out: Annotated[str | None, typer.Option(help="Folder of the results; results/NAME if left out.")] = None,
    replications: Annotated[str | None, typer.Option(help="In place of the experiment's own number.")] = None,
    precision: Annotated[
        str | None, typer.Option(help="Add replications until intervals are within this share, such as 0.05.")
    ] = None,
    workers: Annotated[
        str | None, typer.Option(help="Processes side by side; if left out one a processor, or one for a short run.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="compiled, or simpy, the one to read: slower, with equal results.")
    ] = "compiled",
    seed: Annotated[str | None, typer.Option(help="In place of the experiment's own.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The small form: shorter, with few replications.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress and no notes.")] = False,
    json: Json = False,
) -> int:
    """Runs an experiment, or goes on with one that was interrupted, and ends with its answer."""
    from flowsim.show import plots, report_lines
    from flowsim.show.progress import Progress

    if engine not in get_args(Engine):
        raise refusal("--engine", engine, f"must be {' or '.join(get_args(Engine))}")
    if out is not None and not out.strip():
        raise refusal("--out", out, "is no name of a folder")
    share = None if precision is None else _share("--precision", precision)
    side_by_side = None if workers is None else _whole("--workers", workers)
    loaded = flowsim.load_experiment(experiment).altered(
        quick=quick,
        replications=None if replications is None else _whole("--replications", replications),
        seed=None if seed is None else _whole("--seed", seed),
    )
    with Progress(len(loaded.scenarios) * loaded.experiment.replications, quiet) as progress:
        results = loaded.run(
            out, workers=side_by_side, engine=cast(Engine, engine), precision=share,
            progress=progress, note=progress.note,
        )  # fmt: skip
    records = results.records()
    figures = plots.keep(results, records)
    summary = report_lines.Summary.of(results, records, progress.ran, figures)
    if json:
        say_json(summary.document())
    else:
        for line in summary.lines():
            say(line)
    return DONE


@app.command(cls=Command)
def compare(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Results, or the name of an experiment that was run.")
    ],
    measure: Annotated[str | None, typer.Option(help="One of the experiment's measures, or any by name.")] = None,
    by: Annotated[str | None, typer.Option(help="Tell it apart by: unit, setting, at, level, stp, ...")] = None,
    baseline: Annotated[str | None, typer.Option(help="Scenario to compare with.")] = None,
    json: Json = False,
) -> int:
    """Scenarios against the baseline, paired by replication on the same patients, with 95% intervals."""
    from flowsim.show import comparison_lines, report_lines

    results = flowsim.open_results(directory)
    records = results.records(measure, by, baseline)
    if not json:
        for line in comparison_lines.lines(records):
            say(line)
        _tell_of_unfinished(results)
    else:
        _tell_of_unfinished(results)
        say_json(report_lines.plain(records))
    return DONE


@app.command(cls=Command)
def moved(
    experiment: Annotated[str, typer.Argument(help="An experiment: a path or the name of one that ships.")],
    scenario: Annotated[str | None, typer.Option(help="One scenario; all that change anything if left out.")] = None,
    by: Annotated[str, typer.Option(help="Tell care apart by setting, level, unit, at, stp or area.")] = "setting",
    replication: Annotated[str, typer.Option(help="Which replication.")] = "1",
    days: Annotated[str | None, typer.Option(help="Only so many days after the warm-up.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="The small form of the experiment.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No notes.")] = False,
    json: Json = False,
) -> int:
    """What each lever removed here and added there: two runs of the same patients, balanced patient by patient.

    In a model of several STPs also whose histories each scenario changed, and through which pools.
    """
    from flowsim.show import moved_lines

    loaded = flowsim.load_experiment(experiment).altered(quick=quick)
    some = None if days is None else _whole("--days", days)
    found = loaded.moved(scenario, by, _whole("--replication", replication), some, _noting(quiet))
    if json:
        say_json({"moved": list(found)})
        return DONE
    for place, one in enumerate(found):
        for line in ([""] if place else []) + moved_lines.lines(one, by):
            say(line)
    return DONE


@app.command(cls=Command)
def verify(
    model: Annotated[str, typer.Argument(help="A model: a path or the name of one that ships.")],
    days: Annotated[str | None, typer.Option(help="Days from the model's start; a year if left out.")] = None,
    seed: Annotated[str, typer.Option(help="Of the random numbers.")] = "1",
    replication: Annotated[str, typer.Option(help="Which replication.")] = "1",
    json: Json = False,
) -> int:
    """Runs a model on both engines and compares every visit and every row of the ledger: equal, or where they part."""
    from flowsim.show import verifying

    found = flowsim.verify(
        model,
        None if days is None else _whole("--days", days),
        _whole("--seed", seed),
        _whole("--replication", replication),
    ).document()
    if json:
        say_json(found)
    else:
        for line in verifying.lines(found):
            say(line)
    return DONE if found["equal"] else DAMAGED


@app.command(cls=Command)
def calibrate(
    model: Annotated[str, typer.Argument(help="A model with a calibration.yaml beside it, or the name of one.")],
    table: Annotated[
        bool, typer.Option("--table", help="Nothing is fitted: the tables of the model as it is.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="No file is written.")] = False,
    workers: Annotated[str | None, typer.Option(help="Processes side by side; one a processor if left out.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
    json: Json = False,
) -> int:
    """Fits the factors of a model to published figures, and says how it compares with those that nobody fitted."""
    from flowsim.show import calibrating

    found = flowsim.calibrate(
        model, table_only=table, dry_run=dry_run, workers=None if workers is None else _whole("--workers", workers),
        note=_noting(quiet),
    )  # fmt: skip
    document = found.document()
    if not dry_run:
        document["files"].append(found.keep(calibrating.markdown(document)))
    if json:
        say_json(document)
    else:
        for line in calibrating.lines(document):
            say(line)
        if document["files"]:
            say(f"Written: {', '.join(document['files'])}")
    return DONE


@app.command(cls=Command)
def audit(
    directory: Annotated[
        str, typer.Argument(metavar="DIR", help="Results, or the name of an experiment that was run.")
    ],
    json: Json = False,
) -> int:
    """Every file against the journal, every ledger against the laws of the engine."""
    report = flowsim.audit(directory)
    if json:
        names = ("whole", "fingerprint", "planned", "done", "stopped", "lines", "notes")
        say_json({name: getattr(report, name) for name in names})
    else:
        for line in (*report.lines, *report.notes):
            say(line)
        state = "whole" if report.whole else "damaged or unfinished"
        say(f"{directory}: {state}; {report.done} of {report.planned} cells done, {report.stopped} stopped")
        if report.fingerprint:
            say(f"fingerprint {report.fingerprint}")
    return DONE if report.whole else DAMAGED


@app.command(cls=Command)
def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Short runs and rough figures, in two minutes.")] = False,
    models: Annotated[str, typer.Option(help="Which of m1, m2 and m3 (clinic, emergency, city).")] = "m1,m2,m3",
    out: Annotated[str, typer.Option(help="Folder of the figure and the figures.")] = "results/bench",
    json: Json = False,
) -> int:
    """Measures both engines and other simulation libraries side by side: speed, memory and agreement."""
    from flowsim.show import bench_figure, bench_lines

    if not out.strip():
        raise refusal("--out", out, "is no name of a folder")
    ticker = bench_lines.Ticker()
    try:
        found = flowsim.benchmark(quick, [name.strip() for name in models.split(",")], ticker)
    finally:
        ticker.end()
    files = bench_figure.keep(found, out)
    if json:
        say_json(found)
    else:
        for line in (*bench_lines.lines(found), "", f"The figure and all numbers: {', '.join(files)}"):
            say(line)
    return DONE


def _whole(option: str, text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,20}", text):
        raise refusal(option, text, "must be a whole number")
    return int(text)


def _share(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise refusal(option, text, "must be a share such as 0.05") from None
    if not 0 < value < 1 or not math.isfinite(value):
        raise refusal(option, text, "must be a share above 0 and below 1, such as 0.05")
    return value


def _values_of(option: str, arguments: list[str]) -> list[str]:
    values = []
    for place, word in enumerate(arguments):
        if word == option and place + 1 < len(arguments) and not arguments[place + 1].startswith("--"):
            values.append(arguments[place + 1])
        elif word.startswith(f"{option}="):
            values.append(word.partition("=")[2])
    return values


def _tell_of_unfinished(results: ExperimentResults) -> None:
    if results.folder.missing:
        planned = len(results.folder.missing) + len(results.folder.outcomes)
        missing = len(results.folder.missing)
        tell(f"{missing} of {planned} cells are not finished: run the experiment again to go on")
