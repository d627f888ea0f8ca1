"""The texts of the library, as its files have them."""

import string
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

#: Texts by language and code.
Overrides: TypeAlias = Mapping[str, Mapping[str, str]]
DEFAULT = "en"


@cache
def shipped() -> dict[str, dict[str, str]]:
    """Return the texts of the library, by language and code. The file `en/mail.toml` holds the codes `mail.…`."""
    import tomllib  # noqa: PLC0415 (first needed by an Auth)

    texts: dict[str, dict[str, str]] = {}
    for file in Path(__file__).parent.glob("*/*.toml"):
        _flatten(file.stem, tomllib.loads(file.read_text("utf-8")), texts.setdefault(file.parent.name, {}))
    return texts


def purposes() -> set[str]:
    """Return each purpose of a mail in the catalog, such as `reset_password`."""
    codes = [code.split(".") for code in shipped()["en"]]
    return {parts[1] for parts in codes if parts[0] == "mail" and parts[-1] == "subject"}


def placeholders(text: str) -> frozenset[str]:
    """Return the names of the placeholders in a text."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def _flatten(prefix: str, node: Mapping[str, Any], into: dict[str, str]) -> None:
    for key, value in node.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}.{key}", value, into)
        else:
            into[f"{prefix}.{key}"] = str(value)
