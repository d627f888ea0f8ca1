"""Keys: one derived from each secret for each installation and purpose, and the signing keys of access tokens."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

import jwt

MIN_SECRET_BYTES = 32
ADVICE = "generate one with: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
#: Text that marks a secret as an example or a placeholder.
PLACEHOLDERS = re.compile(
    rb"change.?me|change.?this|your.?secret|placeholder|example|insecure|password|default|dummy|test.?secret"
)
#: The first is for keys derived from a secret, the others are for PEM keys.
ALGORITHMS = ("HS256", "EdDSA", "ES256", "RS256")
#: What a PEM key for an algorithm has to be (RFC 8037, section 3.1; RFC 7518, sections 3.3 and 3.4).
NEEDS = {"EdDSA": "an Ed25519 or Ed448 key", "ES256": "a P-256 key", "RS256": "an RSA key"}
MIN_RSA_BITS = 2048
#: Seconds between two looks at the file of the signing keys.
LOOK = 1.0
UNBOUND = "the keys depend on the database; await auth.start() first"


def check_secret(secret: bytes) -> None:
    """Raise ValueError for a missing, short or guessable secret (ASVS 11.2.3, 13.2.3; RFC 8725, section 3.5)."""
    if not secret:
        raise ValueError(f"a secret is required; {ADVICE}")
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(f"the secret has {len(secret)} bytes and needs at least {MIN_SECRET_BYTES}; {ADVICE}")
    # Sequences such as "abcd", "4321" and "aaaa".
    neighbors = sum(abs(a - b) <= 1 for a, b in pairwise(secret))
    weak = (
        PLACEHOLDERS.search(secret.lower()) is not None
        or len(set(secret)) < 10
        or secret in (secret + secret)[1:-1]  # a repeated piece
        or neighbors > len(secret) // 2
        or re.fullmatch(rb"[a-z _.-]+|[A-Z _.-]+", secret) is not None  # words
    )
    if weak:
        raise ValueError(f"the secret can be guessed; {ADVICE}")


def derive(secret: bytes, purpose: str) -> bytes:
    """Derive the 32-byte key for one purpose: one block of HKDF-Expand with SHA-256 (RFC 5869, section 2.3)."""
    return hmac.digest(secret, purpose.encode() + b"\x01", "sha256")


@dataclass(frozen=True)
class SigningKey:
    """A key for access tokens, with its id (`kid`) and exactly one algorithm (RFC 8725, section 3.1).

    A key whose `private` part is None can only verify.
    """

    algorithm: str
    private: Any = field(repr=False)
    public: Any = field(repr=False)
    kid: str

    @classmethod
    def symmetric(cls, key: bytes) -> "SigningKey":
        """Make an HS256 key of 32 bytes. Its id is a digest, and reveals nothing about the key."""
        return cls("HS256", key, key, hashlib.sha256(b"kid" + key).hexdigest()[:12])

    @classmethod
    def from_pem(cls, pem: str | bytes, algorithm: str, kid: str) -> "SigningKey":
        """Read a PEM key for EdDSA, ES256 or RS256: a private key, or a public key that can only verify.

        Raises ValueError for another algorithm, for a key of another kind, and for an RSA key below 2048 bits, and
        ImportError without the extra `asymmetric`.
        """
        if algorithm not in ALGORITHMS[1:]:
            raise ValueError(f"the algorithm must be one of {', '.join(ALGORITHMS[1:])}")
        try:
            prepare = jwt.get_algorithm_by_name(algorithm).prepare_key
        except NotImplementedError as error:
            raise ImportError(f"{algorithm} needs the extra: pip install 'asgi-auth[asymmetric]'") from error
        key = _read(prepare, pem, algorithm)
        if algorithm == "RS256" and key.key_size < MIN_RSA_BITS:
            raise ValueError(f"an RSA key needs at least {MIN_RSA_BITS} bits")
        private = key if hasattr(key, "public_key") else None
        return cls(algorithm, private, key.public_key() if private else key, kid)

    @property
    def header(self) -> dict[str, str]:
        """The header of the access tokens that this key signs (RFC 9068, section 2.1)."""
        return {"alg": self.algorithm, "kid": self.kid, "typ": "at+jwt"}


def _read(prepare: Callable[[str | bytes], Any], pem: str | bytes, algorithm: str) -> Any:
    """Read a key of the kind of an algorithm. Raises ValueError for all other texts."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 (of an extra)

    failure: Exception | None = None
    try:
        key = prepare(pem)
        # How far PyJWT looks at the kind of a key depends on its version.
        if fits(key, algorithm):
            return key
    except (TypeError, ValueError, jwt.PyJWTError, UnsupportedAlgorithm) as error:
        failure = error
    raise ValueError(f"the PEM text is not a key for {algorithm}, which needs {NEEDS[algorithm]}") from failure


