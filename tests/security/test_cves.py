"""Bugs of other libraries that no other test here would catch; lessons.csv has them all, with their tests."""

import asyncio
from collections.abc import Callable

import pytest

from asgi_auth import Argon2, AuthApp, AuthMiddleware, MagicLink, Passwords
from asgi_auth.crypto.keys import KeyRing, SigningKey
from asgi_auth.errors import InvalidTokenError, TokenReuseError
from asgi_auth.feature import Feature, PasswordService
from tests.features.flows import NEW_PASSWORD, flows
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import (
    EMAIL,
    PASSWORD,
    Client,
    Clock,
    CountingStorage,
    bearer,
    login,
    make_auth,
    register,
    unlimited,
    who,
)


def every_feature() -> list[Feature]:
    return [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True), MagicLink()]


# 3, 4: a missing key


@pytest.mark.parametrize("keys", [[], [SigningKey("HS256", None, None, "k")]])
def test_a_missing_key_raises_before_any_token_is_read(keys: list[SigningKey]) -> None:
    with pytest.raises((ValueError, IndexError)):
        KeyRing([], keys, "issuer", "audience").bind("installation")


# 9: rotation that was forgotten at a restart


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_used_refresh_token_stays_used_after_a_restart(
    driver: str, fresh: Callable[[str], str], clock: Clock
) -> None:
    url = fresh(driver)
    async with make_auth(url, clock=clock) as before:
        await register(before)
        first = await login(before)
        second = await before.refresh(str(first.refresh_token))
        await before.authenticate(second.access_token)
    clock.move(11)

    async with make_auth(url, clock=clock) as after:
        with pytest.raises(TokenReuseError):
            await after.refresh(str(first.refresh_token))
        with pytest.raises(InvalidTokenError):
            await after.refresh(str(second.refresh_token))


