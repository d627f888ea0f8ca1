"""ID tokens that are forged: each function makes a token of a header and claims, and of what the provider holds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from asgi_auth.testing.provider.jose import SigningKey, compact, hs256, signing_key


@dataclass(frozen=True)
class Signing:
    """What a provider can sign with: its key, and the secret of the client."""

    key: SigningKey
    client_secret: str


Header = dict[str, Any]
Forge = Callable[[Signing, Header, Any], str]


def honest(signing: Signing, header: Header, claims: Any) -> str:
    """Sign with the provider's key."""
    return compact(header, claims, signing.key.sign)


def unsigned(alg: str) -> Forge:
    """Return a forge without a signature."""
    return lambda _, header, claims: compact(header | {"alg": alg}, claims, lambda _: b"")


def stripped(signing: Signing, header: Header, claims: Any) -> str:
    """Leave the signature out, under the header of a signed token."""
    return honest(signing, header, claims).rpartition(".")[0] + "."


def hmac_of_public_key(signing: Signing, header: Header, claims: Any) -> str:
    """Take the public key, which the whole world knows, as a shared secret (RFC 8725, 2.1)."""
    return compact(header | {"alg": "HS256"}, claims, hs256(signing.key.pem))


def hmac_of_client_secret(signing: Signing, header: Header, claims: Any) -> str:
    """Sign with the client secret."""
    return compact(header | {"alg": "HS256"}, claims, hs256(signing.client_secret.encode()))


def foreign_key(signing: Signing, header: Header, claims: Any) -> str:
    """Sign with a key that is not in the JWKS, under the same key id."""
    return compact(header, claims, signing_key("foreign", signing.key.alg).sign)


def key_in_header(signing: Signing, header: Header, claims: Any) -> str:
    """Sign with a key that the token itself brings along (RFC 8725, 3.10)."""
    key = signing_key("foreign", signing.key.alg)
    return compact(header | {"jwk": key.jwk | {"kid": header.get("kid")}}, claims, key.sign)


def changed_claims(signing: Signing, header: Header, claims: Any) -> str:
    """Change the claims behind the signature."""
    first, _, last = honest(signing, header, claims).split(".")
    _, other, _ = compact(header, claims | {"sub": "another"}, signing.key.sign).split(".")
    return f"{first}.{other}.{last}"
