"""What other clients than the script of the pages send: libraries for browsers, and apps for iOS and Android."""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from asgi_auth.features.passkeys.sent import decoded, encoded
from tests.passkeys.world import World, a_world, code_of

#: What browsers add to both answers (WebAuthn Level 3, 5.1, `toJSON`).
BESIDE = {
    "authenticatorAttachment": "platform",
    "clientExtensionResults": {"credProps": {"rk": True}, "prf": {"enabled": True}, "largeBlob": {"supported": True}},
}
#: What `toJSON` and @simplewebauthn/browser add to the response of a new passkey.
ADDED = {"authenticatorData": "AAAA", "publicKey": "AAAA", "publicKeyAlgorithm": -7}
Sent = dict[str, Any]


def changed(sent: Sent, **response: Any) -> Sent:
    return {**sent, "response": {**sent["response"], **response}}


def lacking(sent: Sent, name: str) -> Sent:
    return {**sent, "response": {key: value for key, value in sent["response"].items() if key != name}}


NEW: dict[str, Callable[[Sent], Sent | str]] = {
    "toJSON": lambda sent: {**changed(sent, **ADDED), **BESIDE},
    "without transports": lambda sent: lacking(sent, "transports"),
    "an app that writes null": lambda sent: {**changed(sent, transports=None), "authenticatorAttachment": None},
    "transports of tomorrow": lambda sent: changed(sent, transports=["cable", "Smart Card", "", "x" * 64]),
    "large extensions": lambda sent: {**sent, "clientExtensionResults": {"large": "x" * 40000}},
    "text": json.dumps,
}


@pytest.mark.parametrize("name", NEW)
async def test_a_new_passkey_of_another_client_is_added(name: str) -> None:
    async with a_world() as world:
        identity = await world.identity()
        options = (await world.passkeys.passkey_options(identity=identity)).options

        added = await world.passkeys.add_passkey(credential=NEW[name](world.device.create(options)), identity=identity)

        assert added.passkey.id
        again = (await world.passkeys.passkey_options(identity=identity)).options["excludeCredentials"]
        assert all(set(each.get("transports", ["internal"])) <= {"internal", "cable"} for each in again)
        assert (await world.log_in()).access_token


USED: dict[str, Callable[[Sent], Sent | str]] = {
    "toJSON": lambda sent: {**sent, **BESIDE},
    "an app that writes null": lambda sent: {**changed(sent, attestationObject=None), "authenticatorAttachment": None},
    "text": json.dumps,
}
#: A device that keeps no passkey of its own tells no user handle.
UNNAMED: dict[str, Callable[[Sent], Sent | str]] = {
    "no user handle": lambda sent: lacking(sent, "userHandle"),
    "null": lambda sent: changed(sent, userHandle=None),
    "an app for iOS": lambda sent: changed(sent, userHandle=""),
}


async def used(world: World, change: Callable[[Sent], Sent | str]) -> tuple[str, str]:
    """Log in by a passkey alone, and after a password; return what each call answers."""
    alone = change(world.device.get(await world.options()))
    pending = await world.pending()
    second = change(world.device.get(await world.options(pending)))
    return (
        await code_of(world.passkeys.passkey_login(credential=alone)),
        await code_of(world.passkeys.passkey_login(credential=second, pending=pending)),
    )


@pytest.mark.parametrize("name", [*USED, *UNNAMED])
async def test_a_use_at_another_client_logs_in(name: str) -> None:
    async with a_world() as world:
        await world.add()

        outcome = await used(world, {**USED, **UNNAMED}[name])

        # Nothing but the user handle says who the user is, where the passkey is all that there is.
        assert outcome == ("invalid_passkey" if name in UNNAMED else "in", "in")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "base64": lambda text: base64.b64encode(decoded(text)).decode(),
    "padding": lambda text: base64.urlsafe_b64encode(decoded(text)).decode(),
    "lines, as Base64.DEFAULT of Android": lambda text: base64.encodebytes(decoded(text)).decode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_base64url_without_padding_is_the_one_spelling(spelling: str) -> None:
    spell = SPELLINGS[spelling]

    def spelled(sent: Sent) -> Sent:
        response = {name: spell(text) for name, text in sent["response"].items()}
        return {**sent, "id": spell(sent["id"]), "rawId": spell(sent["rawId"]), "response": response}

    async with a_world() as world:
        await world.add()

        assert await used(world, spelled) == ("invalid_passkey", "invalid_passkey")


def attested(sent: Sent, size: int, *, is_genuine: bool = True) -> Sent:
    """Return a new passkey with a certificate of its device, of some size, as a device for companies sends it."""
    data = cbor2.loads(decoded(sent["response"]["attestationObject"]))["authData"]
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime(2025, 1, 1, tzinfo=UTC)
    names = {"COUNTRY_NAME": "SE", "ORGANIZATION_NAME": "Keys", "ORGANIZATIONAL_UNIT_NAME": "Authenticator Attestation"}
    names["COMMON_NAME"] = "A key"
    subject = x509.Name([x509.NameAttribute(getattr(x509.NameOID, oid), text) for oid, text in names.items()])
    padding = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.45724.9.9"), bytes(size))
    certificate = (
        x509.CertificateBuilder(issuer_name=subject, subject_name=subject, public_key=key.public_key())
        .serial_number(7)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(padding, critical=False)
        .sign(key, SHA256())
    )
    signed = data + hashlib.sha256(decoded(sent["response"]["clientDataJSON"])).digest() + bytes(not is_genuine)
    statement = {
        "alg": -7,
        "sig": key.sign(signed, ec.ECDSA(SHA256())),
        "x5c": [certificate.public_bytes(Encoding.DER)],
    }
    attestation = cbor2.dumps({"fmt": "packed", "attStmt": statement, "authData": data})
    return changed(sent, attestationObject=encoded(attestation))


@pytest.mark.parametrize("size", [2000, 8000, 16000])
async def test_an_attestation_of_some_size_that_was_not_asked_for_is_checked(size: int) -> None:
    async with a_world() as world:
        identity = await world.identity()
        for is_genuine in (False, True):
            options = (await world.passkeys.passkey_options(identity=identity)).options
            sent = attested(world.device.create(options), size, is_genuine=is_genuine)
            answer = await code_of(world.passkeys.add_passkey(credential=sent, identity=identity))
            assert answer == ("in" if is_genuine else "invalid_passkey")
        assert (await world.log_in()).access_token
