"""Rate limits: how often each endpoint may be called, by network, by account and in total."""

from collections.abc import Collection, Container, Mapping
from functools import partial
from itertools import product

from asgi_auth.errors import AuthError, RateLimitedError
from asgi_auth.feature import Call, Ending, Endpoint, Event, Feature
from asgi_auth.limits.counter_keys import networks_of
from asgi_auth.limits.counters import Counters, MemoryCounters
from asgi_auth.limits.rules import Guess, is_guess, note_right_password, was_wrong
from asgi_auth.model import event_types as events
from asgi_auth.model.limits import KEYS, Rule, parse_rules
from asgi_auth.model.records import Client, Window
from asgi_auth.runtime.library import endpoints_of_library
from asgi_auth.sources.kinds import checks_options

#: The index of a full window and when it expires; None if none is full.
Full = tuple[int, int] | None
REFRESH = "refresh"
#: Clients without an address share one count, so many times as high as that of one address.
UNKNOWN = 10
#: A /56 of IPv6 has as much as an IPv4 address, a /64 half of it and a /48 four times, but a /64 has this at least.
LEAST = 5
#: The note of a call with the keys of the windows in which its guess is in flight.
JUDGED = "rate_limits"
#: For all endpoints with `guesses`. Those with guesses of one kind share their counters.
GUESSES = "60/m/ip, 600/h/ip, 10/m/account, 100/h/account"
#: For all other endpoints that a logged-in user can call.
BEHIND_LOGIN = "300/m/account, 6000/h/account"


