"""Parts of database URLs: percent-decoding and options. A mistake is a ValueError that shows no password."""

import re
from urllib.parse import unquote

from asgi_auth.process.log import logger

BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def check_text(url: str) -> None:
    """Raise ValueError for spaces at the ends, and for control characters."""
    if url != url.strip() or any(ord(character) < 32 for character in url):
        raise ValueError("the database URL has spaces or control characters at an end or inside; remove them")


def decoded(text: str, what: str) -> str:
    """Decode `%xx`. Raises ValueError for any other use of `%`, and for bytes that are no text."""
    if BROKEN_ESCAPE.search(text):
        raise ValueError(f"the {what} in the database URL has a % that is not followed by two hex digits; write %25")
    try:
        plain = unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise ValueError(f"the {what} in the database URL is not UTF-8") from None
    if "\0" in plain:
        raise ValueError(f"the {what} in the database URL has a null character")
    return plain


def options_of(query: str) -> dict[str, str]:
    """Split a query into options. The last of several wins, and one without a value is not set."""
    found = {}
    for part in filter(None, query.split("&")):
        name, separator, value = part.partition("=")
        if not separator:
            raise ValueError("an option of the database URL has no value")
        found[decoded(name, "option")] = decoded(value, "option")
    return {name: value for name, value in found.items() if value}


def whole(name: str, text: str, least: int) -> int:
    """Convert an option to an integer. Raises ValueError."""
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ValueError(f"the option {name} of the database URL must be an integer of at least {least}")
    return int(text)


def seconds(name: str, text: str) -> float:
    """Convert an option to a positive number. Raises ValueError."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 10**6:
        raise ValueError(f"the option {name} of the database URL must be a positive number of seconds")
    return value


def boolean(name: str, text: str) -> bool:
    """Convert an option to a boolean. Raises ValueError."""
    if text.lower() not in BOOLEANS:
        raise ValueError(f"the option {name} of the database URL must be true or false")
    return BOOLEANS[text.lower()]


def log_ignored(name: str, reason: str) -> None:
    """Log that an option has no effect, and why."""
    logger.warning("the option %s of the database URL is ignored: %s", name, reason)
