"""Every sentence of the contract about the tokens of a user, and tokens that get a user later, for every driver."""

from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_token, added, at_once

HOUR = 3600


async def test_the_live_tokens_of_a_user_and_a_purpose_come_newest_first(storage: Storage) -> None:
    user, _ = await added(storage)
    first, second = a_token(user, 1), a_token(user, 2, created_at=NOW + 1)
    used, other = a_token(user, 3), a_token(user, 4, purpose="unlock")
    for token in (first, second, used, other, a_token(None, 5)):
        assert await storage.add_token(token)
    await storage.use_token(used.id, NOW)

    assert await storage.tokens(user.id, "reset", NOW + 1) == [second, first]
    assert await storage.tokens(user.id, "reset", NOW + HOUR) == []
    assert await storage.tokens("nobody", "reset", NOW) == []


async def test_a_token_without_a_user_is_given_one_once(storage: Storage) -> None:
    user, _ = await added(storage)
    other, _ = await added(storage, 2)
    token = a_token(None)
    await storage.add_token(token)

    assert not await storage.change_token(token.id, user_id="nobody", data={}, now=NOW)
    assert not await storage.change_token(token.id, user_id=user.id, data={}, now=NOW + HOUR)
    assert await storage.change_token(token.id, user_id=user.id, data={"by": "me"}, now=NOW)
    assert not await storage.change_token(token.id, user_id=other.id, data={}, now=NOW)

    found = await storage.find_token(token.purpose, token.digest, NOW)
    assert found is not None
    assert (found.user_id, found.data) == (user.id, {"by": "me"})


async def test_a_used_token_is_given_no_user(storage: Storage) -> None:
    user, _ = await added(storage)
    token = a_token(None)
    await storage.add_token(token)
    await storage.use_token(token.id, NOW)

    assert not await storage.change_token(token.id, user_id=user.id, data={}, now=NOW)


async def test_of_many_that_give_a_token_a_user_exactly_one_does(storage: Storage) -> None:
    user, _ = await added(storage)
    token = a_token(None)
    await storage.add_token(token)

    async def change(number: int) -> bool:
        return await storage.change_token(token.id, user_id=user.id, data={"by": number}, now=NOW)

    won = await at_once(change)

    assert won.count(True) == 1
    found = await storage.find_token(token.purpose, token.digest, NOW)
    assert found is not None
    assert found.data == {"by": won.index(True)}
