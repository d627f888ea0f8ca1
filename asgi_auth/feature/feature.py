"""The base class of all features, with the `Auth` that it belongs to."""

from typing import TYPE_CHECKING

from asgi_auth.feature.base import BaseFeature

if TYPE_CHECKING:
    from asgi_auth.auth import Auth


class Feature(BaseFeature):
    """Base of all features: declare endpoints and hooks, and reach everything else by `self.auth`."""

    auth: "Auth"

    def attach(self, auth: "Auth") -> None:
        """Join an `Auth`: called once, before any request."""
        super().attach(auth)
        self.auth = auth
