"""Sessions: logging out here and everywhere, and the list of devices."""

import pytest

from asgi_auth import Auth, AuthApp, Passwords
from asgi_auth.errors import AuthError, InvalidTokenError, TokenRevokedError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client as Caller
from tests.support import EMAIL, PASSWORD, Answer, Client, Clock, bearer, login, register

DAY = 86400


@pytest.fixture
async def pair(auth: Auth) -> TokenPair:
    await register(auth)
    return await login(auth)


async def refused(auth: Auth, pair: TokenPair) -> type[AuthError]:
    with pytest.raises(InvalidTokenError) as caught:
        await auth.refresh(str(pair.refresh_token))
    return type(caught.value)


# Logging out


async def test_logging_out_by_access_token_ends_the_whole_session(auth: Auth, client: Client, pair: TokenPair) -> None:
    other = await login(auth)

    answer = await client.post("/auth/logout", headers=bearer(pair))
    again = await client.post("/auth/logout", headers=bearer(pair))

    assert (answer.status, answer.body, again.status) == (204, b"", 204)
    assert await refused(auth, pair) is TokenRevokedError
    assert (await client.get("/auth/me", headers=bearer(pair))).json["code"] == "token_revoked"
    assert (await client.get("/auth/me", headers=bearer(other))).status == 200


async def test_logging_out_by_refresh_token_needs_no_access_token(auth: Auth, client: Client, pair: TokenPair) -> None:
    newest = await auth.refresh(str(pair.refresh_token))

    answers = [await client.post("/auth/logout", {"refresh_token": pair.refresh_token}) for _ in range(2)]

    assert [answer.status for answer in answers] == [204, 204]
    assert await refused(auth, newest) is TokenRevokedError
    with pytest.raises(TokenRevokedError):
        await auth.authenticate(str(pair.access_token))


async def test_another_user_s_refresh_token_ends_nothing_and_the_answer_does_not_tell(
    auth: Auth, client: Client, pair: TokenPair
) -> None:
    await register(auth, "eve@example.com")
    eve = await login(auth, "eve@example.com")

    answer = await client.post("/auth/logout", {"refresh_token": pair.refresh_token}, headers=bearer(eve))

    assert answer.status == 204
    assert await auth.refresh(str(pair.refresh_token))
    assert await refused(auth, eve) is TokenRevokedError


@pytest.mark.parametrize(
    ("headers", "code"),
    [({}, "unauthorized"), (bearer("x.y.z"), "invalid_token"), ({"authorization": "Basic x"}, "unauthorized")],
)
async def test_logging_out_with_nothing_shown_is_a_401(client: Client, headers: dict[str, str], code: str) -> None:
    answer = await client.post("/auth/logout", headers=headers)

    assert (answer.status, answer.json["code"]) == (401, code)


async def test_a_forged_refresh_token_ends_nothing(auth: Auth, client: Client, pair: TokenPair) -> None:
    forged = str(pair.refresh_token)[:-43] + "A" * 43

    answer = await client.post("/auth/logout", {"refresh_token": forged})

    assert answer.status == 204
    assert await auth.refresh(str(pair.refresh_token))


async def test_logging_out_everywhere_counts(auth: Auth, client: Client, pair: TokenPair) -> None:
    others = [await login(auth) for _ in range(2)]

    answer = await client.post("/auth/logout-all", headers=bearer(pair))

    assert (answer.status, answer.json) == (200, {"ended": 3})
    for item in (pair, *others):
        assert await refused(auth, item) is TokenRevokedError
    assert (await client.post("/auth/logout-all", headers=bearer(pair))).status == 401


# Devices


async def test_the_list_shows_devices_and_which_is_this_one(auth: Auth, clock: Clock) -> None:
    await register(auth)
    phone = await auth[Passwords].login(
        email=EMAIL, password=PASSWORD, client=Caller(address="2001:db8::1", user_agent="Phone")
    )
    clock.move(60)
    laptop = Client(AuthApp(auth), {"user-agent": "Lap\x1b[31mtop\r\n" + "x" * 300})
    pair = (await laptop.post("/login", {"email": EMAIL, "password": PASSWORD})).json

    listed = (await laptop.get("/sessions", headers=bearer(pair["access_token"]))).json["sessions"]

    assert [item["current"] for item in listed] == [True, False]
    assert [item["address"] for item in listed] == ["192.0.2.7", "2001:db8::1"]
    assert listed[0]["user_agent"] == ("Lap[31mtop" + "x" * 300)[:255]
    assert listed[1]["user_agent"] == "Phone"
    assert [item["created_at"] for item in listed] == [1_800_000_060, 1_800_000_000]
    assert phone.refresh_token
    clock.move(13.9995 * DAY)
    second = await auth.refresh(pair["refresh_token"])
    left = (await laptop.get("/sessions", headers=bearer(second))).json["sessions"]
    assert [item["id"] for item in left] == [listed[0]["id"]]


async def test_an_own_session_can_be_ended_and_no_other(auth: Auth, client: Client, pair: TokenPair) -> None:
    await register(auth, "eve@example.com")
    eve = await login(auth, "eve@example.com")
    other = await login(auth)
    ids = [(await auth.authenticate(str(item.access_token))).session_id for item in (other, eve)]

    async def end(session_id: str) -> Answer:
        return await client.request("DELETE", f"/auth/sessions/{session_id}", headers=bearer(pair))

    own, again, foreign, unknown = await end(ids[0]), await end(ids[0]), await end(ids[1]), await end("x\0y")

    assert own.status == 204
    for answer in (again, foreign):
        assert (answer.status, answer.json["code"]) == (404, "session_not_found")
    assert unknown.status == 422
    assert await refused(auth, other) is TokenRevokedError
    assert await auth.refresh(str(eve.refresh_token))


async def test_me_shows_the_account_of_the_caller(auth: Auth, client: Client, pair: TokenPair) -> None:
    answer = await client.get("/auth/me", headers=bearer(pair))

    assert answer.json["id"] == (await auth.authenticate(str(pair.access_token))).id
    assert answer.json.keys() == {
        "id", "email", "email_verified", "roles", "data", "created_at", "updated_at", "last_login",
    }  # fmt: skip


@pytest.mark.parametrize(("method", "path"), [
    ("GET", "me"), ("GET", "sessions"), ("DELETE", "sessions/x"), ("POST", "logout-all"), ("HEAD", "me"),
])  # fmt: skip
async def test_everything_of_a_user_wants_a_login(client: Client, method: str, path: str) -> None:
    assert (await client.request(method, f"/auth/{path}")).status == 401
