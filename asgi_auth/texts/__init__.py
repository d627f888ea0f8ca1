"""Every text that people read, in pages and mails: one catalogue, by code and language; hosts may replace any."""

import string
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

Overrides = Mapping[str, Mapping[str, str]]
DEFAULT = "en"


class Texts:
    """Finds texts by code, such as `mail.reset_password.subject`.

    `overrides` are texts by language and code; a language that isn't shipped may be added so. What a language lacks is
    taken from `language`, then from English. `own` are codes that only the host has texts for. Raises ValueError for an
    unknown code, or an unknown value in a text.
    """

    def __init__(self, language: str = DEFAULT, overrides: Overrides | None = None, own: Collection[str] = ()) -> None:
        """Read the catalogue."""
        self._texts = {name: dict(texts) for name, texts in shipped().items()}
        known = dict.fromkeys(own, "") | self._texts[DEFAULT]
        for name, texts in (overrides or {}).items():
            for code, text in texts.items():
                if code not in known:
                    raise ValueError(f"there is no text {code!r}")
                if not placeholders(text) <= placeholders(known[code]):
                    raise ValueError(f"{code!r} may name {sorted(placeholders(known[code]))} only")
            self._texts.setdefault(name, {}).update(texts)
        if language not in self._texts:
            raise ValueError(f"there are no texts for the language {language!r}")
        self._default = language

    @property
    def languages(self) -> list[str]:
        """The languages that there are."""
        return sorted(self._texts)

    def choose(self, accept_language: str) -> str:
        """Choose the language that a browser likes best (RFC 9110, 12.5.4), else the default."""
        wanted: list[tuple[float, str]] = []
        for part in accept_language.split(","):
            tag, _, quality = part.strip().partition(";q=")
            try:
                wanted.append((-float(quality or 1), tag.partition("-")[0].lower()))
            except ValueError:
                continue
        known = [tag for weight, tag in sorted(wanted, key=lambda item: item[0]) if weight < 0 and tag in self._texts]
        return known[0] if known else self._default

    def known(self, language: str) -> str:
        """Give the language itself when there are texts for it, else the default."""
        return language if language in self._texts else self._default

    def find(self, code: str, language: str = "", /, **values: Any) -> str | None:
        """Find a text and fill it in; None when there is none of this code."""
        for name in (language, self._default, DEFAULT):
            text = self._texts.get(name, {}).get(code)
            if text is not None:
                return text.format_map({key: str(value) for key, value in values.items()})
        return None

    def get(self, code: str, language: str = "", /, **values: Any) -> str:
        """Find a text that must be there. Raises KeyError."""
        text = self.find(code, language, **values)
        if text is None:
            raise KeyError(code)
        return text


@cache
def shipped() -> dict[str, dict[str, str]]:
    """Read the texts that come with the library, by language and code: `en/mail.toml` holds `mail.…`."""
    folders = [item for item in files("asgi_auth.texts").iterdir() if item.is_dir() and not item.name.startswith("_")]
    return {folder.name: _read(folder) for folder in folders}


def placeholders(text: str) -> set[str]:
    """The names of the values that a text takes."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _read(folder: Traversable) -> dict[str, str]:
    found: dict[str, str] = {}
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            _flatten(file.name.removesuffix(".toml"), tomllib.loads(file.read_text("utf-8")), found)
    return found


def _flatten(prefix: str, node: Mapping[str, Any], into: dict[str, str]) -> None:
    for key, value in node.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}.{key}", value, into)
        else:
            into[f"{prefix}.{key}"] = str(value)