# 12: a request in flight that wrote the session back


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_no_refresh_in_flight_brings_back_a_session_that_was_ended(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with make_auth(fresh(driver)) as auth:
        user_id = await register(auth)
        for _ in range(5):
            pairs = [await login(auth) for _ in range(3)]

            await asyncio.gather(
                *(auth.refresh(str(pair.refresh_token)) for pair in pairs),
                auth.end_sessions(user_id),
                return_exceptions=True,
            )

            assert await auth.storage.sessions(user_id, int(auth.now()), 0) == []


# 16: one flag, one meaning; the address of the token that was shown


async def test_of_two_open_changes_of_address_each_token_means_its_own() -> None:
    async with flows() as app:
        await app.verified()
        headers, tokens = await app.headers(), {}
        for new in ("first@example.org", "second@example.org"):
            await app.client.post("/auth/change-email", {"new_email": new, "password": PASSWORD}, headers=headers)
            tokens[new] = (await app.mail("change_email", new)).token

        answers = [
            (await app.client.post("/auth/confirm-email-change", {"token": token}, headers=headers)).status
            for token in tokens.values()
        ]

        assert answers == [400, 204]
        assert (await app.client.get("/auth/me", headers=headers)).json["email"] == "second@example.org"


# 17: blank tokens, and types that a database converts


@pytest.mark.parametrize("token", ["", " ", "0", 0, None, False, [], {}, [""], {"token": "x"}, "null", "\0", "."])
@pytest.mark.parametrize("path", ["reset-password", "verify-email", "confirm-email-change", "magic-link/login"])
async def test_no_blank_or_converted_token_is_good(path: str, token: object) -> None:
    async with flows(features=every_feature()) as app:
        await app.register()
        app.clock.move(61)
        for asking in ("forgot-password", "magic-link"):
            await app.client.post(f"/auth/{asking}", {"email": EMAIL})
        more = {"new_password": NEW_PASSWORD} if path == "reset-password" else {}

        for body in ({"token": token}, {"request": token, "code": token}, {"token": token, "request": "", "code": ""}):
            assert (await app.client.post(f"/auth/{path}", body | more)).status in {400, 422}
        assert (await app.login()).status == 200


# 20: another's mail by an address that looks equal


@pytest.mark.parametrize("typed", ["ADA@EXAMPLE.COM", "\uff21da@example.com", "ada\uff20example.com"])
async def test_mail_goes_to_the_address_that_was_stored_not_to_the_one_that_was_typed(typed: str) -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        app.clock.move(61)

        for asking, purpose in (("forgot-password", "reset_password"), ("magic-link", "magic_link")):
            await app.client.post(f"/auth/{asking}", {"email": typed})
            assert (await app.mail(purpose)).to == EMAIL


@pytest.mark.parametrize("typed", ["\u0430da@example.com", "ada@example.com.evil.example", "ada@ex\u0430mple.com"])
async def test_an_address_that_only_looks_alike_gets_no_ones_mail(typed: str) -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        app.clock.move(61)

        for asking in ("forgot-password", "magic-link", "resend-verification"):
            await app.client.post(f"/auth/{asking}", {"email": typed})
        await app.no_more_mail()


# 21: an account that a stranger has made with the address of another


@pytest.mark.parametrize("joining", ["register", "reset"])
async def test_who_made_the_account_before_its_owner_is_out(joining: str) -> None:
    async with flows(enumeration="hide" if joining == "register" else "tell") as app:
        await app.register(password="the stranger's secret")
        stranger = await app.headers("the stranger's secret") if joining == "reset" else {}
        late = (await app.mail("register")).token if joining == "register" else ""
        app.clock.move(61)

        if joining == "register":
            await app.register()
            token = (await app.mail("register")).token
            await app.client.post("/auth/verify-email", {"token": token, "password": PASSWORD})
            again = {"token": late, "password": "the stranger's secret"}
            assert (await app.client.post("/auth/verify-email", again)).status == 400
        else:
            await app.client.post("/auth/forgot-password", {"email": EMAIL})
            token = (await app.mail("reset_password")).token
            await app.client.post("/auth/reset-password", {"token": token, "new_password": PASSWORD})

        assert (await app.login()).status == 200
        assert (await app.login("the stranger's secret")).status == 401
        assert (await app.client.get("/auth/me", headers=stranger)).status == 401


# 22: known and unknown told apart by the work


@pytest.mark.parametrize(
    ("path", "more", "fewest"),
    [
        ("login", {"password": "wrong password"}, 1),
        ("forgot-password", {}, 2),
        ("magic-link", {}, 2),
        ("resend-verification", {}, 2),
    ],
)
async def test_known_and_unknown_addresses_cost_the_same_statements(
    path: str, more: dict[str, str], fewest: int
) -> None:
    storage = CountingStorage()
    async with flows(storage, features=every_feature(), max_revocation_lag=60) as app:
        await app.verified()
        app.clock.move(61)
        work = []
        for email in (EMAIL, "eve@example.com"):
            storage.statements.clear()
            assert (await app.client.post(f"/auth/{path}", {"email": email, **more})).status in {202, 401}
            work.append(list(storage.statements))

    assert work[0] == work[1]
    assert len(work[0]) >= fewest


# 27, 28: tokens by GET, redirects by a parameter


@pytest.mark.parametrize("name", ["next", "redirect", "redirect_uri", "return_to", "url", "continue"])
async def test_no_parameter_and_no_header_leads_elsewhere(name: str) -> None:
    async with make_auth() as auth:
        await register(auth)
        client = Client(AuthApp(auth))
        query = f"{name}=https://evil.example".encode()
        body = {"email": EMAIL, "password": PASSWORD}

        headers = {"referer": "https://evil.example/"}

        answer = await client.post("/login", body, scope={"query_string": query}, headers=headers)
        by_get = await client.get("/login", scope={"query_string": f"email={EMAIL}&password={PASSWORD}".encode()})

    assert (answer.status, answer.header("location")) == (200, None)
    assert b"evil" not in answer.body
    assert (by_get.status, b"token" in by_get.body) == (405, False)


# 31: headers that broke parsers


@pytest.mark.parametrize(
    "name", ["authorization", "cookie", "content-type", "range", "accept", "accept-language", "host"]
)
@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        ",",
        ";",
        "=",
        "\xff\xfe",
        "Bearer",
        "bytes=" + "0-," * 3000,
        "a/b;" + "c=" * 3000,
        "x" * 9000,
        ";" * 9000,
    ],
    ids=range(11),
)
async def test_no_shape_of_a_header_is_a_server_error(name: str, value: str) -> None:
    async with make_auth() as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        for method, path in (("GET", "/auth/me"), ("POST", "/auth/login"), ("GET", "/"), ("POST", "/")):
            answer = await client.request(method, path, body=b"{}", headers=[(name, value)])
            assert answer.status < 500


async def test_a_password_as_long_as_a_body_may_be_is_refused_before_it_is_hashed() -> None:
    async with make_auth() as auth:
        client = Client(AuthApp(auth))
        await register(auth)
        headers = bearer(await login(auth))
        auth[PasswordService].hasher = None  # type: ignore[assignment]  # each use of it fails

        for path, fields in (
            ("/register", {"email": "eve@example.com", "password": "x" * 60_000}),
            ("/login", {"email": EMAIL, "password": "x" * 60_000}),
            ("/change-password", {"current_password": "x" * 60_000, "new_password": PASSWORD}),
        ):
            assert (await client.post(path, fields, headers=headers)).status == 422
