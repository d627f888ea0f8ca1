"""The judge sees each kind of defect, and no defect where there is none."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.ha.failures import FAILURES
from tests.ha.judge import Times, Verdict, judge, look_for_losses
from tests.ha.log import Entry, Log, read
from tests.ha.probe import Pause
from tests.ha.routes import ROUTES
from tests.ha.row import Row
from tests.ha.targets import misses

TIMES = Times(failed=100.0, pauses=[Pause(100.5, 110.0)], healed=130.0)
EMAIL = "ada@example.com"


def entry(op: str, at: float, status: int, **more: Any) -> Entry:
    return Entry(op=op, route="hosts", sent=at, got=at + 0.1, status=status, email=EMAIL, **more)


def story(*more: Entry) -> list[Entry]:
    """A registration, a login with session `s`, and one refresh; then more."""
    begun = entry("login", 90, 200, session="s", generation=0)
    return [entry("register", 89, 201), begun, entry("refresh", 91, 200, session="s", generation=1), *more]


def losses(entries: list[Entry], rows: dict[str, dict[str, Any]], emails: tuple[str, ...] = (EMAIL,)) -> dict[str, int]:
    verdict = Verdict()
    look_for_losses(verdict, entries, emails, rows)
    return dict(verdict.lost)


def row_of(generation: int, revoked_at: int | None = None) -> dict[str, dict[str, Any]]:
    return {"s": {"generation": generation, "revoked_at": revoked_at}}


def test_a_database_that_has_all_that_was_acknowledged_has_lost_nothing() -> None:
    assert losses(story(), row_of(1)) == {}
    assert losses(story(entry("logout", 95, 204, session="s")), row_of(1, 95)) == {}


@pytest.mark.parametrize(
    ("entries", "rows", "lost"),
    [
        (story(), {}, "session"),
        (story(), row_of(0), "refresh"),
        (story(), row_of(1, 95), "live session ended"),
        (story(entry("logout", 95, 204, session="s")), row_of(1), "end of a session"),
        (story(entry("change", 95, 200, session="other")), row_of(1), "end of a session"),
    ],
)
def test_what_was_acknowledged_and_is_not_there_is_lost(
    entries: list[Entry], rows: dict[str, dict[str, Any]], lost: str
) -> None:
    assert losses(entries, rows) == {lost: 1}


def test_an_account_that_is_gone_is_lost() -> None:
    assert losses(story(), row_of(1), emails=()) == {"account": 1}


@pytest.mark.parametrize("status", [0, 500, 503])
@pytest.mark.parametrize("row", [row_of(1), row_of(1, 95)], ids=["alive", "ended"])
def test_an_end_without_an_answer_may_have_happened_or_not(status: int, row: dict[str, dict[str, Any]]) -> None:
    assert losses(story(entry("logout", 95, status, session="s")), row) == {}
    assert losses(story(entry("change", 95, status, session="other")), row) == {}


def test_a_registration_without_an_answer_may_be_gone() -> None:
    assert losses([entry("register", 89, 503)], {}, emails=()) == {}


def test_the_outage_lasts_until_the_last_write_that_failed() -> None:
    verdict = judge([entry("refresh", 101, 503), entry("login", 111.4, 0), entry("refresh", 112, 200)], TIMES, lag=2)

    assert verdict.outage == pytest.approx(11.5)
    assert verdict.after_database == pytest.approx(1.5)
    assert verdict.broken == {"login 0": 1}


def test_load_reads_and_what_comes_before_or_after_are_no_outage() -> None:
    busy, read_only = entry("login", 105, 503, code="busy"), entry("who", 120, 503)
    verdict = judge([entry("refresh", 95, 503), busy, read_only, entry("refresh", 131, 503)], TIMES, lag=2)

    assert (verdict.outage, verdict.after_database) == (None, 0.0)


def test_a_write_that_failed_without_an_outage_of_the_database_counts_from_the_failure() -> None:
    verdict = judge([entry("refresh", 103, 503)], Times(100, [], 130), lag=2)

    assert verdict.after_database == pytest.approx(3.1)


def test_each_failure_counts_from_the_outage_before_it() -> None:
    times = Times(100, [Pause(100, 110), Pause(112, 120)], 130)
    # One failed for 1.7 s while the database took writes; the other one while it took none.
    verdict = judge([entry("refresh", 111.6, 503), entry("refresh", 119, 503)], times, lag=2)

    assert verdict.outage == pytest.approx(19.1)
    assert verdict.after_database == pytest.approx(1.7)


def test_a_session_that_is_refused_counts_once_for_each_reason() -> None:
    reuse = [entry("refresh", at, 401, session="s", code="token_reuse") for at in (101, 102)]
    verdict = judge([*reuse, entry("who", 103, 401, session="s", code="token_revoked")], TIMES, lag=2)

    assert verdict.reuse == 1
    assert verdict.refused == {"token_reuse": 1, "token_revoked": 1}


def test_the_refusal_of_an_ended_session_is_right_and_its_acceptance_late_after_the_lag() -> None:
    def tried(at: float, status: int) -> Entry:
        return entry("ended", at, status, session="s", since=100.0)

    assert judge([tried(101.9, 200), tried(102.5, 401)], TIMES, lag=2).late == 0
    verdict = judge([tried(101.9, 200), tried(102.1, 200), tried(103.0, 200), tried(103.5, 401)], TIMES, lag=2)

    assert verdict.late == 1
    assert verdict.latest == pytest.approx(3.0)
    assert verdict.refused == {}


def test_what_is_logged_is_read_again(tmp_path: Path) -> None:
    log = Log(tmp_path / "log.jsonl")
    for written in story():
        log.add(written)
    log.close()

    assert read(log.file) == story()


def row(name: str, verdict: Verdict, *, synchronous: bool = True) -> Row:
    (failure,) = (failure for failure in FAILURES if failure.name == name)
    return Row(failure, synchronous, verdicts={route.name: verdict for route in ROUTES})


def test_a_good_verdict_misses_no_target() -> None:
    assert misses(row("kill", Verdict(outage=4.0, after_database=0.9))) == []
    assert misses(row("cut", Verdict(outage=25.0, after_database=5.9))) == []


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(after_database=1.1),
        Verdict(broken=Counter({"login 500": 1})),
        Verdict(lost=Counter({"refresh": 1})),
        Verdict(refused=Counter({"token_reuse": 1})),
        Verdict(refused=Counter({"token_revoked": 1})),
        Verdict(late=1),
    ],
)
def test_each_promise_can_be_broken(verdict: Verdict) -> None:
    assert len(misses(row("kill", verdict))) == len(ROUTES)


def test_more_connections_than_the_pools_have_are_a_miss() -> None:
    found = row("kill", Verdict())
    found.connections = {"hosts": 22, "haproxy": 23}

    assert misses(found) == ["haproxy: 23 connections, not 22 at most"]


def test_without_a_synchronous_standby_writes_may_be_lost_and_two_primaries_know_different_ends() -> None:
    assert misses(row("lag", Verdict(lost=Counter(refresh=1)), synchronous=False)) == []
    assert misses(row("frozen", Verdict(late=1), synchronous=False)) == []
    assert misses(row("lag", Verdict(late=1), synchronous=False)) != []
    assert misses(row("frozen", Verdict(late=1))) != []
