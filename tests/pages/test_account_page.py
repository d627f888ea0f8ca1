"""The account page in parts that open, the ways to log in below each other, and what a host's templates keep."""

from pathlib import Path

import pytest

from asgi_auth import AuthMiddleware, Pages
from asgi_auth.feature import Feature, Identity, Section, get
from tests.pages.surfer import Page, Surfer
from tests.support import cheap, make_auth, who

EMAIL, PASSWORD = "ada@example.com", "violet harbour lantern"


def parts(page: Page) -> dict[str, bool]:
    """The parts of the account page: whether each is open."""
    found = [item for tag, item in page.tags if tag == "details" and item.get("class") == "group"]
    return {item["id"].removeprefix("group-"): "open" in item for item in found}


async def logged_in(surfer: Surfer, **fields: str) -> Page:
    await surfer.post("register", {"email": EMAIL, "password": PASSWORD} | fields)
    await surfer.post("login", {"email": EMAIL, "password": PASSWORD})
    return await surfer.get("account")


def opened(page: Page) -> list[str]:
    return [name for name, is_open in parts(page).items() if is_open]


async def test_the_part_with_the_form_that_a_request_is_about_is_open(surfer: Surfer) -> None:
    page = await logged_in(surfer, company="Analytical")

    assert parts(page) == {"profile": True, "ways": False, "devices": False, "data": False}
    assert "/" in page.links
    assert "Back to Lighthouse" in page.text
    wrong = {"current_password": "wrong", "new_password": "another good one"}
    assert opened(await surfer.submit(page, "/change-password", **wrong)) == ["ways"]
    assert opened(await surfer.submit(page, "/close-account", password="wrong")) == ["data"]
    assert opened(await surfer.submit(page, "/change-email", new_email="x", password="wrong")) == ["profile"]
    assert opened(await surfer.submit(page, "/me", company="x" * 90)) == ["profile"]
    assert opened(await surfer.get("account?said=session_ended")) == ["devices"]
    assert opened(await surfer.get("account?said=password_changed")) == ["ways"]
    assert opened(await surfer.get("account?said=none_of_ours")) == ["profile"]


@pytest.mark.parametrize(("after_login", "home"), [("/", "/"), ("account", "/"), ("/board", "/board")])
async def test_the_way_back_is_that_of_a_login(after_login: str, home: str) -> None:
    async with make_auth(features=[*cheap(), Pages(after_login=after_login)]) as auth:
        page = await logged_in(Surfer(AuthMiddleware(who, auth, mount="/auth")))
    assert home in page.links


class Shelf(Feature):
    """A section in a part of its own."""

    sections = (Section(name="shelf", endpoint="shelf", group="library"),)

    @get("/shelf")
    async def shelf(self, *, identity: Identity) -> None:
        """Show nothing."""


async def test_a_part_of_a_feature_has_a_text(tmp_path: Path) -> None:
    (tmp_path / "templates" / "sections").mkdir(parents=True)
    (tmp_path / "templates" / "sections" / "shelf.html").write_text("<section>Books</section>")
    Shelf.room = tmp_path
    with pytest.raises(ValueError, match=r"pages lack the texts pages\.group\.library"):
        AuthMiddleware(who, make_auth(features=[*cheap(), Pages(), Shelf()]), mount="/auth")
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "en.toml").write_text('[pages.group]\nlibrary = "Library"')
    async with make_auth(features=[*cheap(), Pages(), Shelf()]) as auth:
        page = await logged_in(Surfer(AuthMiddleware(who, auth, mount="/auth")))
    assert list(parts(page))[-2:] == ["library", "data"]
    assert "Library Books" in page.text


async def test_a_footer_of_the_host_loses_no_link(tmp_path: Path, surfer: Surfer) -> None:
    (tmp_path / "page.html").write_text(
        '{% extends "asgi_auth/page.html" %}{% block footer %}<a href="/imprint">Imprint</a>{% endblock %}'
    )
    links = (await surfer.get("login")).links
    assert [link.rpartition("/")[2] for link in links] == ["forgot-password", "magic-link", "register"]
    async with make_auth(features=[*cheap(), Pages()], templates=str(tmp_path)) as auth:
        mine = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        assert (await mine.get("login")).links == ["/auth/register", "/imprint"]


async def test_the_link_beside_a_label_comes_after_its_input(surfer: Surfer) -> None:
    page = await surfer.get("login")

    order = [item.get("id") or item.get("href", "") for tag, item in page.tags if tag in {"input", "a"}]
    assert order.index("login-password") + 1 == next(at for at, name in enumerate(order) if "forgot-password" in name)
