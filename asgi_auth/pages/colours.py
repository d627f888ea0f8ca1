"""Colours that can be read: the accent of a host, fitted to a light and to a dark page (WCAG 2.2, 1.4.3)."""

import re

HEX = re.compile(r"#[0-9a-fA-F]{6}")
RGB = tuple[float, float, float]
READABLE = 4.5


def check(colour: str) -> str:
    """Return a colour such as `#3355ff`; anything else is a ValueError."""
    if not HEX.fullmatch(colour):
        raise ValueError(f"{colour!r}: a colour is # and six hexadecimal digits, such as #3355ff")
    return colour.lower()


def on(background: str) -> str:
    """Black or white, whichever can be read better on a background."""
    return max("#ffffff", "#101418", key=lambda text: contrast(text, background))


def readable(colour: str, background: str) -> str:
    """Mix a colour with black or white, no more than it takes to be read on a background."""
    end = "#ffffff" if contrast("#ffffff", background) > contrast("#000000", background) else "#000000"
    steps = (_mix(colour, end, share / 20) for share in range(21))
    return next(mixed for mixed in steps if contrast(mixed, background) >= READABLE)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(_rgb(colour), _rgb(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * share)):02x}" for a, b in pairs)


def _rgb(colour: str) -> RGB:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
