"""Usernames: chosen at registration, and used wherever an address names the account."""

from typing import Any

import pytest

from asgi_auth import Argon2, Field, Lockout, OpenAPI, Passwords, RateLimits, Usernames
from tests.features.flows import NEW_PASSWORD, flows
from tests.features.names import BY_MAIL, EVE, TAKEN, by_token, log_in, naming, register, rename
from tests.support import EMAIL, PASSWORD, bearer, login, make_auth, unlimited


async def test_a_name_is_kept_as_typed_and_logs_in_in_any_case() -> None:
    async with naming() as app:
        made = await register(app, "Ada_L.")
        answers = [await log_in(app, name) for name in ("Ada_L.", "ADA_l.", " ada_l. ", EMAIL)]
        by_address = await app.login()
        tokens = [await by_token(app, name) for name in ("aDa_L.", EMAIL)]
        found = await app.auth[Usernames].find("ADA_L.")
        me = await app.client.get("/auth/me", headers=bearer(answers[1].json["access_token"]))
        export = await app.client.get("/auth/me/export", headers=bearer(answers[1].json["access_token"]))

    assert made.json["user"]["data"] == me.json["data"] == {"username": "Ada_L."}
    assert [answer.status for answer in (*answers, by_address, *tokens)] == [200] * 7
    assert found is not None
    assert found.id == me.json["id"]
    assert export.json["user"]["data"] == {"username": "Ada_L."}


@pytest.mark.parametrize(
    "name",
    ["ab", "a" * 33, "9lives", "_ada", ".ada", "ada lovelace", "ada@example.com", "adä", "ada\n", "\u212aelvin", "", 7],
    ids=repr,
)
async def test_another_text_is_no_name(name: Any) -> None:
    async with naming() as app:
        refused = await register(app, name)
        await register(app, None)
        headers = await app.headers()
        renamed = await rename(app, name, headers)

    assert (refused.status, [*refused.json["errors"]]) == (422, ["username"])
    assert renamed.status == 422


@pytest.mark.parametrize("name", ["admin", "Root", "POSTMASTER", "mailer-daemon", "support"])
async def test_a_reserved_name_is_refused_in_any_case_and_in_the_language_of_the_page(name: str) -> None:
    async with naming() as app:
        refused = await register(app, name)
        german = app.auth.texts.find("reason.username_reserved", "de")

    assert refused.json["errors"] == {"username": ["This name is reserved. Choose another one."]}
    assert german == "Dieser Name ist reserviert. Bitte wählen Sie einen anderen."


async def test_a_host_reserves_names_of_its_own() -> None:
    async with naming(usernames=Usernames(reserved=["Pope"])) as app:
        assert (await register(app, "pope")).status == 422
        assert (await register(app, "admin")).status == 201


async def test_a_name_is_given_once_whatever_its_case() -> None:
    async with naming() as app:
        await register(app)
        at_registration = await register(app, "ADA", EVE)
        await register(app, None, EVE)
        later = await rename(app, "aDA", await app.headers(email=EVE))

    assert (at_registration.status, at_registration.json["errors"]) == (422, TAKEN)
    assert (later.status, later.json["errors"]) == (422, TAKEN)


async def test_exactly_one_field_names_the_account() -> None:
    async with naming() as app:
        await register(app)
        both = await app.client.post("/auth/login", {"email": EMAIL, "username": "ada", "password": PASSWORD})
        none = await app.client.post("/auth/login", {"password": PASSWORD})
        mailed = [await app.client.post(f"/auth/{path}", {}) for path in BY_MAIL]

    assert both.json["errors"] == {key: ["Give only one of these: email, username."] for key in ("email", "username")}
    assert [answer.json["errors"] for answer in (none, *mailed)] == [{"email": ["This field is needed."]}] * 4


async def test_without_the_feature_no_endpoint_knows_the_field() -> None:
    async with flows() as app:
        await app.register()
        answers = [await log_in(app, "ada"), await by_token(app, "ada")]

    assert answers[0].json["errors"] == {"email": ["This field is needed."], "username": ["There is no such field."]}
    assert (answers[1].status, answers[1].json["error"]) == (400, "invalid_grant")
    with pytest.raises(ValueError, match="'username' is reserved"):
        Field("username")


@pytest.mark.parametrize("path", BY_MAIL)
async def test_a_mail_by_name_goes_to_the_address_of_the_account(path: str) -> None:
    async with naming() as app:
        await register(app)
        await app.mail("verify_email")
        known = await app.client.post(f"/auth/{path}", {"username": "ADA"})
        unknown = await app.client.post(f"/auth/{path}", {"username": "nobody_at_all"})
        mail = await app.mail(BY_MAIL[path])
        await app.no_more_mail()

    assert mail.to == EMAIL
    assert (known.status, known.json.keys(), known.headers) == (unknown.status, unknown.json.keys(), unknown.headers)
    assert len(known.body) == len(unknown.body)


