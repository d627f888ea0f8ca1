"""Routing: from a path and a method to an endpoint; selecting and renaming endpoints."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from asgi_auth.errors import MethodNotAllowedError, NotFoundError
from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.root_path import WELL_KNOWN, RootPath
from asgi_auth.feature.route import Route

#: The errors of a path without a route, and of a method without one.
NOT_FOUND_ERRORS = (NotFoundError,)
METHOD_ERRORS = (MethodNotAllowedError,)


class Routes:
    """The routes of an app. Fixed paths are looked up; paths with a `{name}` segment are compared one by one."""

    def __init__(
        self,
        features: Sequence[BaseFeature],
        include: Collection[str] | None,
        exclude: Collection[str],
        paths: Mapping[str, str],
    ) -> None:
        """Select and rename endpoints; raises ValueError for unknown names and for two endpoints at one route."""
        found = [Route(feature, endpoint) for feature in features for endpoint in feature.endpoints]
        groups = {route.endpoint.name: type(route.feature).__name__.lower() for route in found}
        _refuse_unknown({*(include or ()), *exclude}, {*groups, *groups.values()})
        _refuse_unknown(set(paths), set(groups))
        if include is not None and not include:
            raise ValueError("include selects nothing")
        self._routes: dict[str, dict[str, Route]] = {}
        self._names: dict[str, tuple[str, Route]] = {}
        #: The paths of HTML pages, and those of them with values.
        self.pages: set[str] = set()
        self._page_patterns: list[str] = []
        #: The paths to which another site may send a browser.
        self._stops: list[str] = []
        for route in found:
            names = {route.endpoint.name, groups[route.endpoint.name]}
            if (include is None or names & set(include)) and not names & set(exclude):
                self._add(paths.get(route.endpoint.name, route.endpoint.path), route)

    def __iter__(self) -> Any:
        """Iterate over pairs of path and route, in the order of declaration."""
        return iter([(path, route) for path, methods in self._routes.items() for route in methods.values()])

    def named(self, name: str) -> tuple[str, Route] | None:
        """Return the path and the route of an endpoint, by name; None when it is not served."""
        return self._names.get(name)

    @property
    def root_paths(self) -> Mapping[str, RootPath]:
        """The paths at the root of the host that lead to endpoints of these routes.

        Raises ValueError for a path that is not below `/.well-known/`, and for one that two features want.
        """
        found: dict[str, RootPath] = {}
        for feature in dict.fromkeys(route.feature for _, route in self._names.values()):
            for path, root in feature.root_paths.items():
                if not path.startswith(WELL_KNOWN) or found.setdefault(path, root) != root:
                    raise ValueError(f"{path} is not below {WELL_KNOWN}, or two features want it")
        return {path: root for path, root in found.items() if root.endpoint in self._names}

    def add_pages(self, paths: Collection[str]) -> None:
        """Register the paths of HTML pages. Raises ValueError when an endpoint has GET at one of them."""
        for path in paths:
            if "GET" in self._routes.setdefault(path, {}):
                raise ValueError(f"a page and an endpoint at GET {path}")
        self.pages |= set(paths)
        self._page_patterns += [path for path in paths if "{" in path]

    def page_at(self, path: str) -> tuple[str, dict[str, str]] | None:
        """Return the declared path of the HTML page at a path, and the values in it; None without a page."""
        if path in self.pages:
            return path, {}
        if not self._page_patterns or path in self._routes:
            return None
        found = ((pattern, _values(pattern, path)) for pattern in self._page_patterns)
        return next(((pattern, values) for pattern, values in found if values is not None), None)

    def stops_at(self, path: str) -> bool:
        """Tell whether another site may send a browser to a path by GET."""
        return any(_values(pattern, path) is not None for pattern in self._stops)

    def find(self, path: str | None, method: str) -> tuple[Route | None, dict[str, Any]]:
        """Return the route and the values in its path; for OPTIONS, None and the allowed methods as `methods`.

        With these goes `any_origin`: whether scripts of every site may call all of them.

        Raises NotFoundError, or MethodNotAllowedError with the allowed methods.
        """
        pattern, values = self._match(path or "")
        methods = self._routes[pattern]
        if method == "OPTIONS":
            any_origin = bool(methods) and all(route.endpoint.any_origin for route in methods.values())
            return None, {"methods": self._allow(pattern, methods), "any_origin": any_origin}
        route = methods.get("GET" if method == "HEAD" else method)
        if route is not None and method == "HEAD" and route.endpoint.navigates:
            # The GET may use something up, such as the code of a login at another site.
            route = None
        if route is None:
            raise MethodNotAllowedError(self._allow(pattern, methods))
        return route, values

    def _match(self, path: str) -> tuple[str, dict[str, str]]:
        if path in self._routes:
            return path, {}
        for pattern in self._routes:
            if (values := _values(pattern, path)) is not None:
                return pattern, values
        raise NotFoundError

    def _add(self, path: str, route: Route) -> None:
        if not path.startswith("/") or path == "/" or path.endswith("/"):
            raise ValueError(f"{path!r}: a path starts with a slash, does not end with one, and is not / alone")
        if self._routes.setdefault(path, {}).setdefault(route.endpoint.method, route) is not route:
            raise ValueError(f"two endpoints at {route.endpoint.method} {path}")
        self._names[route.endpoint.name] = (path, route)
        if route.endpoint.navigates and route.endpoint.method == "GET":
            self._stops.append(path)

    def _allow(self, pattern: str, methods: Mapping[str, Route]) -> list[str]:
        reads = {"GET", "HEAD"} if "GET" in methods or pattern in self.pages else set()
        if "GET" in methods and methods["GET"].endpoint.navigates:
            reads = {"GET"}
        return sorted({*methods, "OPTIONS"} | reads)


def _values(pattern: str, path: str) -> dict[str, str] | None:
    """Return the values of a path by the names of a pattern; None when it does not fit."""
    parts, segments = pattern.split("/"), path.split("/")
    if len(parts) != len(segments):
        return None
    pairs = list(zip(parts, segments, strict=True))
    if not all(part == segment or (part.startswith("{") and segment != "") for part, segment in pairs):
        return None
    return {part[1:-1]: segment for part, segment in pairs if part.startswith("{")}


def _refuse_unknown(given: set[str], known: set[str]) -> None:
    if unknown := given - known:
        raise ValueError(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
