"""Values of settings as text: in variables, and in files that a variable or a key names."""

from pathlib import Path

BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def text_in(place: str, path: str) -> str:
    """Return the text of a file without surrounding white space. `place` names the file's mention in errors.

    Raises ValueError for a file that cannot be read, or is empty.
    """
    try:
        text = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"{place}: {path!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{place}: {path!r} is not text in UTF-8") from None
    if not text:
        raise ValueError(f"{place}: {path!r} is empty")
    return text


def parse(place: str, text: str, default: object, *, is_list: bool = False) -> object:
    """Convert a text to the type of a default; with `is_list`, a text with commas is a list. Raises ValueError."""
    try:
        if isinstance(default, bool):
            return BOOLEANS[text.lower()]
        if isinstance(default, int | float):
            return type(default)(text)
    except (KeyError, ValueError):
        raise ValueError(f"{place}: give {_wanted(default)}") from None
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if is_list and "," in text:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def _wanted(default: object) -> str:
    """Return what a text should have been; the text itself may be a secret in the wrong place."""
    if isinstance(default, bool):
        return "true or false"
    return f"a {'whole number' if isinstance(default, int) else 'number'}, such as {default}"
