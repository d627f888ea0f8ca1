"""An `Auth` for tests: in memory, with hashes that take microseconds, and with mails that are there at once."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from asgi_auth.auth import Auth
from asgi_auth.crypto.argon2 import Argon2, PasswordHasher
from asgi_auth.feature.base import BaseFeature
from asgi_auth.features.defaults import defaults
from asgi_auth.features.lockout import Lockout
from asgi_auth.features.passwords import Passwords
from asgi_auth.features.rate_limits import RateLimits
from asgi_auth.limits.counters import Counters
from asgi_auth.mail.message import Mail, Mailer
from asgi_auth.process.threads import is_on_a_loop
from asgi_auth.sessions.service import HostClaims
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage
from asgi_auth.storage.sqlite import SQLite

#: The public URL of the service, unless a test sets `base_url`.
BASE_URL = "https://app.example.com"


def cheap_auth(
    storage: str | Storage = "sqlite://",
    *,
    features: Sequence[BaseFeature] | None = None,
    settings: Settings | None = None,
    claims: HostClaims | None = None,
    mailer: Mailer | Callable[[Mail], Any] | None = None,
    counters: Counters | None = None,
    now: Callable[[], float] = time.time,
    **more: Any,
) -> Auth:
    """Make an `Auth` for tests; `more` are settings by their names.

    The default storage is SQLite in memory. Without `features` it has those of an `Auth` by default, but no rate limits
    and no lockout, so that a test may log in as often as it likes. Password hashes have the lowest cost, also those of
    a `Passwords` in `features`. Mails and audit records are there before the answer (`after_answer=False`), and nothing
    is purged by itself. The default `secret` is random, and the default `base_url` is `https://app.example.com`.
    """
    chosen = features
    if chosen is None:
        chosen = _unlimited(mail=mailer is not None)
        # Without a mail nothing can be hidden, and the setting would be warned about.
        more = more if mailer is not None else {"enumeration": "tell"} | more
    for feature in chosen:
        if isinstance(feature, Passwords):
            _make_cheap(feature)
    auth = Auth(
        storage,
        settings=_settings(settings, more),
        features=chosen,
        claims=claims,
        mailer=mailer,
        counters=counters,
        now=now,
    )
    auth.mail.pause = 0
    return auth


def _settings(given: Settings | None, more: dict[str, Any]) -> Settings:
    quiet = {"after_answer": False, "purge_interval": 0}
    if given is not None:
        return replace(given, **quiet | more)
    # With `development`, an https address is refused.
    known = {"secret": secrets.token_urlsafe(48)} | ({} if more.get("development") else {"base_url": BASE_URL})
    return Settings(**known | quiet | more)


def _unlimited(*, mail: bool) -> list[BaseFeature]:
    return [feature for feature in defaults(mail=mail) if not isinstance(feature, RateLimits | Lockout)]


def _make_cheap(feature: Passwords) -> None:
    feature._hasher = PasswordHasher(Argon2.cheap(), niceness=0, foreign=feature._hasher._foreign)


def end(auth: Auth) -> None:
    """Close an `Auth` wherever it was started, after a test; an event loop that is closed needs nothing more."""
    if is_on_a_loop():
        # The sync API of Playwright, and a notebook, run an event loop in the thread of the fixtures.
        with ThreadPoolExecutor(1) as aside:
            aside.submit(end, auth).result()
        return
    for loop in auth._lifecycle.loops():
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(auth.close(), loop).result(10)
        else:
            loop.run_until_complete(auth.close())
    if isinstance(auth.storage, SQLite):
        # Memory belongs to no event loop, and is given up by the last one.
        asyncio.run(_reopen_and_close(auth.storage))


async def _reopen_and_close(storage: SQLite) -> None:
    await storage.open()
    await storage.close()
