"""What all tests may ask for: the database servers, and an `Auth` with its clock and a client."""

from tests.fixtures import auth, client, clock
from tests.storage.conftest import fresh, servers

__all__ = ["auth", "client", "clock", "fresh", "servers"]
