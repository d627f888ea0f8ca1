"""The variants of a test: `make test` runs some of each, `make test-full` runs all.

Each test runs at every `make test`. What waits for `make test-full` is the same test once more, where the library goes
the same way: with another look of a page, another amount, another version of PostgreSQL, another browser.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

import pytest

#: `make test-full` sets the variable.
VARIABLE = "ASGI_AUTH_ALL_VARIANTS"
FULL = bool(os.environ.get(VARIABLE))
#: Of two variants of a test that differ in nothing else, `make test` runs one. The name of the test decides which, so
#: each of the two has its share of the tests. The contract of storages runs with both.
TURNS = (("postgres15", "postgres18"), ("chromium", "firefox"))
BOTH = "test_contract"


def more(*values: object, **options: Any) -> Any:
    """A parameter of `pytest.mark.parametrize` for `make test-full` alone."""
    return pytest.param(*values, marks=pytest.mark.more, **options)


def crossed(
    first: Mapping[str, object] | Sequence[object], second: Mapping[str, object] | Sequence[object]
) -> list[Any]:
    """All pairs; `make test` runs every second one, in which each value occurs."""
    pairs = []
    for row, (name, value) in enumerate(_named(first)):
        for column, (other_name, other) in enumerate(_named(second)):
            make = more if (row + column) % 2 else pytest.param
            pairs.append(make(value, other, id=f"{name}-{other_name}"))
    return pairs


def _named(values: Mapping[str, object] | Sequence[object]) -> Iterable[tuple[str, object]]:
    return values.items() if isinstance(values, Mapping) else [(str(value), value) for value in values]


def waits(name: str, names: set[str]) -> bool:
    """Tell whether a variant, by its name among all that were collected, waits for its turn."""
    if BOTH in name:
        return False
    for turn in TURNS:
        for mine, other in (turn, turn[::-1]):
            # A parameter, not a part of the name of a file.
            parameter = re.compile(rf"(?<=[\[-]){mine}(?=[\]-])")
            if parameter.search(name) and parameter.sub(other, name) in names:
                return mine != turn[crc32(parameter.sub("", name).encode()) % 2]
    return False


def select(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out of a run what waits for `make test-full`; pytest counts it as deselected."""
    if FULL:
        return
    usual = [item for item in items if not item.get_closest_marker("more")]
    names = {item.nodeid for item in usual}
    kept = [item for item in usual if not waits(item.nodeid, names)]
    ids = {id(item) for item in kept}
    config.hook.pytest_deselected(items=[item for item in items if id(item) not in ids])
    items[:] = kept
