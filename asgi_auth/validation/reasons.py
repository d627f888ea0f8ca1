"""Reasons why a field is invalid: an English sentence for clients, and a code that pages translate."""

import re
from typing import Any, Self

import msgspec

from asgi_auth.texts import shipped

#: Patterns of the error messages of msgspec, each with our code.
MSGSPEC = (
    (re.compile(r"`array` of length >= 1\b"), "missing"),
    (re.compile(r"`array` of length <= (?P<count>\d+)"), "too_many_items"),
    (re.compile(r"Invalid enum value"), "choice"),
    (re.compile(r"encoded datetime|Expected `datetime|timezone component"), "datetime"),
    (re.compile(r"encoded date|Expected `date"), "date"),
    (re.compile(r"Expected `(?:int|float)` >= (?P<limit>\S+?)(?=\.?(?: |$))"), "too_small"),
    (re.compile(r"Expected `(?:int|float)` <= (?P<limit>\S+?)(?=\.?(?: |$))"), "too_large"),
    (re.compile(r"Expected `(?:object|array)`"), "structure"),
    (re.compile(r"of length >= 1\b"), "missing"),
    (re.compile(r"of length >= (?P<count>\d+)"), "too_short"),
    (re.compile(r"of length <= (?P<count>\d+)"), "too_long"),
    (re.compile(r"Expected `(int|float)\b"), "no_number"),
    (re.compile(r"characters that are not allowed"), "characters"),
)


#: The codes whose own text is plainer than the message of msgspec; a message with a place in a list is kept.
PLAIN = frozenset({"missing", "too_many_items", "too_short", "too_long", "too_small", "too_large"})


class Reason(str):
    """A reason as an English sentence. `code` and `values` find its translations in the catalog: `reason.<code>`."""

    __slots__ = ("code", "values")
    code: str
    values: dict[str, Any]

    def __new__(cls, code: str, text: str | None = None, /, **values: Any) -> Self:
        """Make a reason, with the English text of the catalog by default. Raises KeyError for an unknown code."""
        sentence = shipped()["en"][f"reason.{code}"].format_map(values) if text is None else text
        reason = super().__new__(cls, sentence)
        reason.code, reason.values = code, values
        return reason

    @classmethod
    def of(cls, error: Exception) -> "Reason":
        """Make the reason of a msgspec.ValidationError: the text of the code that matches, or the message."""
        if isinstance(error, FieldError):
            return error.reason
        text = f"{error}."
        for pattern, code in MSGSPEC:
            if match := pattern.search(text):
                own = code in PLAIN and match.string.endswith(match[0] + ".")
                return cls(code, None if own else text, **match.groupdict())
        return cls("invalid", text)


class FieldError(msgspec.ValidationError):
    """A value that the declaration of its field does not allow, with the reason."""

    def __init__(self, reason: Reason) -> None:
        """Take the reason."""
        super().__init__(str(reason))
        self.reason = reason
