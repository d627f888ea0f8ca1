"""Sealing anew: what an older secret has sealed is read by the newest one alone afterwards."""

import asyncio
import base64
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from asgi_auth import Auth, Outbox, SecondFactors, Settings, Totp
from asgi_auth.accounts import resealing
from asgi_auth.accounts.resealing import Resealed
from asgi_auth.crypto.vault import place_of
from asgi_auth.errors import SecondFactorRequiredError, StorageUnavailableError
from asgi_auth.features.totp.codes import code_at
from asgi_auth.model.records import Credential, User, new_id
from asgi_auth.storage.sqlite import SQLite
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import SECRET, Clock, cheap, login, register

Fresh = Callable[[str], str]
OLD, NEW, OTHER = SECRET, SECRET[::-1], SECRET[5:] + SECRET[:5]
KEY = b"k" * 20


def with_secrets(url: str | SQLite, *secrets: str, clock: Clock | None = None) -> Auth:
    """An app with second factors and these secrets, newest first."""
    settings = Settings(secret=list(secrets), base_url="https://app.example.com", enumeration="tell", purge_interval=0)
    features = [*cheap(mail=True), SecondFactors(), Totp()]
    return Auth(url, settings=settings, features=features, mailer=Outbox(), now=clock or Clock())


async def fill(auth: Auth, number: int, key: bytes = KEY) -> list[Credential]:
    """Add users with a sealed key each."""
    return [await one(auth, each, key) for each in range(number)]


async def one(auth: Auth, number: int, key: bytes = KEY) -> Credential:
    now, email = int(auth.now()), f"{new_id(auth.now())}@example.com"
    user = User(id=new_id(now + number), email=email, email_canonical=email, created_at=now, updated_at=now)
    assert await auth.storage.add_user(user)
    empty = Credential(
        id=new_id(now + number),
        user_id=user.id,
        kind="totp",
        identifier=user.id,
        secret="",
        data={"step": 1},
        created_at=now,
        updated_at=now,
    )
    credential = replace(empty, secret=auth.vault.seal(key, place_of(empty)))
    assert await auth.storage.add_credential(credential)
    return credential


