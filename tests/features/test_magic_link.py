"""Magic link: a login by mail, once, through the same gate as all others; off unless it is listed."""

import asyncio

from asgi_auth import MagicLink
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from tests.features.flows import Flows, flows
from tests.support import EMAIL, Answer, bearer


def with_magic_link() -> list[Feature]:
    return [*defaults(mail=True), MagicLink()]


async def ask(app: Flows, email: str = EMAIL) -> str:
    answer = await app.client.post("/auth/magic-link", {"email": email})
    assert answer.status == 202
    return str(answer.json["request"])


async def enter(app: Flows, **fields: str) -> Answer:
    return await app.client.post("/auth/magic-link/login", fields)


async def test_the_link_logs_in_once() -> None:
    async with flows(features=with_magic_link()) as app:
        await app.verified()
        await ask(app)
        mail = await app.mail("magic_link", EMAIL)

        answers = await asyncio.gather(*(enter(app, token=mail.token) for _ in range(8)))

        assert sorted(answer.status for answer in answers) == [200] + [400] * 7
        (won,) = [answer for answer in answers if answer.status == 200]
        identity = await app.auth.authenticate(won.json["access_token"])
        assert identity.amr == ("email",)
        assert (await app.client.get("/auth/me", headers=bearer(won.json["access_token"]))).json["email"] == EMAIL


async def test_the_code_logs_in_with_its_request_time_after_time() -> None:
    async with flows(features=with_magic_link()) as app:
        await app.register()
        for _ in range(2):
            request = await ask(app)
            code = (await app.mail("magic_link")).code

            assert (await enter(app, request=request, code=code)).status == 200
            app.clock.move(61)

        assert (await app.auth.users.by_email(EMAIL)).email_verified is True


async def test_the_first_proof_of_the_address_ends_the_sessions_from_before() -> None:
    async with flows(features=with_magic_link()) as app:
        await app.register()
        stranger = await app.headers()
        for alive in (401, 200):
            await ask(app)
            won = await enter(app, token=(await app.mail("magic_link")).token)

            assert won.status == 200
            assert (await app.client.get("/auth/me", headers=stranger)).status == alive
            stranger = bearer(won.json["access_token"])
            app.clock.move(61)


async def test_unknown_and_disabled_accounts_get_the_same_answer_and_no_token() -> None:
    async with flows(features=with_magic_link()) as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("magic_link")).token
        await app.auth.users.set_status((await app.auth.users.by_email(EMAIL)).id, "disabled")

        assert (await enter(app, token=token)).json["code"] == "invalid_one_time_token"
        app.clock.move(61)
        await ask(app)
        await ask(app, "eve@example.com")
        assert (await app.mail("account_is_disabled", EMAIL)).token == ""
        await app.no_more_mail()


async def test_it_is_off_by_default_and_a_late_link_is_no_good() -> None:
    async with flows() as app:
        assert (await app.client.post("/auth/magic-link", {"email": EMAIL})).status == 404
    async with flows(features=with_magic_link()) as app:
        await app.verified()
        await ask(app)
        token = (await app.mail("magic_link")).token
        app.clock.move(601)

        assert (await enter(app, token=token)).json["code"] == "invalid_one_time_token"
