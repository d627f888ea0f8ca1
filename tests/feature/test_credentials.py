"""Credentials of features: which endpoints accept them, and how requests with them are answered."""

import pytest

from asgi_auth import AuthApp, AuthMiddleware
from asgi_auth.errors import SessionNeededError, TokenRevokedError
from asgi_auth.feature import Identity
from asgi_auth.sessions.identity import ANONYMOUS
from tests.feature.demanding import Demanding, demanding, user_of
from tests.support import Client, bearer, login, register, who

KEY = {"authorization": "Bearer ak_right"}


@pytest.mark.parametrize("headers", [KEY, {"x-api-key": "ak_right"}, {"authorization": "Basic YTpi"}])
async def test_only_endpoints_for_keys_accept_a_credential_without_a_session(headers: dict[str, str]) -> None:
    async with demanding() as auth:
        await register(auth)
        client = Client(AuthApp(auth))
        user = await user_of(auth)
        machine = await client.get("/machine", headers=headers)
        refused = [
            await client.get("/roles", headers=headers),
            await client.get("/open", headers=headers),
            await client.get("/sessions", headers=headers),
            await client.post("/logout-all", headers=headers),
            await client.post("/delicate", {"name": "a"}, headers=headers),
            await client.post("/change-password", {}, headers=headers),
        ]
        fresh = await client.post("/machine/delicate", headers=headers)
        public = await client.get("/public", headers=headers)
        session = await client.get("/machine", headers=bearer(await login(auth)))

    assert machine.json == [user.id, "api_key", "", "feature", "api_key"]
    assert {(answer.status, answer.json["code"]) for answer in refused} == {(403, "session_needed")}
    assert (fresh.status, fresh.json["code"]) == (401, "fresh_login_required")
    assert (public.status, session.json[1]) == (200, "session")


async def test_in_process_the_demands_are_the_same() -> None:
    async with demanding() as auth:
        await register(auth)
        user = await user_of(auth)
        key = Identity.of_credential("api_key", user)
        with pytest.raises(SessionNeededError):
            await auth[Demanding].roles(identity=key)
        assert (await auth[Demanding].machine(identity=key))[1] == "api_key"
        identity = await auth.authenticate((await login(auth)).access_token)
        await auth.end_sessions(user.id)
        with pytest.raises(TokenRevokedError):
            await auth[Demanding].delicate(name="a", identity=identity)


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [("ak_wrong", 401, "unauthorized"), ("ak_busy", 429, "rate_limited"), ("other", 401, "invalid_token")],
)
@pytest.mark.parametrize("mounted", [True, False])
async def test_a_bearer_token_that_is_no_jwt_is_offered_to_the_features(
    token: str, status: int, code: str, *, mounted: bool
) -> None:
    async with demanding() as auth:
        await register(auth)
        app = AuthMiddleware(who, auth, mount="/auth") if mounted else AuthApp(auth)
        answer = await Client(app).get(
            "/auth/machine" if mounted else "/machine", headers={"authorization": f"Bearer {token}"}
        )

    assert (answer.status, answer.json["code"]) == (status, code)
    assert answer.header("retry-after") == ("7" if status == 429 else None)


async def test_a_key_beside_the_cookies_of_another_user_is_refused() -> None:
    async with demanding() as auth:
        await register(auth)
        await register(auth, "eve@example.com")
        own, other = await login(auth), await login(auth, "eve@example.com")
        client = Client(AuthApp(auth))
        answers = [
            await client.get("/machine", headers=KEY | {"cookie": f"__Host-auth={pair.access_token}"})
            for pair in (own, other)
        ]

    assert [answer.status for answer in answers] == [200, 400]


@pytest.mark.parametrize("kind", ["", "session"])
async def test_a_feature_does_not_name_the_kinds_of_the_library(kind: str) -> None:
    async with demanding() as auth:
        await register(auth)
        user = await user_of(auth)
        with pytest.raises(ValueError, match="kind"):
            Identity.of_credential(kind, user)


async def test_an_identity_names_its_actor() -> None:
    async with demanding() as auth:
        await register(auth)
        user = await user_of(auth)
        plain = await auth.authenticate((await login(auth)).access_token)

    assert Identity.of_credential("api_key", user, actor="admin").actor == "admin"
    assert (plain.actor, plain.kind, ANONYMOUS.actor, ANONYMOUS.kind) == (None, "session", None, "")
