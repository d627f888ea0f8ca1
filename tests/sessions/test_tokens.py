"""Access tokens: every forgery is refused. Refresh tokens: one spelling each, judged before the database."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Auth
from asgi_auth.crypto.keys import SigningKey, derive
from asgi_auth.errors import InvalidTokenError, TokenExpiredError
from asgi_auth.model.answers import TokenPair
from asgi_auth.sessions.tokens import MAX_TOKEN
from tests.support import SECRET, Clock, login, make_auth, register

OTHER_SECRET = "pX3_vZ8-nT1yRk6QwJ5mGd0hCs9bLf2aUe7iOoW4rB"
KEY = derive(SECRET.encode(), "access token")
HEADER = SigningKey.derived(SECRET.encode()).header


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def forge(
    header: bytes | dict[str, Any], payload: bytes | dict[str, Any], key: bytes = KEY, digest: str = "sha256"
) -> str:
    """A token with a true MAC over whatever it is given."""
    parts = [item if isinstance(item, bytes) else compact(item) for item in (header, payload)]
    signed = ".".join(encode(part) for part in parts)
    return f"{signed}.{encode(hmac.new(key, signed.encode(), getattr(hashlib, digest)).digest())}"


@pytest.fixture
async def pair(auth: Auth) -> TokenPair:
    await register(auth)
    return await login(auth)


@pytest.fixture
def claims(pair: TokenPair) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(decode(str(pair.access_token).split(".")[1]))
    return found


async def refused(auth: Auth, token: str) -> bool:
    with pytest.raises(InvalidTokenError) as caught:
        await auth.authenticate(token)
    return type(caught.value) is InvalidTokenError


async def test_a_token_that_is_signed_like_ours_is_accepted(auth: Auth, claims: dict[str, Any]) -> None:
    for fitting in (claims, claims | {"iat": claims["iat"] + 5}, claims | {"custom": [1]}):
        assert (await auth.authenticate(forge(HEADER, fitting))).id == claims["sub"]


HEADERS: dict[str, Any] = {
    "alg none": HEADER | {"alg": "none"},
    "alg None": HEADER | {"alg": "None"},
    "alg HS512": HEADER | {"alg": "HS512"},
    "alg RS256": HEADER | {"alg": "RS256"},
    "alg in lower case": HEADER | {"alg": "hs256"},
    "no alg": {"kid": HEADER["kid"], "typ": "at+jwt"},
    "typ JWT": HEADER | {"typ": "JWT"},
    "typ in upper case": HEADER | {"typ": "AT+JWT"},
    "no typ": {"alg": "HS256", "kid": HEADER["kid"]},
    "another kid": HEADER | {"kid": "000000000000"},
    "an empty kid": HEADER | {"kid": ""},
    "a path as kid": HEADER | {"kid": "../../dev/null"},
    "no kid": {"alg": "HS256", "typ": "at+jwt"},
    "crit": HEADER | {"crit": ["x"], "x": 1},
    "an empty crit": HEADER | {"crit": []},
    "b64 false": HEADER | {"b64": False, "crit": ["b64"]},
    "jwk": HEADER | {"jwk": {"kty": "oct", "k": encode(KEY)}},
    "jku": HEADER | {"jku": "https://evil.example/keys"},
    "x5u": HEADER | {"x5u": "https://evil.example/key"},
    "zip": HEADER | {"zip": "DEF"},
    "another order": dict(reversed(HEADER.items())),
    "white space": json.dumps(HEADER).encode(),
    "a doubled name": compact(HEADER)[:-1] + b',"alg":"HS256"}',
    "no JSON": b"{",
    "a list": b"[]",
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_another_header_than_ours_is_refused_whatever_signs_it(
    auth: Auth, claims: dict[str, Any], header: bytes | dict[str, Any]
) -> None:
    tokens = [forge(header, claims), forge(header, claims, b""), forge(header, claims, digest="sha512")]
    unsigned = tokens[0].rpartition(".")[0] + "."

    for token in (*tokens, unsigned):
        assert await refused(auth, token)


CLAIMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "exp is a bool": lambda c: c | {"exp": True},
    "exp is huge": lambda c: c | {"exp": 2**40},
    "exp is enormous": lambda c: c | {"exp": 10**400},
    "exp is before iat": lambda c: c | {"exp": c["iat"] - 1},
    "iat is in the future": lambda c: c | {"iat": c["iat"] + 6},
    "nbf": lambda c: c | {"nbf": c["iat"]},
    "aud is a list": lambda c: c | {"aud": [c["aud"]]},
    "aud is the beginning of ours": lambda c: c | {"aud": c["aud"][:-1]},
    "aud is longer than ours": lambda c: c | {"aud": c["aud"] + "2"},
    "aud in upper case": lambda c: c | {"aud": c["aud"].upper()},
    "iss is the beginning of ours": lambda c: c | {"iss": c["iss"][:-1]},
    "iss with a slash": lambda c: c | {"iss": c["iss"] + "/"},
    "iss is empty": lambda c: c | {"iss": ""},
    "roles holds a number": lambda c: c | {"roles": [1]},
    "roles is an object": lambda c: c | {"roles": {"admin": True}},
    "a doubled claim": lambda c: compact(c)[:-1] + b',"sub":"somebody else"}',
    "white space": lambda c: json.dumps(c).encode(),
    "an escape that isn't needed": lambda c: compact(c).replace(b'"iss"', b'"\\u0069ss"'),
    "UTF-16": lambda c: compact(c).decode().encode("utf-16"),
    "a byte order mark": lambda c: b"\xef\xbb\xbf" + compact(c),
    "broken UTF-8": lambda c: compact(c | {"x": "?"}).replace(b"?", b"\xff"),
    "half a surrogate pair": lambda c: compact(c | {"x": "?"}).replace(b"?", b"\\ud800"),
    "NaN": lambda c: compact(c | {"x": 0}).replace(b":0}", b":NaN}"),
    "deep nesting": lambda c: compact(c)[:-1] + b',"x":' + b"[" * 2500 + b"]" * 2500 + b"}",
    "a list": lambda _: b"[]",
    "nothing": lambda _: b" ",
}  # fmt: skip


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "amr", "roles"])
async def test_a_claim_that_is_missing_or_of_another_type_is_refused(
    auth: Auth, claims: dict[str, Any], name: str
) -> None:
    value = claims[name]
    others: list[Any] = [None, {}, [1], True, str(value) if isinstance(value, int) else 1, 1.5]
    if isinstance(value, int):
        others += [float(value), [value]]

    assert await refused(auth, forge(HEADER, {key: item for key, item in claims.items() if key != name}))
    for other in others:
        assert await refused(auth, forge(HEADER, claims | {name: other}))


@pytest.mark.parametrize("change", CLAIMS.values(), ids=CLAIMS.keys())
async def test_claims_that_we_could_not_have_written_are_refused_though_signed_by_our_key(
    auth: Auth, claims: dict[str, Any], change: Callable[[dict[str, Any]], Any]
) -> None:
    assert await refused(auth, forge(HEADER, change(claims)))


async def test_a_changed_claim_is_refused_without_our_key(auth: Auth, claims: dict[str, Any], pair: TokenPair) -> None:
    header, payload, signature = str(pair.access_token).split(".")

    for forged in (
        f"{header}.{encode(compact(claims | {'roles': ['admin']}))}.{signature}",
        f"{header}.{payload}.{encode(bytes(32))}",
        forge(HEADER, claims, derive(SECRET.encode(), "refresh token")),
        forge(HEADER, claims, SECRET.encode()),
    ):
        assert await refused(auth, forged)


async def test_another_spelling_of_a_good_token_is_refused(auth: Auth, pair: TokenPair) -> None:
    token = str(pair.access_token)
    header, payload, signature = token.split(".")
    twin = next(letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                if letter != token[-1] and decode(signature[:-1] + letter) == decode(signature))  # fmt: skip

    for spelling in (
        token[:-1] + twin,
        token + "=",
        token + "==",
        token + "\n",
        " " + token,
        token + " ",
        token.replace(".", ". "),
        token + ".",
        "." + token,
        f"{header}..{signature}",
        f"{header}.{payload}",
        f"{token}.{payload}.{signature}",
        token[:-1],
        token + "A",
        token[:-2],
        token.upper(),
        f"{header}=.{payload}.{signature}",
        token.replace(".", "\u3002"),
        token.replace("A", "\uff21"),
    ):
        assert await refused(auth, spelling)


@pytest.mark.parametrize("token", ["", ".", "..", "...", "." * 8192, "a.b.c", "a" * 9000, "null", "\0.\0.\0", "é.é.é"])
async def test_what_is_no_token_is_refused(auth: Auth, token: str) -> None:
    assert await refused(auth, token)


async def test_a_token_of_nine_kilobytes_is_refused_though_signed(auth: Auth, claims: dict[str, Any]) -> None:
    fitting, large = (forge(HEADER, claims | {"x": "x" * size}) for size in (5000, 6500))

    assert (await auth.authenticate(fitting)).claims["x"]
    assert len(large) > MAX_TOKEN
    assert await refused(auth, large)


async def test_expiry_is_judged_to_the_second_by_the_clock(auth: Auth, clock: Clock, pair: TokenPair) -> None:
    token, exp = str(pair.access_token), clock.at + 900

    for at, good in ((exp - 1, True), (exp, True), (exp + 4, True), (exp + 5, False)):
        clock.at = at
        auth.verifier.forget()
        if good:
            assert (await auth.authenticate(token)).expires_at == exp
        else:
            with pytest.raises(TokenExpiredError):
                await auth.authenticate(token)


async def test_an_access_token_lives_no_longer_than_its_session(clock: Clock) -> None:
    async with make_auth(clock=clock, session_ttl=1000, access_ttl=900) as auth:
        await register(auth)
        pair = await login(auth)
        clock.move(400)

        second = await auth.refresh(str(pair.refresh_token))

        assert second.expires_in == second.refresh_expires_in == 600


async def test_one_kind_of_token_is_never_taken_for_another(auth: Auth, pair: TokenPair) -> None:
    assert await refused(auth, str(pair.refresh_token))
    with pytest.raises(InvalidTokenError):
        await auth.refresh(str(pair.access_token))


async def test_tokens_carry_no_address(pair: TokenPair, claims: dict[str, Any]) -> None:
    assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "amr", "roles"}
    # With its @: three letters alone also stand in an id now and then.
    assert b"ada@" not in decode(str(pair.access_token).split(".")[1])


async def test_custom_claims_are_in_the_token_and_stay_when_it_is_refreshed() -> None:
    auth = make_auth()
    auth = Auth(auth.storage, settings=auth.settings, features=auth.features, claims=lambda user: {"mail": user.email})
    async with auth:
        await register(auth)

        pair = await login(auth)
        second = await auth.refresh(str(pair.refresh_token))

        for token in (pair.access_token, second.access_token):
            assert (await auth.authenticate(str(token))).claims["mail"] == "ada@example.com"


@pytest.mark.parametrize(
    ("claims", "complaint"),
    [({name: "x"}, f"are reserved: {name}") for name in ("sub", "sid", "exp", "roles", "aud", "nbf", "amr", "jti")]
    + [({"x": "x" * 7000}, "add fewer claims"), ({"x": [[]] * 300}, "lists and objects")],
)
async def test_custom_claims_that_are_ours_or_too_large_are_a_value_error(
    claims: dict[str, Any], complaint: str
) -> None:
    auth = make_auth()
    auth = Auth(auth.storage, settings=auth.settings, features=auth.features, claims=lambda _: claims)
    async with auth:
        await register(auth)

        with pytest.raises(ValueError, match=complaint):
            await login(auth)
