"""What strangers and users can store in an hour: a bounded number of records, and the count of all others."""

from typing import Any

import pytest

from asgi_auth import Audit, Auth, AuthMiddleware, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.events.audit_tally import MOST, MOST_WITHOUT_USER, AuditTally
from asgi_auth.model.records import AuditRecord, new_id
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW
from tests.support import Client, Clock, bearer, login, make_auth, register, who

DAY = 86400


def audited(clock: Clock, storage: str = "sqlite://", **options: Any) -> Auth:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Audit(**options)]
    return make_auth(storage, clock=clock, features=features)


async def rows(auth: Auth) -> list[dict[str, Any]]:
    """All stored records."""
    await auth[Audit].queue.flush()
    assert isinstance(auth.storage, SQLStorage)
    return [dict(row) for row in await auth.storage.run("SELECT * FROM {audit} ORDER BY id", {}, read=True)]


async def test_records_of_one_kind_about_one_user_are_counted_in_one(clock: Clock) -> None:
    async with audited(clock) as auth:
        user_id = await register(auth)
        pair = await login(auth)
        client = Client(AuthMiddleware(who, auth, mount="/auth"), headers=bearer(pair))
        for _ in range(MOST + 30):
            assert (await client.request("DELETE", "/auth/sessions/x")).status == 404
        ended = [item for item in await auth[Audit].list(user_id) if item.name == "session_end"]
        clock.move(3600)
        pair = await login(auth)
        client.headers = bearer(pair)
        await client.request("DELETE", "/auth/sessions/x")
        later = [item for item in await auth[Audit].list(user_id) if item.name == "session_end"]

    counted = [item for item in ended if item.data == {"counted": True}]
    assert len(ended) == MOST + 1
    assert [(item.count, item.address, item.user_id) for item in counted] == [(30, "", user_id)]
    assert len(later) == len(ended) + 1
    assert later[0].count == 1


async def test_processes_count_in_the_same_record(clock: Clock, tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with audited(clock, url) as here, audited(clock, url) as there:
        for auth in (here, there):
            for _ in range(MOST + 5):
                await auth.emit("login", outcome="failure", user_id=None)
            await auth[Audit].queue.flush()
        found = await rows(here)

    assert len(found) == 2 * MOST + 1
    assert sum(row["count"] for row in found) == 2 * MOST + 10


def record(number: int, **changes: Any) -> AuditRecord:
    values = {"name": "login", "outcome": "failure", "code": "", "at": NOW, **changes}
    return AuditRecord(id=new_id(NOW + number / 1000), **values)


def test_many_networks_fill_a_bounded_number_of_records() -> None:
    tally = AuditTally()
    taken = [tally.take(record(number, address=f"2001:db8:{number % 5000:x}::1")) for number in range(20_000)]

    single = [item for item in taken if not item.data]
    assert len(single) == MOST_WITHOUT_USER
    assert len({item.id for item in taken}) <= MOST_WITHOUT_USER + 1
    assert len(tally._counts) <= MOST_WITHOUT_USER + 1


def test_one_loud_network_hides_no_other() -> None:
    tally = AuditTally()
    for number in range(5000):
        tally.take(record(number, address="198.51.100.7"))

    assert tally.take(record(1, address="203.0.113.9")).address == "203.0.113.9"
    assert tally.take(record(1, address="198.51.100.7")).address == "198.51.100.7"
    assert tally.take(record(1, address="198.51.100.7")).data == {"counted": True}
    assert not tally.take(record(1, user_id="ada")).data


async def test_records_about_no_one_are_kept_for_days_only(clock: Clock) -> None:
    async with audited(clock) as auth:
        user_id = await register(auth)
        await auth.emit("login", outcome="failure", user_id=None)
        await rows(auth)
        clock.move(8 * DAY)
        await auth.purge()
        kept = await rows(auth)
        clock.move(83 * DAY)
        await auth.purge()

        assert {row["user_id"] for row in kept} == {user_id}
        assert await rows(auth) == []


@pytest.mark.parametrize("keep", [0, -1])
def test_a_retention_is_positive(keep: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        Audit(keep_unknown=keep)
