"""The options of the two ceremonies, in the JSON form of WebAuthn Level 3 (5.1.10 and 5.1.11)."""

from collections.abc import Sequence
from typing import Any

from asgi_auth.feature import Credential, User
from asgi_auth.features.passkeys.challenges import TTL
from asgi_auth.features.passkeys.relying_party import RelyingParty
from asgi_auth.features.passkeys.sent import encoded

#: Ed25519, ES256 and RS256, as COSE numbers them; nothing else is accepted.
ALGORITHMS = (-8, -7, -257)


def creation(
    party: RelyingParty, user_id: str, name: str, challenge: bytes, excluded: Sequence[Credential]
) -> dict[str, Any]:
    """Return the options of a new passkey of a user. The authenticator shows the user by `name`."""
    return {
        "rp": {"id": party.id, "name": party.name},
        "user": {"id": encoded(party.handle(user_id)), "name": name, "displayName": name},
        "challenge": encoded(challenge),
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
        "timeout": TTL * 1000,
        "excludeCredentials": [_descriptor(each) for each in excluded],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
    }


def request(
    party: RelyingParty, challenge: bytes, allowed: Sequence[Credential] = (), *, verified: bool
) -> dict[str, Any]:
    """Return the options of a use; without `allowed`, of any passkey. `verified`: the user must be verified."""
    return {
        "challenge": encoded(challenge),
        "timeout": TTL * 1000,
        "rpId": party.id,
        "allowCredentials": [_descriptor(each) for each in allowed],
        "userVerification": "required" if verified else "preferred",
    }


def accepted(party: RelyingParty, user: User, credentials: Sequence[Credential]) -> dict[str, Any]:
    """Return what `PublicKeyCredential.signalAllAcceptedCredentials` takes (5.1.10.3)."""
    return {
        "rpId": party.id,
        "userId": encoded(party.handle(user.id)),
        "allAcceptedCredentialIds": [each.identifier for each in credentials],
    }


def _descriptor(credential: Credential) -> dict[str, Any]:
    transports = credential.data.get("transports")
    found: dict[str, Any] = {"type": "public-key", "id": credential.identifier}
    return found | {"transports": transports} if transports else found
