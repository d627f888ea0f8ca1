"""What an honest provider says is believed, and its new keys are found."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from asgi_auth.testing.provider import Response, Trouble
from tests.oidc.world import world


@dataclass(frozen=True, kw_only=True)
class Held(Trouble):
    """Answers once a condition holds."""

    until: Callable[[], bool]

    async def answer(self, honest: Callable[[], Response]) -> Response:
        while not self.until():  # noqa: ASYNC110 (the condition is about requests, for which there is no event)
            await asyncio.sleep(0)
        return honest()


async def test_the_same_way_with_the_truth_is_a_login() -> None:
    for shown in (("id_token",), ("userinfo",)):
        async with world(provider={"shown_at": shown}) as app:
            assert (await app.login()).status == 303
            assert (await app.me()).status == 200


async def test_a_new_key_is_fetched_and_unknown_ones_ask_once_a_minute() -> None:
    async with world() as app:
        await app.login()
        app.op.rotate("b")
        # The first fetch of the keys lasts until all of the logins need them.
        app.op.trouble["keys"] = Held(until=lambda: len(app.op.asked("token")) >= 5)
        browsers = [app.another_browser() for _ in range(4)]
        answers = await asyncio.gather(*(app.login(browser=browser) for browser in browsers))
        # At once, and all of them: the keys were fetched a moment ago.
        assert {answer.status for answer in answers} == {303}

        app.op.lies("an unknown kid")
        before = len(app.op.asked("keys"))
        for _ in range(5):
            assert (await app.login(browser=app.another_browser())).status == 400
        assert len(app.op.asked("keys")) == before

        app.clock.move(61)
        for _ in range(5):
            assert (await app.login(browser=app.another_browser())).status == 400
        assert len(app.op.asked("keys")) == before + 1
