"""Lists and dicts that cannot be changed: they are remembered, and many requests share them."""

from copy import deepcopy
from typing import Any, NoReturn


class FrozenList(list[Any]):
    """A list that raises TypeError when it is changed. `list(…)` and `copy.deepcopy` make a list that can be."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this list is shared by requests and cannot be changed; copy it")

    append = clear = extend = insert = pop = remove = reverse = sort = _refuse
    __delitem__ = __iadd__ = __imul__ = __setitem__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as a list."""
        return list, (list(self),)

    def __reduce_ex__(self, _: object) -> tuple[Any, ...]:
        """Copy and pickle as a list."""
        return self.__reduce__()

    def __deepcopy__(self, memo: dict[int, Any]) -> list[Any]:
        """Copy as a list, with everything in it."""
        return deepcopy(list(self), memo)


class FrozenDict(dict[str, Any]):
    """A dict that raises TypeError when it is changed. `dict(…)` and `copy.deepcopy` make a dict that can be."""

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("this dict is shared by requests and cannot be changed; copy it")

    clear = pop = popitem = setdefault = update = _refuse
    __delitem__ = __ior__ = __setitem__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as a dict."""
        return dict, (dict(self),)

    def __reduce_ex__(self, _: object) -> tuple[Any, ...]:
        """Copy and pickle as a dict."""
        return self.__reduce__()

    def __deepcopy__(self, memo: dict[int, Any]) -> dict[str, Any]:
        """Copy as a dict, with everything in it."""
        return deepcopy(dict(self), memo)


def frozen(value: Any) -> Any:
    """Return a value of JSON with all lists and dicts in it frozen."""
    if isinstance(value, dict):
        return FrozenDict({key: frozen(item) for key, item in value.items()})
    if isinstance(value, list):
        return FrozenList([frozen(item) for item in value])
    return value
