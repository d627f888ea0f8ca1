"""Endpoints that write credentials want a fresh login and a second factor, or have a reason, which a test shows.

Which endpoints these are comes from the calls of the storage that each of them reaches in the source, and from no list.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Account, EmailChange, PasswordReset, Passwords, RecoveryCodes, Totp
from asgi_auth.errors import AuthError
from asgi_auth.feature import Factor, Feature
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.mail import Outbox
from tests.accounts.test_pending_logins import add
from tests.documentation import every_feature
from tests.security.reach import reached
from tests.support import EMAIL, PASSWORD, Clock, cheap, login, make_auth, register

WRITES = frozenset(
    {"add_credential", "change_credential", "use_credential", "delete_credential", "delete_credentials", "add_user"}
)
#: A password that was verified a moment ago is hashed anew: it stays the same. Claims of unique values open nothing.
HARMLESS = {
    ("PasswordService._verify", "change_credential"),
    ("UniqueValues.claim", "add_credential"),
    ("UniqueValues.claim", "delete_credential"),
}
HERE = "security/test_credential_endpoints.py::"
#: Why other endpoints may write credentials without a fresh login and a second factor, and the test that shows it.
REASONS = {
    "register": ("the account is new", "features/test_passwords.py::test_an_address_in_any_spelling_registers_once"),
    "passkey_sign_up": (
        "the account is new, and its address proven where mail can prove it",
        "passkeys/test_signing_up.py::test_a_stranger_never_leaves_a_key_at_the_address_of_another",
    ),
    "verify_email": (
        "it completes a registration, and wants its password or its `request`",
        "features/test_pre_hijacking.py::test_the_owners_click_makes_no_account_with_a_strangers_password",
    ),
    "accept_invitation": (
        "it takes a mailed token, and sets a password only where none is",
        "features/test_invitations.py::test_a_password_that_came_in_another_way_stays",
    ),
    "change_password": (
        "it takes the current password, and counts as a guess at it",
        HERE + "test_a_new_password_takes_the_current_one",
    ),
    "reset_password": (
        "it takes a mailed token; factors stay, and the next login asks for them",
        HERE + "test_a_reset_leaves_the_factors",
    ),
    "magic_link_login": (
        "it takes a mailed token, and the login asks for the factors",
        "features/test_totp.py::test_a_magic_link_meets_the_second_factor",
    ),
    "oidc_callback": (
        "a provider has proven the address, or the account is new; the login asks for the factors first",
        "oidc/test_linking.py::test_a_link_waits_for_the_second_factor",
    ),
    "handoff": (
        "it is the end of such a login",
        "oidc/test_handoff.py::test_a_pending_second_factor_passes_through",
    ),
    "oidc_sign_up": (
        "the account is new, and a typed address opens no account",
        "oidc/test_signing_up.py::test_a_typed_address_opens_no_account",
    ),
    "totp_turn_on": (
        "a pending login may take the place of a login, and a login is proven by the method itself",
        HERE + "test_a_setup_wants_a_fresh_login_and_the_factor_that_there_is",
    ),
    "totp_login": ("it uses a code up", "features/test_totp.py::test_a_login_takes_a_code_once_it_is_turned_on"),
    "reauthenticate_by_totp": (
        "it uses a code up",
        "features/test_totp.py::test_who_has_a_factor_needs_a_fresh_one_to_change_it",
    ),
    "recovery_code_login": (
        "it uses a code up",
        "features/test_totp.py::test_a_recovery_code_is_read_as_people_type_it",
    ),
    "add_passkey": (
        "a pending login may take the place of a login, and a login is proven by the method itself",
        "passkeys/test_managing.py::test_who_adds_a_passkey_has_a_fresh_login_a_factor_and_a_verified_address",
    ),
    "rename_passkey": (
        "it changes the name alone",
        "passkeys/test_managing.py::test_a_new_name_leaves_the_key_as_it_is",
    ),
    "passkey_login": (
        "it notes the counter of a passkey that was verified",
        "passkeys/test_ceremonies.py::test_a_counter_that_does_not_go_up_tells_of_a_copy",
    ),
    "answer_client": (
        "it lets a client use parts of the host, and is no way into the account",
        "oauth/test_flow.py::test_a_client_finds_registers_is_let_in_and_goes_on",
    ),
    "disconnect": (
        "it takes the access of a client away",
        "oauth/test_flow.py::test_a_client_finds_registers_is_let_in_and_goes_on",
    ),
    "reauthenticate_by_passkey": (
        "it notes the counter of a passkey that was verified",
        "passkeys/test_ceremonies.py::test_a_passkey_proves_a_session_again",
    ),
}


def writers() -> dict[str, Endpoint]:
    """The endpoints that write credentials."""
    return {
        endpoint.name: endpoint
        for feature in every_feature()
        for endpoint in feature.endpoints
        if reached(endpoint.function, type(feature), WRITES) - HARMLESS
    }


def test_endpoints_that_write_credentials_want_a_fresh_login_and_a_second_factor() -> None:
    unproven = {name for name, endpoint in writers().items() if not (endpoint.fresh and endpoint.second_factor)}

    assert unproven == REASONS.keys()
    assert {"totp_turn_off", "recovery_codes", "set_password"} <= writers().keys() - unproven


@pytest.mark.parametrize("name", REASONS)
def test_each_reason_has_its_test(name: str) -> None:
    path, _, test = REASONS[name][1].partition("::")

    assert f"async def {test}(" in (Path(__file__).parents[1] / path).read_text("utf-8")


def test_an_endpoint_that_writes_a_credential_deep_below_is_found() -> None:
    class Thief(Feature):
        """Writes through another feature's service."""

        async def steal(self) -> None:
            await self._deeper()

        async def _deeper(self) -> None:
            async with self.auth.storage.transaction() as storage:
                user = await storage.user("victim")
                assert user is not None
                await self.auth.factors.remove(storage, user, ("totp",))

    assert reached(Thief.steal, Thief, WRITES) == {
        ("Factors.remove", "delete_credentials"),
        ("Factors.removed", "delete_credentials"),
    }


