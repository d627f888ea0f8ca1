"""The files of the client for browsers: served to caches and other origins, small, and of the endpoints that exist."""

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, AuthApp, AuthMiddleware, BrowserClient, Passwords, Sessions
from asgi_auth.feature import Feature
from asgi_auth.features.browser_client.declarations import declarations, typed
from tests.support import Client, call, http_scope, make_auth, unlimited, who

SCRIPT, TYPES = "/auth/client.js", "/auth/client.d.ts"
SPA = "https://spa.example.com"
#: The largest size of the script in bytes, compressed as servers do.
MOST = 5 * 1024


def with_client(*more: Feature, **settings: Any) -> Auth:
    features = [Passwords(argon2=Argon2.cheap()), *unlimited(mail=False), BrowserClient(), *more]
    return make_auth(features=features, **settings)


async def text_of(path: str, auth: Auth, **options: Any) -> str:
    """Return a file as an app serves it."""
    async with auth:
        answer = await Client(AuthMiddleware(who, AuthApp(auth, **options), mount="/auth")).get(path)
    assert answer.status == 200
    return answer.body.decode()


def test_the_script_is_at_most_five_kilobytes() -> None:
    script = Path("asgi_auth/features/browser_client/client.js").read_bytes()

    assert len(gzip.compress(script, 6)) <= MOST
    assert b"import " not in script


async def test_caches_ask_by_the_etag_and_scripts_of_other_origins_may_load_it() -> None:
    app = AuthMiddleware(who, with_client(cors_origins=[SPA], trusted_origins=[SPA]), mount="/auth")
    async with app.auth:
        for path, media_type in ((SCRIPT, "text/javascript"), (TYPES, "text/plain")):
            first = await call(app, http_scope("GET", path, [("origin", SPA)]))
            again = await call(app, http_scope("GET", path, [("if-none-match", first.header("etag") or "")]))
            head = await call(app, http_scope("HEAD", path))

            assert first.header("content-type") == f"{media_type}; charset=utf-8"
            assert first.header("cache-control") == "no-cache"
            assert first.header("access-control-allow-origin") == SPA
            assert first.header("x-content-type-options") == "nosniff"
            assert (again.status, again.body, head.status, head.body) == (304, b"", 200, b"")


async def test_it_knows_renamed_paths() -> None:
    renamed = {"login": "/sign-in"}

    assert 'const RENAMED = {"/login": "/sign-in"};' in await text_of(SCRIPT, with_client(), paths=renamed)
    assert 'login: { method: "POST"; path: "/sign-in";' in await text_of(TYPES, with_client(), paths=renamed)


async def test_the_types_name_the_endpoints_that_exist() -> None:
    auth = with_client()
    in_process = (await auth[BrowserClient].client_types()).text
    served = await text_of(TYPES, auth, exclude={"register"})

    assert "  register: {" in in_process
    assert "  register: {" not in served
    assert "  login: {" in served
    # No script can send the form of OAuth 2 by this client.
    assert "  token: {" not in served
    codes = re.search(r"export type KnownCode = (.+);", served)
    assert codes is not None
    assert {'"token_expired"', '"invalid_credentials"'} <= set(codes[1].split(" | "))
    assert "| unknown" not in served


def test_it_needs_the_endpoints_that_it_calls() -> None:
    with pytest.raises(ValueError, match="logout"):
        make_auth(features=[Passwords(argon2=Argon2.cheap()), BrowserClient()])
    with pytest.raises(ValueError, match="me"):
        make_auth(features=[Passwords(argon2=Argon2.cheap()), Sessions(), BrowserClient()])


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({}, "unknown"),
        ({"type": "array", "items": {"type": ["string", "null"]}}, "Array<string | null>"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "Record<string, number>"),
        ({"type": "object", "properties": {}}, "Record<string, never>"),
        ({"enum": ["a", None, 1]}, '"a" | null | 1'),
        ({"const": True}, "true"),
        ({"anyOf": [{"$ref": "#/components/schemas/User"}, {"type": "null"}]}, "Schema.User | null"),
        (
            {"type": "object", "properties": {"a-b": {"type": "boolean"}, "c": {}}, "required": ["a-b"]},
            '{ "a-b": boolean; c?: unknown | undefined }',
        ),
    ],
)
def test_a_schema_is_a_type(schema: dict[str, Any], expected: str) -> None:
    assert typed(schema) == expected


def test_a_summary_ends_no_comment() -> None:
    operation = {"operationId": "x", "summary": "*/ evil", "responses": {"204": {}}}
    found = declarations({"components": {"schemas": {}, "responses": {}}, "paths": {"/x": {"get": operation}}})

    assert "/** * / evil */" in found
