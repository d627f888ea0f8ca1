"""Exports of other systems: each record becomes one of the library's own format."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import msgspec

from asgi_auth.importing.record import RefusedError
from asgi_auth.importing.times import seconds_of, truth_of

Record: TypeAlias = Mapping[str, Any]
Format: TypeAlias = Literal["native", "auth0", "firebase", "supabase", "django", "keycloak", "better-auth"]
#: The prefix of a password in Django that no user can enter.
UNUSABLE = "!"
#: How Keycloak names its algorithms, and the prefixes of the same hashes in passlib.
PBKDF2 = {"pbkdf2": "$pbkdf2", "pbkdf2-sha256": "$pbkdf2-sha256", "pbkdf2-sha512": "$pbkdf2-sha512"}
#: The hash parameters of a Firebase project, as its console shows them.
PARAMETERS = {
    "signer_key": re.compile(r"base64_signer_key:\s*\"?([A-Za-z0-9+/=_-]{1,512})"),
    "salt_separator": re.compile(r"base64_salt_separator:\s*\"?([A-Za-z0-9+/=_-]{1,64})"),
    "rounds": re.compile(r"rounds:\s*([0-9]{1,2})"),
    "mem_cost": re.compile(r"mem_cost:\s*([0-9]{1,2})"),
}


@dataclass(frozen=True)
class Context:
    """What the conversion of a record depends on.

    `fields` are the names of the extra fields, `roles` maps flags and roles of the other system to roles here,
    `firebase` holds the hash parameters of a Firebase project, and `now` is in seconds since 1970.
    """

    fields: frozenset[str] = frozenset()
    roles: Mapping[str, str] = field(default_factory=dict)
    firebase: Mapping[str, str] = field(default_factory=dict)
    now: float = 0.0


@dataclass(frozen=True)
class Other:
    """A user of another system. `flags` are the flags that are set, and its roles; `extras` may be fields here."""

    email: Any
    id: Any = None
    verified: Any = False
    active: bool = True
    created_at: Any = None
    password_hash: Any = None
    flags: Iterable[Any] = ()
    extras: Record = field(default_factory=dict)

    def native(self, context: Context) -> dict[str, Any]:
        """Return the record in the library's own format."""
        return {
            "id": self.id,
            "email": self.email,
            "email_verified": self.verified,
            "status": "active" if self.active else "disabled",
            "roles": [context.roles[flag] for flag in self.flags if isinstance(flag, str) and flag in context.roles],
            "data": {
                name: value for name, value in self.extras.items() if name in context.fields and value is not None
            },
            "created_at": self.created_at,
            "password_hash": self.password_hash or None,
        }


def native(record: Record, _: Context) -> Record:
    """Return a record of the library's own format."""
    return record


def auth0(record: Record, context: Context) -> Record:
    """Read Auth0's export of users, and the file with password hashes that its support sends."""
    old = record.get("_id")
    identifier = record.get("user_id") or (f"auth0|{old['$oid']}" if isinstance(old, dict) and "$oid" in old else None)
    custom = record.get("custom_password_hash")
    value = custom.get("hash", {}).get("value") if isinstance(custom, dict) else None
    return Other(
        id=identifier,
        email=record.get("email"),
        verified=record.get("email_verified", False),
        active=not _flag(record, "blocked"),
        created_at=record.get("created_at"),
        password_hash=record.get("passwordHash") or record.get("password_hash") or value,
        flags=_listed(record.get("app_metadata"), "roles"),
        extras=_object(record.get("user_metadata")) | dict(record),
    ).native(context)


def firebase(record: Record, context: Context) -> Record:
    """Read the export of `firebase auth:export users.json`, or `users.csv`."""
    hashed = None
    if record.get("passwordHash"):
        parameters = context.firebase
        if not parameters:
            raise RefusedError("the hash needs the hash parameters of the Firebase project")
        hashed = (
            f"$fbscrypt$v=1,n={parameters['mem_cost']},r={parameters['rounds']},p=1,ss={parameters['salt_separator']}"
            f",sk={parameters['signer_key']}${record.get('salt')}${record['passwordHash']}"
        )
    claims = record.get("customAttributes")
    return Other(
        id=record.get("localId"),
        email=record.get("email"),
        verified=record.get("emailVerified", False),
        active=not _flag(record, "disabled"),
        created_at=record.get("createdAt"),
        password_hash=hashed,
        flags=[name for name, value in _object(claims).items() if value is True],
        extras={"name": record.get("displayName"), **record},
    ).native(context)


def supabase(record: Record, context: Context) -> Record:
    """Read rows of `auth.users`."""
    if record.get("deleted_at"):
        raise RefusedError("the user was deleted")
    until = record.get("banned_until")
    return Other(
        id=record.get("id"),
        email=record.get("email"),
        verified=bool(record.get("email_confirmed_at")),
        active=not until or _is_over(until, context.now),
        created_at=record.get("created_at"),
        password_hash=record.get("encrypted_password"),
        flags=[*_listed(record.get("raw_app_meta_data"), "roles"), *_listed(record.get("raw_app_meta_data"), "role")],
        extras=_object(record.get("raw_user_meta_data")),
    ).native(context)


