"""What a host can change: name, logo, colours, stylesheet, templates, texts; and which language is spoken."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgi_auth import AuthMiddleware, Field, Outbox, Pages, PasswordReset, Passwords
from asgi_auth.features.defaults import defaults
from asgi_auth.pages.colors import contrast, readable, text_on
from asgi_auth.texts import shipped
from tests.pages.surfer import Surfer
from tests.support import Client, cheap, make_auth, who

ACCENTS = ["#000000", "#ffffff", "#ffdd00", "#3355ff", "#808080", "#00ff00", "#7f1d1d"]


def made(pages: Pages, **settings: Any) -> Surfer:
    """A browser before an app with these pages."""
    auth = make_auth(features=[*cheap(), pages], **settings)
    return Surfer(AuthMiddleware(who, auth, mount="/auth"))


async def test_name_logo_and_colours() -> None:
    surfer = made(Pages(logo="https://cdn.example/logo.svg", accent="#FFDD00", css=".brand{color:red}"), name="A & B")

    page = await surfer.get("login")
    style = (await surfer.get("pages.css")).answer.body.decode()

    assert [item for tag, item in page.tags if tag == "img"] == [
        {"src": "https://cdn.example/logo.svg", "alt": "A & B"}
    ]
    assert "img-src 'self' https://cdn.example;" in str(page.answer.header("content-security-policy"))
    assert style.startswith(":root{--accent:#ffdd00;--on-accent:#101418;")
    assert style.endswith(".brand{color:red}")
    assert "A & B" in (await made(Pages(logo="/logo.png"), name="A & B").get("login")).text


async def test_a_logo_for_the_dark_an_icon_and_fonts() -> None:
    pages = Pages(
        logo="/logo.svg",
        dark_logo="https://cdn.example/dark.svg",
        favicon="https://icons.example/i.png",
        font_sources=["self", "https://fonts.example"],
    )
    page = await made(pages).get("login")

    sources = [item for tag, item in page.tags if tag == "source"]
    assert sources == [{"srcset": "https://cdn.example/dark.svg", "media": "(prefers-color-scheme: dark)"}]
    assert {"rel": "icon", "href": "https://icons.example/i.png"} in [item for tag, item in page.tags if tag == "link"]
    policy = str(page.answer.header("content-security-policy"))
    assert "img-src 'self' https://cdn.example https://icons.example;" in policy
    assert "font-src 'self' https://fonts.example;" in policy
    assert "font-src" not in str((await made(Pages()).get("login")).answer.header("content-security-policy"))


@pytest.mark.parametrize(("base_url", "logo", "shown"), [
    ("https://app.example.com", "/logo.svg", "https://app.example.com/logo.svg"),
    ("https://app.example.com/app", "/logo.svg", "https://app.example.com/app/logo.svg"),
    ("https://app.example.com", "https://cdn.example/x.svg", "https://cdn.example/x.svg"),
    (None, "/logo.svg", ""),
    ("https://app.example.com", None, ""),
])  # fmt: skip
async def test_mails_have_the_look_of_the_pages(base_url: str | None, logo: str | None, shown: str) -> None:
    outbox, features = Outbox(), [*defaults(mail=True), Pages(logo=logo, accent="#ffdd00")]
    async with make_auth(features=features, mailer=outbox, base_url=base_url) as auth:
        await auth[PasswordReset].forgot_password(email="a@example.com")
        await auth[Passwords].register(email="a@example.com", password="violet harbour lantern")
        await auth.mail.idle()

    html = outbox.mails[-1].html
    assert "background: #ffdd00; color: #101418" in html
    assert (f'<img src="{shown}" alt=' in html) == bool(shown)
    assert bool(shown) or "<img" not in html


@pytest.mark.parametrize("colour", ACCENTS)
def test_every_accent_can_be_read(colour: str) -> None:
    assert contrast(text_on(colour), colour) >= 4.5
    for background in ("#ffffff", "#171a21"):
        assert contrast(readable(colour, background), background) >= 4.5
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Pages(accent="blue"),
        lambda: Pages(accent="#fff"),
        lambda: Pages(accent="#3355ff;}"),
        lambda: Pages(accent="#3355ff\n"),
        lambda: Pages(logo="http://cdn.example/x"),
        lambda: Pages(dark_logo="/x.svg"),
        lambda: Pages(favicon="javascript:alert(1)"),
        lambda: Pages(font_sources=["https://fonts.example/path"]),
        lambda: Pages(font_sources=["*"]),
        lambda: Pages(font_sources=["https://fonts.example; script-src *"]),
        lambda: Pages(logo="//cdn.example/x"),
        lambda: Pages(logo="https://cdn.example;script-src */x"),
        lambda: Pages(logo="javascript:alert(1)"),
        lambda: Pages(after_login="https://evil.example"),
        lambda: Pages(after_login="//evil.example"),
        lambda: Pages(next_allowed=["//evil.example"]),
        lambda: Pages(next_allowed=["ftp://x"]),
        lambda: Pages(next_allowed=["https://a;b/"]),
    ],
)
def test_what_is_no_colour_or_place_is_refused(make: Callable[[], Pages]) -> None:
    with pytest.raises(ValueError, match=r"color|site|URL|logo"):
        make()


async def test_templates_of_the_host_come_first_and_may_extend_ours(tmp_path: Path) -> None:
    (tmp_path / "login.html").write_text(
        '{% extends "asgi_auth/page.html" %}{% block brand %}<b>Mine</b>{% endblock %}'
    )
    (tmp_path / "base.html").write_text("<p>{% block main %}{% endblock %}</p>")
    surfer = made(Pages(), templates=str(tmp_path))

    login, register = await surfer.get("login"), await surfer.get("register")

    assert login.tags[0][0] == "p"
    assert login.forms[0].action == "/auth/login"
    assert register.tags[0][0] == "p"
    with pytest.raises(ValueError, match="no folder"):
        made(Pages(), templates=str(tmp_path / "none"))


async def test_texts_of_the_host_come_first() -> None:
    texts = {"en": {"pages.login.title": "Welcome back", "field.vat_id": "VAT number"}}
    surfer = made(Pages(), texts=texts, fields=[Field("vat_id"), Field("shoe_size", int)])

    assert "Welcome back" in (await surfer.get("login")).text
    assert "VAT number (optional) Shoe size (optional)" in (await surfer.get("register")).text


async def test_the_browser_chooses_the_language(surfer: Surfer) -> None:
    surfer.client.headers["accept-language"] = "de-AT,de;q=0.9"
    surfer.client.headers["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"

    refused = await surfer.post("register", {"email": "x", "password": "a", "company": "y" * 90, "age": "z"})
    assert refused.tags[0] == ("html", {"lang": "de"})
    assert refused.text.startswith("Fehler: Konto anlegen")
    assert "Bitte verwenden Sie höchstens 80 Zeichen." in refused.text
    assert "Bitte geben Sie eine Zahl ein." in refused.text
    short = await surfer.post("register", {"email": "a@example.com", "password": "a", "company": "y"})
    assert "Bitte verwenden Sie mindestens 8 Zeichen." in short.text
    await surfer.post("register", {"email": "a@example.com", "password": "ein gutes Passwort", "company": "y"})
    wrong = await surfer.post("login", {"email": "a@example.com", "password": "falsch"})
    assert "Die Adresse oder das Passwort ist falsch." in wrong.text
    await surfer.post("login", {"email": "a@example.com", "password": "ein gutes Passwort"})
    assert "Firefox auf Linux" in (await surfer.get("account")).text


@pytest.mark.parametrize("language", sorted(shipped()))
async def test_every_language_has_all_pages(language: str) -> None:
    """No placeholder and no code of a text is left in any of them."""
    surfer = made(Pages(), fields=[Field("age", int)])
    surfer.client.headers["accept-language"] = language
    english = shipped()["en"]

    refused = await surfer.post("register", {"email": "x", "password": "a", "age": "z"})
    pages = [refused, *[await surfer.get(path) for path in ("login", "register", "account")]]

    for page in pages:
        assert page.tags[0] == ("html", {"lang": language})
        assert not re.search(r"[{}]|pages\.\w", page.text)
        assert english["pages.login.button"] not in page.text or language == "en"


async def test_a_language_from_right_to_left_says_so() -> None:
    surfer = made(Pages(), texts={"he": {"pages.login.title": "כניסה"}})
    surfer.client.headers["accept-language"] = "he"

    assert (await surfer.get("login")).tags[0] == ("html", {"lang": "he", "dir": "rtl"})


def test_every_error_has_a_text() -> None:
    from tests.test_app import CLASSES

    assert {f"error.{kind.code}" for kind in CLASSES} - shipped()["en"].keys() - {"error.auth_error"} == set()


async def test_an_error_that_the_catalogue_does_not_know_is_told_in_its_own_words(surfer: Surfer) -> None:
    from asgi_auth.errors import ForbiddenError
    from asgi_auth.feature import Feature, LoginAttempt

    class TooEarlyError(ForbiddenError):
        code = "too_early"
        default_detail = "Come back tomorrow."

    class Doors(Feature):
        async def before_login(self, login: LoginAttempt) -> None:  # noqa: ARG002
            raise TooEarlyError

    async with make_auth(features=[*cheap(), Pages(), Doors()]) as auth:
        surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
        account = {"email": "a@example.com", "password": "some good password"}
        await Client(surfer.client.app).post("/auth/register", account)

        page = await surfer.post("login", account)

    assert (page.status, "Come back tomorrow." in page.text) == (403, True)
