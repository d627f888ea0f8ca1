"""Whatever the tests' client is answered by the auth routes must be in the document of these routes."""

from typing import Any
from weakref import WeakKeyDictionary

from asgi_auth import AuthApp, AuthMiddleware
from asgi_auth.feature import Served
from asgi_auth.openapi import Info, document
from tests.openapi.support import check

_documents: WeakKeyDictionary[AuthApp, Any] = WeakKeyDictionary()


def is_described(app: object, method: str, path: str, answer: Any) -> None:
    """Assert that an answer of our own routes, and of no page, is in their document."""
    mount: str
    served: object
    mount, served = "", app
    if isinstance(app, AuthMiddleware):
        mount, served = app._mount, app._served
    path = path.partition("?")[0]
    if not isinstance(served, AuthApp) or served.pages is not None or not path.startswith(f"{mount}/"):
        return
    if served not in _documents:
        _documents[served] = document(served.auth, Served(served.routes, "/"), Info())
    check(_documents[served], method, path.removeprefix(mount), answer)
