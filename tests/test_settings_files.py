"""Settings from TOML files and from functions: what is set is read, and what would set nothing is refused."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Auth, Settings
from tests.support import ORIGIN, SECRET

OTHER = SECRET[::-1]


@pytest.fixture
def toml(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file, with the secret of the tests in its table."""

    def write(text: str, table: str = "asgi_auth") -> Path:
        path = tmp_path / "auth.toml"
        path.write_text(f'[{table}]\nsecret = "{SECRET}"\n{text}', "utf-8")
        return path

    return write


Write = Callable[..., Path]


def test_every_kind_of_value_is_read(toml: Write) -> None:
    path = toml(
        'base_url = "https://app.example.com"\naccess_ttl = 600\nmax_revocation_lag = 1\nbody_timeout = 2.5\n'
        'hsts = true\ntrusted_origins = ["https://a.example.com"]\non_reuse = "user"\n'
        '[asgi_auth.texts.en]\n"field.email" = "Your mail"\n'
    )

    settings = Settings.from_toml(path)

    assert settings == Settings(
        secret=SECRET,
        base_url=ORIGIN,
        access_ttl=600,
        max_revocation_lag=1.0,
        body_timeout=2.5,
        hsts=True,
        trusted_origins=("https://a.example.com",),
        on_reuse="user",
        texts={"en": {"field.email": "Your mail"}},
    )
    assert isinstance(settings.max_revocation_lag, float)


def test_secrets_may_be_a_list_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{OTHER},{SECRET}\n")
    listed, named = tmp_path / "listed.toml", tmp_path / "named.toml"
    listed.write_text(f'[asgi_auth]\nsecret = ["{OTHER}", "{SECRET}"]\n')
    named.write_text(f'[asgi_auth]\nsecret_file = "{tmp_path}/secret"\n')

    for path in (listed, named):
        assert Settings.from_toml(path).secrets == [OTHER.encode(), SECRET.encode()]


def test_a_key_of_a_file_is_parsed_as_the_setting_is(toml: Write, tmp_path: Path) -> None:
    for name, text in {"ttl": "60\n", "proxies": "10.0.0.0/8, unix"}.items():
        (tmp_path / name).write_text(text)

    path = toml(f'access_ttl_file = "{tmp_path}/ttl"\ntrusted_proxies_file = "{tmp_path}/proxies"\n')

    assert (Settings.from_toml(path).access_ttl, Settings.from_toml(path).trusted_proxies) == (
        60,
        ("10.0.0.0/8", "unix"),
    )


