"""One-time tokens: attempts at codes and passwords, and what is left of used tokens; for every driver."""

from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_token, at_once

HOUR = 3600


async def test_a_right_code_is_no_attempt_and_wrong_ones_leave_the_link_and_the_passwords_alone(
    storage: Storage,
) -> None:
    await storage.add_token(a_token(None))

    async def tried(code: str) -> bool:
        return await storage.try_code("reset", "request-1", code, now=NOW, tries=5) is not None

    right = [await tried("code-1") for _ in range(9)]
    wrong = [await tried("code-2") for _ in range(5)]

    assert (set(right), set(wrong)) == ({True}, {False})
    assert not await tried("code-1")
    assert await storage.find_token("reset", "digest-1", NOW) is not None
    assert await storage.count_password("request-1", now=NOW, tries=5)


async def test_concurrent_passwords_never_exceed_the_tries_and_leave_the_codes_alone(storage: Storage) -> None:
    await storage.add_token(a_token(None))

    counted = await at_once(lambda _: storage.count_password("request-1", now=NOW, tries=5))

    assert sum(counted) == 5
    assert await storage.try_code("reset", "request-1", "code-1", now=NOW, tries=5) is not None


async def test_an_attempt_at_a_password_is_taken_back_once(storage: Storage) -> None:
    await storage.add_token(a_token(None))
    await storage.count_password("request-1", now=NOW, tries=1)

    for _ in range(2):
        await storage.uncount_password("request-1")

    assert await storage.count_password("request-1", now=NOW, tries=1)
    assert not await storage.count_password("request-1", now=NOW, tries=1)
    assert not await storage.count_password("unknown", now=NOW, tries=1)


async def test_a_used_or_expired_token_counts_no_password(storage: Storage) -> None:
    await storage.add_token(a_token(None))

    assert not await storage.count_password("request-1", now=NOW + HOUR, tries=5)
    await storage.use_token("request-1", NOW)
    assert not await storage.count_password("request-1", now=NOW, tries=5)
