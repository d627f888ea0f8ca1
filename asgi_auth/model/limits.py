"""A limit as rules, errors and answers name it."""

from typing import NamedTuple


class Rule(NamedTuple):
    """At most `most` calls in `seconds`, for each value of `key` (`ip`, `account` or `all`)."""

    key: str
    seconds: int
    most: int
