"""What features add to the catalog: their texts, and the purposes of their mails."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from asgi_auth.texts.catalog import DEFAULT, Overrides, placeholders, purposes, shipped

#: The names that a text may use as placeholders; None: any.
Allowed: TypeAlias = frozenset[str] | None
#: The parts of a mail that are texts.
PARTS = ("subject", "body", "action", "not_you")
#: The purposes that the classes of features have declared, those of hosts included.
_declared: set[str] = set()


def declare(mails: Any) -> None:
    """Note the purposes in the `mails` of a class of features, so that they are known before there is an `Auth`."""
    if isinstance(mails, tuple | list | set | frozenset):
        _declared.update(item for item in mails if isinstance(item, str))


def known_purposes() -> set[str]:
    """Return the purposes of the catalog, and those that features have declared."""
    return purposes() | _declared


def merged(parts: Iterable[Overrides]) -> dict[str, dict[str, str]]:
    """Return the texts of all features, by language and code. Raises ValueError when two define the same one."""
    texts: dict[str, dict[str, str]] = {}
    for part in parts:
        for language, added in part.items():
            known = texts.setdefault(language, {})
            if twice := known.keys() & added.keys():
                raise ValueError(f"two features define the text {min(twice)!r}")
            known.update(added)
    return texts


def allowed_in(texts: Mapping[str, Mapping[str, str]], mails: Iterable[str]) -> dict[str, Allowed]:
    """Return the placeholders of each code: of the library, of the `texts` of features, and any for their other mails.

    Raises ValueError when a text of a feature has the code of one of the library, or when its translations differ in
    their placeholders.
    """
    library: dict[str, Allowed] = {code: placeholders(text) for code, text in shipped()[DEFAULT].items()}
    allowed: dict[str, Allowed] = {}
    for added in texts.values():
        for code, text in added.items():
            if code in library:
                raise ValueError(f"the text {code!r} is one of the library; replace it with Settings(texts=…)")
            if allowed.setdefault(code, placeholders(text)) != placeholders(text):
                raise ValueError(f"the translations of the text {code!r} have different placeholders")
    further: dict[str, Allowed] = {f"mail.{purpose}.{part}": None for purpose in mails for part in PARTS}
    return further | allowed | library
