"""Ways to the pages: from what needs a login, from password managers, and from the links of mails."""

import pytest

from asgi_auth import Auth, AuthApp, AuthMiddleware, Outbox, Pages
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.pages.flows import all_features
from tests.pages.surfer import VISITOR, Page, Surfer
from tests.support import EMAIL, PASSWORD, Client, make_auth, register, who

HTML = {"accept": "text/html,application/xhtml+xml", "sec-fetch-mode": "navigate"}
CHANGE = "/.well-known/change-password"


def make() -> Auth:
    return make_auth(mailer=Outbox(), features=all_features(Pages()))


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", HTML, 303),
        ("HEAD", HTML, 303),
        ("GET", {"accept": "text/html"}, 303),
        ("POST", HTML, 401),
        ("GET", {"accept": "application/json"}, 401),
        ("GET", {"accept": "*/*"}, 401),
        ("GET", {}, 401),
        ("GET", HTML | {"sec-fetch-mode": "cors"}, 401),
        ("OPTIONS", HTML, 200),
    ],
    ids=str,
)
async def test_a_browser_is_sent_to_the_login_page_and_others_get_401(
    method: str, headers: dict[str, str], status: int
) -> None:
    client = Client(AuthMiddleware(who, make(), mount="/auth", required=True), headers)

    answer = await client.request(method, "/dashboard", scope={"query_string": b"tab=2&x=%26"})

    assert answer.status == status
    if status == 303:
        assert answer.header("location") == "/auth/login?next=%2Fdashboard%3Ftab%3D2%26x%3D%2526&said=login_needed"
        assert answer.header("cache-control") == "no-store"


async def test_the_login_leads_back_to_the_page_that_needed_it() -> None:
    auth = make()
    await register(auth)
    surfer = Surfer(AuthMiddleware(who, auth, mount="/auth", required=True), mount="")

    page = await surfer.get("dashboard?tab=2")
    sent = page.form("/auth/login").values | {"email": EMAIL, "password": PASSWORD}
    answer = (await surfer.post("/auth/login", sent, follow=False)).answer

    assert answer.all("location") == ["/dashboard?tab=2"]


async def test_without_pages_everyone_gets_401() -> None:
    client = Client(AuthMiddleware(who, make_auth(), mount="/auth", required=True), HTML)

    assert (await client.get("/dashboard")).status == 401
    assert (await client.get(CHANGE)).status == 401


@pytest.mark.parametrize("required", [True, False])
async def test_password_managers_find_the_form_that_changes_the_password(*, required: bool) -> None:
    client = Client(AuthMiddleware(who, make(), mount="/auth", required=required))

    answer = await client.get(CHANGE)
    other = await client.get("/x/.well-known/change-password")
    sent = await client.post(CHANGE, {})

    assert (answer.status, answer.header("location")) == (303, "/auth/account#change-password")
    assert [item.header("location") for item in (other, sent)] == [None, None]


async def test_without_the_form_the_host_answers() -> None:
    app = AuthApp(make(), exclude=["change_password"])

    assert (await Client(AuthMiddleware(who, app, mount="/auth")).get(CHANGE)).status == 200


async def opened(app: Flows, link: str) -> Page:
    path, _, query = link.removeprefix("https://app.example.com").partition("?")
    answer = await app.client.get(path, headers=VISITOR, scope={"query_string": query.encode()})
    return Page(answer, path)


def usernames(page: Page) -> list[str]:
    """The names for password managers, which no form sends."""
    found = [given for tag, given in page.tags if tag == "input" and given.get("autocomplete") == "username"]
    return [given["value"] for given in found if "hidden" in given and "name" not in given]


async def test_the_page_of_a_link_names_the_account_for_password_managers() -> None:
    async with flows(features=all_features(Pages())) as app:
        await app.register("Ada@example.com")
        verify = await opened(app, (await app.mail("verify_email")).link)
        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        link = (await app.mail("reset_password")).link
        reset = await opened(app, link)
        forged = await opened(app, link[:-3] + "xxx")
        token = link.partition("token=")[2]
        done = await app.client.post("/auth/reset-password", {"token": token, "new_password": NEW_PASSWORD})
        used = await opened(app, link)

    assert usernames(verify) == ["Ada@example.com"]
    assert usernames(reset) == ["Ada@example.com"]
    assert usernames(forged) == usernames(used) == []
    assert done.status == 204


async def test_a_refused_form_still_names_the_account() -> None:
    async with flows(features=all_features(Pages())) as app:
        await app.verified()
        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        token = (await app.mail("reset_password")).token
        headers = VISITOR | {"content-type": "application/x-www-form-urlencoded"}
        answer = await app.client.post(
            "/auth/reset-password", body=f"token={token}&new_password=short".encode(), headers=headers
        )

    assert answer.status == 422
    assert usernames(Page(answer, "/auth/reset-password")) == [EMAIL]
