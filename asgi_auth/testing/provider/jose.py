"""Signatures of JSON Web Tokens, made by hand: a provider that lies signs what no library would sign."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
#: The number of bytes of a coordinate, by curve.
SIZES = {"P-256": 32, "P-384": 48}
CURVES: dict[str, tuple[str, ec.EllipticCurve, hashes.HashAlgorithm]] = {
    "ES256": ("P-256", ec.SECP256R1(), hashes.SHA256()),
    "ES384": ("P-384", ec.SECP384R1(), hashes.SHA384()),
}
HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
#: The hash of `at_hash`, by the algorithm of the ID token (OpenID Connect Core 1.0, 3.1.3.6).
HALVES = {"256": "sha256", "384": "sha384", "512": "sha512", "DSA": "sha512"}


def b64(raw: bytes) -> str:
    """Encode as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Decode base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value: int, size: int = 0) -> str:
    """Encode a whole number of a key (RFC 7518, 2)."""
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8))


@dataclass(frozen=True)
class SigningKey:
    """A private key with the id and the algorithm that a JWKS shows."""

    kid: str
    alg: str
    private: Private

    @property
    def jwk(self) -> dict[str, str]:
        """The public key as a JWK (RFC 7517)."""
        return {"kid": self.kid, "use": "sig", "alg": self.alg, **self._numbers()}

    @property
    def pem(self) -> bytes:
        """The public key as PEM."""
        public = self.private.public_key()
        return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, data: bytes) -> bytes:
        """Sign bytes (RFC 7518, 3.1; RFC 8037)."""
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(data)
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            name, _, hashed = CURVES[self.alg]
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashed)))
            return r.to_bytes(SIZES[name]) + s.to_bytes(SIZES[name])
        hashed = HASHES[self.alg[2:]]
        pss = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
        return self.private.sign(data, pss if self.alg.startswith("PS") else padding.PKCS1v15(), hashed)

    def _numbers(self) -> dict[str, str]:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(self.private.public_key().public_bytes_raw())}
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            name, size = CURVES[self.alg][0], SIZES[CURVES[self.alg][0]]
            point = self.private.public_key().public_numbers()
            return {"kty": "EC", "crv": name, "x": number(point.x, size), "y": number(point.y, size)}
        public = self.private.public_key().public_numbers()
        return {"kty": "RSA", "n": number(public.n), "e": number(public.e)}


@cache
def signing_key(kid: str, alg: str = "RS256") -> SigningKey:
    """Return the key of an id and an algorithm. A process makes each key once, because RSA keys take long."""
    if alg == "EdDSA":
        return SigningKey(kid, alg, ed25519.Ed25519PrivateKey.generate())
    if alg in CURVES:
        return SigningKey(kid, alg, ec.generate_private_key(CURVES[alg][1]))
    return SigningKey(kid, alg, rsa.generate_private_key(65537, 2048))


def compact(header: Mapping[str, Any], claims: Any, sign: Callable[[bytes], bytes]) -> str:
    """Return a token in the compact form (RFC 7515, 7.1)."""
    signed = f"{b64(json.dumps(header).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(sign(signed.encode()))}"


def hs256(secret: bytes) -> Callable[[bytes], bytes]:
    """Return a signer with a shared secret."""
    return lambda data: hmac.digest(secret, data, "sha256")


def half_hash(text: str, alg: str) -> str:
    """Return the left half of a hash, as `at_hash` has it (OpenID Connect Core 1.0, 3.1.3.6)."""
    digest = hashlib.new(HALVES[alg[2:] if alg != "EdDSA" else "DSA"], text.encode()).digest()
    return b64(digest[: len(digest) // 2])


def decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the header and the claims of a token, without a check."""
    header, claims, _ = token.split(".")
    return json.loads(unb64(header)), json.loads(unb64(claims))


def verified(token: str, pem: bytes) -> dict[str, Any] | None:
    """Return the claims of an ES256 token that a client signed, or None when its signature is not right."""
    public = serialization.load_pem_public_key(pem)
    try:
        header, claims = decoded(token)
        data, _, signature = token.rpartition(".")
        raw = unb64(signature)
        if header.get("alg") != "ES256" or len(raw) != 64 or not isinstance(public, ec.EllipticCurvePublicKey):
            return None
        der = utils.encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
        public.verify(der, data.encode(), ec.ECDSA(hashes.SHA256()))
    except (ValueError, InvalidSignature):
        return None
    return claims
