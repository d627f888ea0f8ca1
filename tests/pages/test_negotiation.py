"""Who gets a page and who gets JSON; what a form may send, from where, and where it leads."""

from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from asgi_auth import Account, Argon2, Auth, AuthApp, AuthMiddleware, Pages, Passwords, Sessions
from asgi_auth.feature import Call, Feature, get, post
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.fields import Line
from tests.browsers import ACCESS, DEVICE, REFRESH
from tests.pages.surfer import VISITOR, Surfer
from tests.support import EMAIL, ORIGIN, PASSWORD, Client, Clock, bearer, cheap, login, make_auth, register, who

FORM = ("content-type", "application/x-www-form-urlencoded")
LOGIN = b"email=ada%40example.com&password=correct+horse+battery"


async def test_without_the_feature_there_are_no_pages_and_no_forms(client: Client) -> None:
    async with make_auth() as plain:
        client = Client(AuthMiddleware(who, plain, mount="/auth"), headers=VISITOR)

        form = await client.post("/auth/login", body=LOGIN, headers=[FORM])

        assert (form.status, form.json["code"]) == (415, "unsupported_media_type")
        assert [(await client.get(f"/auth/{path}")).status for path in ("login", "account", "pages.css")] == [
            405,
            404,
            404,
        ]


async def test_clients_get_the_same_bytes_as_ever(auth: Auth) -> None:
    async with make_auth() as plain:
        await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")
        await register(plain)
        answers = []
        for served in (auth, plain):
            client = Client(AuthMiddleware(who, served, mount="/auth"))
            answers.append([
                await client.post("/auth/login", {"email": EMAIL, "password": "wrong"}),
                await client.post("/auth/login", {"email": EMAIL}),
                await client.post("/auth/login", body=LOGIN, headers=[FORM]),
                await client.post("/auth/login", body=LOGIN, headers=[FORM, ("accept", "application/json")]),
                await client.post("/auth/logout"),
                await client.get("/auth/me", headers={"accept": "text/html"}),
                await client.post("/auth/change-password", {"new_password": "x"}, headers={"accept": "text/html"}),
                await client.post("/auth/none", {}),
            ])  # fmt: skip

    for ours, theirs in zip(*answers, strict=True):
        assert (ours.status, ours.headers, ours.body) == (theirs.status, theirs.headers, theirs.body)


async def test_the_token_endpoint_never_answers_with_a_page(surfer: Surfer, auth: Auth) -> None:
    await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")

    page = await surfer.post("token", {"grant_type": "password", "username": EMAIL, "password": PASSWORD})

    assert page.answer.json["token_type"] == "Bearer"
    assert surfer.client.cookies == {}


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "https://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "https://evil.example.com"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
)
@pytest.mark.parametrize("path", ["login", "register", "forgot-password", "logout"])
async def test_a_form_from_elsewhere_is_refused_without_cookies_too(
    auth: Auth, headers: dict[str, str], path: str
) -> None:
    surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
    surfer.client.headers = {"accept": "text/html", **headers}
    await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")

    page = await surfer.post(path, {"email": EMAIL, "password": PASSWORD})

    assert page.status == 403
    assert "came from another site" in page.text
    assert surfer.client.cookies == {}


@pytest.mark.parametrize(
    "headers", [{"sec-fetch-site": "same-origin", "origin": "null"}, {"origin": ORIGIN}, {"sec-fetch-site": "none"}]
)
async def test_a_form_of_ours_is_taken(auth: Auth, headers: dict[str, str]) -> None:
    await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")
    surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
    surfer.client.headers = {"accept": "text/html", **headers}

    page = await surfer.post("login", {"email": EMAIL, "password": PASSWORD})

    assert (page.status, page.url, page.answer.body) == (303, "/", b"")
    assert set(surfer.client.cookies) == {ACCESS, REFRESH, DEVICE}


async def test_fields_that_no_one_asked_for_are_refused(surfer: Surfer, auth: Auth) -> None:
    form = {"email": EMAIL, "password": PASSWORD, "company": "x"}

    for name in ("roles", "credit", "client", "identity", "data", "status", "_method"):
        page = await surfer.post("register", form | {name: "1"})
        assert page.status == 422
        assert "There is no such field." in page.text
    assert await auth.storage.user_by_email(EMAIL) is None


async def test_what_was_typed_is_kept_but_no_secret(surfer: Surfer) -> None:
    page = await surfer.post("register", {"email": "ada", "password": PASSWORD, "company": "<Engines>", "age": "x"})

    form = page.form("/register")
    assert page.status == 422
    assert form.values == {
        "email": "ada", "password": "", "company": "<Engines>", "age": "x", "height": "", "invited_by": "",
    }  # fmt: skip
    assert PASSWORD not in page.answer.body.decode()
    assert [name for name, item in form.inputs.items() if "autofocus" in item] == ["age"]


async def test_empty_fields_are_left_out_and_needed_ones_are_named(surfer: Surfer) -> None:
    page = await surfer.post("register", {"email": "", "password": "", "company": "", "age": ""})

    assert (page.status, page.text.count("This field is needed.")) == (422, 3)
    assert "autofocus" in page.form("/register").inputs["email"]


async def test_an_error_of_one_field_stands_beside_it(surfer: Surfer, auth: Auth) -> None:
    await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")

    page = await surfer.post("register", {"email": EMAIL, "password": PASSWORD, "company": "x"})

    assert page.status == 409
    assert page.form("/register").inputs["email"]["aria-describedby"] == "register-email-error"
    assert page.text.count("There is already an account with this address.") == 1


