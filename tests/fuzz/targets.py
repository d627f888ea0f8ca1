"""What is fuzzed: each target takes bytes, and raises when something is wrong with the library.

A refusal by an error of ours below 500 is right; every other exception is a defect, and so is an answer that two
readings of the same input don't share.
"""

import asyncio
import json
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, get_args

import jwt
import msgspec
from jwt.utils import base64url_decode

from asgi_auth import Argon2, Auth, AuthApp, Passwords, Sessions
from asgi_auth.crypto import foreign_hashes
from asgi_auth.crypto.foreign_hashes import Flaw, UnusableHashError
from asgi_auth.errors import AuthError
from asgi_auth.model.records import Session
from asgi_auth.model.user_agent import device_name
from asgi_auth.validation.email_address import parse_email
from asgi_auth.web.body import JSON_TYPE, parse_body
from asgi_auth.web.client import client_of
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.credentials import CredentialReader
from asgi_auth.web.csrf import check_origin
from asgi_auth.web.headers import FORM_TYPE
from asgi_auth.web.paths import route_path
from tests.support import INSTALLATION, make_auth

SAMPLES = Path(__file__).parents[1] / "crypto" / "samples" / "hashes.json"
Headers = list[tuple[bytes, bytes]]
MAX_SECONDS = 2.0
USER_ID = "0197a3b2-7c1d-7e5f-8a9b-0c1d2e3f4a5b"


def a_scope(path: str = "/", headers: Headers | None = None, **more: Any) -> dict[str, Any]:
    """A request as servers give it."""
    client = ("192.0.2.1", 1)
    return {"type": "http", "method": "POST", "path": path, "headers": headers or [], "client": client, **more}


@cache
def an_auth() -> Auth:
    """One for all inputs, behind a proxy."""
    features = [Passwords(argon2=Argon2.cheap()), Sessions()]
    auth = make_auth(features=features, trusted_proxies=["192.0.2.0/24"], transport="cookie")
    # As if it had started: the keys depend on the installation.
    auth.keys.bind(INSTALLATION)
    return auth


def json_body(data: bytes) -> None:
    """An object that reads the same for the standard library, or a refusal."""
    value = parse_body(a_scope(headers=[(b"content-type", JSON_TYPE.encode())]), data, JSON_TYPE)
    if data and (not isinstance(value, dict) or json.loads(data) != value):
        raise AssertionError(value)
    msgspec.json.encode(value)


def form_body(data: bytes) -> None:
    """Texts that can be encoded again, or a refusal."""
    value = parse_body(a_scope(headers=[(b"content-type", FORM_TYPE.encode())]), data, FORM_TYPE)
    for name, text in value.items():
        (name + text).encode()


def body_headers(data: bytes) -> None:
    """Content types and codings in every shape."""
    first, _, rest = data.partition(b"\n")
    second, _, body = rest.partition(b"\n")
    headers = [(b"content-type", first), (b"content-encoding", second)]
    parse_body(a_scope(headers=headers if second else headers[:1]), body, JSON_TYPE)


@cache
def a_token() -> str:
    """A token that is good."""
    now = int(time.time())
    times: dict[str, Any] = dict.fromkeys(("created_at", "last_used_at", "rotated_at", "auth_time"), now)
    session = Session(id="018f0000-0000-7000-8000-000000000000", user_id=USER_ID, expires_at=now + 10**6, **times)
    return an_auth().access_tokens.make(session, ("admin",), {})[0]


def access_token(data: bytes) -> None:
    """Only the very token is good: no other spelling of it, and nothing else."""
    text = data.decode("latin-1")
    an_auth().access_tokens.read(text)
    if text != a_token():
        raise AssertionError(text)


def signed_payload(data: bytes) -> None:
    """Even with our own signature only what we could have written is read."""
    auth = an_auth()
    key = auth.keys.signing[0]
    token = jwt.PyJWS().encode(data, key.private, key.algorithm, headers=key.header)
    claims, raw = auth.access_tokens.read(token)
    if msgspec.json.encode(raw) != data or json.loads(data) != raw or raw["sub"] != claims.sub:
        raise AssertionError(data)


def refresh_token(data: bytes) -> None:
    """Nothing that was not made with the key is genuine."""
    an_auth().refresh_tokens.read(data.decode("latin-1"))
    raise AssertionError(data)


