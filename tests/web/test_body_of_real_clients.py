"""Bodies as other people's clients send them: what has one meaning is read."""

import pytest

from asgi_auth import Auth
from tests.support import EMAIL, PASSWORD, Client, bearer, login, register

JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")
GOOD = b'{"email":"ada@example.com","password":"correct horse battery"}'


@pytest.mark.parametrize(
    "kind",
    [
        "application/json;charset=utf8",
        "application/json; charset=UTF8",
        "application/json; charset=utf_8",
        "application/json;odata.metadata=minimal",
        "application/json; version=1; charset=utf-8",
        "application/json; boundary=x",
        "application/json;",
    ],
)
async def test_other_spellings_of_utf_8_and_unknown_parameters_are_read(client: Client, kind: str) -> None:
    answer = await client.post("/auth/register", body=GOOD, headers=[("content-type", kind)])

    assert answer.status == 201


@pytest.mark.parametrize(
    "kind", ["application/json; version=1; charset=utf-16", "application/json; charset=utf-8; charset=x"]
)
async def test_another_charset_is_refused_whatever_stands_beside_it(client: Client, kind: str) -> None:
    answer = await client.post("/auth/register", body=GOOD, headers=[("content-type", kind)])

    assert answer.status == 415


async def test_a_typed_request_without_a_body_has_no_fields(auth: Auth, client: Client) -> None:
    """Axios and others set the content type for every POST and DELETE."""
    await register(auth)
    first, second = await login(auth), await login(auth)
    other = (await auth.authenticate(second.access_token)).session_id

    ended = await client.request("DELETE", f"/auth/sessions/{other}", headers=[JSON, *bearer(first).items()])
    logged_out = await client.post("/auth/logout", headers=[JSON, *bearer(first).items()])
    me = await client.get("/auth/me", headers=bearer(first))
    lacking = await client.post("/auth/login", headers=[JSON])

    assert (ended.status, logged_out.status, me.status) == (204, 204, 401)
    assert (lacking.status, sorted(lacking.json["errors"])) == (422, ["email", "password"])


async def test_a_form_may_end_with_a_separator(auth: Auth, client: Client) -> None:
    await register(auth)
    body = f"grant_type=password&username={EMAIL}&password={PASSWORD.replace(' ', '+')}&".encode()

    answer = await client.post("/auth/token", body=body, headers=[FORM])
    doubled = await client.post("/auth/token", body=body + b"&", headers=[FORM])

    assert (answer.status, doubled.status) == (200, 400)
