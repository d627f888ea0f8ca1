"""One try to send a mail: have it written, render it, hand it to the mailer, and judge what went wrong."""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable

import msgspec

from asgi_auth.mail.message import Letter, Mail, Mailer, MailError, TemporaryMailError
from asgi_auth.mail.templates import Templates

logger: logging.Logger = logging.getLogger("asgi_auth")
Write = Callable[[], Awaitable[Letter | None]]
#: How long any mailer may take for one try, in seconds: none may hold the others up for ever.
PATIENCE = 120.0


class Job(msgspec.Struct):
    """A mail on its way; `purpose` and `user_id` are known when it is written, `trouble` after a try in vain."""

    write: Write
    purpose: str = ""
    user_id: str | None = None
    mail: Mail | None = None
    trouble: str = ""


class EndError(Exception):
    """A mail won't be sent: the reason, and what the log may know of it."""

    def __init__(self, reason: str, detail: str = "") -> None:
        """Take a reason of those that `Delivery` names."""
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


async def attempt(job: Job, mailer: Mailer | None, templates: Templates) -> bool | None:
    """Try once: True when it is sent, False when it is worth another try, None when there was no letter, or to nobody.

    Raises EndError when there is no hope. What was written is not written again by the next try.
    """
    if job.mail is None:
        letter = await _written(job)
        if letter is None:
            return None
        mail = await _rendered(letter, templates)
        if not letter.to:
            return None
        job.mail = mail
    if mailer is None:
        raise EndError("no_mailer", "give one by Auth(mailer=…)")
    return await _sent(job, job.mail, mailer)


async def _written(job: Job) -> Letter | None:
    try:
        letter = await job.write()
    except Exception as error:  # noqa: BLE001 (whatever it is: it is told of)
        raise EndError("not_written", traced(error)) from None
    if letter is not None:
        job.purpose, job.user_id = letter.purpose, letter.user_id
    return letter


async def _rendered(letter: Letter, templates: Templates) -> Mail:
    try:
        # Jinja2 reads files, and is loaded with the first mail: not on the loop.
        return await asyncio.to_thread(templates.render, letter)
    except Exception as error:  # noqa: BLE001 (a host's template may raise anything)
        raise EndError("not_rendered", traced(error)) from None


async def _sent(job: Job, mail: Mail, mailer: Mailer) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            await mailer.send(mail)
    except TemporaryMailError as error:
        job.trouble = str(error)
    except MailError as error:
        raise EndError("refused", str(error)) from None
    except Exception as error:  # noqa: BLE001 (a host's mailer may raise anything)
        job.trouble = traced(error)
    else:
        return True
    logger.info("mail %s could not be sent yet: %s", job.purpose, job.trouble)
    return False


def traced(error: Exception) -> str:
    """Name an error and where it came from, without its message and values: those may hold a token."""
    return f"{type(error).__name__}\n{''.join(traceback.format_tb(error.__traceback__))}".rstrip()
