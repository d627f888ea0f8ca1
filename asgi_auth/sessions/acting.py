"""Sessions in which an administrator acts for another user: impersonation (RFC 8693, 4.1).

Such a session has no refresh token, no authentication method, and is never a fresh login. Its access token is never
cached: every request reads both sessions from the database, so that it ends with that of the administrator.
"""

from collections.abc import Callable, Mapping
from typing import Any

from asgi_auth.errors import TokenRevokedError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client, Session, User, new_id
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.sessions.tokens import ACT, ACTOR, AccessTokens
from asgi_auth.storage import Storage

#: The permission to act for other users.
IMPERSONATE = "users:impersonate"
#: Seconds that a session of an administrator who acts for a user lives.
TTL = 3600


class ActingSessions:
    """Makes sessions of users for the administrators who act for them, and their tokens."""

    def __init__(
        self,
        access_tokens: AccessTokens,
        claims: Callable[[User], Mapping[str, Any]] | None,
        now: Callable[[], float],
        idle: int,
    ) -> None:
        """Take the collaborators; `claims` returns extra claims of access tokens.

        A session is in the list of its user for `idle` seconds after its last use, which is never noted here.
        """
        self._access_tokens = access_tokens
        self._claims = claims
        self._now = now
        self._ttl = min(TTL, idle)

    def new(self, user: User, own: Session, client: Client) -> tuple[Session, TokenPair]:
        """Return a session of a user in which the user of the session `own` acts, and its token; nothing is stored.

        It lives no longer than the session `own`.
        """
        now = int(self._now())
        session = Session(
            id=new_id(self._now()),
            user_id=user.id,
            created_at=now,
            last_used_at=now,
            rotated_at=now,
            expires_at=min(now + self._ttl, own.expires_at),
            auth_time=0,
            user_agent=client.user_agent,
            address=client.address,
            data={ACTOR: {"id": own.user_id, "session": own.id}},
        )
        custom = self._claims(user) if self._claims is not None else {}
        token, seconds = self._access_tokens.make(session, user.roles, custom)
        return session, TokenPair(access_token=token, token_type="Bearer", expires_in=seconds, refresh_expires_in=0)


async def limited_by_actor(identity: Identity, storage: Storage, permissions: PermissionMap, now: int) -> Identity:
    """Return the identity of a user as which another acts, limited to what both may do, as the database has it.

    Raises TokenRevokedError when the session of the actor has ended, or the actor may not act for others any more.
    """
    act = identity.claims[ACT]
    actor = await storage.access(act["sid"], now)
    if actor is None or not actor.alive or actor.user_id != act["sub"]:
        raise ended()
    permitted = permissions.of(actor.roles)
    if IMPERSONATE not in permitted:
        raise ended()
    # The user may have got a role meanwhile that the actor could not give.
    roles = tuple(role for role in identity.roles if permissions.of((role,)) <= permitted)
    # The permissions of the identity do not tell: it may have been limited before.
    outranks = not permissions.of(identity.roles) <= permitted
    return identity.limited_by_actor(permitted, roles, outranks=outranks)


def ended() -> TokenRevokedError:
    """Return the error of the end of a session in which another user acts."""
    error = TokenRevokedError()
    error.of_actor = True
    return error
