"""A file with signing keys: a JWK set with private members (RFC 7517). It is read again when it changes."""

import os
import stat
from pathlib import Path
from typing import Any, Literal

import msgspec

from asgi_auth.crypto.jwk import private_jwk, read_jwk
from asgi_auth.crypto.keys import SigningKey
from asgi_auth.process.log import logger

#: The largest file, in bytes.
MOST = 262144
LISTED = msgspec.json.Decoder(dict[str, list[dict[str, Any]]])
#: What a key of a file does: it signs, is published to sign later, or verifies what it signed before.
Role = Literal["signing", "next", "previous"]


class StoredKey(msgspec.Struct, frozen=True):
    """A key of a file, what it does, and the time in seconds since which it does so."""

    key: SigningKey
    role: Role
    since: int

    def members(self) -> dict[str, Any]:
        """Return the members for the file."""
        return {**private_jwk(self.key), "role": self.role, "since": self.since}


class KeyFile:
    """The signing keys of a file, in the process that uses them.

    Only the owner of the file may have rights to it: a reader can sign tokens. `keys` has the one that signs first. A
    file that cannot be read when it changes is logged, and the keys stay as they are.
    """

    def __init__(self, path: str) -> None:
        """Read the file. Raises ValueError for a file that is missing, open to others, or without a key that signs."""
        self.path = path
        self._seen: object = None
        self._complained: object = None
        self.keys: list[SigningKey] = []
        self._read()

    def refresh(self) -> bool:
        """Read the file again if it has changed, and tell whether it was."""
        try:
            if _stamp(Path(self.path).stat()) == self._seen:
                return False
            self._read()
        except (ValueError, OSError) as error:
            if str(error) != self._complained:
                self._complained = str(error)
                logger.error("the signing keys stay as they were: %s", error)  # noqa: TRY400 (the text says all)
            return False
        self._complained = None
        return True

    def _read(self) -> None:
        stored, self._seen = read_keys(self.path)
        self.keys = [item.key for item in stored]


def read_keys(path: str) -> tuple[list[StoredKey], object]:
    """Return the keys of a file, the one that signs first, and a value that changes with it. Raises ValueError."""
    try:
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(MOST + 1)
    except OSError as error:
        raise ValueError(f"the signing keys cannot be read: {path}: {error.strerror}") from error
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
        raise ValueError(f"{path} has signing keys, and others than its owner have rights to it: chmod 600 {path}")
    found = _listed(content)
    if not found:
        raise ValueError(f"{path} is not a JWK set with keys")
    stored = [_stored(path, item, number, int(status.st_mtime)) for number, item in enumerate(found)]
    return _ordered(path, stored), _stamp(status)


def _listed(content: bytes) -> list[dict[str, Any]]:
    """Return the keys of a JWK set; none for other contents."""
    try:
        return LISTED.decode(content).get("keys", []) if len(content) <= MOST else []
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []


def _stored(path: str, members: dict[str, Any], number: int, changed: int) -> StoredKey:
    """Read one key. Without a role, the first key of a file signs, and the others verify."""
    role, since = members.get("role", "previous" if number else "signing"), members.get("since", changed)
    if role not in {"signing", "next", "previous"} or not isinstance(since, int):
        raise ValueError(f"{path}: a key has no role, or no time since when")
    return StoredKey(read_jwk(members), role, since)


def _ordered(path: str, stored: list[StoredKey]) -> list[StoredKey]:
    """Put the key that signs first. Raises ValueError unless there is exactly one, and every kid is there once."""
    signing = [item for item in stored if item.role == "signing"]
    if len(signing) != 1 or signing[0].key.private is None:
        raise ValueError(f"{path} must have exactly one signing key, with its private part")
    if len({item.key.kid for item in stored}) != len(stored):
        raise ValueError(f"{path} has two keys with one kid")
    return [*signing, *(item for item in stored if item.role != "signing")]


def _stamp(status: os.stat_result) -> object:
    """Return what changes when the file is replaced, or written in place."""
    return (status.st_ino, status.st_dev, status.st_size, status.st_mtime_ns, stat.S_IMODE(status.st_mode))


def owner_of(path: str) -> Path:
    """Return the file behind symbolic links: the one that is replaced."""
    return Path(os.path.realpath(path))
