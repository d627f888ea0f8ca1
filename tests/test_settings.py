"""Settings: what can't work or isn't safe is a ValueError when it is made."""

from typing import Any

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Field, Settings
from tests.support import SECRET, make_auth, who

REFUSED: list[dict[str, Any]] = [
    *(
        {name: value}
        for name in ("access_ttl", "session_ttl", "session_idle", "max_sessions")
        for value in (0, -1, 10**10)
    ),
    *({name: value} for name in ("max_body", "body_timeout", "token_cache") for value in (0, -1)),
    {"purge_interval": -1},
    *({name: "false"} for name in ("development", "hsts", "private_addresses", "auto_migrate", "after_answer")),
    *({name: value} for name in ("access_ttl", "max_sessions", "leeway") for value in (1.5, 900.0, "900", True, None)),
    *({"body_timeout": value} for value in ("10", True, None)),
    *({name: value} for name in ("issuer", "audience") for value in (None, 5, "x" * 501, "a\nb", "\ud800")),
    *({name: 5} for name in ("base_url", "mount", "cookie_name", "cookie_domain", "name", "relay", "templates")),
    *({name: value} for name in ("trusted_origins", "trusted_proxies") for value in (None, "unix", [None], [5])),
    {"signing_keys": ["x"]},
    {"signing_keys": "x"},
    {"fields": ["company"]},
    {"cookie_name": "x" * 65},
    {"leeway": -1},
    {"leeway": 61},
    {"refresh_grace": -1},
    {"refresh_grace": 301},
    {"max_revocation_lag": 0},
    {"max_revocation_lag": 61},
    {"access_ttl": 901, "session_ttl": 900},
    {"on_reuse": "nothing"},
    {"revocation": "never"},
    {"transport": "query"},
    {"cookie_same_site": "none"},
    {"cookie_same_site": "Lax"},
    {"cookie_name": ""},
    {"cookie_name": "a b"},
    {"cookie_name": "a;b"},
    {"cookie_name": "ä"},
    {"cookie_domain": ""},
    {"cookie_domain": ".example.com"},
    {"cookie_domain": "example.com."},
    {"cookie_domain": "Example.com"},
    {"cookie_domain": "https://example.com"},
    {"cookie_domain": "example.com:443"},
    {"cookie_domain": "example.com; Secure"},
    {"cookie_domain": "192.0.2.1"},
    {"mount": "auth"},
    {"mount": "/auth/"},
    {"mount": "/"},
    {"base_url": "app.example.com"},
    {"base_url": "ftp://app.example.com"},
    {"base_url": "https://"},
    {"base_url": "https://app.example.com/?x=1"},
    {"base_url": "https://app.example.com/#x"},
    {"base_url": "http://app.example.com"},
    {"base_url": "https://app.example.com:port"},
    {"base_url": "https://app.example.com", "development": True},
    {"trusted_origins": ["https://app.example.com/"]},
    {"trusted_origins": ["https://app.example.com/path"]},
    {"trusted_origins": ["https://me@app.example.com"]},
    {"trusted_origins": ["http://app.example.com"]},
    {"trusted_origins": ["null"]},
    {"trusted_origins": ["capacitor://*"]},
    {"trusted_origins": ["capacitor://localhost/"]},
    {"trusted_origins": ["file://localhost"]},
    {"base_url": "capacitor://localhost"},
    {"base_url": "https://me@app.example.com"},
    {"base_url": "https://app.example.com/a/../b"},
    {"base_url": "https://app.example.com//a"},
    {"base_url": "http://localhost:8000"},
    {"cors_headers": ["*"]},
    {"cors_headers": ["x y"]},
    {"cors_headers": ["x, y"]},
    {"cors_headers": [""]},
    {"trusted_origins": ["*"]},
    {"cors_origins": ["https://spa.example.com/"]},
    {"cors_origins": ["http://spa.example.com"]},
    {"cors_origins": ["https://*.example.com"]},
    {"cors_origins": ["null"]},
    {"cors_origins": ["*", "https://spa.example.com"]},
    {"cors_origins": ["*"], "transport": "cookie"},
    {"cors_origins": ["*"], "trusted_origins": ["https://spa.example.com"]},
    {"trusted_proxies": ["10.0.0.0/33"]},
    {"trusted_proxies": ["10.0.0.1/8"]},
    {"trusted_proxies": ["*"]},
    {"fields": [Field("age", int), Field("age")]},
    {"permissions": {"editor": ["posts:wr*"]}},
    {"permissions": {"editor": "posts:write"}},
    {"permissions": {"": ["posts:write"]}},
]


