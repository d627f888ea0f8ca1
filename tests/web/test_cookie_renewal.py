"""Silent renewal of cookies: whatever happens to its answer, no user is logged out."""

import asyncio
from typing import Any

from asgi_auth import Auth, AuthMiddleware
from tests.browsers import ACCESS, COOKIE, DEVICE, REFRESH
from tests.support import Client, Clock


async def test_twenty_parallel_requests_with_an_expired_cookie_all_succeed_with_one_successor(
    auth: Auth, browser: Client, clock: Clock
) -> None:
    clock.move(1000)

    answers = await asyncio.gather(*(browser.request("GET", "/") for _ in range(20)))

    assert {answer.json["transport"] for answer in answers} == {"cookie"}
    assert all(answer.json["id"] for answer in answers)
    assert len({answer.cookies[REFRESH] for answer in answers}) == 1
    assert (await browser.post("/auth/refresh")).status == 200
    assert len(await auth.storage.sessions(answers[0].json["id"], int(clock.at), 0)) == 1


async def test_a_renewal_whose_answer_is_lost_or_late_logs_no_one_out(browser: Client, clock: Clock) -> None:
    clock.move(1000)
    lost = dict(browser.cookies)
    late = await Client(browser.app, COOKIE, lost).get("/")

    clock.move(3600)
    again = await Client(browser.app, COOKIE, lost).get("/")

    assert again.json["id"] == late.json["id"]
    assert again.json["id"]
    assert (await Client(browser.app, COOKIE, late.cookies).get("/")).json["id"] == again.json["id"]


async def test_a_renewal_counts_as_use_and_ends_with_the_session(browser: Client, clock: Clock) -> None:
    for _ in range(2):
        clock.move(13 * 86400)
        assert (await browser.get("/")).json["id"]

    clock.move(4 * 86400)

    assert (await browser.get("/")).json["error"] == "token_expired"


async def test_no_cache_keeps_an_answer_with_new_cookies(auth: Auth, clock: Clock, browser: Client) -> None:
    async def static(_scope: Any, _receive: Any, send: Any) -> None:
        headers = [(b"Cache-Control", b"public, max-age=3600"), (b"content-type", b"text/css")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"a {}"})

    client = Client(AuthMiddleware(static, auth), COOKIE, browser.cookies)
    before = await client.get("/static.css")
    clock.move(1000)
    renewed = await client.get("/static.css")

    assert before.all("cache-control") == ["public, max-age=3600"]
    assert renewed.all("cache-control") == ["no-store"]
    assert renewed.cookies.keys() == {ACCESS, REFRESH}


async def test_a_missing_access_cookie_is_renewed_too(browser: Client) -> None:
    del browser.cookies[ACCESS]

    answer = await browser.get("/")

    assert answer.json["transport"] == "cookie"
    assert browser.cookies.keys() == {ACCESS, REFRESH, DEVICE}


async def test_a_renewal_shows_in_no_request_before_it_is_needed(browser: Client, clock: Clock) -> None:
    clock.move(800)

    assert (await browser.get("/")).cookies == {}


async def test_the_loser_of_a_race_gets_the_successor_and_never_clears(browser: Client, clock: Clock) -> None:
    late = dict(browser.cookies)
    clock.move(1000)
    winner = await browser.get("/")
    clock.move(10)

    loser = await Client(browser.app, COOKIE, late).get("/")

    assert loser.json["id"] == winner.json["id"]
    assert loser.cookies[REFRESH] == winner.cookies[REFRESH]
