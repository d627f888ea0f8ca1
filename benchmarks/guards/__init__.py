"""One small app for each framework with three routes: no guard, a bare guard, and the guard of the library.

The bare guard is the least that the framework's own idiom offers: a dependency, a decorator, or a guard that does
nothing.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

ROUTES = ("/none", "/bare", "/guarded")
FRAMEWORKS = ("fastapi", "starlette", "litestar", "quart", "flask", "django")


def passed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap an async view in a decorator that does nothing."""

    @wraps(function)
    async def called(*args: Any, **kwargs: Any) -> Any:
        return await function(*args, **kwargs)

    return called
