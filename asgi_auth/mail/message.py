"""What a mail says: the letter of a flow, the mail that is made of it, and who sends that."""

import secrets
from typing import Any, Protocol, runtime_checkable

import msgspec

from asgi_auth.model.records import Record


class _Discreet(Record, frozen=True):
    """Shows itself without tokens, codes and texts: a repr ends up in logs."""

    def __repr__(self) -> str:
        """Show what may be known."""
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__rich_repr__())})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same to rich, which would read all fields otherwise."""
        return [(name, getattr(self, name)) for name in ("purpose", "to", "language", "user_id")]


class Letter(_Discreet, frozen=True, kw_only=True):
    """What a flow wants to say.

    `purpose` chooses the texts (`verify_email`), `to` is the stored address, `seconds` is how long token and code
    live, and `values` are further values for the texts.
    """

    purpose: str
    to: str
    language: str = ""
    user_id: str | None = None
    link: str = ""
    token: str = ""
    code: str = ""
    seconds: int = 0
    values: dict[str, str] = msgspec.field(default_factory=dict)


class Mail(_Discreet, frozen=True, kw_only=True):
    """A mail that is ready to be sent. `id` stays the same however often that is tried."""

    purpose: str
    to: str
    subject: str
    text: str
    html: str
    link: str = ""
    token: str = ""
    code: str = ""
    language: str = ""
    user_id: str | None = None
    id: str = msgspec.field(default_factory=lambda: secrets.token_hex(16))


class MailError(Exception):
    """A mail can't be sent, now or later. The message names no address and holds no secret: it is logged."""


class TemporaryMailError(MailError):
    """A mail could not be sent, and it is worth trying again."""


@runtime_checkable
class Mailer(Protocol):
    """Sends mails."""

    async def send(self, mail: Mail) -> None:
        """Send, or hand over for good.

        Raises MailError when that is hopeless; any other error (TemporaryMailError says why) is tried again.
        """
