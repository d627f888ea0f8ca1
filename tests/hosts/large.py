"""Hosts whose packages are too large for every run of the tests: `make hosts` runs these, and `make test-full`."""

import asyncio
import json
import os
import secrets
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.asyncio.client import connect

from asgi_auth import Auth
from tests.browser.chromium import chromium
from tests.hosts.forms import LARGE
from tests.hosts.script import Visit, walk
from tests.hosts.servers import HOST_HEADER, ONE_REQUEST_EACH, ROOT, RemoteConnect, free_port, ready
from tests.support import PASSWORD, SECRET

#: Reflex compiles no frontend for a server of the backend alone.
BACKEND = {"__REFLEX_SKIP_COMPILE": "true", "REFLEX_TELEMETRY_ENABLED": "false", "GRADIO_ANALYTICS_ENABLED": "False"}
LOGIN = """fields => fetch("/auth/login", {
    method: "POST",
    body: JSON.stringify(fields),
    headers: {"Content-Type": "application/json", "Auth-Transport": "cookie"},
})"""
#: Seconds until a host has started: Gradio alone is thousands of modules, which a busy machine reads slowly.
START = 400
pytestmark = pytest.mark.timeout(600)
ASK = "reflex___state____state.examples___reflex_app____asking.ask"


@asynccontextmanager
async def serving(host: str, folder: Path) -> AsyncIterator[tuple[int, str]]:
    """Serve an example from a folder of its own, because Reflex writes into it; yield the port and the database."""
    port, database = free_port(), f"sqlite:///{folder}/auth.db"
    (folder / "rxconfig.py").write_text("import reflex as rx\n\nconfig = rx.Config(app_name='example')\n", "utf-8")
    factory = ["--factory"] if host == "reflex" else []
    process = subprocess.Popen(  # noqa: ASYNC220 (starting is quick)
        [sys.executable, "-m", "uvicorn", *factory, f"examples.{host}_app:app", "--port", str(port)],
        cwd=folder,
        env=os.environ | BACKEND | {"PYTHONPATH": str(ROOT), "AUTH_DATABASE_URL": database, "AUTH_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        await ready(process, port, START)
        yield port, database
    finally:
        process.terminate()
        output, _ = await asyncio.to_thread(process.communicate, timeout=20)
    assert "asgi_auth failed" not in output, output


async def account(port: int) -> tuple[str, str, dict[str, str]]:
    """Register a user; return the id, an access token, and the fields of a login."""
    fields = {"email": f"{secrets.token_hex(8)}@example.com", "password": PASSWORD}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        registered = await posted(client, "/auth/register", fields)
        token = (await posted(client, "/auth/login", fields))["access_token"]
    return registered["user"]["id"], token, fields


async def posted(client: httpx2.AsyncClient, path: str, fields: dict[str, str]) -> Any:
    """Post, and again while a busy machine refuses to hash a password."""
    for _ in range(60):
        answer = await client.post(path, json=fields)
        if answer.status_code != 503:
            break
        await asyncio.sleep(1)
    return answer.json()


@pytest.mark.parametrize("host", LARGE)
async def test_the_example_runs_under_a_server(host: str, tmp_path: Path) -> None:
    async with (
        serving(host, tmp_path) as (port, database),
        Auth(database, secret=SECRET) as auth,
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"host": HOST_HEADER}, limits=ONE_REQUEST_EACH, timeout=30
        ) as client,
    ):
        await walk(Visit(client, RemoteConnect(port), auth.users.set_roles))


async def test_an_event_of_gradio_knows_who_sends_it_and_is_guarded(tmp_path: Path) -> None:
    from gradio_client import Client

    def call(port: int, token: str, *arguments: Any, name: str) -> str:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        try:
            client = Client(f"http://127.0.0.1:{port}/ui", headers=headers, verbose=False)
            return str(client.predict(*arguments, api_name=name))
        except Exception as error:  # noqa: BLE001 (the client has several errors for a refusal)
            return str(error)

    async with serving("gradio", tmp_path) as (port, database):
        (ada, hers, _), (eve, other, _) = [await account(port) for _ in range(2)]
        greeted = [await asyncio.to_thread(call, port, token, "x", name="/greet") for token in (hers, other, "")]
        refused = await asyncio.to_thread(call, port, hers, name="/payroll")
        async with Auth(database, secret=SECRET) as auth:
            await auth.users.set_roles(ada, ["admin"])
        allowed = refused
        for _ in range(20):
            if allowed == "secret":
                break
            await asyncio.sleep(0.2)
            allowed = await asyncio.to_thread(call, port, hers, name="/payroll")

    assert greeted == [f"Hello x, you are {ada}", f"Hello x, you are {eve}", "Log in to do this."]
    assert (refused, allowed) == ("You may not do this.", "secret")


async def test_a_page_a_timer_and_a_click_of_nicegui_know_the_user(tmp_path: Path) -> None:
    async with serving("nicegui", tmp_path) as (port, _), chromium() as browser:
        user_id, _, fields = await account(port)
        site = f"http://localhost:{port}"
        page = await browser.new_page()
        refused = await page.goto(f"{site}/ui")
        await page.goto(f"{site}/who")
        await page.evaluate(LOGIN, fields)
        await page.goto(f"{site}/ui")
        await page.get_by_text(f"page {user_id}").wait_for(timeout=60_000)
        await page.get_by_text(f"timer {user_id}").wait_for(timeout=60_000)
        await page.get_by_role("button", name="Click").click()
        await page.get_by_text(f"click {user_id}").wait_for(timeout=60_000)

    assert refused is not None
    assert refused.status == 401


async def test_an_event_of_reflex_knows_who_sends_it(tmp_path: Path) -> None:
    async with serving("reflex", tmp_path) as (port, _):
        (ada, hers, _), (eve, other, _) = [await account(port) for _ in range(2)]
        found = [await asked(port, token) for token in (hers, other, "")]

    assert found == [ada, eve, "anonymous"]


async def asked(port: int, token: str) -> str:
    """Send the event of the example as its frontend does, and return what the state then says."""
    headers = {"authorization": f"Bearer {token}"} if token else {}
    url = f"ws://127.0.0.1:{port}/_event/?EIO=4&transport=websocket&token={secrets.token_hex(16)}"
    event = {"name": ASK, "payload": {}, "router_data": {"pathname": "/", "query": {}}}
    async with asyncio.timeout(60), connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.send("40/_event,")
        await socket.send(f"42/_event,{json.dumps(['event', event])}")
        async for message in socket:
            found = str(message).partition('"user_rx_state_":"')[2]
            if found:
                return found.partition('"')[0]
    raise AssertionError("no answer")
