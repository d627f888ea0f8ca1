"""Paths: the one below the mount, as hosts and servers give it, and the URL of the mount."""

import re
from urllib.parse import quote, unquote, urlsplit

from starlette.types import Scope

from asgi_auth.settings import Settings
from asgi_auth.validation.targets import is_local_path, location

#: Where password managers look for the page that changes a password (W3C, A Well-Known URL for Changing Passwords).
CHANGE_PASSWORD = "/.well-known/change-password"
#: A path that every host reads alike, and the start of a URL in the place of a path.
USUAL = re.compile(r"(?:/[a-z0-9._~-]+)+/?|/")
AUTHORITY = re.compile(r"^[a-z][a-z0-9+.-]*://[^/]*")


def route_path(scope: Scope) -> str | None:
    """Return the path below the mount, with a leading and no trailing slash; None for a path of another app.

    Hosts and servers differ in what they put into `path` and `root_path`; the tests list the cases.
    """
    path = scope["path"] or "/"
    root = (scope.get("root_path") or "").rstrip("/")
    relative = _below(path, root)
    outer = (scope.get("app_root_path") or "").rstrip("/")
    if relative is None and outer and root.startswith(outer + "/"):
        # The path lacks the server's root_path, and has only the part that the mounts added.
        relative = _below(path, root[len(outer) :])
    if relative is None:
        relative = path
    if relative and not relative.startswith("/"):
        return None
    return relative.rstrip("/") or "/"


def readings(scope: Scope) -> tuple[str, ...]:
    """Return the paths below the mount that hosts may read in a request, in lower case.

    Some hosts accept a line break at the end (Starlette), doubled and missing slashes (Litestar, Quart, Falcon),
    capital letters (BlackSheep), or a URL in the place of the path (Quart). A rule for a path judges all readings.
    """
    path = (route_path(scope) or "").lower()
    if USUAL.fullmatch(scope["path"]):
        return (path,)
    lenient = dict(scope)
    for name in ("path", "root_path", "app_root_path"):
        parts = AUTHORITY.sub("", (scope.get(name) or "").lower()).split("/")
        lenient[name] = "".join(f"/{part.strip()}" for part in parts if part.strip())
    return path, route_path(lenient) or "/"


def own_url(scope: Scope, path: str, settings: Settings) -> str:
    """Return the URL of the mount: by `base_url`, else its path alone, from a request for a `path` below it."""
    if settings.base_url is not None:
        return settings.base_url.rstrip("/") + settings.mount
    root = (scope.get("root_path") or "").rstrip("/")
    mount = (scope["path"] or "").rstrip("/").removesuffix(path)
    # Some hosts put the mount into both, and some servers the root_path into the first only.
    return quote((mount if mount.startswith(root) else root if root.endswith(mount) else root + mount) or "/")


def app_root(scope: Scope, path: str, settings: Settings) -> str:
    """Return the path of the host's app, without a slash at the end, from a request for a `path` below the mount.

    It is the path of `base_url`, else the `root_path` without the mount: a host that mounts the routes adds the mount
    to its `root_path`, and the middleware does not.
    """
    if settings.base_url is not None:
        return urlsplit(settings.base_url).path
    root = (scope.get("root_path") or "").rstrip("/")
    if route_path(scope) == path:
        outer = str(scope.get("app_root_path") or "").rstrip("/")
        root = root.removesuffix(settings.mount) if root.endswith(settings.mount) else outer
    return quote(root)


def below_root(root: str, target: str) -> str:
    """Return a path of this site, moved below the root of the host's app unless it is there already."""
    plain, start = unquote(re.split(r"[?#]", target, maxsplit=1)[0]), unquote(root)
    return target if plain == start or plain.startswith(start + "/") else root + target


def onward(scope: Scope, path: str, settings: Settings, target: str) -> str:
    """Return a Location header for a target: a path of this site, moved below the host's app, or a URL.

    `path` is that of the request, below the mount.
    """
    return location(below_root(app_root(scope, path, settings), target) if is_local_path(target) else target)


def _below(path: str, prefix: str) -> str | None:
    """Cut the prefix off, if it ends at the end of a segment."""
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :]
    return None


def below_mount(mount: str, scope: Scope) -> str | None:
    """Return the path below a mount; None for a path outside of it."""
    if mount not in scope["path"]:
        return None
    path = route_path(scope) or ""
    if path == mount:
        return "/"
    return path[len(mount) :] if path.startswith(mount + "/") else None
