"""The contract of a storage as tests, for a driver of yours: `from asgi_auth.testing.contract import *`.

The module with that line defines a fixture `storage`, an open `Storage` whose tables are empty. The tests are async,
and pytest-asyncio or anyio runs them.
"""

import pytest

from asgi_auth.limits.counters import Counters
from asgi_auth.storage import Storage
from asgi_auth.testing.contract.attempts import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.audit import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.counting import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.credentials import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.factors import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.feed import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.grants import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.networks import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.opening import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.races import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.removed_factors import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.sessions import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.token_owners import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.tokens import *  # noqa: F403 (its tests)
from asgi_auth.testing.contract.users import *  # noqa: F403 (its tests)


@pytest.fixture
def counters(storage: Storage) -> Counters:
    """The counters under test: those of the storage. Define a fixture of this name for others."""
    return storage


__all__ = ["counters", *(name for name in globals() if name.startswith("test_"))]  # noqa: PLE0604 (all are strings)
