"""Settings that more than one part of the library needs. Options of one feature are parameters of that feature."""

import ipaddress
import re
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Literal, TypeAlias

from asgi_auth.crypto.keys import SigningKey, check_secret
from asgi_auth.sources.base import Sources
from asgi_auth.sources.kinds import check_kinds
from asgi_auth.sources.provider import ask
from asgi_auth.validation.origins import base_url_of, host_of, is_loopback_name, listed_origin, origin_of
from asgi_auth.validation.permissions import check_grants
from asgi_auth.validation.user_field import Field

SecretValue: TypeAlias = str | bytes | Sequence[str | bytes]
Secrets: TypeAlias = SecretValue | Callable[[], SecretValue] | Sequence[Callable[[], str | bytes]]
SAME_SITE = ("lax", "strict")
DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
#: A name of a header (RFC 9110, section 5.6.2).
TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
#: The longest issuer and audience: an access token must fit into a cookie.
MAX_NAME = 500
#: The longest path of a Unix socket that all systems accept, with room for the end of its lock's name.
MAX_SOCKET_PATH = 96
#: Settings that are objects, so that no environment variable sets them.
OBJECTS = frozenset({"fields", "permissions", "signing_keys", "texts"})
#: Settings whose types have a check of their own, which says more.
CHECKED = frozenset({
    "secret", "permissions", "on_reuse", "revocation", "verification", "enumeration", "transport",
})  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Settings(Sources):
    """The settings of an `Auth`. Durations are in seconds, sizes in bytes.

    A function without arguments in place of a value is called once, when the object is made, and returns the value.
    Raises ValueError for a value that is invalid or unsafe.
    """

    not_in_environment: ClassVar[frozenset[str]] = OBJECTS
    not_in_toml: ClassVar[frozenset[str]] = frozenset({"fields", "signing_keys"})
    toml_kinds: ClassVar[Mapping[str, Any]] = {"secret": str | Sequence[str]}

    secret: Secrets = field(default="", repr=False)
    """At least 32 random bytes, or a function that returns them. During a rotation: a list of secrets, newest first."""
    signing_keys: Sequence[SigningKey] = field(default=(), repr=False)
    """Keys for access tokens that other services verify, newest first. Default: HS256 keys from `secret`."""
    signing_keys_file: str | None = None
    """A file with such keys, made by `asgi-auth keys create`. Every process reads it again when it changes."""
    issuer: str = "asgi-auth"
    """The `iss` claim of access tokens (RFC 9068)."""
    audience: str = "asgi-auth"
    """The `aud` claim of access tokens. Services that share a database or a signing key need different values."""
    access_ttl: int = 900
    """Lifetime of an access token, in seconds."""
    leeway: int = 30
    """Allowed difference between the clocks of two servers, or of a server and its database, in seconds (0 to 60)."""
    session_ttl: int = 30 * 86400
    """Maximum lifetime of a session, in seconds. Refreshes do not extend it."""
    session_idle: int = 14 * 86400
    """Seconds without a refresh after which a session expires."""
    max_sessions: int = 50
    """Maximum number of sessions per user. A further login ends the oldest session."""
    refresh_grace: int = 10
    """Seconds in which a used refresh token still returns its successor, for parallel tabs (0 to 300)."""
    on_reuse: Literal["session", "user"] = "session"
    """What the reuse of an old refresh token ends: its `session`, or all sessions of its `user`."""
    fresh: int = 600
    """Seconds after a login in which its user may call the endpoints that need a fresh one."""
    revocation: Literal["cached", "strict"] = "cached"
    """`cached` checks revocations in memory. `strict` queries the database on each request."""
    max_revocation_lag: float = 2.0
    """Maximum age of cached revocations, in seconds (0.1 to 60). After that, requests query the database."""
    relay: str | None = None
    """Absolute path of a Unix socket. The processes of a host that name it share one look at revocations.

    Without it, or while it is away, each process looks at the database itself. Its folder belongs to the user of the
    processes alone."""
    token_cache: int = 4096
    """Maximum number of verified access tokens that a process caches."""
    verification: Literal["off", "optional", "required"] = "optional"
    """Email verification: `off`, `optional` (a mail at registration) or `required` (no login before it)."""
    enumeration: Literal["hide", "tell"] = "hide"
    """Whether registration reveals existing accounts (`tell`) or not (`hide`, which needs `EmailVerification`)."""
    transport: Literal["bearer", "cookie"] = "bearer"
    """How tokens are returned without an `Auth-Transport` header: in the body (`bearer`) or as a `cookie`."""
    base_url: str | None = None
    """Public URL of the service, such as `https://app.example.com`, for links in mails and for origin checks.

    It and the origins below are brought to the form that browsers send: `https://Bücher.example:443` becomes
    `https://xn--bcher-kva.example`."""
    mount: str = "/auth"
    """Path of the auth endpoints below `base_url`."""
    trusted_origins: Sequence[str] = ()
    """Other origins whose pages may send unsafe requests (POST, PATCH, DELETE) with cookies.

    Origins of apps and extensions are listed exactly: `capacitor://localhost`, `chrome-extension://<id>`."""
    cors_origins: Sequence[str] = ()
    """Other origins whose scripts may call the auth endpoints, or `*`. Cookies need `trusted_origins` as well."""
    cors_headers: Sequence[str] = ()
    """Further request headers that scripts of `cors_origins` may send, such as `sentry-trace`."""
    private_addresses: bool = False
    """Accept new addresses that no public mail server delivers to: `.local`, `home.arpa`, and quoted local parts."""
    cookie_name: str = "auth"
    """Name of the cookies, after the prefix `__Host-`, or `__Secure-` with a `cookie_domain`."""
    cookie_domain: str | None = None
    """Parent domain of the host in `base_url`, such as `example.com`, whose hosts share the cookies."""
    cookie_same_site: str = "lax"
    """SameSite attribute of the cookies: `lax` or `strict`."""
    clear_site_data: Sequence[str] = ("cache", "storage")
    """What a browser clears for this origin when a session with cookies ends: `cache`, `storage`, or nothing (`()`)."""
    development: bool = False
    """Allow an http `base_url` and cookies without Secure. Never set it in production."""
    hsts: bool = False
    """Send Strict-Transport-Security from the auth endpoints (one year, with subdomains)."""
    trusted_proxies: Sequence[str] = ()
    """Networks of proxies, such as `10.0.0.0/8`, or `unix` for those that connect by a unix socket.

    They name the client in `X-Forwarded-For`, `Forwarded` (RFC 7239) or `X-Real-IP`. Differing headers are ignored. The
    host sees that client, and the scheme of `X-Forwarded-Proto` or `Forwarded`, else of `base_url`."""
    max_body: int = 65536
    """Maximum size of a request body, in bytes."""
    body_timeout: float = 10.0
    """Maximum time for a request body to arrive, in seconds."""
    name: str = "Account"
    """Name of the service on pages and in mails."""
    language: str = "en"
    """Language of pages and mails (`en`, `de`) for clients that accept no available language."""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Texts that replace the built-in ones, by language and code: `{"en": {"field.email": "Your mail"}}`."""
    templates: str | None = None
    """Folder of Jinja2 templates that replace the built-in templates of the same name."""
    fields: Sequence[Field] = ()
    """Extra fields of a user, stored in `User.data`."""
    permissions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What each role permits: `{"editor": ["posts:read", "posts:write"], "admin": ["*"]}`.

    `posts:*` and `*` stand for the permissions that other roles or features name. If given, users can have no other
    roles than these."""
    telemetry: bool = False
    """Emit OpenTelemetry spans and counters through the providers of the host. Needs the extra `otel`."""
    after_answer: bool = True
    """Send mails and write audit records after the answer. `False` is for hosts that stop then, such as AWS Lambda."""
    auto_migrate: bool = True
    """Create and update the tables at startup."""
    purge_interval: int = 3600
    """Average number of seconds between purges of expired rows. 0 leaves purges to `await auth.purge()`."""

    def __post_init__(self) -> None:
        """Ask the functions for their values, and raise ValueError for a value that is invalid or unsafe."""
        for item in fields(self):
            object.__setattr__(self, item.name, ask(item.name, getattr(self, item.name)))
        check_kinds(self, but=CHECKED)
        self._normalize()
        for secret in self.secrets:
            check_secret(secret)
        if len(set(self.secrets)) < len(self.secrets):
            raise ValueError("a secret is listed twice; put the new secret first, and keep the old one after it")
        self._check_numbers()
        self._check_choices()
        self._check_urls()
        for network in self.trusted_proxies:
            check_network(network)
        names = [item.name for item in self.fields]
        if len(set(names)) != len(names):
            raise ValueError("two extra fields have the same name")
        if self.signing_keys and self.signing_keys_file is not None:
            raise ValueError("signing keys are listed, or in a file, not both")

    @property
    def secrets(self) -> list[bytes]:
        """The secrets as bytes, newest first. Without any, one empty secret, which fails validation."""
        given: Any = self.secret
        secrets = [given] if isinstance(given, str | bytes) else list(given or [""])
        return [item.encode() if isinstance(item, str) else item for item in secrets]

    @property
    def origin(self) -> str | None:
        """The origin of `base_url`: scheme, host and port. None without a `base_url`."""
        return origin_of(self.base_url) if self.base_url else None

    @property
    def mount_url(self) -> str | None:
        """The public URL of the endpoints: `base_url` and `mount`. None without a `base_url`."""
        return self.base_url.rstrip("/") + self.mount if self.base_url else None

    def _normalize(self) -> None:
        """Bring hosts and origins to the form that browsers send, and copy mappings. Raises ValueError."""
        replaced: dict[str, Any] = {
            name: tuple(url if url == "*" and name == "cors_origins" else listed_origin(url) for url in urls)
            for name, urls in (("trusted_origins", self.trusted_origins), ("cors_origins", self.cors_origins))
        }
        if self.base_url:
            replaced["base_url"] = base_url_of(self.base_url)
        if self.cookie_domain and not self.cookie_domain.isascii():
            replaced["cookie_domain"] = host_of(self.cookie_domain)
        replaced["permissions"] = check_grants(self.permissions)
        for name, value in replaced.items():
            object.__setattr__(self, name, value)

    def _check_numbers(self) -> None:
        positive = (
            "access_ttl",
            "session_ttl",
            "session_idle",
            "fresh",
            "max_sessions",
            "max_body",
            "body_timeout",
            "token_cache",
        )
        for name in positive:
            if not 0 < getattr(self, name) < 10**10:
                raise ValueError(f"{name} must be positive and less than 10**10")
        if not 0 <= self.purge_interval < 10**10:
            raise ValueError("purge_interval must be positive, or 0 for never, and less than 10**10")
        if not 0 <= self.leeway <= 60 or not 0 <= self.refresh_grace <= 300:
            raise ValueError("leeway must be 0 to 60 seconds, and refresh_grace 0 to 300 seconds")
        if not 0.1 <= self.max_revocation_lag <= 60:
            raise ValueError("max_revocation_lag must be 0.1 to 60 seconds")
        if self.access_ttl > self.session_ttl:
            raise ValueError("access_ttl must not be longer than session_ttl")

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
                raise ValueError(f"{name} must be one of {', '.join(allowed)}")
        for name in ("issuer", "audience"):
            if len(getattr(self, name)) > MAX_NAME or not getattr(self, name).isprintable():
                raise ValueError(f"{name} must be at most {MAX_NAME} printable characters: each access token has it")
        if not re.fullmatch("[A-Za-z0-9_-]{1,64}", self.cookie_name) or not self.cookie_name.strip("-_"):
            raise ValueError("cookie_name must consist of letters, digits, - and _, at most 64")
        if self.cookie_domain is not None and not DOMAIN.fullmatch(self.cookie_domain):
            raise ValueError("cookie_domain must be a lowercase host such as example.com, without a leading dot")
        check_mount(self.mount)
        if self.relay is not None:
            check_relay(self.relay)

    def _check_urls(self) -> None:
        if "*" in self.cors_origins and (
            len(self.cors_origins) > 1 or self.trusted_origins or self.transport == "cookie"
        ):
            raise ValueError(
                "cors_origins=['*'] allows neither other origins nor cookies; list the origins that need them"
            )
        insecure = [url for url in (*self.trusted_origins, *self.cors_origins) if not is_loopback_name(url)]
        for url in filter(None, (self.base_url, *insecure)):
            if url.startswith("http:") and not self.development:
                raise ValueError(f"{url!r} is not https; on your own machine, allow http with development=True")
        if set(self.clear_site_data) - {"cache", "storage"}:
            raise ValueError("clear_site_data lists cache and storage only; a logout deletes its own cookies by itself")
        for header in self.cors_headers:
            if not TOKEN.fullmatch(header) or header == "*":
                raise ValueError(f"cors_headers: {header!r} is not the name of a header")
        if self.development and self.base_url and self.base_url.startswith("https:"):
            raise ValueError("development=True makes cookies insecure and is not allowed with an https base_url")


def check_network(text: str) -> None:
    """Raise ValueError for a trusted proxy that is neither an address, nor a network, nor `unix`."""
    try:
        _ = text == "unix" or ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"trusted_proxies: {error}; write an address, a network such as 10.0.0.0/8, or unix") from None


def check_relay(path: str) -> None:
    """Raise ValueError for a path at which there can be no Unix socket, and on a system that has none."""
    if not hasattr(socket, "AF_UNIX"):
        raise ValueError("relay needs Unix sockets, which this system does not have")
    if not path.startswith("/") or path.endswith("/") or "\0" in path or len(path.encode()) > MAX_SOCKET_PATH:
        raise ValueError(
            f"relay must be an absolute path of at most {MAX_SOCKET_PATH} bytes, such as /run/app/auth.sock"
        )


def check_mount(mount: str) -> None:
    """Raise ValueError for a mount that is not a path such as `/auth`."""
    if not mount.startswith("/") or mount.endswith("/"):
        raise ValueError("mount must be a path such as /auth, with a leading slash and no trailing slash")
