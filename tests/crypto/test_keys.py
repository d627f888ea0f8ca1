"""Keys: secrets that can be guessed are refused, one key has one algorithm, and keys are rotated by lists."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from asgi_auth import Auth, Settings, SigningKey
from asgi_auth.crypto.keys import KeyRing, check_secret
from asgi_auth.errors import InvalidTokenError
from tests.sessions.forging import forge
from tests.support import SECRET, Clock, login, make_auth, register

OTHER_SECRET = "pX3_vZ8-nT1yRk6QwJ5mGd0hCs9bLf2aUe7iOoW4rB"
PRIVATE = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PUBLIC = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
KEYS: dict[str, Any] = {
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(65537, 2048),
}


#: All kinds of keys that PEM files commonly hold, and those that fit an algorithm.
KINDS: dict[str, Any] = {
    "Ed25519": KEYS["EdDSA"],
    "Ed448": ed448.Ed448PrivateKey.generate(),
    "X25519": x25519.X25519PrivateKey.generate(),
    "P-256": KEYS["ES256"],
    "P-384": ec.generate_private_key(ec.SECP384R1()),
    "P-521": ec.generate_private_key(ec.SECP521R1()),
    "secp256k1": ec.generate_private_key(ec.SECP256K1()),
    "RSA": KEYS["RS256"],
    "DSA": dsa.generate_private_key(2048),
}
FITTING = {"EdDSA": {"Ed25519", "Ed448"}, "ES256": {"P-256"}, "RS256": {"RSA"}}
#: A key on a curve that the library does not know (prime192v3).
UNKNOWN_CURVE = """-----BEGIN PRIVATE KEY-----
MG8CAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQMEVTBTAgEBBBhiBwV/A4UADCI6CG92
8V7GgdgkVd87BkOhNAMyAAQuR+4ZO0Gw5Yyfd0O+Ipj6VQuEMuMC2C9jBIH8qrzd
ds2Xwt+fvlWd8yhSEnqJDzQ=
-----END PRIVATE KEY-----
"""
CUT = KEYS["RS256"].private_bytes(*PRIVATE)[:500]


class Lenient:
    """A library that takes each key for one of the algorithm."""

    @staticmethod
    def prepare_key(text: bytes) -> Any:
        return load_pem_public_key(text) if b"PUBLIC" in text else load_pem_private_key(text, None)


def pem(algorithm: str) -> bytes:
    private: bytes = KEYS[algorithm].private_bytes(*PRIVATE)
    return private


def public_pem(algorithm: str) -> bytes:
    public: bytes = KEYS[algorithm].public_key().public_bytes(*PUBLIC)
    return public


@pytest.mark.parametrize(
    "secret",
    [
        b"",
        b"short",
        b"x" * 31,
        b"a" * 64,
        b"abc" * 20,
        b"0123456789abcdefghijklmnopqrstuvwxyz",
        b"9876543210zyxwvutsrqponmlkjihgfedcba",
        b"change-me-in-production-1234567890-ABCDEF",
        b"your_secret_key_0987_KJHG_should_be_here",
        b"django-insecure-8f7(3h4*&^%g5h6j7k8l9z0x1c2v3",
        b"correct horse battery staple and some more",
        b"THIS IS ALL UPPER CASE AND QUITE GUESSABLE",
        b"kV7qWm2zR9" * 5,
    ],
)
def test_a_secret_that_is_missing_short_or_guessable_is_refused(secret: bytes) -> None:
    with pytest.raises(ValueError, match="token_urlsafe") as caught:
        check_secret(secret)

    assert len(secret) < 5 or secret.decode() not in str(caught.value)


@pytest.mark.parametrize("secret", ["", SECRET[:31], ["", SECRET], [SECRET, "short"], [], b""])
def test_every_secret_of_the_list_is_checked(secret: Any) -> None:
    with pytest.raises(ValueError, match="secret"):
        Auth("sqlite://", secret=secret)


def test_an_auth_without_a_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="a secret is required"):
        Auth("sqlite://")


def a_ring(issuer: str = "x", audience: str = "y") -> KeyRing:
    return KeyRing([SECRET.encode(), OTHER_SECRET.encode()], [], issuer, audience)


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys: list[bytes] = []
    for installation, issuer, audience in (("1", "x", "y"), ("2", "x", "y"), ("1", "x", "z"), ("1", "z", "y")):
        ring = a_ring(issuer, audience)
        ring.bind(installation)
        keys += [*ring.for_service("one-time token"), *(key.public for key in ring.signing)]
        if (issuer, audience) == ("x", "y"):
            keys += [*ring.derived("refresh token"), *ring.derived("another")]

    assert len(set(keys)) == len(keys) == 24
    assert {len(key) for key in keys} == {32}


def test_issuer_and_audience_are_told_apart() -> None:
    keys = set()
    for issuer, audience in (("a", "bc"), ("ab", "c"), ('a", "b', "c"), ("a", 'b", "c')):
        ring = a_ring(issuer, audience)
        ring.bind("1")
        keys.add(ring.for_service("one-time token")[0])

    assert len(keys) == 4


def test_there_are_no_keys_before_the_installation_is_known() -> None:
    ring = a_ring()

    for ask in (lambda: ring.signing, lambda: ring.derived("x"), lambda: ring.for_service("x")):
        with pytest.raises(RuntimeError, match="start"):
            ask()
    ring.bind("1")
    before = ring.derived("x")
    ring.bind("1")
    assert ring.derived("x") is before
    ring.bind("2")
    assert ring.derived("x") != before


def test_the_id_of_a_derived_key_is_no_part_of_it() -> None:
    key = SigningKey.symmetric(SECRET.encode())

    assert key.kid not in SECRET.encode().hex()
    assert key.kid != SigningKey.symmetric(OTHER_SECRET.encode()).kid
    assert SECRET not in repr(key)
    assert repr(key.private) not in repr(key)


async def test_secrets_are_rotated_by_a_list(clock: Clock, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"

    def with_secrets(*secrets: str) -> Auth:
        return Auth(url, settings=Settings(secret=list(secrets)), now=clock)

    async with make_auth(url, clock=clock) as old:
        await register(old)
        first = await login(old)
    async with with_secrets(OTHER_SECRET, SECRET) as both:
        assert (await both.authenticate(str(first.access_token))).is_authenticated
        second = await both.refresh(str(first.refresh_token))
        assert (await both.authenticate(str(second.access_token))).is_authenticated
    async with with_secrets(OTHER_SECRET) as new:
        assert (await new.authenticate(str(second.access_token))).is_authenticated
        with pytest.raises(InvalidTokenError):
            await new.authenticate(str(first.access_token))
        with pytest.raises(InvalidTokenError):
            await new.refresh(str(first.refresh_token))
        assert await new.refresh(str(second.refresh_token))


@pytest.mark.parametrize("algorithm", KEYS)
async def test_asymmetric_keys_sign_and_verify(algorithm: str) -> None:
    key = SigningKey.from_pem(pem(algorithm), algorithm, "k1")
    async with make_auth(signing_keys=[key]) as auth:
        await register(auth)

        pair = await login(auth)
        identity = await auth.authenticate(str(pair.access_token))
        forged = str(pair.access_token)[:-6] + "AAAAAA"

        assert identity.is_authenticated
        with pytest.raises(InvalidTokenError):
            await auth.authenticate(forged)


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_public_key_verifies_and_cannot_sign(algorithm: str, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    signer = SigningKey.from_pem(pem(algorithm), algorithm, "old")
    verifier = SigningKey.from_pem(public_pem(algorithm).decode(), algorithm, "old")
    newest = SigningKey.from_pem(ed_pem(), "EdDSA", "new")

    async with make_auth(url, signing_keys=[signer]) as auth:
        await register(auth)
        token = str((await login(auth)).access_token)
    async with make_auth(url, signing_keys=[newest, verifier]) as auth:
        identity = await auth.authenticate(token)

    assert identity.is_authenticated
    with pytest.raises(ValueError, match="must have a private part, to sign tokens"):
        make_auth(signing_keys=[verifier])


def ed_pem() -> bytes:
    return ed25519.Ed25519PrivateKey.generate().private_bytes(*PRIVATE)


@pytest.mark.parametrize("algorithm", KEYS)
async def test_a_public_key_never_works_as_an_hmac_key(algorithm: str) -> None:
    key = SigningKey.from_pem(pem(algorithm), algorithm, "k1")
    async with make_auth(signing_keys=[key]) as auth:
        await register(auth)
        token = str((await login(auth)).access_token)
        claims = (await auth.authenticate(token)).claims
        raw = KEYS[algorithm].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

        for secret in (public_pem(algorithm), public_pem(algorithm).strip(), raw, b""):
            for header in (key.header, key.header | {"alg": "HS256"}, SigningKey.symmetric(SECRET.encode()).header):
                with pytest.raises(InvalidTokenError):
                    await auth.authenticate(forge(header, dict(claims), secret))


async def test_with_signing_keys_the_secret_signs_no_access_token() -> None:
    async with make_auth() as auth:
        await register(auth)
        token = str((await login(auth)).access_token)

    async with make_auth(signing_keys=[SigningKey.from_pem(pem("EdDSA"), "EdDSA", "k1")]) as auth:
        with pytest.raises(InvalidTokenError):
            await auth.authenticate(token)


def test_a_small_rsa_key_is_refused() -> None:
    small = rsa.generate_private_key(65537, 1024).private_bytes(*PRIVATE)

    with pytest.raises(ValueError, match="2048 bits"):
        SigningKey.from_pem(small, "RS256", "k1")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "RS512", "PS256", "ES512", "eddsa", ""])
def test_an_algorithm_beyond_the_three_is_refused(algorithm: str) -> None:
    with pytest.raises(ValueError, match="EdDSA, ES256, RS256"):
        SigningKey.from_pem(pem("EdDSA"), algorithm, "k1")


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("text", [b"no key", b"", "é".encode(), SECRET, UNKNOWN_CURVE, CUT])
def test_text_that_is_no_key_is_refused(text: bytes | str, algorithm: str) -> None:
    with pytest.raises(ValueError, match=f"the PEM text is not a key for {algorithm}, which needs an? "):
        SigningKey.from_pem(text, algorithm, "k1")


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_lenient", [False, True], ids=["library", "lenient library"])
def test_a_key_of_another_kind_is_refused(
    kind: str, algorithm: str, *, is_lenient: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_lenient:
        monkeypatch.setattr("jwt.get_algorithm_by_name", lambda _: Lenient)
    private, public = KINDS[kind].private_bytes(*PRIVATE), KINDS[kind].public_key().public_bytes(*PUBLIC)

    if kind in FITTING[algorithm]:
        assert SigningKey.from_pem(private, algorithm, "k1").private is not None
        assert SigningKey.from_pem(public, algorithm, "k1").private is None
        return
    for text in (private, public):
        with pytest.raises(ValueError, match=f"the PEM text is not a key for {algorithm}, which needs an? "):
            SigningKey.from_pem(text, algorithm, "k1")


def test_two_keys_with_one_id_are_refused() -> None:
    keys = [SigningKey.from_pem(ed_pem(), "EdDSA", "k1"), SigningKey.from_pem(ed_pem(), "EdDSA", "k1")]

    with pytest.raises(ValueError, match="same kid"):
        make_auth(signing_keys=keys)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_a_pem_key_without_its_library_names_the_extra(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise NotImplementedError(f"Algorithm '{name}' could not be found. Do you have cryptography installed?")

    monkeypatch.setattr("jwt.get_algorithm_by_name", missing)

    with pytest.raises(ImportError, match=r"pip install 'asgi-auth\[asymmetric\]'"):
        SigningKey.from_pem(KEYS[algorithm].private_bytes(*PRIVATE), algorithm, "k1")
