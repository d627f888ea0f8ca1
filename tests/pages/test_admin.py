"""The pages of administration in a browser without JavaScript: users are found, invited, banned and looked after."""

import re
from base64 import b32decode
from datetime import UTC, datetime

from asgi_auth import AuthMiddleware, Totp
from asgi_auth.features.totp.codes import code_at
from tests.pages.administration import Site, administered_pages, events_in, users_in
from tests.pages.surfer import Surfer
from tests.support import PASSWORD, login, who


async def test_users_are_listed_by_pages_and_found(site: Site) -> None:
    for number in range(60):
        await site.auth.users.create(f"u{number:02}@example.com")
    surfer = await site.log_in("reader")

    first = await surfer.get("admin")
    second = await surfer.get(next(link for link in first.links if "after=" in link))
    found = await surfer.get("admin?search=U5")
    disabled = await surfer.get("admin?search=&status=disabled&role=")
    helpers = await surfer.get("admin?role=helper")

    assert (len(users_in(first)), len(users_in(second))) == (50, 15)
    assert not set(users_in(first)) & set(users_in(second))
    assert "/auth/admin" in second.links
    assert users_in(found) == [f"u5{number}" for number in range(10)]
    assert found.by_id("search")[1]["value"] == "U5"
    assert (users_in(disabled), users_in(helpers)) == ([], ["helper"])
    assert "There is no such user." in disabled.text


async def test_the_filters_stay_on_the_next_page(site: Site) -> None:
    for number in range(51):
        await site.auth.users.create(f"u{number:02}@example.com", roles=["editor"])
    surfer = await site.log_in("reader")

    page = await surfer.get("admin?search=u%26&status=active&role=editor")
    assert users_in(page) == []
    page = await surfer.get("admin?search=u0&status=active&role=editor")
    assert len(users_in(page)) == 10
    page = await surfer.get("admin?status=active&role=editor")
    onward = next(link for link in page.links if "after=" in link)
    assert "status=active" in onward
    assert "role=editor" in onward
    last = users_in(await surfer.get(onward))
    assert len(last) == 2
    assert not set(last) & set(users_in(page))


async def test_a_user_is_invited_from_the_list(site: Site) -> None:
    surfer = await site.log_in("helper")
    page = await surfer.get(next(link for link in (await surfer.get("admin")).links if link.endswith("users/new")))

    assert page.form("/users").values == {"email": "", "roles": "", "invite": "on"}
    taken = await surfer.submit(page, "/users", email="user@example.com")
    assert (taken.status, taken.by_id("create_user-email")[1]["aria-invalid"]) == (409, "true")
    unknown = await surfer.submit(page, "/users", email="new@example.com", roles="king")
    assert unknown.status == 422
    made = await surfer.submit(unknown, "/users", roles="reader\neditor")

    # Helpers give no permission that they lack.
    assert made.status == 403
    made = await surfer.submit(made, "/users", roles="reader")
    assert "new@example.com" in made.text
    assert "The user was created." in made.text
    assert "Invited until" in made.text
    mail = await site.outbox.next("invitation")
    guest = Surfer(AuthMiddleware(who, site.auth, mount="/auth"))
    link = await guest.get(f"accept-invitation?token={mail.token}")
    accepted = await guest.submit(link, "/accept-invitation", new_password=PASSWORD)
    assert accepted.url.endswith("said=invitation_accepted")
    assert (await site.auth.users.by_email("new@example.com")).roles == ("reader",)


async def test_a_user_is_banned_with_a_reason_and_an_end_and_comes_back(site: Site) -> None:
    surfer, user = await site.log_in("helper"), site.users["user"]
    page = await surfer.get(f"admin/users/{user.id}")
    end = datetime.fromtimestamp(site.clock() + 86400, UTC).strftime("%Y-%m-%dT%H:%M")

    banned = await surfer.submit(page, "/disable", reason="<b>spam</b>", until=end, tell="on")

    assert "The user is banned." in banned.text
    assert "<b>spam</b>" in banned.text
    assert "b" not in {tag for tag, _ in banned.tags}
    ban = (await site.auth.users.get(user.id)).data["_ban"]
    assert (ban["reason"], ban["tell"], ban["by"]) == ("<b>spam</b>", True, site.users["helper"].id)
    assert datetime.fromtimestamp(ban["until"], UTC).strftime("%Y-%m-%dT%H:%M") == end
    assert f"/auth/admin/users/{site.users['helper'].id}" in banned.links
    assert [form.action for form in banned.forms if form.action.endswith("/disable")] == []
    opened = await surfer.submit(banned, "/enable")
    assert "The account is open again." in opened.text
    assert (await login(site.auth, "user@example.com")).access_token


