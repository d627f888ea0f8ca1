"""The two ceremonies, checked by the package `webauthn`: a new passkey, and the use of a known one.

The challenge is checked before, by its MAC, and the counter afterwards.
"""

import hmac
import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

from asgi_auth.crypto.keys import MIN_RSA_BITS
from asgi_auth.errors import InvalidPasskeyError
from asgi_auth.features.passkeys.options import ALGORITHMS
from asgi_auth.features.passkeys.relying_party import RelyingParty
from asgi_auth.features.passkeys.sent import MAX_ID, NewPasskey, UsedPasskey, challenge_of, decoded, encoded

#: A transport as browsers name it, such as `smart-card`.
TRANSPORT = re.compile(r"[a-z][a-z-]{0,31}")
R = TypeVar("R")


class Created(NamedTuple):
    """A new passkey: its id and its public key (COSE) in base64url, and what its authenticator says of it."""

    identifier: str
    public_key: str
    counter: int
    eligible: bool
    backed_up: bool
    aaguid: str
    transports: tuple[str, ...]


class Used(NamedTuple):
    """The use of a passkey: the counter, the flags of the backup, and whether the user was verified."""

    counter: int
    eligible: bool
    backed_up: bool
    verified: bool


def created(party: RelyingParty, sent: NewPasskey) -> Created:
    """Check a new passkey against the options (WebAuthn Level 3, 7.1). Raises InvalidPasskeyError."""
    from webauthn import verify_registration_response  # noqa: PLC0415 (of an extra)
    from webauthn.helpers.cose import COSEAlgorithmIdentifier  # noqa: PLC0415 (of an extra)

    found = _checked(
        verify_registration_response,
        credential=_plain(sent, sent.response.client_data, sent.response.attestation),
        expected_challenge=challenge_of(sent.response.client_data),
        expected_rp_id=party.id,
        expected_origin=party.origins,
        require_user_verification=True,
        supported_pub_key_algs=[COSEAlgorithmIdentifier(algorithm) for algorithm in ALGORITHMS],
    )
    if not 0 < len(found.credential_id) <= MAX_ID or encoded(found.credential_id) != sent.id:
        raise InvalidPasskeyError
    _checked(_load, found.credential_public_key)
    return Created(
        identifier=sent.id,
        public_key=encoded(found.credential_public_key),
        counter=found.sign_count,
        eligible=found.credential_device_type == "multi_device",
        backed_up=found.credential_backed_up,
        aaguid=found.aaguid,
        transports=tuple(filter(TRANSPORT.fullmatch, sent.response.transports or ())),
    )


def used(party: RelyingParty, sent: UsedPasskey, public_key: str, user_id: str, *, bare: bool, verified: bool) -> Used:
    """Check the use of a passkey of a user (WebAuthn Level 3, 7.2). Raises InvalidPasskeyError.

    With `bare`, nothing but the passkey names the user: then the user handle must be there. `verified`: the user must
    have been verified, by a PIN or a finger. The counter is not judged.
    """
    from webauthn import verify_authentication_response  # noqa: PLC0415 (of an extra)

    response, handle = sent.response, party.handle(user_id)
    named = response.user_handle or None
    if (named is None and bare) or (named is not None and not hmac.compare_digest(decoded(named), handle)):
        raise InvalidPasskeyError
    found = _checked(
        verify_authentication_response,
        credential=_plain(sent, response.client_data, response.authenticator_data, response.signature),
        expected_challenge=challenge_of(response.client_data),
        expected_rp_id=party.id,
        expected_origin=party.origins,
        credential_public_key=decoded(public_key),
        credential_current_sign_count=0,
        require_user_verification=verified,
    )
    return Used(
        counter=found.new_sign_count,
        eligible=found.credential_device_type == "multi_device",
        backed_up=found.credential_backed_up,
        verified=found.user_verified,
    )


def _plain(sent: NewPasskey | UsedPasskey, *texts: str) -> dict[str, Any]:
    """Return what was sent as plain data, after a check that all texts are canonical base64url."""
    for text in (sent.id, sent.raw_id, *texts):
        decoded(text)
    plain: dict[str, Any] = msgspec.to_builtins(sent)
    return plain


def _load(public_key: bytes) -> None:
    """Load a public key: one that never verifies anything must not count as a way to log in. Raises ValueError."""
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey  # noqa: PLC0415 (of an extra)
    from webauthn.helpers import (  # noqa: PLC0415 (of an extra)
        decode_credential_public_key,
        decoded_public_key_to_cryptography,
    )

    key = decoded_public_key_to_cryptography(decode_credential_public_key(public_key))
    if isinstance(key, RSAPublicKey) and key.key_size < MIN_RSA_BITS:
        raise ValueError(f"an RSA key needs at least {MIN_RSA_BITS} bits")


def _checked(verify: Callable[..., R], *values: Any, **arguments: Any) -> R:
    """Return what the package found. Whatever it raises for a text of a stranger is a refusal."""
    try:
        return verify(*values, **arguments)
    except Exception as error:
        raise InvalidPasskeyError from error
