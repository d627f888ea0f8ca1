"""The texts of the library, as its files have them."""

import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

#: Texts by language and code.
Overrides: TypeAlias = Mapping[str, Mapping[str, str]]
DEFAULT = "en"
#: The files of a language that are no texts of a code: about the language, and plural forms.
ABOUT, FORMS = "language.toml", "plurals.toml"


#: The folder of the library's features: each with texts has a room here.
FEATURES = Path(__file__).parent.parent / "features"


@cache
def shipped() -> dict[str, dict[str, str]]:
    """Return the texts of the library and of all its features, by language and code.

    The file `en/mail.toml` holds the codes `mail.…`; the files of the features hold whole codes.
    """
    texts: dict[str, dict[str, str]] = {}
    for file in Path(__file__).parent.glob("*/*.toml"):
        if file.name in {ABOUT, FORMS}:
            continue
        _flatten(f"{file.stem}.", _read(file), texts.setdefault(file.parent.name, {}))
    for room in FEATURES.iterdir():
        for language, added in _texts_of(room).items():
            texts.setdefault(language, {}).update(added)
    return texts


@cache
def about(language: str) -> Mapping[str, str]:
    """Return the `name` of a shipped language, and the person who has `signed_by` its texts; empty for a machine's."""
    return _read(Path(__file__).parent / language / ABOUT)


@cache
def plural_forms(language: str) -> Mapping[str, str]:
    """Return further forms of texts with `{count}`, by code and category: `reason.too_long.few`."""
    forms: dict[str, str] = {}
    file = Path(__file__).parent / language / FORMS
    if file.is_file():
        _flatten("", _read(file), forms)
    return forms


def texts_in(room: Path) -> Overrides:
    """Return the texts in the room of a feature, by language and code; empty for a room whose texts are shipped.

    Raises ValueError for a file that is no TOML.
    """
    return {} if room.parent == FEATURES else _texts_of(room)


def _texts_of(room: Path) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for file in (room / "texts").glob("*.toml"):
        _flatten("", _read(file), texts.setdefault(file.stem, {}))
    return texts


def _read(file: Path) -> Mapping[str, Any]:
    import tomllib  # noqa: PLC0415 (first needed by an Auth)

    try:
        return tomllib.loads(file.read_text("utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file}: {error}") from error


def purposes() -> set[str]:
    """Return each purpose of a mail in the catalog, such as `reset_password`."""
    codes = [code.split(".") for code in shipped()["en"]]
    return {parts[1] for parts in codes if parts[0] == "mail" and parts[-1] == "subject"}


@cache
def placeholders(text: str) -> frozenset[str]:
    """Return the names of the placeholders in a text."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def _flatten(prefix: str, node: Mapping[str, Any], into: dict[str, str]) -> None:
    for key, value in node.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}{key}.", value, into)
        else:
            into[f"{prefix}{key}"] = str(value)
