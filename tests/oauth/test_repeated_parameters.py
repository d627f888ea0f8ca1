"""A parameter of an authorization request occurs once (RFC 6749, 3.1): without it, a request means another one."""

import pytest

from tests.oauth.world import World


@pytest.mark.parametrize(
    "added",
    [
        "scope=notes:write",
        "%73cope=notes:write",
        "scope=%ff",
        "state=other",
        "code_challenge_method=plain",
        "redirect_uri=https://evil.example/cb",
        "client_id=other",
    ],
)
async def test_a_parameter_with_two_values_is_refused(world: World, added: str) -> None:
    path = world.asked(await world.register_client(), scope="notes:read")

    for query in (f"{path}&{added}", path.replace("?", f"?{added}&")):
        refused = await world.browser.get(query)
        assert (refused.status, refused.header("location")) == (400, None)
    world.browser.cookies = {}
    assert (await world.browser.get(f"{path}&{added}")).status == 400


async def test_a_parameter_that_a_proxy_repeats_or_adds_changes_nothing(world: World) -> None:
    path = world.asked(await world.register_client(), scope="notes:read")

    page = await world.browser.get(f"{path}&scope=notes:read&utm=1&utm=2&")

    assert page.status == 200
    assert b"Read your notes" in page.body
    assert b"Change your notes" not in page.body
