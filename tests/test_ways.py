"""The rooms that a request crosses stay few; `python -m tests.ways` explains the counting and lists the rooms."""

from pathlib import Path

import pytest

from tests.tracing import OUTSIDE, Entry, Way
from tests.ways import WAYS, listing, traced

ROOT = Path(__file__).parent.parent
#: The most rooms that each way may cross.
BOUNDS = {"login": 20, "page login": 26, "refresh": 15, "me": 14, "request": 5}


@pytest.mark.parametrize(("name", "bound"), BOUNDS.items())
def test_a_request_crosses_few_rooms(name: str, bound: int) -> None:
    way = traced(name)

    assert 0 < way.rooms <= bound, listing(way)


def test_a_mail_is_traced_until_it_is_in_the_outbox() -> None:
    assert {"mail.delivery", "mail.mailers"} <= traced("mail").firsts.keys()


def test_moves_are_changes_of_the_room_and_returns_go_to_a_known_room() -> None:
    rooms = ["app", "app", "auth", "app", "storage", "auth", "auth"]
    way = Way([Entry(room, "function", OUTSIDE) for room in rooms])

    assert (way.rooms, way.moves, way.returns) == (3, 4, 2)
    assert "| 2 | auth | function | (outside) |" in listing(way)


def test_bounds_are_of_known_ways() -> None:
    assert BOUNDS.keys() <= WAYS.keys()


@pytest.mark.parametrize("name", WAYS)
def test_the_figures_of_the_architecture_page_are_those_of_the_tool(name: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    way = traced(name)

    # Rooms only: whether a pool or a writer has just begun decides about single files.
    assert f"| {name} | {way.rooms} | " in text, "run: python -m tests.ways"
