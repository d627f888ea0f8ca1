"""The way back from a provider: forms, errors, repeated parameters, and codes of others."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from asgi_auth.testing.provider import RegisteredClient
from tests.oidc.world import CALLBACK, world
from tests.support import EMAIL


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ('{"name": {"firstName": "Ada", "lastName": "Lovelace"}, "email": "eve@example.com"}', "Ada Lovelace"),
        ('{"name": {"firstName": "Ada"}}', "Ada"),
        ('{"name": "Ada"}', ""),
        ('{"name": {"firstName": 7}}', ""),
        ("[" * 2000, ""),
        ("", ""),
    ],
)
async def test_the_name_that_comes_with_a_form_is_shown_and_decides_nothing(user: str, shown: str) -> None:
    async with world() as app:
        app.op.add_user("7", email=EMAIL, email_verified=True)
        body = f"{urlsplit(await app.back(await app.begin())).query}&{urlencode({'user': user})}"
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site"}

        answer = await app.browser.request("POST", CALLBACK, body=body.encode(), headers=headers)

        assert "Ada" not in (answer.header("location") or "")
        assert (await app.browser.get(answer.header("location") or "")).status == 303
        (listed,) = (await app.browser.get("/auth/identities")).json["identities"]
        assert (listed["name"], listed["email"]) == (shown, EMAIL)


async def test_forms_of_other_sites_leave_one_cookie_and_no_name_for_other_logins() -> None:
    async with world() as app:
        app.op.add_user("7", email=EMAIL, email_verified=True)
        own = await app.back(await app.begin())
        cookies = len(app.browser.cookies)
        headers = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "cross-site"}
        for number in range(3):
            sent = {"state": f"{number:024}.1.{43 * 'a'}", "user": '{"name": {"firstName": "Eve"}}'}
            await app.browser.request("POST", CALLBACK, body=urlencode(sent).encode(), headers=headers)

        assert len(app.browser.cookies) == cookies + 1
        assert (await app.browser.get(own)).status == 303
        (listed,) = (await app.browser.get("/auth/identities")).json["identities"]
        assert listed["name"] == ""


async def test_after_an_error_a_code_with_the_same_state_is_refused() -> None:
    async with world() as app:
        back = await app.back(await app.begin())
        state = parse_qs(urlsplit(back).query)["state"][0]

        refused = await app.browser.get(f"{CALLBACK}?error=access_denied&state={state}")

        assert refused.json["code"] == "provider_refused"
        assert (await app.browser.get(back)).json["code"] == "invalid_login_state"
        assert app.op.asked("token") == []


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
async def test_a_parameter_that_comes_twice_is_refused_and_uses_nothing_up(name: str) -> None:
    async with world() as app:
        back = await app.back(await app.begin())

        twice = await app.browser.get(f"{back}&{name}=1&{name}=2")

        assert (twice.status, app.op.asked("token")) == (400, [])
        assert (await app.browser.get(back)).status == 303


async def test_a_code_of_another_client_is_refused() -> None:
    async with world() as app:
        app.op.add_client(RegisteredClient("other", "a secret of another client"))
        own = await app.begin()
        stolen = parse_qs(urlsplit(await app.back(own.replace("client_id=app", "client_id=other"))).query)["code"][0]
        back = await app.back(await app.begin())
        mixed = back.replace(parse_qs(urlsplit(back).query)["code"][0], stolen)

        assert (await app.browser.get(mixed)).json["code"] == "provider_refused"
        assert (await app.me()).status == 401
