"""A short run of the differential test of concealment; `tests.security.concealment` runs for long."""

from collections.abc import Iterator

import pytest

from asgi_auth import AuthApp
from asgi_auth.feature import Feature, post
from asgi_auth.features.defaults import defaults
from asgi_auth.validation.fields import Line
from tests.security.concealment.__main__ import run_once
from tests.security.concealment.calls import FIELDS, Call, Reference, endpoints_of
from tests.security.concealment.installation import EVE, OWNERS
from tests.security.concealment.machine import STATES, Pair
from tests.security.concealment.owner import DEEDS, administrator_deletes
from tests.storage.conftest import Servers
from tests.support import EMAIL, PASSWORD, make_auth

SEED = 4
#: The endpoints that mail something to an account, and how the caller names it. All names are resolved by one function.
PATHS = ("/forgot-password", "/magic-link", "/request-unlock", "/resend-verification")
ASKING = [*((path, {"email": EMAIL}) for path in PATHS), (PATHS[0], {"username": OWNERS})]


@pytest.fixture(scope="module", params=["sqlite", "postgres15"])
def pair(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Pair]:
    server = servers.get(request.param) if request.param != "sqlite" else None
    made = Pair(*([server.database(), server.database()] if server else ["sqlite://", "sqlite://"]))
    yield made
    made.close()


def test_random_sequences_show_no_account(pair: Pair) -> None:
    before = pair.steps

    run_once(pair, SEED, examples=15, steps=40)

    assert pair.steps > before + 500


@pytest.mark.parametrize("state", dict.fromkeys(STATES))
def test_every_endpoint_and_page_alone_shows_no_account(pair: Pair, state: str) -> None:
    app = AuthApp(pair.known.auth)
    values = {"email": EMAIL, "username": EMAIL, "new_email": EMAIL, "password": "a wrong password"}
    pair.run(pair.begin(state))
    for path, endpoint in dict.fromkeys(endpoints_of(app)):
        sent = {name: values.get(name, "00000000") for name in endpoint.fields}
        for transport in ("bearer", "form"):
            for login in (False, True):
                pair.run(pair.step(Call(endpoint.method, path, sent, transport=transport, login=login)))
                if "logout" in path:
                    pair.run(pair.log_in())
    assert pair.run(pair.step(Call("GET", "/me", login=True))) == 200
    for page in app.routes.pages:
        pair.run(pair.step(Call("GET", page, transport="form")))


@pytest.mark.parametrize("state", dict.fromkeys(STATES))
def test_a_user_who_asks_for_an_address_learns_nothing_of_it(pair: Pair, state: str) -> None:
    pair.run(pair.begin(state))
    for address in (EVE, EMAIL):
        asked = Call("POST", "/change-email", {"new_email": address, "password": PASSWORD}, login=True)
        assert pair.run(pair.step(asked)) == 202
    for number in range(len(pair.known.outbox.mails)):
        token = {"token": Reference("token", number)}
        assert pair.run(pair.step(Call("POST", "/confirm-email-change", token, login=True))) == 400


@pytest.mark.parametrize(("path", "names"), ASKING, ids=[f"{path[1:]} by {min(names)}" for path, names in ASKING])
@pytest.mark.parametrize("deed", DEEDS, ids=lambda deed: deed.__name__)
def test_what_the_owner_does_between_two_requests_is_not_seen(
    pair: Pair, deed: object, path: str, names: dict[str, str]
) -> None:
    pair.run(pair.begin("verified"))
    again = Call("POST", path, {**names, "request": Reference("request")})
    guess = Call("POST", "/login", {**names, "password": "a wrong password"})
    for call in (Call("POST", path, names), *[guess] * 9):
        pair.run(pair.step(call))

    pair.run(pair.act(deed))  # type: ignore[arg-type]  # pytest gives objects

    # The tenth wrong password starts a cooldown, in which the eleventh is refused.
    statuses = [pair.run(pair.step(call)) for call in (guess, guess, again)]
    pair.run(pair.wait(61))
    pair.run(pair.step(again))
    assert statuses == [401, 429, 202]


def test_a_difference_is_seen(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.run(pair.begin("verified"))
    pair.run(administrator_deletes(pair.owner))
    pair.run(pair.step(Call("POST", "/forgot-password", {"email": EMAIL})))

    async def nothing(*_: object, **__: object) -> bool:
        return False

    monkeypatch.setattr(pair.unknown.auth.one_time, "_store", nothing)
    with pytest.raises(AssertionError, match="statements of"):
        pair.run(pair.step(Call("POST", "/magic-link", {"email": EMAIL})))


def test_an_endpoint_with_a_field_that_the_test_does_not_know_is_an_error() -> None:
    class Surprise(Feature):
        """Takes a field that no other endpoint has."""

        @post("/surprise", status=204)
        async def surprise(self, *, surprise: Line) -> None:
            """Do nothing."""

    auth = make_auth(features=[*defaults(mail=False), Surprise()])
    assert "surprise" not in FIELDS

    with pytest.raises(AssertionError, match="surprise"):
        endpoints_of(AuthApp(auth))
