"""The columns of a users table of the host: which types fit, and how each is read and written."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asgi_auth.storage import field_columns
from asgi_auth.storage.column import Column
from asgi_auth.storage.names import ALL_COLUMNS, OPTIONAL_COLUMNS, USER_COLUMNS, Names
from asgi_auth.storage.statements.sessions import NOTE_LOGIN
from asgi_auth.validation.user_field import Field

#: The length that a column of text must hold, in characters.
LENGTHS = {"id": 36, "email": 254, "email_canonical": 254, "status": 8, "roles": 4096, "data": 65536}
TIMES = frozenset({"created_at", "updated_at", "access_changed_at", "last_login_at"})
#: What a row of the host has where a column is NULL: it may do nothing.
DEFAULTS = {"email": "''", "email_canonical": "''", "email_verified": "FALSE", "status": "'disabled'"}
DEFAULTS |= {"roles": "'[]'", "data": "'{{}}'", **dict.fromkeys(TIMES - {"last_login_at"}, "0")}


@dataclass(frozen=True)
class Form:
    """How a type is read into the library's form, and written from it: templates of SQL."""

    read: str = "{}"
    write: str = "{}"


PLAIN = Form()
#: A status that is a flag: true is active.
FLAG = Form(write="({} = 'active')")
#: The years 1 to 9999, as Python has them: a column may hold later times, and `infinity`.
EPOCH = """CASE WHEN {0} IS NOT NULL
    THEN CAST(LEAST(GREATEST(FLOOR(EXTRACT(EPOCH FROM {0})), -62135596800), 253402300799) AS BIGINT) END"""
POSTGRES_TEXT = {"text": PLAIN, "character varying": PLAIN, "citext": PLAIN}
POSTGRES_JSON = {
    "json": Form("CAST({} AS TEXT)", "CAST({} AS JSON)"),
    "jsonb": Form("CAST({} AS TEXT)", "CAST({} AS JSONB)"),
}
ARRAY = Form("CAST(array_to_json({}) AS TEXT)", "ARRAY(SELECT jsonb_array_elements_text(CAST({} AS JSONB)))")
POSTGRES_TIMES = {
    "bigint": PLAIN,
    # Until the year 2038.
    "integer": Form("CAST({} AS BIGINT)", "CAST({} AS INTEGER)"),
    "timestamp with time zone": Form(EPOCH, "to_timestamp({})"),
    "timestamp without time zone": Form(EPOCH, "(to_timestamp({}) AT TIME ZONE 'UTC')"),
}
POSTGRES: dict[str, dict[str, Form]] = {
    "id": {"text": PLAIN, "character varying": PLAIN, "uuid": PLAIN, "bigint": PLAIN, "integer": PLAIN},
    "email": POSTGRES_TEXT,
    "email_canonical": POSTGRES_TEXT,
    "email_verified": {"boolean": PLAIN},
    "status": {**POSTGRES_TEXT, "boolean": FLAG},
    "roles": {**POSTGRES_TEXT, **POSTGRES_JSON, "text[]": ARRAY, "character varying[]": ARRAY},
    "data": {**POSTGRES_TEXT, **POSTGRES_JSON},
    **dict.fromkeys(TIMES, POSTGRES_TIMES),
}
SQLITE_TIME = Form("CAST(strftime('%s', {}) AS INTEGER)", "strftime('%Y-%m-%d %H:%M:%S', {}, 'unixepoch')")
#: The time of the database in seconds, in a trigger.
MOMENT = {"postgresql": "moment", "sqlite": "CAST(strftime('%s', 'now') AS INTEGER)"}
#: The end of a ban in the data of a user, in seconds; NULL without one.
BAN_END = {
    "postgresql": "CAST(CAST({} AS JSON) #>> '{{_ban,until}}' AS BIGINT)",
    "sqlite": "json_extract({}, '$._ban.until')",
}
#: Whether the data of a user says that the account is closed, where the status is a flag.
CLOSED = {
    "postgresql": "CAST({} AS JSON) ->> '_closed' = 'true'",
    "sqlite": "json_extract({}, '$._closed') = 1",
}
#: The data of a user with and without that.
WITH_CLOSED = {
    "postgresql": """CAST((CAST(:data AS JSONB) - '_closed') || CASE WHEN CAST(:status AS TEXT) = 'closed'
        THEN jsonb_build_object('_closed', TRUE) ELSE jsonb_build_object() END AS TEXT)""",
    "sqlite": """CASE WHEN :status = 'closed' THEN json_set(:data, '$._closed', json('true'))
        ELSE json_remove(:data, '$._closed') END""",
}
#: The type of the columns that refer to the key, by the type of the key.
KEYS = {"uuid": "UUID", "bigint": "BIGINT", "integer": "INTEGER"}


