"""The bounds of the mails to one person: for one stranger, for all strangers, and apart from them for known clients."""

from collections import Counter
from typing import Any

import pytest

from asgi_auth import MagicLink, Usernames
from asgi_auth.accounts.mail_budget import ALL_KNOWN, KNOWN, NEWCOMERS, STRANGER, STRANGERS, MailBudget
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.feature import Feature
from asgi_auth.limits.counter_keys import CounterKeys
from asgi_auth.model.records import Client
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, PASSWORD, cheap

#: All endpoints by which a caller without a login can have a mail sent to any address.
ASKING: dict[str, dict[str, str]] = {
    "/auth/forgot-password": {},
    "/auth/magic-link": {},
    "/auth/request-unlock": {},
    "/auth/resend-verification": {},
    "/auth/register": {"password": NEW_PASSWORD},
}


def every_feature() -> list[Feature]:
    return [*cheap(mail=True), MagicLink()]


HOURS = 24
HOME, STRANGERS_HOME = "198.51.100.7", "203.0.113.66"


def at(address: str) -> dict[str, Any]:
    return {"client": (address, 1)}


async def an_account(app: Flows, *, known: bool = False) -> None:
    """A verified account, and a day later; with `known`, its owner has logged in at home."""
    await app.client.post("/auth/register", {"email": EMAIL, "password": PASSWORD}, scope=at(HOME))
    await app.verify((await app.mail("register")).token)
    if known:
        body = {"email": EMAIL, "password": PASSWORD}
        assert (await app.client.post("/auth/login", body, scope=at(HOME))).status == 200
        await app.auth.mail.idle()
    app.clock.move(86_400)
    app.outbox.mails.clear()


async def flood(app: Flows, addresses: list[str], *, hours: int = HOURS, email: str = EMAIL) -> int:
    """Ask everywhere every hour; return how many mails came."""
    before = len(app.outbox.mails)
    for _ in range(hours):
        for address in addresses:
            for path, more in ASKING.items():
                answer = await app.client.post(path, {"email": email, **more}, scope=at(address))
                assert answer.status == 202
        app.clock.move(3600)
    await app.auth.mail.idle()
    return len(app.outbox.mails) - before


@pytest.mark.parametrize("known", [True, False])
async def test_a_stranger_has_a_few_mails_a_day_sent_to_a_person(known: bool) -> None:  # noqa: FBT001 (pytest gives it)
    async with flows(enumeration="hide", features=every_feature()) as app:
        if known:
            await an_account(app)

        assert 0 < await flood(app, [STRANGERS_HOME]) <= STRANGER
        assert 0 < await flood(app, [STRANGERS_HOME]) <= STRANGER


async def test_all_strangers_together_have_a_bound_as_well() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        await an_account(app)

        count = await flood(app, [f"203.0.113.{number}" for number in range(6)], hours=4)

        # Some were for a verification, of which a verified address gets no mail.
        assert STRANGER < count <= STRANGERS + 6


async def test_no_number_of_strangers_has_more_mails_sent_to_a_person() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        crowd = [f"203.0.113.{number}" for number in range(3 * NEWCOMERS)]
        count = await flood(app, crowd, hours=1)

        assert NEWCOMERS < count <= STRANGERS + NEWCOMERS


NEW = "new@example.com"


async def registers(app: Flows, address: str) -> int:
    """Register a new address from a network; return how many mails came."""
    app.outbox.mails.clear()
    answer = await app.client.post("/auth/register", {"email": NEW, "password": PASSWORD}, scope=at(address))
    assert answer.status == 202
    await app.auth.mail.idle()
    return len(app.outbox.mails)


