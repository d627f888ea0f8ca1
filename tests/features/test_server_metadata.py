"""What other programs read of the server: its metadata (RFC 8414) and its public keys (RFC 7517)."""

from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from asgi_auth import Auth, AuthApp, AuthMiddleware, Passwords, Revocation, ServerMetadata, Sessions, SigningKey
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.feature import Feature, get
from asgi_auth.features.token_endpoint import TokenEndpoint
from tests.support import ORIGIN, Client, login, make_auth, register, who

ISSUER = f"{ORIGIN}/auth"
WELL_KNOWN = "/.well-known/oauth-authorization-server"


class Announces(Feature):
    """Announces an endpoint, and more grant types."""

    announces = True

    @get("/things")
    async def things(self) -> None:
        """Return nothing."""

    def metadata(self, url_of: Any) -> dict[str, Any]:
        return {"things_endpoint": url_of("things"), "gone": url_of("gone"), "grant_types_supported": ["password", "x"]}


def pem(key: Any) -> bytes:
    return bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def keys() -> list[SigningKey]:
    return [
        SigningKey.from_pem(pem(ed25519.Ed25519PrivateKey.generate()), "EdDSA", "new"),
        SigningKey.from_pem(pem(ec.generate_private_key(ec.SECP256R1())), "ES256", "old"),
        SigningKey.from_pem(pem(rsa.generate_private_key(65537, 3072)), "RS256", "oldest"),
    ]


def make(*more: Feature, **settings: Any) -> Auth:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), TokenEndpoint(), *more]
    return make_auth(features=features, **settings)


async def test_the_metadata_joins_what_features_announce_and_is_served_at_the_root() -> None:
    async with make(Announces()) as auth:
        client = Client(AuthMiddleware(who, AuthApp(auth, paths={"things": "/stuff"}), mount="/auth"))

        below = await client.get(f"/auth{WELL_KNOWN}")
        at_root = await client.get(f"{WELL_KNOWN}/auth")
        bare = await client.get(WELL_KNOWN)
        in_process = await auth[ServerMetadata].server_metadata()

    assert at_root.json == {
        "issuer": ISSUER,
        "response_types_supported": [],
        "token_endpoint": f"{ISSUER}/token",
        "grant_types_supported": ["password", "refresh_token", "x"],
        "token_endpoint_auth_methods_supported": ["none"],
        "things_endpoint": f"{ISSUER}/stuff",
        "revocation_endpoint": f"{ISSUER}/revoke",
        "revocation_endpoint_auth_methods_supported": ["none"],
    }
    assert (below.json, below.header("etag")) == (at_root.json, at_root.header("etag"))
    assert in_process == at_root.json | {"things_endpoint": f"{ISSUER}/things"}
    assert "transport" in bare.json
    assert at_root.header("access-control-allow-origin") == "*"
    assert at_root.header("cache-control") == "public, max-age=300"


async def test_no_header_of_a_request_changes_the_issuer() -> None:
    async with make(Announces()) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        lies = {"host": "evil.example", "x-forwarded-host": "evil.example", "forwarded": "host=evil.example;proto=http"}

        answer = await client.get(f"{WELL_KNOWN}/auth", headers=lies)

    assert b"evil" not in answer.body
    assert answer.json["issuer"] == ISSUER


async def test_the_public_keys_verify_tokens_and_hold_nothing_private() -> None:
    signing = keys()
    async with make(Announces(), signing_keys=signing) as auth:
        await register(auth)
        token = (await login(auth)).access_token
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        url = (await client.get(f"{WELL_KNOWN}/auth")).json["jwks_uri"]
        answer = await client.get(url.removeprefix(ORIGIN))

    found = {item["kid"]: item for item in answer.json["keys"]}
    public = {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}
    assert list(found) == ["new", "old", "oldest"]
    assert all(item.keys() <= public and item["use"] == "sig" for item in found.values())
    assert [item["alg"] for item in found.values()] == ["EdDSA", "ES256", "RS256"]
    assert (answer.header("cache-control"), answer.header("access-control-allow-origin")) == (
        "public, max-age=300",
        "*",
    )
    key = jwt.PyJWK(found[jwt.get_unverified_header(token)["kid"]])
    assert jwt.decode(token, key, ["EdDSA"], audience="asgi-auth", issuer="asgi-auth")["sub"]


async def test_keys_that_come_from_the_secret_are_never_shown() -> None:
    async with make(Announces()) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        assert (await client.get("/auth/.well-known/jwks.json")).json == {"keys": []}
        assert "jwks_uri" not in (await client.get(f"{WELL_KNOWN}/auth")).json


def test_a_feature_that_announces_itself_brings_metadata_and_revocation_along() -> None:
    own = Revocation()

    assert [type(item) for item in make(Announces(), own).features][-2:] == [Revocation, ServerMetadata]
    assert make(Announces(), own := Revocation())[Revocation] is own
    assert make().get(ServerMetadata) is None


def test_the_issuer_needs_a_public_url() -> None:
    with pytest.raises(ValueError, match="needs base_url"):
        make(Announces(), base_url=None)


async def test_two_features_cannot_announce_different_values() -> None:
    class Contradicts(Announces):
        def metadata(self, url_of: Any) -> dict[str, Any]:
            return {"token_endpoint": url_of("things")}

    async with make(Contradicts()) as auth:
        with pytest.raises(ValueError, match="token_endpoint"):
            await auth[ServerMetadata].server_metadata()
