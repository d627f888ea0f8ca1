"""`Settings(after_answer=False)`: mails are sent and records written before the answer, for hosts that then stop."""

import asyncio
import json
import time
from typing import Any

import pytest
from mangum import Mangum

from asgi_auth import Audit, Auth, AuthMiddleware, Outbox
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.mail.message import Mail
from tests.support import EMAIL, PASSWORD, Client, cheap, make_auth, register, who


def make(mailer: Any, **settings: Any) -> Auth:
    features = cheap(mail=True)
    settings.setdefault("after_answer", False)
    return make_auth(features=features, mailer=mailer, **settings)


def event(path: str, body: dict[str, str]) -> dict[str, Any]:
    """A call as AWS hands it to a function (payload version 2.0)."""
    http = {"method": "POST", "path": path, "sourceIp": "192.0.2.7", "protocol": "HTTP/1.1", "userAgent": "x"}
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"content-type": "application/json", "host": "app.example.com"},
        "requestContext": {"http": http, "stage": "$default", "domainName": "x", "requestId": "1", "timeEpoch": 0},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


class Hanging:
    """A mailer that never ends."""

    async def send(self, _: Mail) -> None:
        await asyncio.Event().wait()


class Refusing:
    """A mailer that always fails."""

    async def send(self, _: Mail) -> None:
        raise OSError("the mail server is away")


def calls_of_a_function(auth: Auth, outbox: Outbox) -> list[tuple[int, int]]:
    """Call a function of AWS three times; return the status and the number of mails after each call."""
    seen = []
    loop = asyncio.new_event_loop()  # Mangum uses the one that is set; it stands still between two calls
    asyncio.set_event_loop(loop)
    handler = Mangum(AuthMiddleware(who, auth, mount="/auth"), lifespan="off")
    for number in range(3):
        call = event("/auth/register", {"email": f"a{number}@example.com", "password": PASSWORD})
        answer = handler(call, {})  # type: ignore[arg-type]  # the context of a test
        seen.append((answer["statusCode"], len(outbox)))
    loop.run_until_complete(auth.close())
    loop.run_until_complete(loop.shutdown_default_executor())
    asyncio.set_event_loop(None)
    loop.close()
    return seen


async def test_under_mangum_each_mail_is_sent_before_the_answer_of_its_call() -> None:
    outbox = Outbox()

    seen = await asyncio.to_thread(calls_of_a_function, make(outbox, enumeration="hide"), outbox)

    assert seen == [(202, 1), (202, 2), (202, 3)]


async def test_over_http_and_in_process_all_is_done_before_the_answer() -> None:
    outbox = Outbox()
    async with make(outbox) as auth:
        await register(auth)
        assert [mail.purpose for mail in outbox.mails] == ["verify_email"]
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        answer = await client.post("/auth/login", {"email": EMAIL, "password": "wrong horse battery"})
        assert (answer.status, auth[Audit].queue.waiting) == (401, 0)
        answer = await client.post("/auth/forgot-password", {"email": EMAIL})

    assert answer.status == 202
    assert [mail.purpose for mail in outbox.mails] == ["verify_email", "reset_password"]


async def test_the_default_answers_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asgi_auth.runtime.lifecycle.DRAIN", 0.1)
    async with make(Hanging(), after_answer=True) as auth:
        async with asyncio.timeout(30):
            await register(auth)
        assert auth[Audit].queue.waiting > 0


@pytest.mark.parametrize("mailer", [Hanging(), Refusing()])
async def test_a_mailer_in_trouble_delays_a_success_and_never_fails_it(
    mailer: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("asgi_auth.runtime.lifecycle.DRAIN", 0.1)
    auth = make(mailer)
    auth.pipeline._timeout = auth.request_timeout = 2
    async with auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        answer = await client.post("/auth/register", {"email": EMAIL, "password": PASSWORD})

    assert answer.status == 201
    assert "could not be sent before the answer" in caplog.text


async def test_a_storage_in_trouble_loses_no_record_and_fails_no_call(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: object) -> None:
        raise StorageUnavailableError

    async with make(Outbox()) as auth:
        with monkeypatch.context() as patch:
            patch.setattr(auth[Audit].queue, "_write", fail)
            user_id = await register(auth)
        assert "audit records could not be written before 1 answers" in caplog.text
        assert "register" in [record.name for record in await auth[Audit].list(user_id)]


async def test_a_decoy_waits_as_long_as_a_recent_mail() -> None:
    """Not exact times: with a mailer that takes a second, no decoy is answered in less than half of it."""
    taking = 0.0

    async def send(_: Mail) -> None:
        await asyncio.sleep(taking)

    async with make(send) as auth:
        await register(auth)
        auth.mail._waits.clear()
        taking = 1.0
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        times = []
        for email in (EMAIL, "nobody@example.com", "none@example.com"):
            began = time.monotonic()
            assert (await client.post("/auth/forgot-password", {"email": email})).status == 202
            times.append(time.monotonic() - began)

    assert min(times) > 0.5
