"""Sign-up with a passkey: by mail where the app verifies addresses, else at once, and never with a stranger's key."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_auth import Auth, AuthApp, EmailVerification, Field, Outbox, Passkeys, Passwords
from asgi_auth.features.passkeys.credentials import KIND
from asgi_auth.mail import Mail
from asgi_auth.testing.passkey import Passkey
from tests.passkeys.world import code_of
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Client, Clock, cheap, make_auth, register

OTHER = "bob@example.com"


class App:
    """An app with sign-up, and its mails."""

    def __init__(self, auth: Auth, clock: Clock, outbox: Outbox) -> None:
        self.auth, self.clock, self.outbox = auth, clock, outbox
        self.device = Passkey(origin=ORIGIN)

    @property
    def passkeys(self) -> Any:
        """The feature. Its endpoints take plain objects too, as browsers send them."""
        return self.auth[Passkeys]

    async def asked(self, email: str = EMAIL, device: Passkey | None = None) -> dict[str, Any]:
        """Make a passkey by the options for an address; return the body that registers it."""
        answer = await self.passkeys.passkey_sign_up_options(email=email)
        made = (device or self.device).create(answer.options)
        return {"email": email, "request": answer.request, "credential": made}

    async def mailed(self, body: dict[str, Any], *, is_known: bool = False) -> tuple[str, Mail]:
        """Register; return the request of the answer, and the mail."""
        registration = await self.passkeys.passkey_sign_up(**body)
        assert registration.pending
        return registration.request, await self.outbox.next("already_registered" if is_known else "register")

    async def finish(self, request: str, code: str) -> str:
        return await code_of(self.auth[EmailVerification].verify_email(request=request, code=code))

    async def comes_in(self, device: Passkey | None = None) -> tuple[str, ...]:
        """Log in by the passkey; return the methods of the session."""
        options = (await self.passkeys.passkey_login_options()).options
        pair = await self.passkeys.passkey_login(credential=(device or self.device).get(options))
        return (await self.auth.authenticate(pair.access_token)).amr

    async def kinds(self, email: str = EMAIL) -> list[str]:
        """The kinds of the credentials of the account."""
        user = await self.auth.storage.user_by_email(email)
        return [each.kind for each in await self.auth.storage.credentials(user.id)] if user is not None else []


@asynccontextmanager
async def an_app(storage: str = "sqlite://", *, mail: bool = True, **settings: Any) -> AsyncIterator[App]:
    clock, outbox = Clock(), Outbox()
    settings = {"enumeration": "hide", **settings}
    features = [*cheap(mail=mail), Passkeys(sign_up=True)]
    mailer = outbox if mail else None
    async with make_auth(storage, features=features, clock=clock, mailer=mailer, **settings) as auth:
        yield App(auth, clock, outbox)


@pytest.mark.parametrize("enumeration", ["hide", "tell"])
async def test_the_code_of_the_mail_makes_an_account_without_a_password(enumeration: str) -> None:
    async with an_app(enumeration=enumeration) as app:
        request, mail = await app.mailed(await app.asked())
        assert (mail.token, mail.link) == ("", "")
        assert await app.kinds() == []
        assert await code_of(app.comes_in()) == "invalid_passkey"

        assert await app.finish(request, mail.code) == "in"

        assert await app.kinds() == [KIND]
        assert (await app.auth.users.by_email(EMAIL)).email_verified
        assert await app.comes_in() == ("hwk", "mfa")
        assert await app.finish(request, mail.code) == "invalid_verification_token"


async def test_a_known_address_is_answered_alike_and_keeps_its_ways_in() -> None:
    async with an_app() as app:
        await app.auth.users.create(EMAIL, password=PASSWORD, verified=True)
        client = Client(AuthApp(app.auth))

        async def sign_up(email: str) -> tuple[Answer, Answer]:
            asked = await client.post("/register/passkey/options", {"email": email})
            made = Passkey(origin=ORIGIN).create(asked.json["options"])
            body = {"email": email, "request": asked.json["request"], "credential": made}
            return asked, await client.post("/register/passkey", body)

        asked, known = await sign_up(EMAIL)
        asked_too, new = await sign_up("eve@example.com")

        assert (asked.status, asked.headers, len(asked.body)) == (200, asked_too.headers, len(asked_too.body))
        assert (known.status, known.headers, len(known.body)) == (202, new.headers, len(new.body))
        notice = await app.outbox.next("already_registered", EMAIL)
        assert (notice.token, notice.code) == ("", "")
        assert await app.kinds() == ["password"]


async def test_where_addresses_are_told_a_known_one_is_refused_before_a_passkey_is_made() -> None:
    async with an_app(enumeration="tell") as app:
        body = await app.asked()
        await app.auth.users.create(EMAIL, password=PASSWORD)

        assert await code_of(app.asked()) == "user_exists"
        assert await code_of(app.passkeys.passkey_sign_up(**body)) == "user_exists"
        assert await app.kinds() == ["password"]


async def test_without_mail_the_account_and_its_session_begin_at_once() -> None:
    async with an_app(mail=False) as app:
        registration = await app.passkeys.passkey_sign_up(**await app.asked())

        assert (await app.auth.authenticate(registration.tokens.access_token)).amr == ("hwk", "mfa")
        assert await app.kinds() == [KIND]
        assert registration.user.email == EMAIL
        assert await app.comes_in() == ("hwk", "mfa")
        body = await app.asked(OTHER, Passkey(origin=ORIGIN))
        await register(app.auth, OTHER)
        assert await code_of(app.passkeys.passkey_sign_up(**body)) == "user_exists"
        assert await app.kinds(OTHER) == ["password"]


async def test_a_challenge_is_for_one_address_and_one_user_for_five_minutes_and_once() -> None:
    async with an_app() as app:
        body, other = await app.asked(), await app.asked(OTHER, Passkey(origin=ORIGIN))
        wrong: list[dict[str, Any]] = [
            {**body, "email": OTHER},
            {**body, "request": other["request"]},
            {**body, "credential": other["credential"]},
        ]
        for each in wrong:
            assert await code_of(app.passkeys.passkey_sign_up(**each)) == "invalid_passkey"
        login = (await app.passkeys.passkey_login_options()).options["challenge"]
        options = (await app.passkeys.passkey_sign_up_options(email=EMAIL)).options | {"challenge": login}
        made = {**body, "credential": Passkey(origin=ORIGIN).create(options)}
        assert await code_of(app.passkeys.passkey_sign_up(**made)) == "invalid_passkey"

        assert await code_of(app.passkeys.passkey_sign_up(**body)) == "in"

        assert await code_of(app.passkeys.passkey_sign_up(**body)) == "invalid_passkey"
        app.clock.move(301)
        assert await code_of(app.passkeys.passkey_sign_up(**other)) == "invalid_passkey"


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_stranger_never_leaves_a_key_at_the_address_of_another(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with an_app(fresh(driver)) as app:
        stranger = Passkey(origin=ORIGIN)
        his_request, his_mail = await app.mailed(await app.asked(device=stranger))
        app.clock.move(1)
        request, mail = await app.mailed(await app.asked())

        # The owner reads both mails, and has the request of one registration alone.
        assert await app.finish(request, his_mail.code) == "invalid_verification_token"
        outcomes = await asyncio.gather(*(app.finish(request, mail.code) for _ in range(8)))
        assert sorted(outcomes) == ["in"] + ["invalid_verification_token"] * 7

        assert await app.finish(his_request, his_mail.code) == "invalid_verification_token"
        assert await code_of(app.comes_in(stranger)) == "invalid_passkey"
        assert await app.comes_in() == ("hwk", "mfa")
        assert await app.kinds() == [KIND]


async def test_a_stranger_who_was_first_is_void_once_the_owner_registers_with_a_password() -> None:
    async with an_app() as app:
        request, mail = await app.mailed(await app.asked())
        app.clock.move(1)
        await app.auth[Passwords].register(email=EMAIL, password=PASSWORD)
        own = await app.outbox.next("register")
        await app.auth[EmailVerification].verify_email(token=own.token, password=PASSWORD)

        assert await app.finish(request, mail.code) == "invalid_verification_token"
        assert await app.kinds() == ["password"]


async def test_an_address_that_is_known_meanwhile_gets_no_passkey() -> None:
    async with an_app() as app:
        request, mail = await app.mailed(await app.asked())
        await app.auth.users.create(EMAIL, password=PASSWORD, verified=True)

        assert await app.finish(request, mail.code) == "invalid_verification_token"
        assert await app.kinds() == ["password"]


async def test_a_sign_up_proves_nothing_about_an_account_that_a_stranger_makes_meanwhile() -> None:
    async with an_app(enumeration="tell") as app:
        request, _ = await app.mailed(await app.asked())
        await app.auth[Passwords].register(email=EMAIL, password=PASSWORD)
        await app.outbox.next("verify_email")
        app.clock.move(61)

        again = await app.auth[EmailVerification].resend_verification(email=EMAIL, request=request)
        mail = await app.outbox.next("verify_email")

        assert await app.finish(again.request, mail.code) == "password_needed"
        assert not (await app.auth.users.by_email(EMAIL)).email_verified


async def test_a_code_lasts_a_day() -> None:
    async with an_app() as app:
        request, mail = await app.mailed(await app.asked())
        app.clock.move(86401)

        assert await app.finish(request, mail.code) == "invalid_verification_token"
        assert await app.kinds() == []


async def test_the_mail_that_is_sent_again_has_no_link_either() -> None:
    async with an_app() as app:
        request, _ = await app.mailed(await app.asked())
        app.clock.move(61)
        verification = app.auth[EmailVerification]
        # A caller without the request gets no mail of the registration.
        await verification.resend_verification(email=EMAIL)
        app.clock.move(61)
        again = await verification.resend_verification(email=EMAIL, request=request)

        mail = await app.outbox.next("register")

        assert (mail.token, mail.link, again.request) == ("", "", request)
        assert await app.finish(request, mail.code) == "in"
        assert await app.kinds() == [KIND]


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_passkey_opens_one_account_however_many_registrations_have_it(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with an_app(fresh(driver)) as app:
        first = await app.mailed(await app.asked())
        key = app.device.keys[0]
        answer = await app.passkeys.passkey_sign_up_options(email=OTHER)
        copied = app.device.create(answer.options, key)
        other = await app.mailed({"email": OTHER, "request": answer.request, "credential": copied})

        outcomes = await asyncio.gather(*(app.finish(request, mail.code) for request, mail in (first, other)))

        assert sorted(outcomes) == ["in", "invalid_verification_token"]
        users = [await app.auth.storage.user_by_email(email) for email in (EMAIL, OTHER)]
        assert users.count(None) == 1
        answer = await app.passkeys.passkey_sign_up_options(email="eve@example.com")
        again = {"email": "eve@example.com", "request": answer.request}
        again["credential"] = app.device.create(answer.options, key)
        assert await code_of(app.passkeys.passkey_sign_up(**again)) == "passkey_exists"


async def test_extra_fields_are_checked_before_a_passkey_is_made_and_are_wanted_at_the_end() -> None:
    fields = [Field("team", required=True), Field("badge", unique="public"), Field("newsletter", bool, default=True)]
    async with an_app(mail=False, fields=fields) as app:
        await app.auth.users.create(OTHER, data={"team": "blue", "badge": "7"})
        ask = app.passkeys.passkey_sign_up_options
        assert await code_of(ask(email=EMAIL, team=7)) == "validation_error"
        assert await code_of(ask(email=EMAIL, badge="7")) == "validation_error"
        assert await code_of(ask(email=EMAIL, rank="x")) == "validation_error"
        body = await app.asked()
        assert await code_of(app.passkeys.passkey_sign_up(**body)) == "validation_error"
        assert await code_of(app.passkeys.passkey_sign_up(**body, team="red", badge="7")) == "validation_error"

        registration = await app.passkeys.passkey_sign_up(**body, team="red", badge="8")

        assert registration.user.data == {"team": "red", "badge": "8", "newsletter": True}


async def test_a_table_of_users_whose_ids_the_database_assigns_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async with an_app() as app:
        monkeypatch.setattr(app.auth.storage, "is_user_id", lambda _: False)

        with pytest.raises(ValueError, match="whose ids the library makes"):
            await app.asked()


async def test_sign_up_is_there_where_it_is_asked_for() -> None:
    async with make_auth(features=[*cheap(), Passkeys()]) as auth:
        client = Client(AuthApp(auth))
        for path in ("/register/passkey/options", "/register/passkey"):
            assert (await client.post(path, {"email": EMAIL})).status == 404
