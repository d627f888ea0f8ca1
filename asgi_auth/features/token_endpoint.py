"""The OAuth 2 token endpoint: the features' grant types in the form of RFC 6749."""

from collections.abc import Callable, Mapping
from typing import Any

from asgi_auth.errors import BadRequestError, BusyError, TokenReuseError, UnsupportedGrantTypeError
from asgi_auth.feature import REFUSED_TOKENS, Client, Feature, Line, TokenPair, post
from asgi_auth.model import event_types as events

#: The parameters of the grant types (RFC 6749, 4.3.2 and 6), as the OpenAPI document shows them.
GRANTS: Mapping[str, Any] = {
    "oneOf": [
        {
            "title": "ByPassword",
            "properties": {
                "grant_type": {"const": "password"},
                "username": {"minLength": 1, "examples": ["ada@example.com"]},
                "password": {"minLength": 1, "examples": ["correct horse battery"]},
            },
            "required": ["username", "password"],
        },
        {
            "title": "ByRefreshToken",
            "properties": {
                "grant_type": {"const": "refresh_token"},
                "refresh_token": {"minLength": 1, "examples": ["3q2-7wAAyXo1b9dVYxM0Jc5nQmTtU8r6LhKpEfGsZiA"]},
            },
            "required": ["refresh_token"],
        },
    ]
}


class TokenEndpoint(Feature):
    """Serves the grant types of the other features, for OAuth 2 clients: `password` and `refresh_token`."""

    @post(
        "/token",
        oauth2=True,
        logs_in=True,
        names="username",
        guesses="password",
        schema=GRANTS,
        event=events.LOGIN,
        errors=(UnsupportedGrantTypeError, *REFUSED_TOKENS, TokenReuseError, BusyError),
    )
    async def token(
        self,
        *,
        grant_type: Line,
        username: Line = "",
        password: Line = "",
        refresh_token: Line = "",
        client: Client = Client(),
    ) -> TokenPair:
        """Get tokens in the form of OAuth 2: `grant_type=password` or `refresh_token`."""
        grants = {name: grant for feature in self.auth.features for name, grant in feature.grants.items()}
        if (grant := grants.get(grant_type)) is None:
            raise UnsupportedGrantTypeError
        sent = {"username": username, "password": password, "refresh_token": refresh_token}
        if not all(sent[name] for name in grant.requires):
            raise BadRequestError("A parameter of this grant type is missing.")
        return await grant.run(sent, client)

    def metadata(self, url_of: Callable[[str], str | None]) -> Mapping[str, Any]:
        """Announce the endpoint and the grant types of all features. Its callers need no secret of their own.

        Beside the token endpoint of clients it is not announced: a server has one.
        """
        url = url_of("token")
        if url is None or url_of("client_token") is not None:
            return {}
        return {
            "token_endpoint": url,
            "grant_types_supported": sorted({name for feature in self.auth.features for name in feature.grants}),
            "token_endpoint_auth_methods_supported": ["none"],
        }
