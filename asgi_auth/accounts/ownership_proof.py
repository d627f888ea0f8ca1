"""Proof that whoever opens a mailed link also asked for it: else strangers could have others confirm for them.

Somebody may register with an address that isn't theirs, and wait for its owner to click (pre-hijacking). So the link
shows the mailbox only; a session of that account, or its password, shows the rest. A code needs neither together with
the `request` of an asker who has shown as much.
"""

from typing import TYPE_CHECKING

from asgi_auth.accounts.one_time_tokens import TRIES
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.errors import (
    BusyError,
    InvalidCredentialsError,
    InvalidOneTimeTokenError,
    PasswordNeededError,
)
from asgi_auth.model.records import NO_USER_ID, Client, OneTimeToken
from asgi_auth.sessions.identity import Identity

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

#: The value of a token's data that says that its asker knows the password, or is logged in.
OWN = "own"


#: What somebody may hear who shows a link.
REFUSALS = (PasswordNeededError, InvalidCredentialsError, BusyError)


async def require_ownership(
    auth: "Auth",
    token: OneTimeToken,
    error: type[InvalidOneTimeTokenError],
    *,
    by_link: bool,
    password: str,
    identity: Identity | None,
    client: Client,
    secret: str | None = None,
) -> None:
    """Refuse whoever shows a good token and may yet be a stranger; `secret` is the hash where there is no user yet.

    Raises PasswordNeededError without a password, InvalidCredentialsError for a wrong one, and `error` after five.
    """
    if not by_link and token.data.get(OWN):
        return
    if identity is not None and identity.is_authenticated and identity.id == token.user_id:
        return
    passwords = auth.get(PasswordService)
    if not password or passwords is None:
        raise PasswordNeededError
    # Counted before it is looked at, as the code was: no number of concurrent guesses gets around it.
    if (
        by_link
        and await auth.storage.try_code(token.purpose, token.id, token.code, now=int(auth.now()), tries=TRIES) is None
    ):
        raise error
    if secret is None:
        user = await auth.storage.user(token.user_id or NO_USER_ID)
        fits = await passwords.verify(user, password, client) is not None
    else:
        fits = await passwords.hasher.verify(secret, password)
    if not fits:
        raise InvalidCredentialsError("The password is wrong.")