def form_of(dialect: str, name: str, column: Column) -> Form | None:
    """Return how a column is read and written; None if its type does not fit."""
    if dialect == "postgresql":
        return POSTGRES[name].get(column.type)
    declared = column.type.upper()
    is_text = any(word in declared for word in ("CHAR", "CLOB", "TEXT"))
    if name in TIMES:
        return SQLITE_TIME if is_text or "DATE" in declared or "TIME" in declared else PLAIN
    if name == "email_verified":
        return None if is_text else PLAIN
    if name == "status" and ("BOOL" in declared or "INT" in declared):
        return FLAG
    if name == "id":
        return PLAIN if is_text or declared in {"INTEGER", "UUID", ""} else None
    return None if "INT" in declared or "REAL" in declared else PLAIN


def key_type(dialect: str, column: Column) -> str:
    """Return the SQL type of the columns that refer to the key."""
    if dialect == "postgresql":
        return KEYS.get(column.type, "TEXT")
    return {"INTEGER": "INTEGER", "UUID": "UUID"}.get(column.type.upper(), "TEXT")


def problems(names: Names, dialect: str, columns: Sequence[Column], fields: Sequence[Field] = ()) -> list[str]:
    """Return what does not fit about the users table of the host, each with the change that it needs."""
    table = names.users or f"{names.prefix}users"
    by_name = {column.name: column for column in columns}
    if not columns:
        return [f"the table {table} does not exist: create it, or correct Names(users=…, schema=…)"]
    found: list[str] = []
    missing: list[str] = []
    for name in ALL_COLUMNS:
        own = names.user_columns.get(name, name)
        column = by_name.pop(own, None)
        if column is None and name in OPTIONAL_COLUMNS and name not in names.user_columns:
            continue
        if column is None:
            missing.append(name)
            found.append(f"{table} has no column {own}: ALTER TABLE {table} ADD COLUMN {own} {_wanted(name)}")
        else:
            found += _misfit(dialect, name, column, table)
    if missing:
        found.append(f"a column that has another name is named by Names(user_columns={{{missing[0]!r}: …}})")
    for field in fields:
        found += field_columns.problems(field, dialect, by_name.pop(field.column or "", None), table)
    for column in by_name.values():
        if column.required and not column.filled:
            found.append(
                f"{column.name} is NOT NULL and has no default, so no user can be added: "
                f"give it a default, or allow NULL (ALTER TABLE {table} ALTER COLUMN {column.name} SET DEFAULT …)"
            )
    return found


def _misfit(dialect: str, name: str, column: Column, table: str) -> list[str]:
    if form_of(dialect, name, column) is None:
        wanted = _wanted(name)
        if dialect == "sqlite":
            return [f"{column.name} is {column.type}, and must be declared as {wanted}"]
        change = f"ALTER TABLE {table} ALTER COLUMN {column.name} TYPE {wanted} USING …"
        return [f"{column.name} is {column.type}, and must be {' or '.join(POSTGRES[name])}: {change}"]
    if column.length is not None and column.length < LENGTHS[name]:
        change = f"ALTER TABLE {table} ALTER COLUMN {column.name} TYPE TEXT"
        return [f"{column.name} holds {column.length} characters, and must hold {LENGTHS[name]}: {change}"]
    if name == "id" and is_assigned(key_type(dialect, column)) and not column.filled:
        change = f"ALTER TABLE {table} ALTER COLUMN {column.name} ADD GENERATED BY DEFAULT AS IDENTITY"
        return [f"{column.name} is {column.type} and has no default: {change}"]
    return []


def _wanted(name: str) -> str:
    if name in TIMES:
        return "BIGINT"
    return "BOOLEAN" if name == "email_verified" else "TEXT"


def is_assigned(id_type: str) -> bool:
    """Tell whether the database assigns the keys."""
    return id_type in {"BIGINT", "INTEGER"}


