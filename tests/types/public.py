"""Completeness of the types of the public modules.

Pyright counts all modules of the package. Most of them are not public, so this module counts again: the names
of the public modules with their members. Types that these names use count through them, since pyright marks a name
as incomplete when its type has an incomplete part.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.types.checkers import verified

PACKAGE = "asgi_auth"
#: The public modules, as listed in docs/versioning.md.
PUBLIC = (
    "asgi_auth",
    "asgi_auth.errors",
    "asgi_auth.feature",
    "asgi_auth.features.defaults",
    "asgi_auth.storage",
    "asgi_auth.storage.sqlite",
    "asgi_auth.storage.postgres",
    "asgi_auth.storage.databases",
    "asgi_auth.mail",
    "asgi_auth.importing",
    "asgi_auth.verify",
    "asgi_auth.hosts.*",
    "asgi_auth.testing",
    "asgi_auth.testing.provider",
    "asgi_auth.testing.contract",
)
LEAST = 0.99
#: Django ships no types, so pyright knows no type of a parameter that is a request of Django.
UNTYPED = (
    "asgi_auth.hosts.django.IdentityMiddleware",
    "asgi_auth.hosts.django.IdentityMiddleware.__call__",
    "asgi_auth.hosts.django.IdentityMiddleware.identify",
    "asgi_auth.hosts.django.IdentityMiddleware.process_exception",
    "asgi_auth.hosts.django.UserMiddleware",
    "asgi_auth.hosts.django.UserMiddleware.identify",
    "asgi_auth.hosts.django.UserMiddleware.__call__",
    "asgi_auth.hosts.django.UserMiddleware.process_exception",
)

Symbol = dict[str, Any]


def public_symbols(symbols: Iterable[Symbol]) -> list[Symbol]:
    """Return the symbols that public modules export, with the members of classes, each once."""
    listed = list(symbols)
    again = {name for symbol in listed for name in symbol.get("alternateNames", [])}
    unique = [symbol for symbol in listed if symbol["name"] not in again]
    exported = {symbol["name"] for symbol in unique if any(map(is_public, names_of(symbol)))}
    return [symbol for symbol in unique if symbol["isExported"] and not exported.isdisjoint(owners(symbol["name"]))]


def names_of(symbol: Symbol) -> list[str]:
    """Return all full names of a symbol."""
    return [symbol["name"], *symbol.get("alternateNames", [])]


def is_public(name: str) -> bool:
    """Tell whether a full name is directly in a public module."""
    module = name.rpartition(".")[0]
    return module in PUBLIC or f"{module.rpartition('.')[0]}.*" in PUBLIC


def owners(name: str) -> list[str]:
    """Return a full name and all its prefixes: `a.b.c`, `a.b`, `a`."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(len(parts), 0, -1)]


def is_complete(symbol: Symbol) -> bool:
    """Tell whether the type of a symbol is the same to each type checker."""
    return bool(symbol["isTypeKnown"] and not symbol["isTypeAmbiguous"])


def completeness(symbols: list[Symbol]) -> float:
    """Return the share of symbols with a complete type, 0 to 1."""
    return sum(map(is_complete, symbols)) / len(symbols)


def faults_of(symbols: list[Symbol]) -> list[str]:
    """Return a line for each incomplete public symbol outside UNTYPED, and then for each declaration at fault."""
    names = [symbol["name"] for symbol in public_symbols(symbols) if not is_complete(symbol)]
    broken = [f"{name}: incomplete public type" for name in names if name not in UNTYPED]
    causes = incomplete(symbol for symbol in symbols if symbol["name"] not in UNTYPED)
    return [*broken, *causes] if broken else []


def incomplete(symbols: Iterable[Symbol]) -> list[str]:
    """Describe each incomplete declaration, one line a fault; types that only use an incomplete one are left out."""
    return [
        f"{symbol['name']}: {' '.join(fault['message'].split())}"
        for symbol in symbols
        if not is_complete(symbol)
        for fault in symbol["diagnostics"]
        if "partially unknown" not in fault["message"]
    ]


def report(folder: Path) -> tuple[float, list[str]]:
    """Return the completeness of the public types, 0 to 1, and the faults of `faults_of`."""
    symbols = verified(PACKAGE, folder)["symbols"]
    return completeness(public_symbols(symbols)), faults_of(symbols)