def headers(data: bytes) -> None:
    """Credentials, origin, addresses, languages and agents from lines of headers."""
    names = (b"authorization", b"cookie", b"origin", b"sec-fetch-site", b"x-forwarded-for", b"accept-language",
             b"user-agent", b"x-request-id", b"host")  # fmt: skip
    lines = data.split(b"\n")
    found = [(names[line[0] % len(names)], line[1:]) for line in lines if line]
    auth, scope = an_auth(), a_scope(headers=found)
    client = client_of(scope, auth.settings)
    client.address.encode()
    device_name(client.user_agent)
    auth.texts.choose(client.accept_language)
    CredentialReader(Cookies(auth.settings)).read(scope)
    check_origin(scope, auth.settings)


def email(data: bytes) -> None:
    """The canonical form of a canonical form is itself."""
    canonical = parse_email(data.decode("utf-8", "surrogateescape")).canonical
    if parse_email(canonical).canonical != canonical or any(char.isspace() for char in canonical):
        raise AssertionError(canonical)


def path(data: bytes) -> None:
    """Every path has one reading, wherever the app is mounted."""
    first, _, second = data.decode("utf-8", "replace").partition("\n")
    found = route_path(a_scope(first, root_path=second))
    if found is not None:
        if not found.startswith("/") or (found != "/" and found.endswith("/")):
            raise AssertionError(found)
        an_app().routes.find(found, "GET")


@cache
def an_app() -> AuthApp:
    return AuthApp(an_auth())


@cache
def a_loop() -> asyncio.AbstractEventLoop:
    """A loop that has the storage open, for as long as the process lives."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(an_auth().start())
    return loop


def app(data: bytes) -> None:
    """A whole request: any method, path, headers and body; never a 5xx."""
    start, _, body = data.partition(b"\n\n")
    line, *lines = start.split(b"\n")
    method, _, where = line.decode("latin-1").partition(" ")
    pairs = [(name.lower().strip(), value.strip()) for name, _, value in (each.partition(b":") for each in lines)]
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    scope = a_scope("/" + where.lstrip("/"), pairs, method=method.upper() or "GET", root_path="", query_string=b"")
    a_loop().run_until_complete(an_app()({**scope, "method": scope["method"]}, receive, send))
    if len(statuses) != 1 or not 200 <= statuses[0] < 500:
        raise AssertionError(statuses)


def seeds(name: str) -> list[bytes]:
    """Where to begin."""
    if name == "access_token":
        return [a_token().encode()]
    if name == "signed_payload":
        return [base64url_decode(a_token().split(".")[1])]
    return SEEDS[name]


def foreign_hash(data: bytes) -> None:
    """A hash of another system in any shape: a check that stays within the bounds, or a refusal."""
    try:
        foreign_hashes.parse(data.decode("utf-8", "surrogateescape"))
    except UnusableHashError as error:
        if error.flaw not in get_args(Flaw):
            raise AssertionError(error.flaw) from error


#: The targets, and how many inputs the recorded run gives to each.
TARGETS: dict[Callable[[bytes], None], int] = {
    json_body: 2_500_000,
    form_body: 1_500_000,
    body_headers: 500_000,
    access_token: 1_500_000,
    signed_payload: 500_000,
    refresh_token: 1_000_000,
    headers: 1_500_000,
    email: 500_000,
    path: 1_000_000,
    app: 100_000,
    foreign_hash: 1_000_000,
}
NAMED = {target.__name__: target for target in TARGETS}
SEEDS = {
    "json_body": [b"{}", b'{"a": [1, -2.5e3, null, true], "b": {"c": "\\u00e9"}}', b'{"a":1,"a":2}'],
    "form_body": [b"a=1&b=%20", b"grant_type=password&username=a%40b.c&password=x"],
    "body_headers": [b"application/json; charset=utf-8\n\n{}", b"application/json\ngzip\n{}"],
    "refresh_token": [b"018f0000-0000-7000-8000-000000000000.0." + b"A" * 43],
    "headers": [b"\0Bearer a.b.c\n\1__Host-auth=x", b"\4 192.0.2.1, ::1\n\5de;q=0.5, en"],
    "email": [b"ada@example.com", "ädä@bücher.example".encode(), b'"a b"@[127.0.0.1]'],
    "path": [b"/auth/login\n/auth", b"/sessions/x", b"//a/../b\n/"],
    "app": [b'POST /login\ncontent-type: application/json\n\n{"email":"a@b.c","password":"x"}', b"GET /me"],
    "foreign_hash": [sample["hash"].encode() for sample in json.loads(SAMPLES.read_text("utf-8"))["samples"]],
}


def run(name: str, data: bytes) -> None:
    """Give one input to a target; refusals are right, what is slow is not."""
    started = time.monotonic()
    try:
        NAMED[name](data)
    except AuthError as error:
        if error.status >= 500:
            raise
    if time.monotonic() - started > MAX_SECONDS:
        raise AssertionError(f"{name} took {time.monotonic() - started} seconds")
