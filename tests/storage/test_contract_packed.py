"""The contract of the feed with pages so short that many follow, and with long ones after the first."""

import pytest

from asgi_auth.storage import sql_feed
from asgi_auth.testing.contract.feed import (
    test_single_ends_that_come_packed_or_by_their_ids_are_told_once_each as test_on_pages,
)

__all__ = ["test_on_pages"]


@pytest.fixture(autouse=True, params=[(1, 2), (2, 5), (3, 100)], ids=str)
def _short(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_feed, "PAGE", request.param[0])
    monkeypatch.setattr(sql_feed, "LONG_PAGE", request.param[1])
