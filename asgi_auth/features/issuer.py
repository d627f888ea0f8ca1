"""Tokens for other services: introspection (RFC 7662), beside the keys and the metadata of the server."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import msgspec

from asgi_auth.crypto.shared_secrets import SharedSecrets
from asgi_auth.errors import InvalidClientError, InvalidTokenError
from asgi_auth.feature import BasicCredentials, Feature, Record, post
from asgi_auth.sources.kinds import checks_options

#: Anything may be sent, up to the size of a body: only a genuine token is active.
AnyToken = Annotated[str, msgspec.Meta(min_length=1, max_length=16384)]
#: Claims that mean something to this library alone.
INTERNAL = frozenset({"gen", "ins"})


class IntrospectionClient(Record, frozen=True):
    """Another service: its secret (a list during a rotation), and the audience whose tokens it may ask about."""

    secret: str | Sequence[str]
    audience: str | None = None


class Issuer(Feature):
    """Lets other services verify the access tokens of this one: by its public keys, or by asking it.

    `clients` maps the names of services to their secrets (a list during a rotation), or to an `IntrospectionClient`.
    Without an `audience`, a service asks about the tokens of users: those with `Settings.audience`. With the URL of a
    protected resource, it asks about the tokens of clients for it.
    """

    announces = True

    @checks_options
    def __init__(self, clients: Mapping[str, str | Sequence[str] | IntrospectionClient] | None = None) -> None:
        """Take the services that may ask. Raises ValueError for a secret that is short or can be guessed."""
        services = {
            name: given if isinstance(given, IntrospectionClient) else IntrospectionClient(given)
            for name, given in (clients or {}).items()
        }
        self._secrets = SharedSecrets({name: service.secret for name, service in services.items()})
        self._audiences = {name: service.audience for name, service in services.items()}

    def attach(self, auth: Any) -> None:
        """Join an `Auth`. Raises ValueError where other services could not verify its tokens."""
        super().attach(auth)
        settings = auth.settings
        if not auth.keys.is_asymmetric:
            raise ValueError("Issuer needs signing_keys or signing_keys_file: others verify tokens by the public keys")
        if settings.mount_url is None or settings.issuer != settings.mount_url:
            raise ValueError(f"Issuer needs issuer={settings.mount_url or 'base_url and mount'!r}: others compare it")

    @post("/introspect", oauth2=True, limits="6000/m/ip", errors=(InvalidClientError,))
    async def introspect(self, *, token: AnyToken, basic: BasicCredentials) -> dict[str, Any]:
        """Tell whether an access token is valid now, and what it says. All else is just `active: false`."""
        name = self._secrets.name_of(basic.readings)
        if name is None:
            raise InvalidClientError
        audience = self._audiences[name] or self.auth.settings.audience
        resource = self.auth.resources.named(audience)
        if resource is None and audience != self.auth.settings.audience:
            return {"active": False}
        try:
            identity = await self.auth.verifier.verify_now(token, resource)
        except InvalidTokenError:
            return {"active": False}
        found: dict[str, Any] = {key: value for key, value in identity.claims.items() if key not in INTERNAL}
        if identity.client is not None:
            # Without "authenticated".
            found["scope"] = " ".join(identity.scopes[1:])
        return {**found, "active": True, "token_type": "Bearer", "roles": identity.roles}

    def metadata(self, url_of: Callable[[str], str | None]) -> Mapping[str, Any]:
        """Announce the endpoint."""
        url = url_of("introspect")
        return {
            "introspection_endpoint": url,
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic"] if url else None,
        }
