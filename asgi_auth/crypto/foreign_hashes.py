"""Password hashes of other systems: read by their form, with bounds on their cost, and verified.

The forms are those of bcrypt, Django, werkzeug, passlib and libpass, Firebase (as Supabase writes it) and Better Auth.
A hash that would cost too much is refused before any work, since anyone who can add a hash could stop the server with
it (CWE-400): at most 128 MiB of memory, 2,000,000 rounds of PBKDF2, a bcrypt cost of 15, and 20 passes of Argon2.
"""

import hashlib
import hmac
import re
import unicodedata
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import argon2
from argon2.exceptions import InvalidHashError

from asgi_auth._typed_text import has_few_marks

#: Tells whether a password matches. It may take a second: call it in a thread.
Check: TypeAlias = Callable[[str], bool]
Flaw: TypeAlias = Literal["unknown", "foreign", "damaged", "expensive"]
#: Bytes of memory, and bytes times lanes of scrypt.
MEMORY, SCRYPT_WORK = 2**27, 2**29
ROUNDS, COST, PASSES, LANES = 2_000_000, 15, 20, 16
#: The longest hash, in characters, and the shortest digest, in bytes.
MAX_LENGTH, MIN_DIGEST = 1024, 16
#: bcrypt reads no further bytes of a password; the newest library refuses longer ones.
BCRYPT_BYTES = 72
#: The digests of PBKDF2, with the bytes of one block: each further block of a key takes all rounds again.
DIGESTS = {"sha1": 20, "sha224": 28, "sha256": 32, "sha384": 48, "sha512": 64}


class UnusableHashError(ValueError):
    """A hash cannot be used.

    `flaw`: the format is `unknown`, or `foreign` to a hasher that takes only its own, the hash is `damaged`, or
    verifying it is too `expensive`.
    """

    def __init__(self, flaw: Flaw) -> None:
        """Take the flaw."""
        super().__init__(flaw)
        self.flaw: Flaw = flaw


def parse(text: str) -> Check | None:
    """Return the check of a foreign hash; None for an Argon2 hash within the bounds.

    Raises UnusableHashError. Nothing of the hash is in the error.
    """
    if len(text) > MAX_LENGTH:
        raise UnusableHashError("unknown")
    if text.startswith(("$argon2", "argon2$")):
        _bound_argon2(as_phc(text))
        return None
    for pattern, read in FORMS.items():
        if (found := pattern.fullmatch(text)) is not None:
            try:
                return read(found.groupdict())
            except UnusableHashError:
                raise
            except ValueError:
                # Base64, hexadecimal digits or characters that cannot be read.
                raise UnusableHashError("damaged") from None
    raise UnusableHashError("unknown")


def as_phc(text: str) -> str:
    """Return an Argon2 hash without the word that Django puts before it."""
    return text.removeprefix("argon2") if text.startswith("argon2$") else text


def _bound_argon2(text: str) -> None:
    try:
        found = argon2.extract_parameters(text)
    except (InvalidHashError, ValueError):
        raise UnusableHashError("damaged") from None
    if found.memory_cost * 1024 > MEMORY or found.time_cost > PASSES or found.parallelism > LANES:
        raise UnusableHashError("expensive")


