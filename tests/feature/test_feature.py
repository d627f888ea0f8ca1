"""The mechanism of features, on features that are written here."""

from collections.abc import AsyncIterator, Collection, Mapping
from typing import Any

import pytest

from asgi_auth import Account, Auth, AuthApp, AuthMiddleware, Identity, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import (
    AuthError,
    ForbiddenError,
    InvalidTokenError,
    SecondFactorRequiredError,
    UnauthorizedError,
    ValidationError,
)
from asgi_auth.feature import Call, Endpoint, Feature, LoginAttempt, delete, get, post
from asgi_auth.model.records import Client as Caller
from asgi_auth.model.records import Event
from asgi_auth.validation.fields import Line
from tests.support import EMAIL, PASSWORD, SECRET, Client, bearer, login, make_auth, register, who

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
NO_USER_ID = ForbiddenError("not now")


class Recorder(Feature):
    """Writes down which hooks were asked, and refuses in one of them if it is told to."""

    def __init__(self, refuse_in: str = "") -> None:
        self.asked: list[str] = []
        self.refuse_in = refuse_in
        self.factors: tuple[str, ...] = ()

    def _ask(self, hook: str) -> None:
        self.asked.append(hook)
        if hook.partition(" ")[0] == self.refuse_in:
            raise NO_USER_ID

    async def authenticate(self, scope: Mapping[str, Any]) -> Identity | None:
        self._ask(f"authenticate {scope['path']}")
        return None

    async def before(self, call: Call) -> None:
        self._ask(f"before {call.endpoint.name} {sorted(call.values)} {call.client.address}")

    async def before_login(self, login: LoginAttempt) -> None:
        self._ask(f"before_login {login.user.email} {login.amr}")

    async def second_factor(self, login: LoginAttempt) -> Collection[str]:
        self._ask(f"second_factor {login.client.user_agent}")
        return self.factors

    async def observe(self, event: Event) -> None:
        self._ask(f"observe {event.name}")

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:  # noqa: ARG002
        return (type(NO_USER_ID),)


class Notes(Feature):
    """Endpoints of every shape."""

    def __init__(self) -> None:
        self.made = 0

    @post("/notes/{name}", status=201)
    async def make_note(self, *, name: Line, size: int = 1, client: Caller = Caller()) -> dict[str, Any]:
        """Make a note.

        This is not the summary.
        """
        self.made += 1
        return {"name": name, "size": size, "agent": client.user_agent}

    @get("/notes/{name}")
    async def note(self, *, name: Line, identity: Identity | None = None) -> dict[str, Any]:
        """Show a note."""
        return {"name": name, "who": identity.id if identity else None}

    @delete("/notes/{name}", status=204)
    async def remove_note(self, *, name: Line, identity: Identity) -> None:
        """Remove a note."""

    @post("/broken")
    async def broken(self) -> None:
        """Break."""
        raise RuntimeError(SECRET)


def features(*more: Feature) -> list[Feature]:
    return [*more, Passwords(argon2=Argon2.cheap()), Sessions(), Account()]


@pytest.fixture
async def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
async def recorded(recorder: Recorder) -> AsyncIterator[Auth]:
    async with make_auth(features=features(recorder)) as auth:
        yield auth


async def test_the_hooks_are_asked_in_their_order(recorded: Auth, recorder: Recorder) -> None:
    client = Client(AuthApp(recorded), {"user-agent": "curl"})
    await register(recorded)
    recorder.asked.clear()

    answer = await client.post("/login", ACCOUNT)

    assert answer.status == 200
    assert recorder.asked == [
        "authenticate /login",
        "before login ['email', 'password'] 192.0.2.7",
        "observe password_check",
        "before_login ada@example.com ('pwd',)",
        "second_factor curl",
        "observe session_start",
        "observe login",
    ]
    assert [endpoint.name for endpoint in Notes().endpoints] == ["make_note", "note", "remove_note", "broken"]


@pytest.mark.parametrize("hook", ["authenticate", "before", "before_login", "second_factor"])
async def test_a_refusal_in_a_hook_is_the_answer_and_gives_no_session(hook: str) -> None:
    recorder = Recorder()
    async with make_auth(features=features(recorder)) as auth:
        user_id = await register(auth)
        recorder.refuse_in = hook

        answer = await Client(AuthApp(auth)).post("/login", ACCOUNT)

        assert (answer.status, answer.json["detail"]) == (403, "not now")
        assert await auth.storage.sessions(user_id, 0, 0) == []


async def test_a_hook_is_not_asked_when_one_before_it_has_refused(recorded: Auth, recorder: Recorder) -> None:
    recorder.refuse_in = "before"

    answer = await Client(AuthApp(recorded)).post("/register", ACCOUNT)

    assert answer.status == 403
    assert [item.partition(" ")[0] for item in recorder.asked] == ["authenticate", "before"]


async def test_a_wanted_second_factor_refuses_the_session_and_is_named(recorded: Auth, recorder: Recorder) -> None:
    user_id = await register(recorded)
    recorder.factors = ("otp", "hwk")

    answer = await Client(AuthApp(recorded)).post("/login", ACCOUNT)

    assert (answer.status, answer.json["code"]) == (401, "second_factor_required")
    assert answer.json["factors"] == ["hwk", "otp"]
    assert await recorded.storage.sessions(user_id, 0, 0) == []


