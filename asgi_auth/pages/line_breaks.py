"""Where long names break in narrow lines: addresses at the `@`, and longer parts at their marks."""

import re

from markupsafe import Markup, escape

#: The widest part that no line breaks, in widths of a digit: it fits on screens of 320 pixels (WCAG 2.2, 1.4.10).
UNBROKEN = 26
#: Letters that are much wider than a digit.
WIDE = frozenset("mw@")


def breakable(text: str) -> Markup:
    """Return a name as HTML. A long one breaks before an `@`, and its long parts after `.`, `_`, `+`, `/` and `:`.

    Browsers break lines at a hyphen, which tears a short part in two: such a part is kept together.
    """
    parts = re.split("(?<=.)(?=@)", text) if _width(text) > UNBROKEN else [text]
    return Markup("<wbr>").join(map(_part, parts))


def _part(part: str) -> Markup:
    if _width(part) > UNBROKEN:
        return Markup("<wbr>").join(map(escape, re.split(r"(?<=[._+/:])(?=.)", part)))
    return Markup('<span class="unbroken">{}</span>').format(part) if "-" in part else escape(part)


def _width(text: str) -> int:
    return sum(2 if letter in WIDE or letter.isupper() or not letter.isascii() else 1 for letter in text)
