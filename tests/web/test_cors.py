"""CORS for our routes: exact origins, on errors too, credentials for trusted origins only, pages left out."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Mount

from asgi_auth import Account, Auth, AuthApp, AuthMiddleware, Pages, Passwords, RateLimits, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Call, Feature
from tests.browsers import ACCESS, ACCOUNT
from tests.support import EMAIL, Answer, Client, bearer, login, make_auth, register, who

SPA = "https://spa.example.com"
PARTNER = "https://partner.example.net"
BOTH: dict[str, Any] = {"cors_origins": [SPA, PARTNER], "trusted_origins": [SPA]}
STRANGERS = (
    "https://evil.example",
    "http://spa.example.com",
    "https://spa.example.com:8443",
    "https://spa.example.com.evil.example",
    "https://spa.example.co",
    "https://SPA.example.com",
    "https://app.example.com",
    "null",
    "",
    "*",
)
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}


class Breaks(Feature):
    """Refuses and breaks, when an address asks for that."""

    async def before(self, call: Call) -> None:
        if call.values.get("email") == "busy@example.com":
            raise StorageUnavailableError
        if call.values.get("email") == "broken@example.com":
            raise RuntimeError("broken")


def make(**settings: Any) -> Auth:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Account(), Breaks()]
    return make_auth(features=features, **(BOTH | settings))


def of_cors(answer: Answer) -> dict[str, str]:
    """The headers of CORS, each of which must stand once."""
    found = [(name, value) for name, value in answer.headers if name.startswith("access-control-") or name == "vary"]
    assert len(dict(found)) == len(found)
    return {name.removeprefix("access-control-"): value for name, value in found}


def served(auth: Auth, how: str) -> Client:
    """The routes as hosts serve them, at /auth."""
    if how == "middleware":
        return Client(AuthMiddleware(who, auth, mount="/auth"))
    mounted = Starlette(routes=[Mount("/auth", AuthApp(auth))])
    return Client(AuthMiddleware(mounted, auth) if how == "mounted and wrapped" else mounted)


HOSTS = ("middleware", "mounted", "mounted and wrapped")


@pytest.mark.parametrize("how", HOSTS)
async def test_a_known_origin_may_read_answers_and_another_may_not(how: str) -> None:
    async with make() as auth:
        await register(auth)
        client = served(auth, how)

        known = of_cors(await client.post("/auth/login", ACCOUNT, headers={"origin": PARTNER}))
        strangers = [of_cors(await client.post("/auth/login", ACCOUNT, headers={"origin": item})) for item in STRANGERS]
        none = of_cors(await client.post("/auth/login", ACCOUNT))

    exposed = "retry-after, ratelimit, ratelimit-policy, www-authenticate"
    assert known == {"allow-origin": PARTNER, "expose-headers": exposed, "vary": "origin"}
    assert [*strangers, none] == [{"vary": "origin"}] * (len(STRANGERS) + 1)


@pytest.mark.parametrize("how", HOSTS)
async def test_a_preflight_tells_the_methods_of_its_route(how: str) -> None:
    async with make() as auth:
        client = served(auth, how)

        one = await client.request("OPTIONS", "/auth/login", headers={"origin": PARTNER} | PREFLIGHT)
        other = await client.request("OPTIONS", "/auth/sessions/x", headers={"origin": PARTNER} | PREFLIGHT)
        plain = await client.request("OPTIONS", "/auth/login", headers={"origin": PARTNER})
        stranger = await client.request(
            "OPTIONS", "/auth/login", headers={"origin": "https://evil.example"} | PREFLIGHT
        )

    assert (one.status, one.body) == (204, b"")
    assert of_cors(one)["allow-methods"] == "OPTIONS, POST"
    allowed = "authorization, content-type, auth-transport, x-request-id, traceparent, tracestate, baggage"
    assert of_cors(one)["allow-headers"] == allowed
    assert of_cors(one)["max-age"] == "600"
    assert of_cors(one)["allow-origin"] == PARTNER
    assert of_cors(other)["allow-methods"] == "DELETE, OPTIONS"
    assert "allow-methods" not in of_cors(plain)
    assert of_cors(stranger) == {"vary": "origin"}


ERRORS: list[tuple[int, str, str, dict[str, Any]]] = [
    (400, "POST", "/auth/login", {"body": b"{", "headers": {"content-type": "application/json"}}),
    (401, "GET", "/auth/me", {}),
    (401, "POST", "/auth/login", {"json_body": ACCOUNT}),
    (404, "GET", "/auth/nowhere", {}),
    (404, "OPTIONS", "/auth/nowhere", {}),
    (405, "GET", "/auth/login", {}),
    (413, "POST", "/auth/login", {"body": b"x" * 70000}),
    (415, "POST", "/auth/login", {"body": b"x"}),
    (422, "POST", "/auth/login", {"json_body": {}}),
    (500, "POST", "/auth/login", {"json_body": ACCOUNT | {"email": "broken@example.com"}}),
    (503, "POST", "/auth/login", {"json_body": ACCOUNT | {"email": "busy@example.com"}}),
    # These two the middleware refuses, where it stands before the routes.
    (400, "GET", "/auth/me", {"headers": [("authorization", "Bearer x"), ("authorization", "Bearer y")]}),
    (403, "POST", "/auth/logout", {"headers": {"cookie": f"{ACCESS}=x"}}),
]


@pytest.mark.parametrize("how", HOSTS)
@pytest.mark.parametrize(("status", "method", "path", "options"), ERRORS, ids=str)
async def test_errors_carry_the_headers_too(
    how: str, status: int, method: str, path: str, options: dict[str, Any]
) -> None:
    async with make() as auth:
        client = served(auth, how)
        client.headers["origin"] = PARTNER

        answer = await client.request(method, path, **options)

    assert answer.status == status
    assert of_cors(answer)["allow-origin"] == PARTNER
    assert answer.header("retry-after") == ("2" if status == 503 else None)


async def test_limits_can_be_read_by_scripts_too() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), RateLimits({"login": "1/h/ip"})]
    async with make_auth(features=features, **BOTH) as auth:
        client = served(auth, "middleware")
        answers = [await client.post("/auth/login", ACCOUNT, headers={"origin": PARTNER}) for _ in range(2)]
        preflight = await client.request("OPTIONS", "/auth/login", headers={"origin": PARTNER} | PREFLIGHT)

    assert [answer.status for answer in answers] == [401, 429]
    assert of_cors(answers[1])["allow-origin"] == PARTNER
    sent = {name for name, _ in answers[1].headers}
    assert {"retry-after", "ratelimit", "ratelimit-policy"} <= sent
    assert {"retry-after", "ratelimit", "ratelimit-policy"} <= set(of_cors(answers[1])["expose-headers"].split(", "))
    assert preflight.status == 204


async def test_what_a_middleware_refuses_for_the_host_carries_none() -> None:
    async with make() as auth:
        app = AuthMiddleware(who, auth, mount="/auth", required=True)

        host = await Client(app).get("/", headers={"origin": PARTNER})
        mounted = await Client(AuthMiddleware(who, auth, required=True)).get("/auth/me", headers={"origin": PARTNER})

    assert (host.status, of_cors(host)) == (401, {})
    assert (mounted.status, of_cors(mounted)["allow-origin"]) == (401, PARTNER)


async def test_cookies_are_for_origins_that_are_trusted_as_well() -> None:
    async with make() as auth:
        await register(auth)
        asking = {"auth-transport": "cookie", "sec-fetch-site": "same-site"}
        client = served(auth, "middleware")

        trusted = await client.post("/auth/login", ACCOUNT, headers=asking | {"origin": SPA})
        known = await client.post("/auth/login", ACCOUNT, headers=asking | {"origin": PARTNER})

    assert (trusted.status, of_cors(trusted)["allow-credentials"]) == (200, "true")
    assert trusted.cookies
    assert (known.status, known.json["code"], known.cookies) == (403, "cross_site_request", {})
    assert "allow-credentials" not in of_cors(known)


async def test_any_origin_may_come_with_a_bearer_token_and_never_with_cookies() -> None:
    async with make(cors_origins=["*"], trusted_origins=[]) as auth:
        await register(auth)
        client = served(auth, "middleware")

        answer = await client.get("/auth/me", headers=bearer(await login(auth)) | {"origin": PARTNER})
        preflight = await client.request("OPTIONS", "/auth/me", headers={"origin": PARTNER} | PREFLIGHT)
        cookie = await client.post("/auth/login", ACCOUNT, headers={"auth-transport": "cookie", "origin": PARTNER})

    assert (answer.json["email"], of_cors(answer)["allow-origin"]) == (EMAIL, "*")
    assert "vary" not in of_cors(answer)
    assert of_cors(preflight)["allow-methods"] == "GET, HEAD, OPTIONS, PATCH"
    assert cookie.status == 403
    assert all("allow-credentials" not in of_cors(item) for item in (answer, preflight, cookie))


async def test_two_origins_are_none() -> None:
    async with make() as auth:
        answer = await served(auth, "mounted").get("/auth/me", headers=[("origin", SPA), ("origin", PARTNER)])

    assert of_cors(answer) == {"vary": "origin"}


async def test_by_default_there_is_no_cors(auth: Auth) -> None:
    answer = await served(auth, "middleware").get("/auth/me", headers={"origin": SPA})

    assert of_cors(answer) == {}


@pytest.mark.parametrize("ours", [[SPA], []], ids=["ours, too", "the host's alone"])
async def test_a_host_with_cors_around_us_doubles_nothing(ours: list[str]) -> None:
    async with make(cors_origins=ours) as auth:
        inner = AuthMiddleware(who, auth, mount="/auth")
        client = Client(CORSMiddleware(inner, allow_origins=[SPA], allow_methods=["POST"], allow_credentials=True))

        answer = await client.get("/auth/me", headers={"origin": SPA})
        preflight = await client.request("OPTIONS", "/auth/login", headers={"origin": SPA} | PREFLIGHT)

    for found in (of_cors(answer), of_cors(preflight)):
        assert found["allow-origin"] == SPA
        assert found["allow-credentials"] == "true"


async def test_pages_are_not_for_cors() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Pages()]
    async with make_auth(features=features, **BOTH) as auth:
        client = served(auth, "middleware")
        form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html", "origin": SPA}

        page = await client.get("/auth/login", headers={"origin": SPA})
        sent = await client.post("/auth/login", headers=form, body=b"email=x&password=y")
        endpoint = await client.post("/auth/login", ACCOUNT, headers={"origin": SPA})

    assert (page.status, of_cors(page)) == (200, {})
    assert (sent.header("content-type"), of_cors(sent)) == ("text/html; charset=utf-8", {})
    assert of_cors(endpoint)["allow-origin"] == SPA


async def test_a_setting_adds_headers_that_scripts_may_send() -> None:
    auth = make_auth(cors_origins=[PARTNER], cors_headers=["Sentry-Trace", "X-Request-ID", "x-team"])

    answer = await Client(AuthApp(auth)).request("OPTIONS", "/login", headers={"origin": PARTNER} | PREFLIGHT)

    allowed = (of_cors(answer)["allow-headers"] or "").split(", ")
    assert allowed[-2:] == ["sentry-trace", "x-team"]
    assert len(allowed) == len(set(allowed)) == 9
