"""The numbers that the documentation states are those of the code."""

import inspect
import re
from dataclasses import fields
from typing import Any

import pytest

from asgi_auth import (
    Argon2,
    Audit,
    EmailChange,
    EmailVerification,
    Lockout,
    MagicLink,
    NewDevice,
    PasswordPolicy,
    PasswordReset,
    RedisCounters,
    Settings,
    SMTPMailer,
    Unlock,
)
from asgi_auth.accounts.known_clients import DEVICE_MEMORY, MOST_NETWORKS, NETWORK_MEMORY
from asgi_auth.accounts.mail_budget import ALL_KNOWN, KNOWN, NEWCOMERS, STRANGER, STRANGERS
from asgi_auth.accounts.one_time_tokens import TRIES
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.accounts.token_secrets import DIGITS
from asgi_auth.events.log import MAX_TEXT
from asgi_auth.features.new_device.feature import PREFIXES
from asgi_auth.limits.rules import MOST_OF_KNOWN
from asgi_auth.mail.delivery import DELAYS, Delivery
from asgi_auth.mail.smtp import PORTS
from asgi_auth.runtime.purge import BATCH, KEPT
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_pool import MAX_IDLE
from tests.docs.files import DOCS
from tests.test_architecture import FLOORS

DAY = 86400
SETTINGS: dict[str, Any] = {item.name: item.default for item in fields(Settings)}


def default(kind: Any, name: str) -> Any:
    """Return the default of a parameter."""
    return inspect.signature(kind).parameters[name].default


