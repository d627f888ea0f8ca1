"""Converts rows to records, and records to columns. Tuples and dicts are stored as JSON text."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from asgi_auth.model.records import NO_USER_ID, AuditRecord, Counter, Credential, OneTimeToken, Session, User
from asgi_auth.storage.statements.counters import FLIGHT

T = TypeVar("T")
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
#: A positive integer in its only spelling: one user has one id.
NUMBER = re.compile(r"[1-9][0-9]{0,18}")
NO_USER_NUMBER = -1
STRINGS = msgspec.json.Decoder(tuple[str, ...])
Row = Mapping[str, Any]


def columns(record: msgspec.Struct) -> dict[str, Any]:
    """Return the columns of a record: a dict from names to values."""
    values = msgspec.structs.asdict(record)
    for name, value in values.items():
        if isinstance(value, tuple | dict):
            values[name] = msgspec.json.encode(value).decode()
    return values


def first(convert: Callable[[Row], T], rows: Sequence[Row]) -> T | None:
    """Convert the first row, or return None if there are no rows."""
    return convert(rows[0]) if rows else None


def key_of(id_type: str, user_id: str | None) -> str | int | None:
    """Convert the id of a user to the type of the key. An id of another shape becomes one that no user has."""
    if user_id is None:
        return None
    if id_type == "TEXT":
        return user_id if _is_storable(user_id) else NO_USER_ID
    if id_type == "UUID":
        return user_id if UUID.fullmatch(user_id) else NO_USER_ID
    largest = 2**31 - 1 if id_type == "INTEGER" else 2**63 - 1
    return int(user_id) if NUMBER.fullmatch(user_id) and int(user_id) <= largest else NO_USER_NUMBER


def _is_storable(text: str) -> bool:
    """Tell whether PostgreSQL stores a text: one without NUL and halves of surrogate pairs."""
    return "\0" not in text and (text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text))


def strings_of(text: str) -> tuple[str, ...]:
    """Convert a JSON array of strings, such as authentication methods."""
    return STRINGS.decode(text)


def roles_of(text: str) -> tuple[str, ...]:
    """Convert the roles of a user. In a users table of the host, what is no list of names gives no role."""
    found = msgspec.json.decode(text)
    return tuple(role for role in found if isinstance(role, str)) if isinstance(found, list) else ()


def data_of(text: str) -> dict[str, Any]:
    """Convert the extra fields of a user. In a users table of the host, null and an empty list are no fields."""
    found = msgspec.json.decode(text)
    return found if isinstance(found, dict) else {}


def user_of(row: Row) -> User:
    """Convert a row to a user."""
    return User(
        id=str(row["id"]),
        email=row["email"],
        email_canonical=row["email_canonical"],
        email_verified=bool(row["email_verified"]),
        status=row["status"],
        roles=roles_of(row["roles"]),
        data=data_of(row["data"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        last_login=row["last_login"],
    )


def credential_of(row: Row, prefix: str = "") -> Credential:
    """Convert a row to a credential. `prefix` is that of its columns, in a join."""
    return Credential(
        id=row[prefix + "id"],
        user_id=str(row[prefix + "user_id"]),
        kind=row[prefix + "kind"],
        identifier=row[prefix + "identifier"],
        secret=row[prefix + "secret"],
        data=msgspec.json.decode(row[prefix + "data"]),
        version=row[prefix + "version"],
        created_at=row[prefix + "created_at"],
        updated_at=row[prefix + "updated_at"],
        used_at=row[prefix + "used_at"],
    )


def user_with_credential_of(row: Row) -> tuple[User, Credential | None]:
    """Convert a row of users left-joined with credentials."""
    return user_of(row), None if row["credential_id"] is None else credential_of(row, "credential_")


def session_of(row: Row) -> Session:
    """Convert a row to a session."""
    return Session(
        id=row["id"],
        user_id=str(row["user_id"] or ""),
        generation=row["generation"],
        created_at=row["created_at"],
        last_used_at=row["last_used_at"],
        used_generation=row["used_generation"],
        rotated_at=row["rotated_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        auth_time=row["auth_time"],
        amr=strings_of(row["amr"]),
        user_agent=row["user_agent"],
        address=row["address"],
        data=msgspec.json.decode(row["data"]),
        grant_id=row["grant_id"],
    )


def token_of(row: Row) -> OneTimeToken:
    """Convert a row to a one-time token."""
    return OneTimeToken(
        id=row["id"],
        purpose=row["purpose"],
        subject=row["subject"],
        asker=row["asker"],
        user_id=None if row["user_id"] is None else str(row["user_id"]),
        digest=row["digest"],
        code=row["code"],
        data=msgspec.json.decode(row["data"]),
        attempts=row["attempts"],
        password_attempts=row["password_attempts"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        used_at=row["used_at"],
    )


def audit_record_of(row: Row) -> AuditRecord:
    """Convert a row to an audit record."""
    return AuditRecord(
        id=row["id"],
        name=row["name"],
        outcome=row["outcome"],
        code=row["code"],
        at=row["at"],
        user_id=None if row["user_id"] is None else str(row["user_id"]),
        session=row["session"],
        address=row["address"],
        user_agent=row["user_agent"],
        request_id=row["request_id"],
        data=msgspec.json.decode(row["data"]),
        count=row["count"],
        actor=row["actor"],
    )


def counter_of(row: Row) -> Counter:
    """Convert a row to a counter; guesses in flight are left out."""
    return Counter(key=row["key"], count=row["count"] % FLIGHT, free_at=row["free_at"], expires_at=row["expires_at"])