def django(record: Record, context: Context) -> Record | None:
    """Read `manage.py dumpdata` of the users, or rows of their table; None for objects of other models."""
    fields = record
    if "model" in record:
        fields = _object(record.get("fields"))
        if not {"password", "email"} <= fields.keys():
            return None
    hashed = fields.get("password")
    return Other(
        id=record.get("pk", fields.get("id")),
        email=fields.get("email"),
        active=_flag(fields, "is_active", missing=True),
        created_at=fields.get("date_joined"),
        password_hash=None if isinstance(hashed, str) and hashed.startswith(UNUSABLE) else hashed,
        flags=[name for name in ("is_superuser", "is_staff") if _flag(fields, name)],
        extras=fields,
    ).native(context)


def keycloak(record: Record, context: Context) -> Record:
    """Read the users of an export of a realm."""
    attributes = {
        name: value[0] if isinstance(value, list) and len(value) == 1 else value
        for name, value in _object(record.get("attributes")).items()
    }
    hashes = [_keycloak_hash(each) for each in _list(record.get("credentials")) if _kind(each) == "password"]
    return Other(
        id=record.get("id"),
        email=record.get("email"),
        verified=record.get("emailVerified", False),
        active=_flag(record, "enabled", missing=True),
        created_at=record.get("createdTimestamp"),
        password_hash=hashes[0] if hashes else None,
        flags=_list(record.get("realmRoles")),
        extras={**attributes, "first_name": record.get("firstName"), "last_name": record.get("lastName"), **record},
    ).native(context)


def better_auth(record: Record, context: Context) -> Record:
    """Read rows of `user` with the `password` of the account with the provider `credential`."""
    return Other(
        id=record.get("id"),
        email=record.get("email"),
        verified=record.get("emailVerified", record.get("email_verified", False)),
        active=not _flag(record, "banned"),
        created_at=record.get("createdAt", record.get("created_at")),
        password_hash=record.get("password"),
        flags=str(record.get("role") or "").split(","),
        extras=record,
    ).native(context)


#: What reads a record of each format.
FORMATS: dict[str, Callable[[Record, Context], Record | None]] = {
    "native": native,
    "auth0": auth0,
    "firebase": firebase,
    "supabase": supabase,
    "django": django,
    "keycloak": keycloak,
    "better-auth": better_auth,
}


#: The columns of the CSV of `firebase auth:export users.csv`, which has no first line with their names.
FIREBASE_COLUMNS = (
    "localId", "email", "emailVerified", "passwordHash", "salt", "displayName", "photoUrl",
    *(f"{provider}_{name}" for provider in ("google", "facebook", "twitter", "github")
      for name in ("id", "email", "name", "photo")),
    "createdAt", "lastLoginAt", "phoneNumber", "disabled", "customAttributes",
)  # fmt: skip
#: The columns of files of CSV that do not name them.
CSV_COLUMNS: dict[str, Sequence[str]] = {"firebase": FIREBASE_COLUMNS}


def firebase_parameters(text: str) -> dict[str, str]:
    """Read the password hash parameters of a project, as the console of Firebase shows them. Raises ValueError."""
    found = {name: pattern.search(text) for name, pattern in PARAMETERS.items()}
    if missing := [name for name, match in found.items() if match is None]:
        raise ValueError(f"the hash parameters of Firebase lack {', '.join(missing)}")
    return {name: match[1] for name, match in found.items() if match is not None}


def _keycloak_hash(credential: Record) -> str:
    """Write a hash of Keycloak as other systems do. Raises RefusedError."""
    secret, about = _object(credential.get("secretData")), _object(credential.get("credentialData"))
    algorithm, rounds = about.get("algorithm"), about.get("hashIterations")
    salt, digest = _bare(secret.get("salt")), _bare(secret.get("value"))
    if algorithm in PBKDF2:
        return f"{PBKDF2[algorithm]}${rounds}${salt}${digest}"
    more = {name: value[0] for name, value in _object(about.get("additionalParameters")).items() if value}
    if algorithm == "argon2" and more.get("version") == "1.3":
        cost = f"m={more.get('memory')},t={rounds},p={more.get('parallelism')}"
        return f"$argon2{more.get('type')}$v=19${cost}${salt}${digest}"
    raise RefusedError("the hash has no format that is known")


def _bare(text: Any) -> str:
    return text.rstrip("=") if isinstance(text, str) else ""


def _kind(credential: Any) -> Any:
    return credential.get("type") if isinstance(credential, dict) else None


def _object(value: Any) -> dict[str, Any]:
    """Return an object, also of its JSON; an empty one for everything else."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _listed(value: Any, name: str) -> list[Any]:
    """Return the list in a member of an object, or its one text."""
    found = _object(value).get(name)
    return found if isinstance(found, list) else [found] if isinstance(found, str) else []


def _flag(record: Record, name: str, *, missing: bool = False) -> bool:
    """Return a flag. Raises RefusedError: an account that was switched off must not be on by accident."""
    value = record.get(name)
    try:
        return missing if value is None else truth_of(value)
    except ValueError:
        raise RefusedError(f"{name}: neither true nor false") from None


def _is_over(until: Any, now: float) -> bool:
    """Tell whether a ban has ended; one that cannot be read has not."""
    try:
        return seconds_of(until) <= now
    except (ValueError, OverflowError):
        return False