def fits(key: Any, algorithm: str) -> bool:
    """Return whether a private or public key is of the kind of an algorithm."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa  # noqa: PLC0415 (of an extra)

    if algorithm == "ES256":
        is_elliptic = isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey)
        return is_elliptic and isinstance(key.curve, ec.SECP256R1)
    if algorithm == "RS256":
        return isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey)
    edwards = ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey, ed448.Ed448PrivateKey, ed448.Ed448PublicKey
    return isinstance(key, edwards)


class KeySource(Protocol):
    """Where signing keys come from that change while a process runs, such as a file."""

    keys: list[SigningKey]

    def refresh(self) -> bool:
        """Read the keys again if they have changed, and tell whether they have."""


class KeyRing:
    """All keys of an `Auth`: the keys derived from its secrets, and the signing keys of access tokens.

    Keys are derived for one installation, which is one set of tables: two with the same secret share no key. An
    installation has an id, kept in its tables, so there are no keys before `bind`.
    """

    def __init__(
        self,
        secrets: Sequence[bytes],
        signing_keys: Sequence[SigningKey],
        issuer: str,
        audience: str,
        source: KeySource | None = None,
    ) -> None:
        """Take the checked secrets and the signing keys, both newest first, or the `source` of the latter.

        Without signing keys, HS256 keys are derived from the secrets. Raises ValueError when the first signing key
        cannot sign, and when two signing keys have the same id.
        """
        if not secrets:
            raise ValueError("a secret is required")
        self._source = source
        #: Called after the signing keys have changed.
        self.on_reload: list[Callable[[], None]] = []
        signing_keys = source.keys if source is not None else signing_keys
        if signing_keys and signing_keys[0].private is None:
            raise ValueError("the first signing key must have a private part, to sign tokens")
        if len({key.kid for key in signing_keys}) != len(signing_keys):
            raise ValueError("two signing keys have the same kid")
        self._secrets = list(secrets)
        self._signing_keys = list(signing_keys)
        self._service = json.dumps([issuer, audience])
        self._roots: list[bytes] = []
        self._derived: dict[str, list[bytes]] = {}
        self._signing: list[SigningKey] = []
        #: The id of the installation; empty before `bind`.
        self.installation: str = ""

    @property
    def is_bound(self) -> bool:
        """Whether the installation is known, so that there are keys."""
        return bool(self.installation)

    def bind(self, installation: str) -> None:
        """Derive the keys from now on for an installation. A no-op for the current one."""
        if installation == self.installation:
            return
        self._roots = [derive(secret, f"installation {installation}") for secret in self._secrets]
        self._derived = {}
        self.installation = installation
        self._signing = self._signing_keys or [SigningKey.symmetric(key) for key in self.for_service("access token")]

    @property
    def signing(self) -> list[SigningKey]:
        """The keys of access tokens, newest first; another list after `bind`. Raises RuntimeError before it."""
        if not self._signing:
            raise RuntimeError(UNBOUND)
        return self._signing

    @property
    def configured(self) -> list[SigningKey]:
        """The signing keys of the settings or of their file, newest first; none where the secret makes them."""
        return self._signing_keys

    @property
    def is_asymmetric(self) -> bool:
        """Whether other services can verify access tokens: by public keys."""
        return bool(self._signing_keys)

    def reload(self) -> bool:
        """Read the signing keys of a file again; tell whether they have changed."""
        if self._source is None or not self._source.refresh():
            return False
        self._signing_keys = list(self._source.keys)
        if self.is_bound:
            self._signing = self._signing_keys
        for listener in self.on_reload:
            listener()
        return True

    async def follow(self) -> None:
        """Look at the file of the signing keys once a second, until cancelled; return at once without a file."""
        while self._source is not None:
            await asyncio.sleep(LOOK)
            self.reload()

    @property
    def token_binding(self) -> str:
        """The value of the claim that binds access tokens to the installation; empty if their key does so already."""
        return self.installation[:16] if self._signing_keys else ""

    def derived(self, purpose: str) -> list[bytes]:
        """Return the installation's keys for a purpose, one for each secret, newest first. All keys are independent.

        Raises RuntimeError before `bind`.
        """
        if purpose not in self._derived:
            if not self._roots:
                raise RuntimeError(UNBOUND)
            self._derived[purpose] = [derive(root, purpose) for root in self._roots]
        return self._derived[purpose]

    def for_service(self, purpose: str) -> list[bytes]:
        """Return the keys for a purpose that the installation has for one issuer and audience."""
        return self.derived(f"{purpose} {self._service}")
