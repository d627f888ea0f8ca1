"""The state machine: a stranger's calls go to both installations, and what can be seen must be equal."""

import asyncio
import difflib
import json
import re
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from asgi_auth import AuthApp
from tests.security.concealment.calls import Call, calls, endpoints_of
from tests.security.concealment.compare import view_of
from tests.security.concealment.installation import DAY, MALLORY, MALLORYS, OWNERS, Installation, Seen
from tests.security.concealment.owner import DEEDS, Deed, Owner, log_in
from tests.support import EMAIL, PASSWORD

T = TypeVar("T")
STATES = ("verified", "unverified", "pending", "disabled", "closed", "logged in")
MINUTE = 60
PAUSES = (1, 1, 30, 61, 61, 601, 901, 3601, DAY + 1, 4 * DAY)
REQUEST = re.compile(r'(?:request=|"request":")([A-Za-z0-9_-]{22,})')


class Pair:
    """The installation with the account, and the one without; they live as long as the test."""

    def __init__(self, known_url: str, unknown_url: str) -> None:
        self.runner = asyncio.Runner()
        self.known, self.unknown = self.run(self._made(known_url, unknown_url))
        self.owner = Owner(self.known, self.unknown)
        self.steps = 0
        self.epoch = self.known.clock.at

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def close(self) -> None:
        self.run(self.known.auth.close())
        self.run(self.unknown.auth.close())
        self.runner.close()

    @staticmethod
    async def _made(*urls: str) -> list[Installation]:
        return [Installation.of(url) for url in urls]

    async def begin(self, state: str) -> None:
        """Start anew, sixty days later: no counter in memory is left."""
        self.epoch += 60 * DAY
        for installation in (self.known, self.unknown):
            await installation.reset(self.epoch)
            await installation.add_user(MALLORY, name=MALLORYS)
        await self.log_in()
        self.owner = Owner(self.known, self.unknown)
        if state == "pending":
            await self.owner.mailed("/register", password=self.owner.password, username=OWNERS)
            return
        status: Any = state if state in {"disabled", "closed"} else "active"
        user = await self.known.add_user(
            EMAIL, name=OWNERS, status=status, verified=state != "unverified", password=self.owner.password
        )
        if state == "logged in":
            await log_in(self.owner)
        self.steps += 1
        assert user.email == EMAIL

    async def log_in(self) -> None:
        """Log the caller in to their account, by both transports."""
        for transport in ("bearer", "cookie"):
            values = {"email": MALLORY, "password": PASSWORD}
            assert await self.step(Call("POST", "/login", values, transport=transport)) == 200

    async def step(self, made: Call) -> int:
        """Make a call at both installations, compare what it showed, and return the status."""
        self.steps += 1
        views = []
        for installation in (self.known, self.unknown):
            sent = made.sent(installation)
            seen = await installation.call(
                made.method, made.url(installation), made.body(installation), made.headers(installation), made.client
            )
            remember(installation, seen, made)
            views.append(view_of(seen, installation, sent))
            assert seen.answer.status < 500, f"{made}: {seen.answer}"
        known, unknown = views
        for part in known:
            if known[part] != unknown[part]:
                raise AssertionError(f"{part} of {made}:\n{difference(known[part], unknown[part])}")
        if self.known.granted:
            # Sessions of one second are listed in the order of their random ids.
            await self.wait(1)
        return int(known["status"])

    async def wait(self, seconds: int) -> None:
        self.steps += 1
        for installation in (self.known, self.unknown):
            installation.clock.move(seconds)

    async def purge(self) -> None:
        self.steps += 1
        for installation in (self.known, self.unknown):
            await installation.auth.purge()

    async def act(self, deed: Deed) -> None:
        self.steps += 1
        await deed(self.owner)


def difference(known: Any, unknown: Any) -> str:
    """The lines that differ: `-` with an account, `+` without."""
    first, second = (
        (value if isinstance(value, str) else json.dumps(value, indent=1)).splitlines() for value in (known, unknown)
    )
    return "\n".join(difflib.unified_diff(first, second, n=1, lineterm=""))


def remember(installation: Installation, seen: Seen, made: Call) -> None:
    """Keep what the answer gives to the stranger."""
    answer = seen.answer
    text = answer.body.decode("utf-8", "replace") + (answer.header("location") or "")
    for request in REQUEST.findall(text):
        if request not in installation.requests:
            installation.requests.append(request)
    installation.cookies |= answer.cookies if made.transport != "bearer" else {}
    installation.cookies = {name: value for name, value in installation.cookies.items() if value}
    installation.granted = "access_token" in text or bool(answer.cookies)
    if answer.status == 200 and answer.body.startswith(b'{"access_token":'):
        installation.tokens |= {name: answer.json[name] for name in ("access_token", "refresh_token")}


class Quiet(list[T]):
    """A list that Hypothesis does not write out in the names of its rules."""

    def __repr__(self) -> str:
        """Tell the number of items."""
        return f"<{len(self)} items>"


def machine(pair: Pair, deeds: Sequence[Deed] = DEEDS) -> type[RuleBasedStateMachine]:
    """Make the machine of a pair, whose owner does some deeds."""
    app = AuthApp(pair.known.auth)
    endpoints, pages = Quiet(endpoints_of(app)), Quiet(sorted(app.routes.pages))

    made_calls = {by_name: calls(endpoints, pages, by_name=by_name) for by_name in (False, True)}
    drawn = st.runner().flatmap(lambda self: made_calls[self.by_name])

    class Concealment(RuleBasedStateMachine):
        #: Whether the stranger knows the account by its username, in place of its address.
        by_name = False

        @initialize(state=st.sampled_from(STATES), by_name=st.booleans())
        def begin(self, state: str, *, by_name: bool) -> None:
            self.by_name = by_name
            pair.run(pair.begin(state))

        @rule(made=drawn)
        def call(self, made: Call) -> None:
            pair.run(pair.step(made))

        @rule(made=drawn, times=st.integers(2, 12))
        def call_often(self, made: Call, times: int) -> None:
            for _ in range(times):
                pair.run(pair.step(made))

        @rule(made=drawn)
        def call_and_call_again_later(self, made: Call) -> None:
            pair.run(pair.step(made))
            pair.run(pair.wait(MINUTE + 1))
            pair.run(pair.step(made))

        @rule(seconds=st.sampled_from(PAUSES))
        def wait(self, seconds: int) -> None:
            pair.run(pair.wait(seconds))

        @rule(deed=st.sampled_from(deeds))
        def act(self, deed: Deed) -> None:
            pair.run(pair.act(deed))

        @rule()
        def purge(self) -> None:
            pair.run(pair.purge())

    return Concealment
