"""Transactions that lock credentials and their user lock them in one order, so that none of two is rolled back."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import OIDC, Passwords
from asgi_auth.accounts.ways_in import take_over
from asgi_auth.feature import Credential, new_id
from asgi_auth.features.oidc.signing_in import KIND
from tests.oidc.world import ISSUER, world
from tests.support import EMAIL, PASSWORD


async def test_an_unlink_during_the_login_of_the_owner_of_the_address_is_no_deadlock(
    fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger unlinks an account at a provider while the owner of the address takes the account over."""
    async with world(fresh("postgres15"), verification="optional") as app:
        auth, now = app.auth, int(app.clock())
        user = await auth.users.create(EMAIL, password=PASSWORD)
        linked = Credential(
            id=new_id(now),
            user_id=user.id,
            kind=KIND,
            identifier=f"{ISSUER} another",
            secret="",
            data={"provider": "op"},
            created_at=now,
            updated_at=now,
        )
        assert await auth.storage.add_credential(linked)
        pair = await auth[Passwords].login(email=EMAIL, password=PASSWORD)
        stranger = await auth.authenticate(pair.access_token)
        begun, unlinked = asyncio.Event(), asyncio.Event()
        keep_one = auth.ways_in.keep_one

        async def takes_over(*args: Any, **options: Any) -> Any:
            # Both have locked what they lock first.
            await unlinked.wait()
            begun.set()
            return await take_over(*args, **options)

        async def keeps_one(*args: Any) -> Any:
            unlinked.set()
            await begun.wait()
            return await keep_one(*args)

        monkeypatch.setattr("asgi_auth.accounts.links.take_over", takes_over)
        monkeypatch.setattr(auth.ways_in, "keep_one", keeps_one)

        answer, _ = await asyncio.gather(app.login("/after"), auth[OIDC].unlink(id=linked.id, identity=stranger))

        assert (answer.status, answer.header("location")) == (303, "/after")
        assert (await auth.users.by_email(EMAIL)).email_verified
        [left] = await auth.storage.credentials(user.id, KIND)
        assert left.id != linked.id
