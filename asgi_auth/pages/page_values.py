"""The values in the URL of a page: in its path as `{id}`, in its query, and in the references to it in `next`."""

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

#: A value in a path.
NAMED = re.compile(r"\{(\w+)\}")


def names_in(path: str) -> tuple[str, ...]:
    """Return the names of the values in a path."""
    return tuple(NAMED.findall(path))


def filled(path: str, values: Mapping[str, str]) -> str:
    """Return a path with those of its values that are given; the others stay as `{name}`."""
    return NAMED.sub(lambda found: quote(values[found[1]], safe="") if values.get(found[1]) else found[0], path)


def reference(page: str, values: Mapping[str, str]) -> str:
    """Return the name of a page with the values of its URL, as `user?id=7`."""
    given = {name: value for name, value in values.items() if value}
    return f"{page}?{urlencode(given)}" if given else page


def parse_reference(text: str) -> tuple[str, dict[str, str]]:
    """Return the name of a page and the values of its URL. Any text is a name and no values, at worst."""
    page, _, query = text.partition("?")
    try:
        return page, dict(parse_qsl(query, max_num_fields=20))
    except ValueError:
        return page, {}
