"""Values that can be stored as JSON, in every database."""

import math
from typing import Any

import msgspec

INT64 = 2**63
#: Levels of objects and lists in a value of an extra field.
MAX_DEPTH = 8


def plain_json(value: Any) -> Any:
    """Return a value in plain JSON types. Raises msgspec.ValidationError for one that no database can store.

    Dates, members of enums and structs become what JSON has for them. Text has no NUL and no half of a surrogate pair,
    and numbers fit into 64 bits. A float without a fraction is an integer: JSON does not distinguish them (RFC 8259,
    section 6).
    """
    if isinstance(value, str):
        # Most fields are text.
        return storable_text(value)
    try:
        plain = msgspec.to_builtins(value)
    except (TypeError, ValueError, RecursionError):
        raise msgspec.ValidationError(f"Expected a JSON value, got `{type(value).__name__}`") from None
    return _checked(plain, MAX_DEPTH)


def _checked(value: Any, levels: int) -> Any:
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float):
        return _number(value)
    if levels == 0:
        raise msgspec.ValidationError(f"Has more than {MAX_DEPTH} levels")
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise msgspec.ValidationError("The names of an object are text")
        return {storable_text(name): _checked(item, levels - 1) for name, item in value.items()}
    return [_checked(item, levels - 1) for item in value]


def storable_text(value: str) -> str:
    """Return a text. Raises msgspec.ValidationError for one with NUL or with half of a surrogate pair."""
    if "\0" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
        raise msgspec.ValidationError("Contains characters that are not allowed")
    return value


def _number(value: int | float) -> int | float:  # noqa: PYI041 (they are kept apart)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise msgspec.ValidationError("Expected `float`, got a value that is no number")
        return int(value) if value.is_integer() and -INT64 <= value < INT64 else value
    if not -INT64 <= value < INT64:
        raise msgspec.ValidationError("Expected `int` of 64 bits")
    return value
