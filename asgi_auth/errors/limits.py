"""Errors of requests that come too often."""

from collections.abc import Mapping
from typing import ClassVar

from asgi_auth.errors.base import AuthError
from asgi_auth.model import event_types as events
from asgi_auth.model.limits import Rule


class RateLimitedError(AuthError):
    """There were too many requests of this kind; `Retry-After` says when to try again."""

    status = 429
    event: ClassVar[str | None] = events.RATE_LIMIT
    code = "rate_limited"
    default_detail = "There were too many attempts. Try again later."
    oauth2 = "temporarily_unavailable"
    header_meanings: ClassVar[Mapping[str, str]] = {
        "Retry-After": "Seconds to wait.",
        "RateLimit-Policy": "The limit that was reached.",
        "RateLimit": "The remaining requests, and the seconds until the limit resets.",
    }

    def __init__(self, retry_after: int, rule: Rule | None = None) -> None:
        """Take the seconds to wait, and the limit that was reached."""
        super().__init__()
        self.retry_after: int = max(1, retry_after)
        self.rule = rule

    @property
    def headers(self) -> list[tuple[str, str]]:
        """The seconds to wait, and the limit that was reached (draft-ietf-httpapi-ratelimit-headers-10)."""
        headers = [("retry-after", str(self.retry_after))]
        if self.rule is not None:
            key, seconds, most = self.rule
            headers.append(("ratelimit-policy", f'"{key}";q={most};w={seconds}'))
            headers.append(("ratelimit", f'"{key}";r=0;t={self.retry_after}'))
        return headers

    @classmethod
    def example(cls) -> "RateLimitedError":
        """Return the error of the eleventh call within a minute."""
        return cls(60, Rule("ip", 60, 10))


class AccountLockedError(RateLimitedError):
    """There were too many wrong passwords for this address, whether it has an account or not."""

    event: ClassVar[str | None] = events.LOCKOUT
    code = "account_locked"
    default_detail = "There were too many wrong passwords. Try again later, or have a link to unlock mailed to you."
    header_meanings: ClassVar[Mapping[str, str]] = {"Retry-After": "Seconds to wait."}

    @classmethod
    def example(cls) -> "AccountLockedError":
        """Return the error of the first cooldown."""
        return cls(60)
