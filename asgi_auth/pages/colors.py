"""Readable colors: the host's accent, adapted to a light and to a dark page (WCAG 2.2, 1.4.3)."""

import re

HEX = re.compile(r"#[0-9a-fA-F]{6}")
RGB = tuple[float, float, float]
READABLE = 4.5


def parse_color(color: str) -> str:
    """Return a color such as `#3355ff`; anything else is a ValueError."""
    if not HEX.fullmatch(color):
        raise ValueError(f"{color!r}: a color is # and six hexadecimal digits, such as #3355ff")
    return color.lower()


def text_on(background: str) -> str:
    """Return black or white: the one with the higher contrast to a background."""
    return max("#ffffff", "#101418", key=lambda text: contrast(text, background))


def readable(color: str, background: str) -> str:
    """Mix a color with black or white, just enough to be readable on a background."""
    end = "#ffffff" if contrast("#ffffff", background) > contrast("#000000", background) else "#000000"
    steps = (_mix(color, end, share / 20) for share in range(21))
    return next(mixed for mixed in steps if contrast(mixed, background) >= READABLE)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colors, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _rgb(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(color: str, other: str, share: float) -> str:
    pairs = zip(_rgb(color), _rgb(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * share)):02x}" for a, b in pairs)


def _rgb(color: str) -> RGB:
    red, green, blue = (int(color[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue
