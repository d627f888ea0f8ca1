"""The extra fields of a user: their declaration, and the one check of their values for every way in."""

import functools
import inspect
import keyword
import re
import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import KW_ONLY, dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args

import msgspec

from asgi_auth.errors import ValidationError
from asgi_auth.sources.kinds import check_kind, check_kinds
from asgi_auth.validation import field_text
from asgi_auth.validation.email_address import parse_email
from asgi_auth.validation.fields import INJECTED, BodyField, Email
from asgi_auth.validation.json_value import INT64, plain_json
from asgi_auth.validation.reasons import FieldError, Reason
from asgi_auth.validation.shape import Shape, shape_of

#: Where an extra field can be set: see `Field`.
Write: TypeAlias = Literal["register", "user", "admin"]
#: A bound of a number, a date or a time.
Bound: TypeAlias = int | float | date | datetime
#: Names that an extra field cannot have: the columns of a user, parameters of functions that take fields, and the names
#: that the forms and texts of the library use.
RESERVED = INJECTED | {
    "id", "email", "password", "username", "roles", "status", "email_verified", "data", "created_at", "updated_at",
    "self", "user_id", "token", "request", "code", "next", "current_password", "new_password", "new_email", "policy",
}  # fmt: skip
#: The name of a column.
COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,47}")
#: What Python has in regular expressions and JavaScript, which pages and clients use, has not.
PYTHON_ONLY = re.compile(r"(?<!\\)(?:\\\\)*(?:\\[AZ]|\(\?[P#aiLmsux(>-]|[*+?}]\+)")


@dataclass(frozen=True)
class Field:
    """An extra field of a user, stored in the JSON column `data`.

    `type` is str, int, float, bool, `Email`, date, datetime, an Enum, a Literal, dict, a TypedDict, a msgspec.Struct,
    or a list of one of these. Dates and times are stored as text (RFC 3339, in UTC), and members of an Enum as their
    values. A `required` field is set at registration and is never null or empty, so it has no default; any other field
    is `default` until it is set, and so is a required one with `write="admin"`. `write` says where the field can be
    set: at registration only (`register`), at registration and later by the user (`user`), or never by a request
    (`admin`).

    Further checks, for each item of a list as well:

    * `min_length`, `max_length` (characters) and `pattern`, a regular expression for the whole value: text.
    * `choices`: the only allowed values, of text or integers.
    * `minimum`, `maximum`: numbers, dates and times.
    * `max_items`: a list. `max_size`, in bytes as JSON: lists and objects, which have 8 levels at most.
    * `unique`: no two users have the same value: text in any case, integers, addresses, dates and times. With `public`,
      a registration says at once that a value is taken, although it conceals who has an account.
    * `column`: the name of a column of a users table of the host, which then holds the value instead of `data`.
    * `validator`: called with a value that fits all of this. Its ValueError is the reason of the field. It may return
      another value, which is then stored; None keeps the value. It runs on the event loop, so it must not wait.

    Raises ValueError for a reserved name, an unknown type, a check that the type does not have, and a default that does
    not fit.
    """

    #: The names that a field cannot have.
    reserved: ClassVar[Collection[str]] = RESERVED
    name: str
    type: Any = str
    required: bool = False
    default: Any = None
    max_length: int = 200
    write: Write = "user"
    _: KW_ONLY
    min_length: int = 0
    pattern: str | None = None
    choices: Sequence[str | int] | None = None
    minimum: Bound | None = None
    maximum: Bound | None = None
    max_items: int = 100
    max_size: int = 4096
    unique: Literal[True, False, "public"] = False
    column: str | None = None
    validator: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for an invalid declaration."""
        check_kind("the name of a field", self.name, str)
        if not self.name.isidentifier() or keyword.iskeyword(self.name) or self.name.startswith("_"):
            raise ValueError(f"{self.name!r} is not a valid field name")
        if self.name in self.reserved:
            raise ValueError(f"{self.name!r} is reserved; choose another name for the field")
        if self.write not in get_args(Write):
            raise ValueError(f"{self.name}: write must be one of {', '.join(get_args(Write))}")
        try:
            check_kinds(self)
            self._check_declaration()
        except ValueError as error:
            raise ValueError(f"{self.name}: {error}") from None
        if self.default is None:
            return
        try:
            object.__setattr__(self, "default", self.convert(self.default))
        except msgspec.ValidationError as error:
            raise ValueError(f"{self.name}: the default does not fit the type: {error}") from None

    @functools.cached_property
    def shape(self) -> Shape:
        """What the field holds."""
        return shape_of(self.type, self.choices)

    @functools.cached_property
    def annotation(self) -> Any:
        """The type with its bounds, as msgspec validates it and as the OpenAPI document shows it."""
        if not self.shape.is_list:
            return self._item(required=self.required)
        bounds = msgspec.Meta(min_length=int(self.required), max_length=self.max_items)
        return Annotated[list[self._item(required=True)], bounds]  # type: ignore[misc]  # a type made at run time

    @property
    def change(self) -> Any:
        """The type in a change: null clears a field that is not required."""
        return self.annotation if self.required else self.annotation | None

    def convert(self, value: Any) -> Any:
        """Return a value as it is stored, in plain JSON types. Raises msgspec.ValidationError with the reason."""
        found = self._checked(value)
        if self.validator is None:
            return found
        try:
            other = self.validator(self._for_validator(found))
        except ValueError as error:
            raise FieldError(Reason("rejected", str(error), reason=str(error))) from None
        return found if other is None else self._checked(other)

    def from_text(self, text: str) -> Any:
        """Return what a text of a form or of a CSV file means, for `convert`, which refuses what does not fit.

        A list has one item a line, or is a JSON array; an object is JSON. A time without an offset is in UTC.
        """
        return field_text.from_text(text, self.shape)

    def to_text(self, value: Any) -> str:
        """Return a stored value as the text that `from_text` reads; empty for None."""
        return field_text.to_text(value, self.shape)

    @functools.cached_property
    def _pattern(self) -> re.Pattern[str] | None:
        return None if self.pattern is None else _compiled(self.pattern)

    def _item(self, *, required: bool) -> Any:
        """Return the type of a value, or of an item."""
        kind, shape = self.shape.kind, self.shape
        if shape.choices:
            return Annotated[Literal[shape.choices], msgspec.Meta(extra_json_schema={"type": shape.json_type})]
        if kind == "text":
            schema = {"pattern": f"^(?:{self.pattern})$"} if self.pattern is not None else None
            least = max(self.min_length, int(required))
            return Annotated[str, msgspec.Meta(min_length=least, max_length=self.max_length, extra_json_schema=schema)]
        if kind in {"integer", "number"}:
            return Annotated[shape.python, self._range()]
        return {"email": Email, "datetime": Annotated[datetime, msgspec.Meta(tz=True)]}.get(kind, shape.python)

    def _range(self) -> msgspec.Meta:
        """Return the bounds of a number: those that every database can store, or narrower ones."""
        bounds: Any = (-INT64, INT64 - 1) if self.shape.kind == "integer" else (-sys.float_info.max, sys.float_info.max)
        given: Any = (self.minimum, self.maximum)
        least, most = (own if bound is None else bound for own, bound in zip(bounds, given, strict=True))
        return msgspec.Meta(ge=least, le=most)

    def _checked(self, value: Any) -> Any:
        found = self._converted(value)
        items = found if self.shape.is_list else [found]
        checked = [self._checked_item(item) for item in items]
        stored = msgspec.to_builtins(checked if self.shape.is_list else checked[0])
        is_long = self.shape.is_list or self.shape.kind == "json"
        if is_long and len(msgspec.json.encode(stored)) > self.max_size:
            raise FieldError(Reason("too_many_bytes", count=self.max_size))
        return stored

    def _converted(self, value: Any) -> Any:
        try:
            return msgspec.convert(plain_json(value), self.annotation)
        except msgspec.ValidationError as error:
            reason = Reason.of(error)
            if reason.code != "choice" or not self.shape.choices:
                raise
            choices = ", ".join(map(str, self.shape.choices))
            raise FieldError(Reason("choice", f"Choose one of: {choices}.")) from None

    def _checked_item(self, item: Any) -> Any:
        """Check what msgspec does not."""
        kind = self.shape.kind
        if kind == "email":
            try:
                return parse_email(item).display
            except ValidationError as error:
                reason = next(iter(error.reasons.values()))[0]
                raise FieldError(reason if isinstance(reason, Reason) else Reason("email", reason)) from None
        if self._pattern is not None and self._pattern.fullmatch(item) is None:
            raise FieldError(Reason("pattern"))
        if kind == "datetime":
            item = _in_utc(item)
        if kind in {"date", "datetime"}:
            if self.minimum is not None and item < self.minimum:
                raise FieldError(Reason("too_early", limit=_shown(self.minimum)))
            if self.maximum is not None and item > self.maximum:
                raise FieldError(Reason("too_late", limit=_shown(self.maximum)))
        return item

    def _for_validator(self, stored: Any) -> Any:
        """Return the Python value of a stored one: a date, a member of an Enum, a struct."""
        found = msgspec.convert(stored, self.annotation)
        if self.shape.enum is None:
            return found
        return [self.shape.enum(item) for item in found] if self.shape.is_list else self.shape.enum(found)

    def _check_declaration(self) -> None:
        """Raise ValueError for checks that the type does not have, and that contradict each other."""
        shape = self.shape
        is_text = shape.kind == "text" and not shape.choices
        if (self.pattern is not None or self.min_length) and not is_text:
            raise ValueError("pattern and min_length need the type str")
        _ = self._pattern
        if not 0 <= self.min_length <= self.max_length or self.max_items < 1 or self.max_size < 2:
            raise ValueError("the lengths and sizes must be positive, and min_length at most max_length")
        self._check_bounds()
        if self.required and self.default is not None and self.write != "admin":
            raise ValueError(
                "a required field has no default, because each registration sets it: leave out one of the two"
            )
        if self.column is not None and COLUMN.fullmatch(self.column) is None:
            raise ValueError("the column must be a name of letters, digits and _, at most 48")
        if self.unique not in {True, False, "public"}:
            raise ValueError("unique must be True, False or 'public'")
        if self.unique and (shape.is_list or shape.choices or shape.kind in {"number", "boolean", "json"}):
            raise ValueError("a unique field needs the type str, int, Email, date or datetime, without choices")
        if self.unique and self.default is not None:
            raise ValueError("a unique field has no default")
        if self.validator is not None and (not callable(self.validator) or _waits(self.validator)):
            raise ValueError("the validator must be a plain function: it must not wait")
        msgspec.json.schema(self.annotation)

    def _check_bounds(self) -> None:
        given = [bound for bound in (self.minimum, self.maximum) if bound is not None]
        kinds = {"integer": int, "number": int | float, "date": date, "datetime": datetime}
        wanted: Any = None if self.shape.choices else kinds.get(self.shape.kind)
        for bound in given:
            if wanted is None or not isinstance(bound, wanted) or isinstance(bound, bool):
                raise ValueError("minimum and maximum need numbers, dates or times, and have the type of the field")
            if isinstance(bound, datetime) and self.shape.kind == "date":
                raise ValueError("minimum and maximum of a date are dates")
            if isinstance(bound, datetime) and bound.tzinfo is None:
                raise ValueError("minimum and maximum of a time need a time zone")
        if len(given) == 2 and given[0] > given[1]:  # type: ignore[operator]  # both have the type of the field
            raise ValueError("minimum is more than maximum")


@dataclass(frozen=True)
class DeclaredField(BodyField):
    """An extra field in a body."""

    field: Field

    def convert(self, value: Any) -> Any:
        """Return a value as it is stored; None where a change may clear the field. Raises msgspec.ValidationError."""
        if value is None and not self.field.required:
            return None
        return self.field.convert(value)


def _compiled(pattern: str) -> re.Pattern[str]:
    """Compile the pattern of a declaration. Raises ValueError."""
    if PYTHON_ONLY.search(pattern):
        raise ValueError("the pattern must be one that JavaScript reads as well: no flags, \\A, \\Z and (?P<…>)")
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"the pattern is no regular expression: {error}") from None


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # The first and the last day that Python knows may be in another year than it knows, in UTC.
        raise FieldError(Reason("datetime")) from None


def _waits(validator: Callable[[Any], Any]) -> bool:
    return any(map(inspect.iscoroutinefunction, (validator, type(validator).__call__)))


def _shown(bound: Bound) -> str:
    return str(msgspec.to_builtins(bound))
