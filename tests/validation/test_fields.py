"""Fields of bodies: numbers as JSON has them."""

from asgi_auth import AuthApp, Field
from tests.support import Client, bearer, login, make_auth, register


async def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    async with make_auth(fields=[Field("age", int), Field("score", float)]) as auth:
        body = b'{"email": "a@example.com", "password": "correct horse battery", "age": 5.0, "score": 5.0}'
        kind = {"content-type": "application/json"}
        answer = await Client(AuthApp(auth)).request("POST", "/register", body=body, headers=kind)

    assert b'"age":5,"score":5.0' in answer.body


async def test_it_is_so_where_null_is_allowed_as_well() -> None:
    fields = [Field("age", int, write="user"), Field("score", float, write="user")]
    async with make_auth(fields=fields) as auth:
        await register(auth)
        headers = {"content-type": "application/json", **bearer(await login(auth))}
        client = Client(AuthApp(auth))
        bodies = [b'{"age": 2236075.0, "score": 5.0}', b'{"age": null}', b'{"age": 1.5}']
        answers = [await client.request("PATCH", "/me", body=body, headers=headers) for body in bodies]

    assert [answer.status for answer in answers] == [200, 200, 422]
    assert b'"age":2236075,"score":5.0' in answers[0].body
    assert b'"age":null,"score":5.0' in answers[1].body
