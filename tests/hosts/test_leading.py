"""Browsers are led from refused pages of each host: to the page that helps, or to a page with the error."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.authentication import requires
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Send

from asgi_auth import Auth, AuthApp, AuthMiddleware, Identity, Pages, SecondFactors, Totp
from asgi_auth.hosts import starlette
from tests.hosts.forms import FORMS, build
from tests.hosts.inprocess import running
from tests.support import EMAIL, PASSWORD, Answer, Client, Clock, bearer, cheap, login, make_auth, register, who

VISIT = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "sec-fetch-mode": "navigate"}
OLD = {"accept": "text/html"}
#: Requests that no page answers.
OTHERS = {
    "a script": {"accept": "text/html", "sec-fetch-mode": "cors"},
    "curl": {"accept": "*/*"},
    "a client of JSON": {"accept": "application/json"},
    "no Accept": {},
}
COOKIES = {"auth-transport": "cookie", "origin": "https://app.example.com"}
MAX_AGE = timedelta(minutes=10)


def paged(**options: Any) -> Auth:
    """An `Auth` with pages, second factors, and mails."""
    clock = options.pop("clock", Clock())
    features = [*cheap(mail=True), SecondFactors(), Totp(), Pages()]
    return make_auth(features=features, mailer=print, clock=clock, access_ttl=7200, **options)


async def browser(app: ASGIApp, auth: Auth, roles: tuple[str, ...] = ()) -> Client:
    """A browser whose user is logged in by cookies."""
    user_id = await register(auth)
    await auth.users.set_roles(user_id, roles)
    client = Client(app, dict(VISIT), keep_cookies=True)
    answer = await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, headers=COOKIES)
    assert answer.status == 200, answer.body
    return client


def led(answer: Answer) -> tuple[str, dict[str, list[str]]]:
    """Where a redirect leads: the path, and the query. No cache keeps it."""
    assert answer.status == 303, (answer.status, answer.body)
    assert answer.header("cache-control") == "no-store"
    assert "Sec-Fetch-Mode" in (answer.header("vary") or "")
    parts = urlsplit(answer.header("location") or "")
    assert (parts.scheme, parts.netloc) == ("", "")
    return parts.path, parse_qs(parts.query)


@pytest.mark.parametrize("host", FORMS)
async def test_every_host_leads_browsers_and_no_one_else(host: str) -> None:
    async with paged() as auth:
        app = AuthMiddleware(build(host, "wrapped").app, auth, mount="/auth")
        stranger = Client(app)
        async with running(app):
            asked = {"query_string": b"a=1&b=%20"}
            visits = [await stranger.get("/admin", headers=how, scope=asked) for how in (VISIT, OLD)]
            others = [await stranger.get("/admin", headers=how) for how in OTHERS.values()]
            user = await browser(app, auth)
            shown, refused = await user.get("/admin"), await user.get("/admin", headers=OTHERS["a script"])
            by_token = await stranger.get("/admin", headers=VISIT | bearer(await login(auth)))

    for visit in visits:
        expected = {"next": ["/admin?a=1&b=%20"], "said": ["login_needed"]}
        assert led(visit) == ("/auth/login", expected)
    assert {(answer.status, answer.json["code"]) for answer in others} == {(401, "unauthorized")}
    assert all(answer.all("content-type") == ["application/problem+json"] for answer in others)
    assert (shown.status, shown.header("cache-control")) == (403, "no-store")
    assert shown.all("content-type") == ["text/html; charset=utf-8"]
    assert b'action="/auth/logout"' in shown.body
    assert b'href="/auth/account"' in shown.body
    assert (refused.status, refused.json["code"], by_token.status, by_token.json["code"]) == (403, "forbidden") * 2


#: Where the app is, as servers tell it: the path that they pass on, and the root_path.
PLACES = {"in the path": ("/api", "/api"), "beside the path": ("", "/api")}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("host", ["starlette", "fastapi", "litestar", "django", "flask", "bare"])
async def test_a_browser_stays_below_the_path_of_the_app(host: str, place: str) -> None:
    prefix, root = PLACES[place]
    async with paged(base_url=None) as auth:
        app = AuthMiddleware(build(host, "wrapped").app, auth, mount="/auth")

        answer = await Client(app).get(f"{prefix}/admin", headers=VISIT, scope={"root_path": root})

    assert led(answer) == ("/api/auth/login", {"next": ["/api/admin"], "said": ["login_needed"]})


async def test_a_browser_comes_back_to_the_very_path_that_was_refused() -> None:
    own = ["/a%3Fb%23c", "/100%25", "/%2541", "/My%20file", "/%C3%BC", "/a:b@c;d=e"]
    foreign = ["//evil.example", "/%2Fevil.example", "/a/%2E%2E", "/%09/x", "/%5Cx"]
    async with paged() as auth:
        inner = AuthMiddleware(who, auth, mount="/auth", required=True)

        async def app(scope: Any, receive: Receive, send: Send) -> None:
            await inner({**scope, "path": unquote(scope["path"])}, receive, send)

        visits = {path: led(await Client(app, VISIT).get(path))[1] for path in [*own, *foreign]}

    assert {path: visits[path]["next"] for path in own} == {path: [path] for path in own}
    assert [visits[path].keys() for path in foreign] == [{"said"}] * len(foreign)


def guarded(auth: Auth, *, mounted: bool = False) -> ASGIApp:
    """A host with one page for each demand."""

    async def page(request: Request) -> Response:  # noqa: ARG001 (`requires` looks for the name)
        return PlainTextResponse("page")

    demands: dict[str, dict[str, Any]] = {
        "/page": {}, "/fresh": {"fresh": MAX_AGE}, "/factor": {"second_factor": True}, "/verified": {"verified": True}
    }  # fmt: skip
    routes: list[Any] = [Route(path, starlette.require(**wanted)(page)) for path, wanted in demands.items()]
    routes += [
        Route("/own", requires("admin", redirect="login")(page)),
        Route("/far", lambda _: PlainTextResponse("", 303, {"location": "/alias?next=/far"})),
        Route("/alias", lambda request: PlainTextResponse("", 303, {"location": f"/auth/login?{request.url.query}"})),
    ]
    if mounted:
        routes.append(Mount("/auth", AuthApp(auth)))
    routes.append(Route("/auth/login", page, name="login"))
    host = Starlette(routes=routes)
    starlette.install(host)
    return AuthMiddleware(host, auth) if mounted else AuthMiddleware(host, auth, mount="/auth")


@pytest.mark.parametrize("form", ["wrapped", "mounted"])
async def test_each_demand_leads_to_the_page_that_helps(form: str) -> None:
    clock = Clock()
    async with paged(clock=clock) as auth:
        client = await browser(guarded(auth, mounted=form == "mounted"), auth)
        clock.move(3601)
        await auth.revocation.sync()

        by_head = led(await Client(client.app).request("HEAD", "/page", headers=VISIT))
        verified = led(await client.get("/verified"))
        fresh = led(await client.get("/fresh"))
        proof = await client.get(fresh[0], scope={"query_string": b"next=/fresh&said=fresh_login_required"})
        factor = led(await client.get("/factor"))
        setup = await client.get(factor[0], scope={"query_string": b"next=/factor&said=second_factor_needed"})

    assert by_head == ("/auth/login", {"next": ["/page"], "said": ["login_needed"]})
    assert verified == ("/auth/verify-email", {"next": ["/verified"], "said": ["email_not_verified"]})
    assert fresh == ("/auth/reauthenticate", {"next": ["/fresh"], "said": ["fresh_login_required"]})
    assert (proof.status, b'name="next" value="/fresh"' in proof.body) == (200, True)
    assert factor == ("/auth/reauthenticate", {"next": ["/factor"], "said": ["second_factor_needed"]})
    assert (setup.status, setup.header("location")) == (303, "./totp/setup?next=%2Ffactor&said=second_factor_missing")


async def test_a_proof_leads_back_to_the_page_that_asked_for_it() -> None:
    clock = Clock()
    async with paged(clock=clock) as auth:
        client = await browser(guarded(auth), auth)
        clock.move(3601)
        await auth.revocation.sync()
        sent = f"password={PASSWORD.replace(' ', '+')}&next=/fresh".encode()
        form = {"content-type": "application/x-www-form-urlencoded", "origin": "https://app.example.com"}

        proven = await client.post("/auth/reauthenticate/password", body=sent, headers=form)
        page = await client.get("/fresh")

    assert (proven.status, proven.header("location"), page.body) == (303, "/fresh", b"page")


@pytest.mark.parametrize("start", ["/own", "/far"])
async def test_a_guard_of_the_host_that_redirects_ends_in_a_page(start: str) -> None:
    """Starlette's own `requires` sends a user without the role to the login page, which would send the user back."""
    async with paged() as auth:
        client = await browser(guarded(auth), auth)
        answer, query, path = await client.get(start), b"", ""
        for _ in range(14):
            if answer.status not in {303, 307}:
                break
            parts = urlsplit(answer.header("location") or "")
            path, query = parts.path, parts.query.encode()
            answer = await client.get(path, scope={"query_string": query})
        # Tabs that are loaded again soon afterwards go in no circle.
        later = [(await client.get(path, scope={"query_string": query})).status for _ in range(4)]

    assert (answer.status, b'action="./logout"' in answer.body) == (403, True)
    assert later == [303, 303, 303, 403]


