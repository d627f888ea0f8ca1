"""The auth routes in a host's own OpenAPI document: paths below the mount, and names that are none of the host's."""

import re
from typing import Any

from asgi_auth.app import AuthApp
from asgi_auth.auth import Auth
from asgi_auth.feature import Served
from asgi_auth.openapi import Info, document
from asgi_auth.settings import check_mount

COMPONENT = "#/components/"


def part_of(auth: Auth | AuthApp, mount: str) -> dict[str, Any]:
    """Describe the auth routes as a part of another document; every name begins with the mount's.

    Raises ValueError when `mount` is no path such as `/auth`.
    """
    check_mount(mount)
    app = auth if isinstance(auth, AuthApp) else AuthApp(auth)
    # Seen from the document, as FastAPI has it: the host's root_path is not known here.
    part = document(app.auth, Served(app.routes, mount[1:]), Info())
    prefix = re.sub(r"[^A-Za-z0-9._-]", ".", mount[1:]) + "."
    for kind, components in part["components"].items():
        part["components"][kind] = {prefix + name: component for name, component in components.items()}
    part["paths"] = {mount + path: operations for path, operations in part["paths"].items()}
    for operations in part["paths"].values():
        for operation in operations.values():
            operation["operationId"] = prefix + operation["operationId"]
            operation["tags"] = [prefix + tag for tag in operation["tags"]]
            operation["security"] = [{prefix + name: [] for name in way} for way in operation["security"]]
    part["tags"] = [tag | {"name": prefix + tag["name"]} for tag in part["tags"]]
    renamed: dict[str, Any] = _referring(part, prefix)
    return renamed


def merge(host: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """Add a part to a host's document, which is changed; once more changes nothing."""
    host.setdefault("paths", {}).update(part["paths"])
    components = host.setdefault("components", {})
    for kind, named in part["components"].items():
        components.setdefault(kind, {}).update(named)
    tags = host.setdefault("tags", [])
    tags += [tag for tag in part["tags"] if tag not in tags]
    return host


def _referring(value: Any, prefix: str) -> Any:
    """A copy whose references have the prefix in them."""
    if isinstance(value, dict):
        return {name: _referring(item, prefix) for name, item in value.items()}
    if isinstance(value, list):
        return [_referring(item, prefix) for item in value]
    if isinstance(value, str) and value.startswith(COMPONENT):
        kind, _, name = value.removeprefix(COMPONENT).partition("/")
        return f"{COMPONENT}{kind}/{prefix}{name}"
    return value
