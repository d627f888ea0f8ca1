"""The vault: what is sealed opens only with the same keys and about the same place."""

import base64

import pytest

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.crypto.vault import Vault
from tests.support import INSTALLATION

OLD, NEW = b"o" * 16 + b"0123456789abcdef", b"n" * 16 + b"0123456789abcdef"


def a_vault(*secrets: bytes, installation: str = INSTALLATION) -> Vault:
    keys = KeyRing(secrets or (NEW,), (), "issuer", "audience")
    keys.bind(installation)
    return Vault(keys)


def test_what_is_sealed_opens_again() -> None:
    vault = a_vault()

    for value in (b"", b"x", bytes(range(256)) * 9):
        assert vault.open(vault.seal(value, "totp ä"), "totp ä") == value
    assert vault.seal(b"x", "a") != vault.seal(b"x", "a")
    assert b"secret" not in base64.urlsafe_b64decode(vault.seal(b"secret", "a"))


def test_a_sealed_text_opens_nowhere_else() -> None:
    vault = a_vault()
    sealed = vault.seal(b"secret", "totp user-1 credential-1")

    for about in ("totp user-2 credential-1", "totp user-1 credential-2", "", "totp user-1 credential-1 "):
        with pytest.raises(ValueError, match="was not sealed"):
            vault.open(sealed, about)
    for other in (a_vault(OLD), a_vault(installation="f" * 32)):
        with pytest.raises(ValueError, match="was not sealed"):
            other.open(sealed, "totp user-1 credential-1")


def test_a_changed_text_does_not_open() -> None:
    vault = a_vault()
    raw = bytearray(base64.urlsafe_b64decode(vault.seal(b"secret", "a")))

    for position in range(len(raw)):
        changed = bytearray(raw)
        changed[position] ^= 1
        with pytest.raises(ValueError, match="was not sealed"):
            vault.open(base64.urlsafe_b64encode(changed).decode(), "a")
    for text in ("", "x", "é", "====", base64.urlsafe_b64encode(raw[:9]).decode(), "A" * 10_000, "\n", "AAAA AAAA"):
        with pytest.raises(ValueError, match="was not sealed"):
            vault.open(text, "a")


def test_a_new_secret_opens_what_the_old_one_has_sealed() -> None:
    sealed = a_vault(OLD).seal(b"secret", "a")
    both = a_vault(NEW, OLD)

    assert both.open(sealed, "a") == b"secret"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal(b"secret", "a"))


def test_a_vault_follows_its_installation() -> None:
    keys = KeyRing((NEW,), (), "issuer", "audience")
    vault = Vault(keys)
    with pytest.raises(RuntimeError):
        vault.seal(b"secret", "a")

    keys.bind(INSTALLATION)
    sealed = vault.seal(b"secret", "a")
    keys.bind("f" * 32)

    with pytest.raises(ValueError, match="was not sealed"):
        vault.open(sealed, "a")
    assert vault.open(vault.seal(b"new", "a"), "a") == b"new"
