"""Passkeys over HTTP, and the settings of the feature."""

from typing import Any

import pytest

from asgi_auth import AuthMiddleware, Passkeys
from asgi_auth.testing.passkey import Passkey
from tests.support import ORIGIN, PASSWORD, Client, bearer, cheap, login, make_auth, who


async def test_over_http_in_bearer_and_in_cookie_mode() -> None:
    async with make_auth(features=[*cheap(), Passkeys()]) as auth:
        await auth.users.create("ada@example.com", password=PASSWORD, verified=True)
        client, device = Client(AuthMiddleware(who, auth, mount="/auth")), Passkey(origin=ORIGIN)
        headers = bearer(await login(auth))
        asked = await client.post("/auth/passkeys/options", {}, headers=headers)
        made = device.create(asked.json["options"])

        added = await client.post("/auth/passkeys", {"credential": made, "name": "Phone"}, headers=headers)

        assert added.status == 201
        assert added.json["passkey"]["name"] == "Phone"
        assert added.json["tokens"]["access_token"]
        options = (await client.post("/auth/login/passkey/options", {})).json["options"]
        browser = {"auth-transport": "cookie", "origin": ORIGIN, "sec-fetch-site": "same-origin"}
        inside = await client.post("/auth/login/passkey", {"credential": device.get(options)}, headers=browser)
        assert inside.status == 200
        assert inside.json["token_type"] == "Cookie"
        assert any("__Host-auth" in name for name in inside.cookies)


async def test_the_passkeys_page_of_the_api_refuses_what_has_no_form_of_a_passkey() -> None:
    async with make_auth(features=[*cheap(), Passkeys()]) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        bodies: list[Any] = [{}, {"id": 1}, [], 7, {"id": "a", "rawId": "a", "type": "public-key", "response": {}}]
        for sent in bodies:
            assert (await client.post("/auth/login/passkey", {"credential": sent})).status == 422
        for text in ("{}", "null", "no JSON at all", '{"id": "a"}'):
            answer = await client.post("/auth/login/passkey", {"credential": text})
            assert (answer.status, answer.json["code"]) == (401, "invalid_passkey")


@pytest.mark.parametrize(
    ("settings", "rp_id", "reason"),
    [
        ({"base_url": None}, None, "set base_url"),
        ({"base_url": "https://192.0.2.7"}, None, "is an address"),
        ({"base_url": "https://app.example.com"}, "example.org", "rp_id must be"),
        ({"base_url": "https://app.example.com"}, "com", "no public suffix"),
        ({"base_url": "https://app.example.com"}, "b.app.example.com", "rp_id must be"),
    ],
)
def test_a_domain_that_browsers_refuse_is_a_value_error(settings: dict[str, Any], rp_id: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make_auth(features=[*cheap(), Passkeys(rp_id=rp_id)], **settings)


def test_the_domain_is_that_of_the_cookies_or_of_the_service() -> None:
    domains: list[tuple[dict[str, Any], str]] = [
        ({}, "app.example.com"),
        ({"cookie_domain": "example.com"}, "example.com"),
    ]
    for more, expected in domains:
        assert make_auth(features=[*cheap(), Passkeys()], **more)[Passkeys].party.id == expected
    local = make_auth(features=[*cheap(), Passkeys()], base_url="http://localhost:8000", development=True)
    assert local[Passkeys].party.origins == ["http://localhost:8000"]


ANDROID = f"android:apk-key-hash:{'Ab-_' * 10}AbA"


async def test_an_app_for_android_uses_passkeys_by_its_origin_where_it_is_listed() -> None:
    for origins, status in (([], 401), ([ANDROID], 201), ([ANDROID[:-1] + "B"], 401)):
        async with make_auth(features=[*cheap(), Passkeys(android_origins=origins)]) as auth:
            await auth.users.create("ada@example.com", password=PASSWORD, verified=True)
            client, headers = Client(AuthMiddleware(who, auth, mount="/auth")), bearer(await login(auth))
            options = (await client.post("/auth/passkeys/options", {}, headers=headers)).json["options"]
            made = Passkey(origin=ANDROID).create(options, androidPackageName="com.example.app", crossOrigin=None)

            assert (await client.post("/auth/passkeys", {"credential": made}, headers=headers)).status == status


@pytest.mark.parametrize("origins", [ANDROID, [ANDROID + "="], ["https://app.example.com"], ["android:apk-key-hash:a"]])
def test_the_origin_of_an_app_has_one_form(origins: Any) -> None:
    with pytest.raises(ValueError, match="android_origins"):
        make_auth(features=[*cheap(), Passkeys(android_origins=origins)])


def test_the_number_of_passkeys_has_bounds() -> None:
    for most in (0, 101):
        with pytest.raises(ValueError, match="most is positive, and 1 to 100"):
            Passkeys(most=most)
