"""Settings from environment variables: what is set is read, and what would silently set nothing is refused."""

from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Settings
from tests.support import SECRET


def read(**variables: str) -> Settings:
    """The settings of an environment that has a secret."""
    return Settings.from_env(environ={"AUTH_SECRET": SECRET, **variables})


def test_settings_are_read_from_the_environment(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    environ = {
        "AUTH_SECRET_FILE": str(tmp_path / "secret"),
        "AUTH_ACCESS_TTL": "60",
        "AUTH_MAX_REVOCATION_LAG": "0.5",
        "AUTH_HSTS": "Yes",
        "AUTH_AUTO_MIGRATE": "off",
        "AUTH_BASE_URL": "https://app.example.com",
        "AUTH_TRUSTED_ORIGINS": "https://a.example.com, https://b.example.com,",
        "AUTH_CORS_HEADERS": "sentry-trace",
        "AUTH_ISSUER": "env",
        "OTHER": "x",
    }

    settings = Settings.from_env(environ=environ, issuer="given")

    assert settings.secrets == [SECRET.encode()]
    assert (settings.access_ttl, settings.max_revocation_lag) == (60, 0.5)
    assert (settings.hsts, settings.auto_migrate) == (True, False)
    assert settings.origin == "https://app.example.com"
    assert settings.trusted_origins == ("https://a.example.com", "https://b.example.com")
    assert settings.cors_headers == ("sentry-trace",)
    assert settings.issuer == "given"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SECRET", f"{SECRET}, {SECRET[::-1]},")

    settings = Settings.from_env("APP_")

    assert settings.secrets == [SECRET.encode(), SECRET[::-1].encode()]


@pytest.mark.parametrize(
    ("name", "text"), [("ACCESS_TTL", "soon"), ("ACCESS_TTL", "1.5"), ("HSTS", "maybe"), ("BODY_TIMEOUT", "x")]
)
def test_a_variable_that_cannot_be_read_is_named(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"AUTH_{name}"):
        read(**{f"AUTH_{name}": text})


@pytest.mark.parametrize("empty", ["", " ", "\n"])
def test_an_empty_variable_is_not_set(empty: str) -> None:
    """Compose files turn `${NAME:-}` into an empty variable."""
    names = [*Settings.__dataclass_fields__, "secret_file", "base_url_file", "anything"]

    settings = read(**{f"AUTH_{name.upper()}": empty for name in names if name != "secret"})

    assert settings == Settings(secret=SECRET)
    with pytest.raises(ValueError, match="secret is required"):
        read(AUTH_SECRET=empty)


def test_surrounding_white_space_is_removed(tmp_path: Path) -> None:
    (tmp_path / "issuer").write_text(" file\r\n\n")

    settings = read(
        AUTH_SECRET=f" {SECRET}\n", AUTH_ACCESS_TTL=" 60 ", AUTH_HSTS="on\r", AUTH_ISSUER_FILE=f"{tmp_path}/issuer\n"
    )

    assert settings == Settings(secret=SECRET, access_ttl=60, hsts=True, issuer="file")


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("AUTH_ACCES_TTL", "AUTH_ACCESS_TTL"),
        ("AUTH_BASEURL", "AUTH_BASE_URL"),
        ("AUTH_SECRETS", "AUTH_SECRET"),
        ("AUTH_SECRET_FILES", "AUTH_SECRET_FILE"),
        ("AUTH_COOKIE_DOMAINS", "AUTH_COOKIE_DOMAIN"),
        ("AUTH_TRUSTED_PROXY", "AUTH_TRUSTED_PROXIES"),
        ("AUTH_TRUSTED_ORIGIN", "AUTH_TRUSTED_ORIGINS"),
        ("AUTH_COOKIE_SAMESITE", "AUTH_COOKIE_SAME_SITE"),
        ("AUTH_ACCESS_TOKEN_TTL", "AUTH_ACCESS_TTL"),
        ("AUTH_SECRET_KEY", "AUTH_SECRET"),
        ("AUTH_LANGAUGE", "AUTH_LANGUAGE"),
        ("AUTH_DEVELOPEMENT", "AUTH_DEVELOPMENT"),
        ("AUTH_AUTOMIGRATE", "AUTH_AUTO_MIGRATE"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_name(name: str, nearest: str) -> None:
    with pytest.raises(ValueError, match=rf"{name} is not a setting; did you mean {nearest}\?"):
        read(**{name: "x"})


@pytest.mark.parametrize("name", ["Q", "REDIS", "DEBUG", "COLOR", "SMTP_HOST", "ALGORITHM", "LOG_LEVEL", "TOKEN_TTL"])
def test_a_name_that_no_setting_looks_like_has_no_suggestion(name: str) -> None:
    with pytest.raises(ValueError, match=rf"^AUTH_{name} is not a setting; `ignore` lists variables of your own$"):
        read(**{f"AUTH_{name}": "x"})


@pytest.mark.parametrize(("names", "values"), [
    (["AUTH_TRUSTED_PROXIES"], ["10.0.0.0/8, nginx"]),
    (["AUTH_TRUSTED_PROXIES"], ["10.0.0.1/8"]),
    (["AUTH_BASE_URL"], ["localhost:8000"]),
    (["AUTH_CORS_ORIGINS"], ["https://app.example.com/path"]),
    (["AUTH_REVOCATION"], ["never"]),
    (["AUTH_LEEWAY"], ["61"]),
    (["AUTH_SECRET"], ["short"]),
    (["AUTH_SESSION_TTL"], ["10"]),
    (["AUTH_BASE_URL", "AUTH_DEVELOPMENT"], ["https://app.example.com", "on"]),
])  # fmt: skip
def test_a_wrong_value_names_its_variable(names: list[str], values: list[str]) -> None:
    with pytest.raises(ValueError, match="AUTH_") as raised:
        read(**{"AUTH_NAME": "Lighthouse", **dict(zip(names, values, strict=True))})

    assert sorted(str(raised.value).partition(": ")[0].split(", ")) == names


def test_a_wrong_value_names_the_file_of_its_variable_and_no_argument_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("ftp://x")
    (tmp_path / "auth.toml").write_text("[asgi_auth]\nrevocation = 'never'")
    environ = {"AUTH_SECRET": SECRET, "AUTH_BASE_URL_FILE": f"{tmp_path}/url"}

    with pytest.raises(ValueError, match=r"^AUTH_BASE_URL_FILE: 'ftp://x' is not an http"):
        Settings.from_env(environ=environ)
    with pytest.raises(ValueError, match=r"^'ftp://y' is not an http"):
        Settings.from_env(environ=environ, base_url="ftp://y")
    with pytest.raises(ValueError, match=r"auth\.toml: revocation: revocation must be one of cached, strict$"):
        Settings.load(environ={"AUTH_SECRET": SECRET, "AUTH_CONFIG": str(tmp_path / "auth.toml")})


@pytest.mark.parametrize("name", ["AUTH_FIELDS", "AUTH_SIGNING_KEYS", "AUTH_TEXTS", "AUTH_TEXTS_FILE"])
def test_a_setting_that_is_an_object_has_no_variable(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} cannot be set by a variable"):
        read(**{name: "x"})


def test_variables_of_others_with_the_prefix_can_be_ignored() -> None:
    environ = {"AUTH_SECRET": SECRET, "AUTH_SMTP_HOST": "localhost"}

    assert Settings.from_env(environ=environ, ignore={"AUTH_SMTP_HOST"}) == Settings(secret=SECRET)
    with pytest.raises(ValueError, match="AUTH_SMTP_HOST"):
        Settings.from_env(environ=environ)


def test_the_variables_of_the_command_are_no_settings() -> None:
    given = {"AUTH_APP": "app:auth", "AUTH_DATABASE_URL": "sqlite://", "AUTH_DATABASE_URL_FILE": "/run/secrets/url"}

    assert read(**given) == Settings(secret=SECRET)
    with pytest.raises(ValueError, match="AUTH_APPS"):
        read(AUTH_APPS="app:auth")


def test_the_variable_that_names_a_file_is_not_passed_over() -> None:
    with pytest.raises(ValueError, match=r"AUTH_CONFIG.*Settings.load"):
        read(AUTH_CONFIG="auth.toml")


def test_the_variables_of_a_kubernetes_service_are_no_settings() -> None:
    """A service `auth` or `auth-db` gives them to every container of its namespace."""
    given = {
        "AUTH_SERVICE_HOST": "10.0.0.1",
        "AUTH_SERVICE_PORT": "80",
        "AUTH_SERVICE_PORT_HTTP": "80",
        "AUTH_PORT": "tcp://10.0.0.1:80",
        "AUTH_PORT_80_TCP": "tcp://10.0.0.1:80",
        "AUTH_PORT_80_TCP_ADDR": "10.0.0.1",
        "AUTH_DB_SERVICE_HOST": "10.0.0.2",
        "AUTH_DB_PORT_5432_TCP_PROTO": "tcp",
    }

    assert read(**given) == Settings(secret=SECRET)
    with pytest.raises(ValueError, match="AUTH_PORT"):
        read(AUTH_PORT="8000")


def test_an_empty_prefix_takes_what_it_knows() -> None:
    assert Settings.from_env("", environ={"SECRET": SECRET, "PATH": "/bin"}) == Settings(secret=SECRET)


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "issuer"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ValueError, match=r"AUTH_ISSUER_FILE.*issuer"):
        read(AUTH_ISSUER_FILE=str(path))


def test_a_variable_and_its_file_are_not_both_set(tmp_path: Path) -> None:
    (tmp_path / "issuer").write_text("x")
    both: dict[str, Any] = {"AUTH_ISSUER": "y", "AUTH_ISSUER_FILE": str(tmp_path / "issuer")}

    with pytest.raises(ValueError, match="AUTH_ISSUER and AUTH_ISSUER_FILE"):
        read(**both)
