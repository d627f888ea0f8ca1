"""Rate limits: how often each endpoint may be called, by address, by account and in all, counted in the database."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from asgi_auth.feature import Call, Feature
from asgi_auth.limits import RateLimitedError, account_of, counter_key, is_guess, network_of

NOTATION = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,3})?([smhd])/(ip|account|all)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
KEYS = ("ip", "account", "all")
#: Where a password is shown: one counter for all of these endpoints.
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
    "verify_email": TOKEN,
    "reset_password": TOKEN,
    "confirm_email_change": TOKEN,
    "magic_link_login": TOKEN,
    "refresh": "600/m/ip",
}


class Rule(NamedTuple):
    """So many calls in so many seconds, for each value of the key."""

    key: str
    seconds: int
    most: int


def parse_rules(text: str) -> list[Rule]:
    """Read rules such as `10/m/ip, 5/5m/account`; none of an empty text. Raises ValueError."""
    rules = []
    for part in filter(None, (item.strip() for item in text.split(","))):
        found = NOTATION.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is no limit; one is count/period/key, such as 10/m/ip or 5/15m/account")
        count, number, unit, key = found.groups()
        rules.append(Rule(key, int(number or 1) * SECONDS[unit], int(count)))
    # In one order everywhere: two calls that wait for each other's counters can't lock each other out.
    return sorted(rules, key=lambda rule: (KEYS.index(rule.key), rule.seconds, rule.most))


class RateLimits(Feature):
    """Refuses with 429 what is tried too often.

    `rules` by the names of endpoints, over the defaults: `{"login": "10/m/ip, 5/15m/account"}`; an empty text is no
    limit. Endpoints that take a password share their counters. Calls are counted, whether they succeed or not.
    """

    def __init__(self, rules: Mapping[str, str] | None = None) -> None:
        """Read the rules. Raises ValueError for wrong notation; so does `Auth` for an endpoint that isn't there."""
        given = dict(rules or {})
        self.rules = {name: parse_rules(text) for name, text in (DEFAULTS | given).items()}
        self.needs_endpoints = given.keys() - DEFAULTS.keys()

    async def before(self, call: Call) -> None:
        """Count the call; raise RateLimitedError when it is one too many."""
        guess = is_guess(call)
        # OAuth 2's token endpoint refreshes as well.
        name = "refresh" if call.endpoint.takes_password and not guess else call.endpoint.name
        rules = self.rules.get(name, ())
        if not rules:
            return
        by = {rule.key for rule in rules}
        who = {
            "ip": network_of(call.client.address),
            "account": await account_of(call) if "account" in by else "",
            "all": "all",
        }
        await self._count("password" if guess else name, [rule for rule in rules if who[rule.key]], who)

    async def _count(self, group: str, rules: list[Rule], who: Mapping[str, str]) -> None:
        """Count rule by rule: what an address may not do any more doesn't use up an account's calls."""
        refusal = None
        now = int(self.auth.now())
        async with self.auth.storage.transaction() as storage:
            for rule in rules:
                key = counter_key(self.auth, group, rule.key, str(rule.seconds), who[rule.key])
                counter = await storage.count(key, now, rule.seconds)
                if counter.count > rule.most:
                    refusal = RateLimitedError(counter.expires_at - now, (rule.key, rule.most, rule.seconds))
                    break
        # Not inside: an error would undo the counting.
        if refusal is not None:
            raise refusal
