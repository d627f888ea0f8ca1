"""Signing keys as JSON Web Keys (RFC 7517)."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import jwt

from asgi_auth.crypto.keys import ALGORITHMS, SigningKey, fits

#: The members that describe a public key (RFC 7518, section 6; RFC 8037, section 2).
PUBLIC = ("kty", "crv", "x", "y", "n", "e")
#: Those of a private key as well.
PRIVATE = (*PUBLIC, "d", "p", "q", "dp", "dq", "qi")
#: The size of RSA keys of a file (ASVS 11.6.1), and the only curve of EdDSA there.
RSA_BITS, EDWARDS = 3072, "Ed25519"
KID = re.compile(r"[A-Za-z0-9._~-]{1,64}")


def public_set(keys: Sequence[SigningKey]) -> dict[str, Any]:
    """Return the JWK set of the public keys. Keys that are derived from a secret are not in it."""
    return {"keys": [_members(key.public, key, PUBLIC) for key in keys if key.algorithm != "HS256"]}


def private_jwk(key: SigningKey) -> dict[str, Any]:
    """Return a key with its private members, for a file."""
    return _members(key.private, key, PRIVATE)


def read_jwk(members: Mapping[str, Any], bits: int = RSA_BITS) -> SigningKey:
    """Read a private or public key. Raises ValueError for one that is not complete, or an RSA key with fewer bits."""
    kid, algorithm = members.get("kid"), members.get("alg")
    if not isinstance(kid, str) or KID.fullmatch(kid) is None:
        raise ValueError("a key has no kid of 1 to 64 letters, digits, '.', '_', '~' and '-'")
    if algorithm not in ALGORITHMS[1:]:
        raise ValueError(f"key {kid}: alg must be one of {', '.join(ALGORITHMS[1:])}")
    if members.get("use", "sig") != "sig" or (algorithm == "EdDSA" and members.get("crv") != EDWARDS):
        raise ValueError(f"key {kid} is for another use, or on another curve than {EDWARDS}")
    try:
        found = cast("Any", jwt.get_algorithm_by_name(str(algorithm))).from_jwk(dict(members))
    except NotImplementedError as error:
        raise ImportError("signing keys need the extra: pip install 'asgi-auth[asymmetric]'") from error
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise ValueError(f"key {kid} is not a key for {algorithm}") from error
    if not fits(found, str(algorithm)):
        raise ValueError(f"key {kid} is not a key for {algorithm}")
    if algorithm == "RS256" and found.key_size < bits:
        raise ValueError(f"key {kid}: an RSA key needs at least {bits} bits")
    private = found if hasattr(found, "public_key") else None
    return SigningKey(str(algorithm), private, found.public_key() if private else found, kid)


def verifier_of(key: SigningKey) -> Callable[[bytes, bytes], bool]:
    """Bind PyJWT's algorithm to the one key that may use it; the function takes signed bytes and a signature."""
    algorithm = jwt.get_algorithm_by_name(key.algorithm)
    prepared = algorithm.prepare_key(key.public)
    return lambda signed, signature: algorithm.verify(signed, prepared, signature)


def _members(part: Any, key: SigningKey, names: Sequence[str]) -> dict[str, Any]:
    """Return these members of a key, with its id and its only use (RFC 7517, section 4)."""
    algorithm = cast("Any", jwt.get_algorithm_by_name(key.algorithm))
    members = algorithm.to_jwk(part, as_dict=True)
    found = {name: members[name] for name in names if name in members}
    return {**found, "kid": key.kid, "alg": key.algorithm, "use": "sig"}
