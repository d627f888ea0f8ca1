"""The benchmark of overload: it measures what succeeds and how long the slowest answer takes."""

import logging

import pytest

from benchmarks.overload import LOADS, NOMINAL, SITUATIONS, measure
from benchmarks.parts.overload import CAPACITY, SLOWEST, goodput, targets
from benchmarks.records import Part, Table


async def test_a_situation_is_measured_with_each_load(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "asgi_auth")

    capacity, outcomes = await measure(SITUATIONS["locked SQLite"], seconds=0.3, bound=0.5)

    assert capacity == NOMINAL
    assert list(outcomes) == list(LOADS)
    assert all(set(outcome.statuses) == {503} and outcome.goodput == 0 for outcome in outcomes.values())
    assert 0.4 < outcomes[1].slowest < 5


def test_the_targets_compare_with_the_peak_and_the_bound() -> None:
    table = Table("overload", "", "", "")
    for load, good in zip(LOADS, (5.0, 10.0, 9.0, 7.0), strict=True):
        table.add("slow PostgreSQL", goodput(load), [good])
    table.add("slow PostgreSQL", CAPACITY, [10.0])
    table.add("slow PostgreSQL", SLOWEST, [0.5, 6.0])

    found = targets(Part("overload", [table]))

    assert [(each.measured, each.verdict) for each in found] == [
        (0.7, "missed"),
        (None, "not measured"),
        (6.0, "missed"),
    ]
