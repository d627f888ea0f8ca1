"""Handoff: a script of another origin begins a login, and gets its tokens by a one-time token and its verifier."""

import asyncio
import base64
import hashlib
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from asgi_auth import Pages
from tests.oidc.test_linking import SAME, account, identities, turn_on
from tests.oidc.world import World, world
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Client, bearer

SCRIPT = "https://spa.example.org"
TARGET = f"{SCRIPT}/after?a=b#/home"
VERIFIER = "the-verifier-of-a-script-which-is-long-enough"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
ELSEWHERE = {"sec-fetch-site": "cross-site"}


def handing(*features: Any, **options: Any) -> Any:
    return world("sqlite://", *features, **{"cors_origins": [SCRIPT]} | options)


async def begin(app: World, target: str = TARGET, challenge: str = CHALLENGE) -> Answer:
    query = f"next={quote(target, safe='')}&challenge={challenge}"
    return await app.browser.get(f"/auth/oidc/op/login?{query}", headers=ELSEWHERE)


async def come_back(app: World) -> dict[str, str]:
    """Log in at the provider, and return the parameters that the page of the script gets."""
    began = await begin(app)
    assert began.status == 303, began.body
    answer = await app.browser.get(await app.back(began.header("location") or ""), headers=ELSEWHERE)
    assert answer.status == 303, answer.body
    assert [name for name in app.browser.cookies if "-oidc-" in name] == []
    parts = urlsplit(answer.header("location") or "")
    assert (f"{parts.scheme}://{parts.netloc}", parts.path, parts.fragment) == (SCRIPT, "/after", "/home")
    sent = dict(parse_qsl(parts.query))
    assert sent.pop("a") == "b"
    return sent


async def finish(app: World, token: str, verifier: str = VERIFIER, client: Client | None = None) -> Answer:
    """Send what the script sends."""
    sent, headers = {"token": token, "verifier": verifier}, ELSEWHERE | {"origin": SCRIPT}
    return await (client or Client(app.app)).post("/auth/handoff", sent, headers=headers)


async def test_a_script_of_another_origin_gets_tokens_and_the_browser_no_cookies() -> None:
    async with handing() as app:
        sent = await come_back(app)
        assert list(sent) == ["token"]
        assert await app.auth.storage.user_by_email(EMAIL) is None

        answer = await finish(app, sent["token"])

        assert answer.status == 200
        assert answer.header("access-control-allow-origin") == SCRIPT
        assert answer.all("set-cookie") == []
        me = await Client(app.app).get("/auth/me", headers=bearer(answer.json["access_token"]))
        assert (me.json["email"], me.json["email_verified"]) == (EMAIL, True)
        assert app.browser.cookies == {}


async def test_a_token_is_used_once_of_many_calls_and_within_a_minute() -> None:
    async with handing() as app:
        token = (await come_back(app))["token"]
        answers = await asyncio.gather(*(finish(app, token) for _ in range(16)))

        assert sorted(answer.status for answer in answers) == [200] + [401] * 15
        assert {answer.json["code"] for answer in answers if answer.status == 401} == {"invalid_handoff"}
        user = await app.auth.users.by_email(EMAIL)
        assert len(await app.auth.storage.sessions(user.id, int(app.clock()), 0)) == 1

        for seconds, status in ((59, 200), (60, 401)):
            token = (await come_back(app))["token"]
            app.clock.move(seconds)
            assert (await finish(app, token)).status == status


async def test_a_token_is_of_no_use_without_its_verifier() -> None:
    async with handing() as app:
        token = (await come_back(app))["token"]

        for other in (VERIFIER[::-1], CHALLENGE):
            assert (await finish(app, token, other)).json["code"] == "invalid_handoff"

        assert (await finish(app, token, "short")).status == 422
        assert (await finish(app, token)).status == 200


async def test_a_pending_second_factor_passes_through() -> None:
    async with handing() as app:
        user_id = await account(app, verified=True)
        totp = await turn_on(app)

        answer = await finish(app, (await come_back(app))["token"])

        assert (answer.status, answer.json["code"]) == (401, "second_factor_required")
        assert await identities(app, user_id) == 0
        app.clock.move(30)
        sent = {"code": totp(app.clock()), "pending": answer.json["pending"]}
        assert (await Client(app.app).post("/auth/login/totp", sent)).status == 200
        assert await identities(app, user_id) == 1


async def test_refusals_reach_the_script() -> None:
    async with handing(sign_up=False) as app:
        assert (await finish(app, (await come_back(app))["token"])).json["code"] == "registration_closed"

        app.op.refuses = "access_denied"
        assert await come_back(app) == {"error": "provider_refused"}


@pytest.mark.parametrize(
    "target",
    [
        "",
        "account",
        "https://elsewhere.example/after",
        "https://spa.example.org.elsewhere.example/",
        "https://spa.example.org@elsewhere.example/",
        "https://elsewhere.example@spa.example.org/",
        "https://spa.example.org\\@elsewhere.example/",
        "https://spa.example.org:444/",
        "http://spa.example.org/",
        "//spa.example.org/",
        "javascript://spa.example.org/%0aalert(1)",
    ],
)
async def test_a_token_goes_to_listed_origins_alone(target: str) -> None:
    async with handing() as app:
        assert (await begin(app, target)).status == 400
        assert app.op.requests == []


async def test_any_origin_is_none_that_gets_a_token() -> None:
    async with handing(cors_origins=["*"]) as app:
        assert (await begin(app)).status == 400


@pytest.mark.parametrize("challenge", ["short", CHALLENGE + "A", CHALLENGE[:-1] + "="])
async def test_a_challenge_is_a_digest_by_s256(challenge: str) -> None:
    async with handing() as app:
        assert (await begin(app, challenge=challenge)).status == 422


async def test_without_a_challenge_another_site_begins_no_login_with_pages_or_without() -> None:
    for features, status in (((Pages(),), 200), ((), 403)):
        async with handing(*features) as app:
            for query in ("", "?next=/after", "?challenge=", "?challenge"):
                answer = await app.browser.get(f"/auth/oidc/op/login{query}", headers=ELSEWHERE)
                assert (answer.status, app.browser.cookies) == (status, {})
            assert (await begin(app)).status == 303


async def test_another_site_begins_no_login_that_goes_on_with_its_token_at_a_page_of_this_site() -> None:
    async with handing() as app:
        for target in ("/after?a=b#/home", f"{ORIGIN}/after", f"{ORIGIN.upper()}:443/after"):
            refused = await begin(app, target)
            assert (refused.status, refused.json["code"]) == (403, "cross_site_request")
            path = f"/auth/oidc/op/login?next={quote(target, safe='')}&challenge={CHALLENGE}"
            assert (await app.browser.get(path, headers=SAME)).status == 303
        assert (await begin(app)).status == 303


async def test_logins_that_other_sites_begin_do_not_fill_a_browser_with_cookies() -> None:
    async with handing() as app:
        await account(app, verified=True)
        totp = await turn_on(app)
        began = [await begin(app) for _ in range(18)]
        app.clock.move(30)

        headers = SAME | {"auth-transport": "cookie"}
        login = await app.browser.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, headers=headers)
        assert login.json["code"] == "second_factor_required"
        assert len(app.browser.cookies) == 5
        sent = {"code": totp(app.clock())}
        assert (await app.browser.post("/auth/login/totp", sent, headers=headers)).status == 200
        back = await app.back(began[-1].header("location") or "")
        assert (await app.browser.get(back, headers=ELSEWHERE)).status == 303
