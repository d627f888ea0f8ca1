"""What the pages keep out: scripts in what people type, frames, other sites, tokens where they don't belong."""

import re
from pathlib import Path

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Pages
from tests.browsers import DEVICE
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD, Client, Clock, cheap, make_auth, who

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self' https://shop.example; "
    "base-uri 'none'; frame-ancestors 'none'"
)
ALL = ["login", "register", "verify-email?token=x", "forgot-password", "reset-password?token=x",
       "request-unlock", "unlock?token=x", "magic-link", "magic-link/login?request=x",
       "confirm-email-change"]  # fmt: skip


async def enter(surfer: Surfer, auth: Auth, company: str = "x") -> None:
    """Be a user who is logged in."""
    await surfer.post("register", {"email": EMAIL, "password": PASSWORD, "company": company})
    await surfer.post("login", {"email": EMAIL, "password": PASSWORD})
    assert await auth.storage.user_by_email(EMAIL)


async def test_nothing_that_was_typed_becomes_markup(surfer: Surfer, auth: Auth) -> None:
    surfer.client.headers["user-agent"] = EVIL
    await enter(surfer, auth, EVIL[:80])
    pages = [
        await surfer.post("register", {"email": EVIL, "password": "x", "company": EVIL, "age": EVIL, EVIL: EVIL}),
        await surfer.post("login", {"email": EVIL, "password": "x", "next": EVIL}),
        await surfer.get("account"),
    ]
    surfer.client.cookies.clear()
    for path in ALL:
        pages.append(await surfer.get(f"{path}{'&' if '?' in path else '?'}said={EVIL}&next={EVIL}&token={EVIL}"))
        pages.append(await surfer.get(f"{path.partition('?')[0]}?request={EVIL}"))

    for page in pages:
        assert [item["src"].partition("?")[0][-9:] for tag, item in page.tags if tag == "script"] == ["/pages.js"]
        assert {name for _, item in page.tags for name in item if name.startswith("on")} == set()
        assert b"<img" not in page.answer.body
    assert pages[2].form("/me").inputs["company"]["value"] == EVIL[:80]
    assert "<script>alert(1)<" in pages[2].text


async def test_every_page_has_the_same_strict_headers(surfer: Surfer, auth: Auth) -> None:
    answers = [(await surfer.get(path)).answer for path in ALL]
    answers.append((await surfer.post("login", {"email": EMAIL, "password": "wrong"})).answer)
    answers.append((await surfer.post("login", {"a": "b"}, follow=False)).answer)
    await enter(surfer, auth)
    answers += [(await surfer.get("account")).answer, (await surfer.get("login", follow=False)).answer]

    for answer in answers:
        assert answer.all("content-security-policy") == [CSP]
        assert answer.all("referrer-policy") == ["strict-origin"]
        assert answer.all("cache-control") == ["no-store"]
        assert answer.all("x-content-type-options") == ["nosniff"]
        assert answer.all("cross-origin-opener-policy") == ["same-origin"]
        assert answer.all("content-length") == [str(len(answer.body))]


async def test_no_page_has_style_or_script_of_its_own(surfer: Surfer, auth: Auth) -> None:
    pages = [await surfer.get(path) for path in ALL]
    await enter(surfer, auth)

    for page in [*pages, await surfer.get("account")]:
        assert "style" not in {tag for tag, _ in page.tags} | {name for _, item in page.tags for name in item}
        assert [item for tag, item in page.tags if tag == "script" and "src" not in item] == []
        ids = [item["id"] for _, item in page.tags if "id" in item]
        assert len(ids) == len(set(ids))
        for _, item in page.tags:
            names = ("for", "aria-describedby", "aria-labelledby", "aria-controls")
            named = " ".join(item.get(name, "") for name in names)
            assert set(named.split()) <= set(ids)


async def test_tokens_of_a_login_stand_in_cookies_only(surfer: Surfer) -> None:
    await surfer.post("register", {"email": EMAIL, "password": PASSWORD, "company": "x"})
    done = await surfer.post("login", {"email": EMAIL, "password": PASSWORD}, follow=False)
    account = await surfer.get("account")

    assert done.answer.body == b""
    for value in surfer.client.cookies.values():
        assert value not in account.answer.body.decode()
        assert value not in str(done.answer.header("location"))


async def test_a_link_of_a_mail_is_not_sent_on(surfer: Surfer, auth: Auth) -> None:
    await enter(surfer, auth)
    page = await surfer.get("verify-email?token=secret-of-a-mail")

    assert [link for link in page.links if "secret-of-a-mail" in link] == []
    refused = await surfer.post("verify-email", {"token": "secret-of-a-mail"})
    assert "secret-of-a-mail" not in refused.url


async def test_a_page_for_a_user_who_is_gone_ends_at_the_login(surfer: Surfer, auth: Auth) -> None:
    await enter(surfer, auth)
    access = surfer.client.cookies["__Host-auth"]
    user = await auth.users.by_email(EMAIL)
    await auth.storage.run("DELETE FROM {users} WHERE id = :id", {"id": user.id})  # type: ignore[attr-defined]  # SQL

    page = await surfer.get("account")

    assert page.url.startswith("/auth/login")
    assert page.status == 200
    assert access not in surfer.client.cookies.values()


async def test_a_logout_takes_the_cookies_away_itself(surfer: Surfer, auth: Auth) -> None:
    for path, values in (("logout", {}), ("logout-all", {}), ("close-account", {"password": PASSWORD})):
        await enter(surfer, auth)
        assert surfer.client.cookies

        done = await surfer.post(path, values, follow=False)

        assert (done.status, set(surfer.client.cookies)) == (303, {DEVICE})


@pytest.mark.parametrize("form", ["behind the middleware", "alone"])
async def test_an_expired_access_cookie_is_renewed_by_a_page(auth: Auth, clock: Clock, form: str) -> None:
    surfer = Surfer(AuthApp(auth), mount="") if form == "alone" else Surfer(AuthMiddleware(who, auth, mount="/auth"))
    await enter(surfer, auth)
    before = dict(surfer.client.cookies)
    clock.move(1000)

    page = await surfer.get("account")

    assert page.status == 200
    assert surfer.client.cookies.keys() == before.keys()
    assert surfer.client.cookies != before


async def test_files_are_kept_by_their_hash_and_by_no_one_else(surfer: Surfer) -> None:
    page = await surfer.get("login")
    (style,) = [item["href"] for tag, item in page.tags if tag == "link"]
    (script,) = [item["src"] for tag, item in page.tags if tag == "script"]

    for url, kind in ((style, "text/css"), (script, "text/javascript")):
        answer = (await surfer.get(url)).answer
        assert re.fullmatch(r"\./pages\.(css|js)\?v=[0-9a-f]{12}", url)
        assert answer.header("content-type") == f"{kind}; charset=utf-8"
        assert answer.header("cache-control") == "private, max-age=31536000, immutable"
        assert answer.header("x-content-type-options") == "nosniff"
    assert b"pages.css" not in (await surfer.get(style)).answer.body


async def test_a_broken_template_is_answered_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "base.html").write_text("{{ nothing.at.all }}")
    async with make_auth(features=[*cheap(), Pages()], templates=str(tmp_path)) as auth:
        answer = await Client(AuthMiddleware(who, auth, mount="/auth")).get("/auth/login")

    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert "failed to show an error" in caplog.text
