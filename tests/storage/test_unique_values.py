"""Unique values of extra fields, by 32 callers in four processes at once."""

from collections.abc import Callable, Iterator

import pytest

from asgi_auth.model.records import CLAIM
from asgi_auth.testing.records import NOW, a_user, at_once
from tests.storage.conftest import FILES_AND_SERVERS, connect
from tests.storage.test_processes import Workers

Fresh = Callable[[str], str]

pytestmark = pytest.mark.parametrize("driver", FILES_AND_SERVERS)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    started = Workers()
    yield started
    started.kill()


async def test_of_registrations_in_many_processes_one_has_the_value(
    driver: str, fresh: Fresh, workers: Workers
) -> None:
    url = fresh(driver)
    storage = connect(driver, url)
    await storage.migrate(NOW)

    results = workers.do("register", url, lambda number: f"worker-{number}")

    assert results == ["0/8", "0/8", "0/8", "1/7"]
    users = await storage.users(limit=50)
    assert len(users) == 1
    assert {each.kind for each in await storage.credentials(users[0].id)} == {"password", "field:nick", "field:phone"}
    workers.do("close", url)
    await storage.close()


async def test_of_registrations_in_many_processes_one_has_the_username(
    driver: str, fresh: Fresh, workers: Workers
) -> None:
    url = fresh(driver)
    storage = connect(driver, url)
    await storage.migrate(NOW)

    results = workers.do("claim_username", url, lambda number: f"worker-{number}")

    assert results == ["0/8", "0/8", "0/8", "1/7"]
    assert len(await storage.users(limit=50)) == 1
    workers.do("close", url)
    await storage.close()


async def test_of_changes_in_many_processes_one_has_each_value_and_no_other_is_held(
    driver: str, fresh: Fresh, workers: Workers
) -> None:
    url = fresh(driver)
    storage = connect(driver, url)
    await storage.migrate(NOW)
    await at_once(lambda number: storage.add_user(a_user(number)), 8)

    for turn in range(3):
        # Each user takes part in all four processes, and four users want each value: two of the eight have one.
        workers.do("set_nick", url, lambda _: f"turn{turn}")  # noqa: B023 (it is called at once)

    users = await storage.users(limit=50)
    for name in ("nick", "phone"):
        held = [user.data[name] for user in users if user.data.get(name)]
        claims = [each for user in users for each in await storage.credentials(user.id, CLAIM + name)]
        assert len(set(held)) == len(held) == len(claims)
        assert {f"turn2-{number}" for number in (0, 1)} <= set(held)
    workers.do("close", url)
    await storage.close()
