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
    ) -> None:
        """Take the collaborators; `claims` returns extra claims of access tokens."""
        self._access_tokens = access_tokens
        self._claims = claims
        self._now = now

    def new(self, user: User, by: Identity, client: Client) -> tuple[Session, TokenPair]:
        """Return a session of a user in which `by` acts, and its token; nothing is stored."""
        now = int(self._now())
        session = Session(
            id=new_id(self._now()),
            user_id=user.id,
            created_at=now,
            last_used_at=now,
            rotated_at=now,
            expires_at=now + TTL,
            auth_time=0,
            user_agent=client.user_agent,
            address=client.address,
            data={ACTOR: {"id": by.id, "session": by.session_id}},
        )
        custom = self._claims(user) if self._claims is not None else {}
        token, seconds = self._access_tokens.make(session, user.roles, custom)
        return session, TokenPair(access_token=token, token_type="Bearer", expires_in=seconds, refresh_expires_in=0)


async def limited_by_actor(identity: Identity, storage: Storage, permissions: PermissionMap, now: int) -> Identity:
    """Return the identity of a user for whom another acts, limited to what both may do, as the database has it.

    Raises TokenRevokedError when the session of the actor has ended, or the actor may not act for others any more.
    """
    act = identity.claims[ACT]
    actor = await storage.access(act["sid"], now)
    if actor is None or not actor.alive or actor.user_id != act["sub"]:
        raise TokenRevokedError
    permitted = permissions.of(actor.roles)
    if IMPERSONATE not in permitted:
        raise TokenRevokedError
    # The user may have got a role meanwhile that the actor could not give.
    roles = tuple(role for role in identity.roles if permissions.of((role,)) <= permitted)
    return identity.with_roles(roles).limited_to(permitted)
