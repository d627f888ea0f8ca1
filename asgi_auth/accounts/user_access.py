"""What opens an account: its password, its second factors and its sessions."""

from collections.abc import Sequence

from asgi_auth.accounts.passwords import disable
from asgi_auth.accounts.user_base import By, actor_of, called_by, found
from asgi_auth.accounts.user_creation import UserCreation
from asgi_auth.accounts.ways_in import take_over
from asgi_auth.errors import UserNotFoundError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client
from asgi_auth.sources.kinds import check_kind
from asgi_auth.storage import Storage


class UserAccess(UserCreation):
    """The part of `auth.users` that gives and takes access. Unknown ids raise UserNotFoundError."""

    async def set_password(
        self,
        user_id: str,
        password: str | None = None,
        *,
        password_hash: str | None = None,
        by: By = None,
        client: Client | None = None,
    ) -> None:
        """Set a password, which must fit the policy, or a hash as `create` takes it.

        Every session and every mailed token ends. Raises PasswordPolicyError and ValueError.
        """
        user = await self.get(user_id)
        secret = await self._secret(password, password_hash, user.email_canonical)
        if secret is None:
            raise ValueError("give a password or a password_hash")
        async with self._changing(user_id, by) as storage:
            if not await self._parts.passwords().replace(storage, user_id, secret):
                # Deleted, or changed in this moment.
                found(await storage.user(user_id))
                raise ValueError("the password was changed a moment ago")
            ended = await storage.end_sessions(user_id, self._now)
        call = called_by(client)
        await self._ended(user_id, ended, by, call)
        await self._emit(events.PASSWORD_CHANGE, user_id, by, call)

    async def reset_password(
        self, user_id: str, *, everything: bool = False, by: By = None, client: Client | None = None
    ) -> None:
        """Make the password of a user useless, end every session and mailed token, and mail a link for a new password.

        Also after a breach (NIST SP 800-63B-4, 3.1.1.2). With `everything`, all else that opens the account goes as
        well, such as second factors and passkeys. Without the feature `PasswordReset` or a mailer there is no mail.
        """
        check_kind("everything", everything, bool)
        service, now = self._parts.resets() if self._parts.letters.can_send else None, self._now
        async with self._changing(user_id, by) as storage:
            user = found(await storage.update_user(user_id, {}, now))
            take = take_over if everything else _close
            ended = await take(storage, user_id, now)
            secret = await service.store(storage, user) if service is not None and user.status == "active" else ""
        call = called_by(client)
        await self._ended(user_id, ended, by, call)
        await self._parts.events.emit(
            events.PASSWORD_CHANGE, user_id=user_id, client=call, data={"disabled": True}, actor=actor_of(by)
        )
        if service is not None and secret:
            await service.send(user, secret, call)

    async def end_sessions(
        self, user_id: str, *, only: str | None = None, by: By = None, client: Client | None = None
    ) -> Sequence[str]:
        """End the live sessions of a user, or `only` one; return the ids of the ended ones.

        With all sessions end pending logins, trusted devices, and the links and codes of mails.
        """
        async with self._changing(user_id, by) as storage:
            found((await storage.lock_users([user_id])).get(user_id))
            ended = await storage.end_sessions(user_id, self._now, only=only)
            if only is None:
                await storage.void_tokens(user_id, self._now)
        await self._ended(user_id, ended, by, called_by(client))
        return ended

    async def delete_factors(self, user_id: str, *, by: By = None, client: Client | None = None) -> Sequence[str]:
        """Delete all second factors of a user, with trusted devices and setups; return the kinds that there were.

        Sessions stay, and count as logins without a second factor (ASVS 6.4.4).
        """
        now = self._now
        async with self._changing(user_id, by) as storage:
            user = await storage.update_user(user_id, {}, now)
            if user is None:
                raise UserNotFoundError
            kinds = await self._parts.factors.remove_all(storage, user)
            await storage.void_tokens(user_id, now)
        call = called_by(client)
        for kind in kinds:
            await self._parts.events.emit(
                events.FACTOR_REMOVE, user_id=user_id, client=call, data={"kind": kind}, actor=actor_of(by)
            )
        return kinds


async def _close(storage: Storage, user_id: str, now: int) -> list[str]:
    """Make a password useless, and end mailed tokens and sessions; return the ids of the sessions."""
    await disable(storage, user_id, now)
    await storage.void_tokens(user_id, now)
    return await storage.end_sessions(user_id, now)