async def test_an_absolute_target_of_this_site_is_taken_and_no_other() -> None:
    async with paged() as auth:
        stranger = Client(guarded(auth), dict(VISIT) | {"host": "app.example.com"})
        asked = await stranger.get("/own", scope={"query_string": b"tab=2"})
        form = {"content-type": "application/x-www-form-urlencoded", "origin": "https://app.example.com"}
        await register(auth)
        account = f"email={EMAIL}&password={PASSWORD.replace(' ', '+')}&next="

        async def target(following: str) -> str | None:
            answer = await stranger.post("/auth/login", body=(account + following).encode(), headers=form)
            return answer.header("location")

        own = parse_qs(urlsplit(asked.header("location") or "").query)["next"][0]
        found = {text: await target(text) for text in (own, *FOREIGN, *SAME)}

    assert own.startswith("https://app.example.com/own")
    assert found == {own: "/own?tab=2"} | dict.fromkeys(FOREIGN, "/") | SAME


SAME = {"https://APP.example.com/x": "/x", "https://app.example.com": "/", "https://app.example.com?a=1": "/?a=1"}
FOREIGN = [
    "https://evil.example/x", "https://app.example.com.evil.example/", "https://app.example.com@evil.example/",
    "https://app.example.com\\@evil.example/", "https://evil.example\\.app.example.com/", "https:/app.example.com/x",
    "ftp://app.example.com/x", "https://app.example.com//evil.example", "https://app.example.com/..//evil.example",
    "https://app.example.com:444/x",
]  # fmt: skip


