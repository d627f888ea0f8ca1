"""The one way through an endpoint: what takes part is worked out once, and a request has one id."""

import msgspec
import pytest

from asgi_auth import Argon2, Auth, AuthApp, AuthMiddleware, Lockout, OpenAPI, Outbox, Passwords, RateLimits, Sessions
from asgi_auth.feature import Call, Endpoint, Event, Feature, get, post
from asgi_auth.features.defaults import defaults
from asgi_auth.model.registration import Registration
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, register, unlimited, who


def endpoint_of(auth: Auth, name: str) -> Endpoint:
    return next(item for feature in auth.features for item in feature.endpoints if item.name == name)


def limited() -> Auth:
    return make_auth(features=[Passwords(), *unlimited(mail=False), OpenAPI(), RateLimits(), Lockout()])


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("openapi", []),
        ("me", [RateLimits]),
        ("refresh", [RateLimits]),
        ("login", [Passwords, RateLimits, Lockout]),
        ("sessions", [RateLimits]),
    ],
)
def test_only_features_with_something_to_say_take_part(name: str, features: list[type[Feature]]) -> None:
    auth = limited()

    plan = auth.pipeline.plan(endpoint_of(auth, name))

    assert plan == [auth[kind].before for kind in features]
    assert auth.pipeline.plan(endpoint_of(auth, name)) is plan


async def test_a_feature_is_asked_once_whether_it_takes_part() -> None:
    class Picky(Feature):
        def __init__(self) -> None:
            self.asked: list[str] = []
            self.calls: list[str] = []

        def takes_part(self, endpoint: Endpoint) -> bool:
            self.asked.append(endpoint.name)
            return endpoint.name == "login"

        async def before(self, call: Call) -> None:
            self.calls.append(call.endpoint.name)

    picky = Picky()
    async with make_auth(features=[*unlimited(mail=False), Passwords(argon2=Argon2.cheap()), picky]) as auth:
        await register(auth)
        for _ in range(2):
            await login(auth)

    assert picky.asked == ["register", "login"]
    assert picky.calls == ["login", "login"]


def test_an_unknown_option_of_an_endpoint_is_an_error() -> None:
    async def guess(self: Feature) -> None:
        """Guess."""

    with pytest.raises(TypeError, match="@post has no option take_password"):
        post("/x", take_password=True)(guess)  # type: ignore[call-arg]  # misspelled
    with pytest.raises(TypeError, match="@get has no option ends_session; there are acting, "):
        get("/x", ends_session=True)(guess)  # type: ignore[call-arg]  # an option of others
    with pytest.raises(TypeError, match=r"option evnt; did you mean event\?, permision; did you mean permission\?$"):
        get("/x", evnt="", permision="")(guess)  # type: ignore[call-arg]  # misspelled


@pytest.mark.parametrize("sent", [{}, {"x-request-id": "abc-1"}])
async def test_a_request_has_one_id_in_all_of_its_events(sent: dict[str, str]) -> None:
    seen: list[Event] = []

    async with make_auth() as auth:
        for outcome in ("success", "failure"):
            auth.on("*", seen.append, outcome=outcome)
        await register(auth)
        seen.clear()
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        assert (await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, headers=sent)).status == 200
        first = {event.client.request_id for event in seen}
        seen.clear()
        wrong = {"email": EMAIL, "password": "not the right one"}
        assert (await client.post("/auth/login", wrong, headers=sent)).status == 401
        second = {event.client.request_id for event in seen}

    assert len(first) == len(second) == 1
    assert (first | second == {"abc-1"}) if sent else (first != second)


async def test_the_session_of_a_token_is_found_by_the_first_call_of_a_process(tmp_path: object) -> None:
    url = f"sqlite:///{tmp_path}/auth.db"
    async with make_auth(url) as auth:
        await register(auth)
        pair = await login(auth)

    later = make_auth(url)
    try:
        session = await later.session_of(pair.refresh_token)
    finally:
        await later.close()

    assert session is not None


async def test_a_registration_has_one_type_whether_a_mail_completes_it_or_not() -> None:
    async with make_auth() as auth:
        done = await auth[Passwords].register(email=EMAIL, password=PASSWORD)
    features = defaults(mail=True)
    async with make_auth(features=features, mailer=Outbox(), enumeration="hide") as auth:
        waiting = await auth[Passwords].register(email=EMAIL, password=PASSWORD)
        over_http = await Client(AuthApp(auth)).post("/register", {"email": "eve@example.com", "password": PASSWORD})

    assert isinstance(done, Registration)
    assert (done.pending, bool(done.user_id), done.request) == (False, True, "")
    assert isinstance(waiting, Registration)
    assert (waiting.pending, waiting.user_id, bool(waiting.request)) == (True, "", True)
    assert msgspec.json.decode(msgspec.json.encode(done)).keys() == {"user"}
    assert (over_http.status, over_http.json.keys()) == (202, {"request", "expires_in"})


async def test_tokens_are_text_in_process_and_left_out_of_a_body_with_cookies() -> None:
    async with make_auth() as auth:
        await register(auth)
        pair = await login(auth)
        headers = {"auth-transport": "cookie", "origin": "https://app.example.com"}
        body = {"email": EMAIL, "password": PASSWORD}
        by_cookie = await Client(AuthApp(auth)).post("/login", body, headers=headers)
        plain = await Client(AuthApp(auth)).get("/me", headers=bearer(pair))

    assert all(isinstance(text, str) and text for text in (pair.access_token, pair.refresh_token))
    assert by_cookie.json.keys() == {"token_type", "expires_in", "refresh_expires_in"}
    assert by_cookie.json["token_type"] == "Cookie"
    assert plain.status == 200


async def test_without_passwords_an_account_is_read_and_not_closed() -> None:
    from asgi_auth import Account

    auth = make_auth(features=[Sessions(), Account()])

    assert {endpoint.name for endpoint in auth[Account].endpoints} == {"me", "update_me", "export"}
    assert "close_account" in {endpoint.name for endpoint in Account().endpoints}
