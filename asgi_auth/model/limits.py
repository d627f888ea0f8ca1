"""A limit as rules, errors and answers name it, and how far clocks may be apart."""

from typing import Final, NamedTuple

#: Seconds by which the clocks of two processes may differ. A time that is further in the future is void: the clock that
#: set it was ahead, and must bind no client when it is right again.
MAX_SKEW = 60
#: Seconds after which a guess in flight is dropped, unless another one has begun meanwhile.
IN_FLIGHT: Final = 60


class Rule(NamedTuple):
    """At most `most` calls in `seconds`, for each value of `key` (`ip`, `account` or `all`)."""

    key: str
    seconds: int
    most: int
