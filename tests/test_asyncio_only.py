"""Without asyncio, as under trio, every answer says so, and the start of the server fails aloud."""

import logging
from collections.abc import Coroutine
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Scope

from asgi_auth import AuthApp, AuthMiddleware, Pages
from tests.pages.flows import all_features
from tests.support import http_scope, make_auth, who

DETAIL = "asyncio"


def run(task: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine without any event loop, as another library would; it must not wait for asyncio."""
    try:
        task.send(None)
    except StopIteration:
        return
    raise AssertionError("waits for an event loop")


def answers(app: ASGIApp, scope: Scope) -> list[Message]:
    sent: list[Message] = []
    incoming: list[Message] = [{"type": "http.request", "body": b"{}", "more_body": False}]

    async def receive() -> Message:
        return incoming.pop() if incoming else {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    run(app(scope, receive, send))  # type: ignore[arg-type]  # ours are coroutines
    return sent


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("POST", "login", [("content-type", "application/json")]),
        ("POST", "logout", []),
        ("GET", "me", [("authorization", "Bearer x.y.z")]),
    ],
)
def test_a_request_gets_the_reason(
    *, wrapped: bool, method: str, path: str, headers: list[tuple[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    auth = make_auth(mailer=print, features=all_features(Pages()))
    app: ASGIApp = AuthMiddleware(who, auth, mount="/auth") if wrapped else AuthApp(auth)

    sent = answers(app, http_scope(method, f"/auth/{path}" if wrapped else f"/{path}", headers))

    assert sent[0]["status"] == 500
    assert b"asyncio_required" in sent[1]["body"]
    assert "Traceback" not in caplog.text


def test_the_start_fails_with_the_reason() -> None:
    for app in (AuthMiddleware(who, make_auth(), mount="/auth"), AuthApp(make_auth())):
        scope: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}}
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "lifespan.startup"}

        async def send(message: Message, sent: list[Message] = sent) -> None:
            sent.append(message)

        run(app(scope, receive, send))

        assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
        assert DETAIL in sent[0]["message"]


def test_the_log_says_once_what_to_do(caplog: pytest.LogCaptureFixture) -> None:
    from asgi_auth.runtime.event_loop import _log_reason

    _log_reason.cache_clear()
    app = AuthApp(make_auth())
    with caplog.at_level(logging.ERROR, "asgi_auth"):
        for _ in range(3):
            answers(app, http_scope("POST", "/login", [("content-type", "application/json")]))

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "--worker-class asyncio" in caplog.text


def test_a_host_works_for_requests_without_credentials() -> None:
    sent = answers(AuthMiddleware(who, make_auth(), mount="/auth"), http_scope("GET", "/"))

    assert sent[0]["status"] == 200
