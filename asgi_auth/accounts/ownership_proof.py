"""Proof that the caller with a mailed link owns the account, and not only the mailbox.

An attacker may register with the address of another person, and wait for its owner to click (pre-hijacking). So the
link proves the mailbox only; a session of that account, or its password, proves the rest. A code needs neither,
together with the `request` of a caller that has already proven ownership.
"""

from asgi_auth.accounts.one_time_tokens import OneTimeTokens
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.errors import BusyError, InvalidCredentialsError, InvalidOneTimeTokenError, PasswordNeededError
from asgi_auth.model.records import NO_USER_ID, Client, OneTimeToken
from asgi_auth.sessions.identity import Identity
from asgi_auth.storage import Storage

#: The key in a token's data that marks a request of a caller with the password, or with a session.
OWN = "own"
#: The errors of `OwnershipProof.require`, beside that of the token.
REFUSALS = (PasswordNeededError, InvalidCredentialsError, BusyError)


class OwnershipProof:
    """Refuses callers with a valid token who may be others than the owner of the account: `auth.ownership`."""

    def __init__(self, one_time: OneTimeTokens, storage: Storage) -> None:
        """Take the tokens, whose attempts are counted, and the storage."""
        self._one_time = one_time
        self._storage = storage

    async def require(
        self,
        token: OneTimeToken,
        error: type[InvalidOneTimeTokenError],
        passwords: PasswordService | None,
        *,
        by_link: bool,
        password: str,
        identity: Identity | None,
        client: Client,
        secret: str | None = None,
    ) -> None:
        """Pass the owner of an account; `secret` is the password hash of an account that does not exist yet.

        Raises PasswordNeededError without a password, InvalidCredentialsError for a wrong one, and `error` after five.
        """
        if not by_link and token.data.get(OWN):
            return
        if identity is not None and identity.id == token.user_id and identity.actor is None:
            return
        if not password or passwords is None:
            raise PasswordNeededError
        async with self._one_time.password_attempt(token, error):
            if secret is None:
                user = await self._storage.user(token.user_id or NO_USER_ID)
                fits = await passwords.verify(user, password, client) is not None
            else:
                fits = await passwords.hasher.verify(secret, password)
        if not fits:
            raise InvalidCredentialsError("The password is wrong.")
