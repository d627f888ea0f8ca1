"""Sessions: refresh, log out here or everywhere, and list the logged-in devices."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.errors import SessionNotFoundError, TokenReuseError, TokenRevokedError, UnauthorizedError
from asgi_auth.feature import (
    REFUSED_TOKENS,
    Client,
    Feature,
    Form,
    Grant,
    Identity,
    Line,
    Record,
    Section,
    TokenPair,
    TokenText,
    delete,
    get,
    post,
)
from asgi_auth.model import event_types as events
from asgi_auth.model.session_info import SessionView


class SessionInfo(SessionView, frozen=True, kw_only=True, omit_defaults=True):
    """A session as its user sees it; times are seconds since 1970. `actor` is the user who acts for you in it."""

    current: bool


class SessionList(Record, frozen=True, kw_only=True):
    """The live sessions, newest first."""

    sessions: list[SessionInfo]


class Ended(Record, frozen=True, kw_only=True):
    """The number of sessions that were ended."""

    ended: int


class Sessions(Feature):
    """Refresh tokens, log out, and list or end your sessions."""

    room: ClassVar[Path | None] = Path(__file__).parent
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="end_session", page="account", after="account", said="session_ended"),
        Form(endpoint="logout", page="account", after="login", said="logged_out"),
        Form(endpoint="logout_all", page="account", after="login", said="logged_out_everywhere"),
    )
    sections: ClassVar[Sequence[Section]] = (
        Section(name="sessions", endpoint="sessions", order=50, loads=True, group="devices"),
    )

    @property
    def grants(self) -> Mapping[str, Grant]:
        """The refresh token grant (RFC 6749, section 6)."""
        return {"refresh_token": Grant(("refresh_token",), self._grant)}

    @post("/refresh", limits="600/m/ip", event=events.REFRESH, errors=(*REFUSED_TOKENS, TokenReuseError))
    async def refresh(self, *, refresh_token: TokenText, client: Client = Client()) -> TokenPair:
        """Exchange a refresh token, from the body or the cookie, for the next pair."""
        return await self.auth.sessions.refresh(refresh_token, client, rotate=True)

    @post("/logout", status=204, ends_session=True, acting="always", errors=REFUSED_TOKENS)
    async def logout(
        self, *, refresh_token: TokenText = "", identity: Identity | None = None, client: Client = Client()
    ) -> None:
        """End this session, and revoke its tokens. Without an access token, send the refresh token."""
        user_id = identity.id if identity and identity.is_authenticated else None
        session = await self.auth.session_of(refresh_token) if refresh_token else None
        # Another user's refresh token ends nothing, and the answer doesn't tell (RFC 7009, section 2.1).
        if session is not None and user_id in {None, session.user_id}:
            await self.auth.end_sessions(session.user_id, only=session.id, client=client)
        elif user_id is None:
            await self.auth.sessions.end_lost_session_of(refresh_token)
        if identity is not None and user_id is not None:
            if session is None or session.id != identity.session_id:
                await self.auth.sessions.end_by_token(user_id, identity.session_id, client)
        elif not refresh_token and not (identity and isinstance(identity.error, TokenRevokedError)):
            raise (identity.error if identity else None) or UnauthorizedError()

    @post("/logout-all", ends_session=True, acting=True)
    async def logout_all(self, *, identity: Identity, client: Client = Client()) -> Ended:
        """End all your sessions, this one too. Returns their number."""
        ended = await self.auth.end_sessions(identity.id, client=client)
        if identity.session_id not in ended:
            await self.auth.sessions.end_lost_session(identity.session_id)
        return Ended(ended=len(ended))

    @get("/sessions", replica=True)
    async def sessions(self, *, identity: Identity) -> SessionList:
        """List your sessions."""
        now = int(self.auth.now())
        found = await self.auth.storage.sessions(identity.id, now, now - self.auth.settings.session_idle)
        listed = [
            SessionInfo(**SessionView.values_of(session), current=session.id == identity.session_id)
            for session in found
        ]
        return SessionList(sessions=listed)

    @delete("/sessions/{id}", status=204, acting=True, event=events.SESSION_END, errors=(SessionNotFoundError,))
    async def end_session(self, *, id: Line, identity: Identity, client: Client = Client()) -> None:  # noqa: A002
        """End one of your sessions."""
        if not await self.auth.end_sessions(identity.id, only=id, client=client):
            raise SessionNotFoundError

    async def _grant(self, sent: Mapping[str, str], client: Client) -> TokenPair:
        return await self.auth.sessions.refresh(sent["refresh_token"], client, rotate=True)
