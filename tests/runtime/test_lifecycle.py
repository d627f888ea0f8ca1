"""Closing an `Auth` whose parts fail."""

from pathlib import Path

import pytest

from asgi_auth import Auth, Settings
from asgi_auth.feature import Feature
from asgi_auth.storage.sqlite import SQLite, SQLiteDriver
from tests.support import SECRET


class Broken(Feature):
    """A feature that cannot close."""

    async def close(self) -> None:
        raise RuntimeError("cannot close")


class Tidy(Feature):
    """A feature that notes that it was closed."""

    closed = False

    async def close(self) -> None:
        self.closed = True


async def test_a_feature_that_fails_to_close_keeps_nothing_else_open(tmp_path: Path) -> None:
    storage, tidy = SQLite(tmp_path / "auth.db"), Tidy()
    auth = Auth(storage, settings=Settings(secret=SECRET), features=[Broken(), tidy])
    await auth.start()

    with pytest.raises(RuntimeError, match="cannot close"):
        await auth.close()

    assert tidy.closed
    assert isinstance(storage._driver, SQLiteDriver)
    assert storage._driver._loops.get() is None


async def test_a_part_that_fails_to_stop_keeps_no_storage_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    storage = SQLite(tmp_path / "auth.db")
    auth = Auth(storage, settings=Settings(secret=SECRET), features=[])
    await auth.start()

    async def fails() -> None:
        raise RuntimeError("cannot stop")

    monkeypatch.setattr(auth.purger, "stop", fails)
    with pytest.raises(RuntimeError, match="cannot stop"):
        await auth.close()

    assert isinstance(storage._driver, SQLiteDriver)
    assert storage._driver._loops.get() is None
