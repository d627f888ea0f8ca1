"""The stream of events: every operation with both outcomes, the user it was about, and nothing that is secret."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from asgi_auth import Argon2, AuthApp, AuthMiddleware, Lockout, Passwords, RateLimits, Unlock
from asgi_auth.errors import AuthError, ForbiddenError, StorageUnavailableError
from asgi_auth.feature import Endpoint, Feature, LoginAttempt, post
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Event
from asgi_auth.sessions.identity import Identity
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, ORIGIN, PASSWORD, Client, bearer, cheap, login, make_auth, register, who

LOGIN = {"email": EMAIL, "password": PASSWORD}
Told = tuple[str, str, str]


def heard(app: Flows, *, but: tuple[str, ...] = ()) -> list[Event]:
    """Keep every event from now on, but those of mails that go out meanwhile and of passwords that were right."""
    kept: list[Event] = []

    @app.auth.on("*")
    def keep(event: Event) -> None:
        if event.name not in {"mail", "password_check", *but}:
            kept.append(event)

    return kept


def told(kept: list[Event]) -> list[Told]:
    return [(event.name, event.outcome, event.code) for event in kept]


async def post_as(app: Flows, path: str, body: dict[str, Any]) -> int:
    return (await app.client.post(f"/auth/{path}", body, headers=await app.headers())).status


async def test_registering_and_logging_in_are_told_with_both_outcomes() -> None:
    async with flows() as app:
        kept = heard(app)

        await app.register()
        await app.register()
        await app.login()
        await app.login("wrong")
        await app.login("wrong", "nobody@example.com")

    assert told(kept) == [
        ("register", "success", "user_created"),
        ("one_time_token", "success", "authn_token_created"),
        ("register", "failure", "user_create_fail"),
        ("session_start", "success", "session_created"),
        ("login", "success", "authn_login_success"),
        ("login", "failure", "authn_login_fail"),
        ("login", "failure", "authn_login_fail"),
    ]
    user_id = kept[0].user_id
    assert [event.user_id for event in kept] == [user_id, user_id, None, user_id, user_id, user_id, None]
    known, unknown = kept[-2:]
    assert known.data["reason"] == unknown.data["reason"] == "invalid_credentials"
    assert known.data["account"] == app.auth.stream.digest(EMAIL) != unknown.data["account"]


async def test_the_digest_of_an_address_is_that_of_every_spelling_and_of_known_and_unknown_ones() -> None:
    async with flows() as app:
        kept = heard(app)

        await app.login(email="Ada@Example.com")
        await app.login(email="ada@example.com")

    assert kept[0].data["account"] == kept[1].data["account"]


async def test_what_becomes_of_sessions_is_told() -> None:
    async with flows() as app:
        await app.verified()
        first = (await app.login()).json["refresh_token"]
        kept = heard(app)

        second = await app.client.post("/auth/refresh", {"refresh_token": first})
        await app.client.post("/auth/refresh", {"refresh_token": "x"})
        app.clock.move(60)
        await app.client.post("/auth/refresh", {"refresh_token": first})
        await app.client.get("/auth/me", headers=bearer(second.json["access_token"]))
        await app.client.post("/auth/refresh", {"refresh_token": first})
        headers = await app.headers()
        await app.client.request("DELETE", "/auth/sessions/unknown", headers=headers)
        await app.client.post("/auth/logout", headers=headers)

    names = [item for item in told(kept) if item[0] not in {"session_start", "login"}]
    assert names == [
        ("refresh", "success", "session_renewed"),
        ("refresh", "failure", "session_use_after_expire"),
        ("refresh_repeated", "success", "session_renewed"),
        ("session_end", "success", "authn_token_revoked"),
        ("token_reuse", "failure", "authn_token_reuse"),
        ("session_end", "failure", "malicious_direct_reference"),
        ("session_end", "success", "authn_token_revoked"),
    ]
    reuse = next(event for event in kept if event.name == "token_reuse")
    assert (reuse.user_id, reuse.session) == (kept[0].user_id, kept[0].session)
    assert reuse.session != reuse.session_id


async def test_changes_of_the_account_are_told_with_both_outcomes() -> None:
    async with flows() as app:
        await app.verified()
        kept = heard(app, but=("login", "session_start", "session_end"))

        await post_as(app, "change-password", {"current_password": "wrong", "new_password": NEW_PASSWORD})
        await post_as(app, "change-email", {"new_email": "new@example.com", "password": "wrong"})
        await post_as(app, "change-email", {"new_email": "new@example.com", "password": PASSWORD})
        token = (await app.mail("change_email")).token
        for _ in range(2):
            await app.client.post("/auth/confirm-email-change", {"token": token, "password": PASSWORD})
        await app.client.post("/auth/forgot-password", {"email": "new@example.com"})
        reset = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
        await app.client.post("/auth/reset-password", reset)

    assert told(kept) == [
        ("password_change", "failure", "authn_password_change_fail"),
        ("email_change", "failure", "user_update_fail"),
        ("one_time_token", "success", "authn_token_created"),
        ("email_change", "success", "user_updated"),
        ("one_time_token", "failure", "sequence_fail"),
        ("one_time_token", "success", "authn_token_created"),
        ("password_change", "success", "authn_password_change"),
    ]
    assert kept[0].user_id == kept[-1].user_id is not None


async def test_closing_deleting_and_changing_users_is_told() -> None:
    async with flows() as app:
        await app.verified()
        user = await app.auth.users.by_email(EMAIL)
        kept = heard(app, but=("login", "session_start", "session_end"))

        await post_as(app, "close-account", {"password": "wrong"})
        await post_as(app, "close-account", {"password": PASSWORD})
        await app.auth.users.set_status(user.id, "disabled")
        await app.auth.users.set_roles(user.id, ["admin"])
        await app.auth.users.delete(user.id)

    assert told(kept) == [
        ("account_close", "failure", "user_archive_fail"),
        ("account_close", "success", "user_archived"),
        ("user_change", "success", "user_updated"),
        ("role_change", "success", "privilege_permissions_changed"),
        ("account_delete", "success", "user_deleted"),
    ]
    assert {event.user_id for event in kept} == {user.id}


class Locked(Feature):
    """An endpoint for administrators, and a door that is shut for one."""

    @post("/locked", status=204)
    async def locked(self, *, identity: Identity) -> None:
        """Refuse callers that are no administrators."""
        identity.require(roles="admin")

    async def before_login(self, login: LoginAttempt) -> None:
        if login.client.user_agent == "bad":
            raise ForbiddenError

    def errors_at(self, endpoint: Endpoint) -> Sequence[type[AuthError]]:  # noqa: ARG002
        return (ForbiddenError,)


async def test_what_may_not_be_done_is_told() -> None:
    async with make_auth(features=[*cheap(), Locked()]) as auth:
        user_id = await register(auth)
        pair = await login(auth)
        kept: list[Event] = []
        auth.on("*", kept.append)
        client = Client(AuthMiddleware(who, auth, mount="/auth"))

        await client.get("/auth/me")
        await client.get("/auth/me", headers=bearer("x.y.z"))
        await client.post("/auth/locked", headers=bearer(pair))
        await client.post("/auth/login", LOGIN, headers={"user-agent": "bad"})

    refused = [
        (event.name, event.code, event.data["reason"], event.user_id) for event in kept if event.outcome == "failure"
    ]
    assert refused == [
        ("access", "authz_fail", "unauthorized", None),
        ("access", "authz_fail", "invalid_token", None),
        ("access", "authz_fail", "forbidden", user_id),
        ("login", "authn_login_fail", "forbidden", user_id),
    ]


async def test_requests_that_come_from_elsewhere_or_can_not_be_read_are_told_once_each() -> None:
    async with make_auth(transport="cookie") as auth:
        await register(auth)
        kept: list[Event] = []
        auth.on("*", kept.append)
        client = Client(AuthMiddleware(who, auth, mount="/auth"), {"origin": ORIGIN}, keep_cookies=True)

        await client.post("/auth/login", LOGIN, headers=[("origin", "https://evil.example")])
        await client.post("/auth/login", LOGIN)
        client.headers = {"origin": "https://evil.example"}
        await client.post("/auth/logout")
        await client.post("/of/the/host")
        await client.post("/auth/login", {"email": 1})
        client.headers, client.cookies = {"origin": ORIGIN}, {}
        await client.post("/auth/login", {"email": 1, "more": 2})
        await client.post("/auth/nowhere")
        await client.get("/auth/login")

    assert [name for name, outcome, _ in told(kept) if outcome == "failure"] == [
        "input",  # two origins
        "cross_site",
        "cross_site",
        "cross_site",
        "input",
    ]
    assert {code for name, _, code in told(kept) if name == "cross_site"} == {"malicious_csrf"}


async def test_a_database_that_is_away_is_told_and_so_is_a_mail_that_is_given_up() -> None:
    async with make_auth() as auth:
        kept: list[Event] = []
        auth.on("*", kept.append)

        async def broken(*_: str) -> None:
            raise StorageUnavailableError

        auth.storage.user_with_credential = broken  # type: ignore[method-assign,assignment]
        answer = await Client(AuthApp(auth)).post("/login", LOGIN)

    assert answer.status == 503
    assert told(kept) == [("service", "failure", "sys_unavailable")]


async def test_limits_locks_and_what_opens_them_are_told() -> None:
    limited = [Passwords(argon2=Argon2.cheap()), RateLimits({"login": "3/m/ip"}), Lockout(after=1), Unlock()]
    async with flows(features=limited) as app:
        await app.register()
        kept: list[Event] = []
        app.auth.on("*", kept.append)

        for password in ("wrong", PASSWORD):
            await app.login(password)
        await app.client.post("/auth/request-unlock", {"email": EMAIL})
        await app.client.post("/auth/unlock", {"token": (await app.mail("unlock")).token})
        await app.auth.mail.idle()
        for _ in range(2):
            await app.login()

    assert [item for item in told(kept) if not item[0].startswith("session")] == [
        ("login", "failure", "authn_login_fail"),
        ("lockout", "failure", "authn_login_lock"),
        ("one_time_token", "success", "authn_token_created"),
        ("mail", "success", "mail_send_success"),
        ("unlock", "success", "authn_login_unlock"),
        ("password_check", "success", "authn_password_check_success"),
        ("login", "success", "authn_login_success"),
        ("rate_limit", "failure", "excess_rate_limit_exceeded"),
    ]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("req-1.a_B", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("a\u00e9", False), ("", False)],
)
async def test_the_id_of_the_request_is_taken_over_when_it_is_harmless_else_made(sent: str, kept: bool) -> None:  # noqa: FBT001
    async with make_auth() as auth:
        seen: list[Event] = []
        auth.on("*", seen.append)

        await Client(AuthApp(auth)).post("/register", LOGIN, headers={"x-request-id": sent})
        await auth.emit("user_change")

    first, second = (event.client.request_id for event in seen)
    assert (first == sent) is kept
    assert re.fullmatch(r"[0-9a-f]{16}", second)
    assert kept or re.fullmatch(r"[0-9a-f]{16}", first)


def test_every_action_has_a_name_a_meaning_and_a_code() -> None:
    names = [value for name, value in vars(events).items() if name.isupper() and isinstance(value, str)]

    assert set(names) == set(events.ACTIONS)
    for name, action in events.ACTIONS.items():
        assert re.fullmatch(r"[a-z_]+", name)
        assert action.meaning.endswith(".")
        assert action.success or action.failure
