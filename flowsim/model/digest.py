"""A digest of what a model means, whatever the way it is written."""

from __future__ import annotations

import hashlib
import json
from datetime import date, datetime

from flowsim.model.arrivals import Arrivals, Population
from flowsim.model.fitted import Fitted
from flowsim.model.loading import LoadedModel
from flowsim.model.parts import Part, Shares
from flowsim.model.pathways import At, CareShift, Pathway
from flowsim.model.responses import Changes
from flowsim.model.schema import Model
from flowsim.model.settings import CapacityChange, Setting
from flowsim.model.tables import Table

_DRAWN = {(Shares, "everybody"), (Shares, "of"), (At, "shares"), (Arrivals, "residence"), (Arrivals, "ages")}
"""Fields from whose shares something is drawn: their written order has meaning."""
_WORDS = {(Model, "title"), (Model, "description")}
"""Fields that change no result."""
_LATER = {
    (Population, "as_in"),
    (Setting, "stay_factor"),
    *((Fitted, name) for name in ("stay_in", "at", "patients_of", "instead_of")),
    (Changes, "stay_in"),
    (Model, "prevention"),
    (CareShift, "places"),
    (CapacityChange, "trust"),
}
"""Fields the language got later: where they say nothing they are left out, so that older models keep their digest."""


def digest(loaded: LoadedModel) -> str:
    """SHA-256 of a model as read: its values and what is in its tables.

    Comments, flow style, the names of files, sources, titles, and the order of keys do not matter. The order
    of shares does, because they are drawn in written order, and so does which step is the first.
    """
    return digest_of_model(loaded.model)


def digest_of_model(model: Model) -> str:
    """SHA-256 of a model, also of one that levers have made."""
    return digest_of_tree(_meaning(model))


def digest_of_tree(data: object) -> str:
    """SHA-256 of plain data, whatever the order of keys; dates count as they are written."""
    text = json.dumps(data, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=_plain)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no plain data")


def _is_unsaid(part: Part, name: str) -> bool:
    field = type(part).model_fields[name]
    return (type(part), name) in _LATER and bool(getattr(part, name) == field.default)


def _meaning(value: object, is_drawn: bool = False) -> object:
    """A value as plain data in which only what has a meaning makes a difference."""
    if isinstance(value, Part):
        kind = type(value)
        names = [name for name in kind.model_fields if (kind, name) not in _WORDS and not _is_unsaid(value, name)]
        found = {name: _meaning(getattr(value, name), (kind, name) in _DRAWN) for name in names}
        if isinstance(value, Pathway):
            found["first"] = next(iter(value.steps), "")
        return found
    if isinstance(value, Table):
        return {name: [_meaning(cell) for cell in cells] for name, cells in value.columns.items()}
    if isinstance(value, dict):
        if is_drawn:
            return [[key, _meaning(inner, True)] for key, inner in value.items()]
        return {key: _meaning(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_meaning(inner) for inner in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        # 30 and 30.0 are the same number, whichever the parser made.
        return int(value)
    return value
