"""A world with a user who is logged in."""

from collections.abc import AsyncIterator

import pytest

from tests.oauth.world import World, make
from tests.support import Clock


@pytest.fixture
async def world(clock: Clock) -> AsyncIterator[World]:
    async with make(clock) as auth:
        made = World(auth, clock)
        await made.log_in()
        yield made
