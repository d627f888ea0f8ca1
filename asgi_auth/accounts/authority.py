"""What administrators may do to other users, judged in the transaction of each change (ASVS 8.2.1 to 8.3.3)."""

from collections.abc import Collection, Sequence

from asgi_auth.errors import ForbiddenError, ImpersonatedError, SecondFactorNeededError, TokenRevokedError
from asgi_auth.model.records import Session, User
from asgi_auth.sessions.acting import IMPERSONATE
from asgi_auth.sessions.identity import MFA, Identity
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.storage import Storage

#: The permissions of administrators.
READ, WRITE, ROLES = "users:read", "users:write", "users:roles"
PERMISSIONS = (READ, WRITE, ROLES, IMPERSONATE)


class Administrator:
    """A user who administers others, as the author of a change (`By`).

    Administrators give no permission that they lack, and act neither on users with a permission that they lack nor on
    themselves. At least one user therefore keeps each permission: a user who takes it from others has it.
    """

    def __init__(
        self,
        user_id: str,
        needs: Collection[str],
        permissions: PermissionMap,
        identity: Identity | None = None,
        *,
        second_factor: bool = False,
    ) -> None:
        """Take the id of the administrator, and the permissions that the change `needs`.

        With an `identity`, its session must be live; with `second_factor`, it must have shown one.
        """
        self.id: str = user_id
        self._needs = frozenset(needs)
        self._permissions = permissions
        self._identity = identity
        self._second_factor = second_factor

    async def judge(self, storage: Storage, user_id: str, gives: Sequence[str] | None = None) -> None:
        """Lock the administrator and the user, in the order of their ids, and judge the change.

        Raises ForbiddenError, SecondFactorNeededError and TokenRevokedError.
        """
        users = await storage.lock_users({self.id, user_id})
        permitted = self._permitted(users.get(self.id))
        if self._identity is not None:
            await self._judge_session(storage, self._identity)
        if user_id == self.id:
            raise ForbiddenError("Use your own account page to change your own account.")
        if not self._needs <= permitted:
            raise ForbiddenError
        self.judge_user(permitted, users.get(user_id))
        if gives is not None and not ({ROLES} | self._permissions.of(tuple(gives))) <= permitted:
            raise ForbiddenError("You may not give this role.")

    def judge_user(self, permitted: frozenset[str], user: User | None) -> None:
        """Raise ForbiddenError for a user with a permission that is not `permitted`."""
        if user is not None and not self._permissions.of(user.roles) <= permitted:
            raise ForbiddenError("This user may do more than you.")

    def _permitted(self, administrator: User | None) -> frozenset[str]:
        if administrator is None or administrator.status != "active":
            raise TokenRevokedError
        return self._permissions.of(administrator.roles)

    async def _judge_session(self, storage: Storage, identity: Identity) -> None:
        session = await _live_session(storage, identity)
        if identity.actor is not None:
            raise ImpersonatedError
        if self._second_factor and MFA not in session.amr:
            raise SecondFactorNeededError


class Owner:
    """A user who changes their own account, as the author of a change (`By`): no other user is named in its events."""

    id: str = ""

    def __init__(self, identity: Identity) -> None:
        """Take the identity of the user."""
        self._identity = identity

    async def judge(self, storage: Storage, user_id: str, _gives: Sequence[str] | None = None) -> None:
        """Lock the user. Raises TokenRevokedError unless the account is active, and the session live."""
        user = (await storage.lock_users({user_id})).get(user_id)
        if user is None or user.status != "active":
            raise TokenRevokedError
        await _live_session(storage, self._identity)


async def _live_session(storage: Storage, identity: Identity) -> Session:
    session = await storage.session(identity.session_id)
    if session is None or session.revoked_at is not None:
        raise TokenRevokedError
    return session
