"""What every answer has and none has, spelled out here: taking a header away in the source fails a test."""

from typing import Any

import pytest

from asgi_auth import Argon2, Auth, AuthApp, AuthMiddleware, MagicLink, Outbox, Passwords
from asgi_auth.feature import Feature
from tests.security.naughty import NAUGHTY
from tests.security.test_authorization import name_of
from tests.support import EMAIL, PASSWORD, Answer, Client, bearer, login, make_auth, register, unlimited, who

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def every_feature() -> list[Feature]:
    return [Passwords(argon2=Argon2.cheap()), *unlimited(mail=True), MagicLink()]


ROUTES = list(AuthApp(make_auth(features=every_feature())).routes)
ACTING = [(path, route) for path, route in ROUTES if route.endpoint.method != "GET"]


async def answers(auth: Auth, client: Client) -> list[Answer]:
    """One answer of each kind: good, refused, not there, not allowed, without a body, and all of a user's own."""
    await register(auth)
    headers = bearer(await login(auth))
    return [
        await client.post("/auth/register", ACCOUNT),
        await client.post("/auth/login", ACCOUNT),
        await client.post("/auth/login", {}),
        await client.post("/auth/login", body=b"{"),
        await client.post("/auth/login", body=b"x" * 70_000, headers={"content-type": "application/json"}),
        await client.get("/auth/login"),
        await client.get("/auth/nothing"),
        await client.get("/auth/me"),
        await client.get("/auth/me", headers=headers),
        await client.get("/auth/me/export", headers=headers),
        await client.get("/auth/sessions", headers=headers),
        await client.request("HEAD", "/auth/me", headers=headers),
        await client.request("OPTIONS", "/auth/me"),
        await client.get("/auth/me", headers=[("authorization", "Bearer x")] * 2),
        await client.post("/auth/logout-all", headers=headers),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("content-security-policy", CSP),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", "no-store"),
    ],
)
async def test_every_answer_has_the_header(auth: Auth, client: Client, name: str, value: str) -> None:
    for answer in await answers(auth, client):
        assert answer.all(name) == [value]


async def test_no_answer_lets_another_origin_read_it(auth: Auth, client: Client) -> None:
    client.headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}

    for answer in await answers(auth, client):
        assert [name for name, _ in answer.headers if name.startswith("access-control-")] == []


async def test_every_body_is_json_and_says_so_whatever_the_query(auth: Auth, client: Client) -> None:
    await register(auth)
    for query in (b"", b"callback=x", b"jsonp=x&format=html"):
        good = await client.post("/auth/login", ACCOUNT, scope={"query_string": query})
        bad = await client.get("/auth/me", scope={"query_string": query}, headers={"accept": "text/html"})

        assert (good.header("content-type"), good.json["token_type"]) == ("application/json", "Bearer")
        assert (bad.header("content-type"), bad.json["status"]) == ("application/problem+json", 401)


@pytest.mark.parametrize("path", ["docs", "schema", "dev/mail", "debug", "metrics"])
async def test_nothing_is_shown_that_was_not_asked_for(client: Client, path: str) -> None:
    assert (await client.get(f"/auth/{path}")).status == 404


async def test_no_answer_names_what_it_is_made_with(auth: Auth, client: Client) -> None:
    tellers = {"server", "x-powered-by", "via", "x-aspnet-version"}

    for answer in await answers(auth, client):
        assert tellers & {name for name, _ in answer.headers} == set()
        assert not {b"asgi_auth", b"starlette", b"sqlite", b"python", b"msgspec"} & set(answer.body.lower().split())


async def test_no_endpoint_redirects(client: Client) -> None:
    for scheme in ("http", "https"):
        for path, route in ROUTES:
            for spelling in (path, path + "/"):
                answer = await client.request(route.endpoint.method, f"/auth{spelling}", scope={"scheme": scheme})
                assert answer.status >= 400 or answer.status in {200, 204}
                assert answer.header("location") is None


@pytest.mark.parametrize(("path", "route"), ACTING, ids=name_of)
async def test_what_acts_is_reached_by_its_own_method_only(path: str, route: Any) -> None:
    wanted = route.endpoint.method
    override = dict.fromkeys(("x-http-method-override", "x-http-method", "x-method-override"), wanted)
    async with make_auth(features=every_feature(), mailer=Outbox()) as auth:
        user_id = await register(auth)
        headers = bearer(await login(auth)) | override

        for method in ("GET", "HEAD", "PUT", "TRACE", "get", "POSTX"):
            scope = {"query_string": f"_method={wanted}".encode()}
            answer = await Client(AuthApp(auth)).request(method, path, headers=headers, scope=scope)
            assert answer.status == (200 if path == "/me" and method in {"GET", "HEAD"} else 405)
        assert (await auth.authenticate(headers["authorization"][7:])).id == user_id


@pytest.mark.parametrize("text", NAUGHTY, ids=range(len(NAUGHTY)))
async def test_nothing_that_was_sent_comes_back_in_a_header(auth: Auth, text: str) -> None:
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    sendable = text.encode("latin-1", "replace").decode("latin-1")
    strange = dict.fromkeys(("user-agent", "origin", "auth-transport", "x-request-id", "authorization"), sendable)

    found = [
        await client.post("/auth/login", {"email": text, "password": text}, headers=strange),
        await client.post("/auth/register", {"email": EMAIL, "password": PASSWORD, text: text}),
        await client.post(f"/auth/{text}", {}),
        await client.get("/auth/me", headers={"authorization": f"Bearer {sendable}"}),
        await client.get("/", headers={"cookie": f"__Host-auth={sendable}"}),
    ]

    for answer in found:
        assert answer.status in {200, 400, 401, 404, 422}
        assert answer.json is not None
        for name, value in answer.headers:
            assert not {"\r", "\n", "\0"} & set(name + value)
            assert len(text) < 4 or text not in value
