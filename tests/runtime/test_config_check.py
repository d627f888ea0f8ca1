"""The configuration check: each finding with the settings that cause it, and none for sound settings."""

import subprocess
import sys
from copy import copy
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from asgi_auth import (
    Auth,
    AuthApp,
    AuthMiddleware,
    ConsoleMailer,
    Outbox,
    Pages,
    Passwords,
    RecoveryCodes,
    SecondFactors,
    Sessions,
    Settings,
    SigningKey,
    SMTPMailer,
    Totp,
)
from asgi_auth.command.main import main
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from asgi_auth.runtime.public_suffix import is_private_host, is_public_suffix, site_of
from tests.feature.test_permissions import ROLES, Posts
from tests.support import ORIGIN, SECRET, Client, make_auth, register, who

OTHER = SECRET[::-1]
PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
PARTNER = "https://partner.example.net"
HTTP: dict[str, Any] = {"development": True}
TELL: dict[str, Any] = {"features": [Passwords(), Sessions()], "mailer": None, "enumeration": "tell"}


def make(*, features: list[Feature] | None = None, mailer: Any = SMTPMailer, **settings: Any) -> Auth:
    """An `Auth` that is sound but for what is given."""
    if mailer is SMTPMailer:
        mailer = SMTPMailer("mail.example.com", sender="auth@example.com")
    made = Settings(**{"secret": SECRET, "base_url": ORIGIN} | settings)
    # Copies: a feature belongs to one Auth.
    copies = None if features is None else [copy(item) for item in features]
    return Auth("sqlite://", settings=made, features=copies, mailer=mailer)


FINDINGS: list[tuple[dict[str, Any], str, str]] = [
    ({"cookie_domain": "example.org"}, "cookie_domain", "example.org is not a parent domain of app.example.com"),
    ({"cookie_domain": "ample.com"}, "cookie_domain", "not a parent domain"),
    ({"cookie_domain": "old.app.example.com"}, "cookie_domain", "not a parent domain"),
    ({"cookie_domain": "com"}, "cookie_domain", "com is a public suffix"),
    ({"cookie_domain": "fly.dev", "base_url": "https://app.fly.dev"}, "cookie_domain", "fly.dev is a public suffix"),
    ({"cookie_domain": "co.uk", "base_url": "https://x.co.uk"}, "cookie_domain", "public suffix"),
    ({"trusted_origins": [PARTNER]}, "trusted_origins", f"{PARTNER} and {ORIGIN} are different sites"),
    ({"trusted_origins": [PARTNER], "cookie_same_site": "strict"}, "trusted_origins", "are different sites"),
    ({"cors_origins": [PARTNER], "transport": "cookie"}, "cors_origins", "are different sites"),
    (
        {"trusted_origins": ["https://b.fly.dev"], "base_url": "https://a.fly.dev"},
        "trusted_origins",
        "are different sites",
    ),
    (
        HTTP | {"base_url": "http://localhost:8000", "trusted_origins": ["http://127.0.0.1:8000"]},
        "trusted_origins",
        "are different sites",
    ),
    ({"base_url": None}, "base_url", "mails contain codes but no links"),
    (TELL | {"base_url": None, "transport": "cookie"}, "base_url", "compared with the Host header"),
    (TELL | {"base_url": None, "features": [Passwords(), Pages()]}, "base_url", "compared with the Host header"),
    (TELL | {"base_url": None, "cookie_domain": "example.com"}, "base_url", "cookie_domain cannot be checked"),
    (HTTP | {"base_url": "http://app.example.com"}, "development", "app.example.com without Secure"),
    (HTTP | {"base_url": "http://8.8.8.8"}, "development", "without Secure"),
    ({"secret": PEM}, "secret", "key file"),
    ({"signing_keys": [SigningKey("HS256", SECRET, SECRET, "k")]}, "signing_keys", "is also the secret"),
    (
        {"signing_keys": [SigningKey("HS256", SECRET.encode(), OTHER.encode(), "k")]},
        "signing_keys",
        "is also the secret",
    ),
    ({"trusted_proxies": ["0.0.0.0/0"]}, "trusted_proxies", "0.0.0.0/0 includes every address"),
    ({"trusted_proxies": ["10.0.0.0/8", "::/0"]}, "trusted_proxies", "::/0 includes every address"),
    ({"features": defaults(mail=True), "mailer": None}, "mailer", "EmailVerification, PasswordReset, EmailChange"),
    ({"mailer": ConsoleMailer()}, "mailer", "ConsoleMailer prints every link"),
    ({**TELL, "features": [Passwords(), Sessions(), Posts()]}, "permissions", "no role gives posts:delete, posts:list"),
    ({"mailer": None}, "enumeration", "without a confirmation mail, registration reveals"),
    ({"features": [Passwords(), Sessions()]}, "enumeration", "without a confirmation mail, registration reveals"),
    (
        {"features": [Passwords(login_after_register=True), *defaults(mail=True)[1:]]},
        "login_after_register",
        "is completed by its mail",
    ),
]


