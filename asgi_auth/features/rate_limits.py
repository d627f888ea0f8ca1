"""Rate limits: how often each endpoint may be called, by address, by account and in total."""

import re
from collections.abc import Collection, Mapping

from asgi_auth.errors import AuthError, RateLimitedError
from asgi_auth.feature import Call, Endpoint, Feature
from asgi_auth.limits.counter_keys import network_of
from asgi_auth.limits.counters import MemoryCounters
from asgi_auth.limits.rules import is_guess
from asgi_auth.model.limits import Rule
from asgi_auth.model.records import Window

NOTATION = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,3})?([smhd])/(ip|account|all)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
REFRESH = "refresh"
KEYS = ("ip", "account", "all")
NEVER = 2**40
#: For all endpoints that take a password, which share their counters.
PASSWORD = "60/m/ip, 600/h/ip, 10/m/account, 100/h/account"
MAIL = "30/m/ip, 300/h/ip, 10/10m/account"
TOKEN = "60/m/ip, 300/h/ip"
DEFAULTS = {
    "login": PASSWORD,
    "token": PASSWORD,
    "change_password": PASSWORD,
    "change_email": PASSWORD,
    "close_account": PASSWORD,
    "register": "60/m/ip, 300/h/ip, 10/10m/account",
    "forgot_password": MAIL,
    "resend_verification": MAIL,
    "magic_link": MAIL,
    "request_unlock": MAIL,
    "verify_email": TOKEN,
    "reset_password": TOKEN,
    "confirm_email_change": TOKEN,
    "magic_link_login": TOKEN,
    "unlock": TOKEN,
    REFRESH: "600/m/ip",
}


def parse_rules(text: str) -> list[Rule]:
    """Parse rules such as `10/m/ip, 5/5m/account`; an empty text has none. Raises ValueError."""
    rules = []
    for part in filter(None, (item.strip() for item in text.split(","))):
        found = NOTATION.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is no limit; one is count/period/key, such as 10/m/ip or 5/15m/account")
        count, number, unit, key = found.groups()
        rules.append(Rule(key, int(number or 1) * SECONDS[unit], int(count)))
    if len({(rule.key, rule.seconds) for rule in rules}) < len(rules):
        raise ValueError(f"{text!r} limits the same twice")
    # One order everywhere: calls that lock the same counters cannot deadlock.
    return sorted(rules, key=lambda rule: (KEYS.index(rule.key), rule.seconds))


class RateLimits(Feature):
    """Answers 429 to calls over a limit.

    `rules` maps names of endpoints to limits that replace the defaults: `{"login": "10/m/ip, 5/15m/account"}`; an empty
    text is no limit. Endpoints that take a password share their counters. Successful calls count as well, and so do
    bodies that are refused for their form, by address. `refresh` calls are counted in memory, per process, because
    refresh tokens cannot be guessed.
    """

    def __init__(self, rules: Mapping[str, str] | None = None) -> None:
        """Parse the rules. Raises ValueError for invalid notation; `Auth` raises it for an unknown endpoint."""
        given = dict(rules or {})
        self.rules: dict[str, list[Rule]] = {name: parse_rules(text) for name, text in (DEFAULTS | given).items()}
        self.needs_endpoints: Collection[str] = given.keys() - DEFAULTS.keys()
        self._of_this_process = MemoryCounters()

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
        """Name the error of endpoints with a limit."""
        return (RateLimitedError,) if self.takes_part(endpoint) else ()

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint has a limit."""
        return any(self.rules.get(name) for name in _names(endpoint))

    async def before(self, call: Call) -> None:
        """Count the call; raise RateLimitedError for a call over a limit."""
        await self._count(call, KEYS)

    async def refused(self, call: Call) -> None:
        """Count a body that was refused for its form, by address only: it names no account."""
        await self._count(call, ("ip",))

    async def _count(self, call: Call, keys: Collection[str]) -> None:
        guess = is_guess(call)
        # OAuth 2's token endpoint refreshes as well.
        name = REFRESH if call.endpoint.takes_password and not guess else call.endpoint.name
        rules = [rule for rule in self.rules.get(name, ()) if rule.key in keys]
        if not rules:
            return
        by = {rule.key for rule in rules}
        network = network_of(call.client.address)
        who = {
            "ip": [network] if network else [],
            "account": await self.auth.limiter.accounts_of(call) if "account" in by else [],
            "all": ["all"],
        }
        now = int(self.auth.now())
        counters = self._of_this_process if name == REFRESH else self.auth.counters
        windows = self._windows("password" if guess else name, rules, who)
        full = await counters.limit([window for window, _ in windows], now) if windows else None
        if full is not None:
            rule = windows[full[0]][1]
            raise RateLimitedError(full[1] - now, rule)

    def _windows(self, group: str, rules: list[Rule], who: Mapping[str, list[str]]) -> list[tuple[Window, Rule]]:
        """Return the windows to count; of several values of a key the last one decides, and the others only count."""
        return [
            (Window(self.auth.limiter.key(group, rule.key, str(rule.seconds), value), rule.seconds, most), rule)
            for rule in rules
            for value, most in zip(who[rule.key], [*[NEVER] * (len(who[rule.key]) - 1), rule.most], strict=False)
        ]


def _names(endpoint: Endpoint) -> set[str]:
    """Return the names of the limits that may hold at an endpoint: OAuth 2's token endpoint refreshes as well."""
    return {endpoint.name, REFRESH} if endpoint.oauth2 else {endpoint.name}
