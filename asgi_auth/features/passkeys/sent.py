"""What browsers send: a credential in the JSON form of WebAuthn Level 3 (5.1, `toJSON`), as an object or as text."""

import base64
import binascii
import json
from typing import Annotated, Any, TypeAlias, TypeVar

import msgspec

from asgi_auth.errors import InvalidPasskeyError
from asgi_auth.feature import Record

#: Bytes in base64url without padding (RFC 7515, section 2).
Base64: TypeAlias = Annotated[str, msgspec.Meta(max_length=32768, examples=["AQID"])]
#: The same objects as JSON text: pages send them by a form.
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=2, max_length=49152)]
#: Ways to reach an authenticator, such as `usb`.
Transports: TypeAlias = Annotated[
    tuple[Annotated[str, msgspec.Meta(max_length=64)], ...], msgspec.Meta(max_length=16, examples=[["internal"]])
]
#: The longest id of a credential, in bytes (WebAuthn Level 3, 7.1).
MAX_ID = 1023


class Attestation(Record, frozen=True, kw_only=True):
    """The response of a new passkey; `transports` are ways to reach its authenticator, such as `usb`."""

    client_data: Base64 = msgspec.field(name="clientDataJSON")
    attestation: Base64 = msgspec.field(name="attestationObject")
    transports: Transports | None = None


class Assertion(Record, frozen=True, kw_only=True):
    """The response of a known passkey; an empty user handle is none, as that of a security key in an app for iOS."""

    client_data: Base64 = msgspec.field(name="clientDataJSON")
    authenticator_data: Base64 = msgspec.field(name="authenticatorData")
    signature: Base64
    user_handle: Base64 | None = msgspec.field(default=None, name="userHandle")


class NewPasskey(Record, frozen=True, kw_only=True):
    """What `navigator.credentials.create()` returned, as JSON."""

    id: Base64
    raw_id: Base64 = msgspec.field(name="rawId")
    type: Annotated[str, msgspec.Meta(max_length=64, examples=["public-key"])]
    response: Attestation


class UsedPasskey(Record, frozen=True, kw_only=True):
    """What `navigator.credentials.get()` returned, as JSON."""

    id: Base64
    raw_id: Base64 = msgspec.field(name="rawId")
    type: Annotated[str, msgspec.Meta(max_length=64, examples=["public-key"])]
    response: Assertion


T = TypeVar("T", NewPasskey, UsedPasskey)


def read(sent: T | str, kind: type[T]) -> T:
    """Return what was sent as an object or as JSON text. Raises InvalidPasskeyError."""
    if not isinstance(sent, str):
        return sent
    try:
        return msgspec.json.decode(sent, type=kind)
    except (msgspec.MsgspecError, UnicodeEncodeError):
        raise InvalidPasskeyError from None


def encoded(value: bytes) -> str:
    """Return bytes in base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """Return the bytes of a base64url text without padding; raises InvalidPasskeyError for all other texts.

    Only the canonical text of some bytes is accepted (RFC 4648, section 3.5).
    """
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise InvalidPasskeyError from None
    if encoded(value) != text:
        raise InvalidPasskeyError
    return value


def challenge_of(client_data: str) -> bytes:
    """Return the challenge in the client data. Raises InvalidPasskeyError, also for a page in a frame of another site.

    The library that checks the rest reads `crossOrigin` and `topOrigin`, and accepts both (WebAuthn Level 3, 7.1, 7.2).
    """
    try:
        data: Any = json.loads(decoded(client_data))
    except (ValueError, RecursionError):
        raise InvalidPasskeyError from None
    if not isinstance(data, dict) or data.get("crossOrigin", False) is not False or "topOrigin" in data:
        raise InvalidPasskeyError
    challenge = data.get("challenge")
    if not isinstance(challenge, str):
        raise InvalidPasskeyError
    return decoded(challenge)
