"""Invitations: a mailed link sets the password of an account that an administrator has made."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.accounts.authority import WRITE, Administrator
from asgi_auth.accounts.invitations import Invitation, InvitationService
from asgi_auth.accounts.passwords import KIND, PasswordService
from asgi_auth.accounts.purpose import TOKEN_LIMITS, Purpose
from asgi_auth.auth import Auth
from asgi_auth.errors import (
    AuthError,
    BusyError,
    InvalidOneTimeTokenError,
    PasswordPolicyError,
    ServiceUnavailableError,
)
from asgi_auth.feature import Client, Feature, Form, OneTimeToken, Page, Secret, TokenText, User, post
from asgi_auth.model import event_types as events
from asgi_auth.model.records import NO_USER_ID
from asgi_auth.sources.kinds import checks_options
from asgi_auth.storage import Storage

WEEK = 7 * 86400


class Invitations(Feature):
    """Lets users accept the invitations of `auth.users.invite`: they set a password, and then log in.

    `ttl`: seconds until the link expires; `link`: a page of yours, with `{token}`.
    """

    needs: ClassVar[tuple[type, ...]] = (PasswordService,)
    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = ("invitation",)
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (Page(name="accept_invitation", endpoint="accept_invitation", links=("login",)),)
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="accept_invitation", page="accept_invitation", after="login", said="invitation_accepted"),
    )

    @checks_options
    def __init__(self, *, ttl: int = WEEK, link: str | None = None) -> None:
        """Take the settings."""
        self.purpose: Purpose = Purpose("invitation", "/accept-invitation", ttl=ttl, link=link)

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`, and make the service that `auth.users` uses."""
        super().attach(auth)
        self._service = InvitationService(self.purpose, auth.one_time, auth.now)

    @property
    def services(self) -> tuple[InvitationService]:
        """The service that sends invitations."""
        return (self._service,)

    @post(
        "/accept-invitation",
        status=204,
        limits=TOKEN_LIMITS,
        event=events.INVITATION,
        errors=(InvalidOneTimeTokenError, PasswordPolicyError, BusyError),
    )
    async def accept_invitation(self, *, token: TokenText, new_password: Secret, client: Client = Client()) -> None:
        """Accept an invitation by its mailed token: set your password. The address counts as verified."""
        passwords = self.auth[PasswordService]
        # A password that breaks the policy for every account uses no token.
        passwords.check(new_password, "new_password")
        found = await self.auth.one_time.find((self.purpose,), token, "", "")
        user = await self.auth.storage.user(found.user_id or NO_USER_ID)
        if user is None or user.status != "active":
            raise self.purpose.error
        passwords.check(new_password, "new_password", user.email_canonical)
        await self._accept(found, user.id, await passwords.hasher.hash(new_password), client)

    async def _accept(self, token: OneTimeToken, user_id: str, secret: str, client: Client) -> None:
        """Use the invitation, and tell of what it has changed."""
        invitation = Invitation.of(token)
        try:
            self.auth.permissions.checked_roles(invitation.roles)
        except ValueError:
            # A mistake in the settings, after which the invitation is good again.
            raise self.purpose.error from None
        used = await self._use(token, invitation, user_id, secret)
        if used is None:
            raise self.purpose.error
        user, ended = used
        await self.auth.sessions.ended(user_id, ended, client)
        await self.auth.emit(events.INVITATION, user_id=user_id, client=client)
        if invitation.roles:
            self.auth.revocation.change(user_id, user.roles)
            await self.auth.stream.emit(events.ROLE_CHANGE, user_id=user_id, client=client, actor=invitation.by)

    async def _use(
        self, token: OneTimeToken, invitation: Invitation, user_id: str, secret: str
    ) -> tuple[User, list[str]] | None:
        """Set the password, use the token and give the roles, in one transaction; return the user and ended sessions.

        Returns None where the inviter may not invite this user any more. The token is used up then: it must not come
        back with the inviter's right, such as after a ban.
        """
        now = int(self.auth.now())
        async with self.auth.storage.transaction() as storage:
            if not await self._is_allowed(storage, invitation, user_id):
                await storage.use_token(token.id, now)
                return None
            credential = await storage.credential(user_id, KIND)
            if credential is not None and credential.secret:
                raise self.purpose.error
            if not await self.auth[PasswordService].replace(storage, user_id, secret, used=token.id):
                raise self.purpose.error
            user = await self.auth.one_time.owner(storage, token, self.purpose.error, {"email_verified": True})
            if invitation.roles:
                user = await self._give(storage, user, invitation.roles, now)
            return user, await storage.end_sessions(user_id, now)

    async def _is_allowed(self, storage: Storage, invitation: Invitation, user_id: str) -> bool:
        """Judge the inviter and the user again, and lock both."""
        if not invitation.judged:
            if invitation.by is None:
                # Before the token, as another invitation does: the two do not deadlock.
                await storage.lock_users({user_id})
                return True
            user = (await storage.lock_users({invitation.by, user_id})).get(invitation.by)
            return user is not None and user.status == "active"
        inviter = Administrator(invitation.by or NO_USER_ID, (WRITE,), self.auth.permissions)
        try:
            await inviter.judge(storage, user_id, invitation.roles or None)
        except ServiceUnavailableError:
            raise
        except AuthError:
            return False
        return True

    async def _give(self, storage: Storage, user: User, roles: Sequence[str], now: int) -> User:
        given = self.auth.permissions.checked_roles((*user.roles, *roles))
        return await storage.update_user(user.id, {"roles": given}, now) or user
