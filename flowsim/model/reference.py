"""The reference of the model language, `configs/README.md`, generated from the classes of the schema.

`python -m flowsim.model.reference` writes it; a test says whether it is current.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from flowsim.model import arrivals, fitted, parts, pathways, quantities, responses, schema, settings, shipped
from flowsim.model.levers import LEVERS, capacity, care_shift, close_service, growth, social_care
from flowsim.model.levers.prevention import Prevention
from flowsim.model.parts import Part
from flowsim.model.prevention import Prevented
from flowsim.model.tables import Column, Table

_WORDS: list[tuple[Any, str]] = [
    (parts.Name, "name"),
    (parts.Text, "text"),
    (parts.Number, "number"),
    (parts.Positive, "number above 0"),
    (parts.Amount, "number, 0 or more"),
    (parts.Rate, "number, 0 or more"),
    (parts.Whole, "whole number"),
    (parts.Count, "whole number, 0 or more"),
    (parts.Share, "share, 0 to 1"),
    (parts.Duration, "length of time"),
    (parts.WholeDuration, "length of time"),
    (parts.Date, "date"),
    (parts.TimeOfDay, "time of day"),
    (parts.Days, "days of the week"),
    (parts.Hours, "hours of a day"),
    (bool, "true or false"),
]
"""Words for the types of fields."""

CLASSES: Mapping[str, tuple[type[Part], ...]] = {
    "The model": (schema.Model,),
    "People and arrivals": (
        arrivals.Population,
        arrivals.Profile,
        arrivals.Growth,
        arrivals.Arrivals,
        arrivals.Need,
        arrivals.Timetable,
        Prevented,
    ),
    "Settings, units and pools": (
        settings.Setting,
        settings.Capacity,
        settings.Shift,
        settings.Opening,
        settings.Costs,
        settings.CapacityChange,
        settings.Pool,
    ),
    "Pathways": (
        pathways.Pathway,
        pathways.Step,
        pathways.At,
        parts.Shares,
        parts.Priority,
        pathways.Patience,
        pathways.QueueLimit,
        pathways.Divert,
        pathways.Round,
        pathways.CareShift,
        schema.FirstDay,
    ),
    "Lengths of stay": (
        pathways.Distribution,
        pathways.Spread,
        parts.ByMark,
        pathways.Mixture,
        pathways.Range,
        pathways.Points,
    ),
    "Clocks, responses, fitted factors": (
        pathways.Clock,
        pathways.Point,
        responses.Response,
        responses.Follows,
        responses.Changes,
        fitted.Fitted,
    ),
}
"""The classes of the language, by the section they are described in."""

_KINDS = {
    "capacity kind": "beds, slots, unlimited",
    "whole": "whole number",
    "any whole": "whole number, or below 0",
    "datetime": "date and time",
    "duration": "length of time",
}
"""Words for the kinds of columns whose own do not say it."""

TABLES: tuple[tuple[str, Mapping[str, Column]], ...] = (
    *((name, columns) for name, (columns, _) in schema.TABLES.items()),
    *schema.LISTS.items(),
    ("population", arrivals.POPULATION),
    ("trace", arrivals.TRACE),
)
"""The tables whose columns are always the same."""

OTHER_TABLES = """\
| `need` of arrivals | `age_band`, `per_1000_a_year`, and `place` if it differs by place |
| `ages` of arrivals | `age_band`, `share` |
| `residence` of arrivals | `place`, `share` |
| `at: {shares: ...}` of a step | `place`, `at`, `share`; a row of a higher place serves those below it |
| `then: {by: MARK, table: ...}` of a step | the mark (`age_band`, `place` or a group), `to`, `share` |
| `mean: {by: MARK, table: ..., unit: days}` of a stay | the mark, `mean_days` (or another unit) |
"""

EXAMPLES: Mapping[type[Part], str] = {
    parts.Shares: """\
then: ward                                   # everybody
then: {ward: 0.25, leave: rest}              # shares in written order; `rest` is what the others leave
then: {by: age_band, 0-64: {leave: 1}, 65+: {ward: 0.4, leave: rest}}
then: {by: age_band, table: tables/streaming.csv}
""",
    parts.Priority: """\
priority: 1                                  # lower is sooner
priority: {by: urgency, urgent: 0, other: 1}
""",
    parts.ByMark: """\
mean: 5 days                                 # the same for everybody
mean: {by: age_band, 0-64: 3 days, 65+: 8 days}
mean: {by: age_band, table: tables/stay.csv, unit: days}
""",
    pathways.At: """\