class RateLimits(Feature):
    """Answers 429 to calls over a limit.

    `rules` maps names of endpoints to limits that replace those of the endpoint: `{"login": "10/m/ip, 5/15m/account"}`;
    an empty text is no limit. Endpoints that take a password share their counters. By network, successful calls count
    as well, and so do bodies that are refused for their form; by account, only wrong passwords do. Calls of `refresh`,
    and of endpoints behind a login that have no rule of their own, are counted in memory, per process.
    """

    observes: Container[str] | None = (events.PASSWORD_CHECK,)

    @checks_options
    def __init__(self, rules: Mapping[str, str] | None = None) -> None:
        """Parse the rules. Raises ValueError for invalid notation; `Auth` raises it for an unknown endpoint."""
        self.rules: dict[str, list[Rule]] = {name: parse_rules(text) for name, text in (rules or {}).items()}
        # A host may list the features of the library by circumstances, and its rules all at once.
        self.needs_endpoints: Collection[str] = self._unknown()
        self._guesses = parse_rules(GUESSES)
        self._behind_login = parse_rules(BEHIND_LOGIN)
        self._refresh: list[Rule] | None = None
        self._of_this_process = MemoryCounters()

    def errors_at(self, endpoint: Endpoint) -> Collection[type[AuthError]]:
        """Name the error of endpoints with a limit."""
        return (RateLimitedError,) if self.takes_part(endpoint) else ()

    def note_at(self, endpoint: Endpoint) -> str:
        """Name the limits of an endpoint."""
        rules = ", ".join(str(rule) for rule in self._rules_of(endpoint, endpoint.name))
        return f"Limits: {rules}." if rules else ""

    def takes_part(self, endpoint: Endpoint) -> bool:
        """Tell whether an endpoint has a limit."""
        return any(self._rules_of(endpoint, name) for name in _names(endpoint))

    def takes_part_after(self, endpoint: Endpoint) -> bool:
        """Tell whether guesses of an endpoint are judged."""
        return endpoint.guesses == "password"

    async def before(self, call: Call) -> None:
        """Count the call; raise RateLimitedError for a call over a limit."""
        await self._count(call, KEYS)

    async def refused(self, call: Call) -> None:
        """Count a body that was refused for its form, by network only: it names no account."""
        await self._count(call, ("ip",))

    async def _count(self, call: Call, keys: Collection[str]) -> None:
        name = _name_of(call) if call.values else call.endpoint.name
        rules = [rule for rule in self._rules_of(call.endpoint, name) if rule.key in keys] if name else []
        counters = self._counters_of(call.endpoint, name)
        by_account = any(rule.key == "account" for rule in rules)
        guess = await self.auth.limiter.guess_of(call) if by_account and is_guess(call) else None
        group = call.endpoint.guesses if name != REFRESH else None
        windows = self._windows(group or name, rules, call, guess)
        # The network first, and apart: a guess that waits for others is counted there once.
        if some := [item for item in windows if not item[0].judged]:
            full = await counters.limit([window for window, _ in some], int(self.auth.now()))
            if full is not None:
                raise self._refusal(full, some)
        if guess is not None and (judged := [item for item in windows if item[0].judged]):
            full = await self._judge(counters, [window for window, _ in judged], guess)
            if full is not None:
                raise self._refusal(full, judged)
            call.notes[JUDGED] = [window.key for window, _ in judged]

    def _refusal(self, full: tuple[int, int], windows: list[tuple[Window, Rule]]) -> RateLimitedError:
        return RateLimitedError(full[1] - int(self.auth.now()), windows[full[0]][1])

    async def _judge(self, counters: Counters, windows: list[Window], guess: Guess) -> Full:
        """Note a guess in the windows of its account; wait while guesses in flight fill one of them."""

        def is_busy(full: Full, now: int) -> bool:
            return full is not None and full[1] == now

        async def take_back(full: Full) -> None:
            begun = [window.key for window in windows] if full is None else []
            await counters.settle(begun, int(self.auth.now()), wrong=False)

        return await self.auth.limiter.patiently(guess.key, partial(counters.limit, windows), is_busy, take_back)

    async def after(self, call: Call, ending: Ending) -> None:
        """Count the guess for its account if the password was wrong."""
        keys = call.notes.get(JUDGED)
        if keys:
            await self.auth.counters.settle(keys, int(self.auth.now()), wrong=was_wrong(call, ending))

    async def observe(self, event: Event) -> None:
        """Note a right password."""
        note_right_password(event)

    def _unknown(self) -> Collection[str]:
        """Return the names in the rules that are not those of endpoints of the library."""
        return self.rules.keys() - {item.name for item in endpoints_of_library()} if self.rules else ()

    def _rules_of(self, endpoint: Endpoint, name: str) -> list[Rule]:
        """Return the rules of an endpoint, also of one that only its feature knows."""
        if name in self.rules:
            return self.rules[name]
        if (limits := self._limits_of(endpoint, name)) is not None:
            return limits
        if endpoint.guesses:
            return self._guesses
        return self._behind_login if "identity" in endpoint.injected else []

    def _limits_of(self, endpoint: Endpoint, name: str) -> list[Rule] | None:
        """Return the limits that an endpoint declares; OAuth 2's token endpoint refreshes under those of `refresh`."""
        if name == endpoint.name:
            return endpoint.rules
        if self._refresh is None:
            found = [item for feature in self.auth.features for item in feature.endpoints if item.name == name]
            self._refresh = (found[0].rules if found else None) or []
        return self._refresh

    def _counters_of(self, endpoint: Endpoint, name: str) -> Counters:
        declared = name in self.rules or endpoint.rules is not None or endpoint.guesses
        is_shared = name != REFRESH and declared
        return self.auth.counters if is_shared else self._of_this_process

    def _windows(self, group: str, rules: list[Rule], call: Call, guess: Guess | None) -> list[tuple[Window, Rule]]:
        """Return the windows to count, each with the rule that it enforces."""
        accounts = guess.keys if guess is not None else self.auth.limiter.keys_of(call)
        found = []
        for rule in rules:
            values = {"all": ("all",), "account": accounts}.get(rule.key)
            bounds = _bounds(call.client, rule.most) if values is None else product(values, (rule.most,))
            found += [(rule._replace(most=most), value) for value, most in bounds]
        keys = [self.auth.limiter.key(group, rule.key, str(rule.seconds), value) for rule, value in found]
        return [
            (Window(key, rule.seconds, rule.most, guess is not None and rule.key == "account"), rule)
            for key, (rule, _) in zip(keys, found, strict=True)
        ]


def _bounds(client: Client, most: int) -> list[tuple[str, int]]:
    """Return the networks of a client with their bounds. Calls in process without an address are not counted."""
    networks = networks_of(client.address)
    if not networks:
        return [("unknown", UNKNOWN * most)] if client.request_id else []
    smallest = most if len(networks) == 1 else max(min(most, LEAST), most // 2)
    return list(zip(networks, (smallest, 2 * smallest, 8 * smallest), strict=False))


def _name_of(call: Call) -> str:
    """Return the name of the limits of a call; empty for a call of the token endpoint that lacks a password."""
    if not call.endpoint.is_token_endpoint or is_guess(call):
        return call.endpoint.name
    return REFRESH if call.values.get("grant_type") == "refresh_token" else ""


def _names(endpoint: Endpoint) -> set[str]:
    """Return the names of the limits that may hold at an endpoint: OAuth 2's token endpoint refreshes as well."""
    return {endpoint.name, REFRESH} if endpoint.is_token_endpoint else {endpoint.name}
