"""Paths at the root of the host: an exact list, before the host, from the app that serves their endpoint."""

from collections.abc import Mapping
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp

from asgi_auth import AuthApp, AuthMiddleware, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.feature import Feature, Line, RootPath, get
from tests.support import Client, bearer, login, make_auth, register, who

BOOK = "/.well-known/books/a/b"


class Books(Feature):
    """Shows a book, at the root of the host as well."""

    def __init__(self, root: str = BOOK, endpoint: str = "book") -> None:
        self.root = root
        self.endpoint = endpoint

    @property
    def root_paths(self) -> Mapping[str, RootPath]:
        return {self.root: RootPath(self.endpoint, {"name": "a/b"})}

    @get("/books/{name}", cacheable=True, max_age=60, any_origin=True)
    async def book(self, *, name: Line) -> dict[str, str]:
        """Return the name."""
        return {"name": name}


class Other(Feature):
    """Wants the same path."""

    root_paths: Mapping[str, RootPath] = {BOOK: RootPath("page")}

    @get("/page")
    async def page(self) -> None:
        """Return nothing."""


def make(*more: Feature, **settings: Any) -> Any:
    return make_auth(features=[Passwords(argon2=Argon2.cheap()), Sessions(), Books(), *more], **settings)


def hosted(how: str, auth: Any) -> ASGIApp:
    if how == "middleware":
        return AuthMiddleware(who, auth, mount="/auth")
    if how == "required":
        return AuthMiddleware(who, auth, mount="/auth", required=True)
    mounted = Starlette(routes=[Mount("/auth", AuthApp(auth)), Mount("/", who)])
    return AuthMiddleware(mounted, auth)


@pytest.mark.parametrize("how", ["middleware", "required", "mounted"])
async def test_the_middleware_serves_exactly_the_listed_paths_before_the_host(how: str) -> None:
    async with make() as auth:
        await register(auth)
        client = Client(hosted(how, auth), headers=bearer(await login(auth)))

        found = await client.get(BOOK, headers={"origin": "https://anywhere.example"})
        known = await client.get(BOOK, headers={"if-none-match": found.header("etag") or ""})
        prefixed = await client.get(f"/x{BOOK}")
        others = [await client.get(path) for path in (f"{BOOK}/c", "/.well-known/books", "/.well-known/books/A/b")]
        wrong = await client.post(BOOK, {})
        asked = {"origin": "https://anywhere.example", "access-control-request-method": "GET"}
        preflight = await client.request("OPTIONS", BOOK, headers=asked)
        behind = await client.get(f"/app{BOOK}", scope={"root_path": "/app"})

    assert (found.status, found.json, known.status) == (200, {"name": "a/b"}, 304)
    assert {answer.header("cache-control") for answer in (found, known)} == {"public, max-age=60"}
    assert (found.header("access-control-allow-origin"), found.header("set-cookie")) == ("*", None)
    assert preflight.header("access-control-allow-methods") == "GET, HEAD, OPTIONS"
    assert preflight.header("access-control-allow-origin") == "*"
    assert (behind.status, behind.json, wrong.status) == (200, {"name": "a/b"}, 405)
    assert all("transport" in answer.json for answer in (*others, prefixed))


async def test_a_visitor_needs_no_login_there() -> None:
    async with make() as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth", required=True))

        statuses = [(await client.get(path)).status for path in (BOOK, "/.well-known/other")]

    assert statuses == [200, 401]


async def test_bad_credentials_do_not_matter_where_scripts_of_every_site_may_call() -> None:
    async with make() as auth:
        headers = [("authorization", "Bearer a"), ("authorization", "Bearer b"), ("cookie", "__Host-auth=x")]

        answer = await Client(AuthApp(auth)).get("/books/b", headers=headers)

    assert (answer.status, answer.json) == (200, {"name": "b"})


async def test_an_endpoint_that_is_left_out_is_not_at_the_root() -> None:
    async with make() as auth:
        client = Client(AuthMiddleware(who, AuthApp(auth, exclude=["book"]), mount="/auth"))

        assert "transport" in (await client.get(BOOK)).json


def test_two_features_cannot_have_one_path_and_other_paths_are_refused() -> None:
    with pytest.raises(ValueError, match="two features want it"):
        AuthApp(make(Other()))
    with pytest.raises(ValueError, match="is not below"):
        AuthApp(make_auth(features=[Sessions(), Books("/books/a/b")]))


async def test_routes_without_the_middleware_are_a_finding() -> None:
    async with make() as auth, make() as wrapped:
        before = auth.check()
        await Client(Starlette(routes=[Mount("/auth", AuthApp(auth))])).get("/auth/books/x")
        await Client(AuthMiddleware(who, wrapped, mount="/auth")).get("/auth/books/x")
        (finding,) = [item for item in auth.check() if item not in before]

        assert (finding.setting, BOOK in finding.reason) == ("AuthMiddleware", True)
        assert [item.setting for item in wrapped.check()] == [item.setting for item in before]


def test_an_endpoint_for_every_site_knows_no_caller() -> None:
    class Mixed(Feature):
        @get("/mixed", any_origin=True)
        async def mixed(self, *, identity: Any = None) -> None:
            """Return nothing."""

    Mixed.mixed.endpoint.hints = {"identity": object, "return": None}  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match="knows no caller"):
        make_auth(features=[Sessions(), Mixed()])