async def test_a_password_is_reset_by_name() -> None:
    async with naming() as app:
        await register(app)
        asked = await app.client.post("/auth/forgot-password", {"username": "ada"})
        body = {"request": asked.json["request"], "code": (await app.mail("reset_password")).code}
        done = await app.client.post("/auth/reset-password", body | {"new_password": NEW_PASSWORD})

        assert (done.status, (await log_in(app, "ada", NEW_PASSWORD)).status) == (204, 200)


async def test_what_becomes_of_a_name_changes_no_answer_to_a_request_of_before() -> None:
    async with naming(access_ttl=30 * 86400) as app:
        await register(app)
        await register(app, None, EVE)
        headers = [await app.headers(email=EMAIL), await app.headers(email=EVE)]
        first = [await app.client.post("/auth/forgot-password", {"username": name}) for name in ("ada", "free")]
        await rename(app, "Countess", headers[0])
        await rename(app, "Free", headers[1])
        bodies = [{"username": name, "request": answer.json["request"]} for name, answer in zip(("Ada", "free"), first)]  # noqa: B905 (two of each)
        again = [await app.client.post("/auth/forgot-password", body) for body in bodies]

    assert [answer.json for answer in again] == [answer.json for answer in first]


@pytest.mark.parametrize("name", ["ada", "nobody_at_all"])
async def test_guesses_by_name_and_by_address_have_one_count(name: str) -> None:
    async with naming("sqlite://", Lockout(after=4)) as app:
        await register(app)
        names = [name, name.upper(), f" {name}\u200b"]
        wrong = [await log_in(app, item, "wrong") for item in names]
        wrong.append(await (app.login("wrong") if name == "ada" else log_in(app, name, "wrong")))
        locked = [await log_in(app, name), await by_token(app, name)]
        other = await log_in(app, "another_name", "wrong")
        by_address = await app.login()

    assert [answer.status for answer in wrong] == [401] * 4
    assert [answer.status for answer in locked] == [429, 429]
    assert other.status == 401
    assert by_address.status == (429 if name == "ada" else 200)


async def test_an_unknown_name_has_one_address_in_every_spelling() -> None:
    async with naming("sqlite://") as app:
        names = app.auth[Usernames]
        addresses = {await names.address_of(name) for name in ("eve", "EVE", " eve\u200b")}
        other = await names.address_of("even")

    assert len(addresses) == 1
    assert other not in addresses


async def test_the_default_limits_count_a_name_as_its_account() -> None:
    async with naming("sqlite://", RateLimits({"login": "3/h/account", "token": "3/h/account"})) as app:
        await register(app)
        statuses = [(await log_in(app, "ada", "wrong")).status for _ in range(2)]
        statuses += [
            (await app.login("wrong")).status,
            (await log_in(app, "ADA")).status,
            (await by_token(app, "ada")).status,
        ]

    assert statuses == [401, 401, 401, 429, 429]


async def test_the_document_shows_both_ways_to_name_an_account() -> None:
    async with naming("sqlite://", OpenAPI()) as app:
        schemas = (await app.client.get("/auth/openapi.json")).json["components"]["schemas"]

    alternatives = {item["$ref"].rpartition("/")[2] for item in schemas["LoginRequest"]["oneOf"]}
    assert alternatives == {"LoginByEmailRequest", "LoginByUsernameRequest"}
    assert sorted(schemas["LoginByUsernameRequest"]["required"]) == ["password", "username"]
    assert schemas["RegisterRequest"]["properties"]["username"]["maxLength"] == 32
    assert "username" in schemas["ForgotPasswordByUsernameRequest"]["properties"]


async def test_two_auths_share_settings_that_have_the_field_already() -> None:
    first = make_auth(features=[Passwords(argon2=Argon2.cheap()), *unlimited(mail=False), Usernames()])
    second = make_auth(fields=first.settings.fields, features=[Passwords(), *unlimited(mail=False), Usernames()])

    assert [field.name for field in second.settings.fields] == ["username"]
    with pytest.raises(ValueError, match="two extra fields have the same name"):
        make_auth(fields=first.settings.fields, features=[Passwords(), Usernames(reserved=())])


async def test_in_process_a_name_logs_in_as_well() -> None:
    async with naming() as app:
        await register(app)
        log_in_by: Any = app.auth[Passwords].login
        pair = await log_in_by(username="ada", password=PASSWORD)
        identity = await app.auth.authenticate(pair.access_token)

        assert identity.id == (await app.auth.authenticate((await login(app.auth)).access_token)).id
