"""Storages from URLs."""

from pathlib import Path

import pytest

from asgi_auth.storage import from_url
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.testing.records import NOW


@pytest.mark.parametrize(
    ("url", "kind"),
    [("sqlite://", SQLite), ("sqlite:///x.db", SQLite), ("postgresql://h/d", Postgres), ("postgres://h/d", Postgres)],
)
def test_a_url_names_the_driver(url: str, kind: type[SQLStorage]) -> None:
    assert type(from_url(url)) is kind


async def test_a_file_may_have_an_absolute_path(tmp_path: Path) -> None:
    storage = from_url(f"sqlite:///{tmp_path}/auth.db")

    await storage.open()
    await storage.migrate(NOW)
    await storage.close()

    assert (tmp_path / "auth.db").exists()


@pytest.mark.parametrize("url", ["", "auth.db", "sqlite", "sqlite:", "mysql://h/d", "sqlite://auth.db"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"sqlite:///"):
        from_url(url)
