"""Guards of any ASGI app: the identity in a scope, if it meets demands."""

from collections.abc import Mapping
from typing import Any, Unpack

from asgi_auth.sessions.demand import Demand, Demands
from asgi_auth.sessions.guarded import note_missing
from asgi_auth.sessions.identity import ANONYMOUS, Identity


def require(scope: Mapping[str, Any], **demands: Unpack[Demands]) -> Identity:
    """Return the identity of a request if it is logged in, and meets the demands: those of `Identity.require`.

    Raises UnauthorizedError (401), ForbiddenError (403), FreshLoginRequiredError (401) or SecondFactorNeededError
    (403); the middleware answers them unless the host handles them. Raises UnauthorizedError when the middleware is
    missing.
    """
    return identity_in(scope).require(**demands)


async def admit(scope: Mapping[str, Any], **demands: Unpack[Demands]) -> Identity:
    """Return the identity of a request as `require` does, and take the demand `verified=True`, too.

    `verified` reads the user from the database, so that it is never older than the call.
    """
    return await identity_in(scope).admit(Demand(**demands))


def identity_in(scope: Mapping[str, Any]) -> Identity:
    """Return the identity of a request; anonymous when the middleware is missing, which is logged once."""
    identity = scope.get("asgi_auth")
    if isinstance(identity, Identity):
        return identity
    note_missing()
    return ANONYMOUS
