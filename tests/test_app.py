"""The app: one shape for every error, the same headers on every answer, and no error beyond its own edge."""

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest

import asgi_auth.errors
from asgi_auth import Auth, AuthApp, AuthError, problem
from asgi_auth.errors import (
    AccountDisabledError,
    BadRequestError,
    BusyError,
    InternalError,
    InvalidTokenError,
    MethodNotAllowedError,
    SecondFactorRequiredError,
    StorageUnavailableError,
    UnauthorizedError,
    ValidationError,
)
from asgi_auth.feature import Feature, post
from asgi_auth.openapi.schemas import OAuth2Error, Problem
from asgi_auth.web.responses import HEADERS, oauth2_problem
from tests.browsers import ACCESS, REFRESH
from tests.support import EMAIL, PASSWORD, Answer, Client, bearer, call, http_scope, login, make_auth, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
CLASSES = [kind for kind in vars(asgi_auth.errors).values() if isinstance(kind, type) and issubclass(kind, AuthError)]


def is_plain(answer: Answer) -> bool:
    """Whether the headers of every answer of ours are there, once each."""
    return all(answer.all(name) == [value] for name, value in HEADERS.items())


@pytest.mark.parametrize("kind", CLASSES)
def test_the_document_knows_the_members_of_every_error(kind: type[AuthError]) -> None:
    error = kind.example()

    assert error.members().keys() <= set(Problem.__struct_fields__)
    assert error.oauth2_members().keys() <= set(OAuth2Error.__struct_fields__)


@pytest.mark.parametrize("kind", CLASSES)
async def test_every_error_is_a_problem_of_one_shape(kind: type[AuthError]) -> None:
    error = kind.example()

    answer = await call(problem(error), http_scope("POST", "/"))

    assert answer.status == kind.status == answer.json["status"]
    assert answer.header("content-type") == "application/problem+json"
    assert answer.json.keys() - {"errors", "factors", "pending", "expires_in", "reason", "until", "scopes"} == {
        "type",
        "title",
        "status",
        "code",
        "detail",
    }
    assert (answer.json["type"], answer.json["code"]) == ("about:blank", kind.code)
    assert answer.json["detail"].endswith(".")
    assert "errors" in answer.json or not isinstance(error, ValidationError)
    # A client learns from the challenge which scopes it needs (RFC 6750, section 3.1).
    challenged = kind.status == 401 or kind.code == "insufficient_scope"
    assert (answer.header("www-authenticate") is not None) == challenged
    assert answer.header("retry-after") == {503: "2", 429: "60"}.get(kind.status)
    assert is_plain(answer)