class World:
    """A user with another factor than an app, who has logged in before it was there."""

    def __init__(self) -> None:
        class Tokens(Feature):
            factor_kinds = {"token": Factor("token")}  # noqa: RUF012 (a class attribute of features)

        self.clock, self.outbox = Clock(), Outbox()
        features = [*cheap(mail=True), Tokens(), Totp(), RecoveryCodes()]
        self.auth = make_auth(features=features, clock=self.clock, mailer=self.outbox)

    async def begin(self) -> None:
        self.user_id = await register(self.auth)
        await self.auth.users.set_verified(self.user_id)
        self.identity = await self.auth.authenticate((await login(self.auth)).access_token)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    async with made.auth:
        await made.begin()
        yield made


async def test_a_setup_wants_a_fresh_login_and_the_factor_that_there_is(world: World) -> None:
    app = world.auth[Totp]

    async def refusals() -> set[str]:
        found = set()
        for call in (
            lambda: app.totp_setup(identity=world.identity),
            lambda: app.totp_turn_on(request="any", code="123456", identity=world.identity),
        ):
            with pytest.raises(AuthError) as refused:
                await call()
            found.add(refused.value.code)
        return found

    world.clock.move(601)
    assert await refusals() == {"fresh_login_required"}
    world.clock.move(-601)
    await add(world.auth, world.user_id)
    assert await refusals() == {"second_factor_needed"}


async def test_an_account_and_its_address_want_the_factor_beside_the_password(world: World) -> None:
    await add(world.auth, world.user_id)
    values: dict[str, Any] = {"identity": world.identity, "password": PASSWORD}

    for call in (
        lambda: world.auth[EmailChange].change_email(new_email="new@example.com", **values),
        lambda: world.auth[Account].close_account(**values),
    ):
        with pytest.raises(AuthError) as refused:
            await call()
        assert refused.value.code == "second_factor_needed"
    assert (await world.auth.users.get(world.user_id)).status == "active"


async def test_a_new_password_takes_the_current_one(world: World) -> None:
    with pytest.raises(AuthError) as refused:
        await world.auth[Passwords].change_password(
            current_password="wrong", new_password="another horse battery", identity=world.identity
        )

    assert refused.value.code == "invalid_credentials"
    assert writers()["change_password"].guesses == "password"


async def test_a_reset_leaves_the_factors(world: World) -> None:
    await add(world.auth, world.user_id)
    await world.auth[PasswordReset].forgot_password(email=EMAIL)
    mail = await world.outbox.next("reset_password")

    await world.auth[PasswordReset].reset_password(token=mail.token, new_password="another horse battery")

    assert await world.auth.factors.of(await world.auth.users.get(world.user_id)) == ["token"]
    with pytest.raises(AuthError) as refused:
        await login(world.auth, password="another horse battery")
    assert refused.value.code == "second_factor_required"
