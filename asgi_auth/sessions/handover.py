"""Work that a host begins outside of a request: the user of the work, and `current_user()` inside of it.

An event of Gradio, for example, sets the user for a block: `with acting_as(identity_of(request)): …`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from asgi_auth.sessions.identity import ANONYMOUS, Identity, current

#: The attributes that lead from the request objects of the hosts to the scope: Gradio and Sanic wrap another object.
WRAPPED = ("request", "transport")


def identity_of(source: Any) -> Identity:
    """Return the identity of a request that a host hands over, long after the request has passed the middleware.

    `source` is an ASGI scope, or a request or websocket of Starlette, FastAPI, Gradio, Litestar, Quart, Django, Falcon,
    BlackSheep, Sanic, or Flask under a2wsgi. Anonymous when `AuthMiddleware` has not seen the request.
    Raises TypeError for an object without a scope.

    The identity is as old as the request: a session that ended since is still shown.
    """
    scope = _scope_of(source)
    if scope is None:
        raise TypeError(f"{type(source).__name__} has no ASGI scope: pass a request, a websocket, or a scope")
    identity = scope.get("asgi_auth")
    return identity if isinstance(identity, Identity) else ANONYMOUS


@contextmanager
def acting_as(identity: Identity) -> Iterator[Identity]:
    """Set `current_user()` for the calls in the block, and for the tasks that they begin.

    For threads, job queues, and events of a host. Raises TypeError for anything but an `Identity`.
    """
    if not isinstance(identity, Identity):
        raise TypeError("acting_as takes an Identity: that of a request, or one of `await auth.authenticate(token)`")
    token = current.set(identity)
    try:
        yield identity
    finally:
        # A host may end a generator in another context than it began in: there is nothing to set back there.
        with suppress(ValueError):
            current.reset(token)


def _scope_of(source: Any) -> Mapping[str, Any] | None:
    """Find the scope: of a request object, of the object that it wraps, or of a WSGI environment."""
    environ = source if isinstance(source, Mapping) else _attribute(source, "environ")
    if isinstance(environ, Mapping) and isinstance(inner := environ.get("asgi.scope"), Mapping):
        return inner
    if isinstance(source, Mapping):
        return source
    holders = (source, *(_attribute(source, name) for name in WRAPPED))
    scopes = (_attribute(holder, "scope") for holder in holders)
    return next((scope for scope in scopes if isinstance(scope, Mapping)), None)


def _attribute(item: Any, name: str) -> Any:
    """Read an attribute; None for one that is missing, or that cannot be read outside of the host's own context."""
    try:
        return getattr(item, name, None)
    except Exception:  # noqa: BLE001 (the objects of a host can raise anything)
        return None
