"""The rooms that a request crosses stay few; `python -m tests.ways` explains the counting and lists the rooms."""

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracing import OUTSIDE, Entry, Way
from tests.ways import WAYS, listing

PROGRAM = """
import json
from tests.ways import WAYS, traced
print(json.dumps({name: [[e.module, e.function, e.caller] for e in traced(name).entries] for name in WAYS}))
"""
ROOT = Path(__file__).parent.parent
#: The most rooms that each way may cross, and the most moves between them.
BOUNDS = {
    "login": (18, 147),
    "page login": (21, 192),
    "refresh": (14, 57),
    "me": (12, 48),
    "mail": (19, 114),
    "request": (3, 5),
}


@functools.cache
def all_traced() -> dict[str, Way]:
    """Trace all ways in a process of their own: other tests leave levels of loggers and loaded features behind."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name: Way([Entry(*entry) for entry in way]) for name, way in json.loads(done.stdout).items()}


def traced(name: str) -> Way:
    return all_traced()[name]


@pytest.mark.parametrize(("name", "bounds"), BOUNDS.items())
def test_a_request_crosses_few_rooms_and_does_not_go_to_and_fro(name: str, bounds: tuple[int, int]) -> None:
    way = traced(name)

    assert 0 < way.rooms <= bounds[0], listing(way)
    assert 0 < way.moves <= bounds[1], " ".join(way.path)


@pytest.mark.parametrize("name", ["login", "refresh"])
def test_a_statement_goes_once_through_its_bounds(name: str) -> None:
    """From the storage to the deadline and the breaker, and back; not once more for each of them."""
    way = traced(name)
    statements = [entry for entry in way.entries if (entry.module, entry.function) == ("storage.runner", "run")]
    asked = [entry for entry in way.entries if entry.room == "bounds" and entry.caller.startswith("storage.")]

    assert len(statements) > 0
    assert [entry.function for entry in asked] == ["bounded"] * len(statements)


def test_a_mail_is_traced_until_it_is_in_the_outbox() -> None:
    assert {"mail.delivery", "mail.outbox"} <= traced("mail").firsts.keys()


def test_moves_are_changes_of_the_room_and_returns_go_to_a_known_room() -> None:
    rooms = ["app", "app", "auth", "app", "storage", "auth", "auth"]
    way = Way([Entry(room, "function", OUTSIDE) for room in rooms])

    assert (way.rooms, way.moves, way.returns) == (3, 4, 2)
    assert "| 2 | auth | function | (outside) |" in listing(way)


def test_bounds_are_of_known_ways() -> None:
    assert BOUNDS.keys() == WAYS.keys()


@pytest.mark.parametrize("name", WAYS)
def test_the_figures_of_the_architecture_page_are_those_of_the_tool(name: str) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    way = traced(name)

    # Without the moves: Python 3.12 and later count no call for a comprehension.
    assert f"| {name} | {way.rooms} | {way.files} | " in text, "run: python -m tests.documentation"
