"""A device in software that makes and uses passkeys as the browser of a user does (WebAuthn Level 3).

It needs the extra `passkeys`.
"""

import base64
import hashlib
import json
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any, Literal

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

Algorithm = Literal[-8, -7, -257]
#: The flags of authenticator data (WebAuthn Level 3, 6.1): present, verified, eligible for a backup, backed up, with a
#: credential.
UP, UV, BE, BS, AT = 0x01, 0x04, 0x08, 0x10, 0x40


@dataclass(kw_only=True)
class SoftwareKey:
    """A passkey: its id, the user that it belongs to, and the private key."""

    id: bytes
    rp_id: str
    user_handle: bytes
    algorithm: Algorithm
    private: Any
    count: int = 0


@dataclass(kw_only=True)
class Passkey:
    """A device with passkeys: it answers the options of a server.

    `origin` is that of the page that calls the browser. `synced` passkeys are copied to other devices, and their
    counter stays at 0. `verifies`: the user shows a PIN or a finger at each use. No browser checks the options, so a
    test can send what no browser would send::

        device = Passkey(origin="https://app.example.com")
        credential = device.create(options)  # of POST /passkeys/options
        credential = device.get(options)     # of POST /login/passkey/options
    """

    origin: str
    synced: bool = False
    verifies: bool = True
    algorithm: Algorithm = -7
    transports: tuple[str, ...] = ("internal",)
    aaguid: bytes = bytes(16)
    id_size: int = 32
    keys: list[SoftwareKey] = field(default_factory=list)

    def create(self, options: dict[str, Any], key: SoftwareKey | None = None, **client_data: Any) -> dict[str, Any]:
        """Make a passkey by the options of a server; return what `navigator.credentials.create()` gives, as JSON.

        `key` is shown again instead, as no device does. Raises LookupError for an excluded passkey that is here.
        `client_data` are members for the client data; None leaves one out.
        """
        if {_bytes(each["id"]) for each in options["excludeCredentials"]} & {key.id for key in self.keys}:
            raise LookupError("InvalidStateError: a passkey of the account is here already")
        key = key or SoftwareKey(
            id=secrets.token_bytes(self.id_size),
            rp_id=options["rp"]["id"],
            user_handle=_bytes(options["user"]["id"]),
            algorithm=self.algorithm,
            private=_private(self.algorithm),
        )
        self.keys.append(key)
        collected = self._client_data("webauthn.create", options["challenge"], client_data)
        attested = self.aaguid + struct.pack(">H", len(key.id)) + key.id + cbor2.dumps(_cose(key))
        data = self._data(key, AT) + attested
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": _text(collected),
            "attestationObject": _text(attestation),
            "transports": list(self.transports),
        }
        return _credential(key, response)

    def get(self, options: dict[str, Any], key: SoftwareKey | None = None, **client_data: Any) -> dict[str, Any]:
        """Use a passkey, by default the newest of those that the options allow; return what the browser gives.

        Raises LookupError without such a passkey.
        """
        allowed = {_bytes(each["id"]) for each in options["allowCredentials"]}
        usable = [each for each in self.keys if each.rp_id == options["rpId"] and (not allowed or each.id in allowed)]
        if not usable and key is None:
            raise LookupError("NotAllowedError: there is no such passkey here")
        found = key or usable[-1]
        if not self.synced:
            found.count += 1
        collected = self._client_data("webauthn.get", options["challenge"], client_data)
        data = self._data(found, 0)
        response = {
            "clientDataJSON": _text(collected),
            "authenticatorData": _text(data),
            "signature": _text(_sign(found, data + hashlib.sha256(collected).digest())),
            "userHandle": _text(found.user_handle),
        }
        return _credential(found, response)

    def _client_data(self, kind: str, challenge: str, more: dict[str, Any]) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False} | more
        return json.dumps({name: value for name, value in data.items() if value is not None}).encode()

    def _data(self, key: SoftwareKey, more: int) -> bytes:
        flags = UP | more | (UV if self.verifies else 0) | (BE | BS if self.synced else 0)
        return hashlib.sha256(key.rp_id.encode()).digest() + struct.pack(">BI", flags, key.count)


def _credential(key: SoftwareKey, response: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": _text(key.id),
        "rawId": _text(key.id),
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
        "response": response,
    }


def _private(algorithm: Algorithm) -> Any:
    if algorithm == -8:
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == -257:
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


def _cose(key: SoftwareKey) -> dict[int, Any]:
    """Return the public key in the form of COSE (RFC 9053, section 7)."""
    public = key.private.public_key()
    if key.algorithm == -8:
        return {1: 1, 3: -8, -1: 6, -2: public.public_bytes_raw()}
    numbers = public.public_numbers()
    if key.algorithm == -257:
        return {1: 3, 3: -257, -1: _number(numbers.n), -2: _number(numbers.e)}
    return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}


def _sign(key: SoftwareKey, signed: bytes) -> bytes:
    if key.algorithm == -8:
        signature = key.private.sign(signed)
    elif key.algorithm == -257:
        signature = key.private.sign(signed, padding.PKCS1v15(), SHA256())
    else:
        signature = key.private.sign(signed, ec.ECDSA(SHA256()))
    return bytes(signature)


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
