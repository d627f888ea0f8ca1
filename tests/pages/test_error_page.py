"""The page of errors: its look, and the ways on from it; and the frame that it shares with every other page."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import asgi_auth
from asgi_auth import AuthMiddleware, Pages
from asgi_auth.hosts.starlette import install, require
from tests.pages.surfer import Page, Surfer
from tests.support import EMAIL, PASSWORD, cheap, make_auth

TEMPLATES = sorted(Path(asgi_auth.__file__).parent.rglob("templates/**/*.html"))
BUTTON = re.compile(r"<(?:button|a)\b[^>]*>")
#: The looks of a button; `{{ kind }}` is one of them.
KINDS = {"primary", "secondary", "danger", "reveal", "kind"}


@require(roles=["editor"])
async def desk(_request: Request) -> Response:
    return PlainTextResponse("desk")


def site(pages: Pages, templates: Path | None = None) -> Surfer:
    """A browser before an app whose pages want a role."""
    web = Starlette(routes=[Route("/", desk), Route("/desk", desk)])
    install(web)
    auth = make_auth(features=[*cheap(), pages], name="Lighthouse", templates=str(templates) if templates else None)
    return Surfer(AuthMiddleware(web, auth, mount="/auth"))


async def log_in(surfer: Surfer) -> None:
    for form in ("register", "login"):
        await surfer.post(form, {"email": EMAIL, "password": PASSWORD})


def ways(page: Page) -> tuple[list[str], list[str]]:
    """The targets of the links and of the forms."""
    return page.links, [form.action for form in page.forms]


@pytest.mark.parametrize(("path", "after_login", "home"), [
    ("/desk", "/", ["/"]),
    ("/", "/", []),
    ("/", "/desk", ["/desk"]),
    ("/desk", "/desk", []),
])  # fmt: skip
async def test_a_refused_user_finds_back_to_the_app_unless_it_is_the_page_that_refuses(
    path: str, after_login: str, home: list[str]
) -> None:
    surfer = site(Pages(after_login=after_login))
    await log_in(surfer)

    page = await surfer.get(path)

    assert (page.status, "You may not do this." in page.text) == (403, True)
    assert ways(page) == ([*home, "/auth/account"], ["/auth/logout"])
    assert page.text.count("Back to Lighthouse") == len(home)


async def test_a_visitor_without_a_login_finds_back_to_the_app_and_to_the_login() -> None:
    page = await site(Pages()).get("nothing")

    assert (page.status, ways(page)) == (404, (["/", "/auth/login"], []))


async def test_a_user_who_is_sent_in_a_circle_is_not_sent_there_again() -> None:
    surfer = site(Pages())
    await log_in(surfer)

    pages = [await surfer.get("login?next=/desk") for _ in range(4)]
    [*_, last] = [await surfer.get("login?next=/") for _ in range(4)]

    assert [page.status for page in pages] == [303, 303, 303, 403]
    assert (pages[-1].links, last.links) == (["/", "/auth/account"], ["/auth/account"])


async def test_a_frame_of_the_host_is_on_every_page(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text(
        '{% extends "asgi_auth/base.html" %}{% block footer %}<footer>Imprint</footer>{% endblock %}'
    )
    surfer = site(Pages(), tmp_path)
    strange = await surfer.get("login")
    await log_in(surfer)

    shown = [strange, await surfer.get("account"), await surfer.get("nothing"), await surfer.get("/desk")]

    assert [page.status for page in shown] == [200, 200, 404, 403]
    for page in shown:
        assert page.text.count("Imprint") == 1, page.url


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_whole_page_has_the_frame_and_every_button_a_look(template: Path) -> None:
    text = template.read_text("utf-8")
    is_whole = template.parent.name == "templates" and "{% block main %}" in text and template.name != "base.html"

    assert not is_whole or text.startswith(('{% extends "base.html" %}', '{% extends "page.html" %}'))
    for tag in BUTTON.findall(text):
        words = set(re.findall(r"\w+", (re.search(r'class="([^"]*)"', tag) or [tag, ""])[1]))
        assert words & KINDS or not (tag.startswith("<button") or "button" in words), tag
