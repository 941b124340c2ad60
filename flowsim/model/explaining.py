"""What pydantic refuses, as faults in plain words: where and what stands there, what would be right."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flowsim.errors import Faults
from flowsim.model.names import near
from flowsim.model.parts import TOLD, Part
from flowsim.model.reading import KeyPath, Tree, field_name
from flowsim.model.tables import Table

_MISSING = object()
_EXPECTED = {
    "dict_type": "must be keys and values, such as {name: value}",
    "mapping_type": "must be keys and values, such as {name: value}",
    "model_type": "must be keys and values, such as {key: value}",
    "model_attributes_type": "must be keys and values, such as {key: value}",
    "tuple_type": "must be a list, in [brackets] or with a dash before each entry",
    "list_type": "must be a list, in [brackets] or with a dash before each entry",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "is_instance_of": "must be the name of a table in the folder of the model, such as tables/units.csv",
}


def tell(error: ValidationError, tree: Tree, root: type[Part], faults: Faults, base: KeyPath = ()) -> None:
    """Adds the faults of a validation error; those that reading has told already are left out.

    `root` is the class that was validated, or one that it is derived from; `base` is the path in the tree of
    what was validated.
    """
    root = _derived(root, error.title)
    for detail in error.errors(include_url=False):
        if detail["type"] == TOLD:
            continue
        path, value = locate(tree, base, detail["loc"])
        if tree.is_refused(path):
            continue
        field, shown, message = _explain(detail, path, value, root)
        if not faults_at(faults, tree, field, message):
            faults.add(tree.file, tree.line(path), field_name(field), shown, message)


def _derived(root: type[Part], title: str) -> type[Part]:
    found = [root, *root.__subclasses__()]
    found += [deeper for one in root.__subclasses__() for deeper in one.__subclasses__()]
    return next((one for one in found if one.__name__ == title), root)


def faults_at(faults: Faults, tree: Tree, field: KeyPath, message: str) -> bool:
    """Whether a fault with this message stands at this field already."""
    name = field_name(field)
    return any(one.file == tree.file and one.field == name and one.message == message for one in faults)


def locate(tree: Tree, base: KeyPath, loc: KeyPath) -> tuple[KeyPath, Any]:
    """The path in the tree that a location of pydantic means, and what stands there.

    Parts of a location that nobody wrote (shorthands are written out before validation) are skipped.
    """
    node: Any = tree.data
    for part in base:
        node = node[part]
    path = base
    for part in loc:
        inside = part in node if isinstance(node, dict) else False
        if isinstance(node, list):
            inside = isinstance(part, int) and part < len(node)
        if inside:
            node = node[part]
            path = (*path, part)
    return path, node


def _explain(detail: ErrorDetails, path: KeyPath, value: Any, root: type[Part]) -> tuple[KeyPath, Any, str]:
    """Field, value and message of one error."""
    kind, loc, context = detail["type"], detail["loc"], detail.get("ctx", {})
    if kind == "missing":
        return (*path, loc[-1]), None, "is missing" + _meaning(root, loc)
    if kind == "extra_forbidden":
        return path, value, "is not a key that may stand here" + near(str(loc[-1]), _keys(root, loc[:-1]))
    if loc and loc[-1] == "[key]":
        return path, loc[-2], str(context.get("error", "must be a name"))
    shown = _MISSING if isinstance(value, dict | list) and not value else value
    shown = "" if shown is _MISSING else shown
    if kind == "value_error":
        return path, shown, str(context["error"])
    if kind == "literal_error":
        words = [str(word).strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]
        hint = near(str(value), words) if isinstance(value, str) else ""
        return path, shown, f"must be one of {', '.join(words)}{hint if 'mean' in hint else ''}"
    if kind == "bool_type" and isinstance(value, str):
        return path, shown, "must be true or false, without quotes"
    if kind == "too_long" or kind == "missing_argument":
        return path, shown, f"must have {context.get('max_length', 2)} entries"
    return path, shown, _EXPECTED.get(kind, detail["msg"][:1].lower() + detail["msg"][1:])


def _meaning(root: type[Part], loc: KeyPath) -> str:
    """What a missing field means, from its description."""
    part = _class_at(root, loc[:-1])
    if part is None:
        return ""
    for name, field in part.model_fields.items():
        if loc[-1] in (field.alias or name, name) and field.description:
            return f": {field.description}"
    return ""


def _keys(root: type[Part], loc: KeyPath) -> list[str]:
    part = _class_at(root, loc)
    return [] if part is None else [field.alias or name for name, field in part.model_fields.items()]


def _class_at(root: type[Part], loc: KeyPath) -> type[Part] | None:
    """The class of the schema that stands at a location."""
    here: Any = root
    for part in loc:
        here = _inside(here, part)
        if here is None:
            return None
    parts = _parts(here)
    return parts[0] if parts else None


def _inside(annotation: Any, part: str | int) -> Any:
    """The annotation of what is inside: the field of a class, the values of a dict, the items of a tuple."""
    for one in _options(annotation):
        if isinstance(one, type) and issubclass(one, Part):
            for name, field in one.model_fields.items():
                if part in (field.alias or name, name):
                    return field.annotation
        elif get_origin(one) is dict:
            return get_args(one)[1]
        elif get_origin(one) is tuple:
            return get_args(one)[0]
    return None


def _options(annotation: Any) -> list[Any]:
    """The alternatives of an annotation, without None and without what Annotated adds."""
    if hasattr(annotation, "__metadata__"):
        return _options(annotation.__origin__)
    if get_origin(annotation) in (dict, tuple, None) or annotation is Table:
        return [annotation]
    return [option for one in get_args(annotation) for option in _options(one)]


def _parts(annotation: Any) -> list[type[Part]]:
    return [one for one in _options(annotation) if isinstance(one, type) and issubclass(one, Part)]
