"""Commands on a fresh database."""

from collections.abc import Callable

import pytest

from tests.command.commands import Commands
from tests.storage.conftest import FILES_AND_SERVERS

Fresh = Callable[[str], str]


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fresh: Fresh) -> Commands:
    """Commands on a SQLite file."""
    return Commands(monkeypatch, capsys, fresh("sqlite"))


@pytest.fixture(params=FILES_AND_SERVERS)
def everywhere(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fresh: Fresh
) -> Commands:
    """Commands on each database."""
    return Commands(monkeypatch, capsys, fresh(request.param))
