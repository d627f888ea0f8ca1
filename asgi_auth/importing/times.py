"""Times and truth values in exports of other systems."""

import math
from datetime import UTC, datetime
from typing import Any

from asgi_auth.model.limits import YEAR_9999

#: Numbers from here on are milliseconds: as seconds, they would be after the year 5138.
MILLISECONDS = 10**11
TRUE = frozenset({"true", "t", "1", "yes"})
FALSE = frozenset({"false", "f", "0", "no"})


def seconds_of(value: Any) -> int:
    """Return a time as seconds since 1970: of a number in seconds or milliseconds, or of a text in ISO 8601.

    A text without a time zone is in UTC. Raises ValueError.
    """
    if isinstance(value, datetime):
        found = _with_zone(value).timestamp()
    elif _is_number(value):
        found = _scaled(float(value))
    elif isinstance(value, str):
        found = _with_zone(datetime.fromisoformat(value)).timestamp()
    else:
        raise ValueError("not a time")
    if not math.isfinite(found) or not 0 <= found <= YEAR_9999:
        raise ValueError("not a time")
    return int(found)


def truth_of(value: Any) -> bool:
    """Return a truth value, also of a number or of a text as databases write it. Raises ValueError."""
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    if text not in TRUE | FALSE:
        raise ValueError("not a truth value")
    return text in TRUE


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and len(value) <= 16
    return isinstance(value, int | float) and not isinstance(value, bool)


def _scaled(value: float) -> float:
    return value / 1000 if abs(value) >= MILLISECONDS else value


def _with_zone(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
