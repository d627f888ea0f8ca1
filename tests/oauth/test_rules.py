"""The rules for authorization requests and consents, each by what an attacker or a broken client would send."""

import asyncio
import html
import re
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from asgi_auth import AuthorizationServer, Outbox, Pages, Resource, SecondFactors
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Event
from tests.features.impersonating import impersonating
from tests.oauth.world import LOCAL, SCOPES, World, answered, hidden, make
from tests.support import EMAIL, ORIGIN, PASSWORD, Clock, CountingStorage, bearer

REFUSED: dict[str, dict[str, str | None]] = {
    "invalid_request": {"code_challenge": None},
    "invalid_request ": {"code_challenge_method": "plain"},
    "invalid_request  ": {"code_challenge_method": None},
    "invalid_request   ": {"code_challenge": "x" * 42},
    "invalid_request    ": {"response_mode": "fragment"},
    "invalid_request     ": {"response_type": None},
    "unsupported_response_type": {"response_type": "token"},
    "invalid_target": {"resource": "https://evil.example/mcp"},
    "invalid_scope": {"scope": "a\\b"},
    "consent_required": {"prompt": "none"},
    "request_not_supported": {"request_uri": "https://evil.example/"},
    "request_not_supported ": {"request": "e30.e30."},
    "invalid_request      ": {"scope": "%" * 6000},
}


@pytest.mark.parametrize("error", REFUSED)
async def test_a_wrong_request_is_answered_with_state_and_issuer(world: World, error: str) -> None:
    client_id = await world.register_client()

    told = answered(await world.page(client_id, **REFUSED[error]))

    assert told == {"error": error.strip(), "state": "xyz", "iss": f"{ORIGIN}/auth"}


@pytest.mark.parametrize("error", REFUSED)
async def test_no_link_leads_through_the_server_to_the_site_of_a_stranger(world: World, error: str) -> None:
    site = "https://evil.example/login"
    client_id, known = await world.register_client(site), "https://reports.example.com/cb"

    refused = await world.page(client_id, redirect_uri=site, **REFUSED[error])

    assert (refused.status, refused.header("location")) == (400, None)
    told = answered(await world.page("reports", redirect_uri=known, **REFUSED[error]))
    assert told["error"] == error.strip()
    denied = await world.decide(await world.page(client_id, redirect_uri=site), "deny")
    assert str(denied.header("location")).startswith(f"{site}?error=access_denied")


async def test_unknown_scopes_are_left_out(world: World) -> None:
    client_id = await world.register_client()

    for scope, expected in ((" notes:read openid offline_access", "notes:read"), ("openid", "notes:read notes:write")):
        assert (await world.connect(client_id, scope=scope))["scope"] == expected


async def test_a_visitor_logs_in_first_and_comes_back_to_the_request(world: World) -> None:
    client_id = await world.register_client()
    world.browser.cookies = {}

    sent = await world.page(client_id, redirect_uri="https://evil.example/")
    assert str(sent.header("location")).startswith("./login?")
    sent = await world.page(client_id)
    target = dict(parse_qsl(str(sent.header("location")).partition("?")[2]))["next"]
    back = await world.form("/auth/login", email="ada@example.com", password="correct horse battery", next=target)

    assert answered(await world.decide(await world.browser.get("/auth/" + str(back.header("location")).lstrip("./"))))[
        "code"
    ]


async def test_another_user_logs_in_on_the_way_to_the_same_request(world: World) -> None:
    client_id = await world.register_client()
    page = await world.page(client_id)
    here = html.unescape(re.findall(r'name="next" value="([^"]*)"', page.body.decode())[0])

    left = await world.form("/auth/logout", next=here)
    target = dict(parse_qsl(str(left.header("location")).partition("?")[2]))["next"]
    back = await world.form("/auth/login", email=EMAIL, password=PASSWORD, next=target)

    again = await world.browser.get("/auth/" + str(back.header("location")).lstrip("./"))
    assert hidden(again)["sealed"] == hidden(page)["sealed"]
    assert (await world.decide(page)).status == 400
    assert answered(await world.decide(again))["state"] == "xyz"


async def test_refusals_are_events_of_their_user(world: World) -> None:
    seen: list[tuple[str, str, Any]] = []

    def note(event: Event) -> None:
        seen.append((event.name, event.user_id or "", event.data.get("reason") or event.data.get("app")))

    for name in ("client_refused", "consent"):
        world.auth.on(name, note, outcome="failure")

    client_id, user_id = await world.register_client(), str((await world.browser.get("/auth/me")).json["id"])
    await world.page("unknown")
    await world.page(client_id, redirect_uri="https://evil.example/")
    await world.decide(await world.page(client_id), "deny")
    await world.token(grant_type="refresh_token", refresh_token="x", client_id="unknown")
    await world.redeem(client_id, "x")

    refused = [("client_refused", user_id, "unknown_client")] * 2
    assert seen == [
        *refused,
        ("consent", user_id, "Claude"),
        ("client_refused", "", "invalid_client"),
        ("client_refused", "", "invalid_grant"),
    ]


