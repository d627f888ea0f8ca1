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
    ("said", "code", "values"),
    [
        ("Expected `str` of length >= 3", "too_short", {"count": "3"}),
        ("Expected `str` of length >= 1", "missing", {}),
        ("Expected `str` of length >= 12", "too_short", {"count": "12"}),
        ("Expected `str` of length <= 80", "too_long", {"count": "80"}),
        ("Expected `int`, got `str`", "no_number", {}),
        ("Expected `float`, got `str`", "no_number", {}),
        ("Contains characters that are not allowed", "characters", {}),
        ("Expected `bool`, got `str`", "invalid", {}),
    ],
)
def test_what_msgspec_says_is_kept_and_has_a_code(said: str, code: str, values: dict[str, str]) -> None:
    reason = Reason.of(msgspec.ValidationError(said))

    assert (str(reason), reason.code, reason.values) == (f"{said}.", code, values)


def test_clients_get_plain_text() -> None:
    with pytest.raises(PasswordPolicyError) as caught:
        PasswordPolicy().check("xq#k")

    assert [type(item) for item in caught.value.errors["password"]] == [str]
    assert [type(item) for item in caught.value.reasons["password"]] == [Reason]
    answer = json.loads(bytes(problem(ValidationError({"a": [Reason("missing"), "Own words."]})).body))
    assert answer["errors"] == {"a": ["This field is needed.", "Own words."]}
