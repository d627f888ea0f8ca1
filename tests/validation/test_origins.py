"""Hosts and origins in the form that browsers send, whatever form the operator writes."""

import pytest

from asgi_auth import AuthApp, AuthMiddleware, Settings
from asgi_auth.validation.origins import base_url_of, host_of, listed_origin, origin_of
from tests.support import EMAIL, PASSWORD, SECRET, Client, call, http_scope, make_auth, register, who

#: A spelling, and how browsers write it.
SPELLINGS = [
    ("https://App.Example.com", "https://app.example.com"),
    ("HTTPS://app.example.com", "https://app.example.com"),
    ("https://app.example.com:443", "https://app.example.com"),
    ("https://app.example.com:0443", "https://app.example.com"),
    ("https://app.example.com:", "https://app.example.com"),
    ("https://app.example.com:80", "https://app.example.com:80"),
    ("https://bücher.example", "https://xn--bcher-kva.example"),
    ("https://BÜCHER.example:8443", "https://xn--bcher-kva.example:8443"),
    ("https://bu\u0308cher.example", "https://xn--bcher-kva.example"),
    ("https://xn--BCHER-kva.example", "https://xn--bcher-kva.example"),
    ("https://straße.example", "https://xn--strae-oqa.example"),
    ("https://例え.テスト", "https://xn--r8jz45g.xn--zckzah"),
    ("https://\uff41\uff50\uff50.example\u3002com", "https://app.example.com"),
    ("https://[2001:DB8:0:0::1]:8443", "https://[2001:db8::1]:8443"),
    ("https://[0:0:0:0:0:0:0:1]", "https://[::1]"),
    ("https://[2001:db8:0:1:0:0:0:1]", "https://[2001:db8:0:1::1]"),
    ("https://[2001:db8:0:0:1:0:0:1]", "https://[2001:db8::1:0:0:1]"),
    ("https://[1:0:2:0:3:0:4:0]", "https://[1:0:2:0:3:0:4:0]"),
    ("https://[::ffff:192.0.2.1]", "https://[::ffff:c000:201]"),
    ("https://192.0.2.1:443", "https://192.0.2.1"),
]
NONE = [
    "app.example.com", "https:app.example.com", "https://", "https://:443", "https:///x", "https://a..example",
    "https://-a.example", "https://ex%61mple.com", "https://a b.example", " https://a.example", "https://a.example\n",
    "https://a\\b.example", "https://127.1", "https://0x7f.0.0.1", "https://1.2.3.256", "https://[::1",
    "https://[fe80::1%25eth0]", "https://[::1]x", "https://a.example:65536", "https://a.example:0",
    "https://a.example:x", "https://☃.example", "https://" + "a" * 64 + ".example",
]  # fmt: skip


@pytest.mark.parametrize(("text", "origin"), SPELLINGS)
def test_an_origin_is_written_as_browsers_write_it(text: str, origin: str) -> None:
    assert origin_of(f"{text}/path?query") == listed_origin(text) == listed_origin(origin) == origin
    settings = Settings(secret=SECRET, base_url=text, trusted_origins=[text], cors_origins=[text])
    assert (settings.base_url, settings.origin) == (origin, origin)
    assert settings.trusted_origins == settings.cors_origins == (origin,)


@pytest.mark.parametrize("text", NONE)
def test_what_browsers_read_differently_is_refused(text: str) -> None:
    for read in (origin_of, listed_origin, base_url_of):
        with pytest.raises(ValueError, match=r"\w"):
            read(text)


def test_a_base_url_keeps_its_path_encoded_and_without_a_slash_at_the_end() -> None:
    assert base_url_of("https://APP.example.com/") == "https://app.example.com"
    assert base_url_of("https://app.example.com/Größe/x%20y/") == "https://app.example.com/Gr%C3%B6%C3%9Fe/x%20y"


@pytest.mark.parametrize(
    "origin",
    [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "app://obsidian.md",
        "chrome-extension://aapbdbdomjkkjkaonfhkkikfgjllcleb",
        "moz-extension://0f2c8a8e-4a0b-4a3e-9a55-2f6a5e1c9d11",
        "safari-web-extension://0F2C8A8E-4A0B-4A3E-9A55-2F6A5E1C9D11",
        "http://localhost",
        "http://tauri.localhost",
    ],
)
async def test_an_app_or_extension_is_listed_exactly(origin: str) -> None:
    auth = make_auth(cors_origins=[origin], trusted_origins=[origin])
    client = Client(AuthApp(auth))

    preflight = await client.request(
        "OPTIONS", "/login", headers={"origin": origin, "access-control-request-method": "POST"}
    )
    other = await client.get("/me", headers={"origin": f"{origin}x"})

    assert preflight.header("access-control-allow-origin") == origin
    assert preflight.header("access-control-allow-credentials") == "true"
    assert other.header("access-control-allow-origin") is None


async def test_a_form_from_the_page_of_a_base_url_is_taken_in_any_spelling() -> None:
    auth = make_auth(base_url="https://Bücher.example:443/app", transport="cookie")
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    await register(auth)

    answers = [
        await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, headers={"origin": origin})
        for origin in ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example:8443", "https://other.example")
    ]

    assert [answer.status for answer in answers] == [200, 403, 403]


@pytest.mark.parametrize(
    ("host", "status"),
    [("app.example.com", 200), ("App.example.com:443", 200), ("app.example.com:8443", 403), ("evil/", 403)],
)
async def test_without_a_base_url_the_requested_host_decides_in_any_spelling(host: str, status: int) -> None:
    auth = make_auth(base_url=None, transport="cookie")
    await register(auth)
    given = {"origin": "https://app.example.com", "host": host, "content-type": "application/json"}
    scope = http_scope("POST", "/login")
    scope["headers"] = [(name.encode(), value.encode()) for name, value in given.items()]

    answer = await call(AuthApp(auth), scope, f'{{"email":"{EMAIL}","password":"{PASSWORD}"}}'.encode())

    assert answer.status == status


def test_a_cookie_domain_may_have_an_international_name() -> None:
    assert Settings(secret=SECRET, cookie_domain="bücher.example").cookie_domain == "xn--bcher-kva.example"
    assert host_of("Bücher.example") == "xn--bcher-kva.example"
