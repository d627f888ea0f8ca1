"""The probe tells when the database took no writes, and does not end unseen."""

import asyncio

import asyncpg
import pytest

from tests.ha.judge import Times
from tests.ha.probe import FAILURES, Pause, Probe


def probe(written: list[tuple[float, str]], failed: list[tuple[float, str]]) -> Probe:
    made = Probe()
    made.written, made.failed = written, failed
    return made


def every_tenth(begin: float, end: float, node: str) -> list[tuple[float, str]]:
    return [(begin + number / 10, node) for number in range(round((end - begin) * 10) + 1)]


STANDBYS = [(at, node) for at, _ in every_tenth(90, 130, "") for node in ("db2", "db3")]


def test_a_short_outage_is_one() -> None:
    written = every_tenth(90, 101, "db1") + every_tenth(101.5, 130, "db1")
    found = probe(written, [*STANDBYS, (101.2, "db1")])

    assert found.pauses(100, 120, "db1", []) == [Pause(101, 101.5)]


def test_a_slow_machine_is_none() -> None:
    written = every_tenth(90, 101, "db1") + every_tenth(104, 130, "db1")

    assert probe(written, STANDBYS).pauses(100, 120, "db1", []) == []


def test_an_outage_lasts_until_another_node_takes_writes_and_there_may_be_several() -> None:
    written = every_tenth(90, 100, "db1") + every_tenth(103, 110, "db2") + every_tenth(112, 130, "db2")
    failed = [(101.0, "db1"), (101.0, "db2"), (111.0, "db2"), *((at, "db1") for at, _ in every_tenth(101, 130, ""))]

    assert probe(written, failed).pauses(100, 120, "db1", []) == [Pause(100, 103), Pause(110, 112)]


def test_what_an_isolated_node_takes_does_not_count() -> None:
    written = every_tenth(90, 130, "db1") + every_tenth(115, 130, "db2")

    assert probe(written, []).pauses(100, 120, "db1", {"db1"}) == [Pause(100, 115)]


def test_a_database_that_does_not_come_back_has_no_end_of_its_outage() -> None:
    assert probe(every_tenth(90, 100, "db1"), [(101.0, "db1")]).pauses(100, 120, "db1", []) == []


@pytest.mark.parametrize(
    ("at", "after"), [(100.0, 0.0), (105.0, 0.0), (110.5, 0.5), (119.9, 0.0), (121.0, 0.0), (126.0, 1.0)]
)
def test_a_failure_counts_from_the_end_of_the_outage_before_it(at: float, after: float) -> None:
    times = Times(100, [Pause(100, 110), Pause(120, 125)], 130)

    assert times.after_database(at) == pytest.approx(after)


def test_a_failure_before_the_first_outage_counts_from_the_beginning() -> None:
    assert Times(100, [Pause(110, 120)], 130).after_database(103) == pytest.approx(3)


async def test_a_probe_that_has_ended_is_an_error() -> None:
    async def ends() -> None:
        raise ValueError("a probe")

    found = Probe()
    found._tasks = [asyncio.create_task(ends())]
    await asyncio.sleep(0)

    with pytest.raises(RuntimeError) as raised:
        await found.stop()
    assert isinstance(raised.value.__cause__, ValueError)


def test_whatever_the_driver_says_of_a_server_that_shuts_down_is_a_failed_write() -> None:
    for error in (asyncpg.InternalClientError, asyncpg.AdminShutdownError, asyncpg.ConnectionDoesNotExistError):
        assert issubclass(error, FAILURES)
