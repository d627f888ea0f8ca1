"""Administration: sessions, passwords and second factors of users."""

from asgi_auth.accounts.authority import WRITE
from asgi_auth.errors import SessionNotFoundError
from asgi_auth.feature import Client, Identity, Line, delete, get, post
from asgi_auth.features.admin.answers import AdminSession, AdminSessionList, EndedSessions, RemovedFactors
from asgi_auth.features.admin.base import ERRORS, AdminBase
from asgi_auth.model import event_types as events


class Access(AdminBase):
    """The part of administration that looks after what opens an account."""

    @get("/users/{id}/sessions", replica=True, permission=WRITE, fresh=True, second_factor=True, errors=ERRORS)
    async def user_sessions(self, *, id: Line, identity: Identity) -> AdminSessionList:  # noqa: A002 (a field)
        """List the live sessions of a user."""
        async with self.auth.storage.transaction() as storage:
            await self._by(identity, WRITE).judge(storage, id)
        found = await self.auth.users.sessions(id)
        return AdminSessionList(sessions=[AdminSession.of(session) for session in found])

    @delete(
        "/users/{id}/sessions",
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.SESSION_END,
        errors=ERRORS,
    )
    async def end_user_sessions(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> EndedSessions:
        """End all sessions of a user, with trusted devices and mailed tokens. Returns their number."""
        ended = await self.auth.users.end_sessions(id, by=self._by(identity, WRITE), client=client)
        return EndedSessions(ended=len(ended))

    @delete(
        "/users/{id}/sessions/{sid}",
        status=204,
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.SESSION_END,
        errors=(*ERRORS, SessionNotFoundError),
    )
    async def end_user_session(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        sid: Line,
        identity: Identity,
        client: Client = Client(),
    ) -> None:
        """End one session of a user."""
        by = self._by(identity, WRITE)
        if not await self.auth.users.end_sessions(id, only=sid, by=by, client=client):
            raise SessionNotFoundError

    @post(
        "/users/{id}/reset-password",
        status=204,
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.PASSWORD_CHANGE,
        errors=ERRORS,
    )
    async def reset_user_password(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        all: bool = False,  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> None:
        """Disable the password of a user, end all sessions, and mail a reset; with `all`, all else goes, too."""
        by = self._by(identity, WRITE)
        await self.auth.users.reset_password(id, everything=all, by=by, client=client)

    @delete(
        "/users/{id}/factors",
        permission=WRITE,
        fresh=True,
        second_factor=True,
        event=events.FACTOR_REMOVE,
        errors=ERRORS,
    )
    async def delete_user_factors(
        self,
        *,
        id: Line,  # noqa: A002 (a field of the API)
        identity: Identity,
        client: Client = Client(),
    ) -> RemovedFactors:
        """Remove all second factors of a user, with trusted devices and open setups."""
        by = self._by(identity, WRITE)
        return RemovedFactors(removed=list(await self.auth.users.delete_factors(id, by=by, client=client)))
