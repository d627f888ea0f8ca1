"""The codes of an app are those of RFC 6238, and of its own tests."""

import base64
import secrets
import subprocess
from urllib.parse import parse_qs, urlsplit

import pytest

from asgi_auth.features.totp.codes import code_at, step_of, uri_of

#: Appendix B of RFC 6238: the time, and the codes of eight digits by algorithm.
VECTORS = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
SEED = b"12345678901234567890"
SEEDS = {"sha1": SEED, "sha256": SEED + SEED[:12], "sha512": (SEED * 4)[:64]}


@pytest.mark.parametrize(("at", "sha1", "sha256", "sha512"), VECTORS)
def test_codes_are_those_of_the_standard(at: int, sha1: str, sha256: str, sha512: str) -> None:
    for algorithm, code in (("sha1", sha1), ("sha256", sha256), ("sha512", sha512)):
        assert code_at(SEEDS[algorithm], at // 30, 8, algorithm) == code


def test_a_code_fits_one_step_around_the_current_one_and_no_step_twice() -> None:
    now, step = 1_800_000_015.0, 60_000_000

    assert [step_of(SEED, code_at(SEED, step + away), now, -1, 1) for away in (-2, -1, 0, 1, 2)] == [
        None,
        step - 1,
        step,
        step + 1,
        None,
    ]
    assert step_of(SEED, code_at(SEED, step), now, step, 1) is None
    assert step_of(SEED, code_at(SEED, step - 1), now, step, 1) is None
    for wrong in ("", "1", "12345é", "0" * 99):
        assert step_of(SEED, wrong, now, -1, 1) is None


def test_the_uri_names_issuer_and_account() -> None:
    uri = urlsplit(uri_of(SEED, "Ä & Co: x", "ada+x@example.com"))

    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert uri.path == "/%C3%84%20%26%20Co%3A%20x:ada%2Bx%40example.com"
    assert parse_qs(uri.query)["issuer"] == ["Ä & Co: x"]
    assert base64.b32decode(parse_qs(uri.query)["secret"][0]) == SEED


def test_another_program_makes_the_same_codes() -> None:
    for _ in range(60):
        key, at = secrets.token_bytes(20), secrets.randbelow(2**33)
        command = ["oathtool", "--totp", "-N", f"@{at}", key.hex()]
        done = subprocess.run(command, capture_output=True, text=True, check=True)

        assert done.stdout.strip() == code_at(key, at // 30)