def test_a_table_may_be_inside_another_one_and_arguments_override_it(toml: Write) -> None:
    path = toml('issuer = "file"\naudience = "file"\n', "tool.asgi_auth")

    settings = Settings.from_toml(path, "tool.asgi_auth", audience="given")

    assert (settings.issuer, settings.audience) == ("file", "given")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("acces_ttl = 1", "acces_ttl is not a setting that a file can have; did you mean access_ttl?"),
        ('secrets_file = "x"', "did you mean secret_file?"),
        ("fields = []", "fields is not a setting that a file can have"),
        ("signing_keys = []", "signing_keys is not a setting that a file can have"),
        ('access_ttl = "600"', "access_ttl: expected `int`, got `str`"),
        ("access_ttl = true", "access_ttl: expected `int`, got `bool`"),
        ("access_ttl = 1.5", "access_ttl: expected `int`, got `float`"),
        ("hsts = 1", "hsts: expected `bool`, got `int`"),
        ("issuer = 2026-11-28", "issuer: expected `str`, got `date`"),
        ('trusted_origins = "https://a.example.com"', "trusted_origins: expected `array`, got `str`"),
        ("trusted_origins = [1]", "trusted_origins: expected `str`, got `int`"),
        ("base_url_file = 1", "base_url_file: expected `str`, got `int`"),
        ('issuer = "x"\nissuer_file = "x"', "issuer and issuer_file are both set"),
        ('secret_file = "x"', "secret and secret_file are both set"),
        ('issuer_file = "missing"', "issuer_file: 'missing' cannot be read: No such file"),
        ('on_reuse = "nothing"', "on_reuse must be one of session, user"),
        ("max_revocation_lag = nan", "max_revocation_lag must be"),
        ("access_ttl = ", "is not TOML"),
        ('"" = 1', "is not a setting"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_name(line: str, said: str, toml: Write) -> None:
    with pytest.raises(ValueError, match=r"\w") as raised:
        Settings.from_toml(toml(line))

    assert said in str(raised.value)
    assert SECRET not in str(raised.value)


@pytest.mark.parametrize("content", [None, b"\xff", b"", b"asgi_auth = 1", b"[other]\n"])
def test_a_file_without_the_table_is_refused(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "auth.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ValueError, match=r"auth\.toml"):
        Settings.from_toml(path)
    with pytest.raises(ValueError, match=r"auth\.toml"):
        Settings.load(environ={"AUTH_CONFIG": str(path)})


def test_variables_override_the_file_and_arguments_override_both(toml: Write) -> None:
    path = toml('issuer = "file"\naudience = "file"\nname = "file"\n')
    environ = {"AUTH_CONFIG": f" {path}\n", "AUTH_AUDIENCE": "variable", "AUTH_NAME": "variable", "AUTH_MINE": "x"}

    settings = Settings.load(environ=environ, ignore={"AUTH_MINE"}, name="given")

    assert (settings.issuer, settings.audience, settings.name) == ("file", "variable", "given")
    assert settings.secrets == [SECRET.encode()]


def test_an_empty_table_sets_nothing(tmp_path: Path) -> None:
    (tmp_path / "auth.toml").write_text("[asgi_auth]\n")

    settings = Settings.load(environ={"AUTH_CONFIG": str(tmp_path / "auth.toml"), "AUTH_SECRET": SECRET})

    assert settings == Settings(secret=SECRET)


@pytest.mark.parametrize("environ", [{}, {"AUTH_CONFIG": ""}, {"AUTH_CONFIG": " "}])
def test_without_a_file_the_variables_are_read(environ: dict[str, str]) -> None:
    assert Settings.load(environ={**environ, "AUTH_SECRET": SECRET}) == Settings(secret=SECRET)


def test_the_process_environment_is_the_default(toml: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_CONFIG", str(toml("", "other")))
    monkeypatch.setenv("APP_ISSUER", "variable")

    assert Settings.load("APP_", table="other") == Settings(secret=SECRET, issuer="variable")


def test_a_misspelled_variable_beside_a_file_is_refused(toml: Write) -> None:
    with pytest.raises(ValueError, match=r"AUTH_ISUER is not a setting; did you mean AUTH_ISSUER\?"):
        Settings.load(environ={"AUTH_CONFIG": str(toml("")), "AUTH_ISUER": "x"})


def test_a_function_is_asked_once_for_a_value() -> None:
    asked: list[str] = []

    def answer(name: str, value: Any) -> Callable[[], Any]:
        return lambda: asked.append(name) or value  # type: ignore[func-returns-value]

    given: dict[str, Any] = {"access_ttl": 60, "base_url": "https://app.example.com:443", "trusted_proxies": ["unix"]}
    functions: dict[str, Any] = {name: answer(name, value) for name, value in given.items()}
    settings = Settings(secret=answer("secret", SECRET), **functions)
    made = [Auth("sqlite://", settings=settings).settings, dataclasses.replace(settings, issuer="x")]

    for each in (settings, *made):
        assert (each.access_ttl, each.base_url, each.trusted_proxies) == (60, ORIGIN, ["unix"])
        assert each.secrets == [SECRET.encode()]
    assert sorted(asked) == sorted(["secret", *given])
    assert SECRET not in repr(settings)


def test_functions_of_secrets_may_be_in_a_list_and_in_every_place_that_takes_one() -> None:
    def newest() -> str:
        return OTHER

    def both() -> list[str]:
        return [OTHER, SECRET]

    assert Settings(secret=[newest, lambda: SECRET]).secrets == [OTHER.encode(), SECRET.encode()]
    assert Settings(secret=both).secrets == [OTHER.encode(), SECRET.encode()]
    assert Settings.from_env(environ={}, secret=newest).secrets == [OTHER.encode()]
    assert Auth("sqlite://", secret=newest).settings.secrets == [OTHER.encode()]


def test_what_a_function_returns_is_checked() -> None:
    async def later() -> str:
        return SECRET

    wrong: list[tuple[dict[str, Any], str]] = [
        ({"secret": lambda: "short"}, "the secret has 5 bytes"),
        ({"secret": lambda: None}, "a secret is required"),
        ({"secret": lambda: SECRET, "access_ttl": lambda: 0}, "access_ttl must be positive"),
        ({"secret": later}, "secret: the function is asynchronous"),
    ]
    for values, said in wrong:
        with pytest.raises(ValueError, match=said):
            Settings(**values)


def test_the_error_of_a_function_is_raised_as_it_is() -> None:
    def away() -> str:
        raise ConnectionError("the secret manager is away")

    with pytest.raises(ConnectionError, match="away"):
        Settings(secret=away)
