"""The decorator that the hosts share: who is asking stands in a context variable, in sync and async code alike."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from asgi_auth.sessions.identity import current_user

F = TypeVar("F", bound=Callable[..., Any])


def require(*, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> Callable[[F], F]:
    """Let a function run only for somebody logged in, with all `roles`, and not longer ago than `fresh`.

    The function then raises UnauthorizedError, ForbiddenError or FreshLoginRequiredError: `install` answers them.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        async def checked_async(*args: Any, **kwargs: Any) -> Any:
            current_user().require(roles=roles, fresh=fresh)
            return await function(*args, **kwargs)

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            current_user().require(roles=roles, fresh=fresh)
            return function(*args, **kwargs)

        return checked_async if iscoroutinefunction(function) else checked  # type: ignore[return-value]  # as wrapped

    return decorate


def login_required(function: F) -> F:
    """Let a function run only for somebody who is logged in: `require()` without conditions."""
    return require()(function)
