"""A failover may lose a login with its session: the end of a session that the database does not know holds as well."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from asgi_auth import Auth, AuthMiddleware, Passwords, Sessions
from asgi_auth.features.revocation import Revocation
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client as About
from asgi_auth.storage.sql import SQLStorage
from tests.sessions.test_revocation import Fresh, eventually, refuses, url
from tests.support import EMAIL, PASSWORD, Client, bearer, cheap, login, make_auth, register, who

__all__ = ["url"]

#: Long: a process that is not fresh asks the database, which does not know the session.
LAG = 60.0
#: Seconds for a notification.
SOON = 20


@asynccontextmanager
async def two(url: str) -> AsyncIterator[tuple[Auth, Auth]]:
    """Two processes' worth of `Auth` on one database."""
    features = [[*cheap(), Revocation()] for _ in range(2)]
    async with (
        make_auth(url, features=features[0], max_revocation_lag=LAG) as here,
        make_auth(url, features=features[1], max_revocation_lag=LAG) as there,
    ):
        yield here, there


async def lost(auth: Auth, table: str = "sessions") -> None:
    """Delete all rows, as a failover to a standby does that never got them."""
    assert isinstance(auth.storage, SQLStorage)
    await auth.storage.run(f"DELETE FROM {{{table}}}", {})


async def ended_by(way: str, here: Auth, pair: TokenPair) -> None:
    identity = await here.authenticate(str(pair.access_token))
    client = Client(AuthMiddleware(who, here, mount="/auth"))
    if way == "logout":
        await here[Sessions].logout(identity=identity)
    elif way == "logout of everything":
        assert (await here[Sessions].logout_all(identity=identity)).ended == 0
    elif way == "logout without the access token":
        await here[Sessions].logout(refresh_token=pair.refresh_token)
    elif way == "logout over HTTP":
        body = {"refresh_token": pair.refresh_token}
        assert (await client.post("/auth/logout", body, headers=bearer(pair))).status == 204
    elif way == "new login of the browser":
        browser = About(session_id=identity.session_id)
        await here[Passwords].login(email=EMAIL, password=PASSWORD, client=browser)
    elif way == "revoked access token":
        await here[Revocation].revoke(token=str(pair.access_token))
    else:
        await here[Revocation].revoke(token=pair.refresh_token)


WAYS = (
    "logout",
    "logout of everything",
    "logout without the access token",
    "logout over HTTP",
    "new login of the browser",
    "revoked access token",
    "revoked refresh token",
)


@pytest.mark.parametrize("way", WAYS)
async def test_a_session_that_the_database_has_lost_can_be_ended(url: str, way: str) -> None:
    async with two(url) as (here, there):
        await register(here)
        pair, other = await login(here), await login(here)
        await there.authenticate(str(pair.access_token))
        await lost(here)

        await ended_by(way, here, pair)

        assert await refuses(here, pair)
        assert await eventually(lambda: refuses(there, pair), SOON)
        assert not await refuses(there, other)


async def test_a_session_that_the_database_has_lost_with_its_end_is_ended_at_all_processes(fresh: Fresh) -> None:
    async with two(fresh("sqlite")) as (here, there):
        user_id = await register(here)
        known, pair = await login(here), await login(here)
        await here.end_sessions(user_id, only=here.access_tokens.read(str(known.access_token))[0].sid)
        assert await eventually(lambda: refuses(there, known), SOON)
        assert isinstance(there.storage, SQLStorage)

        # One process ends the session, and the other one had no look before all was lost.
        session_id = here.access_tokens.read(str(pair.access_token))[0].sid
        here.revocation.end([session_id])
        # In another second: a row that is written again at the place of the same one is no sign of a loss.
        await asyncio.sleep(1.1)
        await lost(here)
        await lost(here, "changes")

        assert await eventually(lambda: refuses(there, pair), SOON)


async def test_a_text_that_is_no_session_is_not_told(url: str) -> None:
    async with two(url) as (here, _):
        await register(here)
        pair = await login(here)
        assert isinstance(here.storage, SQLStorage)

        for token in ("rubbish", pair.refresh_token[:-2], str(pair.access_token)[:-2]):
            await here[Revocation].revoke(token=token)
            await here[Sessions].logout(refresh_token=token)

        assert await here.storage.run("SELECT number FROM {changes}", {}, read=True) == []
        assert not await refuses(here, pair)
