"""Settings from environment variables: one variable for each setting, or a file that a variable names."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
FILE = "_FILE"
#: Variables that Kubernetes sets for every service of the namespace: a service `auth` gives AUTH_SERVICE_HOST.
KUBERNETES = re.compile(r"(?:.*_)?(?:SERVICE_(?:HOST|PORT(?:_.*)?)|PORT_[0-9]+_[A-Z]+(?:_(?:PROTO|PORT|ADDR))?)")
KUBERNETES_URL = re.compile(r"[a-z]+://[0-9a-fA-F.:\[\]]+")


def read_environment(
    prefix: str, environ: Mapping[str, str], defaults: Mapping[str, object], not_read: frozenset[str]
) -> dict[str, Any]:
    """Return the values of the settings in `defaults` that have a variable, such as AUTH_ACCESS_TTL for `access_ttl`.

    An empty variable is not set, and surrounding white space is removed. Settings in `not_read` have no variable.
    Raises ValueError for a value of another type, a file that cannot be read, and an unknown variable.
    """
    given = {name: text.strip() for name, text in environ.items() if name.startswith(prefix) and text.strip()}
    names = {prefix + name.upper(): name for name in defaults.keys() - not_read}
    if prefix:
        _refuse_unknown(prefix, given, names, {prefix + name.upper() for name in not_read})
    return {
        name: _parse(variable, text, defaults[name])
        for variable, name in names.items()
        for text in _text_of(variable, given)
    }


def _text_of(variable: str, given: Mapping[str, str]) -> Iterator[str]:
    """Yield the text of a variable, or of the file that its variable names; nothing when it is not set."""
    path = given.get(variable + FILE)
    if path is not None and variable in given:
        raise ValueError(f"{variable} and {variable}{FILE} are both set; remove one")
    if path is None:
        yield from [given[variable]] if variable in given else []
        return
    try:
        text = Path(path).read_text("utf-8").strip()
    except OSError as error:
        raise ValueError(f"{variable}{FILE}: {path!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{variable}{FILE}: {path!r} is not text in UTF-8") from None
    if not text:
        raise ValueError(f"{variable}{FILE}: {path!r} is empty")
    yield text


def _refuse_unknown(prefix: str, given: Mapping[str, str], names: Mapping[str, str], not_read: set[str]) -> None:
    """Raise ValueError for a variable that sets nothing: a misspelled setting would silently keep its default."""
    for variable, text in given.items():
        known = variable in names or variable.removesuffix(FILE) in names
        if known or _is_of_kubernetes(variable.removeprefix(prefix), text):
            continue
        if variable.removesuffix(FILE) in not_read:
            raise ValueError(f"{variable} cannot be set by a variable; pass it as an argument")
        nearest = get_close_matches(variable, [*names, *(name + FILE for name in names)], n=1, cutoff=0.0)
        raise ValueError(f"{variable} is not a setting; did you mean {nearest[0]}?")


def _is_of_kubernetes(name: str, text: str) -> bool:
    return KUBERNETES.fullmatch(name) is not None or (
        name.endswith("PORT") and KUBERNETES_URL.fullmatch(text) is not None
    )


def _parse(name: str, text: str, default: object) -> object:
    """Convert the text of a variable to the type of the default. Raises ValueError."""
    try:
        if isinstance(default, bool):
            return BOOLEANS[text.lower()]
        if isinstance(default, int | float):
            return type(default)(text)
    except (KeyError, ValueError):
        raise ValueError(f"{name} is not a valid {type(default).__name__}") from None
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if name.endswith("_SECRET") and "," in text:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
