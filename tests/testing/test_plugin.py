"""The pytest plugin in a pytest of its own: sync and async tests, one event loop a test, without a lifespan."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.testing.process import CONFIGURATION, ROOT, pytest_in

#: A test module as a user writes it. `MODE` marks its async tests.
MODULE = """
import asyncio
import httpx2
import pytest
from starlette.testclient import TestClient
from asgi_auth import AuthMiddleware, current_user, require
from asgi_auth.testing import as_user, login_headers, make_user
MODE

async def host(scope, receive, send):
    user = require(scope, roles="admin")
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": user.id.encode()})

@pytest.fixture
def app(auth):
    return AuthMiddleware(host, auth, mount="/auth")

def in_process(app):
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")

@pytest.mark.parametrize("number", range(3))
async def test_each_test_has_a_loop_and_users_of_its_own(auth, app, number):
    user = await make_user(auth, "ada@example.com", roles="admin")
    async with in_process(app) as client:
        assert (await client.get("/", headers=await login_headers(auth, user))).text == user.id
    assert (await auth.users.count()) == 1

async def test_mails_and_time(auth, app, auth_clock, auth_outbox):
    user = await make_user(auth, "ada@example.com", roles="admin")
    headers = await login_headers(auth, user)
    async with in_process(app) as client:
        assert (await client.post("/auth/forgot-password", json={"email": user.email})).status_code == 202
        assert auth_outbox.code(user.email)
        auth_clock.move(minutes=16)
        assert (await client.get("/", headers=headers)).status_code == 401

def test_a_sync_test_of_a_route(app):
    with as_user(app, roles="admin"):
        assert TestClient(app).get("/").status_code == 200

def test_a_sync_test_with_a_login(auth, app):
    user = asyncio.run(make_user(auth, roles="admin"))
    headers = asyncio.run(login_headers(auth, user))
    client = TestClient(app)
    assert [client.get("/", headers=headers).text for _ in range(2)] == [user.id] * 2
    with TestClient(app) as inside:
        assert inside.get("/", headers=headers).text == user.id

@pytest.fixture
def as_admin(app):
    with as_user(app, roles="admin") as user:
        yield user

def test_a_block_in_a_fixture(as_admin, app):
    assert TestClient(app).get("/").text == as_admin.id == current_user().id

async def test_an_app_in_a_fixture(app):
    async with in_process(as_user(app, roles="admin")) as client:
        assert (await client.get("/")).status_code == 200
"""
#: What marks async tests, by file: pytest-asyncio in its two modes, and anyio, which in the mode `auto` has no tests.
MARKS = {
    "strict": {"test_marked": "@pytest.mark.asyncio\n", "test_anyio": "@pytest.mark.anyio\n"},
    "auto": {"test_unmarked": ""},
}


@pytest.mark.parametrize("mode", MARKS)
def test_the_fixtures_in_a_pytest_of_its_own(mode: str, tmp_path: Path) -> None:
    for name, mark in MARKS[mode].items():
        head = "anyio_backend = pytest.fixture(lambda: 'asyncio')" if "anyio" in name else ""
        text = MODULE.replace("MODE", head).replace("async def test_", f"{mark}async def test_")
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
    (tmp_path / "pytest.ini").write_text(CONFIGURATION.format(mode=mode), "utf-8")

    done = pytest_in(tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{8 * len(MARKS[mode])} passed" in done.stdout


def test_a_pytest_that_uses_no_fixture_imports_next_to_nothing() -> None:
    script = (
        "import json, sys, pytest; before = set(sys.modules)\n"
        "import asgi_auth.testing.plugin; print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)

    assert json.loads(done.stdout) == ["asgi_auth", "asgi_auth._lazy", "asgi_auth.testing", "asgi_auth.testing.plugin"]