@pytest.mark.parametrize(("given", "setting", "words"), FINDINGS, ids=[f"{row[1]}: {row[2]}" for row in FINDINGS])
def test_each_setting_that_will_not_do_is_named_with_reason_and_mend(
    given: dict[str, Any], setting: str, words: str
) -> None:
    (finding,) = make(**given).check()

    assert finding.setting == setting
    assert words in finding.reason
    assert finding.fix
    assert not any(text.endswith(".") or SECRET in text for text in finding)


SOUND: list[dict[str, Any]] = [
    {},
    TELL,
    TELL | {"base_url": None},
    TELL | {"features": [Passwords(), Sessions(), Posts()], "permissions": ROLES},
    {"mailer": Outbox()},
    {"features": [*defaults(mail=True), Pages()], "transport": "cookie"},
    {"cookie_domain": "example.com"},
    {"cookie_domain": "app.example.com"},
    {"trusted_origins": ["https://spa.example.com"], "cors_origins": ["https://spa.example.com"]},
    {"trusted_origins": ["https://spa.example.com"], "transport": "cookie", "cookie_domain": "example.com"},
    {"cors_origins": [PARTNER]},
    {"cors_origins": ["*"]},
    {"secret": [SECRET, OTHER]},
    {"signing_keys": [SigningKey.from_pem(PEM, "EdDSA", "k")]},
    {"trusted_proxies": ["10.0.0.0/8", "2001:db8::/32"]},
    HTTP | {"base_url": "http://127.0.0.1:8000", "mailer": None},
    HTTP | {"base_url": "http://[::1]:8000", "trusted_origins": ["http://[::1]:3000"]},
    HTTP | {"base_url": "http://localhost:8000", "trusted_origins": ["http://localhost:3000"]},
    HTTP | {"base_url": "http://app.localhost:8000"},
    HTTP | {"base_url": "http://web:8000"},
    {"features": [Sessions()], "mailer": None},
]


@pytest.mark.parametrize("given", SOUND, ids=range(len(SOUND)))
def test_nothing_is_found_where_all_is_well(given: dict[str, Any]) -> None:
    assert make(**given).check() == []


def test_an_http_base_url_outside_development_cannot_even_be_made() -> None:
    with pytest.raises(ValueError, match="development=True"):
        make(base_url="http://app.example.com")


@pytest.mark.parametrize("keys", [[], [SigningKey.from_pem(PEM, "EdDSA", "k")]], ids=["derived", "given"])
def test_nor_can_a_secret_stand_twice(keys: list[SigningKey]) -> None:
    with pytest.raises(ValueError, match="listed twice"):
        make(secret=[SECRET, OTHER, SECRET], signing_keys=keys)


def test_everything_is_found_at_once() -> None:
    auth = make(base_url=None, secret=PEM, mailer=ConsoleMailer(), cookie_domain="com")

    assert [finding.setting for finding in auth.check()] == ["base_url", "cookie_domain", "secret", "mailer"]


