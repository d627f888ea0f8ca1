"""Protected resources: the parts of the host that clients reach with tokens of their own (RFC 9728)."""

from collections.abc import Mapping

from asgi_auth.model.records import Record


class ProtectedResource(Record, frozen=True, kw_only=True):
    """A part of the host, such as `/mcp`: its tokens have `url` as their audience, and are accepted nowhere else.

    `scopes` are those that the first challenge names, and `calls` those that tools need, by the name of the tool. With
    `own`, the sessions of users are accepted as well.
    """

    path: str
    url: str
    issuer: str
    metadata_url: str
    scopes: tuple[str, ...] = ()
    calls: Mapping[str, tuple[str, ...]] = {}
    own: bool = False

    def challenge(self, scopes: tuple[str, ...]) -> str:
        """Return the parameters that every challenge has (RFC 9728, 5.1; RFC 6750, 3)."""
        scope = f'scope="{" ".join(scopes)}", ' if scopes else ""
        return f'{scope}resource_metadata="{self.metadata_url}"'


class ProtectedResources:
    """The resources of an `Auth`, found by the path of a request."""

    def __init__(self) -> None:
        """Start without resources."""
        #: All of them. The longest path comes first.
        self.found: list[ProtectedResource] = []
        #: Their paths in lower case, without and with a slash at the end.
        self._paths: list[tuple[str, str, ProtectedResource]] = []

    def add(self, resource: ProtectedResource) -> None:
        """Add a resource."""
        self.found = sorted([*self.found, resource], key=lambda each: -len(each.path))
        self._paths = [(path, f"{path}/", each) for each in self.found for path in (each.path.lower(),)]

    def named(self, url: str) -> ProtectedResource | None:
        """Return the resource whose tokens have this audience; None for any other."""
        return next((resource for resource in self.found if resource.url == url), None)

    def at(self, *paths: str) -> ProtectedResource | None:
        """Return the resource with one of the paths, which have no slash at their ends; None for all other paths.

        The paths of a request are all `readings` of it, in lower case.
        """
        for own, below, resource in self._paths:
            for path in paths:
                if path == own or path.startswith(below):
                    return resource
        return None
