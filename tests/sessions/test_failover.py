"""A failover that lost transactions revives no session: the processes end again what they know to have ended."""

import asyncio
import logging
from collections.abc import Iterator

import pytest

from asgi_auth import Auth
from asgi_auth.errors import InvalidTokenError
from tests.postgres import Server
from tests.sessions.test_revocation import eventually
from tests.support import login, make_auth, register

LAG = 1.0


@pytest.fixture
def servers_of_two() -> Iterator[tuple[Server, Server]]:
    primary = Server(15)
    standby = Server(15, primary)
    yield primary, standby
    standby.close()
    primary.close()


async def test_a_standby_that_lacks_the_last_ends_gets_them_again(
    servers_of_two: tuple[Server, Server], caplog: pytest.LogCaptureFixture
) -> None:
    primary, standby = servers_of_two
    hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
    url = f"postgresql://postgres:secret@{hosts}/postgres?target_session_attrs=read-write"
    caplog.set_level(logging.WARNING, "asgi_auth")
    async with make_auth(url, max_revocation_lag=LAG) as here, make_auth(url, max_revocation_lag=LAG) as there:
        user_id = await register(here)
        pairs = [await login(here) for _ in range(6)]
        ids = [here.access_tokens.read(str(pair.access_token))[0].sid for pair in pairs]
        await here.end_sessions(user_id, only=ids[0])
        assert await eventually(lambda: _has(standby, "SELECT COUNT(*) FROM auth_sessions", "6"), 20)
        assert await eventually(lambda: _has(standby, "SELECT COUNT(*) FROM auth_changes", "1"), 20)
        # The standby hears no more of the primary.
        await asyncio.to_thread(standby.sql, "ALTER SYSTEM SET primary_conninfo = ''")
        await asyncio.to_thread(standby.sql, "SELECT pg_reload_conf()")
        await asyncio.to_thread(primary.sql, GONE)
        for session_id in ids[1:4]:
            await here.end_sessions(user_id, only=session_id)
        assert await eventually(lambda: _knows(there, ids[3]))

        await asyncio.to_thread(primary.kill)
        await asyncio.to_thread(standby.sql, "SELECT pg_promote(true, 60)")
        ended = "SELECT COUNT(*) FROM auth_sessions WHERE revoked_at IS NOT NULL"

        assert await eventually(lambda: _has(standby, ended, "4"), 20)
        # A process that knows nothing of it.
        async with make_auth(url, max_revocation_lag=LAG) as other:
            refused = [await _is_refused(other, str(pair.access_token)) for pair in pairs]
        assert refused == [True] * 4 + [False] * 2
        assert await asyncio.to_thread(standby.sql, ended) == "4"
        assert "3 sessions again" in caplog.text


GONE = """DO $$ BEGIN WHILE EXISTS (SELECT 1 FROM pg_stat_replication) LOOP
    PERFORM pg_sleep(0.02); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$"""


async def _has(server: Server, question: str, answer: str) -> bool:
    return await asyncio.to_thread(server.sql, question) == answer


async def _knows(auth: Auth, session_id: str) -> bool:
    return session_id in auth.revocation.dead


async def _is_refused(auth: Auth, token: str) -> bool:
    try:
        await auth.authenticate(token)
    except InvalidTokenError:
        return True
    return False
