"""Forked children: what cannot be used in two processes is made anew in the child, or left behind.

Threads exist in the parent only, a lock may be held by one of them, and a connection is shared by both processes.
"""

import os
from typing import Protocol
from weakref import WeakSet


class Renewable(Protocol):
    """An object with threads, locks, connections, or values of event loops."""

    def renew(self) -> None:
        """Make this state anew. Called in a forked child, before any other code of the child."""


_renewables: "WeakSet[Renewable]" = WeakSet()
_left_behind: list[object] = []


def renew_after_fork(item: Renewable) -> None:
    """Call `renew` in each child that is forked while the object exists."""
    _renewables.add(item)


def leave_behind(item: object) -> None:
    """Keep an object of the parent alive, in a child.

    If it were collected, it would be closed: closing a socket of the parent's event loop removes it from the parent's
    selector, and closing a SQLite connection ends transactions of the parent.
    """
    _left_behind.append(item)


def _renew() -> None:
    for item in list(_renewables):
        item.renew()


# Windows has no fork.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)