async def test_nothing_below_the_mount_is_a_page_for_browsers_and_a_problem_for_others() -> None:
    async with paged() as auth:
        for app in (guarded(auth), guarded(auth, mounted=True)):
            pages = [
                await Client(app, dict(VISIT)).get(path) for path in ("/auth/nothing", "/auth/a/b/", "/auth/logout")
            ]
            problem = await Client(app, OTHERS["a script"]).get("/auth/nothing")

            assert [page.status for page in pages] == [404, 404, 405]
            assert {page.header("content-type") for page in pages} == {"text/html; charset=utf-8"}
            assert b'href="../../pages.css' in pages[1].body
            assert problem.json["code"] == "not_found"
    assert pages[2].header("allow") == "OPTIONS, POST"


async def test_an_identity_of_the_hosts_own_is_not_led_in_a_circle() -> None:
    """A host that refuses a login that is accepted here wants another one."""
    async with paged() as auth:

        @starlette.require()
        async def page(request: Request) -> Response:
            user: Identity = request.user
            raise user.error or starlette_error()

        host = Starlette(routes=[Route("/page", page)])
        starlette.install(host)
        client = await browser(AuthMiddleware(host, auth, mount="/auth"), auth)

        path, query = led(await client.get("/page"))
        shown = await client.get(path, scope={"query_string": b"next=/page&said=fresh_login_required"})

    assert (path, query["said"], shown.status) == ("/auth/login", ["fresh_login_required"], 200)


def starlette_error() -> Exception:
    from asgi_auth.errors import UnauthorizedError

    return UnauthorizedError()


async def test_a_host_that_mounts_the_routes_and_requires_a_login_leads_no_one_in_a_circle() -> None:
    async with paged() as auth:
        host = Starlette(routes=[Mount("/auth", AuthApp(auth))])

        answer = await Client(AuthMiddleware(host, auth, required=True), dict(VISIT)).get("/auth/login")

    assert (answer.status, answer.json["code"]) == (401, "unauthorized")
