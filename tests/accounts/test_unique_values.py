"""Unique extra fields: one value for one user, for every way in, and without telling who has an account."""

from typing import Any

import pytest

from asgi_auth import Account, Argon2, Auth, AuthApp, Field, Outbox, Passwords
from asgi_auth.accounts.ways_in import take_over
from asgi_auth.errors import ValidationError
from asgi_auth.feature import Email
from tests.support import EMAIL, PASSWORD, Answer, Client, Clock, bearer, login, make_auth

OTHER = "eve@example.com"
NICK = Field("nick", unique=True)
TAKEN = {"nick": ["This is taken."]}


def concealing(clock: Clock, *fields: Field) -> Auth:
    """An `Auth` whose registrations conceal who has an account."""
    return make_auth(clock=clock, mailer=Outbox(), fields=fields, enumeration="hide")


async def registered(auth: Auth, email: str = EMAIL, **data: Any) -> Answer:
    return await Client(AuthApp(auth)).post("/register", {"email": email, "password": PASSWORD, **data})


async def verified(auth: Auth, email: str = EMAIL) -> Answer:
    """Complete the registration that the last mail to an address is about."""
    outbox = auth.mail.mailer
    assert isinstance(outbox, Outbox)
    token = (await outbox.next("register", email)).token
    return await Client(AuthApp(auth)).post("/verify-email", {"token": token, "password": PASSWORD})


async def test_a_value_belongs_to_one_user_and_is_free_again_when_it_is_given_up() -> None:
    async with make_auth(fields=[NICK]) as auth:
        await registered(auth, nick="Ada")
        first, second = await registered(auth, OTHER, nick="ada"), await registered(auth, OTHER, nick="eve")
        eve, ada = await auth.users.by_email(OTHER), await auth.users.by_email(EMAIL)
        client, headers = Client(AuthApp(auth)), bearer(await login(auth, OTHER))
        refused = await client.request("PATCH", "/me", json_body={"nick": "ADA"}, headers=headers)
        with pytest.raises(ValidationError) as setting:
            await auth.users.set_data(eve.id, nick="ada")
        kept = await client.request("PATCH", "/me", json_body={"nick": "EVE"}, headers=headers)
        await auth.users.set_data(ada.id, nick=None)
        taken_over = await client.request("PATCH", "/me", json_body={"nick": "ada"}, headers=headers)
        await auth.users.set_data(ada.id, nick="eve")
        await auth.users.delete(ada.id)
        after_deletion = await client.request("PATCH", "/me", json_body={"nick": "eve"}, headers=headers)

    assert (first.status, first.json["errors"], second.status) == (422, TAKEN, 201)
    assert refused.json["errors"] == setting.value.errors == TAKEN
    assert [answer.status for answer in (kept, taken_over, after_deletion)] == [200, 200, 200]


async def test_nothing_of_a_refused_registration_or_change_is_stored() -> None:
    async with make_auth(fields=[NICK, Field("phone", unique=True), Field("company")]) as auth:
        await registered(auth, nick="ada", phone="1")
        refused = await registered(auth, OTHER, nick="ada", phone="1", company="x")
        free = await registered(auth, OTHER, nick="eve", phone="2")
        eve = await auth.users.by_email(OTHER)
        with pytest.raises(ValidationError) as changing:
            await auth.users.set_data(eve.id, nick="new", phone="1", company="x")
        third = await registered(auth, "bob@example.com", nick="new")

        assert (refused.json["errors"].keys(), free.status, third.status) == ({"nick", "phone"}, 201, 201)
        assert changing.value.errors.keys() == {"phone"}
        assert (await auth.users.get(eve.id)).data == {"nick": "eve", "phone": "2", "company": None}


async def test_an_account_that_an_administrator_creates_has_unique_values_too() -> None:
    async with make_auth(fields=[NICK]) as auth:
        await auth.users.create(EMAIL, data={"nick": "ada"})
        for password in (None, PASSWORD):
            with pytest.raises(ValidationError) as refused:
                await auth.users.create(OTHER, password=password, data={"nick": "Ada"})
            assert refused.value.errors == TAKEN
        other = await auth.users.create(OTHER, data={"nick": "eve"})
        registering = await registered(auth, "bob@example.com", nick="EVE")

    assert (other.data, registering.json["errors"]) == ({"nick": "eve"}, TAKEN)


