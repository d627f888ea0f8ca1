"""The two files of the client, for the endpoints that an app serves."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from asgi_auth.feature import Served
from asgi_auth.features.browser_client.declarations import declarations

HERE = Path(__file__).parent
#: The line of the script with the paths that the app has renamed.
RENAMED = "const RENAMED = {};"


def script_of(served: Served) -> str:
    """Return the script. It knows the paths of the endpoints that it calls, and those that the app has renamed."""
    renamed = {route.endpoint.path: path for path, route in served.routes if route.endpoint.path != path}
    return _read("client.js").replace(RENAMED, f"const RENAMED = {json.dumps(renamed)};")


def types_of(document: Mapping[str, Any]) -> str:
    """Return the types, with those of the endpoints of an OpenAPI document."""
    return f"{_read('client.d.ts')}\n{declarations(document)}"


@functools.cache
def _read(name: str) -> str:
    return (HERE / name).read_text("utf-8")
