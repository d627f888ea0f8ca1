"""Four worker processes on one database: refresh races, reuse, and revocation (the long run is benchmarks.races)."""

from collections.abc import Callable

import httpx2
import pytest

from tests.cluster import FLIGHT, account_at, cluster, race, revocation_delay
from tests.storage.conftest import FILES_AND_SERVERS

ROUNDS = 5


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_refreshes_race_and_replays_end_the_session(driver: str, fresh: Callable[[str], str]) -> None:
    with cluster(fresh(driver)) as urls:
        async with httpx2.AsyncClient(timeout=30) as client:
            account = await account_at(client, urls[0], "ada")

            rounds = [await race(client, urls, account) for _ in range(ROUNDS)]
            delays = [await revocation_delay(client, urls, account) for _ in range(ROUNDS)]

    for result in rounds:
        assert result.statuses == [200] * FLIGHT
        assert result.successors == 1
        assert result.replay == "token_reuse"
        assert result.after_replay == "token_revoked"
        assert result.access_after_replay == 401
    assert max(delays) < 2
