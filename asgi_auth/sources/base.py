"""The ways to read settings, for the class that declares them."""

import os
from collections.abc import Collection, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, ClassVar, Self, get_type_hints

from asgi_auth.sources.blame import made
from asgi_auth.sources.environment import CONFIG, read_environment, variable_of
from asgi_auth.sources.toml import read_toml


class Sources:
    """The base class of `Settings`: a dataclass whose fields environment variables and TOML files can set."""

    #: Settings that are objects, so that no variable sets them.
    not_in_environment: ClassVar[frozenset[str]] = frozenset()
    #: Settings that no TOML file can set.
    not_in_toml: ClassVar[frozenset[str]] = frozenset()
    #: Types of settings in a TOML file that differ from those in Python.
    toml_kinds: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def from_env(
        cls,
        prefix: str = "AUTH_",
        environ: Mapping[str, str] | None = None,
        *,
        ignore: Collection[str] = (),
        **overrides: Any,
    ) -> Self:
        """Read settings from environment variables, such as AUTH_ACCESS_TTL for `access_ttl`.

        With the suffix `_FILE`, such as AUTH_SECRET_FILE, a variable names a file that holds the value. Commas separate
        the items of a list. An empty variable is not set, and surrounding white space is removed. Settings that are
        objects, such as `fields`, have no variable. Keyword arguments override variables. Raises ValueError for a
        variable that cannot be parsed, and for one with the prefix that is neither a setting nor in `ignore`.
        """
        environ = os.environ if environ is None else environ
        given = cls._in_environment(prefix, environ, ignore)
        places = {name: variable_of(prefix, name, environ) for name in given.keys() - overrides.keys()}
        return cls._made(given | overrides, f"{prefix}SECRET", places)

    @classmethod
    def from_toml(cls, path: str | Path, table: str = "asgi_auth", **overrides: Any) -> Self:
        """Read settings from a table of a TOML file, each by its name; `secret_file` names a file with the secret.

        Dots in `table` lead to a table inside another one, such as `tool.asgi_auth`. `fields` and `signing_keys` cannot
        be in a file. Keyword arguments override the file. Raises ValueError for a file that cannot be read, a missing
        table, an unknown key, and a value of another type.
        """
        given = cls._in_toml(path, table)
        places = {name: f"{path}: {name}" for name in given.keys() - overrides.keys()}
        return cls._made(given | overrides, "secret_file in the TOML file", places)

    @classmethod
    def load(
        cls,
        prefix: str = "AUTH_",
        environ: Mapping[str, str] | None = None,
        *,
        table: str = "asgi_auth",
        ignore: Collection[str] = (),
        **overrides: Any,
    ) -> Self:
        """Read settings from the TOML file that AUTH_CONFIG names, if it is set, and from environment variables.

        Variables override the file, and keyword arguments override both. The other parameters and the errors are those
        of `from_env` and `from_toml`.
        """
        environ = os.environ if environ is None else environ
        path = environ.get(prefix + CONFIG, "").strip()
        in_file = cls._in_toml(path, table) if path else {}
        in_environment = cls._in_environment(prefix, environ, {*ignore, prefix + CONFIG})
        places = {name: f"{path}: {name}" for name in in_file}
        places |= {name: variable_of(prefix, name, environ) for name in in_environment}
        places = {name: place for name, place in places.items() if name not in overrides}
        values = in_file | in_environment | overrides
        return cls._made(values, f"{prefix}SECRET, or secret_file in the TOML file", places)

    @classmethod
    def origins(cls, environ: Mapping[str, str], *, prefix: str = "AUTH_", table: str = "asgi_auth") -> dict[str, str]:
        """Return where `load` finds each setting: the path of the file, or `environment`. Raises ValueError."""
        path = environ.get(prefix + CONFIG, "").strip()
        in_file = dict.fromkeys(cls._in_toml(path, table), path) if path else {}
        return in_file | dict.fromkeys(cls._in_environment(prefix, environ, {prefix + CONFIG}), "environment")

    @classmethod
    def _made(cls, values: Mapping[str, Any], place: str, places: Mapping[str, str]) -> Self:
        """Make settings of values. Raises ValueError, which names the place of a missing secret or a wrong value."""
        if not values.get("secret"):
            raise ValueError(f"a secret is required: set {place}; the command `asgi-auth secret` generates one")
        return made(cls, values, places)

    @classmethod
    def _in_environment(cls, prefix: str, environ: Mapping[str, str], ignore: Collection[str]) -> dict[str, Any]:
        given = {name: text for name, text in environ.items() if name not in ignore}
        return read_environment(prefix, given, cls._defaults(), cls.not_in_environment)

    @classmethod
    def _in_toml(cls, path: str | Path, table: str) -> dict[str, Any]:
        defaults = cls._defaults()
        hints = {**get_type_hints(cls), **cls.toml_kinds}
        return read_toml(path, table, {name: hints[name] for name in defaults.keys() - cls.not_in_toml}, defaults)

    @classmethod
    def _defaults(cls) -> dict[str, object]:
        return {item.name: item.default for item in fields(cls)}  # type: ignore[arg-type]  # subclasses are dataclasses
