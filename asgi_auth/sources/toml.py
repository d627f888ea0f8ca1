"""Settings from a table of a TOML file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_origin

import msgspec

from asgi_auth.sources.blame import suggestion
from asgi_auth.sources.text import parse, text_in

#: The ending of a key that names a file with the value, such as `secret_file`.
FILE = "_file"


def read_toml(path: str | Path, table: str, kinds: Mapping[str, Any], defaults: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings in a table of a file.

    `kinds` has the type of each setting that a file may set, and `defaults` its default. A key that ends with `_file`
    names a file with the text of the setting. Dots in `table` lead to a table inside another one. Raises ValueError for
    a file that cannot be read, a missing table, an unknown key, and a value of another type.
    """
    given = _table_of(path, table)
    found = {}
    for key, value in given.items():
        name, place = key if key in kinds else key.removesuffix(FILE), f"{path}: {key}"
        if name not in kinds:
            meant = suggestion(key, [*kinds, *(name + FILE for name in kinds)])
            raise ValueError(f"{place} is not a setting that a file can have{meant}")
        if name != key and name in given:
            raise ValueError(f"{path}: {name} and {key} are both set; remove one")
        if name != key:
            text = text_in(place, _of_kind(place, value, str))
            found[name] = parse(place, text, defaults[name], is_list=name == "secret")
        else:
            found[name] = _of_kind(place, value, kinds[name])
    return found


def _table_of(path: str | Path, table: str) -> dict[str, Any]:
    """Read a table. Raises ValueError."""
    import tomllib  # noqa: PLC0415 (only settings in a file need it)

    try:
        found: Any = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise ValueError(f"{str(path)!r} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is not TOML: {error}") from None
    for part in table.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    settings = found if isinstance(found, dict) else None
    if settings is None:
        raise ValueError(f"{path} has no table [{table}]")
    return settings


def _of_kind(place: str, value: object, kind: Any) -> Any:
    """Convert a value of TOML to the type of a setting. Raises ValueError, which does not show the value."""
    try:
        # The settings name their choices themselves.
        converted = msgspec.convert(value, str if get_origin(kind) is Literal else kind)
    except msgspec.ValidationError as error:
        raise ValueError(f"{place}: {str(error)[0].lower()}{str(error)[1:]}") from None
    return tuple(converted) if isinstance(converted, list) else converted
