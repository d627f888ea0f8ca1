"""The reader of tokens for other services: what it accepts, and how often it asks the issuer."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import jwt
import pytest
from jwt.utils import base64url_encode

from asgi_auth import Argon2, Auth, AuthMiddleware, Issuer, Passwords, Sessions, current_user, require
from asgi_auth.crypto.jwk import private_jwk, public_set
from asgi_auth.crypto.key_rotation import new_key
from asgi_auth.errors import InvalidTokenError, ProviderUnavailableError, TokenExpiredError
from asgi_auth.verify import Verifier, VerifierMiddleware
from tests.providers.serving import served
from tests.support import Client, Clock, bearer, login, make_auth, register, who

OLD, NEW, OTHER = new_key(), new_key("ES256"), new_key("RS256")


class Site:
    """An issuer that serves its keys, or lies; `asked` counts the requests."""

    def __init__(self, issuer: str, auth: Auth, clock: Clock) -> None:
        self.issuer, self.auth, self.clock, self.ticks = issuer, auth, clock, Clock(0)
        self.asked = 0
        self.lie: Callable[[Any], Awaitable[None]] | None = None
        self.verifier = Verifier(issuer, "api", development=True, now=clock, clock=self.ticks)

    async def token(self) -> str:
        return (await login(self.auth)).access_token


@asynccontextmanager
async def site() -> AsyncIterator[Site]:
    made: list[Site] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        made[0].asked += 1
        if made[0].lie is not None:
            await made[0].lie(send)
        else:
            await AuthMiddleware(who, made[0].auth, mount="/auth")(scope, receive, send)

    async with served(app) as url:
        clock = Clock()
        features = [Passwords(argon2=Argon2.cheap()), Sessions(), Issuer()]
        settings: dict[str, Any] = {"issuer": f"{url}/auth", "base_url": url, "development": True, "audience": "api"}
        auth = make_auth(features=features, clock=clock, signing_keys=[OLD], **settings)
        async with auth:
            await register(auth)
            made.append(Site(f"{url}/auth", auth, clock))
            try:
                yield made[0]
            finally:
                await made[0].verifier.close()


def answering(status: int, body: bytes, **headers: str) -> Callable[[Any], Awaitable[None]]:
    async def lie(send: Any) -> None:
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        await send({"type": "http.response.body", "body": body})

    return lie


async def test_a_token_proves_its_user_and_the_keys_are_kept() -> None:
    async with site() as it:
        tokens = [await it.token() for _ in range(3)]

        found = [await it.verifier.authenticate(token) for token in tokens]

        assert {identity.id for identity in found} == {(await it.auth.authenticate(tokens[0])).id}
        assert (found[0].transport, found[0].require(fresh=timedelta(minutes=1)).amr, it.asked) == (
            "bearer",
            ("pwd",),
            1,
        )


def signed(site: Site, key: Any = OLD, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token like those of the issuer, with other claims, or another header."""
    now = int(site.clock())
    body = {
        "iss": site.issuer, "aud": "api", "sub": "ada", "sid": "s", "jti": "j", "iat": now, "exp": now + 60,
        "auth_time": now, "amr": [], "roles": [], "gen": 0,
    }  # fmt: skip
    body |= claims
    made = {"typ": "at+jwt", "kid": key.kid} | (header or {})
    return jwt.encode(
        {name: value for name, value in body.items() if value is not None}, key.private, key.algorithm, made
    )


async def test_only_tokens_of_this_issuer_for_this_audience_and_time_are_accepted() -> None:
    async with site() as it:
        now = int(it.clock())
        wrong: list[dict[str, Any]] = [
            {"iss": "https://other.example"}, {"iss": None}, {"aud": "other"}, {"aud": ["api", "other"]}, {"aud": None},
            {"sub": ""}, {"sub": None}, {"exp": None}, {"exp": "1"}, {"iat": now + 60}, {"nbf": now + 60}, {"nbf": "x"},
            {"exp": now - 60, "iat": now}, {"act": {"sub": "root"}}, {"header": {"typ": "JWT"}},
            {"header": {"typ": None}}, {"header": {"jwk": {}}}, {"header": {"crit": ["x"]}}, {"header": {"kid": "x"}},
            {"header": {"jku": "https://evil.example"}},
        ]  # fmt: skip
        refused = [signed(it, **claims) for claims in wrong]
        good = signed(it)
        refused += [f"{good}.x", good[:-2], good + "=", good.replace(".", "..", 1), "", "x" * 9000]
        refused.append(jwt.encode(jwt.decode(good, options={"verify_signature": False}), "k" * 64, "HS256",
                                  {"typ": "at+jwt", "kid": OLD.kid}))  # fmt: skip
        refused.append(signed(it, NEW, {"kid": OLD.kid}))
        # The signature of the right key, below a header with another algorithm.
        head = base64url_encode(json.dumps({"alg": "ES256", "kid": OLD.kid, "typ": "at+jwt"}).encode()).decode()
        text = f"{head}.{good.split('.')[1]}"
        refused.append(f"{text}.{base64url_encode(OLD.private.sign(text.encode())).decode()}")

        assert (await it.verifier.authenticate(good)).id == "ada"
        for token in refused:
            with pytest.raises(InvalidTokenError) as info:
                await it.verifier.authenticate(token)
            assert not isinstance(info.value, TokenExpiredError)
        with pytest.raises(TokenExpiredError):
            await it.verifier.authenticate(signed(it, iat=now - 100, exp=now - 30))
        assert it.asked == 1


