"""The checks of an ID token (OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725)."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from asgi_auth.features.oidc.errors import ProviderRefusedError
from asgi_auth.features.oidc.metadata import KeySource
from asgi_auth.features.oidc.profile import is_subject
from asgi_auth.features.oidc.providers import OpenIDProvider

#: The algorithms, each with the kind and the curve of its keys, and the hash of `at_hash`. Never `none`, never HMAC.
ALGORITHMS: Mapping[str, tuple[str, str | None, str]] = {
    "RS256": ("RSA", None, "sha256"),
    "RS384": ("RSA", None, "sha384"),
    "RS512": ("RSA", None, "sha512"),
    "PS256": ("RSA", None, "sha256"),
    "ES256": ("EC", "P-256", "sha256"),
    "ES384": ("EC", "P-384", "sha384"),
    "EdDSA": ("OKP", "Ed25519", "sha512"),
}
#: The greatest difference between the time of issue and now, in seconds.
MAX_AGE = 600
#: The longest ID token, in characters.
MOST = 65536
#: A time after all that are meant, in seconds since 1970: of the year 10000.
LAST_TIME = 253402300800


@dataclass(frozen=True)
class Expected:
    """What the ID token of one login has to say."""

    nonce: str
    access_token: str
    now: float
    leeway: int


async def read(token: Any, provider: OpenIDProvider, source: KeySource, expected: Expected) -> Mapping[str, Any]:
    """Return the claims of an ID token. Raises ProviderRefusedError unless every check passes."""
    header = _header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise ProviderRefusedError("the algorithm of the ID token is not accepted")
    if kid is not None and not isinstance(kid, str):
        raise ProviderRefusedError("the kid of the ID token is no text")
    key = _choose(await source.keys(kid), algorithm, kid)
    claims = _verified(token, key, algorithm)
    _check_parties(claims, provider)
    _check_times(claims, expected)
    if not _is_text(claims.get("nonce"), expected.nonce):
        raise ProviderRefusedError("the nonce of the ID token is another one")
    subject = claims.get("sub")
    if not is_subject(subject):
        raise ProviderRefusedError("the ID token has no subject")
    _check_hash(claims, algorithm, expected.access_token)
    if not provider.fits(claims):
        raise ProviderRefusedError("the ID token lacks a claim that a login needs")
    return claims


def _header(token: Any) -> Mapping[str, Any]:
    """Read the header, which names the key; it is not believed before the signature is verified."""
    if not isinstance(token, str) or len(token) > MOST or token.count(".") != 2:
        raise ProviderRefusedError("there is no ID token")
    part = token.partition(".")[0]
    try:
        raw = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
        return msgspec.json.decode(raw, type=dict[str, Any])
    except (binascii.Error, msgspec.DecodeError, ValueError, RecursionError):
        raise ProviderRefusedError("the header of the ID token cannot be read") from None


def _choose(keys: Sequence[Mapping[str, Any]], algorithm: str, kid: str | None) -> Mapping[str, Any]:
    """Return the one key of the provider for a token: by its id, or the only one of its kind."""
    kind, curve, _ = ALGORITHMS[algorithm]
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind
        and key.get("crv") == curve
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise ProviderRefusedError("the provider has no key, or several, for the ID token")
    return fitting[0]


def _verified(token: str, key: Mapping[str, Any], algorithm: str) -> Mapping[str, Any]:
    from joserfc import jwt  # noqa: PLC0415 (of an extra)
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415

    kinds: Mapping[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    public = {name: key[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in key}
    try:
        claims: Any = jwt.decode(token, kinds[public["kty"]].import_key(public), algorithms=[algorithm]).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise ProviderRefusedError(f"the ID token is not genuine: {type(error).__name__}") from None
    if not isinstance(claims, dict):
        # Earlier versions of joserfc return lists as they are.
        raise ProviderRefusedError("the ID token has no claims")
    return claims


def _check_parties(claims: Mapping[str, Any], provider: OpenIDProvider) -> None:
    """Check the issuer and the audience of the token. The issuer is the configured one, never the token's."""
    issuer = provider.issuer_of(claims)
    if issuer is None or claims.get("iss") != issuer:
        raise ProviderRefusedError("the ID token is of another issuer")
    audience = claims.get("aud")
    audience = [audience] if isinstance(audience, str) else audience
    if not isinstance(audience, list) or provider.client_id not in audience:
        raise ProviderRefusedError("the ID token is for another client")
    if claims.get("azp", provider.client_id if len(audience) == 1 else None) != provider.client_id:
        raise ProviderRefusedError("the ID token was given to another client")


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    expires, issued = _time(claims, "exp"), _time(claims, "iat")
    if expires is None or expires <= expected.now - expected.leeway:
        raise ProviderRefusedError("the ID token has expired")
    if issued is None or abs(expected.now - issued) > MAX_AGE:
        raise ProviderRefusedError("the ID token was issued at another time")


def _time(claims: Mapping[str, Any], name: str) -> int | float | None:
    value = claims.get(name)
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    # Python reads NaN, which no comparison refuses, and numbers without an end.
    return value if -LAST_TIME < value < LAST_TIME else None


def _check_hash(claims: Mapping[str, Any], algorithm: str, access_token: str) -> None:
    """Check `at_hash` where it is there (Core 1.0, section 3.1.3.6; CVE-2026-28498)."""
    if "at_hash" not in claims:
        return
    digest = hashlib.new(ALGORITHMS[algorithm][2], access_token.encode()).digest()
    wanted = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
    if not _is_text(claims["at_hash"], wanted):
        raise ProviderRefusedError("the ID token belongs to another access token")


def _is_text(value: Any, wanted: str) -> bool:
    """Tell whether a value is a text of ASCII; no encoding has half of a surrogate pair, which JSON can write."""
    return isinstance(value, str) and value.isascii() and hmac.compare_digest(value, wanted)
