"""Whatever the tests' client is answered by the auth routes must be in the document of these routes."""

from typing import Any
from weakref import WeakKeyDictionary

from asgi_auth import AuthApp, AuthMiddleware
from asgi_auth.feature import Served
from asgi_auth.openapi import Info, document
from tests.openapi.support import check, is_at, operation

#: The description of each path that was asked for, by its template: most tests ask for few paths of many.
_documents: WeakKeyDictionary[AuthApp, dict[str, Any]] = WeakKeyDictionary()


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
    path = path.removeprefix(mount)
    described = _described(served, path)
    # At the path of a page, what is not a page is not in the document of the endpoints.
    if served.pages is not None and operation(described, method, path) is None:
        return
    check(described, method, path, answer)


def _described(app: AuthApp, path: str) -> Any:
    template = next((each for each, _ in app.routes if is_at(each, path)), "")
    known = _documents.setdefault(app, {})
    if template not in known:
        routes: Any = [(each, route) for each, route in app.routes if each == template]
        known[template] = document(app.auth, Served(routes, "/"), Info())
    return known[template]


def _is_of_pages(answer: Any) -> bool:
    """Tell whether an answer is a page, what a page loads, or the redirect behind a form."""
    kind = str(answer.header("content-type") or "").partition(";")[0]
    return bool(kind.startswith("text/") or answer.status == 303)