@pytest.mark.parametrize("values", REFUSED, ids=str)
def test_what_cannot_work_or_is_not_safe_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Settings(secret=SECRET, **values)


@pytest.mark.parametrize(
    "values",
    [
        {"name": "email"},
        {"name": "roles"},
        {"name": "data"},
        {"name": "password"},
        {"name": "class"},
        {"name": "_hidden"},
        {"name": "first name"},
        {"name": ""},
        {"name": "client"},
        {"name": "identity"},
        {"name": "self"},
        {"name": "tags", "type": list},
        {"name": "nick", "write": "Admin"},
        {"name": "nick", "max_length": -1},
        {"name": "age", "type": int, "default": "old"},
        {"name": "nick", "default": "x" * 201},
    ],
    ids=str,
)
def test_an_extra_field_that_is_ours_or_no_name_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Field(**values)


def test_the_defaults_with_a_secret_are_enough() -> None:
    settings = Settings(secret=SECRET)

    assert settings.origin is None
    assert settings.secrets == [SECRET.encode()]


@pytest.mark.parametrize("mount", ["auth", "/auth/", "/", ""])
def test_a_middleware_takes_no_mount_that_is_no_path(mount: str) -> None:
    with pytest.raises(ValueError, match="mount"):
        AuthMiddleware(who, make_auth(), mount=mount)


@pytest.mark.parametrize("url", ["", "auth.db", "mysql://x/y", "sqlite://auth.db", "http://x"])
def test_a_storage_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite"):
        Auth(url, secret=SECRET)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_postgresql_url_opens_nothing_yet(scheme: str) -> None:
    auth = Auth(f"{scheme}://nobody:x@192.0.2.1/none", secret=SECRET)

    assert type(auth.storage).__name__ == "Postgres"


def test_an_app_makes_its_auth_from_a_url_and_takes_no_second_secret() -> None:
    app = AuthApp("sqlite://", secret=SECRET)

    assert app.auth.settings.secrets == [SECRET.encode()]
    with pytest.raises(ValueError, match="a secret is only for a storage URL"):
        AuthApp(app.auth, secret=SECRET)


def test_a_secret_beside_settings_replaces_theirs() -> None:
    other = SECRET[::-1]

    auth = Auth("sqlite://", secret=other, settings=Settings(secret=SECRET, issuer="me"))

    assert (auth.settings.secrets, auth.settings.issuer) == ([other.encode()], "me")


def test_secrets_are_not_shown() -> None:
    settings = Settings(secret=[SECRET, SECRET[::-1]])

    for text in (repr(settings), str(settings), f"{settings}", repr(make_auth())):
        assert SECRET[:10] not in text
        assert SECRET[::-1][:10] not in text


def test_a_setting_in_the_wrong_place_is_told_the_right_one() -> None:
    with pytest.raises(TypeError, match=r"^base_url: a setting belongs into Auth\(…, settings=Settings\("):
        Auth("sqlite://", secret=SECRET, base_url="https://app.example.com")  # type: ignore[call-arg]  # wrong
    with pytest.raises(TypeError, match="unexpected keyword argument 'bas_url'"):
        Auth("sqlite://", secret=SECRET, bas_url="https://app.example.com")  # type: ignore[call-arg]  # wrong
