"""Fields of bodies and queries: their common types, and their strict conversion."""

import functools
import json
import math
import re
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

import msgspec

from asgi_auth.model.limits import YEAR_9999
from asgi_auth.validation.json_value import INT64, storable_text

#: A number or a boolean as JSON writes it (RFC 8259, sections 3 and 6).
SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false")
#: The longest number in a query, in characters.
MAX_NUMBER = 64
#: An email address, before validation.
Email: TypeAlias = Annotated[
    str,
    msgspec.Meta(min_length=3, max_length=254, extra_json_schema={"format": "email"}, examples=["ada@example.com"]),
]
#: A password.
Secret: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=4096,
        extra_json_schema={"format": "password", "writeOnly": True},
        examples=["correct horse battery"],
    ),
]
#: A token: refresh token, or the token of a mailed link.
TokenText: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
#: Any other short text.
Line: TypeAlias = Annotated[str, msgspec.Meta(max_length=1024)]
#: A time in seconds since 1970, until the end of the year 9999.
Time: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=YEAR_9999)]
#: Parameters of endpoints that the library passes; they are not fields of the body.
INJECTED = {"client", "identity", "served", "basic"}


@dataclass(frozen=True)
class BodyField:
    """A field of a body or a query: its type with bounds, and whether it is required."""

    type: Any
    required: bool

    def is_omitted(self, value: object) -> bool:
        """Tell whether a value means that the field is not given: null, unless the field is required or can be null.

        Many clients write null for a field without a value.
        """
        return value is None and not self.required and NoneType not in get_args(self.type)

    @functools.cached_property
    def _holder(self) -> Any:
        """A struct with the field alone: msgspec remembers how to convert a struct, and no other type."""
        return msgspec.defstruct("Holder", [("value", self.type)])

    def convert(self, value: Any) -> Any:
        """Return a value in the type of the field. Raises msgspec.ValidationError."""
        if isinstance(value, str):
            storable_text(value)
            try:
                return msgspec.convert({"value": value}, self._holder).value
            except msgspec.ValidationError:
                # The message of the conversion below names no struct.
                pass
        return convert(value, self.type)


def convert(value: Any, kind: Any) -> Any:
    """Convert a JSON value to a type, strictly. Raises msgspec.ValidationError.

    Text with NUL or with surrogates is rejected: databases cannot store it. For an integer type, 1.0 is 1, since JSON
    does not distinguish them (JSON Schema, section 4.2.3; RFC 8259, section 6).
    """
    if isinstance(value, str):
        storable_text(value)
    if isinstance(value, float) and value.is_integer() and accepts_integers_only(kind):
        value = int(value)
    if isinstance(value, int) and not -INT64 <= value < INT64:
        raise msgspec.ValidationError("Expected `int` of 64 bits")
    return msgspec.convert(value, kind)


def from_text(text: str, kind: Any) -> Any:
    """Return the value of a text in a query: for types other than text, numbers and booleans as JSON writes them.

    All else stays text, so that `convert` refuses it where it does not fit the type.
    """
    if len(text) > MAX_NUMBER or accepts_text(kind) or not SCALAR.fullmatch(text):
        return text
    value = json.loads(text)
    return value if math.isfinite(value) else text


def accepts_text(kind: Any) -> bool:
    """Return whether a type accepts some text, with or without bounds."""
    if get_origin(kind) is Literal:
        return any(isinstance(item, str) for item in get_args(kind))
    if get_origin(kind) in {Union, UnionType}:
        return any(accepts_text(item) for item in get_args(kind))
    return kind in {str, Any} or (get_origin(kind) is Annotated and accepts_text(get_args(kind)[0]))


def accepts_integers_only(kind: Any) -> bool:
    """Return whether a type is an integer, with or without bounds and null, but not a float."""
    if get_origin(kind) in {Union, UnionType}:
        return all(item is NoneType or accepts_integers_only(item) for item in get_args(kind))
    return kind is int or (get_origin(kind) is Annotated and get_args(kind)[0] is int)
