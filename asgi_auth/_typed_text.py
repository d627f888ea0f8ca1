"""Text that people type or paste: composition, marks around it, and digits of codes. All of it takes linear time."""

import unicodedata

#: More combining marks in a row occur in no language; sorting them takes quadratic time (UAX #15, section 13).
MAX_MARKS = 30
#: Characters that show nothing, beside white space and format characters: fillers, and a selector of variants.
BLANKS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe0e\ufe0f")
#: Hyphens that are no dashes: the soft hyphen, and the minus sign.
MINUS = "\u2212"


def composed(text: str) -> str:
    """Return a text in NFC (RFC 8265, section 4.2.2): keyboards differ in how they send a letter with a mark.

    A text with more than 30 combining marks in a row is returned unchanged.
    """
    return unicodedata.normalize("NFC", text) if not text.isascii() and has_few_marks(text) else text


def has_few_marks(text: str) -> bool:
    """Tell whether a text has at most 30 combining marks in a row, so that its normalization takes linear time."""
    marks = 0
    for char in text:
        # Some letters decompose into marks alone, and count as marks (U+0344).
        marks = marks + 1 if unicodedata.combining(char) or unicodedata.category(char).startswith("M") else 0
        if marks > MAX_MARKS:
            return False
    return True


def without_margins(text: str) -> str:
    """Return a text without white space and invisible marks around it, which keyboards and pasting add."""
    start, end = 0, len(text)
    while start < end and _is_invisible(text[start]):
        start += 1
    while end > start and _is_invisible(text[end - 1]):
        end -= 1
    return text[start:end]


def plain_code(text: str) -> str:
    """Return a typed code without spaces, hyphens and invisible marks, and with its digits in ASCII."""
    return "".join(_digit(char) for char in text if not _is_separator(char))


def _digit(char: str) -> str:
    digit = unicodedata.decimal(char, None)
    return char if digit is None else str(digit)


def _is_separator(char: str) -> bool:
    return _is_invisible(char) or char == MINUS or unicodedata.category(char) == "Pd"


def _is_invisible(char: str) -> bool:
    return char.isspace() or char in BLANKS or unicodedata.category(char) == "Cf"
