"""Mailers that send nothing themselves: to the console, to a test, to functions of the host."""

import asyncio
import inspect
import logging
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import Any, TextIO

from asgi_auth.mail.message import Mail, Mailer, MailError, TemporaryMailError
from asgi_auth.texts import purposes

logger: logging.Logger = logging.getLogger("asgi_auth")
THREADS = 4


class ConsoleMailer:
    """Prints mails: for development, where the link is clicked in the terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Print to `stream`, by default to the standard error output."""
        self._stream = stream

    async def send(self, mail: Mail) -> None:
        """Print the text; what could command a terminal is left out."""
        text = f"To: {mail.to}\nSubject: {mail.subject}\n\n{mail.text.strip()}"
        shown = "".join(sign for sign in text if sign.isprintable() or sign == "\n")
        line = "-" * 72
        print(line, shown, line, sep="\n", file=self._stream or sys.stderr, flush=True)


class Outbox:
    """Keeps mails in `mails`: for tests."""

    def __init__(self) -> None:
        """Begin empty."""
        self.mails: list[Mail] = []
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    def __len__(self) -> int:
        """Count the mails that were not taken out."""
        return len(self.mails)

    async def send(self, mail: Mail) -> None:
        """Keep."""
        self.mails.append(mail)
        for loop, arrived in self._waiting:
            # The one who waits may run in another thread's loop: test clients do.
            loop.call_soon_threadsafe(arrived.set)

    async def next(self, purpose: str | None = None, to: str | None = None, seconds: float = 5) -> Mail:
        """Take out the oldest mail that fits, waiting for it. Raises TimeoutError, which tells what is there."""
        waiting = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(seconds):
                while (mail := self._take(purpose, to)) is None:
                    await waiting[1].wait()
                    waiting[1].clear()
        except TimeoutError:
            raise TimeoutError(f"no mail {purpose or ''} to {to or 'anybody'}; there are {self.mails}") from None
        finally:
            self._waiting.remove(waiting)
        return mail

    def _take(self, purpose: str | None, to: str | None) -> Mail | None:
        for mail in self.mails:
            if purpose in {None, mail.purpose} and to in {None, mail.to}:
                self.mails.remove(mail)
                return mail
        return None


class FunctionMailer:
    """Sends by a function of the host, async or not, that takes the mail; for `seconds` at most."""

    def __init__(self, function: Callable[[Mail], Any], seconds: float = 30) -> None:
        """Take the function."""
        self._call = _BoundedCall(seconds)
        self._function = function

    async def send(self, mail: Mail) -> None:
        """Call it; raise TemporaryMailError when it takes too long."""
        await self._call(self._function, mail)


class Callbacks:
    """Hands over to functions of the host, async or not: `Callbacks(verify_email=send)` calls `send(email, token)`.

    One for each purpose; `others`, a mailer or a function that takes the mail, sends what has none. Raises ValueError
    for a purpose that there isn't; so does `Auth` when a feature's mail would go nowhere. A function that takes longer
    than 30 seconds has failed, and is tried again.
    """

    def __init__(
        self, *, others: Mailer | Callable[[Mail], Any] | None = None, **functions: Callable[[str, str], Any]
    ) -> None:
        """Take the functions by purpose."""
        if unknown := functions.keys() - purposes():
            raise ValueError(f"no mail has the purpose {sorted(unknown)}; there are {sorted(purposes())}")
        self._call = _BoundedCall()
        self._functions = functions
        self._others = as_mailer(others)

    def check(self, wanted: Iterable[str]) -> None:
        """Raise ValueError when one of these purposes has no function, and there are no `others`."""
        if self._others is None and (missing := set(wanted) - self._functions.keys()):
            raise ValueError(f"no callback for the mails {', '.join(sorted(missing))}; others=… takes all of them")

    async def send(self, mail: Mail) -> None:
        """Call the function of this purpose; raise TemporaryMailError when it takes too long."""
        function = self._functions.get(mail.purpose)
        if function is not None:
            await self._call(function, mail.to, mail.token)
        elif self._others is not None:
            await self._others.send(mail)
        else:
            raise MailError(f"there is no callback for mails of the purpose {mail.purpose}")


class _Threads:
    """At most THREADS threads that nobody waits for: an executor's would keep the process from ending."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[object, ...]]] = SimpleQueue()
        self._free = threading.BoundedSemaphore(THREADS)

    def submit(self, function: Callable[..., Any], *args: object) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.put((future, function, args))
        if self._free.acquire(blocking=False):
            threading.Thread(target=self._work, name="asgi-auth-mail", daemon=True).start()
        return future

    def _work(self) -> None:
        """Call what waits, and end."""
        while True:
            try:
                future, function, args = self._waiting.get_nowait()
            except Empty:
                break
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(function(*args))
                except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
                    future.set_exception(error)
        self._free.release()


class _BoundedCall:
    """Calls functions for a bounded time; those that aren't async run in threads of their own.

    The default threads of the loop are the host's: functions that hang must not fill them.
    """

    def __init__(self, seconds: float = 30) -> None:
        self._seconds = seconds
        self._threads = _Threads()

    async def __call__(self, function: Callable[..., Any], *args: object) -> None:
        try:
            async with asyncio.timeout(self._seconds) as bound:
                await self._result(function, args)
        except TimeoutError:
            if not bound.expired():
                raise
            raise TemporaryMailError(f"the mail function took longer than {self._seconds} seconds") from None

    async def _result(self, function: Callable[..., Any], args: tuple[object, ...]) -> None:
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 (an object may be called, too)
            await function(*args)
            return
        result = await asyncio.wrap_future(self._threads.submit(function, *args))
        if isinstance(result, Awaitable):
            await result


def as_mailer(given: Mailer | Callable[[Mail], Any] | None, *, development: bool = False) -> Mailer | None:
    """Make a mailer of what a host gave: a mailer, a function, or nothing, which is the console in development."""
    if given is None:
        return ConsoleMailer() if development else None
    if isinstance(given, Mailer) and not isinstance(given, type):
        return given
    if not callable(given) or isinstance(given, type):
        raise TypeError("mailer is an object with an async method send(mail), or a function that takes the mail")
    return FunctionMailer(given)
