"""Request headers, read from the scope."""

from starlette.types import Scope

from asgi_auth.errors import BadRequestError

FORM_TYPE = "application/x-www-form-urlencoded"


def headers(scope: Scope, name: bytes) -> list[str]:
    """Return all values of a header, in their order."""
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def single_header(scope: Scope, name: bytes) -> str | None:
    """Return the value of a header that may occur once; raises BadRequestError when it occurs twice."""
    values = headers(scope, name)
    if len(values) > 1:
        raise BadRequestError(f"The header {name.decode()} occurs twice.")
    return values[0] if values else None


def is_navigation(scope: Scope) -> bool:
    """Tell the visit of a page by a browser from the request of a script or another client."""
    modes = headers(scope, b"sec-fetch-mode")
    reads = scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}
    return reads and modes in ([], ["navigate"]) and "text/html" in ",".join(headers(scope, b"accept")).lower()


def is_browser_form(scope: Scope) -> bool:
    """Tell a browser's form from a client's request, by the content type and by what it accepts."""
    types = [value.partition(";")[0].strip().lower() for value in headers(scope, b"content-type")]
    return types == [FORM_TYPE] and "text/html" in ",".join(headers(scope, b"accept")).lower()
