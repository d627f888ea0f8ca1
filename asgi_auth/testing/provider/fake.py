"""A fake OpenID provider that can lie, as a plain ASGI app."""

from collections.abc import Collection, Mapping
from typing import Any

from asgi_auth.testing.provider.clients import RegisteredClient
from asgi_auth.testing.provider.forgeries import Signing
from asgi_auth.testing.provider.grants import Grant
from asgi_auth.testing.provider.jose import SigningKey, half_hash, signing_key
from asgi_auth.testing.provider.lies import changed
from asgi_auth.testing.provider.returns import MODES
from asgi_auth.testing.provider.server import FakeServer
from asgi_auth.testing.provider.wire import RefusedError, Request, Response, as_json

#: The claims that a scope asks for (OpenID Connect Core 1.0, 5.4). Other claims need no scope.
SCOPED = {"email": "email", "email_verified": "email", "name": "profile", "picture": "profile"}
#: Seconds that an ID token lives.
SECONDS = 300


class FakeProvider(FakeServer):
    """A fake OpenID provider: discovery, keys, code grant with PKCE, ID tokens, userinfo and refresh tokens.

    It behaves as an honest provider until it `lies`: `provider.lies("alg none")` takes a lie of `LIES`, and
    `provider.lies(Lie(claims={"aud": "another"}))` any other. `provider.trouble["token"] = TROUBLES["slow"]` makes an
    endpoint fail. It keeps all in memory, and serves one event loop at a time::

        provider = FakeProvider("https://id.example.com", client_id="app", client_secret=SECRET)
        provider.add_user("7", email="ann@example.com", email_verified=True)
        way_back = await provider.visit(url_of_the_authorization_request)
    """

    paths: Mapping[str, str] = {
        "metadata": "/.well-known/openid-configuration",
        "authorization": "/authorize",
        "token": "/token",
        "userinfo": "/userinfo",
        "keys": "/keys",
    }

    def __init__(
        self,
        issuer: str,
        *,
        alg: str = "RS256",
        announces_iss: bool = True,
        shown_at: Collection[str] = ("id_token", "userinfo"),
        **options: Any,
    ) -> None:
        """Take the issuer's URL, and the options of FakeServer.

        `alg` signs ID tokens, `announces_iss` sends `iss` back with the code (RFC 9207), and `shown_at` names where
        the claims of a user stand, `id_token` or `userinfo`.
        """
        super().__init__(issuer, **options)
        self.alg = alg
        self.announces_iss = announces_iss
        self.shown_at = shown_at
        self.key: SigningKey = signing_key("a", alg)
        self.shown_keys: list[SigningKey] = [self.key]
        self.handlers.update(metadata=self._metadata, userinfo=self._userinfo, keys=self._keys)

    def rotate(self, kid: str, *, keep: bool = True) -> None:
        """Sign with another key from now on; `keep` leaves the earlier ones in the JWKS."""
        self.key = signing_key(kid, self.alg)
        self.shown_keys = [*(self.shown_keys if keep else []), self.key]

    @property
    def metadata(self) -> dict[str, Any]:
        """The honest metadata (OpenID Connect Discovery 1.0, 3)."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": self.url("authorization"),
            "token_endpoint": self.url("token"),
            "userinfo_endpoint": self.url("userinfo"),
            "jwks_uri": self.url("keys"),
            "response_types_supported": ["code"],
            "response_modes_supported": [*MODES],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "subject_types_supported": ["public"],
            "scopes_supported": ["openid", "email", "profile", "offline_access"],
            "id_token_signing_alg_values_supported": [self.alg],
            "token_endpoint_auth_methods_supported": [*self.methods],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": self.announces_iss,
        }

    def check_authorization(self, asked: Mapping[str, str]) -> None:
        """Check a request for authorization. Raises RefusedError."""
        if "openid" not in asked.get("scope", "").split():
            raise RefusedError("invalid_scope", "the scope openid is missing")
        super().check_authorization(asked)

    def beside_the_code(self) -> dict[str, str]:
        """Return the issuer (RFC 9207)."""
        return {"iss": self.issuer} if self.announces_iss else {}

    def beside_the_access_token(self, client: RegisteredClient, grant: Grant, token: str) -> dict[str, str]:
        """Return the ID token."""
        now = int(self.now())
        claims: dict[str, Any] = {"iss": self.issuer, "sub": grant.subject, "aud": client.client_id}
        claims |= {"iat": now, "exp": now + SECONDS, "at_hash": half_hash(token, self.alg)}
        claims |= {"auth_time": grant.auth_time}
        claims |= {"nonce": grant.asked["nonce"]} if "nonce" in grant.asked else {}
        claims |= self._of_user(grant) if "id_token" in self.shown_at else {}
        body = changed(claims, self.lie.claims) if self.lie.body is None else self.lie.body
        header = changed({"alg": self.alg, "kid": self.key.kid, "typ": "JWT"}, self.lie.header)
        return {"id_token": self.lie.forge(Signing(self.key, client.secret), header, body)}

    def _of_user(self, grant: Grant) -> dict[str, Any]:
        """The claims of a user that the scope asks for."""
        scopes = {*grant.scopes, ""}
        return {name: value for name, value in self.users[grant.subject].items() if SCOPED.get(name, "") in scopes}

    def _metadata(self, _: Request) -> Response:
        return as_json(changed(self.metadata, self.lie.metadata))

    def _keys(self, _: Request) -> Response:
        return as_json({"keys": [key.jwk for key in self.shown_keys]})

    def _userinfo(self, request: Request) -> Response:
        grant = self.grants.holder(request.bearer, self.now())
        claims = self._of_user(grant) if "userinfo" in self.shown_at else {}
        return as_json(changed({"sub": grant.subject} | claims, self.lie.user))
