"""Token revocation (RFC 7009): each holder of a token may end its session."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Annotated, Any

import msgspec

from asgi_auth.errors import InvalidTokenError
from asgi_auth.feature import Client, Feature, post

#: Anything may be sent, up to the size of a body: only a genuine token does something.
AnyToken = Annotated[str, msgspec.Meta(min_length=1, max_length=16384)]


class Revocation(Feature):
    """Ends the session of an access token or a refresh token, for OAuth 2 clients and other programs."""

    @post("/revoke", oauth2=True, any_origin=True, limits="600/m/ip")
    async def revoke(self, *, token: AnyToken, client: Client = Client()) -> None:
        """End the session of an access or refresh token. Any other text is no error (RFC 7009, section 2.2)."""
        owner, session_id = await self._session_of(token)
        if session_id:
            await self.auth.sessions.end_by_token(owner, session_id, client)
        else:
            await self.auth.sessions.end_lost_session_of(token)

    async def _session_of(self, token: str) -> tuple[str, str]:
        """Return the user and the session of a genuine token, also of a client's; empty texts for all others."""
        for about in ((), *((each.url, each.issuer) for each in self.auth.resources.found)):
            with suppress(InvalidTokenError):
                claims, _ = self.auth.access_tokens.read(token, *about)
                return claims.sub, claims.sid
        session = await self.auth.sessions.any_session_of(token)
        return (session.user_id, session.id) if session is not None else ("", "")

    def metadata(self, url_of: Callable[[str], str | None]) -> Mapping[str, Any]:
        """Announce the endpoint. Its callers need no secret: the token is one."""
        url = url_of("revoke")
        return {
            "revocation_endpoint": url,
            "revocation_endpoint_auth_methods_supported": ["none"] if url else None,
        }
