"""What a lying provider says is refused, each lie by a check of its own."""

import pytest

from tests.oidc.world import world
from tests.providers.lies import CALLBACKS, CLAIMS, LIES, METADATA, SIGNATURES, USERS


@pytest.mark.parametrize("lie", [*SIGNATURES, *CLAIMS, *CALLBACKS, *USERS, *METADATA])
async def test_a_lie_starts_no_session(lie: str) -> None:
    shown = {"shown_at": ("userinfo",)} if lie in USERS else {}
    async with world(provider=shown) as app:
        app.op.lies(LIES[lie])
        begun = await app.browser.get("/auth/oidc/op/login")
        if begun.status == 303:
            answer = await app.browser.get(await app.back(begun.header("location") or ""))
        else:
            answer = begun

        assert answer.status in {400, 503}, answer.body
        assert (await app.me()).status == 401


async def test_the_same_way_with_the_truth_is_a_login() -> None:
    for shown in (("id_token",), ("userinfo",)):
        async with world(provider={"shown_at": shown}) as app:
            assert (await app.login()).status == 303
            assert (await app.me()).status == 200


async def test_a_new_key_is_fetched_and_unknown_ones_ask_once_a_minute() -> None:
    async with world() as app:
        await app.login()
        app.clock.move(61)
        app.op.rotate("b")
        assert (await app.login(browser=app.another_browser())).status == 303

        app.op.lies("an unknown kid")
        before = len(app.op.asked("keys"))
        for _ in range(5):
            assert (await app.login(browser=app.another_browser())).status == 400
        assert len(app.op.asked("keys")) == before
