"""Passwords of accounts: the policy, the hasher, and the password credential. Features find it as a service."""

from collections.abc import Callable
from typing import Protocol

from asgi_auth._typed_text import composed
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.errors import BusyError, InvalidCredentialsError, PasswordPolicyError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import NO_USER_ID, Client, Credential, User, new_id
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.identity import Identity
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.password_policy import PasswordPolicy
from asgi_auth.validation.reasons import Reason

KIND = "password"


class Prove(Protocol):
    """Requires a second factor of a session whose user has one, and with `fresh` a fresh login."""

    async def __call__(self, identity: Identity, *, fresh: bool) -> None:
        """Raise FreshLoginRequiredError or SecondFactorNeededError."""


class PasswordService:
    """Checks, verifies and replaces passwords: `auth[PasswordService]`, offered by the feature `Passwords`."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        policy: PasswordPolicy,
        hasher: PasswordHasher,
        storage: Storage,
        events: EventSink,
        now: Callable[[], float],
        prove: Prove,
    ) -> None:
        """Take the policy for new passwords, the hasher, and the collaborators.

        `prove` requires a fresh login in place of a password, and a second factor in any case.
        """
        self._prove = prove
        self.policy = policy
        self.hasher = hasher
        self._storage = storage
        self._events = events
        self._now = now

    def check(self, password: str, field: str, email: str = "", old: str | None = None) -> None:
        """Raise PasswordPolicyError for `field` when a new password, in NFC, breaks the policy or is `old`."""
        password = composed(password)
        if old is not None and password == composed(old):
            raise PasswordPolicyError({field: [Reason("same")]})
        self.policy.check(password, field=field, user_words=(email, email.rpartition("@")[0]))

    def credential(self, user_id: str, secret: str) -> Credential:
        """Make the credential of a hash."""
        now = self._now()
        return Credential(
            id=new_id(now),
            user_id=user_id,
            kind=KIND,
            identifier=user_id,
            secret=secret,
            created_at=int(now),
            updated_at=int(now),
        )

    async def verify(
        self, user: User | None, password: str, client: Client, session_id: str | None = None
    ) -> Credential | None:
        """Return the credential that the password matches, with its hash renewed if outdated; equal time for no user.

        `session_id` is the session of the caller, for the event.
        """
        credential = await self._storage.credential(user.id if user else NO_USER_ID, KIND)
        return await self._verify(credential, user, password, client, session_id)

    async def verify_by_email(self, email: str, password: str, client: Client) -> tuple[User | None, Credential | None]:
        """Look up the user of an address, and verify the password as `verify` does."""
        found = await self._storage.user_with_credential(canonical_or_none(email) or "", KIND)
        user, credential = found or (None, None)
        return user, await self._verify(credential, user, password, client, None)

    async def reauthenticate(self, identity: Identity, password: str, client: Client) -> tuple[User, Credential]:
        """Verify the password of a logged-in user once more. Raises InvalidCredentialsError."""
        user = await identity.load()
        credential = await self.verify(user, password, client, identity.session_id)
        if credential is None:
            raise InvalidCredentialsError("The current password is wrong.")
        return user, credential

    async def prove(self, identity: Identity, password: str, client: Client) -> User:
        """Verify the password of a logged-in user once more, or without one that the login is fresh.

        Users with a second factor must have shown it, too. Raises InvalidCredentialsError, FreshLoginRequiredError and
        SecondFactorNeededError.
        """
        await self._prove(identity, fresh=not password)
        if password:
            user, _ = await self.reauthenticate(identity, password, client)
            return user
        return await identity.load()

    async def replace(
        self, storage: Storage, user_id: str, secret: str, *, version: int | None = None, used: str | None = None
    ) -> bool:
        """Set the hash, in a transaction, and void all one-time tokens of the user.

        Returns False when the password has changed since the given `version`, or the token `used` was used before.
        """
        now = int(self._now())
        old = await storage.credential(user_id, KIND)
        if old is None:
            done = await storage.add_credential(self.credential(user_id, secret))
        elif version is not None and old.version != version:
            done = False
        else:
            done = await storage.change_credential(old, secret=secret, now=now) is not None
        done = done and (used is None or await storage.use_token(used, now))
        await storage.void_tokens(user_id, now)
        return done

    async def _verify(
        self, credential: Credential | None, user: User | None, password: str, client: Client, session_id: str | None
    ) -> Credential | None:
        fits = await self.hasher.verify(credential.secret if credential else None, password)
        if credential is None or not fits:
            return None
        if self.hasher.is_outdated(credential.secret):
            try:
                secret = await self.hasher.hash(password)
            except BusyError:
                # The password is right: its hash is renewed at a later login.
                return await self._told(credential, user, client, session_id)
            renewed = await self._storage.change_credential(credential, secret=secret, now=int(self._now()))
            if renewed is None:
                # A concurrent call won: another login with the same hash, or a change of the password.
                return await self.verify(user, password, client, session_id)
            credential = renewed
        return await self._told(credential, user, client, session_id)

    async def _told(
        self, credential: Credential, user: User | None, client: Client, session_id: str | None
    ) -> Credential:
        account = user.email_canonical if user is not None else None
        await self._events.emit(
            events.PASSWORD_CHECK, user_id=credential.user_id, session_id=session_id, client=client, account=account
        )
        return credential


async def disable(storage: Storage, user_id: str, now: int) -> None:
    """Disable the password of a user until a reset sets a new one, in a transaction."""
    old = await storage.credential(user_id, KIND)
    while old is not None and old.secret and await storage.change_credential(old, secret="", now=now) is None:
        # A concurrent login renewed the hash.
        old = await storage.credential(user_id, KIND)
