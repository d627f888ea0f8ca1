"""The parts of the account page, each of which opens to show its sections."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

#: The part that is open at first.
FIRST = "profile"


@dataclass(frozen=True, kw_only=True)
class Group:
    """A part of the page: its sections, each with `name`, `template` and `data`."""

    name: str
    sections: Sequence[dict[str, Any]]
    is_open: bool


def groups_of(sections: Sequence[dict[str, Any]], opened: Collection[str]) -> list[Group]:
    """Return the groups of sections, in the order of their first ones; those in `opened` are open, else the first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for section in sections:
        found.setdefault(section["group"], []).append(section)
    shown = opened or {FIRST}
    return [Group(name=name, sections=inside, is_open=name in shown) for name, inside in found.items()]
