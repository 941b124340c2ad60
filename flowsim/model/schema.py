"""The model language: the top level of a model file.

`reading` turns YAML into a plain tree, these classes and those of `settings`, `pathways`, `arrivals` and
`responses` say which keys it may have, what each means and in what unit; `checks` looks at what no single
part can see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from flowsim.model.arrivals import Growth, Population, Profile
from flowsim.model.fitted import Fitted
from flowsim.model.parts import Count, Date, Name, Part, Shares, Text, WholeDuration, rows_of, table_of
from flowsim.model.pathways import CareShift, Clock, Pathway, Step
from flowsim.model.prevention import Prevented
from flowsim.model.responses import Response
from flowsim.model.settings import CHANGES, CapacityChange, Pool, Setting
from flowsim.model.tables import Column, Table

TABLES: dict[str, tuple[dict[str, Column], tuple[str, ...]]] = {
    "places": (
        {
            "name": Column("name"),
            "level": Column("level"),
            "within": Column("name", blank=True),
            "latitude": Column("latitude", optional=True, blank=True),
            "longitude": Column("longitude", optional=True, blank=True),
            "share": Column("share", optional=True, blank=True),
        },
        ("name",),
    ),
    "sites": (
        {
            "name": Column("name"),
            "within": Column("name"),
            "latitude": Column("latitude", optional=True, blank=True),
            "longitude": Column("longitude", optional=True, blank=True),
            "trust": Column("name", optional=True, blank=True),
        },
        ("name",),
    ),
    "units": (
        {
            "setting": Column("name"),
            "at": Column("name"),
            "capacity": Column("whole"),
            "of": Column("capacity kind", optional=True),
            "staffed_share": Column("share", optional=True),
            "stay_factor": Column("number", optional=True),
        },
        ("setting", "at"),
    ),
}
"""The tables of the top level: their columns and what may stand once only."""


class FirstDay(Part):
    """Patients who are there when the model starts, at one step of a pathway."""

    pathway: Name
    step: Name
    at: Name | None = Field(None, description="site or place of the unit; needed if the setting has several units")
    inside: Count = Field(0, description="patients in the unit, with the rest of a stay as for someone found there")
    waiting: Count = Field(0, description="patients in its queue")
    waited_up_to: WholeDuration = Field(0, description="those waiting joined evenly within this time before the start")
    residence: Name | None = Field(None, description="where they live; the unit's place if left out")


FIRST_DAY = {
    "pathway": Column("name"),
    "step": Column("name"),
    "at": Column("name", optional=True, blank=True),
    "inside": Column("whole", optional=True, blank=True),
    "waiting": Column("whole", optional=True, blank=True),
    "waited_up_to": Column("duration", optional=True, blank=True),
    "residence": Column("name", optional=True, blank=True),
}
"""The columns of a table of patients of the first day."""


LISTS: dict[str, dict[str, Column]] = {"capacity_changes": CHANGES, "first_day": FIRST_DAY}
"""Lists of the top level that may stand in a table, and its columns."""


class Model(Part):
    """A model of patient flow, as a person writes it. Levers make new ones; nothing changes one."""

    flowsim: Literal[1] = Field(description="version of the language")
    name: Name = Field(description="short name, used for folders and tables")
    title: Text = Field(description="one line on what the model is")
    description: Text = Field("", description="what a reader should know")
    start: Date = Field(description="first day of the model; years are counted from it")
    places: Annotated[Table, table_of(*TABLES["places"])] | None = Field(
        None, description="table of places: name, level, within, latitude, longitude, share"
    )
    sites: Annotated[Table, table_of(*TABLES["sites"])] | None = Field(
        None, description="table of sites: name, within, latitude, longitude, trust"
    )
    population: Population | None = Field(None, description="people by place, age band and year")
    groups: dict[Name, Shares] = Field(
        default_factory=dict, description="marks that every patient draws once: {value: share}"
    )
    profiles: dict[Name, Profile] = Field(default_factory=dict, description="how rates vary in a day, a week or a year")
    growth: dict[Name, Growth] = Field(default_factory=dict, description="growth other than of people")
    settings: dict[Name, Setting] = Field(description="kinds of care")
    units: Annotated[Table, table_of(*TABLES["units"])] | None = Field(
        None, description="table of units: setting, at, capacity, of (beds, slots, unlimited)"
    )
    capacity_changes: Annotated[tuple[CapacityChange, ...], rows_of(CapacityChange, CHANGES, ())] = Field(
        (), description="dated changes of capacity, as a list or the name of a table"
    )
    pools: dict[Name, Pool] = Field(default_factory=dict, description="`{site}` in a name: one pool for each site")
    pathways: dict[Name, Pathway] = Field(description="groups of patients and what happens to them")
    shifts: tuple[CareShift, ...] = Field((), description="shares of patients that go elsewhere instead")
    prevention: tuple[Prevented, ...] = Field((), description="shares of patients who no longer come")
    clocks: dict[Name, Clock] = Field(default_factory=dict, description="intervals with a standard")
    responses: dict[Name, Response] = Field(
        default_factory=dict, description="what follows what happened lately; `{site}` in a name: one for each site"
    )
    fitted: dict[Name, Fitted] = Field(default_factory=dict, description="factors fitted to data, multiplied in")
    first_day: Annotated[tuple[FirstDay, ...], rows_of(FirstDay, FIRST_DAY, ("pathway", "step", "at", "residence"))] = (
        Field((), description="who is there at the start, as a list or the name of a table; nobody if left out")
    )
    price_year: Text = Field("", description="of all costs, needed if there are any")

    @field_validator("flowsim", mode="before")
    @classmethod
    def _version(cls, value: object) -> object:
        if type(value) is not int or value != 1:
            raise ValueError("must be 1, the version of the language that this flowsim reads")
        return value

    def with_steps(self, pathway: str, steps: Mapping[str, Step]) -> Model:
        """The model with steps of one pathway added, or put in the place of those of the same name."""
        content = self.pathways[pathway]
        changed = content.model_copy(update={"steps": {**content.steps, **steps}})
        return self.model_copy(update={"pathways": {**self.pathways, pathway: changed}})
