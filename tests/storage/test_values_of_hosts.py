"""Values of a host's columns that Python or JSON does not have, and values that a column would round."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from asgi_auth import Admin, AuthMiddleware, Field, Pages
from asgi_auth.errors import ValidationError
from asgi_auth.storage import Names
from asgi_auth.storage.postgres import Postgres
from tests.storage.conftest import Servers
from tests.storage.test_own_columns import TIMES, table
from tests.support import EMAIL, PASSWORD, Client, bearer, cheap, make_auth, who

Fresh = Callable[[str], str]
OWN = Names(users="people", own_users_table=True)
FIELDS = [
    Field("score", float, column="score"),
    Field("rates", list[float], column="rates"),
    Field("seen", datetime, column="seen"),
    Field("born", datetime, column="born"),
]
COLUMNS = {
    **dict.fromkeys(TIMES, "TIMESTAMPTZ NOT NULL DEFAULT now()"),
    "last_login_at": "TIMESTAMP",
    "score": "NUMERIC(6, 2)",
    "rates": "NUMERIC(4, 1)[]",
    "seen": "TIMESTAMP(0) WITH TIME ZONE",
    "born": "TIMESTAMP",
}
#: The last second that Python has, and the first one.
LAST, FIRST = 253402300799, -62135596800
ODD_TIMES = [("infinity", LAST), ("-infinity", FIRST), ("200000-01-01", LAST), ("4000-01-01 BC", FIRST)]


@pytest.mark.parametrize(("text", "seconds"), ODD_TIMES)
async def test_times_that_python_does_not_have_are_read(
    text: str, seconds: int, servers: Servers, fresh: Fresh
) -> None:
    url, server = fresh("postgres15"), servers.get("postgres15")
    server.sql(table(**COLUMNS), url)
    features = [*cheap(), Pages(), Admin(second_factor=False)]
    async with make_auth(Postgres(url, names=OWN), features=features, fields=FIELDS) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        for email in (EMAIL, "boss@example.com"):
            await auth.users.create(email, password=PASSWORD, verified=True, roles=["admin"])
        changes = ", ".join(f"{name} = '{text}'" for name in (*TIMES, "last_login_at", "seen", "born"))
        server.sql(f"UPDATE people SET {changes} WHERE email = '{EMAIL}'", url)

        login = await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD})
        assert login.status == 200
        # A token of later than its session would be void: the host says so for all of them.
        boss = await client.post("/auth/login", {"email": "boss@example.com", "password": PASSWORD})
        headers = bearer(boss.json["access_token"])
        user = await auth.users.by_email(EMAIL)
        assert user.created_at == seconds
        for path in ("/users", f"/users/{user.id}", "/admin", f"/admin/users/{user.id}"):
            accept = "text/html" if path.startswith("/admin") else "application/json"
            assert (await client.get(f"/auth{path}", headers={**headers, "accept": accept})).status == 200, path

        # A change of another field leaves them as they are.
        await auth.users.set_data(user.id, score=1.5)
        [row] = await auth.storage.run(  # type: ignore[attr-defined]  # PostgreSQL
            "SELECT CAST(seen AT TIME ZONE 'UTC' AS TEXT) AS seen, CAST(born AS TEXT) AS born FROM people"
            " WHERE email = :email",
            {"email": EMAIL},
            read=True,
        )
        assert {value.replace(" 00:00:00", "") for value in dict(row).values()} == {text}


EXACT: list[dict[str, Any]] = [
    {"score": 1.25},
    {"score": -9999.99},
    {"score": 3},
    {"rates": [1.5, 2.0]},
    {"rates": []},
    {"seen": "2026-03-31T12:00:00Z"},
    {"born": "2026-03-31T12:00:00.123456Z"},
]
ROUNDED: list[dict[str, Any]] = [
    {"score": 1.255},
    {"score": 10_000.0},
    {"rates": [1.5, 2.25]},
    {"seen": "2026-03-31T12:00:00.5Z"},
]


@pytest.mark.parametrize("driver", ["postgres15", "postgres18"])
async def test_a_value_that_a_column_would_round_is_refused(driver: str, servers: Servers, fresh: Fresh) -> None:
    url = fresh(driver)
    servers.get(driver).sql(table(**COLUMNS), url)
    async with make_auth(Postgres(url, names=OWN), fields=FIELDS) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        user = await auth.users.create(EMAIL, password=PASSWORD)
        pair = (await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD})).json
        headers = bearer(pair["access_token"])
        for given in EXACT:
            answer = await client.request("PATCH", "/auth/me", json_body=given, headers=headers)
            assert answer.status == 200, given
            assert answer.json["data"].items() >= given.items()
        before = (await auth.users.get(user.id)).data

        for given in ROUNDED:
            answer = await client.request("PATCH", "/auth/me", json_body=given, headers=headers)
            assert (answer.status, [*answer.json["errors"]]) == (422, [*given]), given
            with pytest.raises(ValidationError):
                await auth.users.create("eve@example.com", data=given)
        assert (await auth.users.get(user.id)).data == before
        assert await auth.users.count() == 1
