"""Extra fields in columns of a users table of the host: which types fit, and how they are written and read.

Statements write and read one JSON object, `data`. The database takes out of it what belongs into columns, and adds it
again. A column of PostgreSQL has the value in its own type; one of SQLite what JSON has, and text for the rest.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from asgi_auth.storage.column import Column
from asgi_auth.storage.driver import ValueRefusedError
from asgi_auth.storage.statements.users import ARRAY_OF
from asgi_auth.validation.reasons import Reason
from asgi_auth.validation.user_field import Field

TEXT = frozenset({"text", "character varying", "citext"})
#: The largest value of the types of integers.
INTEGERS: Final[Mapping[str, int]] = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
TIMES = frozenset({"timestamp with time zone", "timestamp without time zone"})
JSON = frozenset({"json", "jsonb"})
#: The types of PostgreSQL for the kinds of values; the first is that of an advised column.
POSTGRES: Final[Mapping[str, Sequence[str]]] = {
    "text": (*sorted(TEXT, reverse=True), "uuid"),
    "email": sorted(TEXT, reverse=True),
    "integer": ("bigint", "integer", "smallint"),
    "number": ("double precision", "numeric"),
    "boolean": ("boolean",),
    "date": ("date",),
    "datetime": sorted(TIMES),
    "json": ("jsonb", "json"),
}
#: Parts of the names of SQLite's types, by the kinds of values.
SQLITE: Final[Mapping[str, Sequence[str]]] = {
    "integer": ("INT", "NUM"),
    "number": ("REAL", "FLOA", "DOUB", "NUM", "DEC"),
    "boolean": ("BOOL", "INT", "NUM"),
    "date": ("DATE", "CHAR", "TEXT", "CLOB"),
    "datetime": ("DATE", "TIME", "CHAR", "TEXT", "CLOB"),
    "json": ("JSON", "CHAR", "TEXT", "CLOB"),
}
#: A name in the message of a database.
WORD = re.compile(r"[A-Za-z0-9_]+")
#: A column of times as text, in UTC. `infinity` has no zone, and the `BC` of a year stands behind it.
UTC_TEXT = r"regexp_replace(to_jsonb({}) #>> CAST(ARRAY[] AS TEXT[]), '^([0-9][^ ]*)', '\1Z')"
#: A value that the database would round is no value of the type, which it says with the name of the column.
EXACT = """CASE WHEN CAST({value} AS {type}) IS DISTINCT FROM CAST(CAST({value} AS {type}) AS {exact})
    THEN CAST('{column} ' || {value} AS {type}) ELSE CAST({value} AS {type}) END"""
#: What a statement calls the JSON object that it writes.
GIVEN = "CAST(:data AS JSONB)"


def problems(field: Field, dialect: str, column: Column | None, table: str) -> list[str]:
    """Return why the column of a field does not fit, with the change that it needs."""
    name = field.column
    if column is None:
        wanted = _types(field)[0] if dialect == "postgresql" else "TEXT"
        return [f"{table} has no column {name}: ALTER TABLE {table} ADD COLUMN {name} {wanted.upper()}"]
    if dialect == "postgresql" and column.type not in _types(field) and not column.is_enum:
        return [f"{name} is {column.type}, and must be {' or '.join(_types(field))} for the field {field.name}"]
    if dialect == "sqlite" and not _fits_sqlite(field, column.type.upper()):
        return [f"{name} is {column.type}, which does not keep the values of the field {field.name}"]
    if column.required and not _is_always_set(field) and not column.filled:
        other = f"make the field {field.name} required"
        other += ", with a default" if field.write == "admin" else ""
        return [f"{name} is NOT NULL and has no default: give it a default, allow NULL, or {other}"]
    return _narrow(field, column)


def filled(fields: Iterable[Field], columns: Iterable[Column]) -> tuple[str, ...]:
    """Return the names of the fields whose columns must have a value, which the database gives where there is none."""
    there = {column.name for column in columns if column.required and column.filled}
    return tuple(field.name for field in fields if field.column in there and not _is_always_set(field))


def _is_always_set(field: Field) -> bool:
    return field.required and (field.write != "admin" or field.default is not None)


def _narrow(field: Field, column: Column) -> list[str]:
    """Return why a column cannot hold all values of its field."""
    shape = field.shape
    longest = max(map(len, map(str, shape.choices)), default=field.max_length if shape.kind == "text" else 254)
    if column.length is not None and column.length < longest and not shape.is_list:
        return [f"{column.name} holds {column.length} characters, and the field {field.name} may have {longest}"]
    largest = INTEGERS.get(column.type)
    if largest is None or shape.kind != "integer":
        return []
    numbers = shape.choices or (field.minimum, field.maximum)
    if largest < 2**63 - 1 and not all(isinstance(number, int) and abs(number) <= largest for number in numbers):
        return [f"{column.name} is {column.type}: give the field {field.name} a minimum and a maximum within its range"]
    return []


def _types(field: Field) -> Sequence[str]:
    """Return the types of PostgreSQL that fit a field."""
    types = POSTGRES[field.shape.kind]
    if not field.shape.is_list:
        return types
    return ("jsonb", "json", *(() if field.shape.kind == "json" else (f"{kind}[]" for kind in types)))


def _fits_sqlite(field: Field, declared: str) -> bool:
    kind = "json" if field.shape.is_list else field.shape.kind
    if kind in SQLITE:
        return not declared or any(part in declared for part in SQLITE[kind])
    return any(part in declared for part in ("CHAR", "TEXT", "CLOB"))


def parts(
    dialect: str, fields: Iterable[Field], columns: Mapping[str, Column], read: str, write: str
) -> dict[str, str]:
    """Return the parts of statements about `data` and these columns.

    `read` is the SQL of `data` as JSON text, `write` the template of its value in the type of its column. Columns that
    the database fills are parts of their own: `users.with_fields` adds those with a value to an INSERT.
    """
    found = [(field, columns[field.column]) for field in fields if field.column is not None]
    if not found:
        return {"read_data": read, "field_columns": "", "field_values": "", "field_changes": "", "put_data": write}
    is_postgres = dialect == "postgresql"
    values = [
        _written(field, column) if is_postgres else f"json_extract(:data, {_path(field)})" for field, column in found
    ]
    if is_postgres:
        pairs = ", ".join(f"'{field.name}', {_shown(field, column)}" for field, column in found)
        rest = "".join(f" - '{field.name}'" for field, _ in found)
        # The host may have written JSON that is no object, such as null.
        whole = f"CASE WHEN jsonb_typeof(CAST({read} AS JSONB)) = 'object' THEN CAST({read} AS JSONB) END"
        data = f"CAST(COALESCE({whole}, jsonb_build_object()) || jsonb_build_object({pairs}) AS TEXT)"
        left = write.replace(":data", f"CAST({GIVEN}{rest} AS TEXT)")
    else:
        pairs = ", ".join(f"{_path(field)}, {_in_json(field, column)}" for field, column in found)
        data = f"json_set(CASE json_type({read}) WHEN 'object' THEN {read} ELSE json_object() END, {pairs})"
        left = write.replace(":data", f"json_remove(:data, {', '.join(_path(field) for field, _ in found)})")
    return {"read_data": data, "put_data": left, **_written_parts(found, values)}


def _written_parts(found: Sequence[tuple[Field, Column]], values: Sequence[str]) -> dict[str, str]:
    """Return what an INSERT and an UPDATE write."""
    parts = {"field_columns": "", "field_values": "", "field_changes": ""}
    by_database = filled([field for field, _ in found], [column for _, column in found])
    for (field, column), value in zip(found, values, strict=True):
        name = f'"{column.name}"'
        if field.name in by_database:
            parts |= {f"field_column_{field.name}": f", {name}", f"field_value_{field.name}": f", {value}"}
            # The column cannot be NULL, so null changes nothing.
            parts["field_changes"] += f", {name} = COALESCE({value}, {name})"
        else:
            parts["field_columns"] += f", {name}"
            parts["field_values"] += f", {value}"
            parts["field_changes"] += f", {name} = {value}"
    return parts


def _path(field: Field) -> str:
    return f"'$.\"{field.name}\"'"


def _extracted(field: Field, _: Column) -> str:
    """Return the value of a field in SQLite."""
    return f"json_extract(:data, {_path(field)})"


def _written(field: Field, column: Column) -> str:
    """Return the value of a field as the type of its column, in PostgreSQL."""
    value = f"{GIVEN} -> '{field.name}'"
    if column.type in JSON:
        return f"CAST(NULLIF({value}, CAST('null' AS JSONB)) AS {column.type})"
    if column.type.endswith("[]"):
        return ARRAY_OF.format(value=value, item=_cast("item", column))
    return _cast(f"{GIVEN} ->> '{field.name}'", column)


def _cast(value: str, column: Column) -> str:
    """Return a text as the type of a column, or of an item of it."""
    kind, exact = column.type.removesuffix("[]"), column.exact.removesuffix("[]")
    if exact == kind or kind not in {"numeric", *TIMES}:
        return f"CAST({value} AS {kind})"
    return EXACT.format(value=f"({value})", type=kind, exact=exact, column=column.name)


def _shown(field: Field, column: Column) -> str:
    """Return a column as JSON, in PostgreSQL."""
    name = f'"{column.name}"'
    if column.type == "timestamp with time zone":
        return UTC_TEXT.format(f"{name} AT TIME ZONE 'UTC'")
    if column.type == "timestamp without time zone":
        return UTC_TEXT.format(name)
    if field.shape.is_list or field.shape.kind not in {"text", "email"}:
        return f"to_jsonb({name})"
    return f"CAST({name} AS TEXT)"


def _in_json(field: Field, column: Column) -> str:
    """Return a column as JSON, in SQLite."""
    name = f'"{column.name}"'
    if field.shape.is_list or field.shape.kind == "json":
        return f"json(COALESCE({name}, 'null'))"
    if field.shape.kind == "boolean":
        return f"json(CASE {name} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END)"
    return name


def reasons(
    error: Exception, fields: Iterable[Field], data: Mapping[str, Any], *, only_named: bool = False
) -> dict[str, Sequence[str]]:
    """Return the reasons of the fields whose values a unique index or a column of the host rejected.

    If the database does not name the column, these are all unique fields, or none with `only_named`; and for a value
    that a column refuses, all fields of `data` that have columns.
    """
    if not isinstance(error, ValueRefusedError):
        return {name: [Reason("taken")] for name in _taken(error, fields, only_named=only_named)}
    words = set(WORD.findall(str(error.__cause__)))
    given = [field for field in fields if field.column and data.get(field.name) is not None]
    named = [field for field in given if field.column in words]
    return {field.name: [Reason("invalid")] for field in named or given}


def _taken(error: Exception, fields: Iterable[Field], *, only_named: bool) -> list[str]:
    cause = error.__cause__
    # PostgreSQL writes `Key (column)=(value)` in the language of the server, SQLite `table.column`.
    key = str(getattr(cause, "detail", None) or cause or "").partition(")=(")[0]
    words = set(WORD.findall(key))
    own = [field for field in fields if field.column]
    named = [field.name for field in own if field.column in words]
    return named if named or only_named else [field.name for field in own if field.unique]
