"""Every sentence of `asgi_auth/storage/contract/sessions.py`, for every driver."""

import time

from asgi_auth.storage import Names, Storage
from asgi_auth.testing.contract.sessions import *  # noqa: F403 (its tests)
from tests.storage.conftest import OWN_TABLES


async def test_only_a_database_with_a_clock_tells_its_time(storage: Storage, driver: str) -> None:
    now = (await storage.changes_since(0)).now

    if "postgres" in driver:
        assert now is not None
        assert abs(now - time.time()) < 60
    else:
        assert now is None


async def test_only_a_uuid_has_the_shape_of_a_users_id_unless_the_table_belongs_to_the_host(
    storage: Storage, driver: str
) -> None:
    host = Names(own_users_table=True)

    assert storage.is_user_id("0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5b")
    for text in ("", "user-1", "0197A3B2-7C1D-7E5F-8A9B-0C1D2E3F4A5B", "0197a3b27c1d7e5f8a9b0c1d2e3f4a5b", "x" * 300):
        # In a table of the host, any short printable text may be an id.
        assert not storage.is_user_id(text) or (driver in OWN_TABLES and 0 < len(text) <= 255)
        assert not Names(own_users_table=True, id_type="UUID").is_user_id(text)
    assert all(host.is_user_id(text) for text in ("42", "ada@example.com", "x" * 255, "é"))
    foreign = Names(foreign_ids=True)
    assert all(foreign.is_user_id(text) for text in ("42", "auth0|5f7c", "x" * 255))
    for names in (host, foreign):
        assert not any(names.is_user_id(text) for text in ("", "x" * 256, "a\n", "a\0b", "\ud800", "\u202e1"))
