"""Fields of bodies: numbers as JSON has them."""

from asgi_auth import AuthApp, Field
from tests.support import Client, make_auth


async def test_a_whole_number_is_an_integer_however_it_is_written() -> None:
    async with make_auth(fields=[Field("age", int), Field("score", float)]) as auth:
        body = b'{"email": "a@example.com", "password": "correct horse battery", "age": 5.0, "score": 5.0}'
        kind = {"content-type": "application/json"}
        answer = await Client(AuthApp(auth)).request("POST", "/register", body=body, headers=kind)

    assert b'"age":5,"score":5.0' in answer.body
