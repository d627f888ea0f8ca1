"""What `make test` leaves to `make test-full`: variants only, never a whole test."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.variants import VARIABLE, crossed, waits

ROOT = Path(__file__).parent.parent
#: Tests with variants of each kind.
FILES = (
    "browser/test_look.py",
    "browser/test_client.py",
    "test_benchmarks.py",
    "test_fork.py",
    "sessions/test_clocks.py",
)


def collected(variable: str) -> set[str]:
    """Return the names of what a run of `FILES` would run."""
    command = [sys.executable, "-m", "pytest", "-q", "--collect-only", *(f"tests/{name}" for name in FILES)]
    environment = os.environ | {VARIABLE: variable}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_each_test_keeps_a_variant_and_a_full_run_has_all() -> None:
    few, all_ = collected(""), collected("1")

    assert few < all_
    assert {name.partition("[")[0] for name in few} == {name.partition("[")[0] for name in all_}
    assert {name for name in all_ if "many_ends" in name or "light-360" in name} <= all_ - few
    assert len([name for name in few if "test_every_page" in name]) == 2


def test_files_of_two_names_are_no_variants() -> None:
    names = {f"tests/x.py::test_a_file[tests/browser/{browser}.py-{browser}.py]" for browser in ("chromium", "firefox")}

    assert not any(waits(name, names) for name in names)


def test_the_target_of_everything_asks_for_all_variants() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert f"\ntest-full: export {VARIABLE} := 1\n" in makefile


def test_every_value_is_in_a_pair_that_every_run_has() -> None:
    pairs = crossed({"js": True, "no-js": False}, ["sqlite", "postgres18", "memory"])
    kept = [pair for pair in pairs if not pair.marks]

    assert [pair.id for pair in kept] == ["js-sqlite", "js-memory", "no-js-postgres18"]
    assert {pair.values[0] for pair in kept} == {True, False}
    assert len(pairs) == 6


def test_of_two_servers_each_has_its_turns() -> None:
    names = {f"tests/x.py::test_{number}[{server}]" for number in range(40) for server in ("postgres15", "postgres18")}
    run = {name for name in names if not waits(name, names)}
    numbers = sorted(int(re.findall(r"\d+", name)[0]) for name in run)

    assert numbers == list(range(40))
    assert 10 < len([name for name in run if "postgres15" in name]) < 30


@pytest.mark.parametrize(
    "name", ["tests/storage/test_contract.py::test_x[postgres18]", "tests/x.py::test_y[postgres18]"]
)
def test_the_contract_runs_with_both_and_what_has_one_variant_runs(name: str) -> None:
    others = {name, "tests/storage/test_contract.py::test_x[postgres15]"}

    assert not waits(name, others)