at: own place                                # at the patient's place, or the nearest above it that has one
at: nearest                                  # by distance from where the patient lives
at: {rule: nearest, without: [King's]}       # the nearest of the others
at: same site                                # where the patient is, or last was
at: King's                                   # a fixed site or place
at: {shares: tables/catchment.csv}           # drawn, by place of residence
at: {shares: {Barnet: {Royal Free: 0.7, Barnet Hospital: 0.3}}}
""",
    pathways.Point: """\
from: triage joined                          # a step, and joined, started, ready, ended or left
to: [cubicle left, ward joined]              # whichever comes first
""",
    arrivals.Need: """\
need: {0-17: 120, 18-64: 150, 65+: 400}      # arrivals per 1,000 people a year
need: tables/need.csv                        # the same in a table, perhaps by place
need: {by_place: {Barnet: {0-17: 120, 18-64: 150, 65+: 400}}}
""",
}
"""How parts are written that have no keys of their own, or seldom need them."""

SHORT: Mapping[type[Part], str] = {
    arrivals.Population: """\
population: tables/population.csv
population: {table: tables/population.csv, variant: principal}
population: {table: tables/population.csv, as_in: 2018}           # its people of 2018 in every year""",
    schema.FirstDay: """\
first_day: [{pathway: emergency, step: ward, at: King's, inside: 60}]
first_day: tables/first_day.csv""",
    settings.CapacityChange: """\
capacity_changes: [{setting: medical ward, at: King's, add: 12, from: 2018-10-01, ramp: 3 months}]
capacity_changes: tables/capacity_changes.csv""",
    settings.Capacity: "capacity: 24 beds",
    pathways.Distribution: "stay: 30 minutes                            # always the same",
    pathways.Patience: "patience: {fixed: 4 hours, otherwise: leave}",
    fitted.Fitted: """\
time in A&E: {times: 1.04, stay_of: A&E cubicle, kind: derived, source: calibration.yaml}
time in A&E at King's: {times: 1.02, stay_in: A&E cubicles, at: King's}
complex discharge: {times: 1.1, shares_of: needs after hospital, except: nothing}
admissions at King's: {times: 1.05, patients_of: "admission: ward", at: King's, instead_of: "same day: ward"}""",
    growth.DemandGrowth: """\
demand growth: {variant: high, growth: {other growth: 0.02}}
demand growth: {people_as_in: 2018}""",
    responses.Response: """\
responses: {pressure: {follows: {occupancy: ward, over: 7 days}, changes: {stay: ward}, points: [[0.9, 1], [1, 0.9]]}}
"fuller at {site}": {follows: {occupancy: "ward at {site}", over: 7 days}, changes: {stay_in: "ward at {site}"}}""",
    pathways.Clock: "four hours: {from: triage joined, to: cubicle left, standard: 4 hours}",
    capacity.Capacity: """\
capacity: {setting: medical ward, at: King's, add: 12, from: 2018-10-01, ramp: 3 months}
capacity: {setting: A&E doctors, add: 2, hours: 18:00-24:00, days: sat-sun, from: 2018-10-01}
capacity: {setting: home care, at: South West London, add: 300, from: 2018-04-01}
capacity: {setting: medical ward, trust: Barts Health, times: 1.05, from: 2018-04-01}""",
    care_shift.CommunityShift: """\
community shift: {from: medical ward, to: rapid response, share: 0.1, start: 2018-04-01, ramp: 3 months}
community shift: {from: A&E doctor, to: urgent treatment, share: 0.2, start: 2018-04-01, age_bands: [0-17]}
community shift: {from: medical ward, to: rapid response, share: 0.1, start: 2018-04-01, places: [South West London]}
community shift: {from: medical ward, to: virtual ward, share: 0.5, stay_share: 0.2, start: 2018-04-01}""",
    Prevention: """\
prevention: {pathway: emergency admission, share: 0.05, start: 2018-04-01, ramp: 2 years, age_bands: [65+]}
prevention: {pathway: emergency admission, enters: A&E doctor, share: 0.1, start: 2019-04-01, places: [Croydon]}""",
    close_service.CloseService: """\
close service: {setting: A&E, at: King George, from: 2019-04-01, to: nearest}
close service: {setting: A&E, at: Croydon, from: 2018-10-01, hours: 22:00-08:00, to: St George's, adds: 3}
close service: {setting: elective ward, at: Croydon, from: 2018-10-01, to: Epsom, moves_share: 0.8}
close service: {setting: A&E, at: Croydon, from: 2019-04-01, moves_share: 1, moves: {cubicles: 1, medical ward: 0.8}}
close service: {setting: A&E, at: Epsom, from: 2019-04-01, becomes: {setting: urgent care, share: 0.4, beds: 8}}""",
    social_care.SocialCare: """\
social care: {setting: home care, from: 2018-04-01, refused_share: 0.2, instead: home without care}
social care: {setting: care home, at: Croydon, from: 2018-04-01, add: -10, ramp: 6 months}""",
}
"""Short forms of parts that have keys too."""

START = """\
# The model language

<!-- Written by `python -m flowsim.model.reference`. Edit the classes in flowsim/model instead. -->

A model is a YAML file. Tables (places, people, units, rates, shares) may stand in CSV files or Excel sheets
beside it. This is a whole model:

```yaml
{clinic}```

A step without `then` leaves. A model without places has one place. In this larger one a ward without a free
bed fills A&E, and home care without a free package fills the ward:

```yaml
{emergency}```

`flowsim check MODEL` reads a model and says what it is, or what is wrong with it.

## How values are written

* **Lengths of time** are words: `30 minutes`, `1.5 days`. Units are {durations}.
  A month is 365/12 days and a year 365 days.
* **Dates** are `2018-04-01`; **times of day** `08:30`; **hours** `08:00-20:00`, within one day;
  **days** `mon-fri` or `sat,sun`.
* **Shares** are between 0 and 1: write 0.05, not 5%. Shares of one choice sum to 1; the word `rest` stands
  for what the others leave.
* **Names** have 1 to 120 characters that can be seen. Case and spaces count, and two names that differ only
  by these are refused. Quote a name that looks like a number.
* **Sources**: `source:` (where from) and `kind:` (`read`, `derived` or `assumed`) may stand in any mapping
  and hold for all numbers below, unless one nearer says otherwise; a number may be written
  `{{value: 30 minutes, kind: assumed, source: a guess}}`; a table may have columns `source` and `kind`.
  `flowsim check MODEL --assumptions` prints every number with them.

## What is refused

Nothing is repaired silently. A model is refused, with every fault in one line that names file, line, field,
value and what would be right, if anything in it could be taken for two things:

* keys that are not in this reference, keys that stand twice, keys without a value;
* `yes` and `no` for true and false; `08`, `1,000`, `5%`, `NaN`; text where a number must stand, also a quoted
  number;
* anchors, aliases, tags, directives, tabs; more than one document in a file;
* names that are not there, with what was probably meant; characters that cannot be seen or look like others;
* shares that do not sum to 1, steps that nobody reaches or leaves, places without a unit, ages without a
  rate;
* tables with missing columns or rows, rows that stand twice, empty cells, formulas, files outside the folder
  of the model.
"""


def reference() -> str:
    """The text of `configs/README.md`."""
    durations = ", ".join(f"{unit}s" for unit in quantities.UNITS_MS)
    models = shipped.files_of("configs")
    examples = {name: models[name].read_text(encoding="utf-8") for name in ("clinic", "emergency")}
    lines = [START.format(durations=durations, **examples)]
    for title, classes in CLASSES.items():
        lines.append(f"## {title}\n")
        for part in classes:
            lines.extend(_described(part))
    lines.append("## Tables\n")
    lines.append(
        "The first line names the columns. Columns in brackets may be left out; each table may also have"
        " `source` and `kind`.\n"
    )
    lines += ["| table | columns |", "|---|---|"]
    lines += [f"| `{name}` | {', '.join(_column(*one) for one in columns.items())} |" for name, columns in TABLES]
    lines.append(OTHER_TABLES)
    lines.append("## Levers\n")
    lines.append("A scenario of an experiment is a list of these; each makes a new model of the one before it.\n")
    for name, lever in LEVERS.items():
        lines.extend(_described(lever, name))
    lines.extend(_described(close_service.Conversion))
    return "\n".join(lines).rstrip() + "\n"


def _described(part: type[Part], title: str = "") -> Iterator[str]:
    """A heading, what a class is, and a table of its keys or examples."""
    yield f"### {title or _title(part)}\n"
    yield inspect.cleandoc(part.__doc__ or "") + "\n"
    if part in EXAMPLES:
        yield f"```yaml\n{EXAMPLES[part]}```\n"
        return
    if part in SHORT:
        yield f"```yaml\n{SHORT[part]}\n```\n"
    yield "| key | is | if left out | meaning |"
    yield "|---|---|---|---|"
    hints = get_type_hints(part, include_extras=True)
    for name, field in part.model_fields.items():
        words = _cell(_words(hints[name]))
        yield f"| `{field.alias or name}` | {words} | {_default(field)} | {_cell(field.description or '')} |"
    yield ""


def _title(part: type[Part]) -> str:
    name = part.__name__
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip().capitalize()


def _words(hint: Any) -> str:
    """What may stand in a field, in words."""
    for known, words in _WORDS:
        if hint == known:
            return words
    if hasattr(hint, "__metadata__"):
        return _words(hint.__origin__)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in inner)
    if origin is dict:
        return f"{_words(inner[0])}: {_words(inner[1])}"
    if origin is tuple:
        return f"list of {_words(inner[0])}" if inner[-1] is Ellipsis else f"[{', '.join(map(_words, inner))}]"
    if origin is Union or str(origin) == "<class 'types.UnionType'>":
        return " or ".join(_words(one) for one in inner if one is not type(None))
    if hint is Table:
        return "name of a table"
    if isinstance(hint, type) and issubclass(hint, Part):
        title = _title(hint)
        return f"[{title.lower()}](#{title.lower().replace(' ', '-')})"
    raise TypeError(f"no words for {hint}")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**must be given**"
    value = field.default
    if value is None or value is PydanticUndefined or value in ((), ""):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value == tuple(range(7)):
        return "every day"
    return f"{value:g}" if isinstance(value, int | float) else f"`{value}`"


def _column(name: str, column: Column) -> str:
    is_plain = column.kind in ("name", "text", name, name.replace("_", " "))
    words = f"`{name}`" + ("" if is_plain else f" ({_KINDS.get(column.kind, column.kind)})")
    return f"[{words}]" if column.optional else words


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    (shipped.folder_of("configs") / "README.md").write_text(reference(), encoding="utf-8")
