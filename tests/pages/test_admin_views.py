"""What the pages of administration show: by permission, after a while, in German, and with what is served."""

import re

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from asgi_auth import AuthApp, AuthMiddleware
from tests.pages.administration import Site, events_in, users_in
from tests.pages.surfer import Surfer
from tests.support import PASSWORD, login


async def test_readers_see_no_forms_and_others_see_nothing(site: Site) -> None:
    reader, user = await site.log_in("reader"), await site.log_in("user")
    target = f"admin/users/{site.users['user'].id}"

    page = await reader.get(target)
    assert (page.status, page.forms) == (200, [])
    assert "users/new" not in " ".join((await reader.get("admin")).links)
    assert (await reader.get("admin/users/new")).forms == []
    for path in ("admin", target, f"{target}/events", "admin?search=us"):
        refused = await user.get(path)
        assert refused.status == 403
        assert "owner@" not in refused.text
    assert "/auth/admin" in (await reader.get("account")).links
    assert "/auth/admin" not in (await user.get("account")).links


async def test_the_page_of_the_caller_and_that_of_a_mightier_user(site: Site) -> None:
    surfer = await site.log_in("helper")

    own = await surfer.get(f"admin/users/{site.users['helper'].id}")
    boss = await surfer.get(f"admin/users/{site.users['owner'].id}")

    assert (own.forms, "This is you." in own.text) == ([], True)
    refused = await surfer.submit(boss, "/disable", reason="a coup")
    assert (refused.status, 'role="alert"' in refused.answer.body.decode()) == (403, True)
    assert refused.form("/disable").values["reason"] == "a coup"
    assert (await site.auth.users.get(site.users["owner"].id)).status == "active"


async def test_a_change_after_a_while_asks_for_a_proof_and_comes_back_with_its_values(site: Site) -> None:
    surfer, user = await site.log_in("helper"), site.users["user"]
    site.clock.move(700)
    page = await surfer.get(f"admin/users/{user.id}")

    assert "Prove that it is you" in page.text
    prove = await surfer.submit(page, "/disable", reason="spam")
    back = await surfer.submit(prove, "/reauthenticate/password", password=PASSWORD)
    assert back.form("/disable").values["reason"] == "spam"
    assert "Prove that it is you" not in back.text
    banned = await surfer.submit(back, "/disable")

    assert "The user is banned." in banned.text
    assert (await site.auth.users.get(user.id)).data["_ban"]["reason"] == "spam"


async def test_the_pages_speak_german(site: Site) -> None:
    surfer = await site.log_in("helper", "de")

    page = await surfer.get(f"admin/users/{site.users['user'].id}")

    assert "Benutzer sperren" in page.text
    assert "Ereignisse" in page.text
    assert "Verwaltung" in (await surfer.get("account")).text


async def test_the_dashboard_counts_users_and_lists_what_happened_last(site: Site) -> None:
    surfer, user = await site.log_in("owner"), site.users["user"]
    await site.auth.users.ban(
        user.id, reason="spam", by=await site.auth.authenticate((await site.pair("owner")).access_token)
    )

    page = await surfer.get("admin")

    assert re.search("Accounts active 4 disabled 1 closed 0 Latest events", page.text)
    assert events_in(page) == 10
    assert {f"/auth/admin/users/{site.users[name].id}" for name in ("user", "owner")} <= set(page.links)
    assert users_in(await surfer.get(next(link for link in page.links if "status=disabled" in link))) == ["user"]
    await site.add("new")
    assert "active 4" in (await surfer.get("admin")).text
    site.clock.move(10)
    assert "active 5" in (await surfer.get("admin")).text


async def test_an_administrator_acts_for_a_user_and_stops(site: Site) -> None:
    surfer, user = await site.log_in("helper"), site.users["user"]
    page = await surfer.get(f"admin/users/{user.id}")

    acting = await surfer.submit(page, "/impersonate")
    account = await surfer.get("account")
    stopped = await surfer.submit(account, "/stop-impersonating")

    assert (acting.status, acting.url) == (303, "/")
    assert "You act for user@example.com" in account.text
    assert stopped.status in {200, 303}
    account = await surfer.get("account")
    assert "helper@example.com" in account.text
    assert "You act for" not in account.text
    boss = await surfer.get(f"admin/users/{site.users['owner'].id}")
    refused = await surfer.submit(boss, "/impersonate")
    # The session of the administrator comes back, and is no fresh login.
    assert "Prove that it is you" in refused.text
    assert "You act for" not in (await surfer.get("account")).text


@pytest.mark.parametrize(
    "left_out", ["users", "user", "user_events", "create_user", "enable_user", "impersonate", "me"]
)
async def test_pages_do_without_endpoints_that_are_not_served(site: Site, left_out: str) -> None:
    app = AuthApp(site.auth, exclude=[left_out, "users_overview", "end_user_session", "delete_user_factors"])
    surfer = Surfer(AuthMiddleware(Starlette(routes=[Mount("/auth", app)]), site.auth))
    user = site.users["user"]
    await login(site.auth, "user@example.com")
    await surfer.submit(await surfer.get("login"), "/login", email="helper@example.com", password=PASSWORD)
    await site.auth.users.ban(site.users["reader"].id)
    paths = [
        "admin",
        f"admin/users/{user.id}",
        f"admin/users/{site.users['reader'].id}",
        f"admin/users/{user.id}/events",
    ]

    found = {path: (await surfer.get(path)).status for path in (*paths, "account")}

    gone = {"users": paths[:1], "user": paths[1:3], "user_events": paths[3:], "me": ["account"]}.get(left_out, [])
    assert found == {path: 404 if path in gone else 200 for path in found}


async def test_events_and_bans_name_users_by_their_addresses(site: Site) -> None:
    user, gone = site.users["user"], await site.auth.users.create("gone@example.com")
    owner = await site.log_in("owner")
    target = f"admin/users/{user.id}"
    await owner.submit(await owner.get(target), f"/users/{user.id}/disable", reason="Spam")
    await site.auth.users.delete(gone.id)

    pages = [await owner.get(path) for path in ("admin", target, f"{target}/events")]

    for page in pages:
        text = page.answer.body.decode().replace("<wbr>", "")
        assert re.search(rf'by <a href="[^"]*{site.users["owner"].id}">owner@example.com</a>', text)
    assert re.search(rf'about <a href="[^"]*{user.id}">user@example.com</a>', pages[0].answer.body.decode())
    assert "Banned by owner@example.com" in pages[1].text
    assert "About the user user@example.com" in pages[2].text
    # A user who is deleted has no address any more.
    assert f">{gone.id}</a>" in pages[0].answer.body.decode()
