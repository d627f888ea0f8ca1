"""Bodies as other people's clients send them: what has one meaning is read."""

import pytest

from asgi_auth import Auth, AuthApp, Field
from tests.support import EMAIL, ORIGIN, PASSWORD, Client, bearer, login, make_auth, register

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
        "application/json; charset='utf-8'",
        "application/json; charset = UTF-8 ",
        "application/json; charset=unicode-1-1-utf-8",
        'application/json; profile="https://x.example/a;charset=utf-16"; charset=utf-8',
    ],
)
async def test_other_spellings_of_utf_8_and_unknown_parameters_are_read(client: Client, kind: str) -> None:
    answer = await client.post("/auth/register", body=GOOD, headers=[("content-type", kind)])

    assert answer.status == 201


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; version=1; charset=utf-16",
        "application/json; charset=utf-8; charset=x",
        'application/json; x="a\\"b"; charset=latin-1',
        "application/json; charset=",
        "application/json; charset=utf-80",
    ],
)
async def test_another_charset_is_refused_whatever_stands_beside_it(client: Client, kind: str) -> None:
    answer = await client.post("/auth/register", body=GOOD, headers=[("content-type", kind)])

    assert answer.status == 415


@pytest.mark.parametrize(
    "headers",
    [
        [JSON],
        [FORM],
        [("content-type", "text/plain;charset=UTF-8")],
        [("content-type", "multipart/form-data; boundary=x")],
        [JSON, ("content-encoding", "gzip")],
        [JSON, ("content-length", "0")],
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/auth/logout", "/auth/logout-all"])
async def test_no_header_keeps_a_user_from_logging_out(
    auth: Auth, client: Client, path: str, headers: list[tuple[str, str]]
) -> None:
    await register(auth)
    pair = await login(auth)

    answer = await client.post(path, headers=[*headers, *bearer(pair).items()])
    me = await client.get("/auth/me", headers=bearer(pair))

    assert (answer.status < 300, me.status) == (True, 401)


async def test_null_for_an_optional_field_is_not_given() -> None:
    auth = make_auth(fields=[Field("nick", default="none"), Field("age", int)], transport="cookie")
    client = Client(AuthApp(auth), {"origin": ORIGIN}, keep_cookies=True)

    made = await client.post("/register", {"email": EMAIL, "password": PASSWORD, "nick": None, "age": None})
    lacking = await client.post("/login", {"email": EMAIL, "password": None})
    unknown = await client.post("/login", {"email": EMAIL, "password": PASSWORD, "colour": None})
    await client.post("/login", {"email": EMAIL, "password": PASSWORD})
    # Where a field can be null, null empties it.
    changed = await client.request("PATCH", "/me", json_body={"nick": None})
    # The refresh token of the cookie is taken where null stands.
    renewed = await client.post("/refresh", {"refresh_token": None})
    ended = await client.post("/logout", {"refresh_token": None})

    assert made.json["user"]["data"] == {"nick": "none", "age": None}
    assert [answer.status for answer in (lacking, unknown)] == [422, 422]
    assert "nick" not in changed.json["data"] or changed.json["data"]["nick"] is None
    assert (renewed.status, ended.status) == (200, 204)


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