def parts(names: Names, dialect: str, columns: Sequence[Column], fields: Sequence[Field] = ()) -> dict[str, str]:
    """Return the parts of statements that depend on the columns of the users table, which must fit."""
    forms: dict[str, Form] = {}
    nullable: set[str] = set()
    by_name = {column.name: column for column in columns}
    for name in ALL_COLUMNS:
        if (column := by_name.get(names.user_columns.get(name, name))) is not None:
            forms[name] = form_of(dialect, name, column) or PLAIN
            nullable |= set() if column.required else {name}
    made = _parts(names, dialect, forms, nullable, notes_logins=notes_logins(names, columns))
    own = field_columns.parts(dialect, fields, by_name, made["read_data"], made["put_data"])
    return made | own | {"user": _with_data(made["user"], made["read_data"], own["read_data"])}


def _with_data(columns: str, read: str, other: str) -> str:
    return columns.replace(f'{read} AS "data"', f'{other} AS "data"')


def notes_logins(names: Names, columns: Sequence[Column]) -> bool:
    """Tell whether the users table has a column for the time of the last login."""
    own = names.user_columns.get("last_login_at", "last_login_at")
    return not names.own_users_table or own in {column.name for column in columns}


def _parts(
    names: Names, dialect: str, forms: Mapping[str, Form], nullable: set[str], *, notes_logins: bool
) -> dict[str, str]:
    def read(name: str, source: str = "") -> str:
        column = f'{source}"{names.user_columns.get(name, name)}"'
        if forms.get(name) is FLAG:
            return _status_of(column, CLOSED[dialect].format(read("data", source)))
        text = forms.get(name, PLAIN).read.format(column)
        return f"COALESCE({text}, {DEFAULTS[name].format()})" if name in nullable and name in DEFAULTS else text

    def write(name: str, value: str) -> str:
        return forms.get(name, PLAIN).write.format(value)

    put: dict[str, Any] = {f"put_{name}": write(name, f":{name}") for name in USER_COLUMNS}
    if forms.get("status") is FLAG:
        put |= {"put_status": write("status", "CAST(:status AS TEXT)"), "put_data": write("data", WITH_CLOSED[dialect])}
    shown = [f'{read(name)} AS "{name}"' for name in USER_COLUMNS if name != "access_changed_at"]
    shown.append(f"{read('last_login_at') if notes_logins else 'NULL'} AS last_login")
    return {
        **put,
        **_parts_of_logins(names, write, notes_logins=notes_logins),
        "user": ", ".join(shown),
        "read_data": read("data"),
        "read_ban_end": BAN_END[dialect].format(read("data")),
        "read_roles": read("roles"),
        "read_roles_u": read("roles", "u."),
        "read_status": read("status"),
        "read_status_u": read("status", "u."),
        "read_status_old": read("status", "OLD."),
        "read_status_new": read("status", "NEW."),
        "read_created_at": read("created_at"),
        "read_access_changed_at": read("access_changed_at"),
        "before_as_access": write("access_changed_at", ":before"),
        "zero_as_access": write("access_changed_at", "0"),
        "read_roles_old": read("roles", "OLD."),
        "read_roles_new": read("roles", "NEW."),
        "moment_as_access": write("access_changed_at", MOMENT[dialect]),
    }


def _status_of(flag: str, is_closed: str) -> str:
    """Return the status where it is a flag. An IF of PL/pgSQL ends at the first THEN outside of parentheses."""
    return f"(CASE WHEN {flag} THEN 'active' WHEN {is_closed} THEN 'closed' ELSE 'disabled' END)"


def _parts_of_logins(names: Names, write: Callable[[str, str], str], *, notes_logins: bool) -> dict[str, str]:
    """Return what notes the time of a login: in PostgreSQL a part of its statement, in SQLite a trigger."""
    if not notes_logins:
        return dict.fromkeys(("login_column", "login_value", "login_noted"), "")
    parts = names.parts()
    added = write("last_login_at", "added.created_at")
    return {
        "login_column": f", {parts['last_login_at']}",
        "login_value": f", {write('last_login_at', ':last_login')}",
        "login_noted": NOTE_LOGIN.format_map({**parts, "put_login_of_added": added}),
        "put_login_of_new": write("last_login_at", "NEW.created_at"),
    }
