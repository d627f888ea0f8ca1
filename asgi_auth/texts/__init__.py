"""Every text that people read, in pages and mails: one catalogue, by code and language; hosts may replace any."""

import re
import string
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Overrides = Mapping[str, Mapping[str, str]]
DEFAULT = "en"
#: A language range with its weight (RFC 4647, 2.1; RFC 9110, 12.4.2), in lower case.
RANGE = re.compile(
    r"(?P<tag>\*|[a-z]{1,8}(-[a-z0-9]{1,8}){0,8})([ \t]*;[ \t]*q=(?P<weight>0(\.[0-9]{0,3})?|1(\.0{0,3})?))?"
)


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
        """Choose the language that a browser likes best (RFC 9110, 12.5.4), else the default.

        A tag is looked up as a whole, then without its last parts (RFC 4647, 3.4): `de-AT` finds `de`.
        """
        wanted = dict(_ranges(accept_language))
        known = {name.lower(): name for name in [self._default, *self.languages]}
        allowed = [name for tag, name in known.items() if wanted.get(tag) != 0]
        for tag in sorted((tag for tag in wanted if wanted[tag]), key=wanted.__getitem__, reverse=True):
            if tag == "*" and allowed:
                return allowed[0]
            parts = tag.split("-")
            for count in range(len(parts), 0, -1):
                if (found := known.get("-".join(parts[:count]))) is not None:
                    return found
        return self._default

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


def _ranges(accept_language: str) -> Iterator[tuple[str, float]]:
    """The language ranges of a header in lower case, with their weights; what isn't one is passed over."""
    for part in accept_language.split(","):
        found = RANGE.fullmatch(part.strip().lower())
        if found is not None:
            yield found["tag"], float(found["weight"] or 1)


@cache
def shipped() -> dict[str, dict[str, str]]:
    """Read the texts that come with the library, by language and code: `en/mail.toml` holds `mail.…`."""
    import tomllib  # noqa: PLC0415 (an Auth reads them when it is made)

    found: dict[str, dict[str, str]] = {}
    for file in Path(__file__).parent.glob("*/*.toml"):
        _flatten(file.stem, tomllib.loads(file.read_text("utf-8")), found.setdefault(file.parent.name, {}))
    return found


def purposes() -> set[str]:
    """Name every purpose of a mail that the catalogue has texts for."""
    codes = [code.split(".") for code in shipped()["en"]]
    return {parts[1] for parts in codes if parts[0] == "mail" and parts[-1] == "subject"}


def placeholders(text: str) -> set[str]:
    """The names of the values that a text takes."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _flatten(prefix: str, node: Mapping[str, Any], into: dict[str, str]) -> None:
    for key, value in node.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}.{key}", value, into)
        else:
            into[f"{prefix}.{key}"] = str(value)
