"""The token endpoint of clients (RFC 6749, 3.2), apart from that of users: neither accepts tokens of the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from asgi_auth.errors import BadRequestError, InvalidClientError, UnsupportedGrantTypeError
from asgi_auth.feature import BasicCredentials, Client, Line, post
from asgi_auth.features.authorization_server.base import AuthorizationServerBase, Parameter
from asgi_auth.features.authorization_server.errors import InvalidGrantError, InvalidTargetError
from asgi_auth.features.authorization_server.events import CLIENT_REFUSED
from asgi_auth.features.authorization_server.tokens import ClientTokens

#: The grant types, each with the parameter that it cannot do without.
GRANT_TYPES = {"authorization_code": "code", "refresh_token": "refresh_token"}
#: The parameters of the grant types, as the OpenAPI document shows them.
SCHEMA: Mapping[str, Any] = {
    "oneOf": [
        {
            "title": "ByCode",
            "properties": {"grant_type": {"const": "authorization_code"}},
            "required": ["code", "code_verifier"],
        },
        {
            "title": "ByRefreshToken",
            "properties": {"grant_type": {"const": "refresh_token"}},
            "required": ["refresh_token"],
        },
    ]
}


class Granting(AuthorizationServerBase):
    """Gives clients tokens for codes and for refresh tokens."""

    @post(
        "/oauth/token",
        oauth2=True,
        any_origin=True,
        limits="600/m/ip",
        schema=SCHEMA,
        event=CLIENT_REFUSED,
        errors=(UnsupportedGrantTypeError, InvalidClientError, InvalidGrantError, InvalidTargetError),
    )
    async def client_token(
        self,
        *,
        grant_type: Line,
        client_id: Parameter = "",
        client_secret: Parameter = "",
        code: Parameter = "",
        code_verifier: Parameter = "",
        redirect_uri: Parameter = "",
        refresh_token: Parameter = "",
        resource: Parameter = "",
        scope: Parameter = "",
        basic: BasicCredentials | None = None,
        client: Client = Client(),
    ) -> ClientTokens:
        """Give a client tokens: `grant_type=authorization_code` or `refresh_token` (OAuth 2.1, 4.1.3 and 4.3.1)."""
        known = self._clients.authenticate(_shown(basic, client_id, client_secret))
        sent = {"code": code, "code_verifier": code_verifier, "redirect_uri": redirect_uri}
        sent |= {"refresh_token": refresh_token, "resource": resource, "scope": scope}
        if (needed := GRANT_TYPES.get(grant_type)) is None:
            raise UnsupportedGrantTypeError(f"The grant type is {' or '.join(GRANT_TYPES)}.")
        if not sent[needed]:
            raise BadRequestError(f"The parameter {needed} is missing.")
        run = self._issuing.by_code if needed == "code" else self._issuing.by_refresh
        return await run(known, sent, client)


def _shown(basic: BasicCredentials | None, client_id: str, secret: str) -> Sequence[tuple[str, str]]:
    """Return what the client may mean by its id and secret.

    Raises BadRequestError for a secret that is shown in two ways, and for none at all (RFC 6749, 2.3).
    """
    if basic is None and client_id:
        return [(client_id, secret)]
    if basic is None or secret:
        raise BadRequestError("A client names itself, and in one way.")
    return [reading for reading in basic.readings if client_id in {"", reading[0]}]
