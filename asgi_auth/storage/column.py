"""A column of a table of the host."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """A column as the catalog describes it. `filled`: the database gives a value where an INSERT has none.

    `length` is the most characters of a text, `is_enum` whether the type is an enum of PostgreSQL. `exact` is the type
    with its precision, such as `numeric(6,2)`, which PostgreSQL rounds values to.
    """

    name: str
    type: str
    required: bool
    filled: bool
    length: int | None = None
    is_enum: bool = False
    exact: str = ""
