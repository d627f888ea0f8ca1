"""New passkeys: they are what was asked for (WebAuthn Level 3, 7.1), and options tell nothing about users."""

import hashlib
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from asgi_auth.features.passkeys.credentials import KIND
from asgi_auth.features.passkeys.sent import decoded, encoded
from asgi_auth.testing.passkey import Passkey
from tests.passkeys.world import EMAIL, World, a_world, code_of
from tests.support import ORIGIN

#: Where the flags stand in authenticator data, behind the hash of the domain.
FLAGS = 32


async def outcome(world: World, change: Any, device: Passkey | None = None) -> str:
    """Make a passkey, change its authenticator data, and add it; return the outcome."""
    identity = await world.identity()
    made = (device or world.device).create((await world.passkeys.passkey_options(identity=identity)).options)
    attestation = cbor2.loads(decoded(made["response"]["attestationObject"]))
    attestation |= {"authData": bytes(change(bytearray(attestation["authData"])))}
    made["response"]["attestationObject"] = encoded(cbor2.dumps(attestation))
    return await code_of(world.passkeys.add_passkey(credential=made, identity=identity))


def without(flag: int) -> Any:
    def change(data: bytearray) -> bytearray:
        data[FLAGS] &= ~flag
        return data

    return change


def with_key(key: dict[int, Any]) -> Any:
    def change(data: bytearray) -> bytearray:
        return data[: FLAGS + 5 + 16 + 2 + 32] + cbor2.dumps(key)

    return change


def rsa_key(bits: int) -> dict[int, Any]:
    numbers = rsa.generate_private_key(65537, bits).public_key().public_numbers()
    return {1: 3, 3: -257, -1: numbers.n.to_bytes(bits // 8, "big"), -2: b"\x01\x00\x01"}


def curve_key(algorithm: int, curve: ec.EllipticCurve, number: int, size: int) -> dict[int, Any]:
    numbers = ec.generate_private_key(curve).public_key().public_numbers()
    return {1: 2, 3: algorithm, -1: number, -2: numbers.x.to_bytes(size, "big"), -3: numbers.y.to_bytes(size, "big")}


CHANGES = {
    "no user was there": without(0x01),
    "no user was verified": without(0x04),
    "there is no credential": without(0x40),
    "another domain": lambda data: hashlib.sha256(b"example.org").digest() + data[FLAGS:],
    "cut off": lambda data: data[:-1],
    "more behind it": lambda data: data + b"\x00",
    "backed up and not eligible": lambda data: data[:FLAGS] + bytes([data[FLAGS] | 0x10]) + data[FLAGS + 1 :],
    "another algorithm": with_key(curve_key(-35, ec.SECP384R1(), 2, 48)),
    "a short key": with_key(rsa_key(1024)),
    "no point of the curve": with_key({1: 2, 3: -7, -1: 1, -2: bytes(31) + b"\x01", -3: bytes(31) + b"\x01"}),
    "no key": with_key({}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_a_new_passkey_is_what_was_asked_for(change: Any) -> None:
    async with a_world() as world:
        assert await outcome(world, change) == "invalid_passkey"
        assert await world.auth.storage.credential(world.user_id, KIND) is None
        assert await outcome(world, lambda data: data, Passkey(origin=ORIGIN)) == "in"


async def test_an_id_has_1023_bytes_at_most() -> None:
    for size, expected in ((1023, "in"), (1024, "invalid_passkey")):
        async with a_world() as world:
            identity = await world.identity()
            options = (await world.passkeys.passkey_options(identity=identity)).options
            device = Passkey(origin=ORIGIN, id_size=size)
            adding = world.passkeys.add_passkey(credential=device.create(options), identity=identity)
            assert await code_of(adding) == expected


async def test_a_bare_public_key_is_no_passkey() -> None:
    async with a_world() as world:
        identity = await world.identity()
        made = world.device.create((await world.passkeys.passkey_options(identity=identity)).options)
        made["response"]["attestationObject"] = encoded(cbor2.dumps(curve_key(-7, ec.SECP256R1(), 1, 32)))

        assert await code_of(world.passkeys.add_passkey(credential=made, identity=identity)) == "invalid_passkey"


async def test_the_user_handle_is_one_for_all_passkeys_and_no_personal_data() -> None:
    async with a_world() as world:
        identity = await world.identity((await world.add()).tokens)
        options = (await world.passkeys.passkey_options(identity=identity)).options
        handle = decoded(options["user"]["id"])

        assert handle == world.device.keys[0].user_handle
        assert len(handle) == 32
        for known in (EMAIL, world.user_id):
            assert known.encode() not in handle
        assert [each["id"] for each in options["excludeCredentials"]] == [encoded(world.device.keys[0].id)]
        assert options["authenticatorSelection"]["userVerification"] == "required"


async def test_options_for_a_login_are_alike_for_everyone() -> None:
    async with a_world() as world:
        before = await world.options()
        await world.add()
        after = await world.options()

        assert before.keys() == after.keys()
        assert {name for name in before if before[name] != after[name]} == {"challenge"}
        assert after["allowCredentials"] == []
        assert len(decoded(after["challenge"])) == 64
