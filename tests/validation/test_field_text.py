"""Extra fields as text, in forms and in files."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import msgspec
import pytest

from asgi_auth import Field
from asgi_auth.feature import Email
from tests.validation.field_samples import ANY_TIME, FITS, Plan

TEXTS: list[tuple[Field, str, Any]] = [
    (Field("f"), " free text", " free text"),
    (Field("f", int), " 12 ", 12),
    (Field("f", float), "1e2", 100.0),
    (Field("f", bool), "TRUE", True),
    (Field("f", bool), "no", False),
    (Field("f", int, choices=[1, 3]), "3", 3),
    (Field("f", Plan), "pro", "pro"),
    (Field("f", date), "2026-03-31 ", "2026-03-31"),
    (Field("f", datetime), "2026-03-31T12:00", ANY_TIME),
    (Field("f", datetime), "2026-03-31 14:00:00+02:00", ANY_TIME),
    (Field("f", Email), " ada@example.com", "ada@example.com"),
    (Field("f", list[str]), "a\r\n\r\n b \n", ["a", "b"]),
    (Field("f", list[int]), "[1, 2]", [1, 2]),
    (Field("f", list[int]), "1\n2", [1, 2]),
    (Field("f", dict[str, Any]), '{"a": 1}', {"a": 1}),
    (Field("f", list[dict[str, Any]]), '[{"a": 1}]', [{"a": 1}]),
]


@pytest.mark.parametrize(("field", "text", "value"), TEXTS)
def test_a_text_of_a_form_or_a_file_is_a_value(field: Field, text: str, value: Any) -> None:
    found = field.convert(field.from_text(text))

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field("f", int), "1.5"), (Field("f", int), "٣x"), (Field("f", bool), "maybe"), (Field("f", date), "soon"),
        (Field("f", datetime), "soon"), (Field("f", dict[str, Any]), "{"), (Field("f", dict[str, Any]), "[" * 5000),
        (Field("f", list[int]), "[1"), (Field("f", dict[str, Any]), '{"a": NaN}'), (Field("f", Plan), "gold"),
        (Field("f", float), "nan"),
    ],
)  # fmt: skip
def test_a_text_that_means_nothing_is_refused(field: Field, text: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        field.convert(field.from_text(text))


@pytest.mark.parametrize(("field", "stored"), [(field, stored) for field, _, stored in FITS])
def test_every_value_can_be_written_as_text_and_read_again(field: Field, stored: Any) -> None:
    assert field.convert(field.from_text(field.to_text(stored))) == stored


@pytest.mark.parametrize("value", [["[a"], ["a", "b c"], ["a\nb"], [" a"], ["a\u2028b"], ["", "a"], []])
def test_a_list_of_any_text_is_read_again(value: list[str]) -> None:
    field = Field("f", list[str])

    assert field.from_text(field.to_text(value)) == value


@pytest.mark.parametrize("write", [msgspec.json.encode, Field("f").to_text])
def test_no_value_is_no_text(write: Callable[[Any], Any]) -> None:
    assert write(None) in {b"null", ""}
