"""The table is true: every requirement has an entry, every test that is named exists, every reason is given."""

from collections.abc import Callable

import pytest

from tests.security.matrix import HERE, REASONS, Row, evidence, exists, is_said, lessons, requirements
from tests.security.table import FILE, table

ROWS = [*requirements(), *lessons()]


def test_the_table_is_the_one_of_the_evidence() -> None:
    assert FILE.read_text("utf-8") == table(), "run: python -m tests.security.table"


def test_the_documentation_states_the_totals() -> None:
    text = (FILE.parents[2] / "docs" / "security.md").read_text("utf-8")

    assert [line for line in table().splitlines() if line.startswith("- ") and line not in text] == []


@pytest.mark.parametrize("source", [requirements, lessons])
def test_every_row_stands_once_and_has_an_entry_unless_it_is_for_later(source: Callable[[], list[Row]]) -> None:
    rows = source()

    assert len({row.id for row in rows}) == len(rows)
    assert [row.id for row in rows if row.evidence is None and not row.later] == []
    assert [row.id for row in rows if row.evidence is not None and row.later] == []


def test_no_entry_is_about_nothing() -> None:
    assert evidence((HERE / "evidence").glob("*.toml")).keys() == {row.id for row in ROWS if row.evidence is not None}


@pytest.mark.parametrize("row", [row for row in ROWS if row.evidence is not None], ids=lambda row: row.id)
def test_an_entry_names_tests_that_exist_texts_that_are_there_and_one_reason_if_any(row: Row) -> None:
    entry = row.evidence
    assert entry is not None

    assert [node for node in entry.tests if not exists(node)] == []
    assert [place for place in entry.says if not is_said(place)] == []
    assert len(set(entry.tests)) == len(entry.tests)
    reasons = [getattr(entry, name) for name in REASONS if getattr(entry, name)]
    assert len(reasons) <= 1
    assert reasons or entry.tests or entry.says
    assert all(len(reason) > 20 and reason == reason.strip() for reason in reasons)
    assert not entry.host or entry.says or entry.tests, "what the host must do is documented"
