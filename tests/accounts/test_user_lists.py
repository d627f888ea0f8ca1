"""Users in pages: every user once, in order, found by the beginning of an address in any spelling."""

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any

import pytest

from asgi_auth import Auth
from asgi_auth.accounts.user_lists import UserPage
from asgi_auth.errors import UserNotFoundError, ValidationError
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.statements import users as statements
from asgi_auth.testing.records import NOW, a_user
from tests.storage.conftest import FILES_AND_SERVERS, opened
from tests.support import Clock, login, make_auth, register

NAMES = ("a%b", "a_b", "ab", "k1", "k2", "z\u00e9")


async def filled(auth: Auth, clock: Clock) -> None:
    for name in NAMES:
        await auth.users.create(f"{name}@example.com", roles=["user", name[:1]])
        clock.move(1)


async def all_pages(page: Callable[[str | None], Any]) -> list[str]:
    """Return the local parts of the addresses of all pages."""
    found, after = list[str](), None
    while True:
        given: UserPage = await page(after)
        found += [user.email_canonical.partition("@")[0] for user in given.users]
        after = given.next
        if after is None:
            return found


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
async def test_pages_have_every_user_once(driver: str, limit: int, fresh: Callable[[str], str], clock: Clock) -> None:
    async with make_auth(fresh(driver), clock=clock) as auth:
        await filled(auth, clock)

        assert await all_pages(lambda after: auth.users.list(after=after, limit=limit)) == list(NAMES)
        assert await all_pages(lambda after: auth.users.list(after=after, limit=limit, newest=True)) == [*NAMES[::-1]]
        assert await all_pages(lambda after: auth.users.list(after=after, limit=limit, role="k")) == ["k1", "k2"]
        assert await all_pages(lambda after: auth.users.list(after=after, limit=limit, status="closed")) == []
        assert await all_pages(lambda after: auth.users.search("\u212a1", after=after, limit=limit)) == ["k1"]
        assert await auth.users.count() == 6
        assert await auth.users.count(role="a", status="active") == 3
        assert await auth.users.count(search="a_", status="active") == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a%", ["a%b"]), ("a_", ["a_b"]), ("AB", ["ab"]), ("ab@EXAMPLE.com", ["ab"]), (" ab@ ", ["ab"]),
        ("\u212a1", ["k1"]), ("\uff4b2@", ["k2"]), ("z\u0301@", []),
        ("Ze\u0301", ["z\u00e9"]), ("Z\u00c9", ["z\u00e9"]),
        ("%b", []), ("__", []), ("a\\", []), ("a*", []), ("' OR 1=1 --", []), ("\U0010ffff\U0010ffff", []),
    ],
)  # fmt: skip
async def test_search_has_no_special_characters(auth: Auth, clock: Clock, text: str, found: list[str]) -> None:
    await filled(auth, clock)

    assert await all_pages(lambda after: auth.users.search(text, after=after)) == found


@pytest.mark.parametrize("text", ["", "a", " a ", "a\0", "\0\0", "ab\ud800", "x" * 255])
async def test_a_search_that_no_database_takes_is_refused(auth: Auth, text: str) -> None:
    with pytest.raises(ValidationError):
        await auth.users.search(text)
    with pytest.raises(ValidationError):
        await auth.users.count(search=text)


@pytest.mark.parametrize(
    "after", ["", "x", "=", "bnVsbA", "WzFd", "WzEsMl0", "WzEsIlx1MDAwMCJd", "WzFlOTksIngiXQ", "\u00e9", "W" * 5000]
)
async def test_a_place_that_is_none_is_refused(auth: Auth, after: str) -> None:
    with pytest.raises(ValidationError):
        await auth.users.list(after=after)
    with pytest.raises(ValidationError):
        await auth.users.search("ab", after=after)


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_page_has_a_size(auth: Auth, limit: int) -> None:
    with pytest.raises(ValidationError):
        await auth.users.list(limit=limit)


