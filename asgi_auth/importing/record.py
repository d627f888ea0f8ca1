"""The library's own format: one record holds one user with all that belongs to it."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, get_args

import msgspec

from asgi_auth.importing.times import seconds_of, truth_of
from asgi_auth.model.concealed import Concealed
from asgi_auth.model.records import Status

#: The names of members that an error may show: a file may have anything there.
SHOWN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
KIND = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_SECRET = 2**16


class RefusedError(ValueError):
    """A record cannot be imported. The text says why, without any value of the record."""


class CredentialRecord(Concealed, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A credential of a user.

    `sealed` is a secret in plain text that is stored encrypted, in Base64; all others have a `secret`. Neither is in
    the `repr`.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"secret", "sealed"})

    kind: str
    identifier: str
    id: str | None = None
    secret: str = ""
    sealed: str | None = None
    data: dict[str, Any] = {}
    version: int = 1
    created_at: int | None = None
    updated_at: int | None = None
    used_at: int | None = None


class UserRecord(Concealed, msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user in a file: a line of JSON, or of CSV with these names in its first line.

    An address is verified only if the file says so. Times are seconds since 1970, or texts in ISO 8601. `password_hash`
    is that of any system that the library verifies, `password` is plain text, and `credentials` come from an export.
    In CSV, `roles` are separated by spaces, and `data` is JSON. Passwords and hashes are not in the `repr`.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"password", "password_hash"})

    email: str
    id: str | None = None
    email_verified: bool = False
    status: Status = "active"
    roles: tuple[str, ...] = ()
    data: dict[str, Any] = {}
    created_at: int | None = None
    updated_at: int | None = None
    last_login: int | None = None
    password_hash: str | None = None
    password: str | None = None
    credentials: tuple[CredentialRecord, ...] = ()


def read_record(found: Mapping[str, Any]) -> UserRecord:
    """Check the form of a record. Raises RefusedError."""
    if not found.get("email"):
        raise RefusedError("the record has no address")
    values = {name: value for name, value in found.items() if value is not None}
    _plain_id(values)
    _of_csv(values)
    _times(values)
    for each in values["credentials"] if isinstance(values.get("credentials"), list | tuple) else ():
        if isinstance(each, dict):
            _times(each)
    if values.get("status", "active") not in get_args(Status):
        raise RefusedError("status: not active, disabled or closed")
    try:
        record = msgspec.convert(values, UserRecord)
    except msgspec.ValidationError as error:
        raise RefusedError(_shown(str(error))) from None
    _check_texts(record)
    return record


def _plain_id(values: dict[str, Any]) -> None:
    """Numbers are ids of databases that count."""
    given = values.get("id")
    if isinstance(given, int) and not isinstance(given, bool):
        values["id"] = str(given)


def _of_csv(values: dict[str, Any]) -> None:
    """Read what CSV can only write as text."""
    if isinstance(values.get("roles"), str):
        values["roles"] = values["roles"].split()
    if isinstance(values.get("data"), str):
        try:
            values["data"] = msgspec.json.decode(values["data"])
        except (ValueError, RecursionError):
            raise RefusedError("data: not JSON") from None
    if "email_verified" in values:
        try:
            values["email_verified"] = truth_of(values["email_verified"])
        except ValueError:
            raise RefusedError("email_verified: neither true nor false") from None


def _times(values: dict[str, Any]) -> None:
    for name in ("created_at", "updated_at", "last_login", "used_at"):
        if values.get(name) is not None:
            try:
                values[name] = seconds_of(values[name])
            except (ValueError, OverflowError):
                raise RefusedError(f"{name}: not a time") from None


def _shown(message: str) -> str:
    """Return an error of msgspec without values of the record: only names of the format, and plain unknown ones."""
    unknown = re.search(r"unknown field `(.*)`", message, re.DOTALL)
    if unknown is not None:
        name = unknown[1] if SHOWN.fullmatch(unknown[1]) else ""
        return f"unknown member {name}".rstrip()
    place = re.search(r"at `\$\.?([a-z_.\[\]0-9]*)", message)
    return f"{place[1] if place else 'the record'}: {message.partition(' - at ')[0]}"


def _check_texts(record: UserRecord) -> None:
    """Refuse what no database stores, and credentials that could not be the library's."""
    try:
        text = msgspec.json.encode(record).decode()
    except (UnicodeEncodeError, ValueError, RecursionError):
        raise RefusedError("the record has characters that are not allowed") from None
    if "\\u0000" in text:
        raise RefusedError("the record has characters that are not allowed")
    for credential in record.credentials:
        if KIND.fullmatch(credential.kind) is None or not 0 < len(credential.identifier) <= 1024:
            raise RefusedError("credentials: not the kind and identifier of a credential")
        if len(credential.secret) > MAX_SECRET or not 1 <= credential.version < 2**40:
            raise RefusedError("credentials: not the secret and version of a credential")
