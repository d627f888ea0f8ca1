"""The shape of the values of an extra field: one value or a list, and the kind of each value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import msgspec

from asgi_auth.validation.fields import Email

#: `json` is an object, or a list of objects.
Kind = Literal["text", "integer", "number", "boolean", "email", "date", "datetime", "json"]
SCALARS: Mapping[Any, Kind] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    date: "date",
    datetime: "datetime",
    Email: "email",
}
#: The type of the JSON value, by the kind.
JSON_TYPES: Mapping[Kind, str] = {
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "json": "object",
}


@dataclass(frozen=True)
class Shape:
    """What a field holds.

    `kind` is that of the value, or of the items of a list. `python` is its Python type. `choices` are the only allowed
    values, empty for any. `enum` is the class whose members they are.
    """

    kind: Kind
    python: Any
    is_list: bool = False
    choices: tuple[str | int, ...] = ()
    enum: type[Enum] | None = None

    @property
    def json_type(self) -> str:
        """The type of a value, or of an item, in JSON."""
        return JSON_TYPES.get(self.kind, "string")


def shape_of(python: Any, choices: Sequence[str | int] | None) -> Shape:
    """Return the shape of a type. Raises ValueError for a type that no field can have, and for wrong choices."""
    is_list = get_origin(python) is list
    item = get_args(python)[0] if is_list else python
    given = None if choices is None else tuple(choices)
    if isinstance(item, type) and issubclass(item, Enum):
        return _of_choices(tuple(each.value for each in item), given, item, is_list=is_list)
    if get_origin(item) is Literal:
        return _of_choices(get_args(item), given, None, is_list=is_list)
    if item in SCALARS:
        shape = Shape(SCALARS[item], item, is_list)
        return shape if given is None else _chosen(shape, given)
    if given is not None:
        raise ValueError("choices need the type str or int, or a list of these")
    return Shape("json", _checked_object(item), is_list)


def _of_choices(own: tuple[Any, ...], given: object, enum: type[Enum] | None, *, is_list: bool) -> Shape:
    if given is not None:
        raise ValueError("the type lists the choices already")
    kinds = {type(value) for value in own}
    if kinds not in ({str}, {int}):
        raise ValueError("the choices must be all str, or all int")
    [python] = kinds
    return _chosen(Shape(SCALARS[python], python, is_list, enum=enum), own)


def _chosen(shape: Shape, choices: tuple[Any, ...]) -> Shape:
    if shape.kind not in {"text", "integer"} or not choices or len(set(choices)) < len(choices):
        raise ValueError("choices need the type str or int, and differ from each other")
    if any(type(value) is not shape.python for value in choices):
        raise ValueError(f"the choices must be of the type {shape.python.__name__}")
    return Shape(shape.kind, shape.python, shape.is_list, choices, shape.enum)


def _checked_object(python: Any) -> Any:
    """Return a type whose values are JSON objects. Raises ValueError for any other."""
    try:
        schema = msgspec.json.schema(python)
    except (TypeError, RecursionError):
        schema = {}
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    if schema.get("$defs", {}).get(name, schema).get("type") != "object":
        raise ValueError(
            "the type must be str, int, float, bool, Email, date, datetime, an Enum, a Literal, dict, a TypedDict, "
            "a msgspec.Struct, or a list of one of these"
        )
    return python