async def test_a_message_comes_from_the_catalogue_only(surfer: Surfer) -> None:
    assert "Your password has been changed." in (await surfer.get("login?said=password_changed")).text
    for said in ("You+have+won", "<script>", "title", "../error/busy"):
        page = await surfer.get(f"login?said={quote(said)}")
        assert (page.status, [item for item in page.tags if item[1].get("role")]) == (200, [])


class Nicknames(Feature):
    """A host's feature without a page."""

    @post("/nickname")
    async def nickname(self, *, name: Line, identity: Identity) -> dict[str, str]:
        """Set a name."""
        return {identity.id: name}


async def test_a_form_of_the_host_comes_back_to_the_host() -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Nicknames(), Pages()]
    async with make_auth(features=features) as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        await register(auth)
        refused = await surfer.post("nickname", {"name": "x", "next": "/settings"})
        await surfer.post("login", {"email": EMAIL, "password": PASSWORD})

        done = await surfer.post("nickname", {"name": "x", "next": "/settings"})

        assert (refused.status, "Log in to do this." in refused.text) == (401, True)
        assert done.answer.all("location") == ["/settings"]


async def test_a_body_that_is_no_form_is_refused_by_a_page(surfer: Surfer) -> None:
    for body, status in ((b"email=%zz", 400), (b"email=a&email=b", 400), (b"x" * 70_000, 413), (b"", 422)):
        answer = await surfer.client.post("/auth/login", body=body, headers=[FORM])
        assert (answer.status, answer.header("content-type")) == (status, "text/html; charset=utf-8")


async def test_methods_that_forms_lack_are_asked_for_by_forms_only(auth: Auth) -> None:
    await auth[Passwords].register(email=EMAIL, password=PASSWORD, company="x")
    pair = await login(auth)
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    path = f"/auth/sessions/{(await auth.authenticate(str(pair.access_token))).session_id}"
    scope = {"query_string": b"_method=DELETE"}

    answer = await client.post(path, {}, headers=bearer(pair), scope=scope)

    assert answer.status == 405
    assert (await client.get("/auth/me", headers=bearer(pair))).status == 200


async def test_methods_and_routes_tell_of_the_pages(auth: Auth) -> None:
    client = Client(AuthApp(auth))

    assert (await client.request("OPTIONS", "/login")).header("allow") == "GET, HEAD, OPTIONS, POST"
    assert (await client.request("PUT", "/login")).header("allow") == "GET, HEAD, OPTIONS, POST"
    assert (await client.post("/account", {})).header("allow") == "GET, HEAD, OPTIONS"
    head = await client.request("HEAD", "/login")
    assert (head.status, head.body) == (200, b"")


async def test_a_page_exists_when_its_endpoint_does() -> None:
    async with make_auth(features=[Passwords(argon2=Argon2.cheap()), Sessions(), Pages()]) as auth:
        app = AuthApp(auth, exclude=["register"], paths={"login": "/sign-in"})
        surfer = Surfer(app, mount="/")

        page = await surfer.get("sign-in")

        assert (page.status, page.forms[0].action, page.links) == (200, "/sign-in", [])
        missing = [(await surfer.client.get(path)).status for path in ("/login", "/register", "/magic-link")]
        assert missing == [404, 404, 404]


async def test_a_page_and_an_endpoint_do_not_share_a_place() -> None:
    class Accounts(Feature):
        @get("/account")
        async def show_account(self) -> dict[str, Any]:
            """Show something."""
            return {}

    auth = make_auth(features=[Sessions(), Account(), Accounts(), Pages()])
    with pytest.raises(ValueError, match="GET /account"):
        AuthApp(auth)


class Careful(Feature):
    """Wants a login that is fresh before a password is changed."""

    async def before(self, call: Call) -> None:
        if call.endpoint.name == "change_password":
            call.identity.require(fresh=timedelta(minutes=5))


async def test_a_fresh_login_is_asked_for_and_leads_back(clock: Clock) -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Account(), Careful(), Pages()]
    async with make_auth(features=features, clock=clock) as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        await register(auth)
        await surfer.post("login", {"email": EMAIL, "password": PASSWORD})
        clock.move(600)
        change = {"current_password": PASSWORD, "new_password": "another good phrase"}

        again = await surfer.post("change-password", change)
        account = await surfer.submit(again, "/login", email=EMAIL, password=PASSWORD)
        done = await surfer.post("change-password", change)

        assert again.url == "/auth/login?next=account&said=fresh_login_required"
        assert "Log in again, to be sure that it is you." in again.text
        assert account.url == "/auth/account"
        assert done.url == "/auth/account?said=password_changed"


async def test_without_a_login_page_there_is_an_answer_all_the_same() -> None:
    async with make_auth(features=[Sessions(), Account(), Pages()]) as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))

        page = await surfer.get("account")

        assert (page.status, "Log in to do this." in page.text) == (401, True)
        assert page.answer.header("www-authenticate") == "Bearer"


async def test_parts_of_the_account_page_are_there_with_their_endpoints() -> None:
    async with make_auth(features=[*cheap(), Pages()]) as auth:
        surfer = Surfer(
            AuthApp(auth, exclude=["end_session", "logout_all", "update_me", "export", "close_account"]), mount=""
        )
        await register(auth)
        await login(auth)
        await surfer.post("login", {"email": EMAIL, "password": PASSWORD})

        page = await surfer.get("account")

        assert [form.action for form in page.forms] == ["/logout", "/change-password"]
        assert page.links == ["/"]


async def test_a_form_for_nothing_is_refused_as_for_clients(surfer: Surfer) -> None:
    for path in ("none", "login?_method=DELETE", "sessions"):
        page = await surfer.post(path, {})
        assert page.answer.json["code"] in {"not_found", "method_not_allowed", "validation_error"}
