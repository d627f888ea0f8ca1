"""Values of extra fields as text, in forms and in CSV files."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from asgi_auth.validation.shape import Shape

BOOLEANS = {"true": True, "on": True, "yes": True, "1": True, "false": False, "off": False, "no": False, "0": False}


def from_text(text: str, shape: Shape) -> Any:
    """Return the value of a text in plain JSON types. A text that means none stays text."""
    if shape.kind == "json" or (shape.is_list and text.lstrip().startswith("[")):
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            return text
    if shape.is_list:
        return [_scalar(line.strip(), shape.kind) for line in text.splitlines() if line.strip()]
    return _scalar(text, shape.kind)


def to_text(value: Any, shape: Shape) -> str:
    """Return a stored value as text; empty for None."""
    if value is None:
        return ""
    if shape.is_list and shape.kind != "json":
        lines = [_text(item) for item in value]
        if lines and not lines[0].startswith("[") and all([line] == line.strip().splitlines() for line in lines):
            return "\n".join(lines)
    if shape.is_list or shape.kind == "json":
        return msgspec.json.format(msgspec.json.encode(value)).decode()
    return _text(value)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _scalar(text: str, kind: str) -> Any:
    """Return the value of one line; the text itself if it is none of this kind."""
    if kind == "boolean":
        return BOOLEANS.get(text.strip().lower(), text)
    try:
        if kind in {"integer", "number"}:
            return msgspec.convert(text.strip(), int if kind == "integer" else float, strict=False)
        if kind == "datetime":
            found = datetime.fromisoformat(text.strip())
            return msgspec.to_builtins(found if found.tzinfo else found.replace(tzinfo=UTC))
    except ValueError:
        return text
    return text.strip() if kind in {"date", "email"} else text
