"""Signing keys as JSON Web Keys (RFC 7517)."""

from collections.abc import Sequence
from typing import Any, cast

import jwt

from asgi_auth.crypto.keys import SigningKey

#: The members that describe a public key (RFC 7518, section 6; RFC 8037, section 2).
PUBLIC = ("kty", "crv", "x", "y", "n", "e")


def public_set(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """Return the JWK set of the public keys. Keys that are derived from a secret are not in it."""
    return {"keys": [_public(key) for key in keys if key.algorithm != "HS256"]}


def _public(key: SigningKey) -> dict[str, Any]:
    """Return the public members of a key alone (RFC 7517, section 4)."""
    algorithm = cast("Any", jwt.get_algorithm_by_name(key.algorithm))
    members = algorithm.to_jwk(key.public, as_dict=True)
    return {
        **{name: members[name] for name in PUBLIC if name in members},
        "kid": key.kid,
        "alg": key.algorithm,
        "use": "sig",
    }
