"""The comparison of libraries: its page has the table of the results, and each contender has what it needs."""

import json

import pytest

from benchmarks.comparison.client import Answer
from benchmarks.comparison.contenders import CONTENDERS, REQUIREMENTS, Contender
from benchmarks.comparison.measures import shape
from benchmarks.comparison.report import PAGE, RESULTS, table, with_table

APPS = REQUIREMENTS.parent / "apps"


def test_the_page_has_the_table_of_the_results() -> None:
    results = json.loads(RESULTS.read_text("utf-8"))
    text = PAGE.read_text("utf-8")

    assert with_table(text, results) == text, "run: python -m benchmarks.comparison.report"
    assert all(contender.title in text for contender in CONTENDERS)
    assert "| asgi_auth |" in table(results)


@pytest.mark.parametrize("contender", CONTENDERS, ids=lambda contender: contender.name)
def test_a_contender_has_an_app_and_pinned_requirements(contender: Contender) -> None:
    app = APPS / f"{contender.name}_app.{'mjs' if contender.node else 'py'}"
    text = (REQUIREMENTS / ("package.json" if contender.node else f"{contender.name}.txt")).read_text("utf-8")

    assert 'open"' in app.read_text("utf-8")
    assert contender.version
    assert contender.node or all("==" in line for line in text.splitlines())


def test_two_answers_have_one_shape_if_they_tell_the_same() -> None:
    def answer(status: int, text: str) -> Answer:
        return Answer(status, text, (), 0.0)

    assert shape(answer(202, '{"request": "a"}')) == shape(answer(202, '{"request": "b"}'))
    assert shape(answer(400, "wait 10 seconds")) == shape(answer(400, "wait 9 seconds"))
    assert shape(answer(400, "wrong")) != shape(answer(400, "locked"))
    assert shape(answer(201, '{"user": 1}')) != shape(answer(202, '{"request": 1}'))
