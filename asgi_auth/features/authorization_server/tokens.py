"""The tokens of clients: a code begins the session of a client, and refresh tokens go on with it."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from asgi_auth.auth import Auth
from asgi_auth.errors import InvalidTokenError
from asgi_auth.feature import Answer, Client, OneTimeToken
from asgi_auth.features.authorization_server.clients import KnownClient
from asgi_auth.features.authorization_server.codes import Codes, proves
from asgi_auth.features.authorization_server.errors import InvalidGrantError, InvalidTargetError
from asgi_auth.features.authorization_server.events import CODE_REUSE
from asgi_auth.features.authorization_server.grants import Grants
from asgi_auth.features.authorization_server.requests import Requests
from asgi_auth.model.records import Session
from asgi_auth.sessions.new_session import new_session
from asgi_auth.sessions.rotation import Lives, Rotated

#: Seconds that the session of a client lives at most, and without a refresh.
LIFE, IDLE = 90 * 86400, 30 * 86400
#: Seconds between two records of the last use of a grant.
QUIET = 3600
#: The member of `Session.data` with the client, its scopes and its resource.
CLIENT = "client"


class ClientTokens(Answer, frozen=True, kw_only=True):
    """The tokens of a client, and the scopes that it was granted (RFC 6749, 5.1). They are never set as cookies."""

    access_token: str
    refresh_token: str
    token_type: str = "Bearer"
    expires_in: int
    refresh_expires_in: int
    scope: str


class Issuing:
    """Gives tokens for codes and refresh tokens."""

    def __init__(
        self,
        auth: Auth,
        requests: Requests,
        codes: Codes,
        grants: Grants,
        *,
        access_ttl: int,
        refresh_grace: int,
        most: int,
    ) -> None:
        """Take the collaborators and the settings."""
        self._auth = auth
        self._requests = requests
        self._codes = codes
        self._grants = grants
        self._ttl = access_ttl
        self._most = most
        self._lives = Lives(grant=True, idle=IDLE, grace=refresh_grace)

    async def by_code(self, known: KnownClient, sent: Mapping[str, str], client: Client) -> ClientTokens:
        """Begin the session of a code. A wrong request uses the code up, and a second one ends the session."""
        session_id = self._codes.session_of(sent["code"])
        found = await self._codes.find(sent["code"])
        now = int(self._auth.now())
        if found is None or found.user_id is None:
            await self._shown_again(session_id, client)
            raise InvalidGrantError
        data = found.data
        if not proves(data, known.id, sent.get("redirect_uri", ""), sent["code_verifier"]):
            await self._auth.storage.use_token(found.id, now)
            raise InvalidGrantError
        if sent.get("resource") and self._requests.resource(sent["resource"]).served.url != data["resource"]:
            await self._auth.storage.use_token(found.id, now)
            raise InvalidTargetError
        begun = await self._begun(found, session_id, client)
        if begun is None:
            await self._shown_again(session_id, client)
            raise InvalidGrantError
        # Nothing is read from here on: a client that gets no answer shows the code again, and would lose its session.
        session, roles = begun
        return self._tokens(session, roles, data["scopes"])

    async def by_refresh(self, known: KnownClient, sent: Mapping[str, str], client: Client) -> ClientTokens:
        """Go on with the session of a client. Raises InvalidGrantError and InvalidTargetError."""
        about = await self._about(sent["refresh_token"])
        if about.get("id") != known.id:
            raise InvalidGrantError
        if sent.get("resource") and self._requests.resource(sent["resource"]).served.url != about["resource"]:
            raise InvalidTargetError
        try:
            session, roles = await self._auth.sessions.rotated(sent["refresh_token"], client, self._lives)
        except InvalidTokenError as error:
            raise InvalidGrantError from error
        if session.grant_id is not None:
            await self._auth.storage.use_credential(session.grant_id, int(self._auth.now()), QUIET)
        asked = set(sent.get("scope", "").split())
        scopes = [name for name in about["scopes"] if name in asked] or about["scopes"]
        return self._tokens(session, roles, scopes)

    async def _about(self, refresh_token: str) -> dict[str, Any]:
        """Return what is known of the client of a refresh token. Raises InvalidGrantError."""
        try:
            session_id, _ = self._auth.refresh_tokens.read(refresh_token, grant=True)
        except InvalidTokenError:
            raise InvalidGrantError from None
        session = await self._auth.storage.session(session_id)
        if session is None or session.grant_id is None:
            raise InvalidGrantError
        about: dict[str, Any] = session.data[CLIENT]
        return about

    async def _begun(self, found: OneTimeToken, session_id: str, client: Client) -> Rotated | None:
        """Use up the code and start its session; return it with the roles of the user.

        Returns None for a used code and a withdrawn grant.
        """
        data, user_id, now = found.data, str(found.user_id), int(self._auth.now())
        grant, user = await self._grants.find(user_id, data["key"]), await self._auth.storage.user(user_id)
        if grant is None or user is None or grant.id != data["grant"]:
            await self._auth.storage.use_token(found.id, now)
            return None
        made = new_session(user, tuple(data["amr"]), client, self._auth.now(), LIFE)
        about = {"id": data["client"], "scopes": data["scopes"], "resource": data["resource"]}
        session = replace(made, id=session_id, auth_time=data["auth_time"], grant_id=grant.id, data={CLIENT: about})
        begun = await self._auth.sessions.begin_for_client(session, grant, self._most, found.id, client)
        return (session, user.roles) if begun else None

    async def _shown_again(self, session_id: str, client: Client) -> None:
        """End the session of a genuine code that was used before (RFC 6749, 10.5; ASVS 10.4.2)."""
        session = await self._auth.storage.session(session_id)
        if session is None or session.grant_id is None:
            return
        if await self._auth.end_sessions(session.user_id, only=session.id, client=client):
            await self._auth.emit(
                CODE_REUSE, outcome="failure", user_id=session.user_id, session_id=session.id, client=client
            )

    def _tokens(self, session: Session, roles: tuple[str, ...], scopes: list[str]) -> ClientTokens:
        about = session.data[CLIENT]
        known = self._requests.resource(about["resource"])
        scope = " ".join(self._auth.permissions.limited(scopes, roles))
        token, seconds = self._auth.access_tokens.make(
            session,
            (),
            {},
            issuer=known.served.issuer,
            audience=known.served.url,
            ttl=self._ttl,
            client={"client_id": about["id"], "scope": scope},
        )
        return ClientTokens(
            access_token=token,
            refresh_token=self._auth.refresh_tokens.make(session.id, session.generation, grant=True),
            expires_in=seconds,
            refresh_expires_in=max(0, min(session.expires_at, session.last_used_at + IDLE) - int(self._auth.now())),
            scope=scope,
        )
