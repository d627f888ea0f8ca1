"""The query of a page's URL."""

from urllib.parse import parse_qsl

from starlette.types import Scope

MAX_FIELDS = 20


def query_of(scope: Scope) -> dict[str, str]:
    """Return the values of the query; empty for an ambiguous one."""
    try:
        text = scope["query_string"].decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:
        return {}
    found = dict(pairs)
    return found if len(found) == len(pairs) else {}
