"""Two installations take nothing from each other, though secret, issuer, audience and signing keys are the same."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Auth, AuthMiddleware, MagicLink, PasswordReset, Passwords, Settings
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.crypto.keys import SigningKey
from asgi_auth.errors import AuthError, InvalidOneTimeTokenError, InvalidTokenError, StorageUnavailableError
from asgi_auth.mail import Mail
from asgi_auth.storage import Names, Storage
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sqlite import SQLite
from tests.crypto.test_keys import pem
from tests.storage.conftest import SERVERS
from tests.support import EMAIL, SECRET, Client, Clock, bearer, cheap, login, make_auth, register, who

Fresh = Callable[[str], str]
Pair = tuple[Storage, Storage]
COOKIES = {"auth-transport": "cookie"}


def two_files(folder: Path, _: Fresh) -> Pair:
    return SQLite(folder / "one.db"), SQLite(folder / "two.db")


def two_prefixes(folder: Path, _: Fresh) -> Pair:
    return SQLite(folder / "a.db", names=Names(prefix="shop_")), SQLite(folder / "a.db", names=Names(prefix="staff_"))


def two_schemas(_: Path, fresh: Fresh) -> Pair:
    url = fresh(SERVERS[0])
    return Postgres(url, names=Names(schema="shop")), Postgres(url, names=Names(schema="staff"))


def two_memories(_folder: Path, _fresh: Fresh) -> Pair:
    return SQLite(), SQLite()


@pytest.fixture(params=[two_files, two_prefixes, two_schemas, two_memories], ids=lambda make: make.__name__)
def storages(request: pytest.FixtureRequest, tmp_path: Path, fresh: Fresh) -> Pair:
    pair: Pair = request.param(tmp_path, fresh)
    return pair


@asynccontextmanager
async def two(storages: Pair, outbox: list[Mail], **settings: Any) -> AsyncIterator[tuple[Auth, Auth]]:
    """A shop and its back office, each with ada as a user."""
    async with (
        make_auth(storages[0], features=[*cheap(mail=True), MagicLink()], mailer=outbox.append, **settings) as shop,
        make_auth(storages[1], features=[*cheap(mail=True), MagicLink()], mailer=outbox.append, **settings) as staff,
    ):
        for auth in (shop, staff):
            await register(auth)
        yield shop, staff


@pytest.mark.parametrize("signing", [False, True], ids=["secret", "signing key"])
async def test_no_token_of_one_installation_is_good_at_another(storages: Pair, *, signing: bool) -> None:
    outbox: list[Mail] = []
    keys = [SigningKey.from_pem(pem("EdDSA"), "EdDSA", "k1")] if signing else []
    async with two(storages, outbox, signing_keys=keys) as (shop, staff):
        pair = await login(shop)
        await shop[PasswordReset].forgot_password(email=EMAIL)
        await shop.mail.idle()
        # The mails of the back office may come later.
        (mail,) = (mail for mail in outbox if mail.purpose == "reset_password")

        with pytest.raises(InvalidTokenError):
            await staff.authenticate(pair.access_token)
        with pytest.raises(InvalidTokenError):
            await staff.refresh(pair.refresh_token)
        assert await staff.session_of(pair.refresh_token) is None
        with pytest.raises(InvalidOneTimeTokenError):
            await staff[PasswordReset].reset_password(token=str(mail.token), new_password="another horse battery")
        assert await shop.authenticate(pair.access_token)
        assert await shop.refresh(pair.refresh_token)
        await shop[PasswordReset].reset_password(token=str(mail.token), new_password="another horse battery")


async def test_cookies_of_another_installation_are_not_taken(storages: Pair) -> None:
    async with two(storages, []) as (shop, staff):
        client = Client(
            AuthMiddleware(who, shop, mount="/auth"), headers=COOKIES | {"origin": "https://app.example.com"}
        )
        entered = await client.post("/auth/login", {"email": EMAIL, "password": "correct horse battery"})
        other = Client(AuthMiddleware(who, staff, mount="/auth"), cookies=entered.cookies)

        assert (await other.get("/")).json["id"] == ""
        client.cookies = entered.cookies
        assert (await client.get("/")).json["id"]


async def test_digests_and_counters_of_two_installations_differ(storages: Pair) -> None:
    async with two(storages, []) as (shop, staff):
        assert shop.stream.digest(EMAIL) != staff.stream.digest(EMAIL)
        assert shop.limiter.key("login", EMAIL) != staff.limiter.key("login", EMAIL)


@pytest.mark.parametrize("name", ["issuer", "audience"])
async def test_services_of_one_database_share_sessions_but_no_access_tokens_and_no_links(
    name: str, tmp_path: Path
) -> None:
    """A refresh token is of the session; each service makes its own access tokens from it."""
    url, outbox = f"sqlite:///{tmp_path}/auth.db", list[Mail]()
    billing: dict[str, Any] = {name: "billing"}
    async with (
        make_auth(url, mailer=outbox.append) as shop,
        make_auth(url, mailer=outbox.append, **billing) as other,
    ):
        await register(shop)
        pair = await login(shop)
        await shop[PasswordReset].forgot_password(email=EMAIL)
        await shop.mail.idle()

        with pytest.raises(InvalidTokenError):
            await other.authenticate(pair.access_token)
        with pytest.raises(InvalidOneTimeTokenError):
            await other[PasswordReset].reset_password(token=str(outbox[-1].token), new_password="another horse battery")
        renewed = await other.refresh(pair.refresh_token)
        assert await other.authenticate(renewed.access_token)
        with pytest.raises(InvalidTokenError):
            await shop.authenticate(renewed.access_token)


async def test_all_processes_of_an_installation_have_the_same_id_whichever_starts_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with make_auth(url) as first, make_auth(url) as second:
        assert first.keys.installation == second.keys.installation
        assert len(first.keys.installation) == 32
    async with make_auth(url) as third:
        assert third.keys.installation == first.keys.installation


async def test_a_copy_whose_id_was_deleted_is_another_installation(tmp_path: Path) -> None:
    storage = SQLite(tmp_path / "auth.db")
    async with make_auth(storage) as auth:
        await register(auth)
        pair = await login(auth)
    await storage.open()
    await storage.run("DELETE FROM {installation} RETURNING id", {})
    await storage.close()
    async with make_auth(storage) as copy:
        with pytest.raises(InvalidTokenError):
            await copy.authenticate(pair.access_token)
        with pytest.raises(InvalidTokenError):
            await copy.refresh(pair.refresh_token)
        assert await login(copy)


async def test_a_worker_that_starts_without_its_database_answers_503_and_recovers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with make_auth(url) as before:
        await register(before)
        pair = await login(before)
    late = make_auth(url)
    client = Client(AuthMiddleware(who, late, mount="/auth"), bearer(pair))
    read = late.storage.installation

    async def away(_: int) -> str:
        raise StorageUnavailableError

    monkeypatch.setattr(late.storage, "installation", away)
    for _ in range(2):
        assert (await client.get("/")).status == 503
        assert (await client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 503
        with pytest.raises(StorageUnavailableError):
            await late.authenticate(pair.access_token)
    await late.emit("login", session_id="s")
    monkeypatch.setattr(late.storage, "installation", read)

    assert (await client.get("/")).json["id"]
    assert (await client.post("/auth/refresh", {"refresh_token": pair.refresh_token})).status == 200
    await late.close()


async def test_calls_in_process_start_by_themselves(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with make_auth(url) as auth:
        await register(auth)
        pair = await login(auth)
    first_calls: list[Callable[[Auth], Any]] = [
        lambda auth: auth.authenticate(pair.access_token),
        lambda auth: auth.session_of(pair.refresh_token),
        lambda auth: auth.refresh(pair.refresh_token, rotate=False),
        lambda auth: auth.end_sessions("nobody"),
        lambda auth: auth.users.by_email(EMAIL),
        login,
        lambda auth: auth.emit("login", session_id="s"),
    ]
    for call in first_calls:
        auth = make_auth(url)
        await call(auth)
        await auth.close()


def test_a_feature_belongs_to_one_auth() -> None:
    features = [Passwords(argon2=Argon2.cheap())]
    settings = Settings(secret=SECRET, enumeration="tell")
    first = Auth("sqlite://", settings=settings, features=features)

    with pytest.raises(ValueError, match="this Passwords belongs to another Auth"):
        Auth("sqlite://", settings=settings, features=features)
    assert first[Passwords] is features[0]


async def test_secrets_are_rotated_within_an_installation(tmp_path: Path, clock: Clock) -> None:
    url, new = f"sqlite:///{tmp_path}/auth.db", SECRET[::-1]
    async with make_auth(url, clock=clock) as old:
        await register(old)
        pair = await login(old)
    settings = Settings(secret=[new, SECRET], enumeration="tell")
    async with Auth(url, settings=settings, features=cheap(), now=clock) as both:
        assert await both.authenticate(pair.access_token)
        pair = await both.refresh(pair.refresh_token)
    async with Auth(url, settings=Settings(secret=new, enumeration="tell"), features=cheap(), now=clock) as only:
        assert await only.authenticate(pair.access_token)
        assert await only.refresh(pair.refresh_token)
    async with make_auth(url, clock=clock) as old:
        with pytest.raises(AuthError):
            await old.authenticate(pair.access_token)
