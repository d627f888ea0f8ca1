"""Extra fields of each type: what fits, and what does not."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Literal, TypedDict

import msgspec
import pytest

from asgi_auth import Field
from asgi_auth.feature import Email
from asgi_auth.validation.reasons import Reason
from tests.validation.field_samples import ANY_TIME, FITS, Home, Pet, Plan, not_taken


@pytest.mark.parametrize(("field", "value", "stored"), FITS)
def test_what_fits_is_stored_as_json(field: Field, value: Any, stored: Any) -> None:
    found = field.convert(value)

    assert (found, type(found)) == (stored, type(stored))
    assert json.loads(json.dumps(found)) == found
    assert field.convert(found) == found


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else 1


REFUSED: list[tuple[Field, Any, str]] = [
    (Field("f", choices=["free", "pro"]), "gold", "choice"),
    (Field("f", choices=["free", "pro"], required=True), "", "choice"),
    (Field("f", int, choices=[1, 3]), 2, "choice"),
    (Field("f", int, choices=[1, 3]), True, "no_number"),
    (Field("f", Plan), "FREE", "choice"),
    (Field("f", pattern="[a-z]{3}"), "abcd", "pattern"),
    (Field("f", pattern="[a-z]{3}"), "abc\n", "pattern"),
    (Field("f", pattern="a|b"), "ab", "pattern"),
    (Field("f", min_length=2), "a", "too_short"),
    (Field("f", max_length=2), "abc", "too_long"),
    (Field("f", int, minimum=1), 0, "too_small"),
    (Field("f", int, maximum=9), 10, "too_large"),
    (Field("f", float, maximum=0.5), 0.75, "too_large"),
    (Field("f", int), 2**63, "no_number"),
    (Field("f", int), True, "no_number"),
    (Field("f", float), float("inf"), "no_number"),
    (Field("f", date), "31.3.2026", "date"),
    (Field("f", date), "2026-02-30", "date"),
    (Field("f", date), 20260331, "date"),
    (Field("f", date, minimum=date(2000, 1, 1)), "1999-12-31", "too_early"),
    (Field("f", date, maximum=date(2000, 1, 1)), "2000-01-02", "too_late"),
    (Field("f", datetime), "2026-03-31T12:00:00", "datetime"),
    (Field("f", datetime), "now", "datetime"),
    (Field("f", datetime), "0001-01-01T00:00:00+14:00", "datetime"),
    (Field("f", list[datetime]), ["9999-12-31T23:59:59-14:00"], "datetime"),
    (Field("f", datetime, minimum=datetime(2026, 1, 1, tzinfo=UTC)), "2026-01-01T00:30:00+01:00", "too_early"),
    (Field("f", Email), "ada", "email"),
    (Field("f", Email), "a@b@example.com", "email"),
    (Field("f", list[str]), "a", "structure"),
    (Field("f", list[str]), ["a", 1], "invalid"),
    (Field("f", list[str], max_items=2), ["a", "b", "c"], "too_many_items"),
    (Field("f", list[str], required=True), [], "missing"),
    (Field("f", list[str]), [""], "missing"),
    (Field("f", list[str], pattern="[a-z]"), ["a", "B"], "pattern"),
    (Field("f", list[str], max_size=8), ["abc", "def"], "too_many_bytes"),
    (Field("f", list[str]), ["a\0"], "characters"),
    (Field("f", dict[str, Any]), [1], "structure"),
    (Field("f", dict[str, Any]), {"a": "x" * 4096}, "too_many_bytes"),
    (Field("f", dict[str, Any]), {"a": "\ud800"}, "characters"),
    (Field("f", dict[str, Any]), {"a\0": 1}, "characters"),
    (Field("f", dict[str, Any]), {"a": float("nan")}, "no_number"),
    (Field("f", dict[str, Any]), {"a": 2**64}, "no_number"),
    (Field("f", dict[str, Any]), {1: 2}, "invalid"),
    (Field("f", dict[str, Any]), deep(9), "invalid"),
    (Field("f", Home), {"street": "x", "town": "y"}, "invalid"),
    (Field("f", Home), {"number": 1}, "invalid"),
    (Field("f", Pet), {"name": 1}, "invalid"),
    (Field("f", validator=not_taken), "admin", "rejected"),
    (Field("f", validator=lambda text: text * 200), "ab", "too_long"),
    (Field("f"), object(), "invalid"),
]


@pytest.mark.parametrize(("field", "value", "code"), REFUSED)
def test_what_does_not_fit_is_refused_with_its_reason(field: Field, value: Any, code: str) -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        field.convert(value)

    reason = Reason.of(refused.value)
    assert (reason.code, bool(reason.strip())) == (code, True)


def test_an_object_may_have_eight_levels() -> None:
    assert Field("f", dict[str, Any]).convert(deep(8)) == deep(8)


class Room(TypedDict):
    floor: Literal["first"]


def test_a_choice_within_an_object_is_named() -> None:
    with pytest.raises(msgspec.ValidationError) as refused:
        Field("f", Room).convert({"floor": "ninth"})

    assert "ninth" in Reason.of(refused.value)
    assert "$.floor" in Reason.of(refused.value)


async def waits(_: str) -> None:
    """A validator that cannot be one."""


class Waits:
    """Another one."""

    async def __call__(self, _: str) -> None:
        pass


WRONG: list[dict[str, Any]] = [
    {"type": list},
    {"type": set[str]},
    {"type": bytes},
    {"type": object},
    {"type": list[list[str]]},
    {"type": Literal["a", 1]},
    {"type": Literal["a"], "choices": ["a"]},
    {"type": Plan, "choices": ["a"]},
    {"type": float, "choices": [1.5]},
    {"type": dict, "choices": ["a"]},
    {"choices": []},
    {"choices": ["a", "a"]},
    {"choices": ["a", 1]},
    {"choices": ["a"], "default": "b"},
    {"type": int, "pattern": "a"},
    {"choices": ["a"], "pattern": "a"},
    {"pattern": "("},
    {"pattern": "(?i)a"},
    {"pattern": "(?P<a>b)"},
    {"pattern": r"a\Z"},
    {"pattern": "a", "default": "b"},
    {"min_length": 3, "max_length": 2},
    {"min_length": -1},
    {"max_items": 0},
    {"max_size": 1},
    {"minimum": 1},
    {"type": bool, "minimum": 1},
    {"type": int, "minimum": 1.5},
    {"type": int, "minimum": True},
    {"type": int, "minimum": 2, "maximum": 1},
    {"type": date, "minimum": 1},
    {"type": date, "minimum": datetime(2026, 1, 1, tzinfo=UTC)},
    {"type": datetime, "minimum": datetime(2026, 1, 1)},  # noqa: DTZ001 (that is what is wrong)
    {"type": date, "default": "soon"},
    {"required": True, "default": "x"},
    {"required": True, "default": "x", "write": "register"},
    {"validator": waits},
    {"validator": Waits()},
    {"validator": "not_taken"},
    {"type": datetime, "default": datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))},
    {"validator": not_taken, "default": "admin"},
]


@pytest.mark.parametrize("values", WRONG)
def test_a_declaration_that_cannot_hold_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="field:"):
        Field("field", **values)


@pytest.mark.parametrize("pattern", [r"a\\Z", "[0-9]+", "(?:a|b)*", "(?=a).", r"\+{2}"])
def test_patterns_of_both_languages_are_taken(pattern: str) -> None:
    assert Field("f", pattern=pattern).pattern == pattern


def test_a_default_is_stored_as_json_and_is_not_shared() -> None:
    assert Field("f", Plan, default=Plan.FREE).default == "free"
    assert Field("f", required=True, default="x", write="admin").default == "x"
    assert Field("f", date, default=date(2026, 3, 31)).default == "2026-03-31"


def test_a_validator_gets_the_python_value() -> None:
    seen: list[Any] = []
    types: list[tuple[Any, Any]] = [
        (date, "2026-03-31"), (datetime, ANY_TIME), (Plan, "pro"), (list[Plan], ["pro"]), (Home, {"street": "x"}),
    ]  # fmt: skip
    for kind, value in types:
        Field("f", kind, validator=seen.append).convert(value)

    assert seen == [
        date(2026, 3, 31), datetime(2026, 3, 31, 12, tzinfo=UTC), Plan.PRO, [Plan.PRO], Home("x"),
    ]  # fmt: skip
