"""What is left of an account in the database after its deletion, however it was made and whatever it did."""

from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Account, Argon2, Auth, MagicLink, Passwords
from asgi_auth.feature import Feature
from asgi_auth.storage.names import TABLES
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import PASSWORD, bearer, unlimited

FIRST, SECOND = "ada.lovelace@example.com", "countess.lovelace@example.org"


def features() -> list[Feature]:
    others = [item for item in unlimited(mail=True) if not isinstance(item, Account)]
    return [Passwords(argon2=Argon2.cheap()), *others, MagicLink(), Account(closing="hard")]


async def everything(auth: Auth) -> str:
    """All rows of all tables as text."""
    run = auth.storage.run  # type: ignore[attr-defined]  # SQL
    tables = [table for table in ("users", *TABLES) if table != "migrations"]
    rows = [[dict(row) for row in await run(f"SELECT * FROM {{{table}}}", {}, read=True)] for table in tables]
    return repr(rows)


async def a_life(app: Flows) -> dict[str, str]:
    """Register, again by a stranger, ask for all mails, change password and address; return the header of a login."""
    post = app.client.post
    await app.register(FIRST, NEW_PASSWORD)
    await app.mail("register")
    app.clock.move(2)
    request = (await app.register(FIRST)).json["request"]
    code = (await app.mail("register")).code
    assert (await post("/auth/verify-email", {"request": request, "code": code})).status == 204
    for path in ("/auth/forgot-password", "/auth/magic-link", "/auth/request-unlock"):
        await post(path, {"email": FIRST})
    headers = await app.headers(email=FIRST)
    asked = (await post("/auth/change-email", {"new_email": SECOND, "password": PASSWORD}, headers=headers)).json
    code = (await app.mail("change_email")).code
    assert (await post("/auth/confirm-email-change", {"request": asked["request"], "code": code})).status == 204
    app.clock.move(61)
    await post("/auth/forgot-password", {"email": SECOND})
    await app.register(SECOND, NEW_PASSWORD)
    await app.auth.mail.idle()
    return bearer((await app.login(email=SECOND)).json["access_token"])


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
@pytest.mark.parametrize("by", ["the owner", "an administrator"])
async def test_a_deleted_account_leaves_no_address_and_no_hash(
    by: str, driver: str, fresh: Callable[[str], str]
) -> None:
    async with flows(fresh(driver), enumeration="hide", features=features()) as app:
        headers = await a_life(app)
        before = await everything(app.auth)

        if by == "the owner":
            await app.client.post("/auth/close-account", {"password": PASSWORD}, headers=headers)
        else:
            await app.auth.users.delete((await app.auth.users.by_email(SECOND)).id)

        after = await everything(app.auth)
        assert ("lovelace" in before, "$argon2" in before) == (True, True)
        assert [trace for trace in ("lovelace", "$argon2") if trace in after] == []


async def test_a_used_token_keeps_no_hash_while_the_account_lives(fresh: Callable[[str], Any]) -> None:
    async with flows(fresh("sqlite"), enumeration="hide", features=features()) as app:
        await app.register(FIRST, NEW_PASSWORD)
        await app.mail("register")
        app.clock.move(2)
        await app.register(FIRST)
        await app.verify((await app.mail("register")).token)

        rows = await app.auth.storage.run("SELECT data FROM {tokens}", {}, read=True)  # type: ignore[attr-defined]

        assert [row["data"] for row in rows] == ["{}"] * 2
