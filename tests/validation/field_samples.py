"""Types of extra fields, and values that fit."""

from datetime import date, datetime, timedelta, timezone
from enum import Enum, IntEnum
from typing import Any, Literal, TypedDict

import msgspec

from asgi_auth import Field
from asgi_auth.feature import Email


class Plan(Enum):
    FREE = "free"
    PRO = "pro"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Home(msgspec.Struct, forbid_unknown_fields=True):
    street: str
    number: int = 1


class Pet(TypedDict):
    name: str


def not_taken(value: str) -> None:
    if value == "admin":
        raise ValueError("This name is for the staff {only}.")


ANY_TIME = "2026-03-31T12:00:00Z"
FITS: list[tuple[Field, Any, Any]] = [
    (Field("f", choices=["free", "pro"]), "pro", "pro"),
    (Field("f", int, choices=[1, 3]), 3.0, 3),
    (Field("f", Plan), "free", "free"),
    (Field("f", Plan), Plan.PRO, "pro"),
    (Field("f", Size), 2, 2),
    (Field("f", Literal["a", "b"]), "b", "b"),
    (Field("f", pattern="[a-z]{3}"), "abc", "abc"),
    (Field("f", min_length=2, max_length=3), "ab", "ab"),
    (Field("f", int, minimum=1, maximum=9), 9, 9),
    (Field("f", float, minimum=0.5), 1, 1.0),
    (Field("f", float), 1e300, 1e300),
    (Field("f", date), "2026-03-31", "2026-03-31"),
    (Field("f", date, minimum=date(2000, 1, 1)), date(2000, 1, 1), "2000-01-01"),
    (Field("f", datetime), "2026-03-31T14:00:00+02:00", ANY_TIME),
    (Field("f", datetime), datetime(2026, 3, 31, 14, tzinfo=timezone(timedelta(hours=2))), ANY_TIME),
    (Field("f", Email), " Ada@EXAMPLE.com ", "Ada@example.com"),
    (Field("f", list[str]), ["a", "b"], ["a", "b"]),
    (Field("f", list[int]), [1, 2.0], [1, 2]),
    (Field("f", list[Plan]), [Plan.FREE, "pro"], ["free", "pro"]),
    (Field("f", list[str], choices=["a", "b"]), ["b"], ["b"]),
    (Field("f", list[date]), ["2026-03-31"], ["2026-03-31"]),
    (Field("f", list[bool]), [], []),
    (Field("f", dict), {"a": 1}, {"a": 1}),
    (Field("f", dict[str, Any]), {"a": [1, {"b": None}]}, {"a": [1, {"b": None}]}),
    (Field("f", dict[str, int]), {"a": 1.0}, {"a": 1}),
    (Field("f", list[dict[str, Any]]), [{"a": 1}], [{"a": 1}]),
    (Field("f", Home), {"street": "x", "number": 2.0}, {"street": "x", "number": 2}),
    (Field("f", Home), Home("x"), {"street": "x", "number": 1}),
    (Field("f", Pet), {"name": "Rex"}, {"name": "Rex"}),
    (Field("f", list[Home]), [{"street": "x"}], [{"street": "x", "number": 1}]),
    (Field("f", validator=not_taken), "ada", "ada"),
    (Field("f", validator=lambda text: text.replace(" ", "")), "1 2", "12"),
]