async def test_a_user_that_goes_away_between_two_pages_loses_no_other(auth: Auth, clock: Clock) -> None:
    await filled(auth, clock)
    page = await auth.users.list(limit=2)

    await auth.users.delete(page.users[1].id)

    assert (await auth.users.list(after=page.next)).users[0].email == "ab@example.com"


async def test_all_that_is_known_of_a_user(auth: Auth) -> None:
    user_id = await register(auth)
    await login(auth)
    await auth.users.ban(user_id, reason="spam")

    stored = await auth.users.export(user_id)

    assert stored.user.data == {}
    assert len(stored.sessions) == 1
    assert stored.user.id == user_id
    assert await auth.users.factors(user_id) == []
    for missing in (auth.users.export("x"), auth.users.sessions("x"), auth.users.factors("x")):
        with pytest.raises(UserNotFoundError):
            await missing


@pytest.mark.parametrize("driver", ["postgres15", "postgres18"])
async def test_any_page_of_many_users_reads_as_few_rows_as_the_first(driver: str, fresh: Callable[[str], str]) -> None:
    """Read from the plan that ran: not a time, which another process can lengthen."""
    async with opened(driver, fresh(driver)) as storage:
        await fill(storage, 3000)
        first = await rows_read(storage, statements.USERS, at=-1, user_id="")
        last = await rows_read(storage, statements.USERS, at=NOW + 2900, user_id="")
        of_search = await rows_read(storage, statements.USERS_BY_PREFIX, first="u2899", end="v", after="u2899")

        assert 0 < last <= 3 * first
        assert 0 < of_search <= 3 * first


async def test_any_page_of_many_users_takes_as_few_steps_as_the_first_on_sqlite(fresh: Callable[[str], str]) -> None:
    """Counted by the machine of SQLite: a plan does not tell by which of two bounds an index is searched."""
    url = fresh("sqlite")
    async with opened("sqlite", url) as storage:
        await fill(storage, 3000)
        pages: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
            statements.USERS: ({"at": -1, "user_id": ""}, {"at": NOW + 2800, "user_id": ""}),
            statements.NEWEST_USERS: ({"at": 10**12, "user_id": ""}, {"at": NOW + 200, "user_id": ""}),
            statements.USERS_BY_PREFIX: (
                {"first": "u", "end": "v", "after": ""},
                {"first": "u2800@x.org", "end": "v", "after": "u2800@x.org"},
            ),
        }
        for statement, values in pages.items():
            first, late = (steps(url, storage.rendered(statement), each) for each in values)

            assert 100 < late <= 1.5 * first


def steps(url: str, sql: str, values: Mapping[str, Any]) -> int:
    """Return how many instructions SQLite runs for a page."""
    ran = 0

    def count() -> int:
        nonlocal ran
        ran += 1
        return 0

    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        connection.set_progress_handler(count, 1)
        rows = connection.execute(sql, {"status": None, "role": None, "limit": 100, **values}).fetchall()
    assert len(rows) == 100
    return ran


async def fill(storage: SQLStorage, number: int) -> None:
    for start in range(0, number, 500):
        users = [
            a_user(n, id=f"{n:08}", email=f"u{n:04}@x.org", email_canonical=f"u{n:04}@x.org", created_at=NOW + n)
            for n in range(start, start + 500)
        ]
        await storage.add_users([(user, []) for user in users])
    if storage.dialect == "postgresql":
        await storage.run("ANALYZE {users}", {})


async def rows_read(storage: SQLStorage, statement: str, **values: Any) -> float:
    """Return the rows that all nodes of the plan have read."""
    given: Mapping[str, Any] = {"status": None, "role": None, "limit": 100, **values}
    sql = f"EXPLAIN (ANALYZE, FORMAT TEXT) {statement}"
    lines = [str(next(iter(row.values()))) for row in await storage.run(sql, given)]
    actual = [line.partition("actual")[2].partition("rows=")[2].split(" ")[0] for line in lines if "actual" in line]
    removed = [line.rpartition(":")[2] for line in lines if "Rows Removed" in line]
    return sum(map(float, [*actual, *removed]))
