"""All endpoints of the library, whichever features an `Auth` has."""

import functools
import pkgutil
from importlib import import_module

from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.endpoint import Endpoint


@functools.cache
def endpoints_of_library() -> frozenset[Endpoint]:
    """Return the endpoints of the features in the package `features`."""
    package = import_module("asgi_auth.features")
    modules = [import_module(f"{package.__name__}.{found.name}") for found in pkgutil.iter_modules(package.__path__)]
    kinds = {item for module in modules for item in vars(module).values() if isinstance(item, type)}
    classes = {base for kind in kinds if issubclass(kind, BaseFeature) for base in kind.__mro__}
    members = [item for kind in classes for item in vars(kind).values()]
    declared = [getattr(item, "endpoint", None) for item in members]
    return frozenset(item for item in declared if isinstance(item, Endpoint))
