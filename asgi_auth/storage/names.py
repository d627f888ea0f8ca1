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
    "heartbeat",
)
#: Indexes that a migration drops and makes anew. PostgreSQL looks for those in the search path.
DROPPED = ("changes_at", "changes_transaction")
TRIGGERS = ("users_changed", "users_deleted", "sessions_added")
INDEXES = (
    "users_access_changed",
    "users_created",
    "users_prefix",
    "credentials_user",
    "credentials_kind",
    "sessions_user",
    "sessions_revoked",
    "sessions_expires",
    "sessions_grant",
    "tokens_user",
    "tokens_subject",
    "tokens_expires",
    "audit_user",
    "audit_at",
    "audit_nobody",
    "counters_expires",
    "changes_at",
    "changes_expires",
    "changes_transaction",
    "networks_user",
    "networks_expires",
)
#: The longest id of a user in a table of the host, in characters.
MAX_ID = 255
CREDENTIAL_COLUMNS = (
    "id",
    "user_id",
    "kind",
    "identifier",
    "secret",
    "data",
    "version",
    "created_at",
    "updated_at",
    "used_at",
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
#: Columns that a users table of the host may lack.
OPTIONAL_COLUMNS = ("last_login_at",)
ALL_COLUMNS = (*USER_COLUMNS, *OPTIONAL_COLUMNS)


class Names(msgspec.Struct, frozen=True, kw_only=True):
    """Names of the tables and of the columns of the users table, which may belong to the host.

    * `prefix`: the prefix of all tables and indexes of the library.
    * `schema`: the PostgreSQL schema of the tables; it is created if it is missing.
    * `users`: the name of the users table; the default is the prefix and `users`.
    * `user_columns`: names of the columns of the users table that differ: the library's name to that in the table.
    * `own_users_table`: whether the users table belongs to the host. Migrations then do not create or change its
      columns, and check that they fit. It may lack `last_login_at`.
    * `id_type`: the SQL type of a user's id: TEXT or UUID, or with a table of the host also BIGINT or INTEGER, whose
      values the database assigns. The default is the type of the host's column, and TEXT without one.
    * `foreign_ids`: whether ids in the library's own table may be any short printable text, as of an earlier system.
      Otherwise they are UUIDs.
    """

    prefix: str = "auth_"
    schema: str | None = None
    users: str | None = None
    user_columns: Mapping[str, str] = {}
    own_users_table: bool = False
    id_type: str | None = None
    foreign_ids: bool = False

    def __post_init__(self) -> None:
        """Raise ValueError for names that are not plain identifiers, or that clash."""
        given = [self.prefix or "_", self.schema or "_", self.users or "_", *self.user_columns.values()]
        for name in given:
            if IDENTIFIER.fullmatch(name) is None:
                raise ValueError(f"{name!r} is not an identifier: letters, digits and _, at most 48")
        if unknown := set(self.user_columns) - set(ALL_COLUMNS):
            raise ValueError(
                f"unknown columns of the users table: {', '.join(sorted(unknown))}; the library has "
                f"{', '.join(ALL_COLUMNS)}, each of which may be given the name of a column of yours"
            )
        if (self.schema or "").lower().startswith("pg_") or self.prefix.lower().startswith("sqlite_"):
            raise ValueError("names that start with pg_ or sqlite_ are reserved by the database")
        names = [self.user_columns.get(name, name).lower() for name in ALL_COLUMNS]
        if duplicates := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two columns of the users table have the same name: {', '.join(sorted(duplicates))}")
        if self.id_type not in {None, "TEXT", "UUID", "BIGINT", "INTEGER"}:
            raise ValueError("id_type must be TEXT, UUID, BIGINT or INTEGER")
        if self.foreign_ids and self.id_type == "UUID":
            raise ValueError("foreign_ids needs an id_type of TEXT")
        if self.id_type in {"BIGINT", "INTEGER"} and not self.own_users_table:
            raise ValueError("an id_type of BIGINT or INTEGER needs a users table of the host (own_users_table=True)")

    def is_user_id(self, text: str, id_type: str | None = None) -> bool:
        """Tell whether a text has the shape of a user's id: a UUID, or any short printable text with ids of a host."""
        if (self.own_users_table or self.foreign_ids) and (id_type or self.id_type or "TEXT") == "TEXT":
            return 0 < len(text) <= MAX_ID and text.isprintable()
        return is_id(text)

    @property
    def channel(self) -> str:
        """The channel on which PostgreSQL notifies processes of changes to these tables."""
        return f"{self.schema or 'public'}_{self.prefix}changes"[:63]

    def parts(self) -> dict[str, str]:
        """Return the quoted identifiers by their names in statements, such as `users` for `{users}`."""
        columns = {name: f'"{self.user_columns.get(name, name)}"' for name in ALL_COLUMNS}
        tables = {name: self._table(self.prefix + name) for name in TABLES}
        indexes = {name: f'"{self.prefix}{name}"' for name in (*INDEXES, *TRIGGERS)}
        indexes |= {f"old_{name}": self._table(self.prefix + name) for name in DROPPED}
        return {
            **columns,
            **tables,
            **indexes,
            "users": self._table(self.users or f"{self.prefix}users"),
            "schema": f'"{self.schema}"',
            "channel": self.channel,
            "id_type": self.id_type or "TEXT",
            "joined_credential": ", ".join(f"c.{name} AS credential_{name}" for name in CREDENTIAL_COLUMNS),
        }

    def parts_in(self, schema: str) -> dict[str, str]:
        """Return the qualified names of a function and of its tables in the schema that the database has found."""
        home = '"{}"'.format(schema.replace('"', '""'))
        users = self.users or f"{self.prefix}users"
        return {
            "home": home,
            "users_at_home": f'{home}."{users}"',
            "sessions_at_home": f'{home}."{self.prefix}sessions"',
            "changes_at_home": f'{home}."{self.prefix}changes"',
        }

    def _table(self, name: str) -> str:
        return f'"{self.schema}"."{name}"' if self.schema else f'"{name}"'
