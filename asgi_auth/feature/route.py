"""Routes: the endpoints of features, at their paths."""

from collections.abc import Iterable
from typing import NamedTuple

from asgi_auth.feature.base import BaseFeature
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.model.records import Record


class Route(NamedTuple):
    """An endpoint of a feature."""

    feature: BaseFeature
    endpoint: Endpoint


class Served(Record, frozen=True):
    """The routes of an app with their paths, and the URL of the app, with or without a host."""

    routes: Iterable[tuple[str, Route]]
    url: str

    def url_of(self, name: str) -> str | None:
        """Return the URL of an endpoint by its name; None for one that is not served."""
        found = (path for path, route in self.routes if route.endpoint.name == name)
        path = next(found, None)
        return None if path is None else f"{self.url.rstrip('/')}{path}"
