"""No text of a request costs much more than ASCII of its length: each reader gets the worst 64 KiB (CWE-407)."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import pytest

from asgi_auth import AuthApp, PasswordPolicy, Passwords, Settings
from asgi_auth._typed_text import composed, plain_code
from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import AuthError
from asgi_auth.feature import Event
from asgi_auth.model.records import is_id
from asgi_auth.pages.query import query_of
from asgi_auth.sessions.tokens import AccessTokens, RefreshTokens
from asgi_auth.texts import Texts
from asgi_auth.validation.email_address import canonical_or_none, parse_email
from asgi_auth.validation.origins import host_of
from asgi_auth.validation.targets import is_local_path
from asgi_auth.web.body import parse_body, parse_form, parse_json
from asgi_auth.web.client import client_of
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.credentials import CredentialReader
from asgi_auth.web.csrf import check_origin
from asgi_auth.web.headers import is_browser_form
from asgi_auth.web.paths import below_root
from asgi_auth.web.responses import answer, cacheable
from tests.support import EMAIL, SECRET, Client, http_scope, make_auth

SIZE = 65_536
#: The most that a text may cost, as a multiple of ASCII of the same length.
RATIO = 20
#: Below this a ratio is noise, in seconds.
FLOOR = 0.002
SETTINGS = Settings(secret=SECRET, trusted_proxies=["10.0.0.0/8"])
NO_URL = Settings(secret=SECRET)
KEYS = KeyRing(SETTINGS.secrets, [], "issuer", "audience")
KEYS.bind("installation")
ACCESS, REFRESH = AccessTokens(SETTINGS, KEYS, time.time, is_id), RefreshTokens(KEYS)
READER = CredentialReader(Cookies(SETTINGS))
LOGIN = next(item for item in Passwords().endpoints if item.name == "login")
TEXTS = Texts("en", {}, [])
MARKS = "\u0344" * 16_000 + "\u0323" * 16_000
WORST = {
    "marks of two classes": MARKS,
    "an address of marks": f"{MARKS}@example.com",
    "a domain of marks": f"a@a{MARKS}",
    "marks to compose": "a" + "\u0301\u0323" * 15_000,
    "ligatures": "\ufdfa" * 20_000,
    "labels": "a@" + "ü." * 20_000 + "com",
    "spaces": " " * SIZE,
    "commas": "," * SIZE,
    "semicolons": ";" * SIZE,
    "percent signs": "%25" * (SIZE // 3),
    "nested": "[" * SIZE,
    "dots": "a." * (SIZE // 2),
    "pairs": "a=b&" * (SIZE // 4),
    "languages": "a-b-c-d-e-f-g-h;q=0.5," * (SIZE // 22),
    "addresses": "1.1.1.1," * (SIZE // 8),
    "quotes": '"' * SIZE,
    "escaped quotes": ';a="' + "\\" * (SIZE - 8) + '"',
    "pairs of Forwarded": "for=1.1.1.1;by=x," * (SIZE // 17),
    "cookies of ours": "__Host-auth=a.b.c; " * (SIZE // 19),
    "refresh cookies of ours": f"__Host-auth-refresh={'a' * 80}; " * (SIZE // 102),
    "an international host": "ü" * 32_000,
    "labels of a host": "a." * (SIZE // 2) + "com",
    "punycode": "xn--" + "a" * SIZE,
    "digits of another script": "\uff11" * 21_000,
    "hyphens": "-" * SIZE,
    "invisible marks": "\u200b" * 21_000,
    "one repeated piece": "ab" * (SIZE // 2),
    "almost one repeated piece": "a" * (SIZE - 1) + "b",
    "up": "/.." * (SIZE // 3),
    "null characters": "\0" * SIZE,
}


def headers(text: str, *names: str) -> dict[str, Any]:
    """A scope whose headers hold the text."""
    scope = http_scope("GET", "/", client=("10.0.0.1", 1))
    scope["headers"] = [(name.encode(), text.encode()) for name in names]
    return dict(scope)


def with_host(scope: dict[str, Any]) -> dict[str, Any]:
    """A scope whose host is the text as well."""
    return scope | {"headers": [*scope["headers"], (b"host", scope["text"].encode())]}


def host_or_none(text: str) -> str | None:
    """Read a host, as settings and the check of the origin do."""
    with suppress(ValueError):
        return host_of(text)
    return None


Prepare = Callable[[str], Any]
Read = Callable[[Any], object]
#: What makes a request of the text, which is not measured, and what reads it.
READERS: dict[str, tuple[Prepare, Read]] = {
    "an address": (str, parse_email),
    "the canonical form of an address": (str, canonical_or_none),
    "JSON": (lambda text: json.dumps({"a": text}).encode(), parse_json),
    "bare JSON": (str.encode, parse_json),
    "a form": (lambda text: f"a={quote(text[: SIZE // 6])}".encode(), parse_form),
    "a bare form": (str.encode, parse_form),
    "a query": (lambda text: {"query_string": text.encode()}, query_of),
    "the client": (
        lambda text: headers(text, "user-agent", "accept-language", "x-request-id"),
        lambda scope: client_of(scope, SETTINGS),
    ),
    "X-Forwarded-For": (lambda text: headers(text, "x-forwarded-for"), lambda scope: client_of(scope, SETTINGS)),
    "Forwarded": (lambda text: headers(text, "forwarded"), lambda scope: client_of(scope, SETTINGS)),
    "X-Real-IP": (lambda text: headers(text, "x-real-ip"), lambda scope: client_of(scope, SETTINGS)),
    "a content type": (
        lambda text: headers(f"application/json;{text}", "content-type"),
        lambda scope: parse_body(scope, b"{}", "application/json"),
    ),
    "an origin": (
        lambda text: headers(text, "origin", "host"),
        lambda scope: check_origin(scope, Settings(secret=SECRET)),
    ),
    "the host of an origin": (
        lambda text: headers(f"https://{text}", "origin") | {"text": text},
        lambda scope: check_origin(with_host(scope), NO_URL),
    ),
    "the host of a URL": (str, host_or_none),
    "a form for a browser": (lambda text: headers(text, "content-type", "accept"), is_browser_form),
    "tags of a cache": (
        lambda text: headers(text, "if-none-match"),
        lambda scope: cacheable(answer(200, {}), [value.decode() for _, value in scope["headers"]]),
    ),
    "a code": (str, plain_code),
    "a password to verify": (str, composed),
    "a subprotocol": (
        lambda text: headers("", "accept") | {"type": "websocket", "subprotocols": [f"bearer.{text}"]},
        READER.read,
    ),
    "a target below a path": (str, lambda text: below_root("/app", text)),
    "fields of a body": (
        lambda text: {"email": text[:32_000], "password": text[32_000:], text[:100]: text},
        lambda values: LOGIN.check(LOGIN.fields, values),
    ),
    "credentials": (lambda text: headers(text, "authorization"), READER.read),
    "cookies": (lambda text: headers(text, "cookie"), READER.read),
    "languages": (str, TEXTS.choose),
    "an access token": (str, ACCESS.read),
    "a refresh token": (str, REFRESH.read),
    "a path": (str, is_local_path),
    "a new password": (str, lambda text: PasswordPolicy().check(text, user_words=(EMAIL,))),
}


def seconds(read: Read, request: object) -> float:
    """The shortest of three times, of the processor: other processes do not count."""
    times = []
    for _ in range(3):
        start = time.thread_time()
        with suppress(AuthError):
            read(request)
        times.append(time.thread_time() - start)
    return min(times)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("worst", WORST)
def test_no_text_costs_much_more_than_ascii(reader: str, worst: str) -> None:
    (prepare, read), text = READERS[reader], WORST[worst]
    plain = max(FLOOR, seconds(read, prepare("a" * len(text.encode()))))

    assert seconds(read, prepare(text)) <= RATIO * plain


FORM = [("content-type", "application/x-www-form-urlencoded")]
JSON = [("content-type", "application/json")]


@pytest.mark.parametrize("path", ["/login", "/register", "/forgot-password", "/token"])
async def test_a_refused_request_costs_no_more_than_one_of_ascii(path: str) -> None:
    """Its event names no account by a text that no address can have."""
    seen: list[Event] = []
    async with make_auth(mailer=print) as auth:
        auth.on("input", seen.append, outcome="failure")
        client = Client(AuthApp(auth))

        async def refused(text: str) -> float:
            start = time.thread_time()
            if path == "/token":
                body = f"grant_type=password&password=x&username={quote(text[:10_000])}".encode()
            else:
                body = json.dumps({"email": text}, ensure_ascii=False).encode()
            answer = await client.post(path, body=body, headers=FORM if path == "/token" else JSON)
            assert answer.status in {400, 422}
            return time.thread_time() - start

        plain = max(FLOOR, min([await refused("a" * 64_000) for _ in range(3)]))
        worst = min([await refused(f"{MARKS}@a.b") for _ in range(3)])

    assert worst <= RATIO * plain
    assert len(seen) == 6
    assert [event.data for event in seen if "account" in event.data] == []
