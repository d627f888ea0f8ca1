"""Statements that insert many rows, made of those that insert one."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

VALUES = re.compile(r"(?<=VALUES )\((.*)\)(?=\s+ON CONFLICT)", re.DOTALL)
#: A named value in a statement.
VALUE = re.compile(r"(?<!:):[a-z_]+\b")


def repeated(sql: str, count: int) -> str:
    """Return an INSERT of many rows: the names of their values end with the number of the row, as in `:email_3`."""
    found = VALUES.search(sql)
    if found is None:
        raise ValueError("the statement does not insert one row")
    rows = ["({})".format(VALUE.sub(rf"\g<0>_{number}", found[1])) for number in range(count)]
    return sql[: found.start()] + ", ".join(rows) + sql[found.end() :]


def named(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of many rows by the names that `repeated` gives them."""
    return {f"{name}_{number}": value for number, row in enumerate(rows) for name, value in row.items()}
