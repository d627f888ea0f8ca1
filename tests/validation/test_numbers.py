"""Options of features that are numbers: what is not whole, or too large, fails where the feature is made."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from inspect import signature
from typing import Any

import pytest

import asgi_auth
from asgi_auth import AuthorizationServer, Resource
from asgi_auth.feature import Feature

NOTES = Resource("Notes", scopes={"notes:read": "Read your notes"})
FEATURES: dict[str, Callable[..., Any]] = {
    name: found
    for name in asgi_auth.__all__
    if isinstance(found := getattr(asgi_auth, name), type) and issubclass(found, Feature)
} | {"AuthorizationServer": partial(AuthorizationServer, {"/mcp": NOTES})}
#: Every option of a public feature that is a whole number.
OPTIONS = [
    (name, option)
    for name, feature in FEATURES.items()
    for option, parameter in signature(feature).parameters.items()
    if "int" in str(parameter.annotation).replace("|", " ").replace("<class 'int'>", "int").split()
]


def test_the_options_are_found() -> None:
    assert {("Lockout", "pause"), ("Account", "reopen"), ("AuthorizationServer", "most")} <= set(OPTIONS)
    assert len(OPTIONS) >= 27


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=str)
@pytest.mark.parametrize("value", [timedelta(seconds=2).total_seconds(), 1.5, True, "2", 10**10, -1, float("nan")])
def test_a_number_that_would_fail_in_requests_is_refused(name: str, option: str, value: Any) -> None:
    with pytest.raises(ValueError, match=option):
        FEATURES[name](**{option: value})
