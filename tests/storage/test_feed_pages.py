"""The feed of changes in pages: each row is on one page, and what is committed between two pages is not lost."""

import pytest

from asgi_auth.storage import sql_feed
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.statements import feed
from asgi_auth.testing.records import NOW
from tests.storage.test_feed import Reader, server_storage, with_sessions

__all__ = ["server_storage"]


@pytest.mark.parametrize("begins", ["", "after others"])
async def test_pages_are_the_whole_and_each_row_is_on_one(
    storage: SQLStorage, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, reader = await with_sessions(storage, 11), Reader(storage)
    if begins:
        await storage.end_sessions(user_id, NOW, only="session-10")
        await reader.read()
    monkeypatch.setattr(sql_feed, "PAGE", 2)
    # Some of one transaction and of one second, and others of their own.
    async with storage.transaction() as inside:
        for number in range(5):
            await inside.end_sessions(user_id, NOW, only=f"session-{number}")
    for number in range(5, 10):
        await storage.end_sessions(user_id, NOW + number % 2, only=f"session-{number}")

    found = await reader.read()

    assert sorted(found) == [f"session-{number}" for number in range(10)]
    assert await reader.read() == []


async def test_what_is_committed_between_two_pages_is_read_at_the_latest_by_the_next_reading(
    server_storage: SQLStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id, reader = await with_sessions(server_storage, 12), Reader(server_storage)
    await reader.read()
    monkeypatch.setattr(sql_feed, "PAGE", 2)
    async with server_storage.transaction() as late, server_storage.transaction() as later:
        for number in (0, 1, 2):
            await late.end_sessions(user_id, NOW, only=f"session-{number}")
        for number in (3, 4, 5):
            await later.end_sessions(user_id, NOW, only=f"session-{number}")
        for number in range(6, 12):
            await server_storage.end_sessions(user_id, NOW, only=f"session-{number}")
        first = await server_storage.changes_since(NOW, reader.position)
        second = await server_storage.changes_since(NOW, first.position)
    reader.position = second.position
    found = [item[0] for item in (*first.sessions, *second.sessions)] + await reader.read() + await reader.read()

    assert (first.more, second.more) == (True, True)
    assert set(found) == {f"session-{number}" for number in range(12)}
    assert await reader.read() == []


async def test_the_rows_of_a_transaction_that_is_still_open_are_not_looked_at(server_storage: SQLStorage) -> None:
    user_id = await with_sessions(server_storage, 3)
    async with server_storage.transaction() as late:
        await late.end_sessions(user_id, NOW)
        [row] = await late.run("SELECT CAST(pg_current_xact_id() AS TEXT) AS id", {})

        assert "(never executed)" in await scan_of(server_storage, row["id"])
    assert "(never executed)" not in await scan_of(server_storage, row["id"])


async def scan_of(storage: SQLStorage, number: str) -> str:
    """How the server scans the rows of a transaction that was open at a position."""
    values = {"open": number, "last": "0", "number": 0, "page": 9, "seen": str(int(number) + 1), "seen_number": 0}
    rows = await storage.run(f"EXPLAIN (ANALYZE, COSTS OFF) {feed.ROWS_AFTER['postgresql']}", values, read=True)
    # That of the transactions that began later comes last.
    return next(line for row in rows if "Scan" in (line := str(row["QUERY PLAN"])) and "auth_changes" in line)
