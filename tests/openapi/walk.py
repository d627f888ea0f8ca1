"""Whatever the tests' client is answered by the auth routes must be in the document of these routes."""

from typing import Any
from weakref import WeakKeyDictionary

from asgi_auth import AuthApp, AuthMiddleware
from asgi_auth.feature import Served
from asgi_auth.openapi import Info, document
from tests.openapi.support import check, operation

_documents: WeakKeyDictionary[AuthApp, Any] = WeakKeyDictionary()


def is_described(app: object, method: str, path: str, answer: Any) -> None:
    """Assert that an answer of our own routes, and of no page, is in their document."""
    mount: str
    served: object
    mount, served = "", app
    if isinstance(app, AuthMiddleware):
        mount, served = app._mount, app._served
    path = path.partition("?")[0]
    if not isinstance(served, AuthApp) or not path.startswith(f"{mount}/"):
        return
    if served.pages is not None and _is_of_pages(answer):
        return
    if served not in _documents:
        _documents[served] = document(served.auth, Served(served.routes, "/"), Info())
    path = path.removeprefix(mount)
    # At the path of a page, what is not a page is not in the document of the endpoints.
    if served.pages is not None and operation(_documents[served], method, path) is None:
        return
    check(_documents[served], method, path, answer)


def _is_of_pages(answer: Any) -> bool:
    """Tell whether an answer is a page, what a page loads, or the redirect behind a form."""
    kind = str(answer.header("content-type") or "").partition(";")[0]
    return bool(kind.startswith("text/") or answer.status == 303)
