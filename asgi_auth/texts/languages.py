"""What a text needs to know of its language: the direction of writing, and which plural form goes with a number."""

from collections.abc import Callable, Mapping

#: Languages that are written from right to left.
RIGHT_TO_LEFT = frozenset({"ar", "arc", "ckb", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})


def direction(language: str) -> str:
    """Return the value of the attribute `dir`."""
    return "rtl" if _primary(language) in RIGHT_TO_LEFT else "ltr"


def category(language: str, count: int) -> str:
    """Return the plural category of a whole number (Unicode CLDR, cardinals); `other` is the text itself."""
    return CATEGORIES.get(_primary(language), _one)(abs(count))


def _primary(language: str) -> str:
    return language.partition("-")[0].lower()


def _one(count: int) -> str:
    return "one" if count == 1 else "other"


def _zero_or_one(count: int) -> str:
    return "one" if count < 2 else "other"


def _none(_count: int) -> str:
    return "other"


def _polish(count: int) -> str:
    if count == 1:
        return "one"
    return "few" if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else "many"


def _russian(count: int) -> str:
    if count % 10 == 1 and count % 100 != 11:
        return "one"
    return "few" if count % 10 in {2, 3, 4} and count % 100 not in {12, 13, 14} else "many"


def _czech(count: int) -> str:
    return {1: "one", 2: "few", 3: "few", 4: "few"}.get(count, "other")


def _arabic(count: int) -> str:
    if count < 3:
        return ("zero", "one", "two")[count]
    rest = count % 100
    return "few" if 3 <= rest <= 10 else "many" if rest >= 11 else "other"


#: The rules that differ from that of English.
CATEGORIES: Mapping[str, Callable[[int], str]] = {
    **dict.fromkeys(("fr", "pt"), _zero_or_one),
    **dict.fromkeys(("id", "ja", "ko", "ms", "th", "vi", "zh"), _none),
    **dict.fromkeys(("be", "ru", "uk"), _russian),
    **dict.fromkeys(("cs", "sk"), _czech),
    "ar": _arabic,
    "pl": _polish,
}