async def rows(auth: Auth) -> Sequence[Credential]:
    return await auth.storage.all_credentials("totp", "", 1000)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_all_rows_are_sealed_anew_and_the_older_secret_can_go(
    driver: str, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH", 3)
    told: list[int] = []
    async with with_secrets(fresh(driver), OLD) as before:
        await fill(before, 8)
    async with with_secrets(fresh(driver), NEW, OLD) as both:
        await one(both, 100)
        assert await both.resealing.look() == (8, 0)
        assert await both.resealing.run(told.append) == Resealed(resealed=8, current=1)
        assert told == [3, 6, 9]
        assert await both.resealing.look() == (0, 0)
        assert await both.resealing.run() == Resealed(current=9)
    async with with_secrets(fresh(driver), NEW) as after:
        found = await rows(after)

        assert {after.vault.open(each.secret, place_of(each)) for each in found} == {KEY}
        assert sorted(each.version for each in found) == [1] + [2] * 8
        assert {each.data["step"] for each in found} == {1}


async def test_a_login_by_code_works_at_every_step_of_a_rotation(fresh: Fresh) -> None:
    clock, url = Clock(), fresh("sqlite")
    async with with_secrets(url, OLD, clock=clock) as auth:
        await auth.users.set_verified(await register(auth))
        identity = await auth.authenticate((await login(auth)).access_token)
        setup = await auth[Totp].totp_setup(identity=identity)
        key = base64.b32decode(setup.secret)
        code = code_at(key, int(clock() // 30))
        await auth[Totp].totp_turn_on(request=setup.request, code=code, identity=identity)
    for secrets in ([OLD, NEW], [NEW, OLD], [NEW]):
        async with with_secrets(url, *secrets, clock=clock) as auth:
            clock.move(60)
            if secrets == [NEW, OLD]:
                await auth.resealing.run()
            with pytest.raises(SecondFactorRequiredError) as asked:
                await login(auth)
            code = code_at(key, int(clock() // 30))
            assert await auth[Totp].totp_login(pending=asked.value.pending, code=code)


async def test_a_login_seals_its_own_row_anew(fresh: Fresh) -> None:
    clock, url = Clock(), fresh("sqlite")
    async with with_secrets(url, OLD, clock=clock) as auth:
        user_id = await register(auth)
        sealed = await one(auth, 1)
        await auth.storage.delete_credential(sealed.user_id, sealed.id)
        mine = replace(sealed, user_id=user_id, identifier=user_id)
        await auth.storage.add_credential(replace(mine, secret=auth.vault.seal(KEY, place_of(mine))))
    async with with_secrets(url, NEW, OLD, clock=clock) as auth:
        with pytest.raises(SecondFactorRequiredError) as asked:
            await login(auth)
        await auth[Totp].totp_login(pending=asked.value.pending, code=code_at(KEY, int(clock() // 30)))

        assert await auth.resealing.look() == (0, 0)
        [row] = await rows(auth)
        assert row.data["step"] == int(clock() // 30)
    async with with_secrets(url, NEW, clock=clock) as auth:
        assert auth.vault.open(row.secret, place_of(row)) == KEY


async def test_rows_that_no_secret_opens_are_counted_and_left(fresh: Fresh) -> None:
    url = fresh("sqlite")
    async with with_secrets(url, OTHER) as stranger:
        lost = await fill(stranger, 2)
    async with with_secrets(url, NEW, OLD) as auth:
        [kept, source] = await fill(auth, 2)
        moved = await auth.storage.change_credential(kept, secret=source.secret, now=1)
        assert moved is not None

        assert await auth.resealing.look() == (0, 3)
        assert await auth.resealing.run() == Resealed(current=1, lost=3)
        assert {each.secret for each in lost} <= {each.secret for each in await rows(auth)}


class Breaking(SQLite):
    """A file that fails at the n-th change of a credential."""

    left = 0

    async def change_credential(self, *args: object, **kwargs: object) -> Credential | None:
        type(self).left -= 1
        if self.left == 0:
            raise StorageUnavailableError
        return await super().change_credential(*args, **kwargs)  # type: ignore[arg-type]


async def test_a_run_that_breaks_off_leaves_readable_rows_and_the_next_one_does_the_rest(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resealing, "BATCH", 3)
    url = fresh("sqlite")
    async with with_secrets(url, OLD) as before:
        await fill(before, 8)
    Breaking.left = 5
    async with with_secrets(Breaking(url.removeprefix("sqlite:///")), NEW, OLD) as auth:
        with pytest.raises(StorageUnavailableError):
            await auth.resealing.run()
    async with with_secrets(url, NEW, OLD) as again:
        assert await again.resealing.look() == (5, 0)
        assert await again.resealing.run() == Resealed(resealed=5, current=3)
        assert {each.version for each in await rows(again)} == {2}


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_requests_that_change_rows_meanwhile_lose_nothing(driver: str, fresh: Fresh) -> None:
    async with with_secrets(fresh(driver), OLD) as before:
        made = await fill(before, 20)
    async with with_secrets(fresh(driver), NEW, OLD) as here, with_secrets(fresh(driver), NEW, OLD) as there:

        async def use(credential: Credential) -> None:
            found: Credential | None = None
            while found is None:
                [now] = await there.storage.credentials(credential.user_id, "totp")
                found = await there.storage.change_credential(now, data={"step": 7}, now=1)

        done = await asyncio.gather(here.resealing.run(), there.resealing.run(), *map(use, made))

        assert done[0].resealed + done[1].resealed == 20  # type: ignore[union-attr]
        assert {each.data["step"] for each in await rows(here)} == {7}
        assert await here.resealing.look() == (0, 0)


async def test_a_row_that_is_changed_or_deleted_under_the_run_is_read_again(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fresh("sqlite")
    async with with_secrets(url, OLD) as before:
        changed, deleted = await fill(before, 2)
    async with with_secrets(url, NEW, OLD) as auth:
        read = auth.storage.all_credentials

        async def late(kind: str, after: str, limit: int) -> Sequence[Credential]:
            found = await read(kind, after, limit)
            if found:
                await auth.storage.change_credential(changed, data={"step": 9}, now=1)
                await auth.storage.delete_credential(deleted.user_id, deleted.id)
            return found

        monkeypatch.setattr(auth.storage, "all_credentials", late)

        assert await auth.resealing.run() == Resealed(resealed=1, current=1)
        monkeypatch.undo()
        [row] = await rows(auth)
        assert (row.data["step"], row.version, await auth.resealing.look()) == (9, 3, (0, 0))


async def test_an_app_that_seals_nothing_has_nothing_to_do() -> None:
    auth = Auth("sqlite://", secret=SECRET)
    async with auth:
        assert (auth.resealing.kinds, await auth.resealing.run()) == ([], Resealed())
