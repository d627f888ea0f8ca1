"""Fields of bodies and queries: their common types, their strict conversion, and the extra fields of a user."""

import json
import keyword
import math
import re
import sys
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin

import msgspec

#: A number or a boolean as JSON writes it (RFC 8259, sections 3 and 6).
SCALAR = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false")
#: The longest number in a query, in characters.
MAX_NUMBER = 64
INT64 = 2**63
#: Where an extra field can be set: see `Field`.
Write: TypeAlias = Literal["register", "user", "admin"]
#: The types that an extra field can have.
FieldType: TypeAlias = type[str] | type[int] | type[bool] | type[float]
TYPES: tuple[FieldType, ...] = (str, int, bool, float)
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
#: Parameters of endpoints that the library passes; they are not fields of the body.
INJECTED = {"client", "identity", "served"}
#: Names that an extra field cannot have: the columns of a user, parameters of functions that take fields, and the names
#: that the forms and texts of the library use.
RESERVED = INJECTED | {
    "id", "email", "password", "username", "roles", "status", "email_verified", "data", "created_at", "updated_at",
    "self", "user_id", "token", "request", "code", "next", "current_password", "new_password", "new_email", "policy",
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """An extra field of a user, stored in the JSON column `data`.

    `type` is str, int, bool or float; `max_length` (characters) applies to str only. A `required` field is set at
    registration and is never null or empty; any other field is `default` until it is set. `write` says where the field
    can be set: at registration only (`register`), at registration and later by the user (`user`), or never by a request
    (`admin`). Raises ValueError for a reserved name, an unknown type, and a default that does not fit the type.
    """

    name: str
    type: FieldType = str
    required: bool = False
    default: Any = None
    max_length: int = 200
    write: Write = "user"

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid declaration."""
        if not self.name.isidentifier() or keyword.iskeyword(self.name) or self.name.startswith("_"):
            raise ValueError(f"{self.name!r} is not a valid field name")
        if self.name in RESERVED:
            raise ValueError(f"{self.name!r} is reserved; choose another name for the field")
        if self.type not in TYPES:
            raise ValueError(f"{self.name}: the type must be one of str, int, bool, float")
        if self.write not in get_args(Write):
            raise ValueError(f"{self.name}: write must be one of {', '.join(get_args(Write))}")
        try:
            msgspec.convert(self.default, self.annotation | None)
        except msgspec.ValidationError as error:
            raise ValueError(f"{self.name}: the default does not fit the type: {error}") from None

    @property
    def annotation(self) -> Any:
        """The type with its bounds, as msgspec validates it."""
        if self.type is str:
            return Annotated[str, msgspec.Meta(min_length=int(self.required), max_length=self.max_length)]
        if self.type is int:
            return Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
        if self.type is float:
            return Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
        return self.type

    @property
    def change(self) -> Any:
        """The type in a change: null clears a field that is not required."""
        return self.annotation if self.required else self.annotation | None


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


def convert(value: Any, kind: Any) -> Any:
    """Convert a JSON value to a type, strictly. Raises msgspec.ValidationError.

    Text with NUL or with surrogates is rejected: databases cannot store it. For an integer type, 1.0 is 1, since JSON
    does not distinguish them (JSON Schema, section 4.2.3; RFC 8259, section 6).
    """
    if isinstance(value, str) and (
        "\0" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value))
    ):
        raise msgspec.ValidationError("Contains characters that are not allowed")
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