async def test_a_login_with_the_wanted_factor_gets_its_session(recorded: Auth, recorder: Recorder) -> None:
    user_id = await register(recorded)
    user, credential = await recorded.users.get(user_id), await recorded.storage.credential(user_id, "password")
    assert credential is not None
    recorder.factors = ("otp",)

    pair = await recorded.login(user, credential, amr=["pwd", "otp", "mfa"], client=Caller())

    assert (await recorded.authenticate(str(pair.access_token))).amr == ("pwd", "otp", "mfa")
    for first_factor in (["pwd"], ["otp"]):
        with pytest.raises(SecondFactorRequiredError):
            await recorded.login(user, credential, amr=first_factor, client=Caller())


async def test_a_feature_that_fails_to_observe_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with make_auth(features=features(Recorder("observe"))) as auth:
        answer = await Client(AuthApp(auth)).post("/register", ACCOUNT)

    assert answer.status == 201
    assert "failed to observe register" in caplog.text


async def test_in_process_the_same_is_checked_and_asked_as_over_http(recorded: Auth, recorder: Recorder) -> None:
    app = Client(AuthApp(recorded))
    wrong: dict[str, Any] = {"email": 1, "more": 2}

    over_http = await app.post("/login", wrong)
    with pytest.raises(ValidationError) as caught:
        await recorded[Passwords].login(**wrong)
    await recorded[Passwords].register(email=EMAIL, password=PASSWORD, client=Caller(address="192.0.2.9"))

    assert caught.value.errors == over_http.json["errors"]
    assert recorder.asked[-2:] == [
        "before register ['email', 'password'] 192.0.2.9",
        "observe register",
    ]
    with pytest.raises(UnauthorizedError):
        await recorded[Sessions].sessions()  # type: ignore[call-arg]  # no identity
    recorder.refuse_in = "before"
    with pytest.raises(ForbiddenError, match="not now"):
        await login(recorded)


async def test_endpoints_take_values_from_the_path_and_know_who_asks() -> None:
    notes = Notes()
    async with make_auth(features=features(notes)) as auth:
        client = Client(AuthApp(auth), {"user-agent": "curl"})
        user_id = await register(auth)
        headers = bearer(await login(auth))

        made = await client.post("/notes/one", {"size": 2})
        with_name = await client.post("/notes/one", {"name": "two"})
        wrong = await client.post("/notes/one", {"size": "2"})
        anonymous = await client.get("/notes/one")
        known = await client.get("/notes/one/", headers=headers)
        refused = await client.request("DELETE", "/notes/one")
        removed = await client.request("DELETE", "/notes/one", headers=headers)

        assert (made.status, made.json) == (201, {"name": "one", "size": 2, "agent": "curl"})
        assert with_name.json["name"] == "one"
        assert (wrong.status, notes.made) == (422, 2)
        assert (anonymous.json["who"], known.json["who"]) == ("", user_id)
        assert (refused.status, removed.status, removed.body) == (401, 204, b"")
        assert {endpoint.summary for endpoint in notes.endpoints} >= {"Make a note.", "Show a note."}
        assert (await client.get("/notes/")).status == 404
        assert (await client.get("/notes/one/two")).status == 404


class Badge(Feature):
    """Recognises a header of its own, by a query."""

    async def authenticate(self, scope: Mapping[str, Any]) -> Identity | None:
        badge = dict(scope["headers"]).get(b"x-badge")
        if badge is None:
            return None
        if badge != b"ada":
            raise InvalidTokenError("This badge is “false”.")
        user = await self.auth.users.by_email(EMAIL)
        pair = await self.auth[Passwords].login(email=EMAIL, password=PASSWORD)
        assert await self.auth.storage.user(user.id)
        return await self.auth.authenticate(str(pair.access_token))


async def test_a_feature_may_recognise_credentials_of_its_own(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with make_auth(url) as first:
        user_id = await register(first)

    auth = make_auth(url, features=features(Badge()))
    try:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        good = await client.get("/", headers={"x-badge": "ada"})
        bad = await client.get("/", headers={"x-badge": "eve"})
        refused = await client.get("/auth/me", headers={"x-badge": "eve"})
        none = await client.get("/")
    finally:
        await auth.close()

    assert good.json["id"] == user_id
    assert (bad.json["id"], bad.json["error"]) == ("", "invalid_token")
    assert refused.status == 401
    assert 'error_description="This badge is ?false?."' in str(refused.header("www-authenticate"))
    assert (none.json["id"], none.json["error"]) == ("", None)


async def test_a_feature_may_recognise_before_anything_has_started(tmp_path: Any) -> None:
    class Lookup(Feature):
        async def authenticate(self, scope: Mapping[str, Any]) -> Identity | None:  # noqa: ARG002 (a hook)
            assert await self.auth.storage.user("nobody") is None
            return None

    auth = make_auth(f"sqlite:///{tmp_path}/auth.db", features=[Lookup()])
    answer = await Client(AuthMiddleware(who, auth)).get("/")
    await auth.close()

    assert answer.json["id"] == ""


async def test_an_error_of_an_endpoint_is_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    async with make_auth(features=features(Notes())) as auth:
        answer = await Client(AuthApp(auth)).post("/broken")

    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert SECRET not in answer.body.decode()
    assert "RuntimeError" in caplog.text


async def test_a_feature_that_is_left_out_is_not_there() -> None:
    async with make_auth(features=[Passwords(argon2=Argon2.cheap())]) as auth:
        assert isinstance(auth[Passwords], Passwords)
        with pytest.raises(KeyError):
            auth[Sessions]
        assert isinstance(auth[Feature], Passwords)
        assert auth.get(Sessions) is None
        assert (await Client(AuthApp(auth)).post("/logout")).status == 404


def test_listing_a_feature_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        make_auth(features=[Sessions(), Sessions()])
