"""Gradio: `@require`, `@login_required` and `@with_user`, for the functions of events.

    @require(roles="staff")                                            # 1. Guard the function of an event.
    def answer(message: str) -> str: ...

    button.click(answer, box, box)
    web = gr.mount_gradio_app(FastAPI(), demo, path="/ui")
    app = AuthMiddleware(web, auth, mount="/auth", required=True)      # 2. Authenticate, and serve the auth routes.

Gradio runs events in workers of its own, where `current_user()` is anonymous. Within a decorated function, it is the
user of the request that has sent the event. Functions may be sync or async, and generators.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, Unpack, cast

try:
    from gradio import Error
    from gradio.context import LocalContext
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.gradio needs Gradio: pip install gradio") from _error

from asgi_auth.errors import AuthError
from asgi_auth.hosts.guard import F
from asgi_auth.sessions.demand import Demand, Demands
from asgi_auth.sessions.handover import acting_as, identity_of
from asgi_auth.sessions.identity import ANONYMOUS, Identity, current_user

__all__ = ["current_user", "login_required", "require", "with_user"]


def require(**demands: Unpack[Demands]) -> Callable[[F], F]:
    """Return a decorator that requires a login which meets the demands: those of `Identity.require`.

    Gradio shows the reason of a refusal to the user of the page.
    """
    demand = Demand(**demands)

    def decorate(function: F) -> F:
        return _wrapped(function, demand)

    return decorate


def login_required(function: F) -> F:
    """Require a login: the same as `require()`."""
    return require()(function)


def with_user(function: F) -> F:
    """Set `current_user()` for a function, and refuse no request."""
    return _wrapped(function, None)


def _wrapped(function: F, demand: Demand | None) -> F:
    """Wrap a function of its own kind: Gradio treats generators and coroutines in different ways."""
    if isasyncgenfunction(function) or iscoroutinefunction(function):
        return cast("F", _wrapped_async(function, demand))
    return cast("F", _wrapped_sync(function, demand))


def _wrapped_sync(function: Callable[..., Any], demand: Demand | None) -> Callable[..., Any]:
    @wraps(function)
    def plain(*args: Any, **kwargs: Any) -> Any:
        with _acting(identity := _identity()):
            if demand is not None:
                identity.admit_in_thread(demand)
            return function(*args, **kwargs)

    @wraps(function)
    def steps(*args: Any, **kwargs: Any) -> Iterator[Any]:
        identity, made = _identity(), function(*args, **kwargs)
        with _acting(identity):
            if demand is not None:
                identity.admit_in_thread(demand)
        # Each step may run in another thread.
        while True:
            with _acting(identity):
                try:
                    value = next(made)
                except StopIteration:
                    return
            yield value

    return steps if isgeneratorfunction(function) else plain


def _wrapped_async(function: Callable[..., Any], demand: Demand | None) -> Callable[..., Any]:
    @wraps(function)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        with _acting(identity := _identity()):
            if demand is not None:
                await identity.admit(demand)
            return await function(*args, **kwargs)

    @wraps(function)
    async def steps(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        identity, made = _identity(), function(*args, **kwargs)
        with _acting(identity):
            if demand is not None:
                await identity.admit(demand)
        while True:
            with _acting(identity):
                try:
                    value = await anext(made)
                except StopAsyncIteration:
                    return
            yield value

    return steps if isasyncgenfunction(function) else awaited


def _identity() -> Identity:
    """Return the user of the request that has sent the event; anonymous where Gradio knows of none."""
    request = LocalContext.request.get()
    return identity_of(request) if request is not None else ANONYMOUS


@contextmanager
def _acting(identity: Identity) -> Iterator[None]:
    """Set `current_user()` for a block, and let Gradio show the errors of this library."""
    try:
        with acting_as(identity):
            yield
    except AuthError as error:
        raise Error(error.detail, print_exception=False) from error
