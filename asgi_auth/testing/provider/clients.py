"""The clients of a provider, and how they prove at the token endpoint which one they are (RFC 6749, 2.3)."""

import hmac
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from asgi_auth.testing.provider.jose import unb64, verified
from asgi_auth.testing.provider.wire import RefusedError, Request

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class RegisteredClient:
    """A client that a provider knows.

    `redirect_uris` are compared as they are; without any, each one is allowed. A client with a `public_key` (PEM, of a
    P-256 key) has no secret: it signs a JWT with ES256 for each call, and `team` is the issuer that the JWT names,
    unless it is the client itself.
    """

    client_id: str
    secret: str = ""
    redirect_uris: Collection[str] = ()
    public_key: bytes = b""
    team: str = ""

    def allows(self, redirect_uri: str) -> bool:
        """Whether codes may go to an address."""
        return redirect_uri in self.redirect_uris if self.redirect_uris else redirect_uri != ""


@dataclass(frozen=True)
class Claimed:
    """A client as a request names it, and how: a method of OpenID Connect Core 1.0, 9."""

    method: str
    client_id: str
    secret: str


def claimed(request: Request) -> Claimed:
    """Read the client and its secret. Raises RefusedError when a request uses two methods, or none."""
    form = request.form
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        if "client_secret" in form or "client_assertion" in form:
            raise RefusedError("invalid_request", "two methods of authentication")
        return _basic(value)
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION or "client_secret" in form:
            raise RefusedError("invalid_request", "the client assertion has another type")
        return Claimed("private_key_jwt", form.get("client_id", ""), form["client_assertion"])
    return Claimed("client_secret_post", form.get("client_id", ""), form.get("client_secret", ""))


def _basic(value: str) -> Claimed:
    try:
        client_id, _, secret = unb64(value.replace("+", "-").replace("/", "_").rstrip("=")).decode().partition(":")
    except ValueError:
        raise RefusedError("invalid_client", status=401) from None
    # Both parts are encoded as in a form (RFC 6749, 2.3.1).
    return Claimed("client_secret_basic", unquote_plus(client_id), unquote_plus(secret))


@dataclass(frozen=True)
class Registry:
    """The clients of one provider, with the methods and the audiences that it accepts."""

    clients: Mapping[str, RegisteredClient]
    methods: Collection[str]
    audiences: Collection[str]

    def authenticate(self, request: Request, now: float) -> RegisteredClient:
        """Return the client of a request. Raises RefusedError for any doubt."""
        found = claimed(request)
        client = self.clients.get(found.client_id or self._subject(found.secret))
        if client is None or found.method not in self.methods:
            raise RefusedError("invalid_client", "unknown client or method", status=401)
        if client.public_key:
            self._check(verified(found.secret, client.public_key) or {}, client, now)
        elif not client.secret or not hmac.compare_digest(found.secret.encode(), client.secret.encode()):
            raise RefusedError("invalid_client", "wrong secret", status=401)
        return client

    def _subject(self, token: str) -> str:
        """The client that an assertion names, which needs no `client_id` beside it (RFC 7523, 3)."""
        names = [name for name, client in self.clients.items() if client.public_key]
        return next((name for name in names if verified(token, self.clients[name].public_key) is not None), "")

    def _check(self, claims: Mapping[str, Any], client: RegisteredClient, now: float) -> None:
        right = (
            claims.get("iss") == (client.team or client.client_id)
            and claims.get("sub") == client.client_id
            and claims.get("aud") in self.audiences
            and isinstance(claims.get("exp"), int)
            and now < claims["exp"] <= now + 180 * 24 * 3600
        )
        if not right:
            raise RefusedError("invalid_client", "the JWT of the client is not right", status=401)
