"""The list of `mutations` is up to date; running it all takes minutes: `python -m tests.security.mutations`."""

import pytest

from tests.security.matrix import exists
from tests.security.mutations import MUTATIONS, Mutation, main


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.defence)
def test_a_defence_stands_where_the_list_says_and_its_test_is_there(mutation: Mutation) -> None:
    assert mutation.stands()
    assert mutation.old != mutation.new
    assert exists(mutation.test)


def test_each_of_many_defences_is_listed_once() -> None:
    assert len({mutation.defence for mutation in MUTATIONS}) == len(MUTATIONS) >= 20


def test_a_defence_that_is_taken_out_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("guessable secret") == 0
    assert "1 of 1 noticed" in capsys.readouterr().out
