"""Access tokens: every forgery is refused. Refresh tokens: one spelling each, judged before the database."""

import hmac
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from asgi_auth import Auth
from asgi_auth.crypto.keys import derive
from asgi_auth.errors import InvalidTokenError, TokenExpiredError
from asgi_auth.model.answers import TokenPair
from asgi_auth.sessions.token_text import MAX_TOKEN
from asgi_auth.sessions.tokens import RESERVED
from tests.sessions.forging import ALPHABET, CLAIMS, HEADER, HEADERS, KEY, KEYS, compact, decode, encode, forge
from tests.support import SECRET, Clock, login, make_auth, register


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


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_another_header_than_ours_is_refused_whatever_signs_it(
    auth: Auth, claims: dict[str, Any], header: bytes | dict[str, Any]
) -> None:
    tokens = [forge(header, claims), forge(header, claims, b""), forge(header, claims, digest="sha512")]
    unsigned = tokens[0].rpartition(".")[0] + "."

    for token in (*tokens, unsigned):
        assert await refused(auth, token)


@pytest.mark.parametrize("name", ["iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "amr", "roles", "gen"])
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
        forge(HEADER, claims, derive(SECRET.encode(), "access token")),
        forge(HEADER, claims, KEYS.derived("access token")[0]),
        forge(HEADER, claims, KEYS.derived("refresh token")[0]),
        forge(HEADER, claims, SECRET.encode()),
    ):
        assert await refused(auth, forged)


async def test_another_spelling_of_a_good_token_is_refused(auth: Auth, pair: TokenPair) -> None:
    token = str(pair.access_token)
    header, payload, signature = token.split(".")
    twin = next(letter for letter in ALPHABET
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


@pytest.mark.parametrize("segment", [0, 1, 2])
async def test_no_segment_has_a_twin_with_unused_bits(auth: Auth, claims: dict[str, Any], segment: int) -> None:
    """Signed with the key: a segment of each length has unused bits now and then."""
    twins = 0
    for length in range(4):
        segments = forge(HEADER, claims | {"x": "x" * length}).split(".")
        text, last = segments[segment][:-1], segments[segment][-1]
        for letter in ALPHABET:
            if letter != last and decode(text + letter) == decode(text + last):
                twin = [*segments[:segment], text + letter, *segments[segment + 1 :]]
                signed = ".".join(twin[:2])
                mac = encode(hmac.digest(KEY, signed.encode(), "sha256"))
                assert await refused(auth, ".".join(twin))
                assert segment == 2 or await refused(auth, f"{signed}.{mac}")
                twins += 1
        assert await auth.authenticate(".".join(segments))
    assert twins or segment == 0


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

    for at, good in ((exp - 1, True), (exp, True), (exp + 29, True), (exp + 30, False)):
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
    assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "auth_time", "amr", "roles", "gen"}
    # With its @: three letters alone also stand in an id now and then.
    assert b"ada@" not in decode(str(pair.access_token).split(".")[1])


async def test_custom_claims_are_in_the_token_and_stay_when_it_is_refreshed() -> None:
    async with make_auth(claims=lambda user: {"mail": user.email}) as auth:
        await register(auth)

        pair = await login(auth)
        second = await auth.refresh(str(pair.refresh_token))

        for token in (pair.access_token, second.access_token):
            assert (await auth.authenticate(str(token))).claims["mail"] == "ada@example.com"


@pytest.mark.parametrize(
    ("claims", "complaint"),
    [({name: "x"}, f"are reserved: {name}") for name in sorted(RESERVED)]
    + [({"x": "x" * 7000}, "add fewer claims"), ({"x": [[]] * 300}, "lists and objects")],
)
async def test_custom_claims_that_are_ours_or_too_large_are_a_value_error(
    claims: dict[str, Any], complaint: str
) -> None:
    async with make_auth(claims=lambda _: claims) as auth:
        await register(auth)

        with pytest.raises(ValueError, match=complaint):
            await login(auth)


@pytest.mark.parametrize("settings", [{"revocation": "strict"}, {"max_revocation_lag": 0.1}])
async def test_the_user_of_a_token_is_the_owner_of_its_session_where_the_database_is_asked(
    clock: Clock, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with make_auth(clock=clock, **settings) as auth:
        await register(auth)
        eve = await register(auth, "eve@example.com")
        token = str((await login(auth)).access_token)
        monkeypatch.setattr(auth.revocation, "is_fresh", lambda: False)
        claims = json.loads(decode(token.split(".")[1]))
        key = auth.keys.signing[0]

        assert await refused(auth, forge(key.header, claims | {"sub": eve}, key.private))
        assert (await auth.authenticate(token)).id == claims["sub"]


async def test_no_token_is_made_for_a_user_whose_id_would_be_refused(auth: Auth, pair: TokenPair) -> None:
    session = await auth.session_of(str(pair.refresh_token))
    assert session is not None

    with pytest.raises(ValueError, match="is not the id of a user"):
        auth.access_tokens.make(msgspec.structs.replace(session, user_id="ada"), (), {})
