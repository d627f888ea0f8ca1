"""The end of many sessions in the feed: few rows, and pages that are not longer than others."""

import pytest

from asgi_auth.storage import sql_feed, sql_sessions
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_session, added


async def rows_of(storage: SQLStorage) -> int:
    [row] = await storage.run("SELECT COUNT(*) AS number FROM {changes}", {}, read=True)
    return int(row["number"])


async def with_three_each(storage: SQLStorage, users: int) -> list[str]:
    """Add users with three sessions each; return the ids of the users."""
    ids = []
    for number in range(users):
        user, credential = await added(storage, number)
        ids.append(user.id)
        for place in range(3):
            await storage.add_session(a_session(user, 10 * number + place), credential, 9)
    return ids


async def test_a_logout_of_all_a_new_password_and_a_ban_are_one_row(storage: SQLStorage) -> None:
    all_of_them, others, banned = await with_three_each(storage, 3)

    await storage.end_sessions(all_of_them, NOW)
    await storage.end_sessions(others, NOW, keep="session-10")
    async with storage.transaction() as inside:
        await inside.end_sessions(banned, NOW)

    assert await rows_of(storage) == 3
    assert len((await storage.changes_since(NOW)).sessions) == 8


@pytest.mark.parametrize("begins", ["", "after others"])
async def test_a_page_tells_of_no_more_sessions_than_it_may(
    storage: SQLStorage, begins: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    users, position = await with_three_each(storage, 5), ""
    if begins:
        await storage.end_sessions(users[4], NOW, only="session-40")
        position = (await storage.changes_since(NOW)).position
    for module in (sql_feed, sql_sessions):
        monkeypatch.setattr(module, "PAGE", 4)
    for user_id in users[:4]:
        await storage.end_sessions(user_id, NOW)

    pages, more = list[list[str]](), True
    while more:
        changes = await storage.changes_since(NOW, position)
        position, more = changes.position, changes.more
        pages.append([session_id for session_id, _ in changes.sessions])

    assert max(map(len, pages)) <= 4
    found = sorted(session_id for page in pages for session_id in page)
    assert [each for each in found if each != "session-40"] == sorted(
        f"session-{10 * user + place}" for user in range(4) for place in range(3)
    )


async def test_more_sessions_of_a_user_than_a_page_has_are_rows_of_their_own(
    storage: SQLStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sql_feed, sql_sessions):
        monkeypatch.setattr(module, "PAGE", 2)
    [user_id] = await with_three_each(storage, 1)

    await storage.end_sessions(user_id, NOW)

    assert await rows_of(storage) == 3
    assert (await storage.changes_since(NOW)).more


async def test_the_end_of_everything_is_one_row_for_each_batch(storage: SQLStorage) -> None:
    await with_three_each(storage, 4)

    after = ""
    while ended := await storage.end_batch(after, NOW, 6):
        after = ended[-1]

    assert await rows_of(storage) == 2
    changes = await storage.changes_since(NOW)
    assert (changes.sessions, changes.up_to) == ([], "session-32")
    # The newest row is a position, too.
    assert not (await storage.changes_since(NOW, changes.position)).is_new
