"""The configuration check: valid settings that will not work, or are not safe."""

import ipaddress
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from asgi_auth.feature.base import BaseFeature
from asgi_auth.mail.mailers import ConsoleMailer
from asgi_auth.mail.message import Mailer
from asgi_auth.process.log import logger
from asgi_auth.runtime.public_suffix import is_below, is_private_host, is_public_suffix, site_of
from asgi_auth.sessions.clock_watch import ClockWatch
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.settings import Settings


class Finding(NamedTuple):
    """A setting (or argument of `Auth`) that will not work or is not safe: the reason, and the fix."""

    setting: str
    reason: str
    fix: str


class ConfigCheck:
    """Checks the configuration of an `Auth`. Each process logs a finding once, as a warning."""

    def __init__(
        self,
        settings: Settings,
        mailer: Mailer | None,
        features: Sequence[BaseFeature],
        conceals: Callable[[], bool],
        of_storage: Callable[[], Sequence[tuple[str, str, str]]],
    ) -> None:
        """Take the configuration; `conceals`: whether registration hides known addresses.

        `of_storage` returns the findings about the database: setting, reason and fix.
        """
        self._settings = settings
        self._mailer = mailer
        self._features = features
        self._conceals = conceals
        self._of_storage = of_storage
        self._clock: ClockWatch | None = None
        self._is_forwarded = False
        self._is_nameless = False
        self._is_plain = False
        self._unserved: Collection[str] = ()
        self._unserved_resources: set[str] = set()
        self._logged: set[Finding] = set()

    def check(self) -> list[Finding]:
        """Return all findings, including those from the requests so far, and from the clock of the database."""
        return [*self._configured(), *self._clocks()]

    def watch(self, clock: ClockWatch) -> None:
        """Report a difference between the clocks of this process and of the database."""
        self._clock = clock

    def _configured(self) -> list[Finding]:
        checks = (
            self._base_url,
            self._plain_pages,
            self._cookie_domain,
            self._other_sites,
            self._development,
            self._secrets,
            self._proxies,
            self._mail,
            self._registration,
            self._permissions,
            self._root_paths,
            self._resources,
            self._storage,
        )
        return [finding for check in checks for finding in check()]

    def log_new(self) -> None:
        """Log the findings that have not been logged yet."""
        # A difference of clocks is logged when it is noticed.
        for finding in self._configured():
            if finding not in self._logged:
                self._logged.add(finding)
                logger.warning("%s: %s. %s", *finding)

    def note_proxy_headers(self) -> None:
        """Record that a request had headers of a proxy, and log the finding once."""
        if not self._is_forwarded:
            self._is_forwarded = True
            self.log_new()

    def note_unknown_client(self) -> None:
        """Record that the address of a client is unknown, and log the finding once."""
        if not self._is_nameless:
            self._is_nameless = True
            self.log_new()

    def note_plain_page(self) -> None:
        """Record that a browser has a page by http from another computer, and log the finding once."""
        if not self._is_plain:
            self._is_plain = True
            self.log_new()

    def note_no_middleware(self, root_paths: Collection[str]) -> None:
        """Record that a request came past no middleware, which alone serves `root_paths`; log the finding once."""
        if not self._unserved:
            self._unserved = root_paths
            self.log_new()

    def note_unserved(self, resource: str) -> None:
        """Record that the host has answered 404 at the path of a resource, and log the finding once."""
        self._unserved_resources.add(resource)
        self.log_new()

    @property
    def _host(self) -> str:
        return urlsplit(self._settings.base_url or "").hostname or ""

    def _base_url(self) -> Iterator[Finding]:
        consequences = {
            "mails contain codes but no links": self._features_with_mail(),
            "the origin of requests with cookies is compared with the Host header": self._uses_cookies(),
            "cookie_domain cannot be checked": self._settings.cookie_domain,
        }
        reasons = [reason for reason, applies in consequences.items() if applies]
        if reasons and not self._host:
            fix = "Set it to the public URL of the host, such as base_url='https://app.example.com'"
            yield Finding("base_url", f"base_url is not set, so {', and '.join(reasons)}", fix)

    def _plain_pages(self) -> Iterator[Finding]:
        if self._is_plain:
            reason = (
                "a page was open by http on a host other than localhost, where browsers drop the cookies of a login"
            )
            fix = "Serve https, or for a trial set development=True and base_url to the address of the page"
            yield Finding("base_url", reason, fix)

    def _cookie_domain(self) -> Iterator[Finding]:
        domain = self._settings.cookie_domain
        if domain and is_public_suffix(domain):
            reason = f"{domain} is a public suffix, which unrelated sites share, so browsers reject the cookies"
            yield Finding("cookie_domain", reason, "Remove it, and use bearer tokens for other hosts")
        elif domain and self._host and not is_below(self._host, domain):
            reason = f"{domain} is not a parent domain of {self._host}, so browsers reject the cookies"
            yield Finding("cookie_domain", reason, f"Set it to a parent domain of {self._host}, or remove it")

    def _other_sites(self) -> Iterator[Finding]:
        """Find origins of other sites: SameSite blocks their cookies, even for trusted origins."""
        settings = self._settings
        with_cookies = {"trusted_origins": settings.trusted_origins}
        if settings.transport == "cookie":
            with_cookies["cors_origins"] = settings.cors_origins
        for setting, origins in with_cookies.items():
            for origin in origins if settings.origin else ():
                if site_of(origin) != site_of(settings.origin or ""):
                    reason = f"{origin} and {settings.origin} are different sites, so browsers withhold the cookies"
                    fix = "Serve both from one domain, or use bearer tokens (cors_origins, transport='bearer')"
                    yield Finding(setting, reason, fix)

    def _development(self) -> Iterator[Finding]:
        if self._settings.development and self._host and not is_private_host(self._host):
            reason = f"cookies are sent to {self._host} without Secure, and can be read on the network"
            yield Finding("development", reason, "Remove it, and serve https")

    def _secrets(self) -> Iterator[Finding]:
        secrets = self._settings.secrets
        if any(b"-----BEGIN " in secret for secret in secrets):
            reason = "the secret is a key file: a public key is not secret, and a private key has another purpose"
            yield Finding("secret", reason, "Generate a separate secret: secrets.token_urlsafe(48)")
        keys = [key for item in self._settings.signing_keys for key in (item.private, item.public)]
        if any((key.encode() if isinstance(key, str) else key) in secrets for key in keys):
            reason = "a signing key is also the secret, so any service that verifies tokens can forge everything else"
            yield Finding("signing_keys", reason, "Use a separate value for each")

    def _proxies(self) -> Iterator[Finding]:
        proxies = self._settings.trusted_proxies
        if self._is_forwarded and not proxies:
            reason = "requests had the headers of a proxy, so all clients may appear to have the address of the proxy"
            fix = "List its networks, such as 10.0.0.0/8; without a proxy, the headers are forged and ignored"
            yield Finding("trusted_proxies", reason, fix)
        if self._is_nameless:
            reason = "requests had no client address, as by a unix socket, so unknown clients share one limit"
            fix = "Add 'unix' to trusted_proxies, and let the proxy send X-Forwarded-For"
            yield Finding("trusted_proxies", reason, fix)
        for network in [item for item in proxies if item != "unix"]:
            if ipaddress.ip_network(network).prefixlen == 0:
                reason = f"{network} includes every address, so any client can forge its address"
                yield Finding("trusted_proxies", reason, "List only the networks of your proxies")

    def _mail(self) -> Iterator[Finding]:
        mailer = self._mailer
        if mailer is None and (names := self._features_with_mail()):
            reason = f"there is no mailer, so no mail is sent, and these features cannot work: {', '.join(names)}"
            yield Finding("mailer", reason, "Set a mailer: Auth(mailer=SMTPMailer(…))")
        if isinstance(mailer, ConsoleMailer) and not self._settings.development:
            reason = "ConsoleMailer prints every link and code, and sends no mail"
            yield Finding("mailer", reason, "Set a mailer that sends: Auth(mailer=SMTPMailer(…))")

    def _registration(self) -> Iterator[Finding]:
        endpoints = {endpoint.name for feature in self._features for endpoint in feature.endpoints}
        if self._settings.enumeration == "hide" and not self._conceals() and "register" in endpoints:
            reason = "without a confirmation mail, registration reveals whether an address has an account"
            yield Finding("enumeration", reason, "Set a mailer and add EmailVerification, or set enumeration='tell'")
        if self._conceals() and any(getattr(item, "login_after_register", False) for item in self._features):
            reason = "a registration is completed by its mail, so it cannot log the user in"
            yield Finding("login_after_register", reason, "Remove it, or set enumeration='tell'")

    def _permissions(self) -> Iterator[Finding]:
        needed = {endpoint.permission for feature in self._features for endpoint in feature.endpoints}
        given = PermissionMap(self._settings.permissions, self._features).given
        if missing := sorted(name for name in needed - given if name):
            reason = f"no role gives {', '.join(missing)}, so no user can call the endpoints that need it"
            yield Finding("permissions", reason, "Add it to a role, or give a role all permissions ('*')")

    def _root_paths(self) -> Iterator[Finding]:
        if self._unserved:
            paths = ", ".join(sorted(self._unserved))
            reason = f"the routes are mounted without AuthMiddleware, so the host answers {paths}"
            yield Finding("AuthMiddleware", reason, "Wrap the whole app: AuthMiddleware(app, auth)")

    def _resources(self) -> Iterator[Finding]:
        for path in sorted(self._unserved_resources):
            reason = f"the host answers 404 at {path}, so the clients that are let in find nothing there"
            yield Finding(
                "AuthorizationServer", reason, "Serve the app of the resource at that path, or correct the path"
            )

    def _storage(self) -> Iterator[Finding]:
        yield from (Finding(*found) for found in self._of_storage())

    def _clocks(self) -> Iterator[Finding]:
        if self._clock is not None and self._clock.disagrees:
            reason = f"{self._clock.text}, so limits and lifetimes are wrong, and each request queries the database"
            yield Finding("clock", reason, "Synchronize the clocks of all hosts and of the database, with NTP")

    def _features_with_mail(self) -> list[str]:
        return [type(feature).__name__ for feature in self._features if feature.needs_mail]

    def _uses_cookies(self) -> bool:
        return self._settings.transport == "cookie" or any(feature.shows_pages for feature in self._features)
