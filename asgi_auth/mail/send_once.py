"""One attempt to send a mail: write the letter, render it, pass the mail to the mailer, and classify errors.

Not public: `Delivery` calls `send_once`.
"""

import asyncio
import traceback
from collections.abc import Awaitable, Callable
from typing import Literal, TypeAlias

from asgi_auth.mail.message import Letter, Mail, Mailer, MailError, TemporaryMailError
from asgi_auth.mail.templates import Templates
from asgi_auth.process.background import is_cancelled
from asgi_auth.process.log import logger

#: Writes a letter, or returns None if there is nothing to send.
WriteLetter: TypeAlias = Callable[[], Awaitable[Letter | None]]
#: `nothing`: there was no letter, or the letter was a decoy.
Result: TypeAlias = Literal["sent", "retry", "nothing"]
#: The time limit for one call of a mailer, in seconds. A mailer that hangs would keep its worker forever.
SEND_TIMEOUT = 120.0


class PendingMail:
    """A mail between its attempts.

    `purpose` and `user_id` are empty until the letter is written, `mail` is None until the letter is rendered.
    `last_error` describes the error of the last attempt, for the log.
    """

    def __init__(self, write: WriteLetter) -> None:
        """Take the function that writes the letter."""
        self.write = write
        self.purpose = ""
        self.user_id: str | None = None
        self.mail: Mail | None = None
        self.last_error = ""


class GiveUpError(Exception):
    """A mail is not sent, and not attempted again. `reason` is one of those of `Delivery`; `detail` is for the log."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Take the reason, and a detail without secrets and addresses."""
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


async def send_once(pending: PendingMail, mailer: Mailer | None, templates: Templates) -> Result:
    """Attempt to send a mail. Raises GiveUpError when another attempt cannot succeed.

    The first attempt writes and renders the letter. Later attempts reuse the rendered mail.
    """
    if pending.mail is None:
        letter = await _write(pending)
        if letter is None:
            return "nothing"
        mail = await _render(letter, templates)
        if not letter.to:
            return "nothing"
        pending.mail = mail
    if mailer is None:
        raise GiveUpError("no_mailer", "set one with Auth(mailer=…)")
    return await _send(pending, pending.mail, mailer)


async def _write(pending: PendingMail) -> Letter | None:
    try:
        letter = await pending.write()
    except Exception as error:  # noqa: BLE001 (any error ends in the log and in an event)
        raise GiveUpError("not_written", _describe(error)) from None
    if letter is not None:
        pending.purpose, pending.user_id = letter.purpose, letter.user_id
    return letter


async def _render(letter: Letter, templates: Templates) -> Mail:
    try:
        # In a thread: Jinja2 is imported with the first mail, and reads files.
        return await asyncio.to_thread(templates.render, letter)
    except Exception as error:  # noqa: BLE001 (the templates of a host can raise anything)
        raise GiveUpError("not_rendered", _describe(error)) from None


async def _send(pending: PendingMail, mail: Mail, mailer: Mailer) -> Result:
    try:
        async with asyncio.timeout(SEND_TIMEOUT):
            await mailer.send(mail)
    except TemporaryMailError as error:
        pending.last_error = str(error)
    except MailError as error:
        raise GiveUpError("refused", str(error)) from None
    except asyncio.CancelledError as error:
        if is_cancelled():
            raise
        pending.last_error = _describe(error)
    except Exception as error:  # noqa: BLE001 (the mailer of a host can raise anything)
        pending.last_error = _describe(error)
    else:
        return "sent"
    logger.info("mail %s could not be sent yet: %s", pending.purpose, pending.last_error)
    return "retry"


def _describe(error: BaseException) -> str:
    """Return the type and the traceback of an error, without its message and values: they can contain a token."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()
