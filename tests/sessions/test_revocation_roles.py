"""Changed roles: the last change wins in every process, whatever clocks and observers do."""

import asyncio
from collections.abc import Callable

import pytest

from asgi_auth import Argon2, Auth, Passwords, Sessions
from asgi_auth.feature import Feature
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Event
from asgi_auth.model.revocations import Changes
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import Clock, login, make_auth, register


@pytest.fixture(params=FILES_AND_SERVERS)
def url(request: pytest.FixtureRequest, fresh: Callable[[str], str]) -> str:
    return fresh(request.param)


class SlowObserver(Feature):
    """Takes its time to hear of changes."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def observe(self, event: Event) -> None:
        if event.name == "role_change":
            await self.go_on.wait()


async def roles_of(auth: Auth, pair: TokenPair) -> tuple[str, ...]:
    return (await auth.authenticate(str(pair.access_token))).roles


@pytest.mark.parametrize("ahead", [0, 20, -20])
async def test_the_last_change_of_roles_wins_whatever_the_clocks_say(url: str, ahead: int) -> None:
    early, late = Clock(), Clock(1_800_000_000 + ahead)
    async with make_auth(url, clock=late, leeway=60) as here, make_auth(url, clock=early, leeway=60) as there:
        user_id = await register(there)
        pair = await login(there)
        await here.users.set_roles(user_id, ["admin"])
        assert await eventually(lambda: holds(there, pair, ("admin",)))

        await there.users.set_roles(user_id, [])

        assert await eventually(lambda: holds(here, pair, ()))
        await here.revocation.sync()
        assert await roles_of(here, pair) == ()


async def holds(auth: Auth, pair: TokenPair, roles: tuple[str, ...]) -> bool:
    return await roles_of(auth, pair) == roles


async def test_an_observer_that_takes_its_time_holds_no_change_back() -> None:
    observer = SlowObserver()
    async with make_auth(features=[Passwords(argon2=Argon2.cheap()), Sessions(), observer]) as auth:
        user_id = await register(auth)
        pair = await login(auth)

        slow = asyncio.ensure_future(auth.users.set_roles(user_id, ["admin"]))
        assert await eventually(lambda: holds(auth, pair, ("admin",)))
        await auth.storage.update_user(user_id, {"roles": ()}, int(auth.now()))
        await auth.revocation.sync()
        observer.go_on.set()
        await slow

        assert await roles_of(auth, pair) == ()


async def test_a_look_that_began_before_a_change_does_not_undo_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async with make_auth() as auth:
        user_id = await register(auth)
        pair = await login(auth)
        await auth.users.set_roles(user_id, ["old"])
        look, go_on = auth.storage.changes_since, asyncio.Event()

        async def slow(since: int, after: str = "") -> Changes:
            found = await look(since, after)
            await go_on.wait()
            return found

        monkeypatch.setattr(auth.storage, "changes_since", slow)
        looking = asyncio.ensure_future(auth.revocation.sync())
        await asyncio.sleep(0.05)
        await auth.users.set_roles(user_id, ["new"])
        go_on.set()
        await looking

        assert await roles_of(auth, pair) == ("new",)
