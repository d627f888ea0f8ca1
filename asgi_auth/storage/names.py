"""What the tables and columns are called; every identifier is checked, and quoted wherever it is used."""

import re
from collections.abc import Mapping

import msgspec

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,47}")
TABLES = ("credentials", "sessions", "tokens", "counters", "audit", "devices", "migrations")
INDEXES = (
    "users_access_changed",
    "credentials_user",
    "sessions_user",
    "sessions_revoked",
    "sessions_expires",
    "tokens_user",
    "tokens_expires",
    "audit_user",
    "audit_at",
    "counters_expires",
)
USER_COLUMNS = (
    "id",
    "email",
    "email_canonical",
    "email_verified",
    "status",
    "roles",
    "data",
    "created_at",
    "updated_at",
    "access_changed_at",
)


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Prefix of our tables, their PostgreSQL schema, and the users table, which may be the host's own.

    With `own_users_table=True` the migrations leave the table `users` alone and check that its columns are there;
    `user_columns` maps our names for them to the host's. `id_type` is the type of its key: TEXT or UUID.
    """

    prefix: str = "auth_"
    schema: str | None = None
    users: str | None = None
    user_columns: Mapping[str, str] = {}
    own_users_table: bool = False
    id_type: str = "TEXT"

    def __post_init__(self) -> None:
        """Refuse whatever is no plain identifier."""
        given = [self.prefix or "_", self.schema or "_", self.users or "_", *self.user_columns.values()]
        for name in given:
            if IDENTIFIER.fullmatch(name) is None:
                raise ValueError(f"{name!r} is no identifier: letters, digits and _, 48 at most")
        if unknown := set(self.user_columns) - set(USER_COLUMNS):
            raise ValueError(f"these are no columns of a user: {', '.join(sorted(unknown))}")
        if (self.schema or "").lower().startswith("pg_") or self.prefix.lower().startswith("sqlite_"):
            raise ValueError("pg_ and sqlite_ belong to the databases")
        names = [self.user_columns.get(name, name).lower() for name in USER_COLUMNS]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two columns of a user can't share a name: {', '.join(sorted(twice))}")
        if self.id_type not in {"TEXT", "UUID"}:
            raise ValueError("id_type is TEXT or UUID")

    @property
    def channel(self) -> str:
        """The NOTIFY channel of these tables, in one database."""
        return f"{self.schema or 'public'}_{self.prefix}changes"[:63]

    def parts(self) -> dict[str, str]:
        """Everything that a statement may name in braces, quoted."""
        columns = {name: f'"{self.user_columns.get(name, name)}"' for name in USER_COLUMNS}
        tables = {name: self._table(self.prefix + name) for name in TABLES}
        indexes = {name: f'"{self.prefix}{name}"' for name in INDEXES}
        selected = ", ".join(f'{column} AS "{name}"' for name, column in columns.items())
        return {
            **columns,
            **tables,
            **indexes,
            "users": self._table(self.users or f"{self.prefix}users"),
            "schema": f'"{self.schema}"',
            "user": selected,
            "id_type": self.id_type,
        }

    def _table(self, name: str) -> str:
        return f'"{self.schema}"."{name}"' if self.schema else f'"{name}"'