@pytest.mark.parametrize("endpoints", [["/auth/register"], ["/auth/forgot-password", "/auth/magic-link"], [*ASKING]])
async def test_strangers_do_not_keep_a_newcomer_from_registering(
    endpoints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ASKING.keys() - set(endpoints):
        monkeypatch.delitem(ASKING, path)
    async with flows(enumeration="hide", features=every_feature()) as app:
        await flood(app, [f"203.0.113.{number}" for number in range(10)], hours=12, email=NEW)

        assert await registers(app, HOME) == 1
        mail = await app.mail("register")
        await app.verify(mail.token)
        assert (
            await app.client.post("/auth/login", {"email": NEW, "password": PASSWORD}, scope=at(HOME))
        ).status == 200


async def test_the_first_registration_of_a_network_is_one_whatever_its_addresses() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        # All /64 networks of one /48.
        await flood(app, [f"2001:db8:1:{number:x}::1" for number in range(40)], hours=1, email=NEW)

        assert await registers(app, "2001:db8:2::1") == 1


async def test_a_newcomer_who_registers_again_is_a_stranger() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        assert sum([await registers(app, HOME) for _ in range(12)]) == 5
        await flood(app, [f"203.0.113.{number}" for number in range(6)], hours=4, email=NEW)

        assert await registers(app, STRANGERS_HOME) == 1
        assert await registers(app, STRANGERS_HOME) == 0


async def test_one_flow_can_not_use_up_the_mails_of_all() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        await an_account(app)
        for _ in range(20):
            await app.client.post("/auth/forgot-password", {"email": EMAIL}, scope=at(STRANGERS_HOME))
            app.clock.move(61)
        await app.client.post("/auth/magic-link", {"email": EMAIL}, scope=at(STRANGERS_HOME))
        await app.auth.mail.idle()

        assert Counter(mail.purpose for mail in app.outbox.mails) == {"reset_password": 5, "magic_link": 1}


async def test_a_cooldown_is_that_of_one_client() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        await an_account(app)
        for address in (STRANGERS_HOME, HOME, HOME):
            await app.client.post("/auth/forgot-password", {"email": EMAIL}, scope=at(address))
        await app.auth.mail.idle()

        assert len(app.outbox.mails) == 2


async def test_strangers_can_not_use_up_the_mails_of_a_known_client() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        await an_account(app, known=True)
        await flood(app, [f"203.0.113.{number}" for number in range(6)], hours=4)
        app.outbox.mails.clear()

        for path in ("/auth/forgot-password", "/auth/magic-link", "/auth/request-unlock"):
            answer = await app.client.post(path, {"email": EMAIL}, scope=at(HOME))
            assert answer.status == 202
        await app.auth.mail.idle()

        assert Counter(mail.purpose for mail in app.outbox.mails) == {"reset_password": 1, "magic_link": 1, "unlock": 1}


async def test_strangers_and_known_clients_have_all_of_their_budgets_whichever_asked_before() -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        auth, clients = app.auth, [Client(address=f"198.51.100.{number}") for number in range(5)]
        user = await auth.storage.user_by_email(EMAIL)
        assert user is not None
        for client in clients:
            await auth.known_clients.remember(user, client)
        budget = MailBudget(auth.counters, CounterKeys(auth.keys), auth.known_clients, app.clock)
        purpose = Purpose("test", "/test", ttl=60, quiet=0, most=100)

        async def taken(clients: list[Client]) -> int:
            rooms = [await budget.take(purpose, EMAIL, client) for client in clients for _ in range(KNOWN + 1)]
            return rooms.count("mail")

        strangers = [Client(address=f"203.0.113.{number}") for number in range(5)]
        for order in ([strangers, clients], [clients, strangers]):
            app.clock.move(86_400 * 2)
            assert {await taken(some) for some in order} == {STRANGERS, ALL_KNOWN}


async def test_mails_by_name_and_by_address_have_one_bound() -> None:
    async with flows(features=[*every_feature(), Usernames()]) as app:
        await app.verified()
        await app.auth.users.set_data((await app.auth.users.by_email(EMAIL)).id, username="Ada")
        app.clock.move(86_400)
        by_name, by_address = {"username": "ada"}, {"email": EMAIL}

        async def ask(number: int, body: dict[str, str]) -> str:
            answer = await app.client.post("/auth/forgot-password", body, scope=at(f"203.0.113.{number}"))
            assert answer.status == 202
            return str(answer.json["request"])

        first = await ask(0, by_name)
        code = (await app.mail("reset_password")).code
        for number in range(1, STRANGERS + 10):
            await ask(number, by_name if number % 2 else by_address)
        app.clock.move(61)
        assert await ask(0, {**by_name, "request": first}) == first
        await app.auth.mail.idle()
        sent = len(app.outbox.mails)
        proof = {"request": first, "code": code, "new_password": NEW_PASSWORD}
        answer = await app.client.post("/auth/reset-password", proof)

    assert sent == STRANGERS - 1
    # What got no mail voided none.
    assert answer.status == 204


async def test_a_name_has_work_for_as_many_mails_as_an_address_whatever_others_ask_for_there() -> None:
    async with flows(features=every_feature()) as app:
        budget = MailBudget(app.auth.counters, CounterKeys(app.auth.keys), app.auth.known_clients, app.clock)
        purpose = Purpose("test", "/test", ttl=60)
        clients = [Client(address=f"203.0.113.{number}") for number in range(STRANGERS + 5)]
        await app.verified()
        app.clock.move(86_400)

        by_address = [await budget.take(purpose, EMAIL, client) for client in clients]
        by_name = [await budget.take(purpose, EMAIL, client, "username ada") for client in clients]
        of_nobody = [await budget.take(purpose, "x@unknown.test", client, "username eve") for client in clients]

    assert by_address == [*["mail"] * STRANGERS, *["none"] * 5]
    assert by_name == [*["decoy"] * STRANGERS, *["none"] * 5]
    assert of_nobody == by_address


async def test_the_mails_of_known_clients_are_bounded() -> None:
    async with flows(enumeration="hide", features=every_feature()) as app:
        await an_account(app, known=True)

        assert STRANGER < await flood(app, [HOME]) <= KNOWN <= ALL_KNOWN


async def test_a_known_client_is_answered_like_a_stranger() -> None:
    answers = []
    for known in (True, False):
        async with flows(enumeration="hide", features=every_feature()) as app:
            if known:
                await an_account(app, known=True)
            first = (await app.client.post("/auth/magic-link", {"email": EMAIL}, scope=at(HOME))).json["request"]
            seen = []
            for _ in range(12):
                app.clock.move(61)
                body = {"email": EMAIL, "request": first}
                answer = await app.client.post("/auth/magic-link", body, scope=at(HOME))
                seen.append((answer.status, answer.json["request"] == first))
            answers.append(seen)

    assert answers[0] == answers[1] == [(202, True)] * 12
