"""What limits are counted by, and how they refuse: shared by `RateLimits` and `Lockout`."""

import hashlib
import hmac
import ipaddress
from typing import TYPE_CHECKING

from asgi_auth.emails import canonical_or_none
from asgi_auth.errors import AuthError
from asgi_auth.feature import Call

if TYPE_CHECKING:
    from asgi_auth.auth import Auth


class RateLimitedError(AuthError):
    """There were too many requests of this kind; `Retry-After` says when to try again."""

    status = 429
    code = "rate_limited"
    default_detail = "There were too many attempts. Try again later."
    oauth2 = "temporarily_unavailable"

    def __init__(self, retry_after: int, policy: tuple[str, int, int] | None = None) -> None:
        """Take the seconds to wait, and of the limit its key, its count and its seconds."""
        super().__init__()
        self.retry_after = max(1, retry_after)
        self.policy = policy

    @property
    def headers(self) -> list[tuple[str, str]]:
        """When to try again, and the limit that was reached (draft-ietf-httpapi-ratelimit-headers-10)."""
        headers = [("retry-after", str(self.retry_after))]
        if self.policy is not None:
            key, count, seconds = self.policy
            headers.append(("ratelimit-policy", f'"{key}";q={count};w={seconds}'))
            headers.append(("ratelimit", f'"{key}";r=0;t={self.retry_after}'))
        return headers


class AccountLockedError(RateLimitedError):
    """There were too many wrong passwords for this address, whether it has an account or not."""

    code = "account_locked"
    default_detail = "There were too many wrong passwords. Try again later, or set a new password by mail."


def is_guess(call: Call) -> bool:
    """Tell whether the call shows a password; OAuth 2's token endpoint also takes refresh tokens."""
    return call.endpoint.takes_password and call.values.get("grant_type") != "refresh_token"


async def account_of(call: Call) -> str:
    """The canonical address that a call is about, known or not: of the body, else of who is logged in; else empty.

    Text that can't be an address stands for itself, so that it is counted as well.
    """
    named = call.values.get("email") or call.values.get("username")
    if named:
        return canonical_or_none(named) or str(named).casefold()
    return (await call.identity.load()).email_canonical if call.identity.is_authenticated else ""


def network_of(address: str) -> str:
    """The address that a limit counts: IPv6 by /64, as one customer has that many; empty when it is unknown."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(found) if found.version == 4 else str(ipaddress.IPv6Network((int(found) >> 64 << 64, 64)))


def counter_key(auth: "Auth", *parts: str) -> str:
    """The key of a counter: a digest that nobody without the secret can tell an address from."""
    # The oldest: during a rolling change of secrets all processes have it.
    secret = auth.keys.derived("counter")[-1]
    return hmac.new(secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()
