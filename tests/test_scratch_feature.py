"""A feature of a host's own, in one folder, with all that the manual promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from asgi_auth import Account, Argon2, Auth, AuthMiddleware, OpenAPI, Outbox, Pages, Passwords, RateLimits, Sessions
from asgi_auth.feature import Event
from tests.pages.surfer import VISITOR, Surfer
from tests.scratch_feature import Nicknames
from tests.support import EMAIL, PASSWORD, Client, bearer, login, make_auth, register, who

LANGUAGES = pytest.mark.parametrize(
    ("language", "called", "subject", "taken"),
    [
        ("de-AT,en;q=0.5", "Sie heißen", "Ihr Spitzname bei Lighthouse", "Jemand anders hat diesen Spitznamen."),
        ("fr", "You are called", "Your nickname with Lighthouse", "This nickname is taken."),
    ],
)


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    others = [RateLimits(), Pages()]
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Account(), Nicknames(), *others, OpenAPI()]
    async with make_auth(features=features, mailer=Outbox(), name="Lighthouse") as made:
        await register(made)
        await register(made, "eve@example.com")
        yield made


async def logged_in(auth: Auth, language: str = "", email: str = EMAIL) -> Surfer:
    surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
    surfer.client.headers["accept-language"] = language
    await surfer.submit(await surfer.get("login"), "/login", email=email, password=PASSWORD)
    return surfer


async def test_clients_call_it(auth: Auth) -> None:
    seen: list[Event] = []
    for outcome in ("success", "failure"):
        auth.on("nickname", seen.append, outcome=outcome)
    ada, eve = bearer(await login(auth)), bearer(await login(auth, "eve@example.com"))
    client = Client(AuthMiddleware(who, auth, mount="/auth"))

    anonymous = await client.post("/auth/nickname", {"name": "Ada"})
    chosen = await client.post("/auth/nickname", {"name": "Ada"}, headers=ada)
    taken = await client.post("/auth/nickname", {"name": "ADA"}, headers=eve)
    by_key = await client.post("/auth/nickname/login", {"name": "ada", "key": chosen.json["key"]})
    wrong = await client.post("/auth/nickname/login", {"name": "ada", "key": "x"})
    renamed = [await client.post("/auth/nickname", {"name": f"Ada {number}"}, headers=ada) for number in range(3)]
    old = await client.post("/auth/nickname/login", {"name": "ada", "key": chosen.json["key"]})
    document = (await client.get("/auth/openapi.json")).json

    refused = [anonymous.status, taken.status, wrong.status, old.status]
    assert (chosen.status, by_key.status, refused) == (200, 200, [401, 409, 401, 401])
    assert [answer.status for answer in renamed] == [200, 200, 429]
    assert (taken.json["code"], wrong.json["code"]) == ("nickname_taken", "wrong_key")
    assert [event.outcome for event in seen] == ["success", "failure", "success", "success"]
    assert {event.code for event in seen} == {"user_updated", "user_update_fail"}
    assert document["paths"]["/nickname"]["post"]["responses"]["409"] == {
        "$ref": "#/components/responses/NicknameTaken"
    }


@LANGUAGES
async def test_its_page_shows_the_key_once_and_its_section_the_name(
    auth: Auth, language: str, called: str, subject: str, taken: str
) -> None:
    ada, eve = await logged_in(auth, language), await logged_in(auth, language, "eve@example.com")

    chosen = await ada.submit(await ada.get("nickname"), "/nickname", name="<b>Ada & Co</b>")
    mail = await auth.mail.mailer.next("nickname")  # type: ignore[union-attr]  # an Outbox
    account = await ada.get("account")
    refused = await eve.submit(await eve.get("nickname"), "/nickname", name="<b>ADA & Co</b>")
    dropped = await ada.submit(account, "/nickname")

    assert (chosen.status, [tag for tag, _ in chosen.tags if tag == "svg"]) == (200, ["svg"])
    assert "code" in [tag for tag, _ in chosen.tags]
    assert "code" not in [tag for tag, _ in (await ada.get("nickname")).tags]
    assert f"{called} <b>Ada & Co</b>." in account.text
    assert [item["aria-labelledby"] for tag, item in account.tags if tag == "section"][:2] == ["profile", "nickname"]
    assert (mail.to, mail.subject) == (EMAIL, subject)
    assert "&lt;b&gt;Ada &amp; Co&lt;/b&gt;" in mail.html
    assert (refused.status, taken in refused.text) == (409, True)
    assert refused.by_id("choose_nickname-name")[1]["aria-invalid"] == "true"
    assert dropped.url == "/auth/account?said=nickname_dropped"
    assert called not in dropped.text


async def test_its_login_page_is_linked_from_the_other_one_and_leads_on(auth: Auth) -> None:
    ada = await logged_in(auth)
    key = (await Client(ada.client.app).post("/auth/nickname", {"name": "Ada"}, headers=bearer(await login(auth)))).json
    visitor = Surfer(ada.client.app)
    first = await visitor.get("login?next=/here")
    (link,) = [link for link in first.links if "/nickname/login" in link]

    page = await visitor.get(link)
    wrong = await visitor.submit(page, "/nickname/login", name="Ada", key="x")
    done = await visitor.submit(wrong, "/nickname/login", name="Ada", key=key["key"])

    assert page.form("/nickname/login").inputs["key"]["type"] == "password"
    assert "The nickname or the key is wrong." in wrong.text
    assert (done.status, done.url) == (303, "/here")


async def test_its_script_is_served_below_the_mount(auth: Auth) -> None:
    surfer = await logged_in(auth)

    page = await surfer.get("nickname")
    sources = [item["src"] for tag, item in page.tags if tag == "script"]
    script = await surfer.get(sources[-1])

    assert script.answer.body == (Path(__file__).parent / "scratch_feature" / "scripts" / "nickname.js").read_bytes()
    assert "unsafe" not in str(page.answer.header("content-security-policy"))


async def test_it_reads_a_query_redirects_and_keeps_a_cookie(auth: Auth) -> None:
    client = Client(AuthMiddleware(who, auth, mount="/auth"), headers=dict(VISITOR), keep_cookies=True)
    invited = await client.get("/auth/nickname/invitation", scope={"query_string": b"by=Ada%20%26%20Co%C3%A9"})
    unknown = await client.get("/auth/nickname/invitation", scope={"query_string": b"by=Ada&of=Eve"})
    await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, headers={"auth-transport": "cookie"})

    chosen = await client.post("/auth/nickname", {"name": "Eve"})

    assert (invited.status, invited.header("location"), unknown.status) == (303, "/", 422)
    assert chosen.json["invited_by"] == "Ada & Coé"


async def test_it_adds_a_field_to_the_registration(auth: Auth) -> None:
    ada = await logged_in(auth)
    client = Client(ada.client.app)
    await client.post("/auth/nickname", {"name": "Ada"}, headers=bearer(await login(auth)))
    new = {"email": "new@example.com", "password": PASSWORD}
    taken = await client.post("/auth/register", new | {"nickname": "ADA"})
    visitor = Surfer(ada.client.app)
    page = await visitor.get("register")
    again = await visitor.submit(page, "/register", **new, nickname="Ada")
    done = await visitor.submit(again, "/register", **new, nickname="Eve")

    assert (taken.status, taken.json["code"]) == (409, "nickname_taken")
    assert "Nickname, if you like" in page.text
    assert "This nickname is taken." in again.text
    assert again.by_id("register-nickname")[1]["aria-invalid"] == "true"
    assert done.url == "/auth/login?said=registered"
