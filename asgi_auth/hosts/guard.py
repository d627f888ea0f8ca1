"""The decorators `require` and `login_required`, for sync and async functions. Import them from the framework's module.

    from asgi_auth.hosts.starlette import login_required, require

    @require(roles="admin")
    async def admin(request: Request) -> Response: ...

The decorators read the user from a context variable that `AuthMiddleware` sets: they need no request object. Without
`AuthMiddleware`, they reject every call, and the log says so once.
"""

from collections.abc import Callable
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar, Unpack

from asgi_auth.sessions.demand import Demand, Demands
from asgi_auth.sessions.guarded import guarded_user

F = TypeVar("F", bound=Callable[..., Any])


def require(**demands: Unpack[Demands]) -> Callable[[F], F]:
    """Return a decorator that requires a login which meets the demands: those of `Identity.require`.

    The decorated function raises UnauthorizedError, ForbiddenError, FreshLoginRequiredError, SecondFactorNeededError,
    or EmailNotVerifiedError. `install` of the framework's module (Django: `IdentityMiddleware`) converts these errors
    to responses.
    """
    demand = Demand(**demands)

    def decorate(function: F) -> F:
        @wraps(function)
        async def checked_async(*args: Any, **kwargs: Any) -> Any:
            await guarded_user().admit(demand)
            return await function(*args, **kwargs)

        @wraps(function)
        def checked(*args: Any, **kwargs: Any) -> Any:
            guarded_user().admit_in_thread(demand)
            return function(*args, **kwargs)

        return checked_async if iscoroutinefunction(function) else checked  # type: ignore[return-value]  # wraps F

    return decorate


def login_required(function: F) -> F:
    """Require a login: the same as `require()`. The decorated function raises UnauthorizedError."""
    return require()(function)