def test_the_drawn_tree_shows_every_error_of_the_library_below_its_base() -> None:
    load_every_module()
    drawn = re.findall(r"^([│ ]*)[├└]── (\w+Error) +(\d{3}) (\w+)$", asgi_auth.errors.__doc__ or "", re.MULTILINE)

    depths = {name: len(before) // 4 + 1 for before, name, _, _ in drawn}
    assert {(name, status, code) for _, name, status, code in drawn} == {
        (kind.__name__, str(kind.status), kind.code) for kind in below(AuthError)
    }
    assert depths == {
        kind.__name__: sum(issubclass(each, AuthError) for each in kind.__mro__) - 1 for kind in below(AuthError)
    }


def load_every_module() -> None:
    for module in pkgutil.walk_packages(asgi_auth.__path__, "asgi_auth."):
        if not module.name.startswith(("asgi_auth.hosts.", "asgi_auth.__main__")):
            importlib.import_module(module.name)


def below(kind: type[AuthError]) -> list[type[AuthError]]:
    """All errors of the library under one."""
    found = [each for sub in kind.__subclasses__() for each in (sub, *below(sub))]
    return [each for each in found if each.__module__.startswith("asgi_auth.")]


@pytest.mark.parametrize(
    ("error", "status", "name"),
    [
        (InvalidTokenError(), 400, "invalid_grant"),
        (AccountDisabledError(), 400, "invalid_grant"),
        (ValidationError({}), 400, "invalid_request"),
        (BadRequestError(), 400, "invalid_request"),
        (InternalError(), 500, "server_error"),
        (BusyError(), 503, "temporarily_unavailable"),
    ],
)
async def test_the_token_endpoint_has_the_error_format_of_oauth_2(error: AuthError, status: int, name: str) -> None:
    answer = await call(oauth2_problem(error), http_scope("POST", "/"))

    assert (answer.status, answer.json) == (status, {"error": name, "error_description": error.detail})
    assert answer.header("www-authenticate") is None
    assert answer.header("retry-after") == ("2" if status == 503 else None)


async def test_the_challenge_names_an_error_only_when_a_token_was_shown(client: Client) -> None:
    without = await client.get("/auth/me")
    with_token = await client.get("/auth/me", headers=bearer("x.y.z"))

    assert without.all("www-authenticate") == ["Bearer"]
    assert with_token.all("www-authenticate") == [
        'Bearer error="invalid_token", error_description="The token is not valid."'
    ]


async def test_other_methods_are_a_405_that_names_the_right_ones(client: Client) -> None:
    login_by_get = await client.get("/auth/login")
    sessions_by_post = await client.post("/auth/sessions")

    assert (login_by_get.status, login_by_get.header("allow")) == (405, "OPTIONS, POST")
    assert (sessions_by_post.status, sessions_by_post.header("allow")) == (405, "GET, HEAD, OPTIONS")
    assert MethodNotAllowedError().headers == [("allow", "")]


async def test_options_names_the_methods_and_needs_no_login(client: Client) -> None:
    answer = await client.request("OPTIONS", "/auth/me")

    assert (answer.status, answer.header("allow"), answer.body) == (204, "GET, HEAD, OPTIONS, PATCH", b"")
    assert answer.header("content-length") is None
    assert is_plain(answer)


async def test_head_is_get_without_the_body(auth: Auth, client: Client) -> None:
    await register(auth)
    headers = bearer(await login(auth))

    get = await client.get("/auth/me", headers=headers)
    head = await client.request("HEAD", "/auth/me", headers=headers)

    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == get.header("content-length") == str(len(get.body))
    assert (await client.request("HEAD", "/auth/login")).status == 405


@pytest.mark.parametrize("path", ["/auth", "/auth/", "/auth/nothing", "/auth/login/x", "/auth//login", "/auth/LOGIN"])
async def test_what_is_not_there_is_a_404(client: Client, path: str) -> None:
    answer = await client.post(path, ACCOUNT)

    assert (answer.status, answer.json["code"]) == (404, "not_found")
    assert is_plain(answer)


async def test_a_slash_at_the_end_makes_no_difference(client: Client) -> None:
    answer = await client.post("/auth/register/", ACCOUNT)

    assert answer.status == 201


async def test_the_same_headers_and_an_exact_length_are_on_every_answer(auth: Auth, client: Client) -> None:
    answers = [
        await client.post("/auth/register", ACCOUNT),
        await client.post("/auth/register", ACCOUNT),
        await client.post("/auth/login", ACCOUNT),
        await client.post("/auth/login", {}),
        await client.post("/auth/login", body=b"{"),
        await client.get("/auth/me"),
        await client.get("/auth/me", headers=bearer(await login(auth))),
        await client.post("/auth/token", body=b"x"),
        await client.get("/auth/none"),
        await client.get("/auth/me", headers=[("authorization", "Bearer x")] * 2),
    ]

    for answer in answers:
        assert is_plain(answer)
        assert answer.all("content-length") == [str(len(answer.body))]
        assert answer.header("strict-transport-security") is None


async def test_strict_transport_security_can_be_had() -> None:
    async with make_auth(hsts=True) as auth:
        client = Client(AuthApp(auth))

        for answer in (await client.get("/me"), await client.post("/register", ACCOUNT), await client.get("/x")):
            assert answer.header("strict-transport-security") == "max-age=31536000; includeSubDomains"


async def test_what_breaks_is_a_500_without_details_and_a_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Feature):
        @post("/broken")
        async def broken(self) -> None:
            raise RuntimeError("auth_users")

    client = Client(AuthApp(make_auth(features=[Broken()])))

    answer = await client.post("/broken", {})

    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert is_plain(answer)
    assert "auth_" not in answer.body.decode()
    assert "asgi_auth failed to answer POST" in caplog.text


async def test_a_database_that_is_away_is_a_503_and_never_a_401(tmp_path: Path) -> None:
    auth = make_auth(f"sqlite:///{tmp_path}/no/such/folder/auth.db")
    client = Client(AuthApp(auth))

    for answer in (await client.post("/login", ACCOUNT), await client.get("/me", headers=bearer("x.y.z"))):
        assert (answer.status, answer.json["code"]) == (503, StorageUnavailableError.code)
        assert answer.header("retry-after") == "2"


@pytest.mark.parametrize("asked", ["both", "", "Cookie", "bearer, cookie"])
async def test_an_unknown_auth_transport_is_refused(client: Client, asked: str) -> None:
    answer = await client.post("/auth/login", ACCOUNT, headers={"auth-transport": asked})

    assert (answer.status, answer.json["code"]) == (400, "bad_request")


async def test_a_doubled_auth_transport_is_refused(client: Client) -> None:
    answer = await client.post("/auth/login", ACCOUNT, headers=[("auth-transport", "bearer")] * 2)

    assert answer.status == 400


async def test_a_host_may_send_a_problem_itself() -> None:
    answer = await call(problem(SecondFactorRequiredError(["otp"])), http_scope("GET", "/"))

    assert (answer.status, answer.json["factors"]) == (401, ["otp"])
    assert UnauthorizedError().headers == [("www-authenticate", "Bearer")]


async def test_the_app_alone_knows_who_asks_and_sets_renewed_cookies_on_errors_too(auth: Auth, clock: Any) -> None:
    await register(auth)
    browser = Client(AuthApp(auth), {"auth-transport": "cookie", "sec-fetch-site": "same-origin"}, keep_cookies=True)
    await browser.post("/login", ACCOUNT)
    before = dict(browser.cookies)
    clock.move(1000)

    answer = await browser.post("/change-password", {"wrong": 1})

    assert answer.status == 422
    assert answer.cookies.keys() == {ACCESS, REFRESH}
    assert answer.cookies != before
    clock.move(60)
    assert (await browser.get("/me")).status == 200
