"""Merges the auth routes into the OpenAPI document of a host.

    part = auth_document(auth, "/auth")  # 1. Paths below the mount, and names with a prefix.
    merge_into(host_document, part)      # 2. The host's document is changed in place.

Not public: use `merge_openapi` of the framework's module.
"""

import re
from collections.abc import Iterator
from typing import Any

from asgi_auth.app import AuthApp
from asgi_auth.auth import Auth
from asgi_auth.feature import Served
from asgi_auth.openapi import Info, document
from asgi_auth.settings import check_mount

COMPONENT = "#/components/"


def auth_document(auth: Auth | AuthApp, mount: str) -> dict[str, Any]:
    """Return the OpenAPI document of the auth routes, ready to merge into another document.

    Each path starts with the mount. Each name starts with a prefix made from the mount (`auth_` for `/auth`), so that
    it differs from the names of the host. Raises ValueError when `mount` is not a path such as `/auth`.
    """
    check_mount(mount)
    app = auth if isinstance(auth, AuthApp) else AuthApp(auth)
    # Without a leading slash, URLs are relative to the document, as in FastAPI: the host's root_path is unknown here.
    part = document(app.auth, Served(app.routes, mount[1:]), Info())
    prefix = prefix_of(mount)
    for kind, components in part["components"].items():
        part["components"][kind] = {prefix + name: component for name, component in components.items()}
    part["paths"] = {mount + path: operations for path, operations in part["paths"].items()}
    for operations in part["paths"].values():
        for operation in operations.values():
            operation["operationId"] = prefix + operation["operationId"]
            operation["tags"] = [prefix + tag for tag in operation["tags"]]
            operation["security"] = [{prefix + name: [] for name in scheme} for scheme in operation["security"]]
    part["tags"] = [tag | {"name": prefix + tag["name"]} for tag in part["tags"]]
    prefixed: dict[str, Any] = _prefix_references(part, prefix)
    return prefixed


def merge_into(host: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Add a part to the document of the host, in place, and return the document. Repeated calls change nothing."""
    host.setdefault("paths", {}).update(part["paths"])
    components = host.setdefault("components", {})
    for kind, named in part["components"].items():
        components.setdefault(kind, {}).update(named)
    tags = host.setdefault("tags", [])
    tags += [tag for tag in part["tags"] if tag not in tags]
    return host


def share_scheme(host: dict[str, Any], part: dict[str, Any], name: str, mount: str) -> dict[str, Any]:
    """Give the routes of both one security scheme, in place, and return the document.

    It is the OAuth 2 scheme of the part: a user who logs in at it in the docs is logged in for all routes. It replaces
    `name`, the scheme of the host, and the other schemes of sessions. Schemes of features, such as API keys, stay. A
    part without a token endpoint changes nothing.
    """
    prefix = prefix_of(mount)
    shared = f"{prefix}oauth2"
    if shared not in part["components"]["securitySchemes"]:
        return host
    renamed = dict.fromkeys([name, f"{prefix}bearer", f"{prefix}cookie"], shared)
    for key in renamed:
        host["components"]["securitySchemes"].pop(key, None)
    for operation in _guarded(host):
        ways = [{renamed.get(key, key): scopes for key, scopes in way.items()} for way in operation["security"]]
        operation["security"] = [way for number, way in enumerate(ways) if way not in ways[:number]]
    return host


def open_to_all(host: dict[str, Any], optional: str, name: str) -> dict[str, Any]:
    """Say of the operations with the scheme `optional` that a login by the scheme `name` is optional, in place."""
    schemes: dict[str, Any] = host.get("components", {}).get("securitySchemes", {})
    if optional not in schemes:
        return host
    schemes.setdefault(name, schemes[optional])
    del schemes[optional]
    for operation in _guarded(host):
        ways = [way for way in operation["security"] if optional not in way]
        if len(ways) < len(operation["security"]):
            operation["security"] = ways if {name: []} in ways else [{}, {name: []}, *ways]
    return host


def prefix_of(mount: str) -> str:
    """Return the prefix of the names of a part. Generators of clients make identifiers of the names: no dots."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", mount[1:]) + "_"


def _guarded(host: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the operations with security. A path may also have a summary, which is text, and parameters, a list."""
    operations = (item for path in host["paths"].values() for item in path.values() if isinstance(item, dict))
    yield from (operation for operation in operations if "security" in operation)


def _prefix_references(value: Any, prefix: str) -> Any:
    """Return a copy in which each reference to a component has the prefix."""
    if isinstance(value, dict):
        return {name: _prefix_references(item, prefix) for name, item in value.items()}
    if isinstance(value, list):
        return [_prefix_references(item, prefix) for item in value]
    if isinstance(value, str) and value.startswith(COMPONENT):
        kind, _, name = value.removeprefix(COMPONENT).partition("/")
        return f"{COMPONENT}{kind}/{prefix}{name}"
    return value
