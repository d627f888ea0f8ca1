"""The environment variables of the examples."""

import os
from collections.abc import Iterator

import pytest

from tests.support import SECRET


@pytest.fixture(scope="session", autouse=True)
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One database for all examples in this process, because each example is imported once."""
    path = tmp_path_factory.mktemp("hosts") / "auth.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "AUTH_DATABASE_URL", f"sqlite:///{path}")
        patch.setitem(os.environ, "AUTH_SECRET", SECRET)
        yield
