"""Bodies: what two parsers could read differently is refused before anything is looked up or hashed."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.types import Message

from asgi_auth import Auth, AuthApp, Field, Passwords
from asgi_auth.errors import BadRequestError, ValidationError
from asgi_auth.feature import PasswordService
from asgi_auth.web.body import parse_form, parse_json
from tests.support import EMAIL, PASSWORD, Client, CountingHasher, CountingStorage, http_scope, make_auth

GOOD = json.dumps({"email": EMAIL, "password": PASSWORD}).encode()
JSON = ("content-type", "application/json")
FORM = ("content-type", "application/x-www-form-urlencoded")

NOT_ONE_OBJECT = {
    "no JSON": b"{",
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "two objects": b"{}{}",
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-16 without mark": GOOD.decode().encode("utf-16-le"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD,
    "broken UTF-8": b'{"email": "\xff", "password": "x"}',
    "a doubled name": b'{"email": "a@example.com", "email": "b@example.com", "password": "x"}',
    "a doubled name further down": b'{"email": {"a": [{"b": 1, "b": 2}]}, "password": "x"}',
    "NaN": b'{"email": NaN, "password": "x"}',
    "Infinity": b'{"email": Infinity, "password": "x"}',
    "minus Infinity": b'{"email": -Infinity, "password": "x"}',
    "a float that is infinite": b'{"email": 1e999, "password": "x"}',
    "too deep": b'{"email": ' + b"[" * 17 + b"]" * 17 + b', "password": "x"}',
    "far too deep": b"[" * 30_000 + b"]" * 30_000,
    "5000 digits": b'{"email": ' + b"9" * 5000 + b', "password": "x"}',
    "more than 64 bits": b'{"email": 9223372036854775808, "password": "x"}',
    "less than 64 bits": b'{"email": -9223372036854775809, "password": "x"}',
    "half a surrogate pair": rb'{"email": "a\ud800@example.com", "password": "x"}',
    "half a surrogate pair in a name": rb'{"\udc00": 1}',
    "half a surrogate pair further down": rb'{"email": [{"x": "\ud800"}], "password": "x"}',
}


@pytest.mark.parametrize("body", NOT_ONE_OBJECT.values(), ids=NOT_ONE_OBJECT.keys())
async def test_what_is_not_one_plain_json_object_is_refused(client: Client, body: bytes) -> None:
    answer = await client.post("/auth/login", body=body, headers=[JSON])

    assert (answer.status, answer.json["code"]) == (400, "bad_request")


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "text/plain; application/json",
        "application/jsonp",
        "application/problem+json",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json, text/plain",
        "",
    ],
)
async def test_only_application_json_in_utf_8_is_read_as_json(client: Client, kind: str) -> None:
    answer = await client.post("/auth/login", body=GOOD, headers=[("content-type", kind)])

    assert (answer.status, answer.json["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; Charset=UTF-8", 'application/json;charset="utf-8"']
)
async def test_the_spellings_of_application_json_are_read(client: Client, kind: str) -> None:
    answer = await client.post("/auth/register", body=GOOD, headers=[("content-type", kind)])

    assert answer.status == 201


@pytest.mark.parametrize(
    "headers", [[], [JSON, JSON], [JSON, ("content-encoding", "gzip")], [JSON, ("content-encoding", "")]]
)
async def test_a_body_without_type_with_two_or_with_a_coding_is_refused(
    client: Client, headers: list[tuple[str, str]]
) -> None:
    answer = await client.post("/auth/login", body=GOOD, headers=headers)

    assert answer.status == 415


@pytest.mark.parametrize("value", [1, 1.5, True, None, [], ["a@example.com"], {"a": 1}])
async def test_another_type_than_text_is_refused(client: Client, value: object) -> None:
    answer = await client.post("/auth/login", {"email": value, "password": PASSWORD})

    assert answer.status == 422
    assert answer.json["errors"].keys() == {"email"}


async def test_a_bool_is_no_int_and_a_fraction_neither() -> None:
    async with make_auth(fields=[Field("age", int), Field("fan", bool), Field("score", float)]) as auth:
        client = Client(AuthApp(auth))

        for wrong in (
            {"age": True},
            {"age": 1.5},
            {"age": 1e300},
            {"age": "1"},
            {"fan": 1},
            {"fan": "true"},
            {"score": "1"},
        ):
            answer = await client.post("/register", {"email": EMAIL, "password": PASSWORD, **wrong})
            assert answer.status == 422
            assert answer.json["errors"].keys() == wrong.keys()


async def test_all_fields_that_are_wrong_are_named_at_once(client: Client) -> None:
    answer = await client.post("/auth/login", {"email": 1, "role": "admin", "client": {}, "identity": {"id": "x"}})

    assert answer.status == 422
    assert answer.json["code"] == "validation_error"
    assert answer.json["errors"] == {
        "email": ["Expected `str`, got `int`."],
        "password": ["This field is needed."],
        "role": ["There is no such field."],
        "client": ["There is no such field."],
        "identity": ["There is no such field."],
    }


@pytest.mark.parametrize("field", ["email", "password"])
async def test_nul_and_surrogates_are_refused_by_field_in_process_too(auth: Auth, client: Client, field: str) -> None:
    values: dict[str, Any] = {"email": EMAIL, "password": PASSWORD}

    answer = await client.post("/auth/login", values | {field: "a\0b@example.com"})
    with pytest.raises(ValidationError) as caught:
        await auth[Passwords].login(**values | {field: "a\ud800b@example.com"})

    assert (answer.status, list(answer.json["errors"])) == (422, [field])
    assert list(caught.value.errors) == [field]


async def test_a_body_that_is_too_large_is_refused_by_its_length_and_by_its_bytes(client: Client) -> None:
    large = json.dumps({"email": "x" * 70_000, "password": "x"}).encode()

    told = await client.post("/auth/login", body=GOOD, headers=[JSON, ("content-length", "65537")])
    untold = await client.post("/auth/login", body=large, headers=[JSON])
    lying = await client.post("/auth/login", body=large, headers=[JSON, ("content-length", "10")])

    assert [item.json["code"] for item in (told, untold, lying)] == ["body_too_large"] * 3


@pytest.mark.parametrize("length", ["-1", "", "1e3", "0x10", "ten", "5, 5", "\xb2"])
async def test_a_content_length_that_is_no_number_is_refused(client: Client, length: str) -> None:
    answer = await client.post("/auth/login", body=GOOD, headers=[JSON, ("content-length", length)])

    assert (answer.status, answer.json["code"]) == (400, "bad_request")


async def test_a_content_length_of_a_million_digits_is_refused_cheaply(client: Client) -> None:
    answer = await client.post("/auth/login", body=GOOD, headers=[JSON, ("content-length", "9" * 1_000_000)])

    assert answer.status == 413


async def exchange(auth: Auth, *incoming: Message) -> list[Message]:
    """What the app sends when these messages come and then nothing any more."""
    waiting, sent = list(incoming), []

    async def receive() -> Message:
        return waiting.pop(0) if waiting else await asyncio.get_running_loop().create_future()

    async def send(message: Message) -> None:
        sent.append(message)

    await AuthApp(auth)(http_scope("POST", "/login", [JSON]), receive, send)
    return sent


async def test_a_body_of_very_many_values_is_refused(client: Client) -> None:
    for many in (b"[1" + b",1" * 20_000 + b"]", b"[" + b"[[]]," * 10_000 + b"1]"):
        answer = await client.post("/auth/login", body=b'{"x":' + many + b"}", headers=dict([JSON]))

        assert answer.status in {400, 422}


async def test_a_body_in_pieces_is_put_together(auth: Auth) -> None:
    await auth[Passwords].register(email=EMAIL, password=PASSWORD)
    pieces: list[Message] = [{"type": "http.request", "body": bytes([byte]), "more_body": True} for byte in GOOD]

    sent = await exchange(auth, *pieces, {"type": "http.request"})

    assert sent[0]["status"] == 200


async def test_a_stalled_body_is_a_408() -> None:
    async with make_auth(body_timeout=0.01) as auth:
        sent = await exchange(auth, {"type": "http.request", "body": GOOD[:5], "more_body": True})

    assert sent[0]["status"] == 408
    assert json.loads(sent[1]["body"])["code"] == "request_timeout"


async def test_nothing_is_sent_to_a_client_that_went_away(auth: Auth) -> None:
    first: Message = {"type": "http.request", "body": GOOD[:5], "more_body": True}

    sent = await exchange(auth, first, {"type": "http.disconnect"})

    assert sent == []


async def test_a_refused_body_costs_no_statement_and_no_hash() -> None:
    storage, hasher = CountingStorage(), CountingHasher()
    async with make_auth(storage, max_revocation_lag=60) as auth:
        auth[PasswordService].hasher = hasher
        client = Client(AuthApp(auth))
        storage.statements.clear()

        for path in ("/login", "/register"):
            for body in (*NOT_ONE_OBJECT.values(), b"{}", b'{"email": 1, "password": "long enough it is"}'):
                assert (await client.post(path, body=body, headers=[JSON])).status in {400, 422}
            assert (await client.post(path, body=b"x" * 70_000, headers=[JSON])).status == 413
            assert (await client.post(path, body=GOOD)).status == 415

        assert (storage.statements, hasher.hashed, hasher.verified) == ([], 0, [])


FORMS = {
    "a doubled name": b"grant_type=password&grant_type=password",
    "an invalid percent-encoding": b"grant_type=%zz",
    "a lone percent sign": b"grant_type=%",
    "no UTF-8": b"grant_type=%ff",
    "bytes beyond ASCII": b"grant_type=\xc3\xa4",
    "a name without value": b"grant_type",
    "too many fields": b"&".join(b"a%d=1" % number for number in range(101)),
}


@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS.keys())
async def test_a_form_that_can_be_read_in_two_ways_is_refused(client: Client, body: bytes) -> None:
    answer = await client.post("/auth/token", body=body, headers=[FORM])

    assert answer.status == 400
    assert answer.json["error"] == "invalid_request"


def test_a_form_is_decoded_once() -> None:
    assert parse_form(b"a=%2525&b=x+y%2B&c=&d=%C3%A4") == {"a": "%25", "b": "x y+", "c": "", "d": "ä"}
    assert parse_form(b"") == {}


def test_numbers_and_texts_within_bounds_are_read() -> None:
    text = '{"a": 9223372036854775807, "b": -9223372036854775808, "c": 1e308, "d": "\\ud83d\\ude00", "e": [[1]]}'

    assert parse_json(text.encode()) == {"a": 2**63 - 1, "b": -(2**63), "c": 1e308, "d": "😀", "e": [[1]]}


JSONS: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200) | JSONS.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_parse_to_an_object_or_are_refused(body: bytes) -> None:
    try:
        value = parse_json(body)
    except BadRequestError:
        return

    assert isinstance(value, dict)
    assert json.loads(body) == value


@settings(max_examples=60, deadline=None)
@given(
    body=st.binary(max_size=100)
    | JSONS.map(lambda value: json.dumps({"email": value, "password": PASSWORD}).encode())
    | st.tuples(JSONS, JSONS).map(lambda pair: json.dumps({"email": EMAIL, str(pair[0]): pair[1]}).encode())
)
def test_no_body_makes_login_a_server_error(body: bytes) -> None:
    async def post() -> int:
        async with make_auth() as auth:
            return (await Client(AuthApp(auth)).post("/login", body=body, headers=[JSON])).status

    assert asyncio.run(post()) in {400, 401, 415, 422}
