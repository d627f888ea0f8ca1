"""What every feature that has to do with passwords shares: the policy, the hasher, and the password credential."""

from asgi_auth.crypto.argon2 import Argon2, PasswordHasher
from asgi_auth.errors import InvalidCredentialsError, PasswordPolicyError
from asgi_auth.feature import Feature
from asgi_auth.model import event_types as events
from asgi_auth.model.records import NO_USER_ID, Client, Credential, User, new_id
from asgi_auth.sessions.identity import Identity
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.password_policy import PasswordPolicy
from asgi_auth.validation.reasons import Reason

KIND = "password"


class PasswordService(Feature):
    """Checks, verifies and replaces passwords. `Passwords` is one; others find it as `auth[PasswordService]`."""

    def __init__(
        self, policy: PasswordPolicy, argon2: Argon2, workers: int | None, queue: int | None, niceness: int
    ) -> None:
        """Take the policy for new passwords, and the bounds of hashing."""
        self.policy = policy
        self.hasher = PasswordHasher(argon2, workers, queue, niceness)

    def check(self, password: str, field: str, email: str = "", old: str | None = None) -> None:
        """Raise PasswordPolicyError for `field` when a new password breaks the policy, or is the `old` one."""
        if password == old:
            raise PasswordPolicyError({field: [Reason("same")]})
        self.policy.check(password, field=field, user_words=(email, email.partition("@")[0]))

    def credential(self, user_id: str, secret: str) -> Credential:
        """Make the credential of a hash."""
        now = self.auth.now()
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
        """Return the credential that the password fits, with a hash of today's cost; the same work for nobody.

        `session_id` is the session that asks, if one does.
        """
        credential = await self.auth.storage.credential(user.id if user else NO_USER_ID, KIND)
        return await self._judge(credential, user, password, client, session_id)

    async def verify_by_email(self, email: str, password: str, client: Client) -> tuple[User | None, Credential | None]:
        """Look up who has an address, and do the same as `verify`."""
        found = await self.auth.storage.user_with_credential(canonical_or_none(email) or "", KIND)
        user, credential = found or (None, None)
        return user, await self._judge(credential, user, password, client, None)

    async def _judge(
        self, credential: Credential | None, user: User | None, password: str, client: Client, session_id: str | None
    ) -> Credential | None:
        fits = await self.hasher.verify(credential.secret if credential else None, password)
        if credential is None or not fits:
            return None
        if self.hasher.is_outdated(credential.secret):
            secret = await self.hasher.hash(password)
            renewed = await self.auth.storage.replace_secret(credential, secret, int(self.auth.now()))
            if renewed is None:
                # Somebody was faster: a login that did the same, or one who has changed the password.
                return await self.verify(user, password, client, session_id)
            credential = renewed
        account = user.email_canonical if user is not None else None
        await self.auth.emit(
            events.PASSWORD_CHECK, user_id=credential.user_id, session_id=session_id, client=client, account=account
        )
        return credential

    async def reauthenticate(self, identity: Identity, password: str, client: Client) -> tuple[User, Credential]:
        """Ask the user who is logged in for the password once more. Raises InvalidCredentialsError."""
        user = await identity.load()
        credential = await self.verify(user, password, client, identity.session_id)
        if credential is None:
            raise InvalidCredentialsError("The current password is wrong.")
        return user, credential

    async def replace(
        self, storage: Storage, user_id: str, secret: str, *, version: int | None = None, used: str | None = None
    ) -> bool:
        """Set the hash, in a transaction, and void all one-time tokens of the user.

        False when the password has been changed since the given `version`, or the token `used` for it was used up.
        """
        now = int(self.auth.now())
        old = await storage.credential(user_id, KIND)
        if old is None:
            done = await storage.add_credential(self.credential(user_id, secret))
        elif version is not None and old.version != version:
            done = False
        else:
            done = await storage.replace_secret(old, secret, now) is not None
        done = done and (used is None or await storage.use_token(used, now))
        await storage.void_tokens(user_id, now)
        return done


async def disable(storage: Storage, user_id: str, now: int) -> None:
    """Let no password fit any more until a reset sets a new one, in a transaction."""
    old = await storage.credential(user_id, KIND)
    while old is not None and old.secret and await storage.replace_secret(old, "", now) is None:
        # A login was faster that made the hash anew.
        old = await storage.credential(user_id, KIND)
