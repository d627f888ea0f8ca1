"""Whatever receives an event may fail: a filter, a handler, a meter, a tracer, a feature, a hook. The call goes on."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords
from asgi_auth.feature import Event, Feature
from tests.support import EMAIL, PASSWORD, Client, make_auth, register, unlimited, who

ACCOUNT = {"email": EMAIL, "password": PASSWORD}


class HostError(Exception):
    """An error of the host."""


class FailingFilter(logging.Filter):
    def filter(self, _: logging.LogRecord) -> bool:
        raise HostError


class FailingHandler(logging.Handler):
    def handle(self, _: logging.LogRecord) -> bool:
        raise HostError


class Instrument:
    """A meter and a tracer whose every method fails."""

    def __getattr__(self, _: str) -> Any:
        raise HostError


async def awaits_a_cancelled_task(_: Event) -> None:
    task = asyncio.ensure_future(asyncio.sleep(5))
    task.cancel()
    await task


class Observer(Feature):
    async def observe(self, event: Event) -> None:
        await awaits_a_cancelled_task(event)


def with_filter(_: Auth) -> None:
    logging.getLogger("asgi_auth").addFilter(FailingFilter())


def with_handler(_: Auth) -> None:
    logging.getLogger("asgi_auth").addHandler(FailingHandler())


def with_meter(auth: Auth) -> None:
    assert auth.stream.telemetry is not None
    auth.stream.telemetry._events = Instrument()


def with_tracer(auth: Auth) -> None:
    assert auth.stream.telemetry is not None
    auth.stream.telemetry._tracer = Instrument()


def with_hook(auth: Auth) -> None:
    auth.on("*", awaits_a_cancelled_task)


def with_everything(auth: Auth) -> None:
    for fail in (with_filter, with_handler, with_meter, with_tracer, with_hook):
        fail(auth)


@pytest.fixture(autouse=True)
def restored() -> Any:
    logger = logging.getLogger("asgi_auth")
    before = logger.filters[:], logger.handlers[:], logger.level
    logger.setLevel(logging.DEBUG)
    yield
    logger.filters[:], logger.handlers[:] = before[:2]
    logger.setLevel(before[2])


@pytest.mark.parametrize("fail", [with_filter, with_handler, with_meter, with_tracer, with_hook, with_everything])
async def test_a_receiver_that_fails_changes_nothing(fail: Callable[[Auth], None]) -> None:
    features = [Passwords(argon2=Argon2.cheap()), *unlimited(mail=False), Observer()]
    async with make_auth(features=features, telemetry=True) as auth:
        await register(auth)
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        fail(auth)

        answers = [
            await client.post("/auth/login", ACCOUNT),
            await client.post("/auth/login", ACCOUNT | {"password": "wrong"}),
            await client.get("/auth/me"),
            await client.get("/auth/me", headers={"authorization": "Bearer x"}),
        ]

        user = await auth.users.by_email(EMAIL)
        sessions = await auth.storage.sessions(user.id, int(auth.now()), 0)
    assert [answer.status for answer in answers] == [200, 401, 401, 401]
    assert len(sessions) == 1


async def test_a_filter_that_fails_stops_no_work_in_the_background() -> None:
    """Revocation, purge, records and mails log what fails; that they cannot log must not end them."""
    logging.getLogger("asgi_auth").addFilter(FailingFilter())
    sent = 0

    async def mailer(_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 1:
            raise HostError

    async with make_auth(mailer=mailer) as auth:
        auth.mail.delays = (0, 0)
        await register(auth)
        await auth.mail.idle()

    assert sent == 2


async def test_a_mailer_that_awaits_a_cancelled_task_is_called_again() -> None:
    sent = 0

    async def mailer(_: object) -> None:
        nonlocal sent
        sent += 1
        if sent == 1:
            await awaits_a_cancelled_task(None)  # type: ignore[arg-type]  # it reads nothing

    async with make_auth(mailer=mailer) as auth:
        auth.mail.delays = (0, 0)
        await register(auth)
        await auth.mail.idle()

    assert sent == 2


async def test_the_end_of_the_request_ends_the_hook() -> None:
    """A cancelled request is not answered as if nothing had happened."""
    began = asyncio.Event()

    async def slow(_: Event) -> None:
        began.set()
        await asyncio.sleep(60)

    async with make_auth() as auth:
        auth.on("register", slow)
        call = asyncio.ensure_future(register(auth))
        await began.wait()
        call.cancel()

        with pytest.raises(asyncio.CancelledError):
            await call


async def test_a_record_names_the_line_that_logged_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "asgi_auth"):
        async with make_auth() as auth:
            await register(auth)

    assert {record.filename for record in caplog.records if "register" in record.message} == {"log.py"}
    assert {record.funcName for record in caplog.records if "register" in record.message} == {"write"}
