"""Texts that break programs, through every field and both databases: kept as they are, or refused, never a 500."""

from collections.abc import Callable

import pytest

from asgi_auth import AuthApp, AuthMiddleware, Field
from tests.security.naughty import NAUGHTY
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, register, who

FIELDS = [Field("nick", max_length=6000), Field("age", int)]


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_texts_are_kept_as_they_were_sent_or_refused(driver: str, fresh: Callable[[str], str]) -> None:
    async with make_auth(fresh(driver), fields=FIELDS) as auth:
        client = Client(AuthApp(auth))
        await register(auth)
        headers = bearer(await login(auth))

        for text in NAUGHTY:
            answer = await client.request("PATCH", "/me", json_body={"nick": text}, headers=headers)
            assert answer.status == (422 if "\0" in text else 200)
            if answer.status == 200:
                assert (await client.get("/me", headers=headers)).json["data"]["nick"] == text
                assert (await auth.users.by_email(EMAIL)).data["nick"] == text


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_no_text_in_any_field_is_a_server_error(driver: str, fresh: Callable[[str], str]) -> None:
    async with make_auth(fresh(driver), fields=FIELDS) as auth:
        await register(auth)
        headers = bearer(await login(auth))
        for text in NAUGHTY:
            sendable = text.encode("latin-1", "replace").decode("latin-1")
            client = Client(AuthMiddleware(who, auth, mount="/auth"), {"user-agent": sendable})
            answers = [
                await client.post("/auth/login", {"email": text, "password": text}),
                await client.post("/auth/register", {"email": f"{text}@example.com", "password": text}),
                await client.post("/auth/refresh", {"refresh_token": text}),
                await client.post("/auth/logout", {"refresh_token": text}),
                await client.request("DELETE", f"/auth/sessions/{text}", headers=headers),
                await client.request("PATCH", "/auth/me", json_body={"age": text}, headers=headers),
            ]
            assert max(answer.status for answer in answers) < 500


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30, 1e400, True, 1.5, "1"])
async def test_a_number_that_no_database_takes_is_refused(number: object) -> None:
    async with make_auth(fields=FIELDS) as auth:
        client = Client(AuthApp(auth))
        text = f'{{"email": "{EMAIL}", "password": "{PASSWORD}", "age": {number!r}}}'
        body = text.replace("True", "true").replace("inf", "1e400").replace("'", '"').encode()

        answer = await client.post("/register", body=body, headers={"content-type": "application/json"})

        assert answer.status in {400, 422}
