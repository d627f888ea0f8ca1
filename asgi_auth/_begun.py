"""A coroutine that has begun: what ends at once needs no timer, and what is not cancelled needs no task."""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Begun(Generic[T]):
    """A coroutine that has run until it waits for the first time, or to its end.

    Await it for the result, and nothing that waits before it.
    """

    __slots__ = ("_result", "_waits_for", "_work", "is_done")

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        """Run the coroutine; raises what it raises."""
        self._work = work
        #: Whether the coroutine has ended.
        self.is_done: bool = False
        try:
            self._waits_for = work.send(None)
        except StopIteration as end:
            self.is_done = True
            self._result: T = end.value

    def __await__(self) -> Generator[Any, Any, T]:
        """Go on to the end of the coroutine; a cancellation reaches it."""
        while not self.is_done:
            sent, error = None, None
            try:
                sent = yield self._waits_for
            except BaseException as raised:  # noqa: BLE001 (the coroutine gets it)
                error = raised
            self._go_on(sent, error)
        return self._result

    async def rest(self) -> T:
        """Go on to the end of the coroutine, as a coroutine."""
        return await self

    async def spared(self) -> None:
        """Go on to the end of the coroutine; a cancellation does not reach it. Await it in another task then."""
        while not self.is_done:
            waits_for = self._waits_for
            try:
                # Without a future, the coroutine gives others their turn.
                await (asyncio.sleep(0) if waits_for is None else asyncio.shield(waits_for))
            except asyncio.CancelledError:
                if waits_for is None or not waits_for.cancelled():
                    raise
            except Exception:  # noqa: BLE001, S110 (the coroutine raises it)
                pass
            self._go_on(None, None)

    def _go_on(self, sent: Any, error: BaseException | None) -> None:
        try:
            self._waits_for = self._work.send(sent) if error is None else self._work.throw(error)
        except StopIteration as end:
            self.is_done = True
            self._result = end.value
        except BaseException:
            self.is_done = True
            raise
