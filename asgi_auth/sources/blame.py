"""Errors that name what has the wrong value, such as a variable, and the name that was probably meant."""

from collections.abc import Callable, Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

T = TypeVar("T")
#: How alike two names are, from 0 to 1: above it are misspellings, below it other words.
ALIKE = 0.75
#: Passes the checks of a secret, in settings that are made to look for an error and are dropped.
STAND_IN = bytes(range(0, 128, 2))


def made(make: Callable[..., T], values: Mapping[str, Any], places: Mapping[str, str]) -> T:
    """Make settings of values. `places` has the variables or keys of those that the environment or a file has given.

    Raises ValueError, which names the places of the wrong values.
    """
    try:
        return make(**values)
    except ValueError as error:
        wrong = [place for name, place in places.items() if _failure(make, _without(name, values)) != str(error)]
        if not wrong:
            raise
        raise ValueError(f"{', '.join(wrong)}: {error}") from None


def suggestion(name: str, names: Iterable[str], prefix: str = "") -> str:
    """Return the end of a message about an unknown name: the known name that looks like it, if there is one."""
    bare = {known.removeprefix(prefix): known for known in names}
    nearest = get_close_matches(name.removeprefix(prefix), bare, n=1, cutoff=ALIKE)
    return f"; did you mean {bare[nearest[0]]}?" if nearest else ""


def unknown_options(given: Collection[str], known: Collection[str]) -> str:
    """Return the end of a message about options, of which some are not known; empty if all are known.

    It names those, and for each the known option that looks like it, or else all that are known.
    """
    unknown = sorted({*given} - {*known})
    meant = [suggestion(name, known) for name in unknown]
    others = "" if all(meant) else f"; there are {', '.join(sorted(known))}"
    return ", ".join(name + hint for name, hint in zip(unknown, meant, strict=True)) + others


def _without(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the default of a setting; a secret has none."""
    rest = {other: value for other, value in values.items() if other != name}
    return rest | ({"secret": STAND_IN} if name == "secret" else {})


def _failure(make: Callable[..., Any], values: Mapping[str, Any]) -> str:
    """Return the message of the error that values have; empty without one."""
    try:
        make(**values)
    except ValueError as error:
        return str(error)
    return ""
