"""Reasons: English text for clients, a code for pages."""

import json

import msgspec
import pytest

from asgi_auth import PasswordPolicy
from asgi_auth.errors import PasswordPolicyError, ValidationError
from asgi_auth.validation.reasons import Reason
from asgi_auth.web.responses import problem


def test_a_reason_is_its_english_text_and_knows_its_code() -> None:
    reason = Reason("too_short", count=8)

    assert reason == "Use 8 characters or more."
    assert (reason.code, reason.values) == ("too_short", {"count": 8})
    with pytest.raises(KeyError):
        Reason("nothing")


@pytest.mark.parametrize(
    ("said", "text", "code", "values"),
    [
        ("Expected `str` of length >= 3", "Use 3 characters or more.", "too_short", {"count": "3"}),
        ("Expected `str` of length >= 1", "This field is needed.", "missing", {}),
        ("Expected `str` of length >= 12", "Use 12 characters or more.", "too_short", {"count": "12"}),
        ("Expected `str` of length <= 80", "Use 80 characters at most.", "too_long", {"count": "80"}),
        ("Expected `array` of length <= 5", "Use 5 items at most.", "too_many_items", {"count": "5"}),
        ("Expected `int` >= 0", "Enter 0 or more.", "too_small", {"limit": "0"}),
        ("Expected `float` <= 0.5", "Enter 0.5 or less.", "too_large", {"limit": "0.5"}),
        ("Expected `str` of length <= 9 - at `$[2]`", None, "too_long", {"count": "9"}),
        ("Expected `int`, got `str`", None, "no_number", {}),
        ("Expected `float`, got `str`", None, "no_number", {}),
        ("Contains characters that are not allowed", None, "characters", {}),
        ("Expected `bool`, got `str`", None, "invalid", {}),
    ],
)
def test_what_msgspec_says_has_a_code_and_plain_text(
    said: str, text: str | None, code: str, values: dict[str, str]
) -> None:
    reason = Reason.of(msgspec.ValidationError(said))

    assert (str(reason), reason.code, reason.values) == (text or f"{said}.", code, values)


def test_clients_get_plain_text() -> None:
    with pytest.raises(PasswordPolicyError) as caught:
        PasswordPolicy().check("xq#k")

    assert [type(item) for item in caught.value.errors["password"]] == [str]
    assert [type(item) for item in caught.value.reasons["password"]] == [Reason]
    answer = json.loads(bytes(problem(ValidationError({"a": [Reason("missing"), "Own words."]})).body))
    assert answer["errors"] == {"a": ["This field is needed.", "Own words."]}
