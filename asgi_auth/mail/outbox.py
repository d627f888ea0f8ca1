"""A mailer that keeps the mails, for tests."""

import asyncio
import threading
from collections.abc import Callable

from asgi_auth.mail.message import Mail
from asgi_auth.process.threads import is_on_a_loop


class Outbox:
    """Keeps mails in the list `mails`, for tests.

    `last`, `code`, `link` and `token` read the newest mail to an address. They wait for it in tests without an event
    loop of their own, where a test client runs the app in another thread. A test that is async awaits `next`, or has
    `Settings(after_answer=False)`, with which a mail is there before the answer.
    """

    def __init__(self) -> None:
        """Create an empty outbox."""
        self.mails: list[Mail] = []
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
        self._arrival = threading.Condition()

    def __len__(self) -> int:
        """Return the number of mails in the outbox."""
        return len(self.mails)

    async def send(self, mail: Mail) -> None:
        """Add a mail to the outbox."""
        with self._arrival:
            self.mails.append(mail)
            self._arrival.notify_all()
        for loop, arrived in self._waiting:
            # A test client runs the app in the event loop of another thread.
            loop.call_soon_threadsafe(arrived.set)

    async def next(self, purpose: str | None = None, to: str | None = None, seconds: float = 5) -> Mail:
        """Remove and return the oldest mail with this purpose and address; None matches all.

        Waits up to `seconds` for the mail. Raises TimeoutError, whose message lists the mails in the outbox.
        """
        waiting = (asyncio.get_running_loop(), asyncio.Event())
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(seconds):
                while (mail := self._take(purpose, to)) is None:
                    await waiting[1].wait()
                    waiting[1].clear()
        except TimeoutError:
            raise TimeoutError(
                f"no mail {purpose or ''} to {to or 'any address'}; the outbox has {self.mails}"
            ) from None
        finally:
            self._waiting.remove(waiting)
        return mail

    def last(self, to: str | None = None, *, purpose: str | None = None, seconds: float = 5) -> Mail:
        """Return the newest mail to an address and with a purpose, and leave it in the outbox; None matches all.

        Raises LookupError, whose message lists the mails in the outbox; outside of an event loop after `seconds`.
        """
        return self._newest(to, purpose, seconds, lambda _: True, "")

    def code(self, to: str | None = None, *, purpose: str | None = None, seconds: float = 5) -> str:
        """Return the code of the newest mail that has one, as `last` finds it."""
        return self._newest(to, purpose, seconds, lambda mail: bool(mail.code), "with a code").code

    def link(self, to: str | None = None, *, purpose: str | None = None, seconds: float = 5) -> str:
        """Return the link of the newest mail that has one, as `last` finds it."""
        return self._newest(to, purpose, seconds, lambda mail: bool(mail.link), "with a link").link

    def token(self, to: str | None = None, *, purpose: str | None = None, seconds: float = 5) -> str:
        """Return the token in the link of the newest mail that has one, as `last` finds it."""
        return self._newest(to, purpose, seconds, lambda mail: bool(mail.token), "with a token").token

    def clear(self) -> None:
        """Remove all mails."""
        self.mails.clear()

    def _newest(
        self, to: str | None, purpose: str | None, seconds: float, fits: Callable[[Mail], bool], wanted: str
    ) -> Mail:
        found: list[Mail] = []

        def look() -> bool:
            found[:] = [mail for mail in self.mails if _matches(mail, purpose, to) and fits(mail)]
            return bool(found)

        with self._arrival:
            # On an event loop a wait would stop the app that sends the mail.
            self._arrival.wait_for(look, 0 if is_on_a_loop() else seconds)
        if not found:
            described = " ".join(filter(None, ("no mail", purpose, wanted, "to", to or "any address")))
            raise LookupError(
                f"{described}; the outbox has {self.mails}. Async tests await outbox.next(…), or set after_answer=False"
            )
        return found[-1]

    def _take(self, purpose: str | None, to: str | None) -> Mail | None:
        for mail in self.mails:
            if _matches(mail, purpose, to):
                self.mails.remove(mail)
                return mail
        return None


def _matches(mail: Mail, purpose: str | None, to: str | None) -> bool:
    return purpose in {None, mail.purpose} and to in {None, mail.to}
