"""The judge: what the log of the clients and the database say about one route during one failure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.ha.log import WRITES, Entry
from tests.ha.probe import Pause

#: Seconds between two writes of the probe: a server that stops may refuse a client before it refuses the probe.
SLACK = 0.2
#: Refusals that are about load and not about the failure.
LOAD = frozenset({"busy"})
#: Requests of an honest client with a token that is good.
HONEST = frozenset({"who", "refresh", "logout", "change", "login"})


@dataclass
class Times:
    """When the failure began, when the database took no writes, and when all was mended."""

    failed: float
    pauses: list[Pause]
    healed: float

    def after_database(self, at: float) -> float:
        """Return for how long the database had taken writes at a time after the failure: again, or still."""
        if any(pause.begin - SLACK <= at <= pause.end for pause in self.pauses):
            return 0.0
        return at - max((pause.end for pause in self.pauses if pause.end < at), default=self.failed)


@dataclass
class Verdict:
    """What one route came to. Times are seconds."""

    #: From the failure until the last write that failed, for the worst process; None if no write failed.
    outage: float | None = None
    #: For how long writes went on failing while the database took them.
    after_database: float = 0.0
    refused: Counter[str] = field(default_factory=Counter)
    unavailable: Counter[str] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)
    #: Calls of the app with a good token during the outage: by status.
    calls: Counter[int] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    #: Sessions that a process accepted more than `max_revocation_lag` after their end was acknowledged.
    late: int = 0
    latest: float = 0.0
    acknowledged: int = 0

    @property
    def reuse(self) -> int:
        """Honest clients that were taken for thieves."""
        return self.refused["token_reuse"]


def judge(entries: Iterable[Entry], times: Times, lag: float) -> Verdict:
    """Judge the entries of one route by themselves; `look_for_losses` adds what the database says."""
    entries = sorted(entries, key=lambda entry: entry.sent)
    verdict = Verdict(acknowledged=sum(entry.is_acknowledged for entry in entries if entry.op in WRITES))
    _judge_outage(verdict, entries, times)
    refused: set[tuple[str, str]] = set()
    for entry in entries:
        if entry.op in HONEST and entry.status == 401 and (entry.session or entry.email, entry.code) not in refused:
            refused.add((entry.session or entry.email, entry.code))
            verdict.refused[entry.code] += 1
    late = [entry for entry in entries if entry.op == "ended" and entry.status == 200]
    late = [entry for entry in late if entry.sent - entry.since > lag]
    verdict.late = len({(entry.session, entry.process) for entry in late})
    verdict.latest = max((entry.sent - entry.since for entry in late), default=0.0)
    return verdict


def _judge_outage(verdict: Verdict, entries: list[Entry], times: Times) -> None:
    during = [entry for entry in entries if entry.got >= times.failed]
    failed = []
    for entry in during:
        if entry.status == 503:
            verdict.unavailable[entry.code] += 1
        elif entry.is_unknown:
            verdict.broken[f"{entry.op} {entry.status} {entry.code}".strip()] += 1
        if entry.op in WRITES and entry.is_unknown and entry.code not in LOAD and entry.got <= times.healed:
            failed.append(entry.got)
    if failed:
        verdict.outage = max(failed) - times.failed
        verdict.after_database = max(map(times.after_database, failed))
    end = times.failed + (verdict.outage or 0.0)
    verdict.calls.update(entry.status for entry in during if entry.op == "who" and entry.sent <= end)


def look_for_losses(
    verdict: Verdict, entries: Iterable[Entry], emails: Iterable[str], sessions: Mapping[str, Mapping[str, Any]]
) -> None:
    """Compare what was acknowledged with the rows: the addresses of all users, and the sessions by their id."""
    expected = expectations(entries)
    verdict.lost["account"] = len(expected.users - set(emails))
    for session, generation in expected.generations.items():
        row = sessions.get(session)
        if row is None:
            # The row of a session that has ended may have been purged.
            verdict.lost["session"] += session in expected.alive
        elif session in expected.ended and row["revoked_at"] is None:
            verdict.lost["end of a session"] += 1
        elif session in expected.alive and row["revoked_at"] is not None:
            verdict.lost["live session ended"] += 1
        elif session in expected.alive and row["generation"] < generation:
            verdict.lost["refresh"] += 1
    verdict.lost = +verdict.lost


@dataclass
class Expected:
    """What the database must hold: accounts, the generation of each session, and which sessions live or have ended."""

    users: set[str] = field(default_factory=set)
    generations: dict[str, int] = field(default_factory=dict)
    alive: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    of_user: dict[str, set[str]] = field(default_factory=dict)


def expectations(entries: Iterable[Entry]) -> Expected:
    """Follow the log in the order of the answers. An end without an answer leaves a session neither alive nor ended."""
    expected = Expected()
    for entry in sorted(entries, key=lambda entry: entry.got):
        if entry.op == "register" and entry.is_acknowledged:
            expected.users.add(entry.email)
        if entry.session and entry.generation >= 0 and entry.is_acknowledged:
            known = expected.generations.get(entry.session, -1)
            expected.generations[entry.session] = max(known, entry.generation)
            if entry.op == "login":
                expected.alive.add(entry.session)
                expected.of_user.setdefault(entry.email, set()).add(entry.session)
        if entry.op == "logout" and entry.status != 401:
            _end(expected, {entry.session}, entry)
        if entry.op == "change" and (entry.is_acknowledged or entry.is_unknown):
            _end(expected, expected.of_user.get(entry.email, set()) - {entry.session}, entry)
        if entry.op in HONEST and entry.status == 401:
            # It is counted as refused; why the row is what it is, is part of that.
            expected.alive.discard(entry.session)
    return expected


def _end(expected: Expected, sessions: set[str], entry: Entry) -> None:
    expected.alive -= sessions
    if entry.is_acknowledged:
        expected.ended |= sessions & expected.generations.keys()
