"""A short run of every target of the fuzzer; the long one is `python -m tests.fuzz`, and `record.md` what it found."""

import importlib.util
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.__main__ import alone
from tests.fuzz.targets import NAMED, TARGETS, run, seeds

LINES = st.lists(st.binary(max_size=60) | st.text(max_size=40).map(str.encode), max_size=8).map(b"\n".join)
TEN_MILLION = 10_000_000


def mutated(name: str) -> st.SearchStrategy[bytes]:
    """A seed with some bytes in place of others."""
    parts = st.tuples(st.sampled_from(seeds(name)), st.integers(0, 200), st.integers(0, 9), st.binary(max_size=9))
    return parts.map(lambda part: part[0][: part[1]] + part[3] + part[0][part[1] + part[2] :])


@pytest.mark.parametrize("name", NAMED)
def test_no_input_breaks_anything(name: str) -> None:
    @settings(max_examples=150, deadline=None, database=None)
    @given(LINES | mutated(name))
    def give(data: bytes) -> None:
        run(name, data)

    give()


@pytest.mark.skipif(not importlib.util.find_spec("atheris"), reason="atheris is not there for this Python or system")
@pytest.mark.parametrize("name", NAMED)
def test_a_short_run_guided_by_coverage_finds_nothing(name: str) -> None:
    assert alone(name, 2000)[1::2] == (2000, "nothing")


def test_a_defect_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        raise ValueError(data)

    monkeypatch.setitem(NAMED, "path", broken)

    with pytest.raises(ValueError, match="x"):
        run("path", b"x")


def test_the_long_run_is_recorded() -> None:
    text = (Path(__file__).parent / "record.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| ([\d,]+) \| [\d,]+ \| (.+) \|$", text, re.MULTILINE)
    counts = {name: int(count.replace(",", "")) for name, count, _ in rows}

    assert counts.keys() >= NAMED.keys()
    assert sum(counts[name] for name in NAMED) >= TEN_MILLION
    assert {found for name, _, found in rows if name in NAMED} == {"nothing"}
    assert sum(TARGETS.values()) >= TEN_MILLION
