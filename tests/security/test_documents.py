"""The security pages say what the code does: its numbers, its list of ways to log in, its algorithms."""

import inspect
import re
from dataclasses import fields
from typing import Any

import pytest

from asgi_auth import Argon2, Field, PasswordPolicy, RedisCounters, Settings
from asgi_auth.accounts.one_time_tokens import TRIES
from asgi_auth.accounts.token_secrets import DIGITS
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.crypto.keys import ALGORITHMS, MIN_RSA_BITS, MIN_SECRET_BYTES
from asgi_auth.limits.redis import MOST as MOST_COUNTS
from asgi_auth.mail.delivery import Delivery
from asgi_auth.mail.smtp import SMTPMailer
from asgi_auth.sessions.permissions import MAX_ROLES
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.runner import TRIES as CONFLICTS
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.storage.sqlite_writer import MOST as MOST_WRITES
from asgi_auth.storage.waiting_line import MOST as MOST_WAITING
from asgi_auth.validation import fields as body_fields
from asgi_auth.web.body import MAX_DEPTH, MAX_VALUES
from asgi_auth.web.client import MAX_LANGUAGES, MAX_USER_AGENT
from asgi_auth.web.credentials import MAX_HEADER
from tests.docs.files import DOCS
from tests.documentation import every_endpoint
from tests.support import make_auth

TEXT = (DOCS / "security.md").read_text("utf-8") + (DOCS / "reference" / "input.md").read_text("utf-8")
DEFAULTS = {item.name: item.default for item in fields(Settings)}


def default(kind: Any, name: str) -> Any:
    return inspect.signature(kind).parameters[name].default


def longest(kind: Any) -> int:
    (meta,) = kind.__metadata__
    found: int = meta.max_length
    return found


def section(heading: str) -> str:
    return TEXT.split(f"\n## {heading}\n")[1].partition("\n## ")[0]


def test_every_way_to_log_in_is_listed() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", section("Ways to log in"), re.MULTILINE)
    giving = {endpoint.name for endpoint in every_endpoint() if endpoint.gives_tokens} - {"export"}

    assert set(listed) == giving
    assert len(listed) == len(giving)


@pytest.mark.parametrize(
    "said",
    [
        f"{DEFAULTS['max_body']} bytes, {MAX_DEPTH} levels, {MAX_VALUES} values",
        f"3 to {longest(body_fields.Email)} characters",
        f"1 to {longest(body_fields.Secret)} characters",
        f"a new one {PasswordPolicy().min_length} characters to {PasswordPolicy().max_bytes} bytes",
        f"{longest(body_fields.TokenText)} characters at most, of one spelling",
        f"{DIGITS} digits, {TRIES} tries",
        f"other lines | {longest(body_fields.Line)} characters",
        f"`max_length` ({Field('x').max_length}) characters",
        f"{MAX_ROLES} characters together",
        f"{MAX_HEADER} bytes a line; user agent and languages are cut at {MAX_USER_AGENT} characters",
    ],
)
def test_every_limit_is_the_one_of_the_code(said: str) -> None:
    assert MAX_USER_AGENT == MAX_LANGUAGES
    assert said in section("What is accepted")


@pytest.mark.parametrize(
    "said",
    [
        f"{ALGORITHMS[0]}, or {', '.join(ALGORITHMS[1:])} ({MIN_RSA_BITS} bits at least)",
        f"{Argon2().memory_cost // 1024} MiB, {Argon2().time_cost} passes, {Argon2().parallelism} lane",
        f"at least {MIN_SECRET_BYTES} random bytes",
    ],
)
def test_the_algorithms_are_those_of_the_code(said: str) -> None:
    assert said in section("Keys and algorithms")


SECONDS = f"{default(Postgres, 'timeout'):.0f}"


@pytest.mark.parametrize(
    "said",
    [
        f"{default(Postgres, 'max_size')} connections, {MOST_WAITING} waiting calls, {SECONDS} seconds for all",
        f"deadlocks are tried {CONFLICTS} times",
        f"one writer, {MOST_WRITES} waiting calls, {default(SQLite, 'timeout'):.0f} seconds for all calls of a request",
        f"{MOST_COUNTS} calls, {default(RedisCounters, 'timeout'):.0f} seconds",
        f"{default(Delivery, 'workers')} at a time, {default(SMTPMailer, 'timeout'):.0f} seconds a step",
    ],
)
def test_the_bounds_of_what_it_connects_to_are_those_of_the_code(said: str) -> None:
    assert said in section("Connections")


def test_the_costly_operations_are_bounded_as_it_says() -> None:
    said = section("Expensive operations")

    assert PasswordHasher(Argon2.cheap(), workers=1)._limit - 1 == 16
    assert "16 more wait for each" in said
    assert f"{default(Delivery, 'limit')} wait" in said


async def test_the_owner_reads_what_it_says() -> None:
    async with make_auth():
        said = section("Access to fields")
    for name in ("email", "email_verified", "roles", "status"):
        assert f"| `{name}` |" in said
