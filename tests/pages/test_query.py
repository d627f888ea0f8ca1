"""The query of a page: only its own parameters are judged, whatever gateways and trackers add to a link."""

import pytest

from tests.pages.surfer import Surfer


@pytest.mark.parametrize("query", ["next=/a&next=/b", "next=%ff", "next=/a%fc", "Next=/a", "%"])
async def test_a_parameter_that_can_be_read_in_two_ways_is_left_out(surfer: Surfer, query: str) -> None:
    page = await surfer.get(f"login?{query}")

    assert (page.status, "next" in page.form("/login").inputs) == (200, False)


@pytest.mark.parametrize(
    "added",
    [
        "utm_source=mail&utm_source=newsletter",
        "subject=Pr%FCfung",
        "subject=%",
        "next=/a",
        "=&=&&",
        "&".join(f"a{n}=1" for n in range(500)),
    ],
)
@pytest.mark.parametrize("order", ["{own}&{added}", "{added}&{own}"])
async def test_parameters_that_others_add_to_a_link_change_nothing(surfer: Surfer, added: str, order: str) -> None:
    page = await surfer.get("login?" + order.format(own="next=/a", added=added))

    assert page.form("/login").inputs["next"]["value"] == "/a"
