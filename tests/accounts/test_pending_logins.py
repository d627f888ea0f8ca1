"""Pending logins: a second factor finishes what the first has begun, once, in time, and only while nothing changed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from asgi_auth import Auth, Passwords
from asgi_auth.accounts.pending_logins import TRIES, TTL
from asgi_auth.errors import (
    AccountLockedError,
    AuthError,
    PendingLoginExpiredError,
    SecondFactorRequiredError,
    SecondFactorSetupRequiredError,
    StorageUnavailableError,
)
from asgi_auth.feature import Client, Factor, Feature, LoginAttempt, TokenPair, new_id
from asgi_auth.model.records import Credential
from tests.storage.conftest import Servers
from tests.support import EMAIL, PASSWORD, Clock, cheap, login, make_auth, register

USER_AGENT = Client(user_agent="curl")


class Tokens(Feature):
    """A second factor, a backup for it, a policy, and a waiver."""

    factor_kinds = {"token": Factor("token"), "paper": Factor("paper", is_backup=True)}  # noqa: RUF012

    def __init__(self) -> None:
        self.required = self.waived = False

    async def needs_second_factor(self, login: LoginAttempt) -> bool:
        return self.required and login.user.email == EMAIL

    async def waives(self, login: LoginAttempt) -> bool:
        return self.waived and login.amr == ("pwd",)


@asynccontextmanager
async def an_auth(storage: str = "sqlite://", clock: Clock | None = None) -> AsyncIterator[tuple[Auth, str]]:
    async with make_auth(storage, features=[*cheap(), Tokens()], clock=clock) as auth:
        yield auth, await register(auth)


async def add(auth: Auth, user_id: str, kind: str = "token") -> Credential:
    credential = Credential(
        id=new_id(auth.now()), user_id=user_id, kind=kind, identifier=user_id, secret="", created_at=1, updated_at=1
    )
    assert await auth.storage.add_credential(credential)
    return credential


async def begin(auth: Auth) -> str:
    with pytest.raises(SecondFactorRequiredError) as refused:
        await login(auth)
    assert refused.value.factors == ("token",)
    assert refused.value.expires_in == TTL
    return refused.value.pending


async def finish(auth: Auth, pending: str) -> TokenPair:
    async with auth.pending.attempt(pending) as found:
        return await auth.pending.finish(found, ("hwk",), USER_AGENT)


async def test_a_second_factor_finishes_the_login() -> None:
    async with an_auth() as (auth, user_id):
        await login(auth)
        await add(auth, user_id)
        pending = await begin(auth)
        assert len(await auth.storage.sessions(user_id, 0, 0)) == 1

        pair = await finish(auth, pending)

        identity = await auth.authenticate(pair.access_token)
        assert (identity.id, identity.amr) == (user_id, ("pwd", "hwk", "mfa"))
        for again in (pending, pending + "x", "", "x" * 5000, "\x00"):
            with pytest.raises(PendingLoginExpiredError):
                await finish(auth, again)


async def test_a_pending_login_ends_after_five_attempts_and_after_five_minutes() -> None:
    clock = Clock()
    async with an_auth(clock=clock) as (auth, user_id):
        await add(auth, user_id)
        pending = await begin(auth)
        for _ in range(TRIES):
            async with auth.pending.attempt(pending):
                pass
        with pytest.raises(PendingLoginExpiredError):
            await finish(auth, pending)

        pending = await begin(auth)
        clock.move(TTL)

        with pytest.raises(PendingLoginExpiredError):
            await finish(auth, pending)


async def test_concurrent_attempts_do_not_get_around_the_count() -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id)
        pending, judged = await begin(auth), 0

        async def attempt() -> None:
            nonlocal judged
            async with auth.pending.attempt(pending):
                judged += 1
                await asyncio.sleep(0)

        results = await asyncio.gather(*(attempt() for _ in range(32)), return_exceptions=True)

        assert judged == TRIES
        assert sum(isinstance(result, PendingLoginExpiredError) for result in results) == 32 - TRIES


@pytest.mark.parametrize("error", [StorageUnavailableError(), AccountLockedError(60)])
async def test_what_was_not_judged_is_no_attempt(error: AuthError) -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id)
        pending = await begin(auth)

        async def fail() -> None:
            async with auth.pending.attempt(pending):
                raise error

        for _ in range(TRIES + 1):
            with pytest.raises(type(error)):
                await fail()

        assert await finish(auth, pending)


@pytest.mark.parametrize("database", ["sqlite", "postgres15"])
async def test_of_many_that_finish_a_pending_login_one_does(servers: Servers, database: str) -> None:
    url = "sqlite://" if database == "sqlite" else servers.get(database).database()
    async with an_auth(url) as (auth, user_id):
        await add(auth, user_id)
        for _ in range(5):
            pending = await begin(auth)
            async with auth.pending.attempt(pending) as found:
                results = await asyncio.gather(
                    *(auth.pending.finish(found, ("hwk",), USER_AGENT) for _ in range(32)), return_exceptions=True
                )
            assert sum(isinstance(result, TokenPair) for result in results) == 1
            assert sum(isinstance(result, PendingLoginExpiredError) for result in results) == 31


async def change_password(auth: Auth, user_id: str) -> None:
    service = auth[Passwords].passwords
    async with auth.storage.transaction() as storage:
        assert await service.replace(storage, user_id, await service.hasher.hash("another horse battery"))


async def renew_hash(auth: Auth, user_id: str) -> None:
    credential = await auth.storage.credential(user_id, "password")
    assert credential is not None
    assert await auth.storage.change_credential(credential, secret=credential.secret, now=1)


async def disable_user(auth: Auth, user_id: str) -> None:
    await auth.users.set_status(user_id, "disabled")


async def delete_user(auth: Auth, user_id: str) -> None:
    await auth.users.delete(user_id)


@pytest.mark.parametrize("change", [change_password, renew_hash, disable_user, delete_user])
async def test_a_change_between_the_factors_ends_the_pending_login(change: object) -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id)
        pending = await begin(auth)

        await change(auth, user_id)  # type: ignore[operator]  # pytest gives objects

        with pytest.raises(AuthError) as refused:
            await finish(auth, pending)
        assert refused.value.code in {"pending_login_expired", "account_disabled"}


async def test_who_has_to_set_up_a_factor_gets_a_pending_login_for_that_alone() -> None:
    async with an_auth() as (auth, user_id):
        await register(auth, "other@example.com")
        auth[Tokens].required = True
        await login(auth, "other@example.com")

        with pytest.raises(SecondFactorSetupRequiredError) as refused:
            await login(auth)

        setup = refused.value.pending
        with pytest.raises(PendingLoginExpiredError):
            await finish(auth, setup)
        async with auth.pending.attempt(setup, setup=True) as found:
            assert found.user_id == user_id
            await add(auth, user_id)
            assert await auth.pending.finish(found, ("hwk",), USER_AGENT)
        pending = await begin(auth)
        with pytest.raises(PendingLoginExpiredError):
            async with auth.pending.attempt(pending, setup=True):
                pass


async def test_a_backup_is_a_factor_beside_another_one_only() -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id, "paper")
        user = await auth.users.get(user_id)
        assert await login(auth)
        assert await auth.factors.of(user) == []

        await add(auth, user_id)

        with pytest.raises(SecondFactorRequiredError) as refused:
            await login(auth)
        assert refused.value.factors == ("paper", "token")
        async with auth.storage.transaction() as storage:
            assert await auth.factors.remove(storage, user, ["token"])
        assert [each.kind for each in await auth.storage.credentials(user_id)] == ["password"]


async def test_a_removed_factor_takes_mfa_from_the_sessions() -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id)
        pair = await finish(auth, await begin(auth))
        user = await auth.users.get(user_id)

        async with auth.storage.transaction() as storage:
            assert await auth.factors.remove(storage, user, ["token"])
            assert not await auth.factors.remove(storage, user, ["token"])

        renewed = await auth.refresh(pair.refresh_token)
        assert (await auth.authenticate(renewed.access_token)).amr == ("pwd", "hwk")


async def test_a_waived_login_has_shown_one_factor() -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id)
        auth[Tokens].waived = True

        assert (await auth.authenticate((await login(auth)).access_token)).amr == ("pwd",)


async def test_a_renewed_session_has_the_new_methods_and_the_same_refresh_token() -> None:
    clock = Clock()
    async with an_auth(clock=clock) as (auth, _):
        pair = await login(auth)
        clock.move(700)
        identity = await auth.authenticate((await auth.refresh(pair.refresh_token, rotate=False)).access_token)

        renewed = await auth.renew(identity, amr=("hwk", "mfa"), client=USER_AGENT)

        assert renewed.refresh_token == pair.refresh_token
        fresh = await auth.authenticate(renewed.access_token)
        assert (fresh.amr, fresh.auth_time, fresh.session_id) == (("pwd", "hwk", "mfa"), clock(), identity.session_id)
        await auth.end_sessions(identity.id)
        with pytest.raises(AuthError, match="session"):
            await auth.renew(identity, amr=("pwd",), client=USER_AGENT)


async def test_the_secret_of_a_pending_login_is_not_stored() -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id)
        pending = await begin(auth)

        (token,) = await auth.storage.tokens(user_id, "pending_login", int(auth.now()))

        assert pending not in repr(token)
        assert PASSWORD not in repr(token)


async def test_the_end_of_all_sessions_by_an_administrator_ends_pending_logins() -> None:
    async with an_auth() as (auth, user_id):
        await add(auth, user_id)
        pending = await begin(auth)

        await auth.users.end_sessions(user_id)

        with pytest.raises(PendingLoginExpiredError):
            await finish(auth, pending)
