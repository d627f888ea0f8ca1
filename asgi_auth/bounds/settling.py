"""Work that a call hands to the background, and that is done before its answer (`Settings(after_answer=False)`).

async with Settling(enabled=True) as settling:
...                        # `hand_over(delivery.settle, task)` in here, by whatever the call reaches
settling.seconds = 2.0     # the longest wait; the block ends when the work is done
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, Token
from typing import Any, Self, TypeAlias

from asgi_auth.bounds.deadline import DEFAULT, Deadline
from asgi_auth.process.log import logger

#: Waits for the items that a call has handed over, for so many seconds at most.
Settle: TypeAlias = Callable[[list[Any], float], Awaitable[None]]
_handed: ContextVar[dict[Settle, list[Any]] | None] = ContextVar("asgi_auth_handed", default=None)


def hand_over(settle: Settle, item: Any = None) -> None:
    """Let the current call wait for an item before its answer; a no-op for calls that answer first."""
    handed = _handed.get()
    if handed is not None:
        handed.setdefault(settle, []).append(item)


class Settling:
    """Waits at the end of a block for what was handed over inside of it; a no-op inside of another such block.

    Trouble with that work is logged, and changes neither the answer nor the error of the block.
    """

    def __init__(self, *, enabled: bool) -> None:
        """Take whether calls wait at all."""
        #: The longest wait, in seconds.
        self.seconds = DEFAULT
        self._enabled = enabled
        self._token: Token[dict[Settle, list[Any]] | None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to note what is handed over."""
        if self._enabled and _handed.get() is None:
            self._token = _handed.set({})
        return self

    async def __aexit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Wait, unless the call was cancelled."""
        if self._token is None:
            return
        handed = _handed.get() or {}
        _handed.reset(self._token)
        if isinstance(error, asyncio.CancelledError):
            return
        # Of its own: the pace of requests is not that of mailers.
        with Deadline(self.seconds) as deadline:
            for settle, items in handed.items():
                try:
                    await settle(items, deadline.left())
                except Exception:
                    logger.exception("asgi_auth could not finish its work before an answer")