async def test_a_new_key_is_fetched_and_unknown_ones_make_one_fetch_a_minute() -> None:
    async with site() as it:
        assert (await it.verifier.authenticate(await it.token())).id
        it.auth.keys._signing = [NEW, OLD]
        it.ticks.move(61)

        found = await asyncio.gather(*[it.verifier.authenticate(await it.token()) for _ in range(5)])
        for _ in range(50):
            with pytest.raises(InvalidTokenError):
                await it.verifier.authenticate(signed(it, OTHER))

        assert (all(identity.id for identity in found), it.asked) == (True, 2)
        assert (await it.verifier.authenticate(signed(it, OLD))).id == "ada"
        it.ticks.move(61)
        with pytest.raises(InvalidTokenError):
            await it.verifier.authenticate(signed(it, OTHER))
        assert it.asked == 3


async def test_a_key_that_the_issuer_has_dropped_is_refused_after_five_minutes() -> None:
    async with site() as it:
        old = await it.token()
        await it.verifier.authenticate(old)
        it.auth.keys._signing = [NEW]
        it.ticks.move(301)
        await it.verifier.authenticate(old)
        await asyncio.sleep(0.5)

        with pytest.raises(InvalidTokenError):
            await it.verifier.authenticate(old)


BAD = {
    "an error": answering(500, b"{}"),
    "a redirect": answering(302, b"", location="/"),
    "no JSON": answering(200, b"<html>"),
    "no keys": answering(200, b'{"keys": []}'),
    "private keys alone": answering(200, json.dumps({"keys": [private_jwk(OLD)]}).encode()),
    "a symmetric key": answering(200, b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "a", "alg": "HS256"}]}'),
    "too much": answering(200, b" " * (2**20 + 1)),
    "a list": answering(200, json.dumps(public_set([OLD])["keys"]).encode()),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
async def test_a_fetch_that_fails_leaves_the_keys_and_without_any_the_answer_is_not_that_a_token_is_wrong(
    name: str,
) -> None:
    async with site() as it:
        token = await it.token()
        await it.verifier.authenticate(token)
        fresh = Verifier(it.issuer, "api", development=True, now=it.clock, clock=it.ticks)
        it.lie = BAD[name]
        it.ticks.move(301)

        assert (await it.verifier.authenticate(token)).id
        for _ in range(3):
            with pytest.raises(ProviderUnavailableError):
                await fresh.authenticate(token)
        await asyncio.sleep(0.3)
        asked = it.asked
        assert (await it.verifier.authenticate(token)).id
        it.lie = None
        it.ticks.move(6)
        assert (await fresh.authenticate(token)).id
        assert asked == 3
        await fresh.close()


async def test_as_a_middleware_it_guards_an_app_and_tells_the_user() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        require(scope, roles="admin" if scope["path"] == "/admin" else ())
        assert current_user() is scope["user"]
        await who(scope, receive, send)

    async with site() as it:
        guarded = Client(VerifierMiddleware(app, it.verifier))
        open_ = Client(VerifierMiddleware(who, it.verifier, required=False))
        good, wrong = bearer(await it.token()), bearer("x.y.z")

        answers = [await guarded.get(path, headers=headers) for path, headers in
                   (("/", good), ("/admin", good), ("/", wrong), ("/", {}))]  # fmt: skip
        twice = await guarded.get("/", headers=[*good.items(), *good.items()])
        anonymous = [(await open_.get("/", headers=headers)).json["error"] for headers in (wrong, {})]
        known = Verifier("http://127.0.0.1:9/auth", "api", development=True)
        away = await Client(VerifierMiddleware(who, known)).get("/", headers=good)

        assert [answer.status for answer in (*answers, twice, away)] == [200, 403, 401, 401, 400, 503]
        assert "invalid_token" in (answers[2].header("www-authenticate") or "")
        assert anonymous == ["invalid_token", None]
        await known.close()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [(("http://issuer.example", "api"), "https"), (("https://issuer.example", ""), "audience"),
     (("https://u@issuer.example", "api"), "not the URL")],
)  # fmt: skip
def test_what_is_not_safe_is_refused(arguments: tuple[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Verifier(*arguments)