async def test_what_is_found_is_logged_at_the_first_start_only(caplog: pytest.LogCaptureFixture) -> None:
    auth = make(cookie_domain="com")

    for _ in range(2):
        async with auth:
            pass

    (line,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert line.name == "asgi_auth"
    assert line.getMessage().startswith("cookie_domain: com is a public suffix")
    assert line.getMessage().endswith("Remove it, and use bearer tokens for other hosts")


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_headers_of_a_proxy_that_no_one_has_named_are_found_and_logged_once(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_auth() as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        await client.get("/auth/me")
        assert auth.check() == []

        for _ in range(3):
            await client.get("/auth/me", headers={name: "198.51.100.1"})

        (finding,) = auth.check()
    assert finding.setting == "trusted_proxies"
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ["{}: {}. {}".format(*finding)]


@pytest.mark.parametrize("peer", [None, ("", 0)])
async def test_a_client_without_an_address_is_found_and_logged_once(
    peer: tuple[str, int] | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_auth(trusted_proxies=["10.0.0.0/8"]) as auth:
        for _ in range(3):
            await Client(AuthApp(auth)).get("/me", scope={"client": peer}, headers={"x-forwarded-for": "198.51.100.1"})

        (finding,) = auth.check()
    assert (finding.setting, "unix" in finding.fix) == ("trusted_proxies", True)
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warned == ["{}: {}. {}".format(*finding)]


async def test_headers_of_proxies_that_are_named_are_no_finding(caplog: pytest.LogCaptureFixture) -> None:
    async with make_auth(trusted_proxies=["192.0.2.0/24"]) as auth:
        await Client(AuthApp(auth)).get("/me", headers={"x-forwarded-for": "198.51.100.1"})

    assert auth.check() == []
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []


@pytest.mark.parametrize(
    ("origin", "site"),
    [
        ("https://app.example.com", ("https", "example.com")),
        ("https://example.com:8443", ("https", "example.com")),
        ("http://app.example.com", ("http", "example.com")),
        ("https://a.b.example.co.uk", ("https", "example.co.uk")),
        ("https://app.fly.dev", ("https", "app.fly.dev")),
        ("http://localhost:3000", ("http", "localhost")),
        ("http://127.0.0.1:3000", ("http", "127.0.0.1")),
        ("http://[::1]:3000", ("http", "::1")),
    ],
)
def test_a_site_is_a_domain_that_can_be_registered(origin: str, site: tuple[str, str]) -> None:
    assert site_of(origin) == site


def test_hosts_of_ones_own_are_told_from_public_ones() -> None:
    own = ("localhost", "x.localhost", "127.0.0.1", "::1", "10.1.2.3", "192.168.0.7", "web", "nas.local", "a.test")
    public = ("example.com", "8.8.8.8", "2606:4700::1111", "localhost.example.com", "notlocal.dev")

    assert all(map(is_private_host, own))
    assert not any(map(is_private_host, public))
    assert (is_public_suffix("com"), is_public_suffix("example.com")) == (True, False)


APP = """
from asgi_auth import Auth, AuthApp, AuthMiddleware, Settings
auth = Auth("sqlite://", settings=Settings(secret={secret!r}, enumeration={enumeration!r}))
app = AuthMiddleware(AuthApp(auth), auth)
something = 1
"""


@pytest.mark.parametrize("enumeration", ["hide", "tell"])
@pytest.mark.parametrize("name", ["shop:auth", "shop:app", "shop"])
def test_the_command_prints_what_is_found(name: str, enumeration: str, tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(APP.format(secret=SECRET, enumeration=enumeration))
    command = [sys.executable, "-m", "asgi_auth", "check", name]
    environment = {"PYTHONPATH": str(Path(__file__).parent.parent.parent)}

    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert done.returncode == (1 if enumeration == "hide" else 0)
    assert done.stdout.startswith("enumeration: without a confirmation mail, registration reveals") == (
        enumeration == "hide"
    )
    assert done.stdout.count("\n") == 1
    assert (done.stdout == "No problems found.\n") == (enumeration == "tell")


@pytest.mark.parametrize("arguments", [[], ["check", "tests.support:SECRET"], ["cure", "x:y"]], ids=str)
def test_the_command_refuses_what_it_cannot_do(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)

    assert ended.value.code == 2
    assert capsys.readouterr().err


async def test_a_request_never_fails_for_what_is_found() -> None:
    async with make_auth(cookie_domain="com") as auth:
        await register(auth)

        assert (await Client(AuthApp(auth)).get("/me")).status == 401


def test_pages_with_a_second_factor_need_the_page_where_a_login_goes_on() -> None:
    message = r"^Pages and Totp need SecondFactors\(\): it serves the page for the second step of a login$"
    with pytest.raises(ValueError, match=message):
        make(features=[*defaults(mail=True), Totp(), Pages()])

    make(features=[*defaults(mail=True), Totp()])
    make(features=[*defaults(mail=True), RecoveryCodes(), Pages()])
    make(features=[*defaults(mail=True), Totp(), SecondFactors(), Pages()])
