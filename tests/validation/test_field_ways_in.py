"""Extra fields in requests and in process: one check for every way in."""

from datetime import date

import pytest

from asgi_auth import AuthApp, Field
from asgi_auth.errors import ValidationError
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, register
from tests.validation.field_samples import Home, Plan, not_taken


async def test_two_users_do_not_share_a_default() -> None:
    async with make_auth(fields=[Field("tags", list[str], default=[])]) as auth:
        first = await auth.users.get(await register(auth))
        first.data["tags"].append("x")
        second = await auth.users.get(await register(auth, "eve@example.com"))

    assert second.data == {"tags": []}


async def test_the_same_check_holds_for_every_way_in() -> None:
    fields = [Field("nick", validator=not_taken), Field("plan", Plan, default=Plan.FREE)]
    async with make_auth(fields=fields) as auth:
        client = Client(AuthApp(auth))
        account = {"email": EMAIL, "password": PASSWORD}
        registering = await client.post("/register", account | {"nick": "admin", "plan": "gold"})
        user_id = await register(auth)
        headers = bearer(await login(auth))
        changing = await client.request("PATCH", "/me", json_body={"nick": "admin", "plan": "gold"}, headers=headers)
        with pytest.raises(ValidationError) as setting:
            await auth.users.set_data(user_id, nick="admin", plan="gold")
        kept = (await auth.users.get(user_id)).data

    told = {"nick": ["This name is for the staff {only}."], "plan": ["Choose one of: free, pro."]}
    assert (registering.status, changing.status) == (422, 422)
    assert registering.json["errors"] == changing.json["errors"] == setting.value.errors == told
    assert kept == {"nick": None, "plan": "free"}


async def test_a_validator_is_called_once_for_a_request() -> None:
    seen: list[str] = []
    async with make_auth(fields=[Field("nick", validator=seen.append)]) as auth:
        await register(auth)
        headers = bearer(await login(auth))
        await Client(AuthApp(auth)).request("PATCH", "/me", json_body={"nick": "ada"}, headers=headers)

    assert seen == ["ada"]


async def test_a_value_of_any_type_is_stored_read_and_cleared() -> None:
    fields = [Field("plan", Plan), Field("born", date), Field("tags", list[str]), Field("home", Home)]
    values = {"plan": "pro", "born": "1815-12-10", "tags": ["a"], "home": {"street": "x", "number": 1}}
    async with make_auth(fields=fields) as auth:
        client = Client(AuthApp(auth))
        registered = await client.post("/register", {"email": EMAIL, "password": PASSWORD, **values})
        headers = bearer(await login(auth))
        me = (await client.get("/me", headers=headers)).json
        export = (await client.get("/me/export", headers=headers)).json
        cleared = await client.request("PATCH", "/me", json_body=dict.fromkeys(values), headers=headers)

    assert (registered.status, me["data"], export["user"]["data"]) == (201, values, values)
    assert cleared.json["data"] == dict.fromkeys(values)
