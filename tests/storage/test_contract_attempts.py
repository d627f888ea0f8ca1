"""One-time tokens: attempts at codes and passwords, and what is left of used tokens; for every driver."""

from asgi_auth.storage import Storage
from tests.storage.samples import NOW, a_token, added, at_once

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


async def test_used_and_voided_tokens_keep_no_data(storage: Storage) -> None:
    user, _ = await added(storage)
    secret = {"pending": "a hash of a password"}
    tokens = [
        a_token(user, 1, data=secret),
        a_token(user, 2, data=secret, purpose="verify"),
        a_token(None, 3, data=secret, subject=user.email_canonical),
        a_token(user, 4, data=secret, purpose="change", asker="mine"),
    ]
    for token in tokens:
        await storage.add_token(token)

    await storage.use_token("request-1", NOW)
    await storage.void_earlier(a_token(user, 5, purpose="change", asker="mine"))
    await storage.void_tokens(user.id, NOW)
    await storage.void_subject(user.email_canonical, NOW, "reset")

    rows = await storage.run("SELECT data, used_at FROM {tokens}", {}, read=True)  # type: ignore[attr-defined]  # SQL
    assert [(row["data"], row["used_at"]) for row in rows] == [("{}", NOW)] * 4


async def test_deleting_a_user_deletes_the_tokens_about_its_address(storage: Storage) -> None:
    user, _ = await added(storage)
    other, _ = await added(storage, 2)
    for token in (
        a_token(user, 1),
        a_token(None, 2, subject=user.email_canonical),
        a_token(user, 3, subject="new@example.com"),
        a_token(other, 4, subject=user.email_canonical),
        a_token(other, 5),
    ):
        await storage.add_token(token)

    await storage.delete_user(user.id, NOW)

    rows = await storage.run("SELECT id FROM {tokens}", {}, read=True)  # type: ignore[attr-defined]  # SQL
    assert [row["id"] for row in rows] == ["request-5"]
    await storage.delete_tokens_about(other.email_canonical)
    assert await storage.run("SELECT id FROM {tokens}", {}, read=True) == []  # type: ignore[attr-defined]  # SQL
