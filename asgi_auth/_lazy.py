"""Lazy imports (PEP 562): some names of a package are imported at their first use, to keep start-up fast."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def loader(package: str, names: Mapping[str, str], root: str = "") -> Callable[[str], Any]:
    """Return a `__getattr__` for the package.

    `names` maps each lazy name to the module that defines it, below the package, or below `root`. Any other name
    raises AttributeError.
    """

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{root or package}.{names[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