async def test_each_consent_is_an_event_and_a_new_one_is_mailed(clock: Clock) -> None:
    outbox = Outbox()
    async with make(clock, outbox=outbox) as auth:
        world, seen = World(auth, clock), list[str]()
        auth.on("consent", lambda event: seen.append(event.outcome))
        await world.log_in()
        client_id = await world.register_client()
        for scope in ("notes:read", "notes:read", "notes:write"):
            await world.connect(client_id, scope=scope)
        await auth.mail.drain(5)

    assert seen == ["success"] * 3
    assert [mail.subject for mail in outbox.mails].count("A program was connected to your account at Example") == 2


async def test_an_administrator_who_acts_for_a_user_lets_no_client_in() -> None:
    server = AuthorizationServer({"/mcp": Resource("Notes", scopes=SCOPES)})
    async with impersonating(more=[Pages(), SecondFactors(), server]) as world:
        about = {"redirect_uris": [LOCAL], "client_name": "Claude"}
        client_id = (await world.client.post("/auth/oauth/register", about)).json["client_id"]
        path = World(world.auth, world.clock).asked(client_id).replace("/authorize?", "/oauth/request?")
        acting, own = await world.acting(await world.pair("helper")), (await world.pair("user")).access_token

        answers = []
        for token in (acting, own):
            asked = (await world.client.get(path, headers=bearer(token))).json
            sent = {"sealed": asked["sealed"], "ticket": asked["ticket"], "answer": "allow"}
            answers.append(await world.client.post("/auth/authorize", sent, headers=bearer(token)))

        assert (answers[0].status, answers[0].json["code"]) == (403, "impersonated")
        assert answered(answers[1])["code"]


async def test_only_the_page_of_the_same_session_is_answered_and_once(world: World, clock: Clock) -> None:
    client_id = await world.register_client()
    page = await world.page(client_id, scope="notes:read")
    sent = hidden(page)
    raised = urlencode(dict(parse_qsl(sent["sealed"])) | {"scope": "notes:read notes:write"})

    for changes in ({"sealed": raised}, {"ticket": sent["ticket"] + "x"}, {"ticket": "1.x"}, {"ticket": "ä"}):
        assert (await world.decide(page, **changes)).status == 400
    foreign = {**world.browser.headers, "origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    world.browser.headers, own = foreign, world.browser.headers
    assert (await world.decide(page)).status == 403
    world.browser.headers = own
    told = await asyncio.gather(*(world.decide(page) for _ in range(8)))
    assert sorted(answer.status for answer in told) == [303] + [400] * 7
    old = await world.page(client_id)
    clock.move(601)
    assert (await world.decide(old)).status == 400
    other = await world.page(client_id)
    await world.form("/auth/login", email="ada@example.com", password="correct horse battery")
    assert (await world.decide(other)).status == 400
    left = await world.decide(await world.page(client_id), "deny")
    assert left.header("referrer-policy") == "no-referrer"
    denied = answered(left)
    assert (denied["error"], denied["iss"]) == ("access_denied", f"{ORIGIN}/auth")


async def test_the_page_says_what_is_allowed_to_which_client_and_for_how_long(world: World) -> None:
    uri = "https://claude.ai:8443/callback"
    for where, goes in ((LOCAL, "on to a program on this computer."), (uri, "on to claude.ai:8443.")):
        text = html.unescape((await world.page(await world.register_client(where), redirect_uri=where)).body.decode())
        for said in ("“Claude”", EMAIL, "at Notes:", *SCOPES.values(), "for 90 days", "named itself", goes):
            assert said in text, said


@pytest.mark.parametrize("step", ["{counters}", "INTO {credentials}", "INTO {tokens}"])
async def test_an_answer_that_an_outage_has_lost_can_be_sent_again(clock: Clock, step: str) -> None:
    storage = CountingStorage()
    async with make(clock, storage=storage) as auth:
        world = World(auth, clock)
        await world.log_in()
        page = await world.page(await world.register_client())

        async def break_down(statement: str) -> None:
            if step in statement:
                raise StorageUnavailableError

        storage.before = break_down
        assert (await world.decide(page)).status == 503
        storage.before = None

        assert answered(await world.decide(page))["code"]
        assert (await world.decide(page)).status == 400


async def test_the_page_is_shown_whatever_was_allowed_before(world: World) -> None:
    client_id = await world.register_client()
    await world.connect(client_id, scope="notes:read")

    page = await world.page(client_id)

    assert page.body.decode().count("allowed before") == 1
    assert "named itself" in page.body.decode()
    assert (page.header("cache-control"), page.header("x-frame-options") or "DENY") == ("no-store", "DENY")
