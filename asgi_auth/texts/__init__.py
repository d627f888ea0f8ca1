"""The catalog of all texts on pages and in mails, by code and language. Hosts can replace each text."""

import re
import string
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

#: Texts by language and code.
Overrides: TypeAlias = Mapping[str, Mapping[str, str]]
DEFAULT = "en"
#: A lowercase language range with its weight (RFC 4647, section 2.1; RFC 9110, section 12.4.2).
RANGE = re.compile(
    r"(?P<tag>\*|[a-z]{1,8}(-[a-z0-9]{1,8}){0,8})([ \t]*;[ \t]*q=(?P<weight>0(\.[0-9]{0,3})?|1(\.0{0,3})?))?"
)


class Texts:
    """Finds texts by code, such as `mail.reset_password.subject`.

    `language` is the default language. `overrides` replaces texts, and can add languages. A text that a language lacks
    is taken from the default language, then from English. `extra_codes` are further codes that `overrides` can have.
    Raises ValueError for an unknown language, an unknown code, and an unknown placeholder in a text.
    """

    def __init__(
        self, language: str = DEFAULT, overrides: Overrides | None = None, extra_codes: Collection[str] = ()
    ) -> None:
        """Merge the shipped texts with the overrides."""
        self._texts = {name: dict(texts) for name, texts in shipped().items()}
        known = dict.fromkeys(extra_codes, "") | self._texts[DEFAULT]
        for name, texts in (overrides or {}).items():
            for code, text in texts.items():
                if code not in known:
                    raise ValueError(f"unknown text {code!r}")
                allowed = placeholders(known[code])
                if not placeholders(text) <= allowed:
                    raise ValueError(f"the text {code!r} can only use the placeholders {sorted(allowed)}")
            self._texts.setdefault(name, {}).update(texts)
        if language not in self._texts:
            raise ValueError(f"no texts for the language {language!r}")
        self._default = language

    @property
    def languages(self) -> list[str]:
        """The available languages, sorted."""
        return sorted(self._texts)

    def choose(self, accept_language: str) -> str:
        """Return the available language that an Accept-Language header prefers, or the default.

        The header is parsed as in RFC 9110, section 12.5.4. A tag is looked up in full, then without its last parts
        (RFC 4647, section 3.4): `de-AT` finds `de`.
        """
        weights = dict(_ranges(accept_language))
        available = {name.lower(): name for name in [self._default, *self.languages]}
        acceptable = [name for tag, name in available.items() if weights.get(tag) != 0]
        for tag in sorted((tag for tag in weights if weights[tag]), key=weights.__getitem__, reverse=True):
            if tag == "*" and acceptable:
                return acceptable[0]
            parts = tag.split("-")
            for count in range(len(parts), 0, -1):
                if (found := available.get("-".join(parts[:count]))) is not None:
                    return found
        return self._default

    def resolve(self, language: str) -> str:
        """Return the language if it is available, else the default."""
        return language if language in self._texts else self._default

    def find(self, code: str, language: str = "", /, **values: Any) -> str | None:
        """Return a text with its placeholders filled in, or None for an unknown code."""
        for name in (language, self._default, DEFAULT):
            text = self._texts.get(name, {}).get(code)
            if text is not None:
                return text.format_map({key: str(value) for key, value in values.items()})
        return None

    def get(self, code: str, language: str = "", /, **values: Any) -> str:
        """Return a text with its placeholders filled in. Raises KeyError for an unknown code."""
        text = self.find(code, language, **values)
        if text is None:
            raise KeyError(code)
        return text


def _ranges(accept_language: str) -> Iterator[tuple[str, float]]:
    """Yield the language ranges of a header, in lowercase, with their weights. Malformed parts are skipped."""
    for part in accept_language.split(","):
        match = RANGE.fullmatch(part.strip().lower())
        if match is not None:
            yield match["tag"], float(match["weight"] or 1)


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


def placeholders(text: str) -> set[str]:
    """Return the names of the placeholders in a text."""
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def _flatten(prefix: str, node: Mapping[str, Any], into: dict[str, str]) -> None:
    for key, value in node.items():
        if isinstance(value, Mapping):
            _flatten(f"{prefix}.{key}", value, into)
        else:
            into[f"{prefix}.{key}"] = str(value)
