"""Values of settings that a function returns, such as one that asks a secret manager."""

import inspect
from typing import Any


def ask(name: str, value: Any) -> Any:
    """Return what a function without arguments returns; a value that is no function is returned unchanged.

    Functions in a list are asked, too. Errors of the function are raised as they are. Raises ValueError for an
    asynchronous function.
    """
    if isinstance(value, list | tuple) and any(map(callable, value)):
        return [ask(name, item) for item in value]
    found = value() if callable(value) else value
    if inspect.isawaitable(found):
        if inspect.iscoroutine(found):
            found.close()
        raise ValueError(f"{name}: the function is asynchronous; pass a function that returns the value")
    return found
