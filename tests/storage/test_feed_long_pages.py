"""Long pages of the feed: the ids of many single ended sessions come packed, and nothing among them is lost."""

import asyncio
import uuid
from collections.abc import Callable

import pytest

from asgi_auth.sessions.ended import keys_in, text_of
from asgi_auth.storage import sql_feed
from asgi_auth.storage.feed_pages import packed
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW, a_session, added
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import FILES_AND_SERVERS
from tests.storage.test_feed import server_storage
from tests.support import Clock, login, make_auth, register

__all__ = ["server_storage"]

ADD = "INSERT INTO {changes} (session_id, at, expires_at) VALUES (:id, :at, :expires_at) RETURNING number"


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_feed, "PAGE", 2)
    monkeypatch.setattr(sql_feed, "LONG_PAGE", 5)


def an_id(number: int) -> str:
    return str(uuid.UUID(int=number << 100 | number))


async def end(storage: SQLStorage, *numbers: int) -> None:
    """Add ends whose times are not in the order of their numbers."""
    for number in numbers:
        at = NOW + number * 7 % 3
        await storage.run(ADD, {"id": an_id(number), "at": at, "expires_at": NOW + 99})


class Reader:
    """Reads the feed page by page."""

    def __init__(self, storage: SQLStorage) -> None:
        self._storage = storage
        self.position = ""
        #: The ids of each page that came packed.
        self.packed: list[int] = []

    async def page(self) -> tuple[list[str], bool]:
        """Read one page: the ids of sessions, the users with changed roles, and whether more follow."""
        changes = await self._storage.changes_since(NOW, self.position)
        self.position = changes.position
        ids = [text_of(key) for key in keys_in(changes.packed)]
        self.packed += [len(ids)] if ids else []
        found = [*ids, *(item[0] for item in changes.sessions), *(item[0] for item in changes.users)]
        return found + [changes.up_to] * bool(changes.up_to), changes.more

    async def read(self) -> list[str]:
        """Read all pages."""
        found, more = list[str](), True
        while more:
            page, more = await self.page()
            found += page
        return found


@pytest.mark.parametrize("begins", ["", "after others"])
async def test_each_end_and_what_else_is_among_them_is_told_once(storage: SQLStorage, begins: str) -> None:
    user, credential = await added(storage)
    reader, several = Reader(storage), [a_session(user, number) for number in (1, 2)]
    for each in several:
        await storage.add_session(each, credential, 9)
    if begins:
        await end(storage, 99)
        await reader.read()
    async with storage.transaction() as inside:
        await end(inside, *range(8))
    await storage.end_sessions(user.id, NOW + 1)
    await end(storage, *range(8, 14))
    await storage.update_user(user.id, {"roles": ("admin",)}, NOW + 1)
    await end(storage, *range(14, 25))

    found = await reader.read()

    assert sorted(found) == sorted([*map(an_id, range(25)), *(each.id for each in several), user.id])
    assert max(reader.packed) == 5
    assert len(reader.packed) > 3
    assert await reader.read() == []


async def test_ids_that_are_no_uuids_are_told_as_they_are(storage: SQLStorage) -> None:
    reader, odd = Reader(storage), ["session-1", an_id(20).upper().replace("0", "A"), "x" * 36, " " * 36]
    await reader.read()
    await end(storage, *range(7))
    for each in odd:
        await storage.run(ADD, {"id": each, "at": NOW, "expires_at": NOW + 99})
    await end(storage, *range(7, 15))

    assert sorted(await reader.read()) == sorted([*odd, *map(an_id, range(15))])
    assert reader.packed


async def test_what_is_committed_between_two_long_pages_is_read_at_the_latest_by_the_next_reading(
    server_storage: SQLStorage,
) -> None:
    reader = Reader(server_storage)
    await reader.read()
    async with server_storage.transaction() as late, server_storage.transaction() as later:
        await end(late, *range(6))
        await end(later, *range(6, 12))
        await end(server_storage, *range(12, 30))
        pages = [await reader.page() for _ in range(3)]
    found = [each for page, more in pages for each in page if more]

    found += await reader.read() + await reader.read()

    assert sorted(found) == sorted(map(an_id, range(30)))
    assert await reader.read() == []


def test_only_uuids_in_lowercase_are_packed() -> None:
    text = "".join(map(an_id, range(3)))
    assert packed(text, 3) == b"".join(uuid.UUID(an_id(number)).bytes for number in range(3))
    assert packed("", 0) == b""

    one, capital = an_id(1), str(uuid.UUID(int=0xA << 64)).upper()
    for odd in (one[:-1], one + "0", capital, one.replace("0", " "), one.replace("0", "g"), one[:-1] + "-", "-" * 36):
        assert packed(odd, 1) is None
        assert packed(odd + one, 2) is None
        assert packed(one + odd, 2) is None
    # Together they are as long as two.
    assert packed(one[1:] + "0" + one, 2) is None


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_another_process_refuses_all_and_closes_their_websockets(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with make_auth(fresh(driver)) as here, make_auth(fresh(driver)) as there:
        user_id = await register(here)
        pairs = [await login(here) for _ in range(9)]
        ids = [(await there.authenticate(str(pair.access_token))).session_id for pair in pairs]
        closed = list[str]()
        for session_id in ids:
            there.revocation.watch(session_id, user_id, (), lambda session_id=session_id: closed.append(session_id))  # type: ignore[misc]
        async with here.storage.transaction() as inside:
            for session_id in ids[:-1]:
                await inside.end_sessions(user_id, int(here.now()), only=session_id)
        here.revocation.end(ids[:-1])

        async def all_closed() -> bool:
            return sorted(closed) == sorted(ids[:-1])

        assert await eventually(all_closed)
        cached = [there.verifier.cached(str(pair.access_token), "bearer") for pair in pairs]
        assert [identity is not None for identity in cached] == [False] * 8 + [True]
        assert set(ids) - set(there.revocation.dead) == {ids[-1]}


async def test_a_look_that_fails_between_two_pages_leaves_nothing_running_and_the_next_one_knows_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with make_auth(clock=Clock(NOW)) as auth:
        await end(auth.storage, *range(25))  # type: ignore[arg-type]
        apply = auth.revocation._apply

        async def failing(*_: object) -> None:
            raise ValueError("a listener's bug")

        monkeypatch.setattr(auth.revocation, "_apply", failing)
        with pytest.raises(ValueError, match="a listener's bug"):
            await auth.revocation.sync()
        await asyncio.sleep(0)
        assert not [task for task in asyncio.all_tasks() if "next page" in task.get_name()]

        monkeypatch.setattr(auth.revocation, "_apply", apply)
        await auth.revocation.sync()
        assert set(auth.revocation.dead) == set(map(an_id, range(25)))
