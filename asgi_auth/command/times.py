"""Times in arguments and in output."""

import re
from datetime import UTC, datetime

from asgi_auth.command.refusals import WrongUseError
from asgi_auth.model.limits import YEAR_9999

#: A duration from now on, and the seconds of its units.
DURATION = re.compile(r"(\d{1,6})([smhdw])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def seconds_of(text: str, now: float) -> int:
    """Return a time in seconds since 1970: a duration from `now`, or a date and time in ISO 8601, by default in UTC.

    Raises WrongUseError for another text, and for a time that is over.
    """
    at = _at(text, now, 1)
    if at <= now:
        raise WrongUseError(f"{text} is over")
    return at


def past_seconds_of(text: str, now: float) -> int:
    """Return a time in seconds since 1970: a duration before `now`, or a date and time in ISO 8601, by default in UTC.

    Raises WrongUseError for another text, and for a time before 1970.
    """
    at = _at(text, now, -1)
    if at < 0:
        raise WrongUseError(f"{text} is before 1970")
    return at


def _at(text: str, now: float, sign: int) -> int:
    if match := DURATION.fullmatch(text):
        at = int(now) + sign * int(match[1]) * UNITS[match[2]]
        if at > YEAR_9999:
            raise WrongUseError(f"{text} ends after the year 9999")
        return at
    try:
        moment = datetime.fromisoformat(text)
        return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise WrongUseError(f"{text!r} is not a time, such as 2027-01-31, 2027-01-31T12:00Z or 7d") from None


def shown_time(seconds: float) -> str:
    """Return a time as text, in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
