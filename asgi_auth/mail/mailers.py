"""Mailers that do not use the network: to the console, to tests, and to functions of the host."""

import asyncio
import inspect
import sys
import threading
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, TextIO

from asgi_auth.mail.message import Mail, Mailer, MailError, TemporaryMailError
from asgi_auth.process.fork import leave_behind, renew_after_fork
from asgi_auth.texts.added import known_purposes

MAX_THREADS = 4


class ConsoleMailer:
    """Prints mails, for development: the developer opens the link from the terminal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Take the stream to print to. The default is the standard error stream."""
        self._stream = stream

    async def send(self, mail: Mail) -> None:
        """Print the mail, without control characters: a terminal would interpret them."""
        text = f"To: {mail.to}\nSubject: {mail.subject}\n\n{mail.text.strip()}"
        shown = "".join(character for character in text if character.isprintable() or character == "\n")
        line = "-" * 72
        print(line, shown, line, sep="\n", file=self._stream or sys.stderr, flush=True)


class FunctionMailer:
    """Passes each mail to a function of the host, sync or async, with a time limit in seconds."""

    def __init__(self, function: Callable[[Mail], Any], seconds: float = 30) -> None:
        """Take the function and its time limit."""
        self._call = _BoundedCall(seconds)
        self._function = function

    async def send(self, mail: Mail) -> None:
        """Call the function with the mail. Raises TemporaryMailError when the function exceeds its time limit."""
        await self._call(self._function, mail)


class Callbacks:
    """Passes addresses and tokens to functions of the host: `Callbacks(verify_email=send)` calls `send(email, token)`.

    Each purpose has its own function, sync or async. `others` is a mailer, or a function of the mail, for purposes
    without a function. A function that takes longer than 30 seconds has failed, and is called again later.

    A purpose is one of the library, or one that the class of a feature names in `mails`. Raises ValueError for any
    other. `Auth` raises ValueError when a feature sends a mail that no function takes.
    """

    def __init__(
        self, *, others: Mailer | Callable[[Mail], Any] | None = None, **functions: Callable[[str, str], Any]
    ) -> None:
        """Take one function per purpose."""
        if unknown := functions.keys() - known_purposes():
            raise ValueError(f"unknown mail purposes {sorted(unknown)}; the known ones are {sorted(known_purposes())}")
        self._call = _BoundedCall()
        self._functions = functions
        self._others = as_mailer(others)

    def check(self, wanted: Iterable[str]) -> None:
        """Raise ValueError when one of the `wanted` purposes has no function, and `others` is not set."""
        if self._others is None and (missing := set(wanted) - self._functions.keys()):
            raise ValueError(
                f"no callback for the mails {', '.join(sorted(missing))}; set functions for them, or others=…"
            )

    async def send(self, mail: Mail) -> None:
        """Call the function of the mail's purpose. Raises TemporaryMailError when it takes too long."""
        function = self._functions.get(mail.purpose)
        if function is not None:
            await self._call(function, mail.to, mail.token)
        elif self._others is not None:
            await self._others.send(mail)
        else:
            raise MailError(f"no callback for the mail {mail.purpose}")


class _Threads:
    """Up to MAX_THREADS daemon threads. The threads of an executor would keep the process from exiting."""

    def __init__(self) -> None:
        self._start()
        renew_after_fork(self)

    def _start(self) -> None:
        self._waiting: SimpleQueue[tuple[Future[Any], Callable[..., Any], tuple[object, ...]]] = SimpleQueue()
        self._free = threading.BoundedSemaphore(MAX_THREADS)

    def renew(self) -> None:
        """Start over in a forked child: the waiting calls belong to the parent."""
        leave_behind(self._waiting)
        self._start()

    def submit(self, function: Callable[..., Any], *args: object) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.put((future, function, args))
        if self._free.acquire(blocking=False):
            try:
                threading.Thread(target=self._work, name="asgi-auth-mail", daemon=True).start()
            except BaseException:
                # The system started no thread. The caller sends the mail again, so this call must not run later.
                future.cancel()
                self._free.release()
                raise
        return future

    def _work(self) -> None:
        """Run the waiting calls, then end the thread."""
        while True:
            self._run_waiting()
            self._free.release()
            # A call that arrived before the release has started no thread.
            if self._waiting.empty() or not self._free.acquire(blocking=False):
                return

    def _run_waiting(self) -> None:
        with suppress(Empty):
            while True:
                future, function, args = self._waiting.get_nowait()
                if future.set_running_or_notify_cancel():
                    _run(future, function, args)


def _run(future: Future[Any], function: Callable[..., Any], args: tuple[object, ...]) -> None:
    try:
        future.set_result(function(*args))
    except BaseException as error:  # noqa: BLE001 (the caller gets it)
        future.set_exception(error)


class _BoundedCall:
    """Calls functions with a time limit in seconds. Sync functions run in separate threads.

    The default executor of the loop belongs to the host: functions that hang must not block it.
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
        if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None)):  # noqa: B004 (an object can be callable, too)
            await function(*args)
            return
        result = await asyncio.wrap_future(self._threads.submit(function, *args))
        if isinstance(result, Awaitable):
            await result


def as_mailer(given: Mailer | Callable[[Mail], Any] | None, *, development: bool = False) -> Mailer | None:
    """Return the mailer for an argument of `Auth`: a mailer, a function of the mail, or None.

    None is the console in development, otherwise no mailer. Raises TypeError for any other argument.
    """
    if given is None:
        return ConsoleMailer() if development else None
    if isinstance(given, Mailer) and not isinstance(given, type):
        return given
    if not callable(given) or isinstance(given, type):
        raise TypeError("mailer must be an object with an async method send(mail), or a function that takes the mail")
    return FunctionMailer(given)
