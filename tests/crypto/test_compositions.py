"""Passwords in other compositions of Unicode: one password, and existing hashes still fit."""

import unicodedata

import argon2
import pytest

from asgi_auth import Argon2
from asgi_auth.crypto.argon2 import PasswordHasher

CHEAP = Argon2.cheap()


async def test_compositions_of_a_password_are_one_password_and_old_hashes_still_fit() -> None:
    """RFC 8265, section 4.2.2: a new hash is of the text in NFC; one of an earlier version fits as it was typed."""
    hasher = PasswordHasher(CHEAP)
    typed = "Gro\u0308\u00dfenwahn-e\u0301-\u1100\u1161"
    composed = unicodedata.normalize("NFC", typed)
    old = argon2.PasswordHasher(1, 8, 1).hash(typed)

    for hashed in (await hasher.hash(typed), await hasher.hash(composed)):
        assert await hasher.verify(hashed, typed)
        assert await hasher.verify(hashed, composed)
    assert await hasher.verify(old, typed)
    assert not await hasher.verify(old, composed)


@pytest.mark.parametrize("known", [True, False])
async def test_a_wrong_password_costs_two_hashes_at_most_and_as_many_for_no_one(
    monkeypatch: pytest.MonkeyPatch, *, known: bool
) -> None:
    hasher = PasswordHasher(CHEAP)
    hashed = await hasher.hash("something else") if known else None
    costs: list[str] = []
    matches = hasher._work.matches

    def counted(hashed: str, password: str) -> bool:
        costs.append(password)
        return matches(hashed, password)

    monkeypatch.setattr(hasher._work, "matches", counted)

    for password in ("plain", "\u00e9", "e\u0301", "e" + "\u0301" * 40):
        assert not await hasher.verify(hashed, password)

    assert costs == ["plain", "\u00e9", "e\u0301", "\u00e9", "e" + "\u0301" * 40]
