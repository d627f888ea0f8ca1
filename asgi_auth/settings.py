"""Settings: everything that two parts or more of the library need to agree on, checked when made."""

import ipaddress
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from asgi_auth.crypto.keys import SigningKey, check_secret
from asgi_auth.validation.fields import Field

Secrets = str | bytes | Sequence[str | bytes]
SAME_SITE = ("lax", "strict")
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How this `Auth` behaves. Durations are seconds, sizes bytes; a wrong value is a ValueError."""

    secret: Secrets = field(default="", repr=False)
    """At least 32 random bytes; a list, newest first, while one is being replaced. No default."""
    signing_keys: Sequence[SigningKey] = field(default=(), repr=False)
    """Keys for access tokens that others verify (EdDSA, ES256, RS256), newest first; without any, HS256 by `secret`."""
    issuer: str = "asgi-auth"
    """The `iss` of access tokens (RFC 9068)."""
    audience: str = "asgi-auth"
    """The `aud` of access tokens; another for each service that shares a key."""
    access_ttl: int = 900
    """How long an access token lives."""
    leeway: int = 5
    """How far the clocks of two machines may differ when a token is judged."""
    session_ttl: int = 30 * 86400
    """How long a session lives at most, however often it is refreshed."""
    session_idle: int = 14 * 86400
    """After how long without a refresh a session ends."""
    max_sessions: int = 50
    """How many sessions a user may have; one more ends the oldest."""
    refresh_grace: int = 10
    """How long the refresh token just used gives the same successor again (lost answers, parallel tabs)."""
    on_reuse: Literal["session", "user"] = "session"
    """What ends when an older refresh token comes back: that session, or all of the user's."""
    revocation: Literal["cached", "strict"] = "cached"
    """`strict` asks the database on every request; `cached` knows within `max_revocation_lag`."""
    max_revocation_lag: float = 2.0
    """How old the knowledge of revoked sessions may be before the database is asked instead."""
    token_cache: int = 4096
    """How many verified access tokens are remembered."""
    verification: Literal["off", "optional", "required"] = "optional"
    """Whether a registration mails a link to verify the address, and whether a login wants that done."""
    enumeration: Literal["hide", "tell"] = "hide"
    """Whether registering tells that an address is known. It can be hidden only by mail, with `EmailVerification`."""
    transport: Literal["bearer", "cookie"] = "bearer"
    """How tokens are handed out when the request doesn't ask by an `Auth-Transport` header."""
    base_url: str | None = None
    """Where the public finds this service, such as `https://app.example.com`; links and origins come from it."""
    mount: str = "/auth"
    """The path of the auth routes below `base_url`."""
    trusted_origins: Sequence[str] = ()
    """Other origins whose pages may send unsafe requests with our cookies."""
    cors_origins: Sequence[str] = ()
    """Other origins whose scripts may call our routes; with cookies if trusted, too; `*` alone for bearer tokens."""
    cookie_name: str = "auth"
    """Name of the cookies, behind the prefix `__Host-`, or `__Secure-` with a `cookie_domain`."""
    cookie_domain: str | None = None
    """A parent of the host in `base_url`, such as `example.com`, whose other hosts then see the cookies, too."""
    cookie_same_site: str = "lax"
    """SameSite of the cookies: `lax` or `strict`."""
    development: bool = False
    """Allow an http `base_url` and cookies without Secure; never in production."""
    hsts: bool = False
    """Send Strict-Transport-Security (a year, subdomains too) with our answers."""
    trusted_proxies: Sequence[str] = ()
    """Networks of the proxies whose `X-Forwarded-For` is believed, such as `10.0.0.0/8`."""
    max_body: int = 65536
    """The largest request body that is read."""
    body_timeout: float = 10.0
    """How long a request body may take to arrive."""
    name: str = "Account"
    """What pages and mails call this service."""
    language: str = "en"
    """The language of pages and mails when the browser asks for none that is there: `en`, `de`."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Texts of your own, by language and code: `{"en": {"field.email": "Your mail"}}`."""
    templates: str | None = None
    """A folder whose Jinja2 templates replace ours of the same name."""
    fields: Sequence[Field] = ()
    """Extra fields of a user, kept in `User.data`."""
    telemetry: bool = False
    """OpenTelemetry spans and counters, by the providers of the host; wants the extra `otel`."""
    auto_migrate: bool = True
    """Make and update the tables at start."""
    purge_interval: int = 3600
    """How often what has expired is deleted in passing, about; 0 leaves that to you (`await auth.purge()`)."""

    def __post_init__(self) -> None:
        """Refuse what can't work or isn't safe."""
        for secret in self.secrets:
            check_secret(secret)
        if len(set(self.secrets)) < len(self.secrets):
            raise ValueError("a secret stands twice; put a new one first, and keep the old one behind it")
        self._check_numbers()
        self._check_choices()
        self._check_urls()
        for network in self.trusted_proxies:
            ipaddress.ip_network(network)
        names = [item.name for item in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("two extra fields have the same name")

    @property
    def secrets(self) -> list[bytes]:
        """The secrets as bytes, newest first; an empty one when none was given, so that the check refuses it."""
        given = [self.secret] if isinstance(self.secret, str | bytes) else list(self.secret)
        return [item.encode() if isinstance(item, str) else item for item in given or [""]]

    @property
    def origin(self) -> str | None:
        """Scheme, host and port of `base_url`."""
        return origin_of(self.base_url) if self.base_url else None

    @classmethod
    def from_env(cls, prefix: str = "AUTH_", environ: Mapping[str, str] | None = None, **given: Any) -> "Settings":
        """Read settings from variables such as AUTH_SECRET (or AUTH_SECRET_FILE); lists by commas; arguments win."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        for item in fields(cls):
            name = prefix + item.name.upper()
            there = name in environ or name + "_FILE" in environ
            if not there or item.name in {"fields", "signing_keys", "texts"}:
                continue
            text = environ[name] if name in environ else _read(environ[name + "_FILE"])
            values[item.name] = _parse(name, text, item.default)
        return cls(**values | given)

    def _check_numbers(self) -> None:
        positive = (
            "access_ttl",
            "session_ttl",
            "session_idle",
            "max_sessions",
            "max_body",
            "body_timeout",
            "token_cache",
        )
        for name in positive:
            if not 0 < getattr(self, name) < 10**10:
                raise ValueError(f"{name} must be positive, and not beyond reason")
        if not 0 <= self.purge_interval < 10**10:
            raise ValueError("purge_interval is positive, or 0 for never")
        if not 0 <= self.leeway <= 60 or not 0 <= self.refresh_grace <= 300:
            raise ValueError("leeway is 0 to 60 seconds, refresh_grace 0 to 300")
        if not 0.1 <= self.max_revocation_lag <= 60:
            raise ValueError("max_revocation_lag is 0.1 to 60 seconds")
        if self.access_ttl > self.session_ttl:
            raise ValueError("access_ttl is longer than session_ttl")

    def _check_choices(self) -> None:
        choices = {
            "on_reuse": ("session", "user"),
            "revocation": ("cached", "strict"),
            "verification": ("off", "optional", "required"),
            "enumeration": ("hide", "tell"),
            "transport": ("bearer", "cookie"),
        }
        for name, allowed in (choices | {"cookie_same_site": SAME_SITE}).items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is one of {', '.join(allowed)}")
        if not self.cookie_name.replace("-", "").replace("_", "").isalnum() or not self.cookie_name.isascii():
            raise ValueError("cookie_name is made of letters, digits, - and _")
        if self.cookie_domain is not None and not DOMAIN.fullmatch(self.cookie_domain):
            raise ValueError("cookie_domain is a host such as example.com: in small letters, without a dot before it")
        check_mount(self.mount)

    def _check_urls(self) -> None:
        if "*" in self.cors_origins and (
            len(self.cors_origins) > 1 or self.trusted_origins or self.transport == "cookie"
        ):
            raise ValueError("cors_origins of * stands alone, and without cookies: name the origins that may have them")
        named = [*self.trusted_origins, *(url for url in self.cors_origins if url != "*")]
        for url in filter(None, (self.base_url, *named)):
            parts = urlsplit(url)
            bare = not (parts.query or parts.fragment) and parts.port != 0
            if parts.scheme not in {"http", "https"} or not parts.hostname or "*" in url or not bare:
                raise ValueError(f"{url!r} is no http(s) address of a host")
            if parts.scheme == "http" and not self.development:
                raise ValueError(f"{url!r} is not https; set development=True to allow that on your own machine")
        for url in named:
            if origin_of(url) != url:
                raise ValueError(f"an origin is scheme://host[:port], as {origin_of(url)!r}, and {url!r} isn't")
        if self.development and self.base_url and self.base_url.startswith("https:"):
            raise ValueError("development=True makes cookies insecure; it is refused with an https base_url")


def check_mount(mount: str) -> None:
    """Raise ValueError for a mount that is not a path such as `/auth`."""
    if not mount.startswith("/") or mount.endswith("/"):
        raise ValueError("mount is a path such as /auth: a slash first, none at the end")


def origin_of(url: str) -> str:
    """Cut a URL down to its origin, as browsers write it (RFC 6454, section 6.2)."""
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != default else ""
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}{port}"


def _read(path: str) -> str:
    return Path(path).read_text("utf-8").strip()


def _parse(name: str, text: str, default: object) -> object:
    """Turn the text of a variable into the type of the setting's default."""
    try:
        if isinstance(default, bool):
            return WORDS[text.lower()]
        if isinstance(default, int | float):
            return type(default)(text)
    except (KeyError, ValueError):
        raise ValueError(f"{name} can't be read as {type(default).__name__}") from None
    if default == ():
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name.endswith("_SECRET") and "," in text:
        return [part.strip() for part in text.split(",")]
    return text
