"""The page of a user: address and extra fields are edited, and an invitation is sent again."""

from collections.abc import AsyncIterator

import pytest

from asgi_auth import Field
from tests.pages.administration import Site, administered_pages
from tests.support import login

FIELDS = [
    Field("nick", max_length=20),
    Field("plan", choices=["free", "pro"], default="free", write="admin"),
    Field("level", int, minimum=0, maximum=9, default=0),
    Field("news", bool, default=True),
]


@pytest.fixture
async def edited() -> AsyncIterator[Site]:
    async with administered_pages(fields=FIELDS) as made:
        yield made


async def test_extra_fields_are_shown_and_saved(edited: Site) -> None:
    surfer, user = await edited.log_in("helper"), edited.users["user"]
    await edited.auth.users.set_data(user.id, nick="ada", level=3)
    await login(edited.auth, "user@example.com")

    page = await surfer.get(f"admin/users/{user.id}")
    form = page.form(f"/users/{user.id}")
    assert form.values == {
        "email": "user@example.com", "nick": "ada", "plan": "free", "level": "3", "news": "on",
    }  # fmt: skip
    sent = {name: value for name, value in form.values.items() if name != "news"} | {"nick": "", "plan": "pro"}
    saved = await surfer.post(form.action, sent)

    assert "The changes are saved." in saved.text
    changed = await edited.auth.users.get(user.id)
    assert changed.own_data == {"nick": "", "plan": "pro", "level": 3, "news": False}
    # The address stays proven, and the user logged in.
    assert (changed.email, changed.email_verified) == ("user@example.com", True)
    assert len(await edited.auth.users.sessions(user.id)) == 1


async def test_a_refused_change_keeps_what_was_typed(edited: Site) -> None:
    surfer, user = await edited.log_in("helper"), edited.users["user"]
    page = await surfer.get(f"admin/users/{user.id}")

    wrong = await surfer.submit(page, f"/users/{user.id}", nick="new", level="10")
    taken = await surfer.submit(wrong, f"/users/{user.id}", email="editor@example.com", level="9")

    assert (wrong.status, wrong.form(f"/users/{user.id}").values["nick"]) == (422, "new")
    assert wrong.by_id("update_user-level")[1]["aria-invalid"] == "true"
    assert (taken.status, taken.form(f"/users/{user.id}").values["level"]) == (409, "9")
    assert taken.by_id("update_user-email")[1]["aria-invalid"] == "true"
    assert (await edited.auth.users.get(user.id)).own_data["nick"] is None
    done = await surfer.submit(taken, f"/users/{user.id}", email="user@example.com")
    assert "The changes are saved." in done.text
    assert (await edited.auth.users.get(user.id)).own_data["nick"] == "new"


async def test_a_new_address_is_not_confirmed(edited: Site) -> None:
    surfer, user = await edited.log_in("helper"), edited.users["user"]
    page = await surfer.get(f"admin/users/{user.id}")

    forged = await surfer.post(
        page.form(f"/users/{user.id}").action, page.form(f"/users/{user.id}").values | {"email_verified": "on"}
    )
    await surfer.submit(page, f"/users/{user.id}", email="new@example.com")

    assert forged.status == 422
    changed = await edited.auth.users.get(user.id)
    assert (changed.email, changed.email_verified) == ("new@example.com", False)
    assert (await edited.outbox.next("email_changed")).to == "user@example.com"


async def test_an_invitation_is_sent_again(edited: Site) -> None:
    surfer = await edited.log_in("helper")
    user = await edited.auth.users.invite("new@example.com")
    first = await edited.outbox.next("invitation")
    edited.clock.move(60)

    page = await surfer.get(f"admin/users/{user.id}")
    sent = await surfer.submit(page, "/invite")
    early = await surfer.submit(sent, "/invite")

    assert "The invitation is on its way." in sent.text
    assert (await edited.outbox.next("invitation")).token != first.token
    assert (early.status, 'role="alert"' in early.answer.body.decode()) == (429, True)
    with_password = await surfer.get(f"admin/users/{edited.users['user'].id}")
    assert [form.action for form in with_password.forms if form.action.endswith("/invite")] == []


async def test_audit_records_can_be_downloaded_with_the_filters_of_the_page(edited: Site) -> None:
    surfer, user = await edited.log_in("reader"), edited.users["user"]
    await edited.auth.users.set_verified(user.id)
    dashboard = await surfer.get("admin")
    events = await surfer.get(f"admin/users/{user.id}/events?name=user_change&since=2000-01-01T00:00&until=&before=")

    [everything] = [link for link in dashboard.links if "/admin/audit?format=csv" in link]
    [lines] = [link for link in events.links if "/admin/audit?format=jsonl" in link]

    assert everything.endswith("format=csv")
    assert f"&user={user.id}&name=user_change&since=946684800" in lines
    first = await surfer.get(everything)
    assert (first.status, first.answer.header("content-type")) == (200, "text/csv; charset=utf-8")
    second = await surfer.get(lines)
    assert second.answer.body.count(b"\n") == second.answer.body.count(b'"user_change"') == 1
