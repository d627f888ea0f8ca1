"""Keys: from the secrets one key for each purpose, and the keys that sign access tokens."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import jwt

MINIMUM = 32
HOW = "make one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
PLACEHOLDERS = re.compile(
    rb"change.?me|change.?this|your.?secret|placeholder|example|insecure|password|default|dummy|test.?secret"
)
ALGORITHMS = ("HS256", "EdDSA", "ES256", "RS256")
RSA_BITS = 2048


def check_secret(secret: bytes) -> None:
    """Refuse a secret that is missing, short, or that somebody could guess (ASVS 11.2.3, 13.2.3; RFC 8725, 3.5)."""
    if not secret:
        raise ValueError(f"a secret is needed; {HOW}")
    if len(secret) < MINIMUM:
        raise ValueError(f"the secret has {len(secret)} bytes, {MINIMUM} are the least; {HOW}")
    steps = sum(abs(a - b) <= 1 for a, b in pairwise(secret))
    weak = (
        PLACEHOLDERS.search(secret.lower()) is not None
        or len(set(secret)) < 10
        or secret in (secret + secret)[1:-1]
        or steps > len(secret) // 2
        or re.fullmatch(rb"[a-z _.-]+|[A-Z _.-]+", secret) is not None
    )
    if weak:
        raise ValueError(f"the secret is one that can be guessed; {HOW}")


def derive(secret: bytes, purpose: str) -> bytes:
    """Make the 32-byte key of one purpose: HKDF-Expand with SHA-256, one block (RFC 5869, section 2.3)."""
    return hmac.digest(secret, purpose.encode() + b"\x01", "sha256")


@dataclass(frozen=True)
class SigningKey:
    """A key with exactly one algorithm and an id (RFC 8725, 3.1). `public` alone can only verify."""

    algorithm: str
    private: Any = field(repr=False)
    public: Any = field(repr=False)
    kid: str

    @classmethod
    def derived(cls, secret: bytes) -> "SigningKey":
        """Make the HS256 key of a secret; its id tells nothing about it."""
        key = derive(secret, "access token")
        return cls("HS256", key, key, hashlib.sha256(b"kid" + key).hexdigest()[:12])

    @classmethod
    def from_pem(cls, pem: str | bytes, algorithm: str, kid: str) -> "SigningKey":
        """Read a private (or, for verifying only, a public) PEM key for EdDSA, ES256 or RS256."""
        if algorithm not in ALGORITHMS[1:]:
            raise ValueError(f"the algorithm is one of {', '.join(ALGORITHMS[1:])}")
        prepare = jwt.get_algorithm_by_name(algorithm).prepare_key
        try:
            key = prepare(pem)
        except (TypeError, ValueError, jwt.PyJWTError) as error:
            raise ValueError(f"this is no key for {algorithm}") from error
        if algorithm == "RS256" and key.key_size < RSA_BITS:
            raise ValueError(f"an RSA key needs {RSA_BITS} bits at least")
        private = key if hasattr(key, "public_key") else None
        return cls(algorithm, private, key.public_key() if private else key, kid)

    @property
    def header(self) -> dict[str, str]:
        """The header of the tokens that this key signs (RFC 9068, section 2.1)."""
        return {"alg": self.algorithm, "kid": self.kid, "typ": "at+jwt"}


class KeyRing:
    """All keys of an `Auth`: derived from its secrets, newest first, and the signing keys that were given."""

    def __init__(self, secrets: list[bytes], signing_keys: list[SigningKey]) -> None:
        """Take secrets that were checked; without signing keys, HS256 keys are derived from them."""
        self._secrets = secrets
        self._derived: dict[str, list[bytes]] = {}
        self.signing = signing_keys or [SigningKey.derived(secret) for secret in secrets]
        if self.signing[0].private is None:
            raise ValueError("the first signing key must be able to sign")
        if len({key.kid for key in self.signing}) != len(self.signing):
            raise ValueError("two signing keys have the same kid")

    def derived(self, purpose: str) -> list[bytes]:
        """The keys of one purpose, newest first; no purpose can use another's."""
        if purpose not in self._derived:
            self._derived[purpose] = [derive(secret, purpose) for secret in self._secrets]
        return self._derived[purpose]
