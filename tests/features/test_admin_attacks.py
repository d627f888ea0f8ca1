"""Administration under attack, on every database: escalation, races, wildcards, and ids of other kinds."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth.accounts.authority import WRITE, Administrator
from asgi_auth.errors import AuthError
from asgi_auth.storage import Names, from_url
from tests.features.administration import World, administered
from tests.features.flows import NEW_PASSWORD
from tests.features.test_admin_access import BODIES, ENDPOINTS, ESCALATIONS, STOP
from tests.storage.conftest import FILES_AND_SERVERS

Fresh = Callable[[str], str]
#: Ids that no user has: of other kinds, of other lengths, and with what databases and paths treat in their own way.
IDS = [
    "0", "-1", "17", "9223372036854775807", "9223372036854775808", "1e3", "0x11", "%D9%A1%D9%A7", "%25", "%00", "'",
    "00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000", "..%2Fme", "true", "null", "*",
    "{00000000-0000-0000-0000-000000000000}", "%F0%9F%94%91", "%ED%A0%80", "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_no_way_up(driver: str, fresh: Fresh) -> None:
    async with administered(fresh(driver)) as world:
        headers = {by: await world.headers(by) for by in ("owner", "helper")}
        before = {name: await world.auth.users.get(user.id) for name, user in world.users.items()}
        found = {}
        for what, (by, method, path, body) in ESCALATIONS.items():
            answer = await world.call(headers[by], method, path, **body)
            found[what] = (answer.status, answer.json["code"])

        assert found == dict.fromkeys(ESCALATIONS, (403, "forbidden"))
        assert {name: await world.auth.users.get(user.id) for name, user in world.users.items()} == before


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_no_id_of_another_kind_is_an_error_of_the_server(driver: str, fresh: Fresh) -> None:
    async with administered(fresh(driver)) as world:
        headers = await world.headers("owner")
        for endpoint in ENDPOINTS.values():
            if "{id}" not in endpoint.path or endpoint.name == STOP:
                continue
            for text in IDS:
                path = endpoint.path.replace("{id}", text).replace("{sid}", "x")
                body = BODIES.get(endpoint.name, {}) if endpoint.method in {"POST", "PATCH"} else None
                answer = await world.client.request(endpoint.method, f"/auth{path}", headers=headers, json_body=body)
                assert answer.status in {400, 404, 405, 422}, (endpoint.name, text, answer.body)
        for text in IDS:
            answer = await world.client.get(f"/auth/admin/audit?user={text}", headers=headers)
            assert answer.status in {200, 400, 404, 422, 429}, (text, answer.body)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_nothing_in_a_filter_is_a_wildcard(driver: str, fresh: Fresh) -> None:
    async with administered(fresh(driver)) as world:
        headers = await world.headers("reader")
        await world.auth.users.create("100%sure@example.com", roles=[])
        await world.auth.users.create("kelvin@example.com")

        async def found(query: str) -> list[str]:
            answer = await world.call(headers, "GET", f"/users?{query}")
            return [user["email"].partition("@")[0] for user in answer.json["users"]]

        assert await found("search=%25%25") == await found("search=__") == await found("search=own__") == []
        assert await found("search=100%25") == ["100%sure"]
        assert await found("search=%E2%84%AAelvin") in ([], ["kelvin"])
        assert await found("search=ke%5C") == await found("search=%5B%5E%5D") == await found("role=%25") == []
        assert await found("role=%22") == await found("role=own%22%2C%22er") == await found("role=_wner") == []


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
@pytest.mark.parametrize("act", ["roles", "email", "invite", "audit of a change"])
async def test_a_right_that_is_lost_meanwhile_gives_nothing_afterward(driver: str, act: str, fresh: Fresh) -> None:
    async with administered(fresh(driver)) as world:
        helper, user = world.users["helper"], world.users["user"]
        guest = await world.auth.users.invite("guest@example.com")
        headers = await world.headers("helper")
        calls: dict[str, tuple[str, str, dict[str, Any]]] = {
            "roles": ("POST", "/users/{user}/roles", {"roles": ["helper"]}),
            "email": ("PATCH", "/users/{user}", {"email": "mine@example.com"}),
            "invite": ("POST", f"/users/{guest.id}/invite", {}),
            "audit of a change": ("POST", "/users/{user}/disable", {"reason": "x"}),
        }
        method, path, body = calls[act]
        world.clock.move(60)

        async def call() -> int:
            return (await world.call(headers, method, path, **body)).status

        statuses, *_ = await asyncio.gather(
            asyncio.gather(*[call() for _ in range(3)]), world.auth.users.set_roles(helper.id, ["reader"])
        )

        assert set(statuses) <= {200, 403, 409, 429}
        before = await world.auth.users.get(user.id)
        assert (await world.call(headers, method, path, **body)).status == 403
        assert await world.auth.users.get(user.id) == before


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
@pytest.mark.parametrize("by", ["host", "owner"])
async def test_an_invitation_that_is_accepted_while_another_is_sent(driver: str, by: str, fresh: Fresh) -> None:
    """One link sets the password, whichever comes first, and neither call waits for the other without end."""
    async with administered(fresh(driver)) as world:
        identity = await world.auth.authenticate((await world.pair("owner")).access_token)
        judge = Administrator(identity.id, (WRITE,), world.auth.permissions, identity)
        author = judge if by == "owner" else None
        for number in range(5):
            user = await world.auth.users.invite(f"guest{number}@example.com", by=author)
            await world.auth.mail.idle()
            first = world.outbox.mails[-1].token

            again, accepted = await asyncio.gather(again_for(world, user.id, author), accept(world, first))

            await world.auth.mail.idle()
            later = [await accept(world, mail.token) for mail in world.outbox.mails if mail.to == user.email]
            assert ([accepted, *later].count(204), again) in {(1, ""), (1, "user_exists")}
            assert 503 not in {accepted, *later}


async def again_for(world: World, user_id: str, by: Administrator | None) -> str:
    """Invite again; return the code of the refusal."""
    try:
        await world.auth.users.invite_again(user_id, by=by)
    except AuthError as error:
        return error.code
    return ""


async def accept(world: World, token: str) -> int:
    answer = await world.client.post("/auth/accept-invitation", {"token": token, "new_password": NEW_PASSWORD})
    return answer.status


@pytest.mark.parametrize("kind", ["BIGSERIAL", "UUID", "TEXT"])
async def test_ids_of_other_kinds_at_a_table_of_the_host(kind: str, fresh: Fresh) -> None:
    default = " DEFAULT gen_random_uuid()" if kind == "UUID" else ""
    columns = (
        f"id {kind} PRIMARY KEY{default}, email TEXT NOT NULL, email_canonical TEXT NOT NULL UNIQUE, "
        "email_verified BOOLEAN NOT NULL, status TEXT NOT NULL, roles TEXT NOT NULL, data TEXT NOT NULL, "
        "created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL, access_changed_at BIGINT NOT NULL"
    )
    url = fresh("postgres18")
    await made(url, f"CREATE TABLE people ({columns})")
    storage = from_url(url, Names(users="people", own_users_table=True))
    async with administered(storage) as world:  # type: ignore[arg-type]  # a storage is as good as its URL
        headers = await world.headers("owner")
        for text in IDS:
            for path in (f"/users/{text}", f"/users/{text}/events", f"/admin/audit?user={text}"):
                answer = await world.client.request("GET", f"/auth{path}", headers=headers)
                assert answer.status in {200, 400, 404, 422, 429}, (path, answer.body)
        assert (await world.call(headers, "GET", "/users/{user}")).json["email"] == "user@example.com"


async def made(url: str, statement: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(url)
    await connection.execute(statement)
    await connection.close()
