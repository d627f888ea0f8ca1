"""Errors of PostgreSQL show no values of rows and arguments."""

import asyncpg
import pytest

from asgi_auth import AuthMiddleware, Field
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.postgres_connection import hide_values
from tests.storage.conftest import SERVERS, Servers
from tests.storage.test_own_columns import OWN, by_sql, table
from tests.support import EMAIL, PASSWORD, Client, make_auth, who


@pytest.mark.parametrize("driver", SERVERS)
async def test_an_error_of_the_database_shows_no_values_of_a_row_in_the_log(
    servers: Servers, driver: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A condition of the host on its own column: PostgreSQL answers with the whole row."""
    server = servers.get(driver)
    url = server.database()
    by_sql(server, url, table(data="TEXT NOT NULL CHECK (data NOT LIKE '%forbidden%')"))
    async with make_auth(Postgres(url, names=OWN), fields=[Field("nick", required=False)]) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        answer = await client.post("/auth/register", {"email": EMAIL, "password": PASSWORD, "nick": "forbidden fruit"})

        assert answer.status == 500
        assert "CheckViolationError" in caplog.text
        assert "forbidden fruit" not in caplog.text
        assert EMAIL not in caplog.text


def test_an_error_of_an_argument_shows_no_value() -> None:
    for error, shown in (
        (asyncpg.DataError('invalid input syntax for type integer: "secret"'), "invalid input syntax for type integer"),
        (
            asyncpg.InterfaceError("invalid input for query argument $3: 'secret' (expected str)"),
            "invalid input for query argument $3",
        ),
        (asyncpg.InterfaceError("connection is closed: again"), "connection is closed: again"),
    ):
        hide_values(error)
        assert str(error) == shown


def test_the_detail_of_a_key_keeps_its_columns_alone() -> None:
    detail = "Key (nick, email)=(secret)=(, secret) already exists."
    for made, kept in ((asyncpg.UniqueViolationError, "Key (nick, email"), (asyncpg.CheckViolationError, None)):
        error = made("refused")
        error.detail = detail
        hide_values(error)
        assert error.detail == kept
        assert "secret" not in str(error)
