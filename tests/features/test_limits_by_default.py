"""The default limits, one by one: the number of calls, the window, and Retry-After."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from asgi_auth import MagicLink, Passkeys, Passwords, RateLimits, RecoveryCodes, SecondFactors, Totp
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import RateLimitedError
from asgi_auth.feature import Feature, Identity, post
from asgi_auth.features.defaults import defaults
from asgi_auth.features.lockout import Lockout
from asgi_auth.runtime.library import endpoints_of_library
from tests.features.flows import Flows, flows
from tests.features.limited import WRONG
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, Answer, bearer

MINUTE, HOUR = 60, 3600
#: Calls of one network in a minute and in an hour.
BY_NETWORK = {
    "reauthenticate/password": (60, 600),
    **dict.fromkeys(("totp", "totp/setup", "login/totp", "login/recovery-code", "reauthenticate/totp"), (30, 300)),
    **dict.fromkeys(("passkeys", "passkeys/options", "login/passkey", "register/passkey/options"), (30, 300)),
    "reauthenticate/passkey": (30, 300),
    "register/passkey": (60, 300),
    **dict.fromkeys(("login/passkey/options", "reauthenticate/passkey/options"), (120, 1200)),
    **dict.fromkeys(("login", "token", "change-password", "change-email", "close-account"), (60, 600)),
    **dict.fromkeys(("register", "verify-email", "reset-password", "confirm-email-change"), (60, 300)),
    **dict.fromkeys(("magic-link/login", "unlock", "accept-invitation"), (60, 300)),
    **dict.fromkeys(("forgot-password", "resend-verification", "magic-link", "request-unlock"), (30, 300)),
}
Calling = Callable[[], Awaitable[Answer]]


class Probe(Feature):
    """An endpoint of a host behind a login."""

    @post("/probe", status=204)
    async def probe(self, *, identity: Identity) -> None:
        """Do nothing."""


@asynccontextmanager
async def app_with_limits(storage: str = "sqlite://") -> AsyncIterator[Flows]:
    """An app with all features and their default limits, and without a lockout."""
    others: list[Feature] = [item for item in defaults(mail=True) if not isinstance(item, Passwords | Lockout)]
    features = [
        Passwords(argon2=Argon2.cheap()),
        *others,
        MagicLink(),
        SecondFactors(),
        Totp(),
        RecoveryCodes(),
        Passkeys(sign_up=True),
        Probe(),
    ]
    async with flows(storage, features=features, access_ttl=2 * HOUR) as app:
        yield app


async def login_of(app: Flows, email: str = EMAIL) -> dict[str, str]:
    """Register and log in; return the header of the session. The calls come from addresses that no test uses."""
    at = {"client": ("198.51.100.99", 1)}
    body = {"email": email, "password": PASSWORD}
    assert (await app.client.post("/auth/register", body, scope=at)).status == 201
    return bearer(str((await app.client.post("/auth/login", body, scope=at)).json["access_token"]))


async def walk(app: Flows, call: Calling, key: str, most: int, in_an_hour: int) -> None:
    """Call until each window is full; every refusal names its limit and the seconds until it ends."""
    for _ in range(in_an_hour // most):
        app.clock.move(7)
        assert 429 not in {(await call()).status for _ in range(most)}
        app.clock.move(13)
        refused(await call(), key, most, MINUTE, MINUTE - 13)
        app.clock.move(MINUTE - 14)
        refused(await call(), key, most, MINUTE, 1)
        app.clock.move(1)
    rest = HOUR - (MINUTE + 7) * (in_an_hour // most) + 7
    refused(await call(), key, in_an_hour, HOUR, rest)
    app.clock.move(rest - 1)
    refused(await call(), key, in_an_hour, HOUR, 1)
    app.clock.move(1)
    assert (await call()).status != 429


def refused(answer: Answer, key: str, most: int, window: int, seconds: int) -> None:
    """Check the refusal of a limit."""
    found = (answer.status, answer.header("ratelimit-policy"), answer.header("retry-after"))
    assert found == (429, f'"{key}";q={most};w={window}', str(seconds))


@pytest.mark.parametrize("name", BY_NETWORK)
async def test_a_network_has_so_many_calls(name: str) -> None:
    """Bodies that are refused for their form count as well, and they cost least."""
    most, in_an_hour = BY_NETWORK[name]
    async with app_with_limits() as app:
        # Logins grow old meanwhile, and some endpoints want a fresh one, or a pending login.
        headers = {} if name.startswith(("totp", "passkeys")) else await login_of(app)

        async def call() -> Answer:
            return await app.client.post(f"/auth/{name}", {"surprise": 1}, headers=headers)

        await walk(app, call, "ip", most, in_an_hour)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_user_exports_so_often_from_everywhere(driver: str, fresh: Callable[[str], str]) -> None:
    async with app_with_limits(fresh(driver)) as app:
        headers, number = await login_of(app), 0

        async def call() -> Answer:
            nonlocal number
            number += 1
            at = {"client": (f"203.0.113.{number % 250}", 1)}
            return await app.client.get("/auth/me/export", headers=headers, scope=at)

        await walk(app, call, "account", 10, 60)
        assert (await app.client.get("/auth/me/export", headers=await login_of(app, "bob@example.com"))).status == 200


@pytest.mark.parametrize("path", ["me", "sessions"])
async def test_a_user_calls_what_is_behind_a_login_so_often(path: str) -> None:
    async with app_with_limits() as app:
        headers = await login_of(app)

        assert {(await app.client.get(f"/auth/{path}", headers=headers)).status for _ in range(300)} == {200}
        app.clock.move(13)
        refused(await app.client.get(f"/auth/{path}", headers=headers), "account", 300, MINUTE, MINUTE - 13)
        other = await login_of(app, "bob@example.com")
        assert (await app.client.get(f"/auth/{path}", headers=other)).status == 200
        app.clock.move(MINUTE - 13)
        assert (await app.client.get(f"/auth/{path}", headers=headers)).status == 200


async def test_a_user_calls_what_is_behind_a_login_so_often_in_an_hour() -> None:
    async with app_with_limits() as app:
        await login_of(app)
        pair = await app.auth[Passwords].login(email=EMAIL, password=PASSWORD)
        identity = await app.auth.authenticate(pair.access_token)
        for _ in range(20):
            for _ in range(300):
                await app.auth[Probe].probe(identity=identity)
            app.clock.move(MINUTE)

        with pytest.raises(RateLimitedError) as caught:
            await app.auth[Probe].probe(identity=identity)

    assert caught.value.retry_after == HOUR - 20 * MINUTE
    assert dict(caught.value.headers)["ratelimit-policy"] == f'"account";q=6000;w={HOUR}'


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
@pytest.mark.parametrize("path", ["change-password", "change-email", "close-account"])
async def test_a_session_has_so_many_wrong_passwords_from_everywhere(
    path: str, driver: str, fresh: Callable[[str], str]
) -> None:
    fields: dict[str, dict[str, str]] = {
        "change-password": {"current_password": WRONG, "new_password": "another battery staple"},
        "change-email": {"password": WRONG, "new_email": "b@example.com"},
        "close-account": {"password": WRONG},
    }
    async with app_with_limits(fresh(driver)) as app:
        headers, number = await login_of(app), 0

        async def call() -> Answer:
            nonlocal number
            number += 1
            at = {"client": (f"203.0.113.{number % 250}", 1)}
            return await app.client.post(f"/auth/{path}", fields[path], headers=headers, scope=at)

        await walk(app, call, "account", 10, 100)


async def test_a_process_refreshes_for_a_network_so_often() -> None:
    async with app_with_limits() as app:
        await login_of(app)
        pair = await app.auth[Passwords].login(email=EMAIL, password=PASSWORD)
        statuses = {(await app.client.post("/auth/refresh", {"surprise": 1})).status for _ in range(600)}
        app.clock.move(13)

        refused(await app.client.post("/auth/refresh", {"surprise": 1}), "ip", 600, MINUTE, MINUTE - 13)
        assert 429 not in statuses
        body, at = {"refresh_token": pair.refresh_token}, {"client": ("203.0.113.9", 1)}
        assert (await app.client.post("/auth/refresh", body, scope=at)).status == 200


def test_every_limit_by_network_has_a_test_here() -> None:
    limits = RateLimits()
    limited = {item.path.removeprefix("/") for item in endpoints_of_library() if "/ip" in limits.note_at(item)}

    # tests/oidc/test_limits.py tries those of logins by providers, tests/oauth/test_limits.py those of clients,
    # test_revocation_endpoint.py that of `revoke`, and test_issuer.py that of `introspect`.
    by_provider = {f"oidc/{{provider}}/{name}" for name in ("login", "callback", "link", "reauthenticate")}
    by_provider |= {"reauthenticate/{provider}", "handoff", "oidc/sign-up", "oidc/pending-sign-up"}
    of_clients = {"authorize", "oauth/register", "oauth/request", "oauth/token"}
    assert limited - BY_NETWORK.keys() == {"refresh", "revoke", "introspect"} | by_provider | of_clients
    assert BY_NETWORK.keys() <= limited
