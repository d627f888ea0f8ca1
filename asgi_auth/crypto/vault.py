"""The vault: secrets that the server has to read again, sealed before they are stored (ASVS 11.3.2 to 11.3.4)."""

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.model.records import Credential

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

#: Bytes of the key's id and of the nonce, which precede the ciphertext.
KEY_ID, NONCE = 4, 12


def place_of(credential: Credential) -> str:
    """Return the text that the sealed secret of a credential is bound to."""
    return f"{credential.kind} {credential.user_id} {credential.id}"


class Vault:
    """Seals and opens secrets with AES-256-GCM, by keys of the installation: `auth.vault`.

    A sealed text names its key, and is bound to a text about its place: sealed text that was moved to another row does
    not open. Needs the package `cryptography` (extra `mfa`).
    """

    def __init__(self, keys: KeyRing) -> None:
        """Take the keys, which are derived at the first use."""
        self._keys = keys
        self._of: tuple[Sequence[bytes], dict[bytes, AESGCM]] | None = None

    def seal(self, value: bytes, about: str) -> str:
        """Seal bytes with the newest key, bound to a text such as `"totp <user> <credential>"`."""
        key_id, key = next(iter(self._ciphers().items()))
        nonce = secrets.token_bytes(NONCE)
        return base64.urlsafe_b64encode(key_id + nonce + key.encrypt(nonce, value, about.encode())).decode()

    def open(self, text: str, about: str) -> bytes:
        """Return what was sealed with the same text about it. Raises ValueError for everything else."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 (of an extra)

        try:
            raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
            key = self._ciphers()[raw[:KEY_ID]]
            opened = key.decrypt(raw[KEY_ID : KEY_ID + NONCE], raw[KEY_ID + NONCE :], about.encode())
        except (KeyError, UnicodeEncodeError, binascii.Error, InvalidTag, ValueError):
            raise ValueError("the text was not sealed with these keys, or was sealed about something else") from None
        return opened

    def is_current(self, text: str) -> bool:
        """Tell whether a text was sealed with the newest key: others are sealed anew before a secret is dropped."""
        return base64.urlsafe_b64decode(text)[:KEY_ID] == next(iter(self._ciphers()))

    def _ciphers(self) -> dict[bytes, "AESGCM"]:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 (of an extra)

        keys = self._keys.derived("vault")
        if self._of is None or self._of[0] is not keys:
            self._of = (keys, {hashlib.sha256(b"vault" + key).digest()[:KEY_ID]: AESGCM(key) for key in keys})
        return self._of[1]
