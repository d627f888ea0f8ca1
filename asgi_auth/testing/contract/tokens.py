"""Every sentence of `asgi_auth/storage/contract/tokens.py`, and the deletion of users, for every driver."""

import asyncio

import msgspec
import pytest

from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_credential, a_session, a_token, a_user, added, at_once

HOUR = 3600


async def test_a_token_comes_back_as_it_was_added_and_is_not_used_up_by_looking(storage: Storage) -> None:
    user, _ = await added(storage)
    token = a_token(user, data={"new": "ä@example.com"})

    assert await storage.add_token(token)

    for _ in range(2):
        assert await storage.find_token("reset", "digest-1", NOW) == token
    assert await storage.find_token("verify", "digest-1", NOW) is None
    assert await storage.find_token("reset", "digest-2", NOW) is None
    assert await storage.find_token("reset", "digest-1", NOW + HOUR) is None


async def test_a_token_may_be_about_no_one(storage: Storage) -> None:
    token = a_token(None)

    assert await storage.add_token(token)

    assert await storage.find_token("reset", "digest-1", NOW) == token


async def test_of_many_concurrent_uses_exactly_one_wins(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_token(a_token(user))

    wins = await at_once(lambda _: storage.use_token("request-1", NOW))

    assert sum(wins) == 1
    assert await storage.find_token("reset", "digest-1", NOW) is None
    assert not await storage.use_token("unknown", NOW)


async def test_an_expired_token_can_not_be_used(storage: Storage) -> None:
    await storage.add_token(a_token(None))

    assert not await storage.use_token("request-1", NOW + HOUR)
    assert await storage.use_token("request-1", NOW + HOUR - 1)


async def test_a_use_is_undone_with_its_transaction(storage: Storage) -> None:
    await storage.add_token(a_token(None))

    async def use_and_fail() -> None:
        async with storage.transaction() as inside:
            assert await inside.use_token("request-1", NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await use_and_fail()

    assert await storage.use_token("request-1", NOW)


async def test_a_code_fits_its_own_request_and_purpose_only(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_token(a_token(user, 1))
    await storage.add_token(a_token(user, 2, created_at=NOW + 1))

    found = await storage.try_code("reset", "request-1", "code-1", now=NOW, tries=5)

    assert found is not None
    assert (found.id, found.user_id, found.attempts) == ("request-1", user.id, 0)
    for purpose, request, code, now in (
        ("reset", "request-2", "code-1", NOW),
        ("verify", "request-1", "code-1", NOW),
        ("reset", "unknown", "code-1", NOW),
        ("reset", "request-1", "code-1", NOW + HOUR),
    ):
        assert await storage.try_code(purpose, request, code, now=now, tries=5) is None


async def test_concurrent_guesses_never_exceed_the_tries(storage: Storage) -> None:
    await storage.add_token(a_token(None))
    guesses = [f"code-{number}" for number in range(100, 131)]

    await asyncio.gather(*(storage.try_code("reset", "request-1", guess, now=NOW, tries=5) for guess in guesses))

    assert await storage.try_code("reset", "request-1", "code-1", now=NOW, tries=5) is None
    token = await storage.find_token("reset", "digest-1", NOW)
    assert token is not None
    assert token.attempts == 5


async def test_a_token_that_is_sent_again_replaces_the_one_with_its_id(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_token(a_token(None, purpose="verify", data={"pending": 1}))
    for code in range(5):
        await storage.try_code("verify", "request-1", f"wrong {code}", now=NOW, tries=5)
    await storage.use_token("request-1", NOW)
    again = a_token(user, 2, id="request-1", created_at=NOW + 1)

    assert await storage.add_token(again)

    assert await storage.find_token("verify", "digest-1", NOW + 1) is None
    assert await storage.find_token("reset", "digest-2", NOW + 1) == again
    assert await storage.try_code("reset", "request-1", "code-2", now=NOW + 1, tries=5) == again


async def test_a_newer_token_voids_the_earlier_ones_of_its_asker_only(storage: Storage) -> None:
    user, _ = await added(storage)
    tokens = [
        a_token(user, 1, asker="mine"),
        a_token(None, 2, asker="mine", subject=user.email_canonical),
        a_token(user, 3, asker="other"),
        a_token(user, 4, asker="mine", purpose="verify"),
        a_token(user, 5, asker="mine", subject="other@example.com"),
        newest := a_token(user, 6, asker="mine"),
    ]
    for token in tokens:
        await storage.add_token(token)

    await storage.void_earlier(newest)

    live = [await storage.find_token(token.purpose, token.digest, NOW) is not None for token in tokens]
    assert live == [False, False, True, True, True, True]


async def test_tokens_are_voided_by_user_and_purpose(storage: Storage) -> None:
    user, _ = await added(storage)
    other, _ = await added(storage, 2)
    for number, token in enumerate((a_token(user), a_token(user, purpose="verify"), a_token(other)), 1):
        fresh = a_token(None, number, purpose=token.purpose, subject=token.subject, user_id=token.user_id)
        assert await storage.add_token(fresh)

    await storage.void_tokens(user.id, NOW, "verify")
    assert await storage.find_token("verify", "digest-2", NOW) is None
    assert await storage.find_token("reset", "digest-1", NOW) is not None

    await storage.void_tokens(user.id, NOW)
    assert await storage.find_token("reset", "digest-1", NOW) is None
    assert await storage.find_token("reset", "digest-3", NOW) is not None


async def test_a_second_credential_of_one_kind_and_identifier_is_refused(storage: Storage) -> None:
    user, _ = await added(storage)

    assert await storage.add_credential(a_credential(user, id="email", kind="email"))
    assert not await storage.add_credential(a_credential(user, id="again", kind="email"))

    found = await storage.credential(user.id, "email")
    assert found is not None
    assert found.id == "email"


async def test_a_deleted_user_leaves_nothing_but_the_news_of_its_sessions(storage: Storage) -> None:
    user, credential = await added(storage)
    other, other_credential = await added(storage, 2)
    await storage.add_session(a_session(user, address="192.0.2.7", user_agent="Firefox"), credential, 5)
    await storage.add_session(a_session(other, 2), other_credential, 5)
    await storage.add_token(a_token(user))

    assert await storage.delete_user(user.id, NOW + 5) == ["session-1"]

    assert await storage.user(user.id) is None
    assert await storage.credential(user.id, "password") is None
    assert await storage.find_token("reset", "digest-1", NOW) is None
    assert await storage.access("session-1", NOW) is None
    session = await storage.session("session-1")
    assert session is not None
    assert (session.user_id, session.address, session.user_agent) == ("", "", "")
    assert (await storage.changes_since(NOW + 5)).sessions == [("session-1", NOW + 5)]
    assert await storage.user(other.id) == msgspec.structs.replace(other, last_login=NOW)
    assert await storage.add_user(a_user(3, email_canonical=user.email_canonical))
    assert await storage.delete_user(user.id, NOW) is None


async def test_all_that_is_stored_about_a_user_is_given_without_secrets(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 5)
    await storage.end_sessions(user.id, NOW)
    await storage.add_token(a_token(user))

    stored = await storage.stored(user.id)

    assert stored is not None
    assert stored.user == msgspec.structs.replace(user, last_login=NOW)
    assert [item["kind"] for item in stored.credentials] == ["password"]
    assert [(item["id"], item["revoked_at"]) for item in stored.sessions] == [("session-1", NOW)]
    assert [item["purpose"] for item in stored.tokens] == ["reset"]
    text = repr((stored.credentials, stored.sessions, stored.tokens))
    assert not [secret for secret in ("first", "digest-1", "code-1") if secret in text]
    assert await storage.stored("00000000-0000-0000-0000-000000000000") is None


async def test_expired_tokens_are_purged_in_batches(storage: Storage) -> None:
    for number in range(3):
        await storage.add_token(a_token(None, number, created_at=NOW + number, expires_at=NOW + number))

    assert await storage.purge(NOW, 9) == 0
    assert await storage.purge(NOW + 2, 1) == 1
    assert await storage.purge(NOW + 2, 9) == 1
    assert await storage.purge(NOW + 2, 9) == 0


async def test_the_token_that_a_request_names_goes_before_the_newest_of_a_purpose(storage: Storage) -> None:
    for number, purpose in enumerate(("reset", "verify", "verify"), 1):
        assert await storage.add_token(a_token(None, number, purpose=purpose, created_at=NOW + number))
    subject = "nobody@example.com"

    async def recalled(request: str, purpose: str = "verify", about: str = subject, now: int = NOW) -> str | None:
        found = await storage.recall_token(request, purpose, about, now)
        return found.id if found else None

    assert await recalled("request-1") == "request-1"
    assert await recalled("request-2") == "request-2"
    assert await recalled("unknown") == "request-3"
    assert await recalled("request-1", about="other@example.com") is None
    assert await recalled("request-1", now=NOW + HOUR) is None
    await storage.use_token("request-1", NOW)
    assert await recalled("request-1", "reset") is None


async def test_tokens_of_no_one_are_voided_by_their_subject_and_purpose(storage: Storage) -> None:
    user, _ = await added(storage)
    mine = a_token(user, 1, subject="nobody@example.com")
    for token in (mine, a_token(None, 2, created_at=NOW + 1), a_token(None, 3, purpose="verify")):
        assert await storage.add_token(token)

    await storage.void_subject("nobody@example.com", NOW, "reset")

    assert await storage.find_token("reset", "digest-1", NOW) is not None
    assert await storage.find_token("reset", "digest-2", NOW) is None
    assert await storage.find_token("verify", "digest-3", NOW) is not None


async def test_what_belongs_to_a_deleted_user_is_not_added_and_spoils_no_transaction(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.delete_user(user.id, NOW)

    async with storage.transaction() as inside:
        assert not await inside.add_token(a_token(user))
        assert not await inside.add_credential(a_credential(user))
        assert await inside.add_token(a_token(None, 2))

    assert await storage.find_token("reset", "digest-2", NOW) is not None
