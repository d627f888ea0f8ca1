"""The catalog of all texts on pages and in mails, by code and language. Hosts can replace each text."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from asgi_auth.texts.added import Allowed, allowed_in, merged
from asgi_auth.texts.catalog import (
    DEFAULT,
    Overrides,
    about,
    placeholders,
    plural_forms,
    purposes,
    shipped,
    texts_in,
)
from asgi_auth.texts.languages import category, direction

__all__ = [
    "DEFAULT",
    "Overrides",
    "Texts",
    "about",
    "direction",
    "placeholders",
    "plural_forms",
    "purposes",
    "shipped",
    "texts_in",
]

#: A lowercase language range with its weight (RFC 4647, section 2.1; RFC 9110, section 12.4.2).
RANGE = re.compile(
    r"(?P<tag>\*|[a-z]{1,8}(-[a-z0-9]{1,8}){0,8})([ \t]*;[ \t]*q=(?P<weight>0(\.[0-9]{0,3})?|1(\.0{0,3})?))?"
)


class Texts:
    """Finds texts by code, such as `mail.reset_password.subject`.

    `language` is the default language. `overrides` replaces texts, and can add languages. A text that a language lacks
    is taken from the default language, then from English. `extra_codes` are further codes that `overrides` can have.
    `added` are the texts of features, and `mails` the purposes of their mails, whose texts may come from either.
    Raises ValueError for an unknown language, an unknown code, and an unknown placeholder in a text.
    """

    def __init__(
        self,
        language: str = DEFAULT,
        overrides: Overrides | None = None,
        extra_codes: Collection[str] = (),
        *,
        added: Sequence[Overrides] = (),
        mails: Collection[str] = (),
    ) -> None:
        """Merge the shipped texts, those of features, and the overrides."""
        self._texts = {name: dict(texts) for name, texts in shipped().items()}
        features = merged(added)
        known: dict[str, Allowed] = dict.fromkeys(extra_codes, frozenset()) | allowed_in(features, mails)
        for name, texts in (overrides or {}).items():
            _check(texts, known)
            self._texts.setdefault(name, {}).update(texts)
        if language not in self._texts:
            raise ValueError(f"no texts for the language {language!r}")
        for name, texts in self._texts.items():
            self._texts[name] = dict(features.get(name, {})) | texts
        self._default = language
        self._mails = purposes() | set(mails)

    @property
    def mails(self) -> list[str]:
        """The purposes of the mails that can be written: each has a subject and a body."""
        return sorted(
            purpose
            for purpose in self._mails
            if all(self.find_raw(f"mail.{purpose}.{part}") is not None for part in ("subject", "body"))
        )

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
        text = self.find_raw(code, language, values.get("count"))
        return None if text is None else text.format_map({key: str(value) for key, value in values.items()})

    def find_raw(self, code: str, language: str = "", count: object = None) -> str | None:
        """Return a text with its placeholders, in the form for a `count`, or None for an unknown code."""
        for name in (language, self._default, DEFAULT):
            text = self._texts.get(name, {}).get(code)
            if text is not None:
                return text if count is None else self._form(code, name, text, count)
        return None

    def _form(self, code: str, language: str, text: str, count: object) -> str:
        """Return the form of a text for a number; the text itself where a host has replaced it."""
        forms = plural_forms(language)
        if not forms or shipped().get(language, {}).get(code) != text or not str(count).isdigit():
            return text
        return forms.get(f"{code}.{category(language, int(str(count)))}", text)

    def get(self, code: str, language: str = "", /, **values: Any) -> str:
        """Return a text with its placeholders filled in. Raises KeyError for an unknown code."""
        text = self.find(code, language, **values)
        if text is None:
            raise KeyError(code)
        return text


def _check(texts: Mapping[str, str], known: Mapping[str, Allowed]) -> None:
    """Raise ValueError for an unknown code, and for an unknown placeholder."""
    for code, text in texts.items():
        if code not in known:
            raise ValueError(f"unknown text {code!r}")
        allowed = known[code]
        if allowed is not None and not placeholders(text) <= allowed:
            raise ValueError(f"the text {code!r} can only use the placeholders {sorted(allowed)}")


def _ranges(accept_language: str) -> Iterator[tuple[str, float]]:
    """Yield the language ranges of a header, in lowercase, with their weights. Malformed parts are skipped."""
    for part in accept_language.split(","):
        match = RANGE.fullmatch(part.strip().lower())
        if match is not None:
            yield match["tag"], float(match["weight"] or 1)
