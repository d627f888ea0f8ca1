"""The documentation's tables are those of the code, and it names everything that can be configured."""

import inspect
import re
from typing import Any

import pytest

from asgi_auth import (
    Account,
    Argon2,
    Audit,
    EmailVerification,
    Lockout,
    MagicLink,
    NewDevice,
    OpenAPI,
    Pages,
    PasswordPolicy,
    PasswordReset,
    Passwords,
    RateLimits,
    RedisCounters,
    Sessions,
    SMTPMailer,
    Unlock,
)
from asgi_auth.feature.base import BaseFeature
from asgi_auth.storage import Names
from asgi_auth.texts import purposes
from tests import llms
from tests.docs.diagrams import DIAGRAMS, FOLDER, drawn
from tests.docs.files import DOCS, README, ROOT, everything
from tests.documentation import page_of, tables, with_table

TEXT = everything()


@pytest.mark.parametrize(
    "name",
    ["endpoints", "pages", "settings", "limits", "errors", "events", "mails", "responses", "objects", "languages"],
)
def test_the_tables_are_those_of_the_code(name: str) -> None:
    assert with_table(name, tables()[name]) == page_of(name).read_text("utf-8"), "run: python -m tests.documentation"


def test_the_list_for_language_models_is_that_of_the_pages() -> None:
    assert llms.FILE.read_text("utf-8") == llms.llms(), "run: python -m tests.documentation"


def test_no_table_is_left_out() -> None:
    reference = "".join(page.read_text("utf-8") for page in DOCS.glob("reference/*.md"))
    named = re.findall(r"<!-- table: (.+?) -->", reference)

    assert sorted(tables()) == sorted(named)
    assert {"endpoints", "command-line", "responses", "objects"} <= tables().keys()


@pytest.mark.parametrize(
    "kind",
    [
        Passwords,
        PasswordPolicy,
        Argon2,
        Names,
        Sessions,
        EmailVerification,
        PasswordReset,
        Account,
        Audit,
        NewDevice,
        MagicLink,
        RateLimits,
        Lockout,
        Unlock,
        RedisCounters,
        Pages,
        OpenAPI,
        SMTPMailer,
    ],
)
def test_every_option_of_the_parts_is_named(kind: type[Any]) -> None:
    options = [name for name in inspect.signature(kind).parameters if name not in {"parallelism", "testing"}]

    missing = [name for name in options if not re.search(rf"\b{name}\b", TEXT)]

    assert missing == []


def test_every_purpose_of_a_mail_is_named() -> None:
    mails = page_of("mails").read_text("utf-8")

    assert [purpose for purpose in purposes() if f"`{purpose}`" not in mails] == []


def test_every_hook_is_named() -> None:
    hooks = [
        name
        for name, value in vars(BaseFeature).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    ]

    assert len(hooks) == 27
    assert [name for name in hooks if f"`{name}" not in TEXT] == []


def test_every_example_and_every_host_module_is_linked_in_the_readme() -> None:
    text = README.read_text("utf-8")
    examples = {path.name for path in (ROOT / "examples").glob("*_app.py")}
    glue = {path.stem for path in (ROOT / "asgi_auth" / "hosts").glob("*.py")} - {"__init__", "guard", "merge"}

    assert {name for name in examples if f"(examples/{name})" not in text} == set()
    assert {name for name in glue if f"`asgi_auth.hosts.{name}`" not in text} == set()


def test_every_screenshot_is_there_and_shown() -> None:
    folder = DOCS / "images" / "pages"
    shown = set(re.findall(r"\(\.\./images/pages/(.+?\.png)\)", page_of("pages").read_text("utf-8")))

    assert {picture.name for picture in folder.glob("*.png")} == shown
    assert {name for name in shown if (folder / name).stat().st_size > 200_000} == set()


def test_the_diagrams_are_there_and_shown() -> None:
    assert (
        {path.stem for path in FOLDER.glob("*.svg")} == set(DIAGRAMS) == {"login", "request", "refresh", "revocation"}
    )
    for name, diagram in DIAGRAMS.items():
        assert (FOLDER / f"{name}.svg").read_text("utf-8") == drawn(diagram), "run: python -m tests.docs.diagrams"
        assert f"images/diagrams/{name}.svg)" in TEXT


def test_the_readme_is_short() -> None:
    assert 100 <= len(README.read_text("utf-8").splitlines()) <= 150


def test_no_page_is_a_wall_of_text() -> None:
    long = {file.name for file in DOCS.rglob("*.md") if len(file.read_text("utf-8").splitlines()) > 260}

    assert long == set()


def test_the_changelog_names_a_change_once() -> None:
    """Two branches that move the same lines can leave both versions behind."""
    unreleased = (README.parent / "CHANGELOG.md").read_text("utf-8").partition("\n## [Unreleased]\n")[2]
    changes = re.findall(r"^- (.{1,40})", unreleased.partition("\n## [")[0], re.MULTILINE)

    assert sorted({change for change in changes if changes.count(change) > 1}) == []
    assert len(changes) > 10