async def test_roles_are_shown_saved_and_taken(site: Site) -> None:
    surfer, user = await site.log_in("owner"), site.users["user"]
    page = await surfer.get(f"admin/users/{user.id}")

    saved = await surfer.submit(page, "/roles", roles="editor\nreader\n")
    assert saved.form("/roles").values["roles"] == "editor\nreader"
    refused = await surfer.submit(saved, "/roles", roles="king")
    assert (refused.status, refused.by_id("set_user_roles-roles")[1]["aria-invalid"]) == (422, "true")
    await surfer.submit(refused, "/roles", roles="")
    assert await site.roles("user") == ()


async def test_sessions_are_listed_and_ended(site: Site) -> None:
    surfer, user = await site.log_in("helper"), site.users["user"]
    for _ in range(3):
        await login(site.auth, "user@example.com")
    page = await surfer.get(f"admin/users/{user.id}")
    single = [form.action for form in page.forms if re.search("/sessions/", form.action)]

    assert len(single) == 3
    one = await surfer.post(single[0], {})
    assert "The session has ended." in one.text
    again = await surfer.post(single[0], {})
    assert again.status == 404
    assert 'role="alert"' in again.answer.body.decode()
    all_ended = await surfer.submit(one, "/sessions")
    assert "The user is not logged in." in all_ended.text
    assert await site.auth.users.sessions(user.id) == []


async def test_password_factors_and_account_go(site: Site) -> None:
    surfer, user = await site.log_in("helper"), site.users["user"]
    caller = await login(site.auth, "user@example.com")
    identity = await site.auth.authenticate(caller.access_token)
    totp = site.auth[Totp]
    made = await totp.totp_setup(identity=identity)
    await totp.totp_turn_on(
        code=code_at(b32decode(made.secret), int(site.clock() // 30)), request=made.request, identity=identity
    )
    page = await surfer.get(f"admin/users/{user.id}")

    done = await surfer.submit(page, "/factors")
    assert "The second factors are removed." in done.text
    assert list(await site.auth.users.factors(user.id)) == []
    reset = await surfer.submit(done, "/reset-password")
    assert "The password no longer works." in reset.text
    assert (await site.outbox.next("password_disabled")).to == "user@example.com"
    delete = next(form.action for form in reset.forms if f"/users/{user.id}?_method=DELETE" in form.action)
    gone = await surfer.post(delete, {})
    assert (gone.url.partition("?")[0], "The user was deleted." in gone.text) == ("/auth/admin", True)
    assert await site.auth.users.find(user.id) is None
    assert (await surfer.get(f"admin/users/{user.id}")).status == 404


async def test_events_are_listed_by_name_and_time(site: Site) -> None:
    user = site.users["user"]
    for _ in range(51):
        site.clock.move(3700)
        await site.auth.users.set_verified(user.id)
        await login(site.auth, "user@example.com")
    surfer = await site.log_in("reader")
    page = await surfer.get(f"admin/users/{user.id}")
    everything = await surfer.get(next(link for link in page.links if link.endswith("/events")))

    assert (events_in(page), events_in(everything)) == (5, 50)
    older = await surfer.get(next(link for link in everything.links if "before=" in link))
    assert events_in(older) >= 1
    at = datetime.fromtimestamp(site.clock() - 10 * 3700 + 60, UTC).strftime("%Y-%m-%dT%H:%M")
    some = await surfer.get(f"admin/users/{user.id}/events?name=login&since={at}&until=&before=")
    assert events_in(some) == some.text.count("login done") == 10
    assert some.by_id("since")[1]["value"] == at
    assert "No events are stored." in (await surfer.get(f"admin/users/{user.id}/events?name=lockout")).text


async def test_an_administrator_without_a_second_factor_sets_one_up_and_goes_on() -> None:
    async with administered_pages(second_factor=True) as site:
        user = site.users["user"]
        surfer, path = await site.log_in("helper"), f"admin/users/{user.id}"
        german = await site.log_in("helper", "de")
        led = await german.submit(await german.get(path), "/disable", reason="Spam")
        assert "Diese Aktion verlangt einen zweiten Faktor. Richten Sie zuerst einen ein." in led.text

        led = await surfer.submit(await surfer.get(path), "/disable", reason="Spam")
        assert "This action requires a second factor. Set one up first." in led.text
        shown = await surfer.submit(led, "/totp/setup")
        found = re.search(r"<code>([A-Z2-7 ]{39})</code>", shown.answer.body.decode())
        assert found is not None
        key = b32decode(found[1].replace(" ", ""))
        wrong = await surfer.submit(shown, "/totp", code="x")
        back = await surfer.submit(wrong, "/totp", code=code_at(key, int(site.clock() // 30)))
        assert back.form("/disable").values["reason"] == "Spam"
        await surfer.submit(back, "/disable")
        assert (await site.auth.users.get(user.id)).status == "disabled"


async def test_the_refusal_of_an_administrator_without_a_second_factor_says_what_to_do() -> None:
    async with administered_pages(second_factor=True) as site:
        refused = await site.call(
            await site.headers("helper", mfa=False), "POST", "/users/{user}/disable", reason="Spam"
        )

        assert (refused.status, refused.json["code"]) == (403, "second_factor_needed")
        assert refused.json["detail"] == "Set up a second factor, then log in with it."
