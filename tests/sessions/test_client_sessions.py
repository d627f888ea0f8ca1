"""The session of a client is none of the user's own, at any door of the user: a table of doors, by body and by cookie.

A client holds a grant of the user. Its refresh token is genuine, so nothing but the kind of its session tells the two.
"""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from asgi_auth import Auth
from asgi_auth.errors import TokenRevokedError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client as Caller
from asgi_auth.model.records import Credential, Session
from asgi_auth.sessions.new_session import new_session
from tests.support import ORIGIN, Answer, Client, Clock, bearer, login, register

FORM = {"content-type": "application/x-www-form-urlencoded"}
Door = Callable[[Client, str], Awaitable[Answer]]


async def let_in(auth: Auth, clock: Clock, *, number: int = 1, most: int = 10) -> tuple[Session, str]:
    """Let a client in; return its session and its refresh token."""
    user = await auth.users.by_email("ada@example.com")
    times: dict[str, Any] = {"created_at": int(clock()), "updated_at": int(clock())}
    grant = Credential(id=f"grant-{number}", user_id=user.id, kind="oauth_grant", identifier="x", secret="", **times)
    await auth.storage.add_credential(grant)
    made = new_session(user, ("pwd",), Caller(user_agent="a program"), clock(), 3600)
    session = Session(**{name: getattr(made, name) for name in made.__struct_fields__} | {"grant_id": grant.id})
    assert await auth.storage.add_session(session, grant, most) is not None
    return session, auth.refresh_tokens.make(session.id, 0)


def by_body(path: str, **fields: str) -> Door:
    async def call(client: Client, token: str) -> Answer:
        return await client.post(f"/auth{path}", {"refresh_token": token, **fields})

    return call


async def by_form(client: Client, token: str) -> Answer:
    body = urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
    return await client.request("POST", "/auth/token", body=body, headers=FORM)


def by_cookie(method: str, path: str) -> Door:
    async def call(client: Client, token: str) -> Answer:
        client.cookies["__Host-auth-refresh"] = token
        return await client.request(method, f"/auth{path}", headers={"origin": ORIGIN})

    return call


#: The doors at which a genuine refresh token of the user gives something.
DOORS: dict[str, Door] = {
    "refresh": by_body("/refresh"),
    "token": by_form,
    "refresh by cookie": by_cookie("POST", "/refresh"),
    "a page by cookie": by_cookie("GET", "/me"),
    "the list by cookie": by_cookie("GET", "/sessions"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("generation", [0, 1])
async def test_a_refresh_token_of_a_client_gives_nothing_of_the_user(
    auth: Auth, client: Client, clock: Clock, door: str, generation: int
) -> None:
    await register(auth)
    session, token = await let_in(auth, clock)
    if generation:
        # The token was rotated within the grace: own tokens would get the same successor.
        await auth.storage.rotate_session(session.id, 0, now=int(clock()), idle_since=0, grant=True)

    answer = await DOORS[door](client, token)

    assert answer.status in {400, 401}, answer.body
    assert b"access_token" not in answer.body
    found = await auth.storage.session(session.id)
    assert found is not None
    assert (found.generation, found.revoked_at) == (generation, None)


@pytest.mark.parametrize("door", DOORS)
async def test_the_doors_are_open_for_the_user(auth: Auth, client: Client, door: str) -> None:
    await register(auth)
    pair = await login(auth)

    assert (await DOORS[door](client, str(pair.refresh_token))).status == 200


async def test_connections_do_not_push_the_user_out(auth: Auth, client: Client, clock: Clock) -> None:
    await register(auth)
    pair: TokenPair = await login(auth)

    for _ in range(auth.settings.max_sessions + 3):
        clock.move(1)
        session, _ = await let_in(auth, clock, most=2)

    assert (await client.get("/auth/me", headers=bearer(pair))).status == 200
    listed: Any = (await client.get("/auth/sessions", headers=bearer(pair))).json
    assert [each["current"] for each in listed["sessions"]] == [True]
    assert (await auth.users.sessions((await auth.authenticate(str(pair.access_token))).id))[0].grant_id is None
    found = await auth.storage.access(session.id, int(clock()))
    assert found is not None
    assert found.alive


async def test_a_step_up_renews_no_session_of_a_client(auth: Auth, clock: Clock) -> None:
    await register(auth)
    session, token = await let_in(auth, clock)

    with pytest.raises(TokenRevokedError):
        await auth.refresh(token)
    assert await auth.storage.renew_session(session.id, auth_time=1, amr=("mfa",), data={}, now=int(clock())) is None


@pytest.mark.parametrize("end", ["all", "a new password", "a ban", "the account closed"])
async def test_what_ends_the_sessions_of_a_user_ends_those_of_clients(
    auth: Auth, client: Client, clock: Clock, end: str
) -> None:
    user_id = await register(auth)
    pair = await login(auth)
    session, _ = await let_in(auth, clock)
    passwords = {"current_password": "correct horse battery", "new_password": "another horse battery"}
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "all": lambda: client.post("/auth/logout-all", headers=bearer(pair)),
        "a new password": lambda: client.post("/auth/change-password", passwords, headers=bearer(pair)),
        "a ban": lambda: auth.users.ban(user_id),
        "the account closed": lambda: auth.users.set_status(user_id, "closed"),
    }

    await calls[end]()

    access = await auth.storage.access(session.id, int(clock()))
    assert access is not None
    assert not access.alive
    assert session.id in auth.revocation.dead


async def test_a_logout_of_one_browser_leaves_clients_alone(auth: Auth, client: Client, clock: Clock) -> None:
    await register(auth)
    pair = await login(auth)
    session, _ = await let_in(auth, clock)

    assert (await client.post("/auth/logout", {}, headers=bearer(pair))).status == 204

    access = await auth.storage.access(session.id, int(clock()))
    assert access is not None
    assert access.alive
