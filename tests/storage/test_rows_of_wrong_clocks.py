"""One-time tokens and sessions of a clock that was ahead, for every driver."""

import pytest

from asgi_auth.model.limits import MAX_SKEW
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_session, a_token, added

DAY = 86400


@pytest.mark.parametrize(("ahead", "live"), [(0, True), (MAX_SKEW, True), (MAX_SKEW + 1, False), (3 * DAY, False)])
async def test_a_token_from_the_future_is_void(storage: Storage, ahead: int, *, live: bool) -> None:
    token = a_token(None, created_at=NOW + ahead, expires_at=NOW + ahead + 3600)
    assert await storage.add_token(token)

    found = await storage.find_token(token.purpose, token.digest, NOW)
    recalled = await storage.recall_token(token.id, token.purpose, token.subject, NOW)
    tried = await storage.try_code(token.purpose, token.id, token.code, now=NOW, tries=5)

    assert [found is not None, recalled is not None, tried is not None] == [live] * 3
    assert await storage.use_token(token.id, NOW) is live


@pytest.mark.parametrize(("used", "live"), [(-9, True), (60, True), (9 * DAY, True), (15 * DAY, False), (10**9, False)])
async def test_a_session_is_idle_if_its_last_use_is_far_away_in_either_direction(
    storage: Storage, used: int, *, live: bool
) -> None:
    user, credential = await added(storage)
    far = NOW + 10**10
    await storage.add_session(a_session(user, last_used_at=NOW + used, expires_at=far), credential, 5)
    idle_since = NOW - 14 * DAY

    touched = await storage.touch_session("session-1", 0, now=NOW, idle_since=idle_since)

    assert (touched is not None) is live
