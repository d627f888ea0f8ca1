"""Texts and templates: complete in both languages, replaceable, and safe against values with markup."""

import re
from pathlib import Path
from typing import Any

import pytest

from asgi_auth.mail import Letter, Mail, Templates
from asgi_auth.texts import Texts, purposes, shipped

LINK = "https://app.example.com/auth/verify-email?token=a&b=c"
NOTICES = {
    "new_device",
    "token_reuse",
    "password_changed",
    "email_changed",
    "email_change_requested",
    "account_closed",
    "factor_added",
    "factor_removed",
    "factor_paused",
    "recovery_code_used",
    "recovery_codes_made",
}


def render(purpose: str = "verify_email", *, name: str = "Shop", folder: Path | None = None, **fields: Any) -> Mail:
    templates = Templates(Texts(), name, str(folder) if folder else None)
    return templates.render(Letter(purpose=purpose, to="ann@example.com", **fields))


TIMES = {"de": "90 Minuten", "es": "90 minutos", "ja": "90分", "pl": "90 minut", "pt": "90 minutos"}


@pytest.mark.parametrize("language", sorted(shipped()))
@pytest.mark.parametrize("purpose", sorted(purposes()))
def test_every_mail_says_it_all_in_both_parts(purpose: str, language: str) -> None:
    secret: dict[str, Any] = (
        {} if purpose in NOTICES else {"link": LINK, "code": "123456", "token": "a", "seconds": 5400}
    )

    values = {
        "new_email": "b…@example.com",
        "device": "Firefox on Linux",
        "address": "192.0.2.7",
        "time": "12:00",
        "left": "7",
        "app": "Claude",
        "host": "claude.ai",
        "scopes": "Read your notes",
    }

    mail = render(purpose, language=language, values=values, user_id="u1", **secret)

    html = mail.html.replace("&amp;", "&").replace("&#39;", "'")
    assert (mail.purpose, mail.to, mail.language, mail.user_id) == (purpose, "ann@example.com", language, "u1")
    assert (mail.link, mail.code, mail.token) == tuple(secret.get(key, "") for key in ("link", "code", "token"))
    assert "Shop" in mail.subject
    for part in (mail.text, html):
        assert "Shop" in part
        assert not re.search(r"[{}]|None|mail\.\w", re.sub(r"<style>.*</style>", "", part, flags=re.DOTALL))
        if secret:
            assert LINK in part
            assert "123456" in part
            assert TIMES.get(language, "90 minutes") in part
        else:
            assert "<a " not in part
            assert "http" not in part
    assert f'<html lang="{language}">' in html
    assert ("b…@example.com" in mail.text) == ("email_change" in purpose)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (60, "one minute"),
        (900, "15 minutes"),
        (3600, "one hour"),
        (7200, "2 hours"),
        (86400, "one day"),
        (604800, "7 days"),
        (90, "90 seconds"),
        (1, "one second"),
        (5400, "90 minutes"),
    ],
)
def test_the_time_is_told_in_the_largest_unit_that_fits(seconds: int, said: str) -> None:
    assert f"within {said}." in render(code="123456", seconds=seconds).text


def test_what_is_not_there_is_not_mentioned() -> None:
    mail = render(seconds=900)
    link = render("password_changed", link=LINK)

    assert "within" not in mail.text + mail.html
    assert "code" not in mail.text
    assert LINK in link.text
    assert "If the button" not in link.html
    assert 'class="action"' not in link.html


@pytest.mark.parametrize(
    "hostile",
    [
        "{{7*7}}",
        "{% raw %}",
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "{code}",
        "{0.__class__}",
        "%s%n",
    ],
)
def test_values_are_only_values(hostile: str) -> None:
    mail = render("email_changed", name=hostile, code="123456", values={"new_email": hostile})

    assert hostile in mail.subject
    assert mail.text.count(hostile) >= 2
    assert "49" not in mail.text + mail.html
    assert "<script" not in mail.html
    assert "<img" not in mail.html
    assert mail.text.count("123456") == 1


