"""Finding a feature, or a service of one, by its class."""

from typing import TypeVar

from asgi_auth.feature.base import BaseFeature

T = TypeVar("T")


class FeatureLookup:
    """The look-ups of an `Auth`."""

    features: list[BaseFeature]

    def __getitem__(self, kind: type[T]) -> T:
        """Return a feature, or a service of one, by its class or a base of it: `auth[Passwords]`. Raises KeyError."""
        found = self.get(kind)
        if found is None:
            raise KeyError(kind.__name__)
        return found

    def get(self, kind: type[T]) -> T | None:
        """Return a feature or a service in the same way; None when it is missing."""
        for feature in self.features:
            for item in (feature, *feature.services):
                if isinstance(item, kind):
                    return item
        return None
