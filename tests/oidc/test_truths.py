"""What an honest provider says is believed, and its new keys are found."""

from tests.oidc.world import world


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
