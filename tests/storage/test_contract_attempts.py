"""One-time tokens: attempts at codes and passwords, and what is left of used tokens; for every driver."""

from asgi_auth.storage import Storage
from asgi_auth.testing.contract.attempts import *  # noqa: F403 (its tests)
from asgi_auth.testing.records import NOW, a_token, added


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
