"""A driver of the user, which passes each call on and keeps count, against the contract of the kit."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from asgi_auth.storage import from_url
from asgi_auth.testing.contract import *  # noqa: F403 (its tests)


class Counted:
    """A storage that counts the calls of another one."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        self.calls += 1
        return getattr(self._inner, name)


@pytest.fixture
async def storage() -> AsyncIterator[Any]:
    made: Any = Counted(from_url("sqlite://"))
    await made.open()
    await made.migrate()
    yield made
    await made.close()
    assert made.calls > 0
