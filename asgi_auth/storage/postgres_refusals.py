"""Errors of PostgreSQL that last until a person changes the setup, each with the change that it needs."""

import re
import ssl

import asyncpg

#: What a role needs, by the kind of object that the error names.
GRANTS = {
    "schema": "GRANT USAGE, CREATE ON SCHEMA {name} TO the role, or run the migrations with another role "
    "(await auth.storage.migrate()) and set auto_migrate=False",
    "database": "GRANT CONNECT ON DATABASE {name} TO the role; to create a schema, also GRANT CREATE",
    "table": "GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO the role; for a users table of the host, also "
    "REFERENCES and TRIGGER",
}
DENIED = re.compile(r'permission denied (?:for|to \w+ in) (?P<kind>\w+) "?(?P<name>[^" ]+)"?')
REFUSED = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
    ssl.SSLCertVerificationError,
)
#: What pgbouncer and Supabase's pooler say, without a code of their own.
FULL_POOLER = re.compile("no more connections allowed|max clients reached|too many clients", re.IGNORECASE)
#: The text of asyncpg's ConnectionError, which has no class of its own.
NO_TLS = "rejected SSL upgrade"


def refusal(error: BaseException) -> str | None:
    """Return what is wrong and what to do, if the error lasts until a person changes the setup; else None."""
    if isinstance(error, ConnectionError) and NO_TLS in str(error):
        return f"{error}: enable TLS in the server, or set sslmode=prefer or sslmode=disable in the database URL"
    if not isinstance(error, REFUSED):
        return None
    return f"{error}: {_fix(error)}"


def _fix(error: BaseException) -> str:
    match error:
        case asyncpg.InsufficientPrivilegeError():
            return _grant(str(error))
        case asyncpg.InvalidPasswordError():
            return "correct the user or the password in the database URL"
        case asyncpg.InvalidAuthorizationSpecificationError():
            return "create the role, or allow it in pg_hba.conf"
        case asyncpg.InvalidCatalogNameError():
            return "create the database, or correct its name in the database URL"
        case ssl.SSLCertVerificationError():
            return "give the certificate authority of the server as sslrootcert in the database URL"
        case _:
            return "correct the database URL"


def _grant(message: str) -> str:
    denied = DENIED.search(message)
    if denied is None or denied["kind"] not in GRANTS:
        return "run the migrations with the role that owns the tables, and set auto_migrate=False"
    return GRANTS[denied["kind"]].format(name=denied["name"])


def has_no_room(error: Exception) -> bool:
    """Return whether the server, or a pooler in front of it, allows no more connections at present."""
    cause = error.__cause__ or error
    return isinstance(cause, asyncpg.TooManyConnectionsError) or FULL_POOLER.search(str(cause)) is not None
