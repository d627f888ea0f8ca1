"""Imports of several processes at once, and an import that was killed."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from asgi_auth.importing import import_users
from tests.importing.users import importing, lines, rows_of
from tests.storage.conftest import FILES_AND_SERVERS

COUNT = 1200
RECORDS = [{"email": f"user{number}@example.com", "password_hash": "$2b$04$" + "." * 53} for number in range(COUNT)]


@contextmanager
def workers(*commands: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that wait for a line."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.importing.worker", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for command in commands
    ]
    try:
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        yield started
    finally:
        for each in started:
            each.kill()
            each.communicate()


def outputs(started: list[subprocess.Popen[str]]) -> list[list[int]]:
    """Let all begin at once; return the numbers that each prints, and nothing for one that died."""
    for each in started:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()
    return [[int(number) for number in each.communicate(timeout=100)[0].split()] for each in started]


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_of_two_imports_of_one_file_at_once_each_user_is_made_once(
    driver: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    url, file = fresh(driver), str(lines(tmp_path, RECORDS))
    backwards = str(lines(tmp_path, RECORDS[::-1], "backwards.jsonl"))
    async with importing(url) as auth:
        with workers([url, file], [url, file], [url, backwards]) as started:
            found = outputs(started)

        assert [sum(numbers) for numbers in found] == [COUNT] * 3
        assert sum(made for made, _, _ in found) == COUNT
        assert sum(refused for _, _, refused in found) == 0
        rows = await rows_of(auth)
        assert len({user.email for user, _ in rows}) == len(rows) == COUNT
        assert {len(credentials) for _, credentials in rows} == {1}


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_killed_import_that_runs_again_is_complete(
    driver: str, fresh: Callable[[str], str], tmp_path: Path
) -> None:
    url, file = fresh(driver), lines(tmp_path, RECORDS)
    async with importing(url) as auth:
        with workers([url, str(file), "1"]) as started:
            assert outputs(started) == [[]]
        before = await rows_of(auth)
        assert 500 <= len(before) < COUNT

        report = await import_users(auth, file)

        assert (report.skipped, report.made, report.refused) == (len(before), COUNT - len(before), 0)
        rows = await rows_of(auth)
        assert len(rows) == COUNT
        assert all(row in rows for row in before)
