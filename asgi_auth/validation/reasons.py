"""Why a field was refused: an English sentence for clients, and its code, by which pages say it in other languages."""

import re
from typing import Any, Self

from asgi_auth.texts import shipped

#: What msgspec says of a value that doesn't fit, and the code that we have for it.
MSGSPEC = (
    (re.compile(r"of length >= 1\b"), "missing"),
    (re.compile(r"of length >= (?P<count>\d+)"), "too_short"),
    (re.compile(r"of length <= (?P<count>\d+)"), "too_long"),
    (re.compile(r"Expected `(int|float)\b"), "no_number"),
    (re.compile(r"characters that are not allowed"), "characters"),
)


class Reason(str):
    """A reason as text; `code` and `values` find it in the catalogue, as `reason.<code>`."""

    __slots__ = ("code", "values")
    code: str
    values: dict[str, Any]

    def __new__(cls, code: str, text: str | None = None, /, **values: Any) -> Self:
        """Make a reason; without a `text` it is the English one of the catalogue. Raises KeyError without one."""
        sentence = shipped()["en"][f"reason.{code}"].format_map(values) if text is None else text
        reason = super().__new__(cls, sentence)
        reason.code, reason.values = code, values
        return reason

    @classmethod
    def of(cls, error: Exception) -> "Reason":
        """Take what msgspec says, word for word, and find the code for it."""
        text = f"{error}."
        for pattern, code in MSGSPEC:
            if found := pattern.search(text):
                return cls(code, text, **found.groupdict())
        return cls("invalid", text)
