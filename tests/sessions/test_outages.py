"""Outages of the database stop the clock of the grace of refresh tokens, and no client can prolong it by them."""

import pytest

from asgi_auth.sessions.outages import LONGEST, Outages
from tests.support import Clock

GRACE = 10


def after(clock: Clock, outages: Outages, *steps: tuple[float, bool]) -> float:
    """Take looks at the database, each so many seconds after the last one; return the time of the first."""
    began = clock()
    for seconds, answered in steps:
        clock.move(seconds)
        (outages.answered if answered else outages.failed)()
    return began


@pytest.mark.parametrize(
    ("rotated", "later", "excused"),
    [
        # The last answer is at 1, the first failure at 2, and the database is back at 26.
        (0, 0, True),
        (1, 0, True),
        (-8, 10, True),
        (25, 10, True),
        (-10, 0, False),
        (27, 1, False),
        (1, 11, False),
    ],
)
def test_a_grace_that_an_outage_cut_is_given_again_once(rotated: int, later: int, *, excused: bool) -> None:
    clock = Clock()
    outages = Outages(GRACE, clock)
    began = after(clock, outages, (0, True), (1, True), (1, False), (5, False), (19, True), (later, True))

    assert outages.excuse(int(began) + rotated) is excused


def test_during_an_outage_and_between_two_close_ones_the_grace_goes_on() -> None:
    clock = Clock()
    outages = Outages(GRACE, clock)
    began = int(after(clock, outages, (0, True), (1, False), (30, False)))
    assert outages.excuse(began)

    after(clock, outages, (1, True), (9, True), (1, False), (20, True))
    assert outages.excuse(began)

    after(clock, outages, (11, True), (1, False), (20, True))
    assert not outages.excuse(began)


def test_without_an_outage_or_a_grace_nothing_is_excused() -> None:
    clock = Clock()
    outages, without_grace = Outages(GRACE, clock), Outages(0, clock)
    for made in (outages, without_grace):
        after(clock, made, (0, True), (1, True))
        assert not made.excuse(int(clock()))
    after(clock, without_grace, (1, False), (1, True))

    assert not without_grace.excuse(int(clock()))


def test_an_outage_without_an_end_excuses_for_five_minutes_at_most() -> None:
    clock = Clock()
    outages = Outages(GRACE, clock)
    began = int(after(clock, outages, (0, True), (1, False)))
    clock.move(LONGEST + GRACE - 1)
    assert outages.excuse(began)

    clock.move(1)
    assert not outages.excuse(began)


def test_a_process_that_was_frozen_dates_no_outage_back() -> None:
    clock = Clock()
    outages = Outages(GRACE, clock)
    began = int(after(clock, outages, (0, True), (100, False), (1, True)))

    assert not outages.excuse(began)
    assert outages.excuse(began + 80)


def test_a_process_that_starts_without_its_database_knows_of_the_outage() -> None:
    clock = Clock()
    outages = Outages(GRACE, clock)
    began = int(after(clock, outages, (5, False), (20, True)))

    assert outages.excuse(began)
