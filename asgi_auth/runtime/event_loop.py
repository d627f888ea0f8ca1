"""The event loop: the library runs on asyncio, and on loops that are compatible with it, such as uvloop."""

import asyncio
import functools

from asgi_auth.errors import AsyncioRequiredError, AuthError, InternalError
from asgi_auth.process.log import logger


def runs_asyncio() -> bool:
    """Tell whether the caller runs in an event loop of asyncio."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def require_asyncio() -> None:
    """Raise AsyncioRequiredError in any other event loop, such as trio's, and log the reason once."""
    if not runs_asyncio():
        _log_reason()
        raise AsyncioRequiredError


def unexpected(error: Exception, task: str) -> AuthError:
    """Log an unexpected error of a task, and return the error to answer: without asyncio, that is the cause."""
    if runs_asyncio():
        logger.error("asgi_auth failed to %s", task, exc_info=error)
        return InternalError()
    _log_reason()
    return AsyncioRequiredError()


@functools.cache
def _log_reason() -> None:
    logger.error("asgi_auth: %s For hypercorn: --worker-class asyncio.", AsyncioRequiredError.default_detail)
