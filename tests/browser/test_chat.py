"""The example `chat` in Chromium: two users talk, until the session of each ends."""

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.examples import length, served
from tests.browser.test_walk import address, visitor
from tests.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_it_is_short() -> None:
    assert length("chat") < 150


async def enters(person: Visitor, name: str) -> str:
    """Register and log in where the guard of the chat leads to; give the address."""
    email = address()
    await person.page.goto(person.url)
    assert person.page.url == f"{person.url}/auth/login?next=%2F&said=login_needed"
    await person.page.get_by_role("link", name="No account yet? Create one").click()
    await person.send("register", email=email, username=name, password=PASSWORD)
    await person.send("login", username=name, password=PASSWORD)
    assert person.place == "/"
    await expect(person.page.locator("#who")).to_have_text(name)
    return email


async def says(person: Visitor, text: str) -> None:
    """Send a message, once the websocket is open."""
    await person.page.get_by_label("Message", exact=True).fill(text)
    await person.page.get_by_role("button", name="Send").click()
    await expect(person.page.get_by_role("listitem").last).to_contain_text(text)


async def test_two_users_talk_until_their_sessions_end(browser: Browser, tmp_path: Path) -> None:
    with served("chat", tmp_path) as url:
        async with visitor(browser, url) as ada, visitor(browser, url) as bob, visitor(browser, url) as phone:
            email = await enters(ada, "ada")
            await says(ada, "<b>Hello</b>")
            await enters(bob, "bob")
            # The newcomer sees what was said before, as text.
            await expect(bob.page.get_by_role("listitem")).to_have_text(["ada <b>Hello</b>"])
            await says(bob, "Hello Ada")
            await expect(ada.page.get_by_role("listitem")).to_have_text(["ada <b>Hello</b>", "bob Hello Ada"])

            # The session is ended elsewhere: the server closes the websocket, and the page leads to the login.
            await phone.open("login")
            await phone.send("login", username=email, password=PASSWORD)
            answer = await phone.page.request.post(f"{url}/auth/logout-all", headers={"origin": url}, data={})
            assert answer.ok
            await ada.page.wait_for_url("**/auth/login?next=*")
            await says(bob, "Where is she?")

            await bob.page.get_by_role("button", name="Log out").click()
            await bob.page.wait_for_url("**/auth/login?next=*")
