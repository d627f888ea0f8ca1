"""The script of requests that runs on each host, in each form, at each path, and under each server."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import httpx2

PASSWORD = "correct horse battery"
ORIGIN = "http://app.example.com"
COOKIE_MODE = {"auth-transport": "cookie", "origin": ORIGIN}


class RefusedError(Exception):
    """A websocket was rejected. `status` is the HTTP status of the rejection."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class Socket(Protocol):
    """An open websocket."""

    async def recv(self) -> str: ...
    async def close_code(self) -> int: ...


Connect = Callable[[str, list[tuple[str, str]]], AbstractAsyncContextManager[Socket]]


@dataclass
class Visit:
    """The target of the script. `pages` prefixes the paths of the host's routes, `auth` those of the auth routes.

    `pages` is None where the routes of the host cannot be reached.
    """

    client: httpx2.AsyncClient
    connect: Connect | None
    set_roles: Callable[[str, list[str]], Awaitable[Any]]
    pages: str | None = ""
    auth: str = "/auth"

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx2.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, fields: Any = None, headers: dict[str, str] | None = None) -> httpx2.Response:
        return await self.client.post(path, json={} if fields is None else fields, headers=headers)

    async def who(self, headers: dict[str, str] | None = None) -> Any:
        """Return the user id from the host, or from `/auth/me` where the host cannot be reached."""
        if self.pages is not None:
            return (await self.get(f"{self.pages}/who", headers)).json()["user"]
        return (await self.get(f"{self.auth}/me", headers)).json().get("id")


async def walk(visit: Visit) -> None:
    """Register, log in, refresh, and log out; the host sees each change."""
    account = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD}

    assert await visit.who() is None
    registered = await visit.post(f"{visit.auth}/register", account)
    assert registered.status_code == 201, registered.text
    user_id = registered.json()["user"]["id"]
    first = (await visit.post(f"{visit.auth}/login", account)).json()
    headers = {"authorization": f"Bearer {first['access_token']}"}
    assert await visit.who(headers) == user_id
    if visit.pages is not None:
        await roles(visit, user_id, headers)

    second = (await visit.post(f"{visit.auth}/refresh/", {"refresh_token": first["refresh_token"]})).json()
    headers = {"authorization": f"Bearer {second['access_token']}"}
    assert await visit.who(headers) == user_id
    await cookies(visit, account, user_id)
    await logout(visit, user_id, headers, second["refresh_token"])
    await refused(visit)


async def roles(visit: Visit, user_id: str, headers: dict[str, str]) -> None:
    """No login is a 401, a missing role is a 403. A new role takes effect with the existing token."""
    admin = f"{visit.pages}/admin"

    anonymous = await visit.get(admin)
    user = await visit.get(admin, headers)
    await visit.set_roles(user_id, ["admin"])

    assert (anonymous.status_code, anonymous.json()["code"]) == (401, "unauthorized")
    assert anonymous.headers["www-authenticate"] == "Bearer"
    assert anonymous.headers["content-type"] == "application/problem+json"
    assert anonymous.headers["cache-control"] == "no-store"
    assert (user.status_code, user.json()["code"]) == (403, "forbidden")
    for _ in range(100):
        answer = await visit.get(admin, headers)
        if answer.status_code == 200:
            break
        await asyncio.sleep(0.05)
    assert answer.json() == {"user": user_id}


async def cookies(visit: Visit, account: dict[str, str], user_id: str) -> None:
    """A browser session: cookies, the same-origin check on a route of the host, and logout, which clears cookies."""
    logged_in = await visit.post(f"{visit.auth}/login", account, COOKIE_MODE)
    pairs = [line.partition(";")[0] for line in logged_in.headers.get_list("set-cookie")]
    jar = {"cookie": "; ".join(pairs)}

    assert "access_token" not in logged_in.json()
    assert len(pairs) == 3
    assert await visit.who(jar) == user_id
    if visit.pages is not None:
        foreign = await visit.post(f"{visit.pages}/note", headers=jar)
        own = await visit.post(f"{visit.pages}/note", headers={**jar, "origin": ORIGIN})
        assert (foreign.status_code, foreign.json()["code"]) == (403, "cross_site_request")
        assert own.json() == {"noted": True}
        await foreign_socket(visit, jar["cookie"])
    ended = await visit.post(f"{visit.auth}/logout", headers={**jar, "origin": ORIGIN})
    assert ended.status_code == 204
    assert all("Max-Age=0" in line for line in ended.headers.get_list("set-cookie"))
    assert await visit.who(jar) is None


async def foreign_socket(visit: Visit, cookie: str) -> None:
    """A page of another site cannot open a websocket with the cookies of a user. A page of the same origin can."""
    if visit.connect is None:
        return
    status = 0
    try:
        async with visit.connect(f"{visit.pages}/socket", [("cookie", cookie), ("origin", "https://evil.example")]):
            pass
    except RefusedError as error:
        status = error.status

    assert status == 403
    async with visit.connect(f"{visit.pages}/socket", [("cookie", cookie), ("origin", ORIGIN)]) as socket:
        assert await socket.recv()


async def logout(visit: Visit, user_id: str, headers: dict[str, str], refresh_token: str) -> None:
    """Logout revokes the tokens of the session and closes its websocket."""
    if visit.connect is None or visit.pages is None:
        assert (await visit.post(f"{visit.auth}/logout", headers=headers)).status_code == 204
    else:
        async with visit.connect(f"{visit.pages}/socket", list(headers.items())) as socket:
            assert await socket.recv() == user_id
            assert (await visit.post(f"{visit.auth}/logout", headers=headers)).status_code == 204
            code = await socket.close_code()
            assert code == 4401, code
    assert await visit.who(headers) is None
    late = await visit.post(f"{visit.auth}/refresh", {"refresh_token": refresh_token})
    assert (late.status_code, late.json()["code"]) == (401, "token_revoked")


async def refused(visit: Visit) -> None:
    """Errors of the auth routes have the format of the library, not that of the host."""
    wrong = await visit.post(f"{visit.auth}/login", {"email": "nobody@example.com", "password": 1})
    unknown = await visit.get(f"{visit.auth}/nothing")
    method = await visit.get(f"{visit.auth}/login")
    forged = await visit.get(f"{visit.auth}/me", {"authorization": "Bearer forged"})
    neighbour = await visit.get(f"{visit.auth}ors")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "validation_error")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (method.status_code, method.headers["allow"]) == (405, "OPTIONS, POST")
    assert (forged.status_code, forged.json()["code"]) == (401, "invalid_token")
    assert neighbour.status_code == 404
