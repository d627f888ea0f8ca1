"""Other names of accounts than addresses, at endpoints of any feature."""

import pytest

from asgi_auth import Argon2, AuthApp, Passwords, Sessions
from asgi_auth.feature import Email, Feature, Line, post
from tests.support import EMAIL, Client, make_auth, register


class Phones(Feature):
    """Names accounts by a number; there is one."""

    names_by = "phone"

    async def address_of(self, name: str) -> str:
        return EMAIL if name == "123" else f"{name}@nowhere.test"


class Greetings(Feature):
    """Has an endpoint that takes an address."""

    @post("/greet", names="email")
    async def greet(self, *, email: Email, text: Line = "") -> list[str]:
        """Return what was given."""
        return [email, text]


async def test_an_endpoint_gets_the_address_in_the_place_of_another_name() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Phones(), Greetings()]
    async with make_auth(features=features) as auth:
        await register(auth)
        client = Client(AuthApp(auth))
        answers = [
            await client.post("/greet", body)
            for body in ({"phone": "123", "text": "hi"}, {"phone": "7"}, {"email": "b@example.com"}, {}, {"phone": ""})
        ]

    assert [answer.json for answer in answers[:3]] == [[EMAIL, "hi"], ["7@nowhere.test", ""], ["b@example.com", ""]]
    assert [answer.status for answer in answers[3:]] == [422, 422]


def test_an_endpoint_names_an_account_by_a_field_that_it_has() -> None:
    class Careless(Feature):
        @post("/careless", names="mail")
        async def careless(self, *, email: Email) -> None:
            """Take an address."""

    with pytest.raises(ValueError, match="careless names an account by mail, which is no field of it"):
        make_auth(features=[Passwords(), Careless()])


def test_a_field_of_the_endpoint_with_the_other_name_is_refused() -> None:
    class Careless(Feature):
        @post("/careless", names="email")
        async def careless(self, *, email: Email, phone: Line = "") -> None:
            """Take an address and a number."""

    with pytest.raises(ValueError, match="careless has a field of its own: phone"):
        make_auth(features=[Passwords(), Phones(), Careless()])
