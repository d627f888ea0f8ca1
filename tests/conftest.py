"""What all tests may ask for: the database servers, and an `Auth` with its clock and a client."""

from tests.browsers import browser
from tests.fixtures import auth, client, clock
from tests.lines import line, pair
from tests.storage.conftest import fresh, redis, servers
from tests.variants import select as pytest_collection_modifyitems
from tests.web.widened import widened

__all__ = [
    "auth", "browser", "client", "clock", "fresh", "line", "pair", "pytest_collection_modifyitems", "redis", "servers",
    "widened",
]  # fmt: skip
