"""Names of a package that are loaded when they are first asked for (PEP 562): not every process needs them."""

import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def loader(package: str, names: Mapping[str, str], root: str = "") -> Callable[[str], Any]:
    """Make the `__getattr__` of a package whose `names` are defined in modules below it, or below `root`."""

    def load(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{root or package}.{names[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return load
