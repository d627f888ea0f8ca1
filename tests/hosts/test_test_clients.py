"""The testing kit with the test clients of the frameworks: each sends the requests of one host's example."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
from litestar.testing import AsyncTestClient as LitestarAsyncClient
from litestar.testing import TestClient as LitestarClient
from starlette.testclient import TestClient

from asgi_auth.testing import as_user, login_cookies, login_headers, make_user
from tests.hosts.forms import build, load

BASE = "https://app.example.com"
#: Sends a GET request to an app, with headers, and returns the status and the text of the answer.
Get = Callable[[Any, str, dict[str, str]], tuple[int, str]]


def by_httpx2(app: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    async def get() -> tuple[int, str]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=BASE) as client:
            answer = await client.get(path, headers=headers)
            return answer.status_code, answer.text

    return asyncio.run(get())


def by_httpx(app: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    async def get() -> tuple[int, str]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=BASE) as client:
            answer = await client.get(path, headers=headers)
            return answer.status_code, answer.text

    return asyncio.run(get())


def by_starlette(app: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    answer = TestClient(app, base_url=BASE).get(path, headers=headers)
    return answer.status_code, answer.text


def by_litestar(app: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    with LitestarClient(app, base_url=BASE) as client:
        answer = client.get(path, headers=headers)
        return answer.status_code, answer.text


def by_litestar_async(app: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    async def get() -> tuple[int, str]:
        async with LitestarAsyncClient(app, base_url=BASE) as client:
            answer = await client.get(path, headers=headers)
            return answer.status_code, answer.text

    return asyncio.run(get())


def by_quart(app: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    async def get() -> tuple[int, str]:
        answer = await app.test_client().get(path, headers=headers)
        return answer.status_code, await answer.get_data(as_text=True)

    return asyncio.run(get())


def by_django(_: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    from django.test import Client

    answer = Client().get(path, headers=headers)
    return answer.status_code, answer.content.decode()


def by_django_async(_: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    from django.test import AsyncClient

    async def get() -> tuple[int, str]:
        answer = await AsyncClient().get(path, headers=headers)
        return answer.status_code, answer.content.decode()

    return asyncio.run(get())


def by_flask(_: Any, path: str, headers: dict[str, str]) -> tuple[int, str]:
    answer = load("flask", "wrapped").web.test_client().get(path, headers=headers)
    return answer.status_code, answer.text


#: Clients whose requests reach the middleware, with the host and the form of its example. Sanic needs a server.
THROUGH = [
    *[(by_httpx2, host, "wrapped") for host in ("bare", "flask", "falcon", "blacksheep", "django")],
    (by_httpx, "fastapi", "mounted"),
    (by_starlette, "starlette", "mounted"),
    (by_starlette, "fastapi", "wrapped"),
    (by_litestar, "litestar", "plugin"),
    (by_litestar_async, "litestar", "plugin"),
    (by_quart, "quart", "inside"),
]
#: Clients that call the views of a host without any ASGI app: no token is ever read.
BESIDE = [(by_django, "django", "wrapped"), (by_django_async, "django", "wrapped"), (by_flask, "flask", "wrapped")]
SOCKETS = [
    (TestClient, "fastapi", "wrapped"),
    (TestClient, "starlette", "mounted"),
    (LitestarClient, "litestar", "plugin"),
]


def named(row: Any) -> str | None:
    return row.__name__ if callable(row) else None


@pytest.mark.parametrize(("get", "host", "form"), [*THROUGH, *BESIDE], ids=named)
def test_a_block_acts_as_a_user_with_every_client(get: Get, host: str, form: str) -> None:
    app = build(host, form)

    before = get(app, "/admin", {})
    with as_user(app, roles="admin") as user:
        inside = get(app, "/admin", {})
    with as_user(app):
        without_the_role = get(app, "/admin", {})
    after = get(app, "/admin", {})

    assert (before[0], inside[0], without_the_role[0], after[0]) == (401, 200, 403, 401)
    assert user.id in inside[1]


@pytest.mark.parametrize(("get", "host", "form"), THROUGH, ids=named)
def test_headers_and_cookies_of_a_login_are_real_ones(get: Get, host: str, form: str) -> None:
    app, auth = build(host, form), load(host, form).auth

    async def made() -> tuple[str, dict[str, str], dict[str, str]]:
        user = await make_user(auth, roles="admin")
        headers, cookies = await login_headers(auth, user), await login_cookies(auth, user.id)
        await auth.close()
        return user.id, headers, {"cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}

    user_id, headers, cookies = asyncio.run(made())

    for shown in (headers, cookies):
        status, text = get(app, "/admin", shown)
        assert status == 200
        assert user_id in text


@pytest.mark.parametrize(("client", "host", "form"), SOCKETS, ids=named)
def test_a_websocket_acts_as_a_user(client: Any, host: str, form: str) -> None:
    app = build(host, form)

    with as_user(app) as user, client(app) as opened, opened.websocket_connect("/socket") as socket:
        assert socket.receive_text() == user.id
        socket.send_text("done")


async def test_a_websocket_of_quart_acts_as_a_user() -> None:
    app = build("quart", "inside")

    with as_user(app) as user:
        async with app.test_client().websocket("/socket") as socket:
            assert await socket.receive() == user.id
            await socket.send("done")
