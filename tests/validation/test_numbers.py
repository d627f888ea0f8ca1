"""Options of features that are numbers: what is not whole, or too large, fails where the feature is made."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from asgi_auth import (
    Account,
    Audit,
    EmailChange,
    EmailVerification,
    Invitations,
    Lockout,
    MagicLink,
    NewDevice,
    PasswordReset,
    RecoveryCodes,
    Totp,
    TrustedDevices,
    Unlock,
)

OPTIONS: list[tuple[Callable[..., Any], str]] = [
    *((Lockout, name) for name in ("after", "pause", "longest", "memory")),
    *((Audit, name) for name in ("keep", "keep_unknown", "queue")),
    *((feature, "ttl") for feature in (EmailChange, EmailVerification, Invitations, MagicLink, PasswordReset, Unlock)),
    *((feature, "quiet") for feature in (EmailChange, EmailVerification, MagicLink, PasswordReset, Unlock)),
    (Account, "reopen"),
    (NewDevice, "most"),
    (RecoveryCodes, "count"),
    (Totp, "drift"),
    (TrustedDevices, "days"),
]


@pytest.mark.parametrize(("feature", "option"), OPTIONS, ids=str)
@pytest.mark.parametrize("value", [timedelta(seconds=2).total_seconds(), 1.5, True, "2", 10**10, -1, float("nan")])
def test_a_number_that_would_fail_in_requests_is_refused(feature: Callable[..., Any], option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option):
        feature(**{option: value})