async def test_values_are_compared_in_their_canonical_form() -> None:
    fields = [NICK, Field("number", int, unique=True), Field("mail", Email, unique=True)]
    async with make_auth(fields=fields) as auth:
        await registered(auth, nick="Straße", number=7, mail="Ada@bücher.example")
        same = await registered(auth, OTHER, nick="STRASSE", number=7, mail="ada@xn--bcher-kva.example")
        other = await registered(auth, OTHER, nick="Strasse 7", number=-7, mail="ada.b@bücher.example")

    assert (same.json["errors"].keys(), other.status) == ({"nick", "number", "mail"}, 201)


async def test_no_value_is_never_taken() -> None:
    async with make_auth(fields=[NICK]) as auth:
        answers = [await registered(auth, f"{name}@example.com") for name in ("a", "b")]
        users = [await auth.users.by_email(f"{name}@example.com") for name in ("a", "b")]
        for user in users:
            await auth.users.set_data(user.id, nick=None)

    assert [answer.status for answer in answers] == [201, 201]


async def test_a_concealed_registration_tells_no_stranger_that_a_value_is_taken(clock: Clock) -> None:
    async with concealing(clock, NICK) as auth:
        await registered(auth, nick="ada")
        await verified(auth)
        clock.move(2)
        answers = [await registered(auth, OTHER, nick=nick) for nick in ("ada", "eve")]
        known = await registered(auth, nick="ada")
        refused = await verified(auth, OTHER)
        clock.move(2)
        completed = await verified(auth, OTHER)

    # Who owns the mailbox is told; the mail stays valid, and that of the other registration completes it.
    assert [answer.status for answer in (*answers, known)] == [202, 202, 202]
    assert {frozenset(answer.json) for answer in (*answers, known)} == {frozenset(known.json)}
    assert (refused.status, refused.json["errors"], completed.status) == (422, TAKEN, 204)


async def test_a_public_value_that_is_taken_is_told_at_once_whatever_the_address(clock: Clock) -> None:
    async with concealing(clock, Field("nick", unique="public")) as auth:
        await registered(auth, nick="ada")
        await verified(auth)
        outbox = auth.mail.mailer
        assert isinstance(outbox, Outbox)
        sent = len(outbox.mails)
        refused = [await registered(auth, email, nick="ADA") for email in (EMAIL, OTHER)]
        await auth.mail.drain(5)

        assert [(answer.status, answer.json["errors"]) for answer in refused] == [(422, TAKEN)] * 2
        assert refused[0].body == refused[1].body
        assert len(outbox.mails) == sent


async def test_of_two_registrations_that_wait_the_first_one_completed_has_the_value(clock: Clock) -> None:
    async with concealing(clock, NICK) as auth:
        await registered(auth, nick="ada")
        await registered(auth, OTHER, nick="Ada")
        won, lost = await verified(auth, OTHER), await verified(auth)

        assert (won.status, lost.status, lost.json["errors"]) == (204, 422, TAKEN)
        assert (await auth.users.by_email(OTHER)).data == {"nick": "Ada"}


async def test_claims_open_nothing_are_not_exported_and_stay_when_an_account_changes_hands() -> None:
    async with make_auth(fields=[NICK]) as auth:
        await registered(auth, nick="ada")
        user = await auth.users.by_email(EMAIL)
        export = await Client(AuthApp(auth)).get("/me/export", headers=bearer(await login(auth)))
        async with auth.storage.transaction() as storage:
            await take_over(storage, user.id, int(auth.now()))
        again = await registered(auth, OTHER, nick="ada")

        assert [each["kind"] for each in export.json["credentials"]] == ["password"]
        assert await auth.ways_in.of(auth.storage, user) == []
        assert again.json["errors"] == TAKEN


async def test_values_from_before_the_field_was_unique_are_claimed_by_one_call() -> None:
    async with make_auth(fields=[Field("nick")]) as before:
        for number, nick in enumerate(["ada", "Ada", "eve", None]):
            await registered(before, f"u{number}@example.com", nick=nick)
        now = make_auth(before.storage, fields=[NICK], features=[Passwords(argon2=Argon2.cheap()), Account()])
        async with now:
            taken = await now.users.claim_unique()
            again = await now.users.claim_unique()
            refused = await registered(now, OTHER, nick="EVE")
            second = await now.users.by_email("u1@example.com")

    assert taken == again == {second.id: ["nick"]}
    assert refused.json["errors"] == TAKEN


@pytest.mark.parametrize(
    "values",
    [
        {"type": bool}, {"type": float}, {"type": list[str]}, {"type": dict}, {"choices": ["a"]}, {"default": "a"},
        {"unique": "yes"},
    ],
)  # fmt: skip
def test_a_field_that_cannot_be_unique_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unique"):
        Field("nick", **{"unique": True, **values})
