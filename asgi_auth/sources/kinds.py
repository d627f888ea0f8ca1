"""Values of settings that come from Python: each has the type that its setting declares."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from os import PathLike
from typing import Any, get_args, get_origin, get_type_hints

#: What an error says that a setting must be.
WANTED: Mapping[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    str | None: "a text or None",
}


def check_kinds(settings: object) -> None:
    """Raise ValueError for a setting of another type. The text does not show the value, which may be a secret.

    A text such as `"false"` in place of a boolean would be true, and a fraction in place of whole seconds would fail in
    requests.
    """
    declared: Any = type(settings)
    for name, kind in _kinds(declared).items():
        value = getattr(settings, name)
        if kind in WANTED:
            if not _has_kind(value, kind):
                raise ValueError(f"{name} must be {WANTED[kind]}, and is of the type {type(value).__name__}")
        elif get_origin(kind) is Sequence:
            _check_items(name, value, get_args(kind)[0])


@cache
def _kinds(settings: type) -> dict[str, Any]:
    return get_type_hints(settings)


def _has_kind(value: object, kind: Any) -> bool:
    if kind in {int, float}:
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    if kind == str | None:
        # A path where the setting is one.
        return value is None or isinstance(value, str | PathLike)
    return isinstance(value, kind)


def _check_items(name: str, value: object, item: type) -> None:
    is_list = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    if not is_list or not all(isinstance(each, item) for each in value):  # type: ignore[attr-defined]  # a collection
        wanted = "texts" if item is str else f"{item.__name__} objects"
        raise ValueError(f"{name} must be a list of {wanted}")