def _pbkdf2(digest: str, rounds: str, salt: bytes, want: bytes) -> Check:
    count, size = int(rounds), len(want)
    if size < MIN_DIGEST or count < 1:
        raise UnusableHashError("damaged")
    if count * -(-size // DIGESTS[digest]) > ROUNDS:
        raise UnusableHashError("expensive")

    def check(password: str) -> bool:
        return hmac.compare_digest(hashlib.pbkdf2_hmac(digest, password.encode(), salt, count, size), want)

    return check


class _Scrypt(NamedTuple):
    """The costs of scrypt (RFC 7914)."""

    n: int
    r: int
    p: int

    def bounded(self) -> "_Scrypt":
        """Return the costs. Raises UnusableHashError."""
        if self.n < 2 or self.n & (self.n - 1) or self.r < 1 or self.p < 1:
            raise UnusableHashError("damaged")
        if 128 * self.n * self.r > MEMORY or 128 * self.n * self.r * self.p > SCRYPT_WORK:
            raise UnusableHashError("expensive")
        return self

    def key(self, password: str, salt: bytes, size: int) -> bytes:
        """Compute a key."""
        most = 2 * MEMORY + SCRYPT_WORK
        return hashlib.scrypt(password.encode(), salt=salt, n=self.n, r=self.r, p=self.p, dklen=size, maxmem=most)


def _scrypt(cost: _Scrypt, salt: bytes, want: bytes) -> Check:
    cost.bounded()
    if len(want) < MIN_DIGEST:
        raise UnusableHashError("damaged")
    return lambda password: hmac.compare_digest(cost.key(password, salt, len(want)), want)


def _bcrypt(cost: str, rest: str, prepare: Callable[[bytes], bytes] = bytes) -> Check:
    if int(cost) > COST:
        raise UnusableHashError("expensive")
    salt = f"$2b${int(cost):02d}${rest[:22]}".encode()

    def check(password: str) -> bool:
        import bcrypt  # noqa: PLC0415 (an extra, for hosts that import hashes)

        given = prepare(password.encode())
        if b"\0" in given:
            # bcrypt ends there, so that a shorter password would match as well.
            return False
        try:
            made = bcrypt.hashpw(given[:BCRYPT_BYTES], salt)
        except ValueError:
            # The salt has unused bits that are not zero.
            return False
        return hmac.compare_digest(made[-31:], rest[22:].encode())

    return check


def _hex_digest(password: bytes) -> bytes:
    return hashlib.sha256(password).hexdigest().encode()


def _passlib_bcrypt(found: Mapping[str, str]) -> Check:
    """Read bcrypt_sha256 of passlib: version 2 keys the digest with the salt."""

    def prepare(password: bytes) -> bytes:
        keyed = found["version"] is not None
        digest = hmac.digest(found["salt"].encode(), password, "sha256") if keyed else hashlib.sha256(password).digest()
        return b64encode(digest)

    return _bcrypt(found["cost"], found["salt"] + found["digest"], prepare)


def _firebase(found: Mapping[str, Any]) -> Check:
    """Read a hash of Firebase: scrypt gives a key, which encrypts the project's signer key (AES-256, CTR mode)."""
    cost = _logarithmic(found).bounded()
    salt = _base64(found["salt"]) + _base64(found["separator"] or "")
    signer, want = _base64(found["signer"]), _base64(found["digest"])
    if len(want) < MIN_DIGEST or len(want) != len(signer):
        raise UnusableHashError("damaged")

    def check(password: str) -> bool:
        from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes  # noqa: PLC0415 (as bcrypt)

        key = algorithms.AES256(cost.key(password, salt, 32))
        made = Cipher(key, modes.CTR(bytes(16))).encryptor().update(signer)
        return hmac.compare_digest(made, want)

    return check


def _better_auth(found: Mapping[str, str]) -> Check:
    check = _scrypt(_Scrypt(16384, 16, 1), found["salt"].encode(), bytes.fromhex(found["digest"]))
    return lambda password: check(unicodedata.normalize("NFKC", password) if has_few_marks(password) else password)


def _base64(text: str) -> bytes:
    """Decode Base64 in any of its alphabets (RFC 4648, sections 4 and 5; passlib's has a dot), padded or not."""
    return b64decode(text.rstrip("=").translate(ALPHABETS) + "=" * (-len(text.rstrip("=")) % 4), validate=True)


ALPHABETS = str.maketrans("-_.", "+/+")


def _plain(found: Mapping[str, str]) -> _Scrypt:
    return _Scrypt(int(found["n"]), int(found["r"]), int(found["p"]))


def _logarithmic(found: Mapping[str, str]) -> _Scrypt:
    return _Scrypt(2 ** int(found["n"]), int(found["r"]), int(found["p"]))


#: The forms of hashes, and what reads each. All texts between dollar signs are checked when they are decoded.
FORMS: dict[re.Pattern[str], Callable[[Mapping[str, Any]], Check]] = {
    # `$2y$` is the name of `$2b$` in PHP. `$2x$` marks hashes of an implementation with a defect.
    re.compile(r"(?:bcrypt\$)?\$2[aby]\$(?P<cost>[0-9]{2})\$(?P<rest>[./A-Za-z0-9]{53})"): (
        lambda found: _bcrypt(found["cost"], found["rest"])
    ),
    # Django
    re.compile(r"bcrypt_sha256\$\$2[ab]\$(?P<cost>[0-9]{2})\$(?P<rest>[./A-Za-z0-9]{53})"): (
        lambda found: _bcrypt(found["cost"], found["rest"], _hex_digest)
    ),
    re.compile(r"pbkdf2_(?P<kind>sha1|sha256)\$(?P<rounds>[0-9]+)\$(?P<salt>[^$]+)\$(?P<digest>[^$]+)"): (
        lambda found: _pbkdf2(found["kind"], found["rounds"], found["salt"].encode(), _base64(found["digest"]))
    ),
    re.compile(r"scrypt\$(?P<n>[0-9]+)\$(?P<salt>[^$]+)\$(?P<r>[0-9]+)\$(?P<p>[0-9]+)\$(?P<digest>[^$]+)"): (
        lambda found: _scrypt(_plain(found), found["salt"].encode(), _base64(found["digest"]))
    ),
    # werkzeug
    re.compile(
        r"pbkdf2:(?P<kind>sha1|sha224|sha256|sha384|sha512):(?P<rounds>[0-9]+)\$(?P<salt>[^$]+)\$(?P<digest>[0-9a-f]+)"
    ): lambda found: _pbkdf2(found["kind"], found["rounds"], found["salt"].encode(), bytes.fromhex(found["digest"])),
    re.compile(r"scrypt:(?P<n>[0-9]+):(?P<r>[0-9]+):(?P<p>[0-9]+)\$(?P<salt>[^$]+)\$(?P<digest>[0-9a-f]+)"): (
        lambda found: _scrypt(_plain(found), found["salt"].encode(), bytes.fromhex(found["digest"]))
    ),
    # passlib and libpass
    re.compile(
        r"\$bcrypt-sha256\$(?:v=(?P<version>2),t=2[ab],r=|2[aby],)(?P<cost>[0-9]{1,2})"
        r"\$(?P<salt>[./A-Za-z0-9]{22})\$(?P<digest>[./A-Za-z0-9]{31})"
    ): _passlib_bcrypt,
    re.compile(r"\$pbkdf2(?:-(?P<kind>sha256|sha512))?\$(?P<rounds>[0-9]+)\$(?P<salt>[^$]+)\$(?P<digest>[^$]+)"): (
        lambda found: _pbkdf2(
            found["kind"] or "sha1", found["rounds"], _base64(found["salt"]), _base64(found["digest"])
        )
    ),
    re.compile(r"\$scrypt\$ln=(?P<n>[0-9]{1,2}),r=(?P<r>[0-9]+),p=(?P<p>[0-9]+)\$(?P<salt>[^$]+)\$(?P<digest>[^$]+)"): (
        lambda found: _scrypt(_logarithmic(found), _base64(found["salt"]), _base64(found["digest"]))
    ),
    # Firebase, as Supabase writes it
    re.compile(
        r"\$fbscrypt\$v=1,n=(?P<n>[0-9]{1,2}),r=(?P<r>[0-9]+),p=(?P<p>[0-9]+)(?:,ss=(?P<separator>[^,$]+))?"
        r",sk=(?P<signer>[^,$]+)\$(?P<salt>[^$]+)\$(?P<digest>[^$]+)"
    ): _firebase,
    # Better Auth
    re.compile(r"(?P<salt>[0-9a-f]{32}):(?P<digest>[0-9a-f]{128})"): _better_auth,
}
