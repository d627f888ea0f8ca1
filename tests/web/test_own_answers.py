"""Answers beyond JSON: redirects, headers and cookies of features, over HTTP and after a form."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Pages
from asgi_auth.errors import AuthError
from asgi_auth.feature import Answer, Event, Feature, Line, Redirect, Served, SetCookie, get, post
from asgi_auth.feature import Client as Caller
from asgi_auth.model.answers import TokenPair
from asgi_auth.openapi import Info, document
from asgi_auth.settings import Settings
from asgi_auth.web.cookies import Cookies
from tests.support import ORIGIN, SECRET, Client, cheap, login, make_auth, register, who

SHOP = "https://shop.example/in"


class Counted(Answer, frozen=True):
    """An answer with a header and a cookie."""

    number: int

    @property
    def http_headers(self) -> Sequence[tuple[str, str]]:
        """The total, and what caches may do."""
        return [("X-Total", "7"), ("Cache-Control", "private, max-age=5")]

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """A cookie."""
        return [SetCookie("seen", "1", 60)]


class PausedError(AuthError):
    """Sets a cookie."""

    code = "paused"

    @property
    def http_cookies(self) -> Sequence[SetCookie]:
        """A cookie."""
        return [SetCookie("pending", "p", 300)]


class Onward(Feature):
    """Leads on, and keeps cookies."""

    def __init__(self) -> None:
        self.seen: list[Mapping[str, str]] = []

    @get("/go")
    async def go(self, *, next: Line = "/home") -> Redirect:  # noqa: A002 (the name that pages use)
        """Go on."""
        return Redirect(next, cookies=(SetCookie("state", "s", 600),))

    @post("/leave")
    async def leave(self, *, name: Line = "") -> Redirect:
        """Go to a configured site."""
        return Redirect(f"https://provider.example/auth?state=a b\r\nx{name and '!'}", elsewhere=True)

    @get("/count")
    async def count(self, *, client: Caller = Caller()) -> Counted:
        """Count."""
        self.seen.append(dict(client.cookies) if client.cookies else {})
        return Counted(len(client.cookies))

    @get("/state")
    async def state(self, *, client: Caller = Caller()) -> str:
        """Return the state."""
        await self.auth.emit("input", client=client)
        return client.cookies.get("state", "none")

    @post("/act", status=204)
    async def act(self, *, client: Caller = Caller()) -> None:
        """Act."""

    @get("/pause", errors=(PausedError,))
    async def pause(self) -> None:
        """Refuse, with a cookie."""
        raise PausedError


def make(*more: Feature, **settings: Any) -> Auth:
    return make_auth(features=[*cheap(), Onward(), *more], **settings)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_redirect_is_a_303_with_its_cookies_and_no_body(method: str) -> None:
    answer = await Client(AuthApp(make())).request(method, "/go")

    assert (answer.status, answer.header("location"), answer.body) == (303, "/home", b"")
    assert answer.all("set-cookie") == ["__Host-auth-state=s; Max-Age=600; Path=/; HttpOnly; SameSite=Lax; Secure"]


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example", "/\\evil.example", "https:evil", "/%2fevil", SHOP + "?x", "x", ""],
)
async def test_a_redirect_never_leads_to_where_a_request_wants(target: str) -> None:
    app = AuthApp(make(Pages(next_allowed=[SHOP])))
    answer = await Client(app).get(f"/go?next={quote(target, safe='')}")

    assert (answer.status, answer.all("location"), answer.all("set-cookie")) == (400, [], [])


async def test_a_redirect_leads_to_what_the_host_allows() -> None:
    auth = make(Pages(next_allowed=[SHOP]))
    answer = await Client(AuthApp(auth)).get(f"/go?next={SHOP}")

    assert (answer.status, answer.header("location")) == (303, SHOP)
    assert [auth.page_urls.allows(target) for target in (SHOP, "/x", "//x", "https://other.example")] == [
        True, True, False, False,
    ]  # fmt: skip


async def test_a_redirect_stays_below_the_path_of_the_app() -> None:
    app = AuthApp(make(base_url="https://app.example.com/shop"))
    answer = await Client(app).get("/go")

    assert answer.header("location") == "/shop/home"


async def test_a_redirect_elsewhere_is_written_as_headers_can_hold_it() -> None:
    answer = await Client(AuthApp(make())).post("/leave", {})

    assert (answer.status, answer.header("location")) == (303, "https://provider.example/auth?state=a%20b%0D%0Ax")


async def test_a_form_is_led_on_as_well() -> None:
    app = AuthMiddleware(who, make(Pages()), mount="/auth")
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html", "origin": ORIGIN}
    answer = await Client(app).post("/auth/leave", body=b"name=x", headers=form)

    assert (answer.status, answer.header("location")) == (303, "https://provider.example/auth?state=a%20b%0D%0Ax!")


async def test_an_answer_has_headers_and_cookies_of_its_own() -> None:
    answer = await Client(AuthApp(make())).get("/count")

    assert answer.json == {"number": 0}
    assert (answer.all("x-total"), answer.all("cache-control")) == (["7"], ["private, max-age=5"])
    assert answer.all("set-cookie") == ["__Host-auth-seen=1; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"]


async def test_a_refusal_has_cookies_as_well() -> None:
    answer = await Client(AuthApp(make())).get("/pause")

    assert (answer.status, answer.json["code"]) == (400, "paused")
    assert answer.all("set-cookie") == ["__Host-auth-pending=p; Max-Age=300; Path=/; HttpOnly; SameSite=Lax; Secure"]


async def test_an_endpoint_sees_our_other_cookies_by_their_names_and_no_others() -> None:
    app = AuthApp(auth := make())
    cookie = "other=1; __Host-auth-state=abc; __Host-auth-device=d; __Host-auth-refresh=r; __Host-authx-a=2; auth-b=3"
    answer = await Client(app).get("/count", headers={"cookie": cookie + "; __Host-auth-empty=; __Host-auth-UP=1"})

    assert answer.status == 200
    assert auth[Onward].seen == [{"state": "abc", "empty": ""}]


async def test_a_cookie_with_two_values_is_refused_where_it_is_read() -> None:
    client = Client(AuthApp(make()))
    doubled = {"cookie": "__Host-auth-state=a; __Host-auth-state=b; __Host-auth-state=a"}
    same = {"cookie": "__Host-auth-state=a; __Host-auth-state=a"}

    assert (await client.get("/state", headers=doubled)).status == 400
    assert (await client.get("/state", headers=same)).json == "a"
    assert (await client.get("/pause", headers=doubled)).json["code"] == "paused"


async def test_many_or_long_cookies_of_ours_are_not_read_without_end() -> None:
    app = AuthApp(auth := make())
    many = "; ".join(f"__Host-auth-a{number}=1" for number in range(99))
    await Client(app).get("/count", headers={"cookie": many})
    await Client(app).get("/count", headers={"cookie": f"__Host-auth-long={'x' * 5000}"})

    assert [len(seen) for seen in auth[Onward].seen] == [16, 0]


async def test_cookies_are_in_no_event_and_no_repr(caplog: pytest.LogCaptureFixture) -> None:
    auth, events = make(), list[Event]()
    auth.on("*", events.append)
    caplog.set_level("DEBUG")
    await Client(AuthApp(auth)).get("/state", headers={"cookie": "__Host-auth-state=confidential"})

    assert [event.client.cookies for event in events] == [{}]
    assert "confidential" not in caplog.text + repr(Caller(cookies={"state": "confidential"}))
    assert "confidential" not in repr(SetCookie("state", "confidential", 1)) + repr(events)


async def test_a_page_of_another_site_cannot_act_by_our_other_cookies() -> None:
    client = Client(AuthApp(make()))
    held = {"cookie": "__Host-auth-pending=p"}

    assert (await client.post("/act", headers=held)).status == 403
    assert (await client.post("/act", headers=held | {"sec-fetch-site": "cross-site"})).status == 403
    assert (await client.post("/act", headers=held | {"sec-fetch-site": "same-origin"})).status == 204


async def test_a_cookie_of_a_feature_does_not_hide_a_renewed_session() -> None:
    async with make() as auth:
        await register(auth)
        pair = await login(auth)
        answer = await Client(AuthApp(auth)).get(
            "/count", headers={"cookie": f"__Host-auth-refresh={pair.refresh_token}"}
        )

    assert [line.partition("=")[0] for line in answer.all("set-cookie")] == [
        "__Host-auth-seen", "__Host-auth", "__Host-auth-refresh",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "name", "attributes"),
    [
        ({}, "__Host-auth-x", "; Secure"),
        ({"cookie_domain": "example.com", "cookie_name": "a"}, "__Secure-a-x", "; Domain=example.com; Secure"),
        ({"development": True, "base_url": None}, "auth-x", ""),
    ],
)
def test_a_cookie_has_our_prefix_and_our_attributes(settings: dict[str, Any], name: str, attributes: str) -> None:
    made = Cookies(Settings(**{"secret": SECRET, "base_url": ORIGIN} | settings))

    line = f"{name}=v; Max-Age=5; Path=/; HttpOnly; SameSite=Strict{attributes}"
    assert made.line("x", "v", 5, "strict") == (b"set-cookie", line.encode())
    assert made.line("x", "", 0)[1].startswith(f"{name}=; Max-Age=0; ".encode())


@pytest.mark.parametrize("name", ["refresh", "device", "", "A", "a;b", "a=b", "x" * 65])
def test_a_name_that_no_cookie_of_a_feature_has_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="name of a cookie"):
        Cookies(Settings(secret=SECRET)).line(name, "v", 1)


@pytest.mark.parametrize("value", ["a;b", "a b", "a,b", 'a"b', "a\\b", "a\r\nb", "ä", "x" * 4096])
def test_a_value_that_no_cookie_has_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="forbidden characters"):
        Cookies(Settings(secret=SECRET)).line("x", value, 1)


@pytest.mark.parametrize("age", [-1, 10**9])
def test_an_age_that_no_cookie_has_is_refused(age: int) -> None:
    with pytest.raises(ValueError, match="must live"):
        Cookies(Settings(secret=SECRET)).line("x", "v", age)


def test_the_document_has_redirects() -> None:
    app = AuthApp(make())
    found = document(app.auth, Served(app.routes, "/"), Info())

    assert found["paths"]["/go"]["get"]["responses"]["303"] == {
        "description": "A redirect (303): the client goes on with GET.",
        "headers": {"Location": {"description": "Where to go on.", "schema": {"type": "string"}}},
    }
    assert "Redirect" not in found["components"]["schemas"]
    assert TokenPair.__name__ in found["components"]["schemas"]
