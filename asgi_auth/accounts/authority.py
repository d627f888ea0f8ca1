"""What administrators may do to other users, judged in the transaction of each change (ASVS 8.2.1 to 8.3.3)."""

from collections.abc import Collection, Sequence

from asgi_auth.errors import (
    ForbiddenError,
    ImpersonatedError,
    LastAdministratorError,
    SecondFactorNeededError,
    TokenRevokedError,
)
from asgi_auth.model.records import Session, User
from asgi_auth.sessions.acting import IMPERSONATE
from asgi_auth.sessions.identity import MFA, Identity
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.storage import Storage

#: The permissions of administrators.
READ, WRITE, ROLES = "users:read", "users:write", "users:roles"
PERMISSIONS = (READ, WRITE, ROLES, IMPERSONATE)
#: The most other administrators of each role that are read when an administrator leaves: one of them must be left.
OTHERS = 10


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
    """A user who closes their own account, as the author of a change (`By`): no other user is named in its events."""

    id: str = ""

    def __init__(self, identity: Identity, permissions: PermissionMap) -> None:
        """Take the identity of the user, and the permissions of roles."""
        self._identity = identity
        self._permissions = permissions

    async def judge(self, storage: Storage, user_id: str, _gives: Sequence[str] | None = None) -> None:
        """Lock the user, and other administrators if the user is one.

        Raises TokenRevokedError unless the account is active and the session live, and LastAdministratorError for the
        last active user that may give roles: no user could do so any more.
        """
        others = await self._others(storage, user_id)
        users = await storage.lock_users({user_id, *others})
        user = users.pop(user_id, None)
        if user is None or user.status != "active":
            raise TokenRevokedError
        await _live_session(storage, self._identity)
        if self._gives_roles(user) and not any(self._gives_roles(other) for other in users.values()):
            raise LastAdministratorError

    async def _others(self, storage: Storage, user_id: str) -> set[str]:
        """Return the ids of some other administrators, if the user is one.

        They are found before any row is locked: all rows are locked in the order of their ids.
        """
        user = await storage.user(user_id)
        if user is None or not self._gives_roles(user):
            return set()
        roles = self._permissions.roles_with(ROLES)
        found = [await storage.users(status="active", role=role, limit=OTHERS + 1) for role in roles]
        return {other.id for page in found for other in page} - {user_id}

    def _gives_roles(self, user: User) -> bool:
        return user.status == "active" and ROLES in self._permissions.of(user.roles)


async def _live_session(storage: Storage, identity: Identity) -> Session:
    session = await storage.session(identity.session_id)
    if session is None or session.revoked_at is not None:
        raise TokenRevokedError
    return session
