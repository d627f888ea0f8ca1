"""The list of `mutations` is up to date; running it all takes minutes: `python -m tests.security.mutations`."""

import pytest

from tests.security.defences import Defence
from tests.security.matrix import exists
from tests.security.mutations import ALL, main


@pytest.mark.parametrize("defence", ALL, ids=lambda item: item.name)
def test_a_defence_stands_where_the_list_says_and_its_test_is_there(defence: Defence) -> None:
    assert defence.stands()
    assert defence.old != defence.new
    assert exists(defence.test)


def test_each_of_many_defences_is_listed_once() -> None:
    assert len({item.name for item in ALL}) == len(ALL) >= 20


def test_a_defence_that_is_taken_out_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main("guessable secret") == 0
    assert "1 of 1 noticed" in capsys.readouterr().out
