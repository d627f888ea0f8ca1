"""Options of features and of what they take: another type than the declared one fails where the object is made."""

from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from inspect import isclass, signature
from typing import Any, get_type_hints

import pytest

import asgi_auth
from asgi_auth import (
    OIDC,
    Account,
    Admin,
    Argon2,
    Audit,
    Field,
    Issuer,
    PasswordPolicy,
    Passwords,
    RateLimits,
    SecondFactors,
    Settings,
    SMTPMailer,
    Usernames,
)
from asgi_auth.feature import Feature, Outgoing
from asgi_auth.sources.kinds import check_kind, fits

#: What the other options need, where "x" is no value.
NEEDED: Mapping[str, Any] = {"scopes": {"notes:read": "Read notes"}, "redirect_uris": ["https://app.example.com/"]}
#: What has a check of its own, or any type.
UNCHECKED = {"default", "type", "validator", "choices", "required_claims"}
MADE = [getattr(asgi_auth, name) for name in asgi_auth.__all__]
CHECKED: list[type] = [
    *(each for each in MADE if isclass(each) and (issubclass(each, Feature) or is_dataclass(each))),
    SMTPMailer,
    Outgoing,
]


class Odd:
    """A value of no type that an option has."""


def options_of(kind: Any) -> list[str]:
    """Return the names of the options of a class, as far as their types can be compared with a value."""
    if kind.__init__ is object.__init__:
        return []
    hints = get_type_hints(kind.__init__)
    return [name for name in signature(kind).parameters if not fits(Odd(), hints.get(name, Any))]


OPTIONS = [
    (kind, name)
    for kind in CHECKED
    if kind not in {Settings, asgi_auth.SigningKey}
    for name in options_of(kind)
    if name not in UNCHECKED
]
#: Values that a wrong reading would take for another option, such as each letter of a text for a role.
WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: Passwords(policy=5), "policy must be of the type PasswordPolicy or None, and is of the type int"),  # type: ignore[arg-type]  # wrong
    (lambda: Passwords(import_hashes="no"), "import_hashes must be True or False, and is of the type str"),  # type: ignore[arg-type]  # wrong
    (lambda: Account(closing="never"), "closing must be soft or hard$"),  # type: ignore[arg-type]  # wrong
    (lambda: Audit(leave_out="login"), "leave_out must be a list of texts, and is of the type str"),
    (lambda: SecondFactors(required=5), "required must be True or False or a list of texts, and is of the type int"),  # type: ignore[arg-type]  # wrong
    (lambda: Usernames(reserved=["a", 5]), "reserved must be a list of texts, and is a list of int, str"),  # type: ignore[list-item]  # wrong
    (lambda: OIDC([5]), "providers must be a list of Provider objects, and is a list of int"),  # type: ignore[list-item]  # wrong
    (lambda: RateLimits({"login": 5}), r"rules must be a mapping \(each value: a text\) or None, and is a dict of int"),  # type: ignore[dict-item]  # wrong
    (lambda: Issuer(clients={"x": 5}), "clients must be a mapping"),  # type: ignore[dict-item]  # wrong
    (lambda: Admin(role=None), "role must be a text, and is of the type NoneType"),  # type: ignore[arg-type]  # wrong
    (lambda: Argon2(testing="x"), "testing must be True or False"),  # type: ignore[arg-type]  # wrong
    (lambda: PasswordPolicy(context="word"), "context must be a list of texts"),  # type: ignore[arg-type]  # wrong
    (lambda: Field("x", required="no"), "x: required must be True or False"),  # type: ignore[arg-type]  # wrong
    (lambda: Field(5), "the name of a field must be a text"),  # type: ignore[arg-type]  # wrong
    (lambda: SMTPMailer("host", sender="a@example.com", tls=True), "tls must be starttls or tls or none"),  # type: ignore[arg-type]  # wrong
]


def test_every_feature_with_options_is_here() -> None:
    assert {kind for kind, _ in OPTIONS} >= {Passwords, Admin, Audit, Account, Usernames, PasswordPolicy, SMTPMailer}
    assert len(OPTIONS) > 80


@pytest.mark.parametrize(("kind", "name"), OPTIONS, ids=lambda value: getattr(value, "__name__", value))
def test_an_option_of_another_type_is_named_where_the_object_is_made(kind: type, name: str) -> None:
    needed = [each for each, one in signature(kind).parameters.items() if one.default is one.empty]
    others = {each: NEEDED.get(each, "x") for each in needed if each != name}
    with pytest.raises(ValueError, match=rf"\b{name}( of a field)? must be "):
        kind(**({name: Odd()} | (others if is_dataclass(kind) else {})))


@pytest.mark.parametrize(("make", "text"), WRONG)
def test_what_is_wrong_is_said_without_the_value(make: Callable[[], Any], text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}"):
        make()


def test_an_option_that_there_is_not_is_an_error_of_python() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'polcy'"):
        Passwords(polcy=None)  # type: ignore[call-arg]  # wrong


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (5, "Texts"),
        ([5], list[int]),
        (Odd(), Any),
        (None, None),
        ((), tuple[str, ...]),
        (1, float),
        ({}, dict[str, int]),
    ],
)
def test_what_no_value_can_be_compared_with_is_not_judged(value: object, kind: Any) -> None:
    check_kind("option", value, kind)
