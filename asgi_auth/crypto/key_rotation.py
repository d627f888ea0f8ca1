"""New signing keys, and their rotation in three steps: publish the next key, sign with it, drop the previous one.

A key signs only when all verifiers of tokens can have it, and goes only when all tokens that it signed have
expired. A step that is too early is refused.
"""

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec

from asgi_auth.crypto.jwk import RSA_BITS
from asgi_auth.crypto.key_file import StoredKey, owner_of, read_keys
from asgi_auth.crypto.keys import SigningKey

#: Seconds that others may keep published keys.
MAX_AGE = 300
#: Seconds for a process to read the file again, and for clocks that differ.
MARGIN = 60
MODE = 0o600
Step: TypeAlias = Literal["publish", "sign", "drop"]


class TooEarlyError(ValueError):
    """The next step of a rotation would refuse tokens that are valid; `seconds` are those to wait."""

    def __init__(self, step: Step, seconds: int) -> None:
        """Take the step and the seconds to wait."""
        super().__init__(f"it is too early to {step}: wait {seconds} seconds")
        self.step, self.seconds = step, seconds


def new_key(algorithm: str = "EdDSA") -> SigningKey:
    """Make a key: Ed25519 by default, P-256 for ES256, RSA with 3072 bits for RS256 (ASVS 11.6.1)."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa  # noqa: PLC0415 (of an extra)

    makers: dict[str, Callable[[], Any]] = {
        "EdDSA": ed25519.Ed25519PrivateKey.generate,
        "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "RS256": lambda: rsa.generate_private_key(65537, RSA_BITS),
    }
    private = makers[algorithm]()
    kid = f"{time.strftime('%Y-%m-%d', time.gmtime())}-{secrets.token_hex(4)}"
    return SigningKey(algorithm, private, private.public_key(), kid)


def create(path: str, algorithm: str, now: int) -> SigningKey:
    """Write a new file with one key that signs, readable by its owner alone. Raises FileExistsError."""
    key = new_key(algorithm)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(_content([StoredKey(key, "signing", now)]))
        file.flush()
        os.fsync(file.fileno())
    return key


def next_step(stored: Sequence[StoredKey], now: int, life: int) -> tuple[Step, int]:
    """Return the next step, and the seconds until it may be taken. `life` is that of the longest access token."""
    roles = {item.role: item for item in stored}
    if "next" in roles:
        return "sign", max(0, roles["next"].since + MAX_AGE + MARGIN - now)
    if "previous" in roles:
        latest = max(item.since for item in stored if item.role == "previous")
        return "drop", max(0, latest + life + MARGIN - now)
    return "publish", 0


def rotate(path: str, now: int, life: int, algorithm: str | None = None) -> tuple[Step, list[StoredKey]]:
    """Take the next step, and return it with the keys. The file is replaced in one piece, by one process at a time.

    `algorithm` is that of a key that is published; by default that of the key that signs. Raises TooEarlyError, and
    ValueError for a file that cannot be used.
    """
    target = owner_of(path)
    with _locked(target):
        stored, _ = read_keys(str(target))
        step, seconds = next_step(stored, now, life)
        if seconds:
            raise TooEarlyError(step, seconds)
        changed = _taken(step, stored, now, algorithm)
        _replace(target, _content(changed))
    return step, changed


def _taken(step: Step, stored: Sequence[StoredKey], now: int, algorithm: str | None) -> list[StoredKey]:
    if step == "publish":
        return [*stored, StoredKey(new_key(algorithm or stored[0].key.algorithm), "next", now)]
    if step == "drop":
        return [item for item in stored if item.role != "previous"]
    turns = {"next": "signing", "signing": "previous"}
    changed = [
        StoredKey(item.key, turns[item.role], now) if item.role in turns else item  # type: ignore[arg-type]
        for item in stored
    ]
    return sorted(changed, key=lambda item: item.role != "signing")


def _content(stored: Sequence[StoredKey]) -> bytes:
    return msgspec.json.format(msgspec.json.encode({"keys": [item.members() for item in stored]})) + b"\n"


def _replace(target: Path, content: bytes) -> None:
    """Replace a file in one piece: readers see all of the old one, or all of the new one. Its owner stays the same."""
    owner = target.stat()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if os.name == "posix" and (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            # A rotation by root must leave the file to the server.
            os.chown(name, owner.st_uid, owner.st_gid)
        os.replace(name, target)  # noqa: PTH105 (of a name)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)  # noqa: PTH108 (of a name)
        raise


@contextmanager
def _locked(target: Path) -> Iterator[None]:
    """Let one process at a time change a file: the lock is on its folder, and ends with the process."""
    if sys.platform == "win32":
        yield
        return
    import fcntl  # noqa: PLC0415 (not on Windows)

    descriptor = os.open(target.parent, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
