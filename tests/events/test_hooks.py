"""Hooks of the host's: called after what happened, asked before an endpoint runs."""

from typing import Any

import pytest

from asgi_auth import Auth, AuthApp, Passwords
from asgi_auth.errors import ForbiddenError
from asgi_auth.feature import Call
from asgi_auth.model.records import Event
from tests.support import EMAIL, PASSWORD, Client, login, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}


async def test_functions_async_or_not_hear_of_a_success_by_its_name(auth: Auth) -> None:
    heard: list[str] = []

    @auth.on("register")
    async def welcome(event: Event) -> None:
        heard.append(f"async {event.name}")

    auth.on("register", lambda event: heard.append(f"sync {event.name}"))
    await register(auth)
    await login(auth)

    assert heard == ["async register", "sync register"]
    assert welcome.__name__ == "welcome"


async def test_a_failure_is_heard_by_who_asks_for_it_and_by_all_for_what_can_only_fail(auth: Auth) -> None:
    heard: list[tuple[str, str]] = []

    def note(event: Event) -> None:
        heard.append((event.name, event.outcome))

    await register(auth)
    auth.on("login", note, outcome="failure")
    auth.on("input", note)
    client = Client(AuthApp(auth))
    await client.post("/login", ACCOUNT | {"password": "wrong"})
    await client.post("/login", ACCOUNT)
    await client.post("/login", {})

    assert heard == [("login", "failure"), ("input", "failure")]


async def test_an_error_in_a_hook_is_logged_and_changes_nothing(auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Event] = []
    auth.on("register", lambda _: 1 / 0)
    auth.on("register", heard.append)

    answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)

    assert answer.status == 201
    assert len(heard) == 1
    assert "a hook failed on register" in caplog.text


async def test_a_hook_before_an_endpoint_refuses_it_over_http_and_in_process(auth: Auth) -> None:
    calls: list[Call] = []
    failures: list[Event] = []

    @auth.before("register")
    async def only_ours(call: Call) -> None:
        calls.append(call)
        if not call.values["email"].endswith("@example.org"):
            raise ForbiddenError("Only for example.org.")

    auth.on("register", failures.append, outcome="failure")
    answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)
    with pytest.raises(ForbiddenError, match=r"Only for example\.org"):
        await register(auth)

    assert (answer.status, answer.json["detail"]) == (403, "Only for example.org.")
    assert await auth.storage.user_by_email(EMAIL) is None
    assert [event.data["reason"] for event in failures] == ["forbidden", "forbidden"]
    assert calls[0].client.address == "192.0.2.7"
    assert await auth[Passwords].register(email="ada@example.org", password=PASSWORD)


async def test_any_other_error_of_a_hook_before_refuses_as_well(auth: Auth) -> None:
    auth.before("register", lambda _: 1 / 0)

    answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)

    assert answer.status == 500
    assert await auth.storage.user_by_email(EMAIL) is None


@pytest.mark.parametrize(
    ("add", "name", "known"),
    [("on", "login_succeeded", "token_reuse"), ("before", "sign_up", "register"), ("before", "*", "login")],
)
def test_an_unknown_name_is_an_error_that_lists_the_known(auth: Auth, add: str, name: str, known: str) -> None:
    hook: Any = getattr(auth, add)

    with pytest.raises(ValueError, match=known):
        hook(name, print)
    with pytest.raises(ValueError, match=known):
        hook(name)


def test_an_unknown_outcome_is_an_error(auth: Auth) -> None:
    with pytest.raises(ValueError, match="success or failure"):
        auth.on("login", print, outcome="maybe")  # type: ignore[call-overload]
