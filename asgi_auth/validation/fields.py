"""Fields of bodies: their common types, their strict conversion, and the extra fields that a host declares."""

import keyword
import sys
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

Write = Literal["register", "user", "admin"]
TYPES = (str, int, bool, float)
TAKEN = {"id", "email", "password", "username", "roles", "status", "email_verified", "data", "created_at", "updated_at"}
Email = Annotated[
    str,
    msgspec.Meta(min_length=3, max_length=254, extra_json_schema={"format": "email"}, examples=["ada@example.com"]),
]
Secret = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=4096,
        extra_json_schema={"format": "password", "writeOnly": True},
        examples=["correct horse battery"],
    ),
]
TokenText = Annotated[str, msgspec.Meta(min_length=1, max_length=8192)]
Line = Annotated[str, msgspec.Meta(max_length=1024)]
#: Parameters of endpoints that the library gives, and no body.
INJECTED = {"client", "identity", "served"}


class Field(msgspec.Struct, frozen=True):
    """One extra field of a user, kept in the JSON column `data`: its type and bounds, and who may write it.

    `write` is `register` (the user, once), `user` (the user, always) or `admin` (never from a request).
    """

    name: str
    type: type = str
    required: bool = False
    default: Any = None
    max_length: int = 200
    write: Write = "user"

    def __post_init__(self) -> None:
        """Refuse names that are ours, and types that JSON doesn't carry."""
        if not self.name.isidentifier() or keyword.iskeyword(self.name) or self.name.startswith("_"):
            raise ValueError(f"{self.name!r} is no name for a field")
        if self.name in TAKEN | INJECTED | {"self"}:
            raise ValueError(f"{self.name!r} is a field of the library's own")
        if self.type not in TYPES:
            raise ValueError(f"{self.name}: the type is one of str, int, bool, float")
        if self.write not in get_args(Write):
            raise ValueError(f"{self.name}: write is one of {', '.join(get_args(Write))}")
        try:
            msgspec.convert(self.default, self.annotation | None)
        except msgspec.ValidationError as error:
            raise ValueError(f"{self.name}: the default doesn't fit: {error}") from None

    @property
    def annotation(self) -> Any:
        """The type with its bounds, as msgspec checks it."""
        if self.type is str:
            return Annotated[str, msgspec.Meta(min_length=int(self.required), max_length=self.max_length)]
        if self.type is int:
            return Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
        if self.type is float:
            return Annotated[float, msgspec.Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
        return self.type

    @property
    def change(self) -> Any:
        """What a change may set: null empties a field that isn't required."""
        return self.annotation if self.required else self.annotation | None


class BodyField(msgspec.Struct, frozen=True):
    """One field of a body: its type with bounds, and whether it must be there."""

    type: Any
    required: bool


def convert(value: Any, kind: Any) -> Any:
    """Convert strictly; refuse text that no database takes: NUL, and halves of surrogate pairs.

    A whole number is an integer however it is written: 1.0 is 1 (JSON Schema, 4.2.3; RFC 8259, section 6).
    """
    if isinstance(value, str) and (
        "\0" in value or (not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value))
    ):
        raise msgspec.ValidationError("Contains characters that are not allowed")
    if isinstance(value, float) and value.is_integer() and whole(kind):
        value = int(value)
    return msgspec.convert(value, kind)


def whole(kind: Any) -> bool:
    """Whether a type is an integer with bounds or without, or null; and no float."""
    if get_origin(kind) in {Union, UnionType}:
        return all(item is NoneType or whole(item) for item in get_args(kind))
    return kind is int or (get_origin(kind) is Annotated and get_args(kind)[0] is int)