def test_values_stay_on_one_line() -> None:
    hostile = "Shop\r\nBcc: eve@example.com\n\nFree\u2028money\x00\x1b[2J\u202e"

    mail = render("email_changed", name=hostile, values={"new_email": hostile})

    assert mail.subject == "Your address for Shop Bcc: eve@example.com Free money[2J was changed"
    assert "Shop Bcc: eve@example.com Free money[2J" in mail.text
    assert not any(sign in mail.html + mail.text for sign in "\r\x00\x1b\u2028\u202e")


def test_a_code_or_link_can_not_break_out_of_the_page() -> None:
    mail = render(code="<b>", link='https://x.example/"onclick="x')

    assert "<b>" not in mail.html
    assert '"onclick="' not in mail.html


def test_nothing_is_loaded_from_elsewhere() -> None:
    html = render(link=LINK, code="123456").html

    assert not re.search(r"<(img|script|link|iframe)|url\(|@import|src=", html)
    assert set(re.findall(r"https?://[^\"<]+", html)) == {LINK.replace("&", "&amp;")}


def test_an_unknown_language_is_the_default() -> None:
    mail = Templates(Texts("de"), "Laden").render(Letter(purpose="magic_link", to="ann@example.com", language="nl"))

    assert (mail.language, mail.subject) == ("de", "Anmelden bei Laden")


def test_an_unknown_purpose_or_missing_value_is_told() -> None:
    with pytest.raises(KeyError, match="nonsense"):
        render("nonsense")
    with pytest.raises(KeyError, match="new_email"):
        render("email_changed")


def test_a_host_replaces_texts() -> None:
    texts = Texts(overrides={"en": {"mail.verify_email.subject": "Hi from {name}", "mail.common.footer": ""}})

    mail = Templates(texts, "Shop").render(Letter(purpose="verify_email", to="ann@example.com"))

    assert mail.subject == "Hi from Shop"
    assert "automatically" not in mail.text


def test_a_host_replaces_all_templates_or_one(tmp_path: Path) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail.txt").write_text("OURS {{ body }} {{ link }}")
    (tmp_path / "mail" / "email_changed.html").write_text(
        '{% extends "mail.html" %}{% block content %}<i>{{ name }}</i> {{ values.new_email }}{% endblock %}'
    )

    changed = render("email_changed", folder=tmp_path, name="<Shop>", values={"new_email": "{{7*7}}<b>"})
    other = render(folder=tmp_path, link=LINK)

    assert changed.text.startswith("OURS The email address of your account")
    assert "<i>&lt;Shop&gt;</i> {{7*7}}&lt;b&gt;" in changed.html
    assert "<h1>" not in changed.html
    assert LINK in other.text
    assert "<h1>" in other.html


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mail.txt", "{{ nothing }}", "'nothing' is undefined"),
        ("mail.html", '{% extends "ours/mail.html" %}', "ours/mail.html"),
        ("mail.html", "{% if %}", "Expected an expression"),
        ("mail/unlock.txt", "{{ values.nothing }}", "cannot render the mail unlock"),
    ],
)
def test_a_template_that_makes_no_mail_is_told_at_once(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / "mail").mkdir()
    (tmp_path / name).write_text(text)

    with pytest.raises(ValueError, match=said):
        Templates(Texts(), "Shop", str(tmp_path))


def test_a_template_of_the_same_name_starts_from_ours(tmp_path: Path) -> None:
    text = '{% extends "asgi_auth/mail.html" %}{% block content %}<hr>{{ super() }}{% endblock %}'
    (tmp_path / "mail.html").write_text(text)

    html = render(folder=tmp_path, link=LINK).html

    assert "<hr>" in html
    assert "<h1>" in html


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="templates: there is no folder"):
        Templates(Texts(), "Shop", str(tmp_path / "nowhere"))
