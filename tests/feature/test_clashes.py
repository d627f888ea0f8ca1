"""Two things of one name: the second would replace the first silently, so it is a ValueError when `Auth` is made."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import pytest

from asgi_auth import Field, Passwords
from asgi_auth.accounts.users import Users
from asgi_auth.feature import Action, Feature, Grant, Line, post
from asgi_auth.features.account import Account
from asgi_auth.features.defaults import defaults
from asgi_auth.validation.user_field import RESERVED
from tests.support import make_auth, unlimited


class Service:
    """A service."""


class First(Feature):
    actions: ClassVar[Mapping[str, Action]] = {"shipped": Action("It was shipped.", "shipped")}

    @property
    def grants(self) -> Mapping[str, Grant]:
        return {"voucher": Grant((), self._run)}

    @property
    def services(self) -> tuple[object]:
        return (Service(),)

    @post("/ship", status=204)
    async def ship(self) -> None:
        """Ship."""

    async def _run(self, *_: object) -> Any:
        """Nothing."""


class SameAction(Feature):
    actions: ClassVar[Mapping[str, Action]] = {"shipped": Action("It was packed.", "packed")}


class LibraryAction(Feature):
    actions: ClassVar[Mapping[str, Action]] = {"login": Action("A user came.", "came")}


class SameGrant(Feature):
    @property
    def grants(self) -> Mapping[str, Grant]:
        return {"voucher": Grant((), self._run)}

    async def _run(self, *_: object) -> Any:
        """Nothing."""


class PasswordGrant(SameGrant):
    @property
    def grants(self) -> Mapping[str, Grant]:
        return {"password": Grant((), self._run)}


class SameService(Feature):
    @property
    def services(self) -> tuple[object]:
        return (Service(),)


class SameEndpoint(Feature):
    @post("/ship-elsewhere", status=204)
    async def ship(self) -> None:
        """Ship elsewhere."""


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (SameAction, "First and SameAction offer the same action: 'shipped'"),
        (LibraryAction, "the library and LibraryAction offer the same action: 'login'"),
        (SameGrant, "First and SameGrant offer the same grant: 'voucher'"),
        (PasswordGrant, "Passwords and PasswordGrant offer the same grant: 'password'"),
        (SameService, "First and SameService offer the same service: 'Service'"),
        (SameEndpoint, "First and SameEndpoint offer the same endpoint: 'ship'"),
    ],
)
def test_two_features_of_one_name_are_refused(second: type[Feature], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make_auth(features=[Passwords(), *unlimited(mail=False), First(), second()])


def test_the_features_of_the_library_do_not_clash() -> None:
    assert make_auth(features=defaults(mail=True), mailer=lambda _: None)


def test_a_field_cannot_have_the_name_of_a_parameter() -> None:
    """Each function that takes fields as `**data` has parameters besides; none of them can be a field."""
    functions: list[Callable[..., Any]] = [Users.set_data, Passwords.register, Account.update_me]
    endpoints = [endpoint for item in defaults(mail=True) for endpoint in item.endpoints]
    functions += [endpoint.function for endpoint in endpoints if endpoint.takes_data]
    parameters = {
        name
        for function in functions
        for name, item in inspect.signature(function).parameters.items()
        if item.kind not in {item.VAR_KEYWORD, item.POSITIONAL_ONLY}
    }

    assert {"email", "password", "client", "identity"} <= parameters <= RESERVED


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="reserved"):
        Field(name)


class Invitation(Feature):
    @post("/invited", status=204)
    async def register_invited(self, *, voucher: Line, **data: object) -> None:
        """Register with a voucher."""


def test_a_field_cannot_have_the_name_of_a_field_of_an_endpoint() -> None:
    with pytest.raises(ValueError, match="register_invited has fields of its own: voucher"):
        make_auth(features=[Passwords(), Invitation()], fields=[Field("voucher")])
