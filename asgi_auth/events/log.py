"""Events as records of the logger `asgi_auth`: flat, JSON-serializable, without secrets or control characters."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import Event
from asgi_auth.process.log import logger

LEVELS = {"success": logging.INFO, "failure": logging.WARNING}
#: The reason of requests without any token. Pages send them to find out whether the user is logged in: no attack.
EXPECTED_REASON = "unauthorized"
MAX_TEXT = 255
#: The fields in the text of a record.
SHOWN = ("event_user", "event_actor", "event_address", "event_request")


def level_of(outcome: Outcome, data: Mapping[str, Any]) -> int:
    """Return the log level: WARNING for a failure, INFO for all others."""
    return logging.INFO if data.get("reason") == EXPECTED_REASON else LEVELS[outcome]


def is_written(level: int) -> bool:
    """Tell whether the logger is enabled for a level."""
    return logger.isEnabledFor(level)


def write(event: Event, level: int) -> None:
    """Log an event; its fields are attributes `event_…` of the record (ASVS 16.2, 16.4.1)."""
    if is_written(level):
        why = "".join(f" {name}={encoded(event.data[name])}" for name in ("reason", "cause") if event.data.get(name))
        extra = fields_of(event)
        shown = " ".join(f"{name[6:]}={extra[name]}" for name in SHOWN if name != "event_actor" or event.actor)
        logger.log(
            level,
            "%s %s (%s) %s%s",
            extra["event_name"],
            event.outcome,
            extra["event_code"],
            shown,
            why,
            extra=extra,
        )


def fields_of(event: Event) -> dict[str, Any]:
    """Return the fields of an event, safe to log; the time is UTC, with its offset (ASVS 16.2.2)."""
    client = event.client
    return {
        "event_name": encoded(event.name),
        "event_outcome": event.outcome,
        "event_code": encoded(event.code),
        "event_time": datetime.fromtimestamp(event.at, UTC).isoformat(),
        "event_user": encoded(event.user_id),
        "event_actor": encoded(event.actor),
        "event_session": event.session,
        "event_address": encoded(client.address),
        "event_agent": encoded(client.user_agent),
        "event_request": encoded(client.request_id),
        "event_data": encoded(event.data),
    }


def encoded(value: Any) -> Any:
    """Make a value safe for log lines and terminals: escape unprintable characters, truncate long texts."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        text = value[:MAX_TEXT]
        if not text.isprintable():
            text = "".join(char if char.isprintable() else _escape(char) for char in text)[:MAX_TEXT]
        return text
    if isinstance(value, Mapping):
        return {encoded(str(key)): encoded(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encoded(item) for item in value]
    return type(value).__name__


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode()
