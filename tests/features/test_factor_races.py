"""Races of second factors over four processes; a short run. The long one is `python -m tests.features.factor_races`."""

import pytest

from tests.features.factor_races.__main__ import run
from tests.features.factor_races.races import RACES
from tests.sessions.model.__main__ import database


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
async def test_second_factors_are_raced_for_among_processes(name: str) -> None:
    with database(name) as url:
        rounds = await run(url, rounds=2, callers=6)

    assert rounds.keys() == {race.__name__ for race in RACES}
