"""Names of tables and columns. Every identifier is validated, and quoted in every statement."""

import re
from collections.abc import Mapping

import msgspec

from asgi_auth.model.records import is_id

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,47}")
TABLES = (
    "credentials",
    "sessions",
    "tokens",
    "counters",
    "audit",
    "devices",
    "networks",
    "installation",
    "migrations",
    "changes",
)
INDEXES = (
    "users_access_changed",
    "credentials_user",
    "sessions_user",
    "sessions_revoked",
    "sessions_expires",
    "tokens_user",
    "tokens_subject",
    "tokens_expires",
    "audit_user",
    "audit_at",
    "counters_expires",
    "changes_at",
    "changes_expires",
    "networks_user",
    "networks_expires",
)
#: The longest id of a user in a table of the host, in characters.
MAX_ID = 255
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
    """Names of the tables and of the columns of the users table, which may belong to the host.

    * `prefix`: the prefix of all tables and indexes of the library.
    * `schema`: the PostgreSQL schema of the tables; it is created if it is missing.
    * `users`: the name of the users table; the default is the prefix and `users`.
    * `user_columns`: names of the columns of the users table that differ: the library's name to that in the table.
    * `own_users_table`: whether the users table belongs to the host. Migrations then do not create or change it, and
      check that it has the columns and the unique index.
    * `id_type`: the SQL type of a user's id, TEXT or UUID.
    """

    prefix: str = "auth_"
    schema: str | None = None
    users: str | None = None
    user_columns: Mapping[str, str] = {}
    own_users_table: bool = False
    id_type: str = "TEXT"

    def __post_init__(self) -> None:
        """Raise ValueError for names that are not plain identifiers, or that clash."""
        given = [self.prefix or "_", self.schema or "_", self.users or "_", *self.user_columns.values()]
        for name in given:
            if IDENTIFIER.fullmatch(name) is None:
                raise ValueError(f"{name!r} is not an identifier: letters, digits and _, at most 48")
        if unknown := set(self.user_columns) - set(USER_COLUMNS):
            raise ValueError(f"unknown columns of the users table: {', '.join(sorted(unknown))}")
        if (self.schema or "").lower().startswith("pg_") or self.prefix.lower().startswith("sqlite_"):
            raise ValueError("names that start with pg_ or sqlite_ are reserved by the database")
        names = [self.user_columns.get(name, name).lower() for name in USER_COLUMNS]
        if duplicates := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two columns of the users table have the same name: {', '.join(sorted(duplicates))}")
        if self.id_type not in {"TEXT", "UUID"}:
            raise ValueError("id_type must be TEXT or UUID")

    def is_user_id(self, text: str) -> bool:
        """Tell whether a text has the shape of a user's id: a UUID, or any short printable text in a host's table."""
        if self.own_users_table and self.id_type == "TEXT":
            return 0 < len(text) <= MAX_ID and text.isprintable()
        return is_id(text)

    @property
    def channel(self) -> str:
        """The channel on which PostgreSQL notifies processes of changes to these tables."""
        return f"{self.schema or 'public'}_{self.prefix}changes"[:63]

    def parts(self) -> dict[str, str]:
        """Return the quoted identifiers by their names in statements, such as `users` for `{users}`."""
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
