"""Numbers that features take as options."""

#: Seconds and counts are below it, so that sums with a time fit into every database.
LIMIT = 10**10


def check_whole(least: int = 1, largest: int = LIMIT - 1, /, **numbers: int) -> None:
    """Raise ValueError for a number that is not whole, such as `timedelta(…).total_seconds()`, or out of bounds."""
    for name, number in numbers.items():
        is_whole = isinstance(number, int) and not isinstance(number, bool)
        if not is_whole:
            raise ValueError(f"{name} is a whole number, and not of the type {type(number).__name__}")
        if not least <= number <= largest:
            raise ValueError(f"{name} is {'positive, and ' if least == 1 else ''}{least} to {largest}")