@pytest.mark.parametrize(
    ("page", "fact"),
    [
        ("concepts/sessions-and-tokens", f"{SETTINGS['access_ttl'] // 60} minutes (`access_ttl`)"),
        ("concepts/sessions-and-tokens", f"lives {SETTINGS['session_ttl'] // DAY} days at most (`session_ttl`)"),
        ("concepts/sessions-and-tokens", f"after {SETTINGS['session_idle'] // DAY} days without a refresh"),
        ("concepts/sessions-and-tokens", f"{SETTINGS['max_sessions']} sessions at most (`max_sessions`)"),
        ("concepts/refresh", f"`refresh_grace` ({SETTINGS['refresh_grace']} seconds)"),
        ("concepts/refresh", f"| `access_ttl` | {SETTINGS['access_ttl']} seconds |"),
        ("concepts/refresh", f"| `on_reuse` | `{SETTINGS['on_reuse']}` |"),
        ("concepts/limits", f"have {MOST_OF_KNOWN} wrong passwords a day"),
        ("concepts/limits", f"over the account, lasts {DEVICE_MEMORY // DAY} days, and stays after a logout"),
        ("concepts/limits", f"keyed digest: {MOST_NETWORKS} networks per account, for {NETWORK_MEMORY // DAY} days"),
        ("concepts/revocation", f"`max_revocation_lag` ({SETTINGS['max_revocation_lag']:.0f} seconds)"),
        ("concepts/mailed-links-and-codes", f"**{ {8: 'eight'}[DIGITS] }-digit code**"),
        ("concepts/mailed-links-and-codes", f"| cannot be guessed | { {5: 'five'}[TRIES] }, then"),
        ("concepts/mailed-links-and-codes", f"| { {5: 'five'}[default(Purpose, 'most')] } of a kind, and"),
        ("concepts/mailed-links-and-codes", f"of a kind, and { {8: 'eight'}[STRANGER] } in all |"),
        ("concepts/mailed-links-and-codes", f"| all such networks together | { {20: 'twenty'}[STRANGERS] } |"),
        ("concepts/mailed-links-and-codes", f"with the address | { {20: 'twenty'}[NEWCOMERS] } |"),
        ("concepts/mailed-links-and-codes", f"has logged in before | { {20: 'twenty'}[KNOWN] } |"),
        ("concepts/mailed-links-and-codes", f"devices and networks together | { {60: 'sixty'}[ALL_KNOWN] } |"),
        ("concepts/limits", f"After {default(Lockout, 'after')} wrong passwords (`after`)"),
        ("reference/limits", f"| `after` | {default(Lockout, 'after')} |"),
        ("reference/limits", f"| `pause` | {default(Lockout, 'pause')} seconds |"),
        ("reference/limits", f"| `longest` | {default(Lockout, 'longest'):,} seconds |"),
        ("reference/limits", f"| `memory` | {default(Lockout, 'memory'):,} seconds |"),
        ("concepts/limits", f"timeout={default(RedisCounters, 'timeout')})"),
        ("reference/settings", f"Argon2(memory_cost={Argon2().memory_cost}, time_cost={Argon2().time_cost})"),
        ("reference/input", f"| `min_length` | {PasswordPolicy().min_length} |"),
        ("reference/input", f"| `max_bytes` | {PasswordPolicy().max_bytes:,} |"),
        ("reference/input", f"`PasswordPolicy.nist()` requires {PasswordPolicy.nist().min_length} characters"),
        ("reference/events", f"{default(Audit, 'queue'):,} events (`queue`)"),
        ("reference/events", f"{default(Audit, 'keep') // DAY} days, in seconds"),
        ("reference/events", f"cut\nat {MAX_TEXT} characters"),
        ("reference/mails", f"{default(Delivery, 'workers')} mails at a time; {default(Delivery, 'limit'):,} may be"),
        ("reference/mails", "after {:.0f}, {:.0f}, {:.0f} and {:.0f} seconds".format(*DELAYS)),
        ("reference/mails", f'port {PORTS["starttls"]} with `tls="starttls"` and port {PORTS["tls"]} with'),
        ("reference/mails", f"`timeout` is {default(SMTPMailer, 'timeout'):.0f} seconds for each step"),
        ("reference/mails", f"last {default(NewDevice, 'most')} devices (`most`)"),
        ("reference/mails", f"(IPv4\n/{PREFIXES[4]}, IPv6 /{PREFIXES[6]};"),
        ("reference/storage", f"{default(Postgres, 'max_size')} connections per process at most"),
        ("reference/storage", f"after {MAX_IDLE // 60} idle minutes"),
        ("reference/storage", f"| `prefix` | `{Names().prefix}` |"),
        ("reference/storage", f"| `id_type` | `{Names().id_type}` |"),
        ("reference/storage", f"deleted { {DAY: 'one day'}[KEPT] } after they expire"),
        ("reference/storage", f"{BATCH} rows per table at a time"),
    ],
)
def test_a_number_is_the_one_of_the_code(page: str, fact: str) -> None:
    assert fact in (DOCS / f"{page}.md").read_text("utf-8")


@pytest.mark.parametrize("kind", [EmailVerification, PasswordReset, EmailChange, Unlock, MagicLink])
def test_the_lifetime_of_a_link_is_the_one_of_the_code(kind: Any) -> None:
    minutes = default(kind, "ttl") // 60
    lifetime = f"{minutes} minutes" if minutes < 60 else f"{minutes // 60} hour{'s' if minutes > 60 else ''}"
    (row,) = [
        line
        for line in (DOCS / "concepts" / "mailed-links-and-codes.md").read_text("utf-8").splitlines()
        if line.startswith(f"| `{kind.__name__}` |")
    ]

    assert row.endswith(f"| {lifetime} | {default(kind, 'quiet')} seconds |")


def test_the_floors_are_those_of_the_architecture_test() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    rows = [
        line
        for line in text.partition("\n## Floors\n")[2].partition("\n## ")[0].splitlines()
        if re.match(r"\| \d+ \|", line)
    ]

    assert len(rows) == len(FLOORS)
    for level, (row, rooms) in enumerate(zip(rows, FLOORS, strict=True)):
        assert row.startswith(f"| {level} |")
        named = set(re.findall(r"`([\w.]+)`", row.split("|")[2]))
        assert named == {room for room in rooms if not room.startswith("_")}
