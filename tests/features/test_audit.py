"""Audit: what happened is listed by user, is written after the answer, and never changes one."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from asgi_auth import Audit, Auth, AuthApp, Passwords, RecoveryCodes, Sessions, Totp
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Feature
from asgi_auth.model.records import AuditRecord
from asgi_auth.model.records import Client as Caller
from asgi_auth.storage.sqlite import SQLite
from tests.features.flows import flows
from tests.mail.deliveries import until
from tests.support import EMAIL, PASSWORD, Client, Clock, bearer, cheap, login, make_auth, register

DAY = 86400


class FlakyStorage(SQLite):
    """SQLite that refuses audit records while `error` is set, and waits for `go_on`."""

    def __init__(self, path: str = ":memory:") -> None:
        super().__init__(path)
        self.error: Exception | None = None
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.batches: list[int] = []

    async def add_audit_records(self, records: Sequence[AuditRecord]) -> None:
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        self.batches.append(len(records))
        await super().add_audit_records(records)


def audited(storage: SQLite, clock: Clock | None = None, **options: Any) -> Auth:
    auth = make_auth(storage, clock=clock, features=[Passwords(argon2=Argon2.cheap()), Sessions(), Audit(**options)])
    auth[Audit].queue.pause = auth[Audit].queue.retry = 0.01
    return auth


def unaudited() -> list[Feature]:
    return [feature for feature in cheap() if not isinstance(feature, Audit)]


async def names(auth: Auth, user_id: str) -> list[tuple[str, str]]:
    return [(record.name, record.outcome) for record in await auth[Audit].list(user_id)]


async def test_what_happened_to_a_user_is_listed_the_newest_first_and_in_pages() -> None:
    async with flows() as app:
        await app.verified()
        user = await app.auth.users.by_email(EMAIL)
        await app.login("wrong")
        await app.login()

        listed = await app.auth[Audit].list(user.id)
        pages = await app.auth[Audit].list(user.id, limit=3)
        pages += await app.auth[Audit].list(user.id, limit=9, before=pages[-1].id)

    assert [(record.name, record.outcome) for record in listed] == [
        ("login", "success"),
        ("login", "failure"),
        ("email_verify", "success"),
        ("one_time_token", "success"),
        ("register", "success"),
    ]
    assert pages == listed
    success, failure = listed[:2]
    assert (success.code, success.address, success.at) == ("authn_login_success", "192.0.2.7", app.clock())
    assert failure.data["reason"] == "invalid_credentials"
    assert len(success.session or "") == 32
    assert success.request_id


async def test_no_session_id_and_no_typed_address_is_kept() -> None:
    async with flows() as app:
        await app.register()
        pair = (await app.login()).json
        await app.login("wrong", "nobody@example.com")
        session_id = (await app.auth.authenticate(pair["access_token"])).session_id
        await app.auth[Audit].queue.flush()

        rows = await app.auth.storage.run("SELECT * FROM {audit}", {}, read=True)  # type: ignore[attr-defined]  # SQL

    text = str([dict(row) for row in rows])
    assert "authn_login_fail" in text
    assert [word for word in (session_id, "nobody@example.com", EMAIL, PASSWORD) if word in text] == []


async def test_a_setting_chooses_what_is_left_out() -> None:
    async with audited(SQLite(":memory:"), leave_out=["register"]) as auth:
        user_id = await register(auth)
        pair = await login(auth)
        await auth.refresh(str(pair.refresh_token))

        listed = await names(auth, user_id)

    assert [name for name, _ in listed] == ["refresh", "login", "session_start", "password_check"]
    with pytest.raises(ValueError, match="there is no 'logins'"):
        make_auth(features=[*unaudited(), Audit(leave_out=["logins"])])


def test_events_of_features_that_are_there_can_be_left_out() -> None:
    with pytest.raises(ValueError, match="there is no 'recovery_codes'"):
        make_auth(features=[*unaudited(), Audit(leave_out=["recovery_codes"])])

    make_auth(features=[*unaudited(), Totp(), RecoveryCodes(), Audit(leave_out=["recovery_codes"])])


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"queue": 0}])
def test_bounds_that_can_not_be_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="positive"):
        Audit(**wrong)  # type: ignore[arg-type]  # one of them


async def test_records_are_written_after_the_answer_and_many_at_once() -> None:
    storage = FlakyStorage()
    storage.go_on.clear()
    async with audited(storage) as auth:
        user_id = await register(auth)
        for _ in range(5):
            await login(auth)
        assert storage.batches == []

        storage.go_on.set()
        listed = await names(auth, user_id)

    assert len(listed) == 6
    assert max(storage.batches) > 1


async def test_a_storage_that_is_away_changes_no_answer_and_the_records_come_when_it_is_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "asgi_auth")
    storage = FlakyStorage()
    async with audited(storage) as auth:
        storage.error = StorageUnavailableError()
        user_id = await register(auth)
        pair = await login(auth)
        await asyncio.sleep(0.05)
        with pytest.raises(StorageUnavailableError):
            await auth[Audit].list(user_id)

        storage.error = None
        await until(lambda: storage.batches)
        assert await names(auth, user_id) == [("login", "success"), ("register", "success")]

    assert pair.access_token
    assert "login success (authn_login_success)" in caplog.text


async def test_what_the_storage_can_not_take_is_dropped_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    storage = FlakyStorage()
    async with audited(storage) as auth:
        storage.error = ZeroDivisionError()
        await register(auth)
        await auth[Audit].queue.flush()
        storage.error = None
        await login(auth)
        await auth[Audit].queue.flush()

    assert "1 audit records could not be written" in caplog.text
    assert "ZeroDivisionError" in caplog.text
    assert storage.batches == [1]


async def test_the_queue_is_bounded_and_tells_what_it_has_dropped(caplog: pytest.LogCaptureFixture) -> None:
    storage = FlakyStorage()
    storage.go_on.clear()
    async with audited(storage, queue=3) as auth:
        for _ in range(10):
            await auth.emit("login", user_id="u1")
        await until(lambda: "dropped" in caplog.text)
        for _ in range(3):
            # Each turn of the loop could bring a line of its own.
            await auth.emit("login", user_id="u1")
            await asyncio.sleep(0.01)
        during = [line for line in lines_of(caplog) if "dropped" in line]

        storage.go_on.set()
        listed = await names(auth, "u1")

    assert len(listed) == 3
    assert during == ["7 audit records were dropped: the queue is full"]
    assert [line for line in lines_of(caplog) if "dropped" in line][1:] == [
        "3 audit records were dropped: the queue is full"
    ]


def lines_of(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


async def test_closing_writes_what_waits(tmp_path: Any) -> None:
    path = str(tmp_path / "auth.db")
    async with audited(SQLite(path)) as auth:
        auth[Audit].queue.pause = 60
        user_id = await register(auth)

    async with audited(SQLite(path)) as auth:
        assert await names(auth, user_id) == [("register", "success")]


async def test_closing_does_not_wait_for_a_storage_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    storage = FlakyStorage()
    async with audited(storage) as auth:
        storage.error = StorageUnavailableError()
        await register(auth)

    assert "1 audit records were lost" in caplog.text


async def test_an_event_in_the_middle_of_a_flush_is_written_as_well() -> None:
    async with audited(FlakyStorage()) as auth:

        async def emit(number: int) -> None:
            await auth.emit("login", user_id="u1", data={"number": number})
            await auth[Audit].queue.flush()

        await asyncio.gather(*(emit(number) for number in range(250)))

        assert sum(record.count for record in await auth[Audit].list("u1", limit=999)) == 250


async def test_old_records_are_pruned_by_hand_and_by_themselves(clock: Clock) -> None:
    async with audited(SQLite(":memory:"), clock, keep=30 * DAY) as auth:
        audit = auth[Audit]
        for _ in range(4):
            await auth.emit("login", user_id="u1")
            await audit.queue.flush()
            clock.move(10 * DAY)

        assert len(await audit.list("u1")) == 4
        assert await audit.prune() == 1
        assert await audit.prune(older_than=15 * DAY) == 2
        assert len(await audit.list("u1")) == 1

        clock.move(40 * DAY)
        await auth.emit("register", user_id="u1")
        await audit.queue.flush()
        assert await auth.purge() >= 1
        assert await names(auth, "u1") == [("register", "success")]


async def test_of_a_deleted_user_nothing_personal_stays_and_what_waits_is_bared_too() -> None:
    async with audited(SQLite(":memory:")) as auth:
        user_id = await register(auth)
        await auth[Passwords].login(email=EMAIL, password=PASSWORD, client=Caller(address="192.0.2.7", user_agent="x"))
        await auth.users.delete(user_id)

        listed = await auth[Audit].list(user_id)

    assert [record.name for record in listed] == ["account_delete", "session_end", "login", "register"]
    assert {(record.address, record.user_agent, str(record.data)) for record in listed} == {("", "", "{}")}


async def test_the_events_of_the_user_stand_in_the_export() -> None:
    async with flows() as app:
        await app.verified()
        headers = bearer((await app.login()).json["access_token"])
        await app.auth[Audit].queue.flush()

        export = (await app.client.get("/auth/me/export", headers=headers)).json

    assert [event["name"] for event in export["events"]][-2:] == ["email_verify", "login"]
    assert "session" not in export["events"][-1]


async def test_it_is_on_by_default_and_takes_no_statement_within_the_answer() -> None:
    async with make_auth() as auth:
        assert auth[Audit].keep == 90 * DAY
        await register(auth)
        auth[Audit].queue.pause = 60
        answer = await Client(AuthApp(auth)).post("/login", {"email": EMAIL, "password": PASSWORD})

        waiting = auth[Audit].queue._runs.get()

    assert answer.status == 200
    assert waiting is not None
