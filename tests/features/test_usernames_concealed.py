"""Nothing but a registration tells whether a username exists: answers, work and counts are the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_auth import Audit, AuthMiddleware, Lockout, MagicLink, Outbox, Passwords, RateLimits, Usernames
from asgi_auth.mail import Mail
from tests.features.flows import Flows
from tests.features.names import BY_MAIL, by_token, log_in, register
from tests.support import (
    EMAIL,
    Answer,
    Client,
    Clock,
    CountingHasher,
    CountingStorage,
    make_auth,
    unlimited,
    who,
)

KNOWN, UNKNOWN = "ada", "eve"
VARYING = ("request",)


@asynccontextmanager
async def counting() -> AsyncIterator[tuple[Flows, CountingStorage, CountingHasher]]:
    """An app with all limits whose statements and hashes are counted; one user has a name."""
    storage, hasher, outbox, clock = CountingStorage(), CountingHasher(), Outbox(), Clock()
    passwords = Passwords()
    passwords._hasher = hasher
    limits = [RateLimits(), Lockout(after=3)]
    # Without what writes in the background, at any time.
    others = [item for item in unlimited(mail=True) if not isinstance(item, Audit)]
    features = [passwords, *others, MagicLink(), Usernames(), *limits]
    async with make_auth(storage, clock=clock, mailer=outbox, features=features, max_revocation_lag=60) as auth:
        app = Flows(auth, outbox, clock, Client(AuthMiddleware(who, auth, mount="/auth")))
        await register(app, "Ada")
        await app.mail("verify_email")
        yield app, storage, hasher


def shown(answer: Answer) -> Any:
    """What a caller sees of an answer, but for values that are random."""
    body = {name: "*" if name in VARYING else value for name, value in answer.json.items()}
    return answer.status, body, len(answer.body), [pair for pair in answer.headers if pair[0] != "x-request-id"]


async def watched(app: Flows, storage: CountingStorage, hasher: CountingHasher, way: str, name: str) -> Any:
    """Make one call; return what was seen, and the statements and hashes that it cost."""
    storage.statements.clear()
    hasher.verified.clear()
    if way == "login":
        answer = await log_in(app, name, "wrong password")
    elif way == "token":
        answer = await by_token(app, name, "wrong password")
    else:
        answer = await app.client.post(f"/auth/{way}", {"username": name})
    await app.auth.mail.idle()
    made = [statement for statement in storage.statements if "{changes}" not in statement]
    return shown(answer), made, len(hasher.verified)


@pytest.mark.parametrize("way", ["login", "token", *BY_MAIL])
async def test_an_unknown_name_is_answered_alike_after_equal_work(way: str) -> None:
    async with counting() as (app, storage, hasher):
        for name in (KNOWN, UNKNOWN):
            await watched(app, storage, hasher, way, name)
        app.clock.move(2 * 86400)
        # Below the lockout, at it, and behind it; mails up to their bound and beyond.
        for _ in range(5):
            known = await watched(app, storage, hasher, way, KNOWN)
            unknown = await watched(app, storage, hasher, way, UNKNOWN)
            assert known == unknown
        sent: list[Mail] = app.outbox.mails

    assert {mail.to for mail in sent} <= {EMAIL}
    assert way not in BY_MAIL or sent


async def test_the_stand_in_of_an_unknown_name_is_no_address_that_can_register() -> None:
    async with counting() as (app, _, _):
        usernames = app.auth[Usernames]
        one, same, other = [await usernames.address_of(name) for name in ("Nobody1", " nobody1", "nobody2")]
        known = await usernames.address_of("ADA")
    async with counting() as (another, _, _):
        elsewhere = await another.auth[Usernames].address_of("nobody1")

    assert one == same != other
    assert known == EMAIL
    assert len(one.partition("@")[0]) == 40
    # A MAC: another installation has another address for the same name.
    assert one != elsewhere


async def test_letters_of_full_width_name_no_account() -> None:
    seen = []
    async with counting() as (app, _, _):
        for name in (KNOWN, UNKNOWN):
            wide = "".join(chr(ord(letter) + 0xFEE0) for letter in name)
            for _ in range(3):
                await log_in(app, wide, "wrong password")
            seen.append(shown(await log_in(app, name, "wrong password")))

    assert seen[0] == seen[1]
    assert seen[0][0] == 401
