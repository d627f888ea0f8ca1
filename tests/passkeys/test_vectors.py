"""The test vectors of WebAuthn Level 3, section 16: what the specification publishes is read as it says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Settings
from asgi_auth.errors import InvalidPasskeyError
from asgi_auth.features.passkeys.ceremonies import Used, created, used
from asgi_auth.features.passkeys.relying_party import RelyingParty
from asgi_auth.features.passkeys.sent import Assertion, Attestation, NewPasskey, UsedPasskey, encoded
from tests.support import SECRET

VECTORS: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("vectors.toml").read_text("utf-8"))
PARTY = RelyingParty(Settings(secret=SECRET, base_url="https://example.org"), None)
ELSEWHERE = RelyingParty(Settings(secret=SECRET, base_url="https://example.com"), "example.com")


def text(vector: dict[str, str], name: str) -> str:
    """A number of a vector in base64url."""
    return encoded(bytes.fromhex(vector[name]))


def key(vector: dict[str, str], kind: Any, response: Any) -> Any:
    return kind(id=text(vector, "id"), raw_id=text(vector, "id"), type="public-key", response=response)


def use(vector: dict[str, str], party: RelyingParty = PARTY, *, verified: bool) -> Used:
    response = Assertion(
        client_data=text(vector, "client_data"),
        authenticator_data=text(vector, "authenticator_data"),
        signature=text(vector, "signature"),
    )
    return used(
        party, key(vector, UsedPasskey, response), text(vector, "public_key"), "7", bare=False, verified=verified
    )


@pytest.mark.parametrize("name", [name for name, vector in VECTORS.items() if "use" in vector])
def test_a_use_is_read(name: str) -> None:
    vector = VECTORS[name]
    if vector["use"] == "refused":
        # Correct signatures in frames of other sites.
        with pytest.raises(InvalidPasskeyError):
            use(vector, verified=False)
        return

    found = use(vector, verified=False)

    flags = bytes.fromhex(vector["authenticator_data"])[32]
    assert found == Used(0, bool(flags & 0x08), bool(flags & 0x10), bool(flags & 0x04))
    assert found.verified is (vector["use"] == "verified")
    if not found.verified:
        with pytest.raises(InvalidPasskeyError):
            use(vector, verified=True)
    with pytest.raises(InvalidPasskeyError):
        use(vector, ELSEWHERE, verified=False)
    for changed in ("authenticator_data", "client_data", "signature"):
        last = int(vector[changed][-1], 16)
        with pytest.raises(InvalidPasskeyError):
            use(vector | {changed: f"{vector[changed][:-1]}{last ^ 1:x}"}, verified=False)


@pytest.mark.parametrize("name", [name for name, vector in VECTORS.items() if "new" in vector])
def test_a_new_passkey_is_read(name: str) -> None:
    vector = VECTORS[name]
    response = Attestation(client_data=text(vector, "new_client_data"), attestation=text(vector, "attestation_object"))
    sent = key(vector, NewPasskey, response)
    if vector["new"] == "refused":
        # An algorithm that no options ask for, a frame of another site, and a user who was not verified.
        with pytest.raises(InvalidPasskeyError):
            created(PARTY, sent)
        return

    found = created(PARTY, sent)

    assert (found.identifier, found.public_key) == (text(vector, "id"), text(vector, "public_key"))
    with pytest.raises(InvalidPasskeyError):
        created(ELSEWHERE, sent)
