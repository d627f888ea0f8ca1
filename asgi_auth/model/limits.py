"""A limit as rules, errors and answers name it, and how far clocks may be apart."""

import re
from typing import Final, NamedTuple

#: Seconds by which the clocks of two processes may differ. A time that is further in the future is void: the clock that
#: set it was ahead, and must bind no client when it is right again.
MAX_SKEW = 60
#: The last second of the year 9999, after which Python knows no time.
YEAR_9999: Final = 253402300799
#: Seconds after which a guess in flight is dropped, unless another one has begun meanwhile.
IN_FLIGHT: Final = 60


NOTATION = re.compile(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,3})?([smhd])/(ip|account|all)")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
KEYS = ("ip", "account", "all")


class Rule(NamedTuple):
    """At most `most` calls in `seconds`, for each value of `key` (`ip`, `account` or `all`)."""

    key: str
    seconds: int
    most: int

    def __str__(self) -> str:
        """Return the rule in the notation of `parse_rules`."""
        unit = next(name for name in "dhms" if self.seconds % SECONDS[name] == 0)
        number = self.seconds // SECONDS[unit]
        return f"{self.most}/{number if number > 1 else ''}{unit}/{self.key}"


def parse_rules(text: str) -> list[Rule]:
    """Parse rules such as `10/m/ip, 5/5m/account`; an empty text has none. Raises ValueError."""
    rules = []
    for part in filter(None, (item.strip() for item in text.split(","))):
        found = NOTATION.fullmatch(part)
        if found is None:
            raise ValueError(f"{part!r} is no limit; one is count/period/key, such as 10/m/ip or 5/15m/account")
        count, number, unit, key = found.groups()
        rules.append(Rule(key, int(number or 1) * SECONDS[unit], int(count)))
    if len({(rule.key, rule.seconds) for rule in rules}) < len(rules):
        raise ValueError(f"{text!r} limits the same twice")
    # One order everywhere: calls that lock the same counters cannot deadlock.
    return sorted(rules, key=lambda rule: (KEYS.index(rule.key), rule.seconds))
