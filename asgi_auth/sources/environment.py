"""Settings from environment variables: one variable for each setting, or a file that a variable names."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from asgi_auth.sources.blame import suggestion
from asgi_auth.sources.text import parse, text_in

FILE = "_FILE"
#: Variables of the command `asgi-auth`, which are not settings.
OF_THE_COMMAND = frozenset({"AUTH_APP", "AUTH_DATABASE_URL", "AUTH_DATABASE_URL_FILE"})
#: The ending of the variable that names a TOML file.
CONFIG = "CONFIG"
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
        name: parse(variable, text, defaults[name], is_list=name == "secret")
        for variable, name in names.items()
        for text in text_of(variable, given)
    }


def variable_of(prefix: str, name: str, environ: Mapping[str, str]) -> str:
    """Return the variable that sets a setting: the one with its value, or with the file of its value."""
    variable = prefix + name.upper()
    return variable if environ.get(variable, "").strip() else variable + FILE


def text_of(variable: str, given: Mapping[str, str]) -> Iterator[str]:
    """Yield the text of a variable, or of the file that its variable names; nothing when it is not set.

    Raises ValueError when both are set, and for a file that cannot be read.
    """
    path = given.get(variable + FILE)
    if path is not None and variable in given:
        raise ValueError(f"{variable} and {variable}{FILE} are both set; remove one")
    if path is not None:
        yield text_in(f"{variable}{FILE}", path)
    elif variable in given:
        yield given[variable]


def _refuse_unknown(prefix: str, given: Mapping[str, str], names: Mapping[str, str], not_read: set[str]) -> None:
    """Raise ValueError for a variable that sets nothing: a misspelled setting would silently keep its default."""
    for variable, text in given.items():
        known = variable in names or variable.removesuffix(FILE) in names or variable in OF_THE_COMMAND
        if known or _is_of_kubernetes(variable.removeprefix(prefix), text):
            continue
        if variable == prefix + CONFIG:
            raise ValueError(f"{variable} names a file, which Settings.load() reads and from_env() does not")
        if variable.removesuffix(FILE) in not_read:
            raise ValueError(f"{variable} cannot be set by a variable; pass it as an argument")
        files = [name + FILE for name in names] if "_F" in variable else []
        meant = suggestion(variable, [*names, *files], prefix)
        raise ValueError(f"{variable} is not a setting{meant or '; `ignore` lists variables of your own'}")


def _is_of_kubernetes(name: str, text: str) -> bool:
    return KUBERNETES.fullmatch(name) is not None or (
        name.endswith("PORT") and KUBERNETES_URL.fullmatch(text) is not None
    )
