"""Values of settings and options that come from Python: each has the type that is declared for it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from functools import cache, wraps
from inspect import signature
from os import PathLike
from types import NoneType, UnionType
from typing import Any, Literal, ParamSpec, Union, get_args, get_origin, get_type_hints

P = ParamSpec("P")
#: What stands for a list of any length.
LISTS = frozenset({Sequence, Collection, AbstractSet, tuple})
#: What an error says that a value must be.
WANTED: Mapping[Any, str] = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    str: "a text",
    bytes: "bytes",
    NoneType: "None",
    Callable: "a function",
}


def check_kinds(settings: object, *, but: Collection[str] = ()) -> None:
    """Raise ValueError for a setting of another type, but for some that have a check of their own.

    The text does not show the value, which may be a secret.

    A text such as `"false"` in place of a boolean would be true, and a fraction in place of whole seconds would fail in
    requests.
    """
    declared: Any = type(settings)
    for name, kind in _kinds(declared).items():
        if name in but:
            continue
        value = getattr(settings, name, None)
        # A path where the setting is one.
        if not (kind == str | None and isinstance(value, PathLike)):
            check_kind(name, value, kind)


def checks_options(function: Callable[P, None]) -> Callable[P, None]:
    """Let a constructor raise ValueError for an option of another type than its annotation, by `check_kind`."""

    @wraps(function)
    def checked(*given: P.args, **named: P.kwargs) -> None:
        options: Mapping[str, object] = {}
        with suppress(TypeError):
            # The call below raises it, too: an argument is unknown, or given twice.
            options = signature(function).bind_partial(*given, **named).arguments
        for name, kind in _kinds(function).items():
            if name in options:
                check_kind(name, options[name], kind)
        function(*given, **named)

    return checked


def check_kind(name: str, value: object, kind: Any) -> None:
    """Raise ValueError for a value of another type than the declared one. The text does not show the value."""
    if not fits(value, kind):
        # Of a text that is none of the choices, the type is no news.
        found = "" if _is_choice(value, kind) else f", and is {_found(value)}"
        raise ValueError(f"{name} must be {wanted(kind)}{found}")


def fits(value: object, kind: Any) -> bool:
    """Return whether a value is of a declared type. Of a type that no value can be compared with, each value is."""
    arguments = get_args(kind)
    judge = JUDGES.get(get_origin(kind))
    if judge is not None:
        return judge(value, arguments)
    if kind in {int, float}:
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    if kind is None:
        return value is None
    can_judge = isinstance(kind, type) and kind is not Any and not getattr(kind, "_is_protocol", False)
    return isinstance(value, kind) if can_judge and get_origin(kind) is None else True


def wanted(kind: Any) -> str:
    """Return what a value of a declared type is, as a part of a sentence."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in {Union, UnionType}:
        return " or ".join(wanted(each) for each in arguments)
    if origin is Literal:
        return " or ".join(str(each) for each in arguments)
    if origin in LISTS:
        return _wanted_list(arguments[0])
    if origin is Mapping and arguments[1] is Any:
        return "a mapping"
    if origin is Mapping:
        return f"a mapping (each value: {wanted(arguments[1])})"
    return WANTED.get(origin or kind) or f"of the type {getattr(kind, '__name__', kind)}"


def _wanted_list(item: Any) -> str:
    if get_origin(item) is not None or item is Any:
        return "a list"
    return f"a list of {'texts' if item is str else f'{item.__name__} objects'}"


def _found(value: object) -> str:
    """Return the type of a value, and those of its items."""
    name = type(value).__name__
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        items: Collection[object] = value
        if isinstance(value, Mapping):
            items = [key for key in value if not isinstance(key, str)] or value.values()
        kinds = sorted({type(each).__name__ for each in items})
        return f"a {name} of {', '.join(kinds)}" if kinds else f"an empty {name}"
    return f"of the type {name}"


def _is_choice(value: object, kind: Any) -> bool:
    """Return whether a declared type has choices of the type of a value."""
    if get_origin(kind) in {Union, UnionType}:
        return any(_is_choice(value, each) for each in get_args(kind))
    return get_origin(kind) is Literal and type(value) in {type(each) for each in get_args(kind)}


def _is_list(value: object, arguments: Sequence[Any]) -> bool:
    is_list = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
    return is_list and all(fits(each, arguments[0]) for each in value)  # type: ignore[attr-defined]  # a collection


def _is_mapping(value: object, arguments: Sequence[Any]) -> bool:
    if not isinstance(value, Mapping):
        return False
    return all(fits(key, arguments[0]) and fits(each, arguments[1]) for key, each in value.items())


def _is_one_of(value: object, arguments: Sequence[Any]) -> bool:
    # True is 1.
    return any(type(value) is type(each) and value == each for each in arguments)


def _fits_one(value: object, arguments: Sequence[Any]) -> bool:
    return any(fits(value, each) for each in arguments)


#: How a value is compared with a type that has others in it.
JUDGES: Mapping[Any, Callable[[object, Sequence[Any]], bool]] = {
    Union: _fits_one,
    UnionType: _fits_one,
    Literal: _is_one_of,
    **dict.fromkeys(LISTS, _is_list),
    Mapping: _is_mapping,
    Callable: lambda value, _: callable(value),
}


@cache
def _kinds(declared: Any) -> dict[str, Any]:
    try:
        found = get_type_hints(declared)
    except (NameError, TypeError):
        # What type checkers alone can read is a text at run time.
        found = {name: kind for name, kind in declared.__annotations__.items() if not isinstance(kind, str)}
    found.pop("return", None)
    return found
