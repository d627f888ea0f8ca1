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
