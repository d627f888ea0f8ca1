"""The benchmarks run: most parts in the tiniest size, without the peers; and the docs show what was measured."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from benchmarks.__main__ import PARTS
from benchmarks.harness import LeftOutError, Run
from benchmarks.records import Part, Results, Table, at_least, at_most
from benchmarks.report import CHARTS, PAGE, RESULTS, SHOWN, for_docs, markdown
from benchmarks.sizes import SIZES
from tests.variants import more

ROOT = Path(__file__).parent.parent


#: Packages that the environment of `make bench` does not have.
OF_TESTS = ("hypothesis", "pytest", "trustme")
#: What starts servers by the dozen takes a minute: `make bench-quick` runs it.
LONG = {"end_to_end", "writes", "storm", "overload", "processes"}
#: Few parts, with the harness and the report that all share.
FEW = {"requests", "drivers", "scale", "refused"}


@pytest.mark.parametrize("name", [part if part in FEW else more(part) for part in PARTS if part not in LONG])
def test_a_part_runs(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "tiny", name, "--out", str(tmp_path)]

    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    part = msgspec.json.decode((tmp_path / "results.json").read_bytes(), type=Results).parts[name]
    assert part.complete, done.stderr
    assert [who for who in part.left_out if who.startswith(("asgi_auth", "floor", "bare"))] == []
    assert all(table.rows for table in part.tables)
    text = (tmp_path / "results.md").read_text()
    assert all(table.workload in text for table in part.tables)
    assert all((tmp_path / f"{table.name}.svg").stat().st_size < 20_000 for table in part.tables if table.chart)


def test_the_benchmarks_need_no_package_of_the_tests() -> None:
    modules = [f"benchmarks.parts.{name}" for name in PARTS]
    code = f"import sys; sys.modules |= dict.fromkeys({OF_TESTS}); import benchmarks.part, {', '.join(modules)}"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_calls_are_measured_beside_another_checkout() -> None:
    options = ["--beside", str(ROOT), "--rounds", "2", "--turn", "0.002"]
    command = [sys.executable, "-m", "benchmarks.calls", *options]

    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    head, _, *rows = done.stdout.splitlines()
    assert head == "| call | here, µs | beside, µs | ratio |"
    assert [row.split(" | ")[0] for row in rows] == ["| login", "| refresh", "| GET /me", "| request to the host"]


async def test_who_fails_is_left_out_with_the_reason_and_the_others_go_on() -> None:
    saved: list[Part] = []
    run = Run("requests", SIZES["tiny"], saved.append)
    turns: list[str] = []

    async def fails() -> None:
        raise LeftOutError("it broke")

    async def works() -> None:
        turns.append("works")

    await run.rounds({"broken": fails, "sound": works})

    assert run.part.left_out == {"broken": "it broke"}
    assert turns == ["works"]


def test_a_target_is_met_missed_or_not_measured() -> None:
    verdicts = [at_most("", "≤ 5 µs", 5, value).verdict for value in (4.9, 5.1, None)]

    assert verdicts == ["met", "missed", "not measured"]
    assert at_least("", "≥ 5", 5, 4.9).verdict == "missed"


def test_a_part_that_was_cut_off_is_reported_with_what_it_has() -> None:
    table = Table("t", "A title", "a workload", "µs")
    table.add("a row", "a column", [1.0, 3.0, 2.0])
    results = Results("tiny", "today", {}, {}, {"requests": Part("requests", [table])})

    text = "\n".join(markdown(results))

    assert "ended before it was complete" in text
    assert "| a row | 2 (1\N{EN DASH}3) |" in text


def test_the_documentation_shows_what_was_measured() -> None:
    text = PAGE.read_text("utf-8")

    for name, content in for_docs().items():
        assert f"<!-- table: {name} -->\n{content}\n<!-- end -->" in text, "run: python -m benchmarks.report"
    assert [name for name in SHOWN if f"(images/benchmarks/{name}.svg)" not in text] == []
    assert {path.stem for path in CHARTS.iterdir()} == set(SHOWN)
    copied = {name: (CHARTS / f"{name}.svg").read_text("utf-8") for name in SHOWN}
    assert copied == {name: (RESULTS / f"{name}.svg").read_text("utf-8") for name in SHOWN}


def test_the_results_name_no_host_and_no_path() -> None:
    texts = [path.read_text("utf-8") for path in RESULTS.iterdir() if path.is_file()]

    assert texts
    assert [text for text in texts if "/tmp/" in text or "/home/" in text or "/root" in text or "/work" in text] == []
